//! Tests with fields of every type: messages are filled in, and decoded again by a protobuf library.

use prost_reflect::DynamicMessage;
use serde_json::json;

use super::*;
use crate::{call::Ticket, transport::FRAME_HEADER};

const PROTO: &str = r#"
    syntax = "proto3";
    package t;
    import "google/protobuf/duration.proto";
    import "google/protobuf/struct.proto";
    import "google/protobuf/wrappers.proto";
    message All {
        int32 int32 = 1; int64 int64 = 2; uint32 uint32 = 3; uint64 uint64 = 4;
        sint32 sint32 = 5; sint64 sint64 = 6; fixed32 fixed32 = 7; fixed64 fixed64 = 8;
        sfixed32 sfixed32 = 9; sfixed64 sfixed64 = 10; float float = 11; double double = 12;
        string text_field = 13; bytes bytes = 14; bool bool = 15;
        All nested = 16;
        repeated string texts = 17; repeated int32 numbers = 18; repeated All list = 19;
        map<string, int64> counts = 20; map<int32, All> by_number = 21;
        google.protobuf.StringValue wrapped = 22; google.protobuf.Duration duration = 23;
        google.protobuf.Struct struct = 24;
        oneof choice { string this = 25; string that = 26; }
    }
"#;

fn all() -> MessageDescriptor {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("t.proto");
    std::fs::write(&file, PROTO).unwrap();
    let mut compiler = protox::Compiler::new([folder.path()]).unwrap();
    let pool = compiler.open_file(&file).unwrap().descriptor_pool();
    pool.get_message_by_name("t.All").unwrap()
}

fn values<'a>(client: u64, number: u64) -> Values<'a> {
    let ticket = Ticket {
        run_id: "run",
        client,
        number,
        demand: None,
    };
    Values::new(ticket, 1000, 1)
}

/// The message of one send as JSON, decoded as its receiver does.
fn received(data: &Value, client: u64, number: u64) -> Value {
    let all = all();
    let template = Template::compile(&all, &data.to_string()).unwrap();
    let framed = template.fill(|| values(client, number));
    let length = u32::try_from(framed.len() - FRAME_HEADER).unwrap().to_be_bytes();
    assert_eq!(framed[..FRAME_HEADER], [&[0], &length[..]].concat());
    let message = DynamicMessage::decode(all, framed.slice(FRAME_HEADER..)).unwrap();
    serde_json::to_value(message).unwrap()
}

fn refused(data: &str) -> String {
    Template::compile(&all(), data).unwrap_err().to_string()
}

#[test]
fn every_kind_of_number_can_be_a_placeholder() {
    for name in ["int32", "uint32", "sint32", "fixed32", "sfixed32"] {
        assert_eq!(
            received(&json!({name: "{{counter}}"}), 7, 300),
            json!({name: 300_007}),
            "{name}"
        );
    }
    for name in ["int64", "uint64", "sint64", "fixed64", "sfixed64"] {
        assert_eq!(
            received(&json!({name: "{{counter}}"}), 7, 300),
            json!({name: "300007"}),
            "{name}"
        );
    }
    for name in ["float", "double"] {
        assert_eq!(
            received(&json!({name: "{{counter}}"}), 7, 300),
            json!({name: 300_007.0}),
            "{name}"
        );
    }
    for name in ["int32", "sint32", "sfixed32"] {
        assert_eq!(
            received(&json!({name: "{{random -3 -3}}"}), 0, 0),
            json!({name: -3}),
            "{name}"
        );
    }
    for name in ["int64", "sint64", "sfixed64"] {
        assert_eq!(
            received(&json!({name: "{{random -3 -3}}"}), 0, 0),
            json!({name: "-3"}),
            "{name}"
        );
    }
}

#[test]
fn a_counter_that_outgrows_its_field_starts_again() {
    assert_eq!(
        received(&json!({"int32": "{{counter}}"}), 0, 2_147_484),
        json!({"int32": 352})
    );
    assert_eq!(
        received(&json!({"uint32": "{{counter}}"}), 0, 4_294_968),
        json!({"uint32": 704})
    );
}

#[test]
fn placeholders_stand_anywhere_in_a_message() {
    let data = json!({
        "textField": "{{id}} of {{counter}}",
        "nested": {"nested": {"text_field": "{{counter}}", "int32": 5}, "bool": true},
        "texts": ["a", "{{counter}}", "{{{{b"],
        "numbers": [1, "{{counter}}", 3],
        "list": [{"int32": 1}, {"int32": "{{counter}}"}],
        "counts": {"a": "{{counter}}", "b": 2},
        "byNumber": {"5": {"textField": "{{counter}}"}},
        "wrapped": "{{counter}}",
        "duration": "2.500s",
        "struct": {"any": ["thing", 1.0]},
        "bytes": "AAEC",
    });
    let mut expected = data.clone();
    for (pointer, value) in [
        ("/textField", json!("run/1/2 of 2001")),
        ("/nested/nested", json!({"textField": "2001", "int32": 5})),
        ("/texts", json!(["a", "2001", "{{b"])),
        ("/numbers", json!([1, 2001, 3])),
        ("/list/1/int32", json!(2001)),
        ("/counts", json!({"a": "2001", "b": "2"})),
        ("/byNumber/5/textField", json!("2001")),
        ("/wrapped", json!("2001")),
    ] {
        *expected.pointer_mut(pointer).unwrap() = value;
    }
    assert_eq!(received(&data, 1, 2), expected);
}

