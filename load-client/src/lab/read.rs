//! Parses the text of a lab file to its tables.

use std::{ops::Range, time::Duration};

use clap::{ValueEnum, builder::ValueParser};
use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

use super::{
    declared::{Declared, DeclaredEvent, Lab},
    flags::{Flags, Kind},
    source::{LabError, Source, hint},
    table::{Entry, Table, Value},
};
use crate::{input::STANDARD, scenario::Rpc};

const LAB: [&str; 6] = ["title", "about", "load", "service", "strategy", "event"];
const STRATEGY: [&str; 7] = ["name", "about", "mode", "instances", "queue", "service", "load"];
const EVENT: [&str; 3] = ["at", "strategies", "service"];

/// The most services of a strategy (arbitrary: all of them are in this process).
pub(super) const MOST_INSTANCES: u32 = 100;

/// A table with fixed keys, and what it is called in errors.
struct Fields<'a> {
    source: &'a Source<'a>,
    table: &'a DeTable<'a>,
    name: &'static str,
    /// The position of the table in the text, for errors.
    span: Range<usize>,
}

pub(super) fn lab(source: &Source<'_>) -> Result<Lab, LabError> {
    let table = DeTable::parse(source.text).map_err(|error| {
        let says = error.message().lines().collect::<Vec<_>>().join(", ");
        source.wrong(&error.span().unwrap_or_default(), format!("this is no TOML: {says}"))
    })?;
    let fields = Fields {
        source,
        table: table.get_ref(),
        name: "a lab",
        span: table.span(),
    };
    fields.check(&LAB)?;
    let mut lab = Lab {
        file: source.file.to_owned(),
        title: fields.text("title")?.map(|(text, _)| text),
        about: fields.text("about")?.map(|(text, _)| text),
        load: fields.flags("load", Kind::Load, "[load]")?,
        service: fields.flags("service", Kind::Service, "[service]")?,
        strategies: fields
            .tables("strategy", "a strategy")?
            .iter()
            .map(strategy)
            .collect::<Result<_, _>>()?,
        events: Vec::new(),
    };
    if lab.strategies.is_empty() {
        let example = Lab::built_in();
        lab.service = lab.service_flags().merged(&example.service, &lab.service);
        lab.strategies = example.strategies;
    }
    for (index, strategy) in lab.strategies.iter().enumerate() {
        if lab.strategies[..index].iter().any(|other| other.name == strategy.name) {
            let says = format!(
                "there are two strategies {:?}; each needs a name of its own",
                strategy.name
            );
            return Err(super::source::wrong(source.file, strategy.line, says));
        }
    }
    lab.events = fields
        .tables("event", "an event")?
        .iter()
        .map(|fields| event(fields, &lab.strategies))
        .collect::<Result<_, _>>()?;
    Ok(lab)
}

fn strategy(fields: &Fields<'_>) -> Result<Declared, LabError> {
    fields.check(&STRATEGY)?;
    let (name, at) = fields.needed("name", "\"codel\"")?;
    let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    if name.is_empty() || !name.chars().all(allowed) {
        let says = format!("the name {name:?} must be made of a to z, 0 to 9 and -");
        return Err(fields.source.wrong(&at, says));
    }
    let (mode, at) = fields.needed("mode", "\"process\" or mode = \"enqueue\"")?;
    let rpc = Rpc::from_str(&mode, false).map_err(|_| {
        let says = format!(
            "mode = {mode:?} is none of its values; {}",
            hint(&mode, ["process", "enqueue"])
        );
        fields.source.wrong(&at, says)
    })?;
    Ok(Declared {
        line: fields.source.line(&fields.span),
        name,
        about: fields.text("about")?.map_or_else(String::new, |(text, _)| text),
        rpc,
        instances: instances(fields)?,
        service: service(fields)?,
        load: fields.flags("load", Kind::Load, "load")?,
    })
}

/// How many services work on the queue of a strategy.
fn instances(fields: &Fields<'_>) -> Result<u32, LabError> {
    let Some(value) = fields.table.get("instances") else {
        return Ok(1);
    };
    let number = match value.get_ref() {
        DeValue::Integer(number) => number.as_str().parse().ok(),
        _ => None,
    };
    number
        .filter(|number| (1..=MOST_INSTANCES).contains(number))
        .ok_or_else(|| {
            let says = format!("instances must be a whole number from 1 to {MOST_INSTANCES}");
            fields.source.wrong(&value.span(), says)
        })
}

/// The flags of a strategy's service; `queue` may stand beside them.
fn service(fields: &Fields<'_>) -> Result<Table, LabError> {
    let mut service = fields.flags("service", Kind::Service, "service")?;
    if let Some((queue, at)) = fields.text("queue")? {
        if service.get("queue").is_some() {
            let says = "queue stands here and in service; leave one of them out";
            return Err(fields.source.wrong(&at, says));
        }
        let line = fields.source.line(&at);
        let value = Value::One(queue);
        service.0.insert("queue".to_owned(), Entry { value, line });
    }
    Ok(service)
}

