//! No description ends the program, however wrong it is: the program can use it, or rejects it with an error message.

use proptest::prelude::*;
use prost::Message;
use prost_reflect::{
    DynamicMessage,
    prost_types::{
        DescriptorProto, EnumDescriptorProto, EnumValueDescriptorProto, FieldDescriptorProto, FileDescriptorProto,
        FileDescriptorSet, MessageOptions, MethodDescriptorProto, ServiceDescriptorProto,
        field_descriptor_proto::{Label, Type},
    },
};

use super::pool::Files;

/// Reads a description and uses all that it describes. Returns the error if the description is rejected.
fn used(encoded: &[u8]) -> Result<(), String> {
    let pool = Files::of_set(encoded)?.resolved()?;
    for method in pool
        .services()
        .flat_map(|service| service.methods().collect::<Vec<_>>())
    {
        for message in [method.input(), method.output()] {
            let _ = DynamicMessage::decode(message.clone(), &b"\x0a\x01x\x10\x05"[..]);
            for field in message.fields() {
                let _ = (field.kind(), field.default_value(), field.is_packed());
                let data = serde_json::json!({field.json_name(): {"x": 1}});
                let _ = DynamicMessage::deserialize(message.clone(), data);
            }
            if let Ok(empty) = DynamicMessage::deserialize(message, serde_json::json!({})) {
                let _ = empty.encode_to_vec();
            }
        }
    }
    Ok(())
}

fn field(name: &str) -> FieldDescriptorProto {
    FieldDescriptorProto {
        name: Some(name.to_owned()),
        number: Some(1),
        label: Some(Label::Optional.into()),
        r#type: Some(Type::String.into()),
        json_name: Some(name.to_owned()),
        ..FieldDescriptorProto::default()
    }
}

/// A valid description of one service, with a change.
fn changed(change: impl FnOnce(&mut FileDescriptorSet)) -> Vec<u8> {
    let message = DescriptorProto {
        name: Some("M".to_owned()),
        field: vec![field("x")],
        ..DescriptorProto::default()
    };
    let method = MethodDescriptorProto {
        name: Some("Do".to_owned()),
        input_type: Some(".p.M".to_owned()),
        output_type: Some(".p.M".to_owned()),
        ..MethodDescriptorProto::default()
    };
    let file = FileDescriptorProto {
        name: Some("a.proto".to_owned()),
        package: Some("p".to_owned()),
        syntax: Some("proto3".to_owned()),
        message_type: vec![message],
        service: vec![ServiceDescriptorProto {
            name: Some("S".to_owned()),
            method: vec![method],
            ..ServiceDescriptorProto::default()
        }],
        ..FileDescriptorProto::default()
    };
    let mut set = FileDescriptorSet { file: vec![file] };
    change(&mut set);
    set.encode_to_vec()
}

/// The valid set, with a change to its file.
fn file(change: impl FnOnce(&mut FileDescriptorProto)) -> Vec<u8> {
    changed(|set| change(&mut set.file[0]))
}

/// The valid set, with a change to the field of its message.
fn in_field(change: impl FnOnce(&mut FieldDescriptorProto)) -> Vec<u8> {
    file(|file| change(&mut file.message_type[0].field[0]))
}

fn entry(fields: Vec<FieldDescriptorProto>) -> DescriptorProto {
    DescriptorProto {
        name: Some("XEntry".to_owned()),
        field: fields,
        options: Some(MessageOptions {
            map_entry: Some(true),
            ..MessageOptions::default()
        }),
        ..DescriptorProto::default()
    }
}

fn enumeration(values: &[(&str, i32)]) -> EnumDescriptorProto {
    let value = |(name, number): &(&str, i32)| EnumValueDescriptorProto {
        name: Some((*name).to_owned()),
        number: Some(*number),
        ..EnumValueDescriptorProto::default()
    };
    EnumDescriptorProto {
        name: Some("E".to_owned()),
        value: values.iter().map(value).collect(),
        ..EnumDescriptorProto::default()
    }
}

#[test]
fn a_right_description_can_be_used_also_if_it_is_there_twice() {
    let right = changed(|_| {});
    assert_eq!(used(&right), Ok(()));
    assert_eq!(used(&[&right[..], &right].concat()), Ok(()));
    let other = file(|file| file.message_type[0].field[0].number = Some(2));
    let error = used(&[right, other].concat()).unwrap_err();
    assert!(error.contains("two different files of the name a.proto"), "{error}");
}

