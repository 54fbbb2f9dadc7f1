//! The fields of a request that the gateway reads or edits, and names that others may take for theirs.

use std::fmt;

use serde::{
    Deserialize, Deserializer,
    de::{Error, IgnoredAny, MapAccess, Visitor},
};
use serde_json::value::RawValue;

/// The fields that matter here; a second one of the same name is an error, so that nobody reads
/// another model than the destination does.
#[derive(Debug, Default)]
pub(super) struct Fields<'a> {
    pub(super) model: Option<&'a RawValue>,
    pub(super) stream: Option<&'a RawValue>,
    pub(super) stream_options: Option<&'a RawValue>,
    /// One of these names is there in other letters.
    pub(super) misspelt: Option<&'static str>,
}

/// The names of those fields, and a name that is like one of them but for the case of its letters.
#[derive(Clone, Copy, Debug)]
enum Name {
    Field(&'static str),
    Misspelt(&'static str),
    Other,
}

const MODEL: &str = "model";
const STREAM: &str = "stream";
const STREAM_OPTIONS: &str = "stream_options";

impl Name {
    /// Go, for one, takes a field for the same whatever its case, by Unicode's simple folding, and the
    /// last one counts: there `Model` would be the model that is asked, and `ſtream` would be `stream`.
    /// Folding fully refuses more than that, and nothing that anyone sends: of letters outside ASCII only
    /// the long s, and in Java the two Turkish i, are alike to one in these names.
    fn of(name: &str) -> Self {
        let fields = [MODEL, STREAM, STREAM_OPTIONS];
        if let Some(field) = fields.into_iter().find(|field| *field == name) {
            return Self::Field(field);
        }
        let folded = name.chars().flat_map(char::to_uppercase);
        let folded = folded.flat_map(char::to_lowercase);
        // The dot of the capital one.
        let folded = folded.filter(|c| *c != '\u{307}');
        let mut alike = fields.into_iter();
        let alike = alike.find(|field| folded.clone().eq(field.chars()));
        alike.map_or(Self::Other, Self::Misspelt)
    }
}

impl<'de> Deserialize<'de> for Name {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Read;
        impl Visitor<'_> for Read {
            type Value = Name;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a name")
            }

            fn visit_str<E>(self, name: &str) -> Result<Name, E> {
                Ok(Name::of(name))
            }
        }
        from.deserialize_identifier(Read)
    }
}

impl<'de> Deserialize<'de> for Fields<'de> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Read;
        impl<'de> Visitor<'de> for Read {
            type Value = Fields<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Fields<'de>, A::Error> {
                let mut fields = Fields::default();
                while let Some(name) = map.next_key()? {
                    let (field, name) = match name {
                        Name::Field(MODEL) => (&mut fields.model, MODEL),
                        Name::Field(STREAM) => (&mut fields.stream, STREAM),
                        Name::Field(name) => (&mut fields.stream_options, name),
                        Name::Misspelt(name) => {
                            fields.misspelt = Some(name);
                            map.next_value::<IgnoredAny>()?;
                            continue;
                        }
                        Name::Other => {
                            map.next_value::<IgnoredAny>()?;
                            continue;
                        }
                    };
                    if field.replace(map.next_value()?).is_some() {
                        return Err(A::Error::duplicate_field(name));
                    }
                }
                Ok(fields)
            }
        }
        from.deserialize_map(Read)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_what_others_may_read_as_a_second_field() {
        for name in [
            "Model",
            "MODEL",
            "mod\\u0045l",
            "Stream",
            "\u{17f}tream",
            "\\u017ftream",
            "\u{17f}tream_option\u{17f}",
            "stream_opt\u{131}ons",
            "STREAM_OPT\u{130}ONS",
        ] {
            for text in [
                format!(r#"{{"model":"a","stream":true,"{name}":"b"}}"#),
                format!(r#"{{"{name}":"b"}}"#),
            ] {
                assert!(
                    serde_json::from_str::<Fields<'_>>(&text)
                        .unwrap()
                        .misspelt
                        .is_some(),
                    "{name}"
                );
            }
        }
        for name in [
            "models",
            "mode",
            "modell",
            "m\u{f6}del",
            "streams",
            "stream-options",
        ] {
            let text = format!(r#"{{"model":"a","{name}":"b","nested":{{"Model":"c"}}}}"#);
            let fields: Fields<'_> = serde_json::from_str(&text).unwrap();
            assert_eq!(fields.misspelt, None, "{name}");
            assert_eq!(fields.model.unwrap().get(), "\"a\"");
        }
    }
}
