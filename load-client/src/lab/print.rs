//! Prints a lab as a lab file.

use std::{fmt, path::Path};

use clap::builder::ValueParser;

use super::{
    declared::Lab,
    flags::Kind,
    table::{Table, Value, text},
};
use crate::input::STANDARD;

impl fmt::Display for Lab {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (key, value) in [("title", &self.title), ("about", &self.about)] {
            if let Some(value) = value {
                writeln!(f, "{key} = {}", text(value))?;
            }
        }
        for (name, kind, table) in [
            ("load", Kind::Load, &self.load),
            ("service", Kind::Service, &self.service),
        ] {
            if !table.0.is_empty() {
                writeln!(f, "\n[{name}]")?;
                pairs(kind, table).iter().try_for_each(|pair| writeln!(f, "{pair}"))?;
            }
        }
        for strategy in &self.strategies {
            writeln!(f, "\n[[strategy]]\nname = {}", text(&strategy.name))?;
            if !strategy.about.is_empty() {
                writeln!(f, "about = {}", text(&strategy.about))?;
            }
            writeln!(f, "mode = {}", text(strategy.rpc.label()))?;
            if strategy.instances > 1 {
                writeln!(f, "instances = {}", strategy.instances)?;
            }
            inline(f, "service", Kind::Service, &strategy.service)?;
            inline(f, "load", Kind::Load, &strategy.load)?;
        }
        for event in &self.events {
            writeln!(f, "\n[[event]]\nat = {}", text(&event.at_text))?;
            if !event.strategies.is_empty() {
                let names: Vec<String> = event.strategies.iter().map(|name| text(name)).collect();
                writeln!(f, "strategies = [{}]", names.join(", "))?;
            }
            inline(f, "service", Kind::Change, &event.service)?;
        }
        Ok(())
    }
}

fn inline(f: &mut fmt::Formatter<'_>, name: &str, kind: Kind, table: &Table) -> fmt::Result {
    if table.0.is_empty() {
        return Ok(());
    }
    writeln!(f, "{name} = {{ {} }}", pairs(kind, table).join(", "))
}

/// The flags of a table as `key = value`, in the order of `--help`. Paths are absolute, because the lab file may be
/// saved anywhere.
fn pairs(kind: Kind, table: &Table) -> Vec<String> {
    let path = ValueParser::path_buf().type_id();
    let command = kind.command();
    let pair = |flag: &clap::Arg| {
        let key = flag.get_long()?;
        let entry = table.get(key)?;
        let value = match &entry.value {
            Value::One(value) if flag.get_value_parser().type_id() == path && value != STANDARD => {
                let whole = std::path::absolute(Path::new(value));
                whole.map_or_else(|_| text(value), |whole| text(&whole.display().to_string()))
            }
            _ => entry.toml(),
        };
        Some(format!("{key} = {value}"))
    };
    command.get_arguments().filter_map(pair).collect()
}
