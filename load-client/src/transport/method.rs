//! What is called.

use http::{HeaderMap, uri::PathAndQuery};

/// A call: where to, and what goes with it.
#[derive(Debug, Clone)]
pub struct Method {
    /// The path of the method: `/package.Service/Method`.
    pub path: PathAndQuery,
    /// Besides what gRPC itself needs.
    pub metadata: HeaderMap,
    /// Whether answers keep their metadata. It is copied from each answer, so only a reader of it should ask for it.
    pub keep_metadata: bool,
}
