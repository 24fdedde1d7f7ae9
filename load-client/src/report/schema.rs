//! Makes the JSON Schema of a report from its types and the comments on their fields.

use std::{borrow::Cow, marker::PhantomData};

use schemars::{
    JsonSchema, Schema, SchemaGenerator, generate::SchemaSettings, json_schema, transform::RecursiveTransform,
};
use serde_json::{Map, Value, json};
use strum::VariantArray;

use super::distribution::{CurvePointReport, MOST_POINTS};

/// The schema of a type, with this title.
pub(super) fn of<T: JsonSchema>(title: &str) -> Value {
    let settings = SchemaSettings::draft2020_12().for_serialize();
    let generator = settings
        .with_transform(RecursiveTransform(as_reports_are))
        .into_generator();
    let mut schema = generator.into_root_schema_for::<T>();
    schema.insert("title".to_owned(), title.into());
    schema.to_value()
}

/// Adds what holds for every part of a report: no unknown field, no figure below 0. A field that an older program may have
/// left out (it has a default) is not a required one.
fn as_reports_are(schema: &mut Schema) {
    let Some(schema) = schema.as_object_mut() else {
        return;
    };
    schema.remove("format");
    if let Some(Value::String(text)) = schema.get_mut("description") {
        *text = text.replace('\n', " ");
    }
    if is_number(schema) && !schema.contains_key("minimum") {
        schema.insert("minimum".to_owned(), json!(0));
    }
    let mut later = Vec::new();
    if let Some(Value::Object(fields)) = schema.get_mut("properties") {
        for (name, field) in fields {
            if field
                .as_object_mut()
                .is_some_and(|field| field.remove("default").is_some())
            {
                later.push(name.clone());
            }
        }
        schema.insert("additionalProperties".to_owned(), json!(false));
    }
    if let Some(Value::Array(required)) = schema.get_mut("required") {
        required.retain(|name| !later.iter().any(|later| name == later));
    }
}

fn is_number(schema: &Map<String, Value>) -> bool {
    let number = |name: &Value| name == "number" || name == "integer";
    match schema.get("type") {
        Some(Value::Array(names)) => names.iter().any(number),
        Some(name) => number(name),
        None => false,
    }
}

/// The schema of a map whose keys are the names of a closed set, such as the outcomes; each may be missing.
pub(super) struct By<K, V>(PhantomData<(K, V)>);

impl<K: VariantArray + Copy + Into<&'static str>, V: JsonSchema> JsonSchema for By<K, V> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        format!("By_{}", V::schema_name()).into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let value = generator.subschema_for::<V>();
        let names = K::VARIANTS.iter().map(|key| (*key).into());
        let fields: Map<String, Value> = names
            .map(|name: &str| (name.to_owned(), value.clone().to_value()))
            .collect();
        json_schema!({ "type": "object", "properties": fields })
    }
}

/// The schema of a distribution's curve.
pub(super) struct Curve;

impl JsonSchema for Curve {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Curve".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let point = generator.subschema_for::<CurvePointReport>();
        json_schema!({ "type": "array", "maxItems": MOST_POINTS, "items": point })
    }
}
