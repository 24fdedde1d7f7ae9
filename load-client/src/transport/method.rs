//! The method of a call, and the metadata that goes with it.

use http::{HeaderMap, HeaderName, HeaderValue, uri::PathAndQuery};

/// The header with the urgency of a request (RFC 9218).
const PRIORITY: HeaderName = HeaderName::from_static("priority");

/// The part that all calls of a method share: its path and its metadata.
#[derive(Debug, Clone)]
pub struct Method {
    /// The path of the method: `/package.Service/Method`.
    pub path: PathAndQuery,
    /// The metadata of every call, besides the headers that gRPC itself needs.
    pub metadata: HeaderMap,
    /// Whether answers keep their metadata. It is copied from each answer, so only a reader of it should ask for it.
    pub keep_metadata: bool,
}

impl Method {
    /// The same call with an urgency from 0, the most urgent, to 7.
    #[must_use]
    pub fn urgent(&self, urgency: u8) -> Self {
        let mut method = self.clone();
        let value = HeaderValue::try_from(format!("u={urgency}")).expect("a letter, a sign and digits");
        method.metadata.insert(PRIORITY, value);
        method
    }
}
