//! stub
use crate::labels::UsageMissing;
#[derive(Debug)]
pub struct Meter(Facts);
#[derive(Debug, Clone, Copy, Default)]
pub struct Usage {
    pub prompt: Option<u64>,
    pub completion: Option<u64>,
    pub cache_read: Option<u64>,
    pub cache_write: Option<u64>,
    pub reasoning: Option<u64>,
}
#[derive(Debug, PartialEq, Clone, Copy)]
pub enum End {
    Complete,
    Error,
    Truncated,
}
#[derive(Debug, Default)]
pub struct Facts {
    pub streaming: bool,
    pub first_token_event: Option<u64>,
    pub terminal: bool,
    pub error: bool,
    pub usage: Usage,
    pub reasoning_streamed: bool,
}
impl Meter {
    pub fn new(_: Option<&str>, _: Option<&str>) -> Self {
        Meter(Facts::default())
    }
    pub fn push(&mut self, _: &[u8]) {}
    pub fn finish(&mut self) {}
    pub fn facts(&self) -> &Facts {
        &self.0
    }
}
impl Facts {
    pub fn end(&self) -> End {
        End::Complete
    }
    pub fn model(&self) -> Option<&str> {
        None
    }
    pub fn usage_missing(&self, _: bool) -> Option<UsageMissing> {
        None
    }
}