#[test]
fn a_message_longer_than_a_byte_can_count_has_the_right_lengths() {
    let long = "x".repeat(20_000);
    let data = json!({"nested": {"nested": {"textField": format!("{long}{{{{counter}}}}")}}});
    let expected = json!({"nested": {"nested": {"textField": format!("{long}5")}}});
    assert_eq!(received(&data, 5, 0), expected);
}

#[test]
fn a_message_without_placeholders_is_encoded_once() {
    let template = Template::compile(&all(), r#"{"textField": "{{{{counter}}"}"#).unwrap();
    let Template::Fixed(framed) = &template else {
        panic!("{template:?}")
    };
    let sent = template.fill(|| unreachable!("there is nothing to fill in"));
    assert_eq!(sent.as_ptr(), framed.as_ptr());
    assert_eq!(
        received(&json!({"textField": "{{{{counter}}"}), 0, 0),
        json!({"textField": "{{counter}}"})
    );
}

#[test]
fn no_error_repeats_a_value_of_the_data() {
    for data in [
        r#"{"int32": "s3cret"}"#,
        r#"{"int32": {"s3cret": "s3cret"}}"#,
        r#"{"textField": 1234567}"#,
        r#"{"textField": 1234567.5}"#,
        r#"{"bool": "s3cret`\", expected x"}"#,
        r#"{"enum": "s3cret"}"#,
        r#"{"enum": "s3cret', expected y"}"#,
        r#"{"list": "s3cret"}"#,
        r#"{"nested": "s3cret"}"#,
        r#"{"duration": "s3cret"}"#,
        r#"{"wrapped": 1234567}"#,
        r#"{"bytes": "s3cret!"}"#,
        r#"{"float": "s3cret"}"#,
        r#"{"float": "s3cret{{counter}}"}"#,
        r#"{"int32": "{{s3cret}}"}"#,
        r#"{"textField": "{{s3cret"}"#,
        r#"{"password": "s3cret"}"#,
    ] {
        let error = refused(data);
        assert!(
            !error.contains("s3cret") && !error.contains("1234567"),
            "{data}: {error}"
        );
    }
    let error = refused(r#"{"textField": 1234567}"#);
    assert!(error.contains("textField: invalid type: integer, expected"), "{error}");
}

#[test]
fn wrong_data_is_refused_with_what_is_right() {
    for (data, said) in [
        ("{", "not JSON"),
        (r#"{"int32": {{counter}}}"#, "inside strings"),
        ("[]", "t.All"),
        (r#"{"nane": 1}"#, "'nane'. t.All has the fields int32, int64"),
        (r#"{"nested": {"nane": "{{id}}"}}"#, "'nane'"),
        (r#"{"text_fild": 1}"#, "did you mean 'text_field'?"),
        (
            r#"{"list": [{}, {"int32": "x"}]}"#,
            "(int32 is wanted, a text is given)",
        ),
        (r#"{"byNumber": {"5": {"flaot": 1}}}"#, "did you mean 'float'?"),
        (
            r#"{"duration": {"seconds": 5}}"#,
            "google.protobuf.Duration is written as \"1.5s\"",
        ),
        (
            r#"{"wrapped": {"value": "x"}}"#,
            "google.protobuf.StringValue is written as \"text\"",
        ),
        (r#"{"int32": "{{id}}"}"#, "int32"),
        (
            r#"{"int32": "1{{counter}}"}"#,
            "t.All.int32 cannot have a placeholder: a number is one",
        ),
        (r#"{"int32": "{{random 0 2147483648}}"}"#, "int32: number too large"),
        (
            r#"{"nested": {"nested": {"int32": true}}}"#,
            "t.All: int32: invalid type",
        ),
        (r#"{"uint32": "{{random -1 5}}"}"#, "uint32: "),
        (r#"{"this": "{{id}}", "that": "x"}"#, "choice"),
        (r#"{"bool": "{{counter}}"}"#, "bool"),
        (
            r#"{"bytes": "AA{{counter}}="}"#,
            "t.All.bytes cannot have a placeholder",
        ),
        (
            r#"{"duration": "{{counter}}s"}"#,
            "t.All.duration cannot have a placeholder",
        ),
        (
            r#"{"struct": {"a": "{{counter}}"}}"#,
            "t.All.struct cannot have a placeholder",
        ),
        (r#"{"counts": {"{{counter}}": 1}}"#, "cannot have a placeholder"),
        (r#"{"textField": "{{conter}}"}"#, "{{counter}}"),
    ] {
        let error = refused(data);
        assert!(error.contains(said), "{data}: {error}");
        assert!(!error.contains('\n'), "one line: {error}");
    }
}
