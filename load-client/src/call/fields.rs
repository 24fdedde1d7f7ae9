//! What JSON calls the fields of a message, and which messages it writes in a way of its own.

use prost_reflect::{FieldDescriptor, MessageDescriptor};

/// A type that JSON writes in a way of its own.
pub(super) fn is_well_known(message: &MessageDescriptor) -> bool {
    message.package_name() == "google.protobuf"
}

/// By the name that JSON prefers, or the one in the .proto.
pub(super) fn field_named(message: &MessageDescriptor, name: &str) -> Option<FieldDescriptor> {
    message
        .get_field_by_json_name(name)
        .or_else(|| message.get_field_by_name(name))
}
