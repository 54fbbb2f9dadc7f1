//! The name of a model, kept in place.

use std::fmt;

use crate::labels;

/// The model that a response names: at most [`labels::MAX_LABEL_BYTES`] bytes of it, in place.
#[derive(Clone, Copy)]
pub struct Model {
    bytes: [u8; labels::MAX_LABEL_BYTES],
    len: u8,
    unfit: bool,
}

impl Model {
    pub(crate) const NONE: Self = Self {
        bytes: [0; labels::MAX_LABEL_BYTES],
        len: 0,
        unfit: false,
    };

    /// `None` for `text` marks a name that did not fit.
    pub(crate) fn new(text: Option<&[u8]>) -> Self {
        let mut model = Self::NONE;
        match text
            .filter(|text| text.len() <= model.bytes.len() && std::str::from_utf8(text).is_ok())
        {
            Some(text) => {
                model.bytes[..text.len()].copy_from_slice(text);
                model.len = u8::try_from(text.len()).unwrap_or(u8::MAX);
            }
            None => model.unfit = true,
        }
        model
    }

    pub(crate) fn clear(&mut self) {
        self.len = 0;
        self.unfit = false;
    }

    /// Whether the response has not (yet) named a model.
    #[must_use]
    pub const fn is_none(&self) -> bool {
        self.len == 0 && !self.unfit
    }

    /// The name; `None` where there is none, or one that is over-long or not UTF-8.
    #[must_use]
    pub fn as_str(&self) -> Option<&str> {
        let name = std::str::from_utf8(&self.bytes[..usize::from(self.len)]).ok()?;
        (!name.is_empty()).then_some(name)
    }

    /// The name as a label value: [`labels::UNKNOWN`] where there is none, [`labels::OTHER`] where it
    /// does not fit.
    ///
    /// ```
    /// use brightstaff_metrics_core::meter::Meter;
    ///
    /// let mut meter = Meter::new(Some("application/json"), None);
    /// assert_eq!(meter.facts().model.label(), "unknown");
    /// meter.push(br#"{"model":"gpt-4o"}"#);
    /// assert_eq!(meter.facts().model.label(), "gpt-4o");
    /// ```
    #[must_use]
    pub fn label(&self) -> &str {
        if self.unfit {
            labels::OTHER
        } else {
            labels::sanitize(self.as_str().unwrap_or_default())
        }
    }
}

impl PartialEq for Model {
    fn eq(&self, other: &Self) -> bool {
        (self.as_str(), self.unfit) == (other.as_str(), other.unfit)
    }
}

impl Eq for Model {}

impl fmt::Debug for Model {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.is_none() { "-" } else { self.label() })
    }
}
