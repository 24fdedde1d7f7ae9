//! The crate as its users see it: layers around services, in paused time, and the conservation of requests.

mod conservation;
mod grpc;
mod layer;
mod resource;
mod seen;
