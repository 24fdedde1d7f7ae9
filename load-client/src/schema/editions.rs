//! Files of protobuf's editions, rewritten as proto2 or proto3: the library knows only these two.
//!
//! An edition is a set of defaults for features, such as whether a field has presence, and files, messages and fields
//! may override them. For every combination of features, proto2 or proto3 can describe the same bytes on the wire, and
//! calls need no more.

use prost::Message;
use prost_reflect::prost_types::{
    DescriptorProto, EnumDescriptorProto, FieldDescriptorProto, FileDescriptorProto,
    MessageOptions as MessageOptionsProto,
    field_descriptor_proto::{Label, Type},
};

/// Numbers of `google.protobuf.Edition`.
const PROTO2: i32 = 998;
const PROTO3: i32 = 999;
const EDITION_2023: i32 = 1000;
const EDITION_2024: i32 = 1001;
/// Numbers of `FeatureSet.FieldPresence`, `RepeatedFieldEncoding` and `MessageEncoding`.
const EXPLICIT: i32 = 1;
const LEGACY_REQUIRED: i32 = 3;
const PACKED: i32 = 1;
const DELIMITED: i32 = 2;

/// Rewrites a file whose syntax the library does not know.
///
/// # Errors
///
/// If this module does not know the file's syntax or edition either: one line that names it.
pub(super) fn rewrite(file: &mut FileDescriptorProto, encoded: &[u8]) -> Result<(), String> {
    match file.syntax.as_deref() {
        None | Some("proto2" | "proto3") => Ok(()),
        Some("") => {
            file.syntax = None;
            Ok(())
        }
        Some("editions") => from_edition(file, encoded),
        Some(unknown) => Err(format!(
            "{}: the syntax {unknown:?} is unknown; known are proto2, proto3, and the editions 2023 and 2024",
            file.name()
        )),
    }
}

fn from_edition(file: &mut FileDescriptorProto, encoded: &[u8]) -> Result<(), String> {
    let features = Features::decode(encoded).map_err(|error| format!("{}: {error}", file.name()))?;
    match features.edition {
        Some(PROTO2) => file.syntax = None,
        Some(PROTO3) => file.syntax = Some("proto3".to_owned()),
        Some(EDITION_2023 | EDITION_2024) => {
            // proto3 cannot have an enumeration whose first number is not 0, and the library insists on that. A file
            // with one becomes proto2, in which fields without presence get one: a zero that the data gives is then
            // sent, which means the same to its receiver.
            let proto3 = enums(file).iter().all(|first| *first == 0);
            file.syntax = proto3.then(|| "proto3".to_owned());
            Rewriter { proto3 }.file(file, &features);
        }
        edition => {
            let edition = edition.map_or("none".to_owned(), |edition| format!("number {edition}"));
            return Err(format!(
                "{}: its edition ({edition}) is unknown; known are the editions 2023 and 2024, proto2 and proto3",
                file.name()
            ));
        }
    }
    Ok(())
}

/// The first number of every enumeration in a file.
fn enums(file: &FileDescriptorProto) -> Vec<i32> {
    fn inside(message: &DescriptorProto, firsts: &mut Vec<i32>) {
        firsts.extend(message.enum_type.iter().filter_map(first));
        message.nested_type.iter().for_each(|nested| inside(nested, firsts));
    }
    fn first(one: &EnumDescriptorProto) -> Option<i32> {
        Some(one.value.first()?.number())
    }
    let mut firsts: Vec<i32> = file.enum_type.iter().filter_map(first).collect();
    file.message_type
        .iter()
        .for_each(|message| inside(message, &mut firsts));
    firsts
}

struct Rewriter {
    proto3: bool,
}

/// The features that apply to a file, a message or a field.
#[derive(Debug, Clone, Copy)]
struct Holding {
    presence: i32,
    repeated: i32,
    message: i32,
}

impl Holding {
    /// The defaults of both editions.
    const DEFAULT: Self = Self {
        presence: EXPLICIT,
        repeated: PACKED,
        message: 1,
    };

    fn overridden(self, by: Option<&FeatureSet>) -> Self {
        let Some(by) = by else { return self };
        Self {
            presence: by.field_presence.unwrap_or(self.presence),
            repeated: by.repeated_field_encoding.unwrap_or(self.repeated),
            message: by.message_encoding.unwrap_or(self.message),
        }
    }
}

