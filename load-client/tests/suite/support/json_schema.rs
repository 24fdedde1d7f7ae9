//! Checks a value against a JSON Schema. It supports the keywords that `docs/report.schema.json` uses, and any other keyword is
//! an error, so no rule is ignored. A complete validator would need more crates than the load client has.

use serde_json::{Map, Value};

/// All violations of the schema in a value, each with its place.
pub(crate) fn violations(schema: &Value, value: &Value) -> Vec<String> {
    violations_within(schema, schema, value)
}

struct Checker<'a> {
    root: &'a Value,
    found: Vec<String>,
}

impl Checker<'_> {
    fn check(&mut self, schema: &Value, value: &Value, at: &str) {
        for (keyword, rule) in schema.as_object().expect("a schema is an object") {
            match keyword.as_str() {
                "$ref" => {
                    let path = rule
                        .as_str()
                        .unwrap()
                        .strip_prefix('#')
                        .expect("a reference within the file");
                    let target = self
                        .root
                        .pointer(path)
                        .unwrap_or_else(|| panic!("{rule} leads nowhere"));
                    self.check(target, value, at);
                }
                "anyOf" => {
                    let one_fits = |schema| violations_within(self.root, schema, value).is_empty();
                    if !rule.as_array().unwrap().iter().any(one_fits) {
                        self.found.push(format!("{at} fits none of {rule}"));
                    }
                }
                "oneOf" => {
                    let fits = |schema: &&Value| violations_within(self.root, schema, value).is_empty();
                    if rule.as_array().unwrap().iter().filter(fits).count() != 1 {
                        self.found.push(format!("{at} does not fit one of {rule}"));
                    }
                }
                "type" => {
                    let types = rule.as_array().cloned().unwrap_or_else(|| vec![rule.clone()]);
                    if !types.iter().any(|name| is(value, name.as_str().unwrap())) {
                        self.found.push(format!("{at} is {value}, not {rule}"));
                    }
                }
                "const" if value != rule => self.found.push(format!("{at} is {value}, not {rule}")),
                "enum" if !rule.as_array().unwrap().contains(value) => {
                    self.found.push(format!("{at} is {value}, none of {rule}"));
                }
                "minimum" if value.as_f64().is_some_and(|number| number < rule.as_f64().unwrap()) => {
                    self.found.push(format!("{at} is {value}, under {rule}"));
                }
                "maxItems"
                    if value
                        .as_array()
                        .is_some_and(|items| items.len() as u64 > rule.as_u64().unwrap()) =>
                {
                    self.found.push(format!("{at} has more than {rule} items"));
                }
                // The value satisfies the first four (the cases above handle violations). The others are no rules for values.
                "const" | "enum" | "minimum" | "maxItems" | "$schema" | "$defs" | "title" | "description" => {}
                "items" => {
                    for (index, item) in value.as_array().into_iter().flatten().enumerate() {
                        self.check(rule, item, &format!("{at}[{index}]"));
                    }
                }
                "required" => {
                    let names = rule.as_array().unwrap().iter().map(|name| name.as_str().unwrap());
                    let missing = names.filter(|name| value.is_object() && value.get(name).is_none());
                    self.found.extend(missing.map(|name| format!("{at} has no {name}")));
                }
                "properties" => {
                    for (name, schema) in rule.as_object().unwrap() {
                        if let Some(value) = value.get(name) {
                            self.check(schema, value, &format!("{at}.{name}"));
                        }
                    }
                }
                "additionalProperties" => {
                    let empty = Map::new();
                    let known = schema.get("properties").and_then(Value::as_object).unwrap_or(&empty);
                    let fields = value.as_object().unwrap_or(&empty).iter();
                    for (name, field) in fields.filter(|(name, _)| !known.contains_key(*name)) {
                        if rule == &Value::Bool(false) {
                            self.found
                                .push(format!("{at} has {name}, which the schema does not know"));
                        } else {
                            self.check(rule, field, &format!("{at}.{name}"));
                        }
                    }
                }
                other => panic!("the schema uses {other}, which nothing checks"),
            }
        }
    }
}

fn violations_within(root: &Value, schema: &Value, value: &Value) -> Vec<String> {
    let mut checker = Checker {
        root,
        found: Vec::new(),
    };
    checker.check(schema, value, "$");
    checker.found
}

fn is(value: &Value, name: &str) -> bool {
    match name {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "boolean" => value.is_boolean(),
        "null" => value.is_null(),
        "number" => value.is_number(),
        "integer" => value.is_u64() || value.is_i64(),
        other => panic!("there is no type {other}"),
    }
}