fn event(fields: &Fields<'_>, strategies: &[Declared]) -> Result<DeclaredEvent, LabError> {
    fields.check(&EVENT)?;
    let (at_text, span) = fields.needed("at", "\"30s\"")?;
    let at = humantime::parse_duration(&at_text).map_err(|error| {
        let says = format!("at = {at_text:?}: {error}; write it as 250ms or 2s");
        fields.source.wrong(&span, says)
    })?;
    let mut named = Vec::new();
    for (name, at) in fields.texts("strategies")? {
        let known = strategies.iter().map(|strategy| strategy.name.as_str());
        if !known.clone().any(|known| known == name) {
            let says = format!("there is no strategy {name:?}; {}", hint(&name, known));
            return Err(fields.source.wrong(&at, says));
        }
        named.push(name);
    }
    let service = fields.flags("service", Kind::Change, "service")?;
    if service.0.is_empty() {
        let says = "an event needs to say what changes, like service = { workers = 2 }";
        return Err(fields.source.wrong(&fields.span, says));
    }
    Ok(DeclaredEvent {
        line: fields.source.line(&fields.span),
        at: at.min(Duration::from_secs(u64::from(u32::MAX))),
        at_text,
        strategies: named,
        service,
    })
}

impl Fields<'_> {
    fn check(&self, known: &[&str]) -> Result<(), LabError> {
        let mut keys: Vec<_> = self.table.keys().collect();
        keys.sort_by_key(|key| key.span().start);
        match keys.into_iter().find(|key| !known.contains(&key.get_ref().as_ref())) {
            None => Ok(()),
            Some(key) => {
                let hint = hint(key.get_ref(), known.iter().copied());
                let says = format!("{} has no key {:?}; {hint}", self.name, key.get_ref());
                Err(self.source.wrong(&key.span(), says))
            }
        }
    }

    fn text(&self, key: &str) -> Result<Option<(String, Range<usize>)>, LabError> {
        let Some(value) = self.table.get(key) else {
            return Ok(None);
        };
        text(self.source, key, value).map(Some)
    }

    /// The text of a key that the table must have; `like` is an example for the error.
    fn needed(&self, key: &str, like: &str) -> Result<(String, Range<usize>), LabError> {
        self.text(key)?.ok_or_else(|| {
            let says = format!("{} needs {key}, like {key} = {like}", self.name);
            self.source.wrong(&self.span, says)
        })
    }

    fn texts(&self, key: &str) -> Result<Vec<(String, Range<usize>)>, LabError> {
        let Some(value) = self.table.get(key) else {
            return Ok(Vec::new());
        };
        let DeValue::Array(items) = value.get_ref() else {
            let says = format!("{key} must be a list of texts, like [\"codel\"]");
            return Err(self.source.wrong(&value.span(), says));
        };
        items.iter().map(|item| text(self.source, key, item)).collect()
    }

    /// The table of flags under `key`. Relative paths in it are resolved against the folder of the lab file.
    fn flags(&self, key: &str, kind: Kind, name: &str) -> Result<Table, LabError> {
        let Some(value) = self.table.get(key) else {
            return Ok(Table::default());
        };
        let DeValue::Table(table) = value.get_ref() else {
            let says = format!("{key} must be a table of flags, like {key} = {{ … }}");
            return Err(self.source.wrong(&value.span(), says));
        };
        let mut table = Table::read(self.source, table)?;
        let flags = Flags {
            file: self.source.file,
            kind,
            name,
        };
        flags.check_keys(&table)?;
        if let Some(folder) = self.source.folder {
            let path = ValueParser::path_buf().type_id();
            let command = kind.command();
            let paths = command
                .get_arguments()
                .filter(|arg| arg.get_value_parser().type_id() == path);
            for flag in paths.filter_map(clap::Arg::get_long) {
                if let Some(Entry {
                    value: Value::One(path),
                    ..
                }) = table.0.get_mut(flag)
                    && path != STANDARD
                {
                    *path = folder.join(&*path).display().to_string();
                }
            }
        }
        Ok(table)
    }

    /// The tables under `[[key]]`; `name` is the name of one of them in errors.
    fn tables(&self, key: &str, name: &'static str) -> Result<Vec<Fields<'_>>, LabError> {
        let Some(value) = self.table.get(key) else {
            return Ok(Vec::new());
        };
        let wrong = |span: &Range<usize>| self.source.wrong(span, format!("write {name} as [[{key}]]"));
        let DeValue::Array(items) = value.get_ref() else {
            return Err(wrong(&value.span()));
        };
        let fields = items.iter().map(|item| match item.get_ref() {
            DeValue::Table(table) => Ok(Fields {
                source: self.source,
                table,
                name,
                span: item.span(),
            }),
            _ => Err(wrong(&item.span())),
        });
        fields.collect()
    }
}

fn text(source: &Source<'_>, key: &str, value: &Spanned<DeValue<'_>>) -> Result<(String, Range<usize>), LabError> {
    match value.get_ref() {
        DeValue::String(text) => Ok((text.to_string(), value.span())),
        _ => Err(source.wrong(&value.span(), format!("{key} must be a text in quotes"))),
    }
}
