//! Bodies that are observed as they pass: no byte changed, none held back.

mod observe;
mod observed;
mod observer;
mod stream;

pub use observed::ObservedBody;
pub use observer::ResponseObserver;
pub use stream::ObservedStream;