impl Rewriter {
    fn file(&self, file: &mut FileDescriptorProto, features: &Features) {
        let options = features.options.as_ref();
        let holding = Holding::DEFAULT.overridden(options.and_then(|options| options.features.as_ref()));
        for (message, features) in file.message_type.iter_mut().zip(&features.messages) {
            self.message(message, features, holding);
        }
        for (extension, features) in file.extension.iter_mut().zip(&features.extensions) {
            self.field(extension, features, holding, &[]);
        }
    }

    fn message(&self, message: &mut DescriptorProto, features: &MessageFeatures, holding: Holding) {
        if is_map_entry(message) {
            return;
        }
        let options = features.options.as_ref();
        let holding = holding.overridden(options.and_then(|options| options.features.as_ref()));
        let entries = message.nested_type.iter().filter(|nested| is_map_entry(nested));
        let entries: Vec<String> = entries.map(|entry| entry.name().to_owned()).collect();
        for (field, features) in message.field.iter_mut().zip(&features.fields) {
            self.field(field, features, holding, &entries);
        }
        for (extension, features) in message.extension.iter_mut().zip(&features.extensions) {
            self.field(extension, features, holding, &[]);
        }
        for (nested, features) in message.nested_type.iter_mut().zip(&features.messages) {
            self.message(nested, features, holding);
        }
    }

    /// Rewrites a field. `entries` are the types of the message's maps.
    fn field(&self, field: &mut FieldDescriptorProto, features: &FieldFeatures, holding: Holding, entries: &[String]) {
        let options = features.options.as_ref();
        let holding = holding.overridden(options.and_then(|options| options.features.as_ref()));
        let kind = field.r#type();
        let entry = field.type_name().rsplit('.').next().unwrap_or_default();
        let is_map = field.label() == Label::Repeated && entries.iter().any(|name| name == entry);
        if kind == Type::Message && holding.message == DELIMITED && !is_map {
            field.set_type(Type::Group);
        }
        if field.label() == Label::Repeated {
            if !matches!(kind, Type::String | Type::Bytes | Type::Message | Type::Group) {
                field.options.get_or_insert_default().packed = Some(holding.repeated == PACKED);
            }
        } else if holding.presence == LEGACY_REQUIRED {
            field.set_label(Label::Required);
        } else if holding.presence == EXPLICIT
            && self.proto3
            && field.oneof_index.is_none()
            && field.extendee.is_none()
            && !matches!(kind, Type::Message | Type::Group)
        {
            field.proto3_optional = Some(true);
        }
    }
}

fn is_map_entry(message: &DescriptorProto) -> bool {
    message.options.as_ref().is_some_and(MessageOptionsProto::map_entry)
}

/// The features in `google.protobuf.FileDescriptorProto`, which the library's own type leaves out.
#[derive(Clone, PartialEq, Message)]
struct Features {
    #[prost(message, repeated, tag = "4")]
    messages: Vec<MessageFeatures>,
    #[prost(message, repeated, tag = "7")]
    extensions: Vec<FieldFeatures>,
    #[prost(message, optional, tag = "8")]
    options: Option<FileOptions>,
    #[prost(int32, optional, tag = "14")]
    edition: Option<i32>,
}

#[derive(Clone, PartialEq, Message)]
struct MessageFeatures {
    #[prost(message, repeated, tag = "2")]
    fields: Vec<FieldFeatures>,
    #[prost(message, repeated, tag = "3")]
    messages: Vec<MessageFeatures>,
    #[prost(message, repeated, tag = "6")]
    extensions: Vec<FieldFeatures>,
    #[prost(message, optional, tag = "7")]
    options: Option<MessageOptions>,
}

#[derive(Clone, PartialEq, Message)]
struct FieldFeatures {
    #[prost(message, optional, tag = "8")]
    options: Option<FieldOptions>,
}

#[derive(Clone, PartialEq, Message)]
struct FileOptions {
    #[prost(message, optional, tag = "50")]
    features: Option<FeatureSet>,
}

#[derive(Clone, PartialEq, Message)]
struct MessageOptions {
    #[prost(message, optional, tag = "12")]
    features: Option<FeatureSet>,
}

#[derive(Clone, PartialEq, Message)]
struct FieldOptions {
    #[prost(message, optional, tag = "21")]
    features: Option<FeatureSet>,
}

/// `google.protobuf.FeatureSet`, without what makes no difference on the wire.
#[derive(Clone, PartialEq, Message)]
struct FeatureSet {
    #[prost(int32, optional, tag = "1")]
    field_presence: Option<i32>,
    #[prost(int32, optional, tag = "3")]
    repeated_field_encoding: Option<i32>,
    #[prost(int32, optional, tag = "5")]
    message_encoding: Option<i32>,
}