#[test]
#[expect(clippy::too_many_lines, reason = "a table of descriptions")]
fn known_ways_to_be_wrong_are_refused_or_used() {
    let text = |text: &str| Some(text.to_owned());
    let deep = |levels: usize| {
        file(move |file| {
            let mut message = DescriptorProto::default();
            for _ in 0..levels {
                message = DescriptorProto {
                    name: Some("N".to_owned()),
                    nested_type: vec![message],
                    ..DescriptorProto::default()
                };
            }
            file.message_type.push(message);
        })
    };
    let of_type = |kind: Type, name: Option<&str>| {
        let name = name.map(str::to_owned);
        in_field(move |field| {
            field.r#type = Some(kind.into());
            field.type_name = name;
        })
    };
    let with_enum = |values: &[(&str, i32)]| {
        let one = enumeration(values);
        file(move |file| {
            file.enum_type.push(one);
            let field = &mut file.message_type[0].field[0];
            (field.r#type, field.type_name) = (Some(Type::Enum.into()), Some(".p.E".to_owned()));
        })
    };
    let mapped = |entry: DescriptorProto| {
        file(move |file| {
            let message = &mut file.message_type[0];
            message.nested_type.push(entry);
            let field = &mut message.field[0];
            (field.r#type, field.label) = (Some(Type::Message.into()), Some(Label::Repeated.into()));
            field.type_name = Some(".p.M.XEntry".to_owned());
        })
    };
    for (index, encoded) in [
        file(|file| file.syntax = text("editions")),
        file(|file| file.syntax = text("proto4")),
        file(|file| file.syntax = text("")),
        changed(|set| {
            set.file.push(FileDescriptorProto {
                name: text("z.proto"),
                syntax: text("editions"),
                ..FileDescriptorProto::default()
            });
        }),
        file(|file| file.name = None),
        file(|file| file.public_dependency.push(99)),
        file(|file| file.public_dependency.push(-1)),
        file(|file| file.weak_dependency.push(99)),
        file(|file| file.dependency.push("a.proto".to_owned())),
        file(|file| file.dependency.push("nope.proto".to_owned())),
        file(|file| file.package = text("p..q")),
        file(|file| file.package = text(".")),
        changed(|set| {
            set.file[0].dependency.push("b.proto".to_owned());
            set.file.push(FileDescriptorProto {
                name: text("b.proto"),
                dependency: vec!["a.proto".to_owned()],
                ..FileDescriptorProto::default()
            });
        }),
        in_field(|field| field.oneof_index = Some(99)),
        in_field(|field| field.oneof_index = Some(-1)),
        in_field(|field| field.number = Some(0)),
        in_field(|field| field.number = Some(-5)),
        in_field(|field| field.number = Some(i32::MAX)),
        in_field(|field| field.number = None),
        in_field(|field| field.r#type = None),
        in_field(|field| field.r#type = Some(99)),
        in_field(|field| field.label = Some(99)),
        in_field(|field| field.name = None),
        in_field(|field| field.default_value = text("x")),
        in_field(|field| (field.r#type, field.default_value) = (Some(Type::Int32.into()), text("x"))),
        in_field(|field| (field.r#type, field.default_value) = (Some(Type::Bytes.into()), text("\\"))),
        of_type(Type::Message, Some(".p.Nope")),
        of_type(Type::Message, None),
        of_type(Type::Message, Some(".p.S")),
        of_type(Type::Group, Some(".p.M")),
        of_type(Type::Enum, Some(".p.M")),
        file(|file| file.message_type[0].name = text("")),
        file(|file| file.message_type[0].name = text("a b")),
        file(|file| file.message_type.push(file.message_type[0].clone())),
        file(|file| file.message_type[0].field.push(field("x"))),
        file(|file| file.service[0].method[0].name = text("D o\n")),
        file(|file| file.service[0].method[0].input_type = None),
        file(|file| file.service[0].method[0].input_type = text("M")),
        file(|file| file.service[0].method[0].input_type = text(".p.S")),
        file(|file| file.extension.push(field("y"))),
        with_enum(&[]),
        with_enum(&[("A", 5)]),
        with_enum(&[("A", 0), ("A", 0)]),
        mapped(entry(vec![])),
        mapped(entry(vec![field("key")])),
        mapped(entry(vec![field("key"), field("value")])),
        mapped(entry(vec![field("key"), {
            let mut value = field("value");
            (value.number, value.label) = (Some(2), Some(Label::Repeated.into()));
            value
        }])),
        deep(30),
        deep(300),
        deep(2_000),
        vec![0xff; 50],
        b"syntax = \"proto3\";\n".to_vec(),
        Vec::new(),
    ]
    .into_iter()
    .enumerate()
    {
        if let Err(error) = used(&encoded) {
            assert!(!error.is_empty(), "{index}");
        }
    }
}

proptest! {
    #[test]
    fn damage_anywhere_is_refused_or_used(
        damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>(), 0..3_u8), 1..6),
        first in prop::bool::weighted(0.9),
    ) {
        let mut encoded = if first { changed(|_| {}) } else { foo_proto::v1::FILE_DESCRIPTOR_SET.to_vec() };
        for (place, byte, kind) in damage {
            let place = place.index(encoded.len());
            match kind {
                0 => encoded[place] = byte,
                1 => encoded.insert(place, byte),
                _ => drop(encoded.remove(place)),
            }
        }
        let _ = used(&encoded);
    }
}
