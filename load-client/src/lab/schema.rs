//! Makes the JSON Schema of lab files, docs/lab.schema.json, for editors. Its keys are the same flags with which lab
//! files are parsed.

use clap::{Arg, ArgAction};
use serde_json::{Map, Value, json};

use super::{flags::Kind, read::MOST_INSTANCES};

/// The JSON Schema of lab files, made from the flags of the two programs.
pub fn schema() -> Value {
    let flags = |kind: Kind, about: &str| {
        json!({
            "description": about,
            "type": "object",
            "properties": properties(kind),
            "additionalProperties": false,
        })
    };
    let load = "Flags of `load-client run` without their dashes, with the same values.";
    let service = "Flags of foo-service without their dashes, with the same values.";
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "A lab file of `load-client compare`",
        "type": "object",
        "additionalProperties": false,
        "properties": {
            "title": { "description": "What the lab is about, in a few words.", "type": "string" },
            "about": { "description": "What the lab shows, in a sentence.", "type": "string" },
            "load": flags(Kind::Load, load),
            "service": flags(Kind::Service, service),
            "strategy": {
                "description": "The strategies; without any, those of the worked example.",
                "type": "array",
                "items": {
                    "type": "object",
                    "required": ["name", "mode"],
                    "additionalProperties": false,
                    "properties": {
                        "name": { "description": "Its name, used once.", "type": "string", "pattern": "^[a-z0-9-]+$" },
                        "about": { "description": "One sentence for a reader new to the strategy.", "type": "string" },
                        "mode": { "description": "The RPC that its clients use.", "enum": ["process", "enqueue"] },
                        "service": flags(Kind::Service, "Over [service], for this strategy alone."),
                        "load": flags(Kind::Load, "Over [load], for this strategy alone."),
                        "instances": {
                            "description": "Services that work on the queue that they share, behind one that accepts.",
                            "type": "integer",
                            "minimum": 1,
                            "maximum": MOST_INSTANCES,
                        },
                        "queue": {
                            "description": "The queue, as in service: nats://HOST:PORT where several instances share it.",
                            "type": "string",
                        },
                    },
                },
            },
            "event": {
                "description": "What changes while the load runs.",
                "type": "array",
                "items": {
                    "type": "object",
                    "required": ["at", "service"],
                    "additionalProperties": false,
                    "properties": {
                        "at": { "description": "How long after the beginning of the load, like 30s.", "type": "string" },
                        "strategies": {
                            "description": "The strategies that it happens to; without it, all.",
                            "type": "array",
                            "items": { "type": "string" },
                        },
                        "service": flags(Kind::Change, "What changes, as flags of foo-service."),
                    },
                },
            },
        },
    })
}

fn properties(kind: Kind) -> Value {
    let (command, keys) = (kind.command(), kind.keys());
    let known = command
        .get_arguments()
        .filter_map(|flag| Some((flag.get_long()?.to_owned(), flag)));
    let known = known.filter(|(long, _)| keys.contains(long));
    Value::Object(known.map(|(long, flag)| (long, property(flag))).collect::<Map<_, _>>())
}

fn property(flag: &Arg) -> Value {
    let help = flag.get_help().map(ToString::to_string).unwrap_or_default();
    let names: Vec<String> = flag
        .get_possible_values()
        .iter()
        .map(|value| value.get_name().to_owned())
        .collect();
    let scalar = json!({ "type": ["string", "number"] });
    match flag.get_action() {
        ArgAction::SetTrue => json!({ "description": help, "type": "boolean" }),
        ArgAction::Append => json!({ "description": help, "anyOf": [scalar, { "type": "array", "items": scalar }] }),
        _ if flag.get_long() == Some("queue") => {
            let servers = json!({ "type": "string", "pattern": "^(nats|tls)://." });
            json!({ "description": help, "anyOf": [{ "enum": names }, servers] })
        }
        _ if !names.is_empty() => json!({ "description": help, "enum": names }),
        _ => json!({ "description": help, "type": ["string", "number"] }),
    }
}
