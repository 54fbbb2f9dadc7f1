//! What a client received, and whether it is what the handler sent: no layer may change a byte.

use std::collections::BTreeMap;

use super::case::{Head, Request, Step};

/// What came of a response.
#[derive(Debug, Default)]
pub(crate) struct Received {
    pub(crate) status: u16,
    /// By their names in lower case.
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) body: Vec<u8>,
    /// A server may leave them behind.
    pub(crate) trailers: BTreeMap<String, String>,
    /// Whether the body came to its end.
    pub(crate) whole: bool,
}

/// What a handler sends.
#[derive(Debug, Default)]
pub(crate) struct Sent {
    head: Head,
    data: Vec<u8>,
    pub(crate) trailers: BTreeMap<String, String>,
    /// What goes on after a hang-up.
    again: Vec<u8>,
    ending: Ending,
}

#[derive(Clone, Copy, Debug, Default, PartialEq)]
enum Ending {
    #[default]
    Whole,
    Broken,
    HungUp,
}

impl Request {
    /// The response that its handler sends, if it comes to one.
    pub(crate) fn sent(&self) -> Option<Sent> {
        if self.route.is_none() {
            return Some(Sent::of(Head {
                status: 404,
                sized: true,
                ..Head::default()
            }));
        }
        self.answer.iter().fold(None, |sent, step| match step {
            Step::Answer(head) | Step::Respond(head) => Some(Sent::of(head.clone())),
            Step::Discard | Step::Drain => None,
            step => sent.map(|sent| sent.then(step)),
        })
    }

    /// Demands that its client received what its handler sent.
    pub(crate) fn check(&self, received: Option<&Received>) {
        let (sent, received) = match (self.sent(), received) {
            (Some(sent), Some(received)) => (sent, received),
            (None, None) => return,
            // Before the server wrote the head.
            (Some(sent), None) if sent.ending != Ending::Whole => return,
            (sent, received) => panic!("{self}: {received:?} received, {sent:?} sent"),
        };
        assert_eq!(received.status, sent.head.status, "{self}: the status");
        for (name, value) in sent.head.fields() {
            let came = received.headers.get(name).map(String::as_str);
            assert_eq!(came, Some(value), "{self}: {name}");
        }
        for name in ["content-type", "content-encoding"] {
            let set = sent.head.fields().any(|(field, _)| field == name);
            assert!(
                set || !received.headers.contains_key(name),
                "{self}: {name}"
            );
        }
        self.check_body(&sent, received);
        let trailers = &received.trailers;
        assert!(
            trailers.is_empty() || *trailers == sent.trailers,
            "{self}: {trailers:?}"
        );
    }

    /// Demands that the server told the length of the body as the contract of HTTP has it.
    #[allow(dead_code)] // The core alone sends nothing.
    pub(crate) fn check_framing(&self, http: usize, received: &Received) {
        let Some(sent) = self.sent() else { return };
        let length = received.headers.get("content-length");
        let length = length.map(|length| length.parse::<usize>().expect("a number"));
        let coding = received.headers.get("transfer-encoding");
        let coding = coding.map(String::as_str);
        let bodiless = self.is_bodiless(received.status);
        if !matches!(received.status, 100..=199 | 204) {
            assert_eq!(length, sent.length(), "{self}: content-length");
        }
        let chunked = http == 1 && !bodiless && length.is_none();
        assert_eq!(
            coding,
            chunked.then_some("chunked"),
            "{self}: transfer-encoding"
        );
    }

    /// Whether HTTP knows no body of such a response (RFC 9110, section 6.4.1).
    pub(crate) fn is_bodiless(&self, status: u16) -> bool {
        self.method == "HEAD" || matches!(status, 100..=199 | 204 | 304)
    }

    fn check_body(&self, sent: &Sent, received: &Received) {
        let mut expected = sent.data.clone();
        if self.is_bodiless(sent.head.status) {
            expected.clear();
        } else if sent.ending == Ending::Broken {
            assert!(!received.whole, "{self}: a cut that looks like an end");
        }
        while expected.len() < received.body.len() && !sent.again.is_empty() {
            expected.extend(&sent.again);
        }
        if sent.ending == Ending::Whole {
            assert!(received.whole, "{self}: a body without its end");
        } else {
            expected.truncate(received.body.len());
        }
        let pairs = expected.iter().zip(&received.body);
        let same = pairs
            .take_while(|(sent, received)| sent == received)
            .count();
        assert!(
            expected == received.body,
            "{self}: {} bytes sent, {} received, the same up to {same}: {:?} sent, {:?} received",
            expected.len(),
            received.body.len(),
            excerpt(&expected, same),
            excerpt(&received.body, same),
        );
    }
}

impl std::fmt::Display for Request {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.method, self.path)
    }
}

impl Sent {
    fn of(head: Head) -> Self {
        Self {
            head,
            ..Self::default()
        }
    }

    fn then(mut self, step: &Step) -> Self {
        self.data.extend(step.data().unwrap_or_default());
        match step {
            Step::Trailers(fields) => self.trailers.clone_from(fields),
            Step::Break | Step::Panic => self.ending = Ending::Broken,
            Step::HangUp => self.ending = Ending::HungUp,
            Step::HangUpWhile(text) => {
                self.ending = Ending::HungUp;
                self.again = text.clone().into_bytes();
            }
            _ => {}
        }
        self
    }

    /// The length that is declared, or known.
    fn length(&self) -> Option<usize> {
        let declared = self.head.headers.get("content-length");
        let declared = declared.map(|length| length.parse().expect("a number"));
        declared.or(self.head.sized.then_some(self.data.len()))
    }
}

impl Head {
    /// The fields that the script sets. `Connection` is the server's to add to.
    fn fields(&self) -> impl Iterator<Item = (&str, &str)> {
        let content_type = self.content_type.as_deref();
        let content_type = content_type.map(|value| ("content-type", value));
        let others = self.headers.iter();
        let others = others.filter(|(name, _)| *name != "connection");
        content_type
            .into_iter()
            .chain(others.map(|(name, value)| (&**name, &**value)))
    }
}

/// A few bytes from there on.
fn excerpt(bytes: &[u8], from: usize) -> String {
    let bytes = bytes.iter().skip(from).take(24).copied();
    String::from_utf8_lossy(&bytes.collect::<Vec<_>>()).into_owned()
}
