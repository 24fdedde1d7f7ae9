//! Finds the fields of a message by their names in JSON, and knows which message types have a special form in JSON.

use prost_reflect::{FieldDescriptor, MessageDescriptor};

/// True for the types of protobuf that have a special form in JSON: a `google.protobuf.Duration` is `"1.5s"`.
pub(super) fn is_well_known(message: &MessageDescriptor) -> bool {
    message.package_name() == "google.protobuf"
}

/// The field with that name, which is either its JSON name or its name in the .proto.
pub(super) fn field_named(message: &MessageDescriptor, name: &str) -> Option<FieldDescriptor> {
    message
        .get_field_by_json_name(name)
        .or_else(|| message.get_field_by_name(name))
}
