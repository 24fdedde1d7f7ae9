//! Checks what the library expects of a description without checking it, and panics on.

use prost_reflect::prost_types::{
    DescriptorProto, EnumDescriptorProto, FileDescriptorProto, MessageOptions,
    field_descriptor_proto::{Label, Type},
};

/// Checks that every enumeration has a value, and that every entry of a map has a key and a value.
///
/// # Errors
///
/// If one of them does not, with the reason in one line.
pub(super) fn check(file: &FileDescriptorProto) -> Result<(), String> {
    let checked = file.enum_type.iter().try_for_each(enumeration);
    let checked = checked.and_then(|()| file.message_type.iter().try_for_each(message));
    checked.map_err(|wrong| format!("{}: {wrong}", file.name()))
}

fn enumeration(one: &EnumDescriptorProto) -> Result<(), String> {
    if one.value.is_empty() {
        return Err(format!("the enumeration {} has no values", one.name()));
    }
    Ok(())
}

fn message(one: &DescriptorProto) -> Result<(), String> {
    one.enum_type.iter().try_for_each(enumeration)?;
    one.nested_type.iter().try_for_each(message)?;
    if one.options.as_ref().is_some_and(MessageOptions::map_entry) && !is_entry(one) {
        return Err(format!("{} is an entry of a map without a key and a value", one.name()));
    }
    Ok(())
}

fn is_entry(one: &DescriptorProto) -> bool {
    let [key, value] = &one.field[..] else { return false };
    let is_key = !matches!(
        key.r#type(),
        Type::Double | Type::Float | Type::Bytes | Type::Message | Type::Group | Type::Enum
    );
    let is_plain = [key, value]
        .iter()
        .all(|field| field.label() == Label::Optional && field.oneof_index.is_none());
    (key.number(), value.number()) == (1, 2) && is_key && is_plain && value.r#type() != Type::Group
}
