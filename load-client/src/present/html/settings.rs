//! The end of the page: the configuration of the runs, and the command that makes them again.

use super::{labelled::Labelled, markup::Markup, tables};
use crate::{
    present::grid::MISSING,
    report::{ConfigurationReport, Report, StageReport},
    units::{bytes, plain, time},
};

pub(super) fn write(runs: &[&Labelled<'_>], sources: &[(&str, &Report)], page: &mut Markup) {
    for (file, report) in sources {
        if !file.is_empty() {
            page.line("h3", &[], file);
        }
        match &report.command {
            Some(command) => tables::command(command, page),
            None => page.line(
                "p",
                &[],
                "The report does not say what was typed: an older load-client wrote it.",
            ),
        }
        let version = report.version.as_ref();
        let version = version.map_or_else(
            || "an older load-client".to_owned(),
            |version| format!("load-client {version}"),
        );
        let made = format!(
            "Written by {version}, with seed {} (schema {}). Secrets, and where the report went, are left out of the command.",
            report.seed, report.schema
        );
        page.line("p", &[("class", "aside")], &made);
    }
    let configurations: Vec<Option<&ConfigurationReport>> =
        runs.iter().map(|run| run.run.configuration.as_ref()).collect();
    if configurations.iter().all(Option::is_none) {
        return;
    }
    let mut rows = vec![
        [
            vec!["call".to_owned()],
            runs.iter().map(|run| run.run.rpc.clone()).collect(),
        ]
        .concat(),
        [
            vec!["clock".to_owned()],
            runs.iter()
                .map(|run| if run.run.virtual_time { "virtual" } else { "real" }.to_owned())
                .collect(),
        ]
        .concat(),
    ];
    for (name, of) in SETTINGS {
        let cells = configurations.iter().map(|configuration| {
            let value = configuration.and_then(*of);
            value.unwrap_or_else(|| MISSING.to_owned())
        });
        rows.push([vec![(*name).to_owned()], cells.collect()].concat());
    }
    tables::settings(runs, rows, page);
}

/// A setting: its name, and its value in words; `None` if it does not apply.
type Setting = (&'static str, fn(&ConfigurationReport) -> Option<String>);

const SETTINGS: &[Setting] = &[
    ("target", |made| made.target.clone()),
    ("workers", |made| {
        made.capacity.map(|service| service.workers.to_string())
    }),
    ("service time", |made| {
        made.capacity.map(|service| time(service.service_time_seconds))
    }),
    ("clients", |made| Some(made.clients.to_string())),
    ("connections", |made| Some(made.connections.to_string())),
    ("threads", |made| Some(made.threads.to_string())),
    ("arrival", |made| Some(made.arrival.clone())),
    ("offered load", |made| made.rps.map(|rps| format!("{}/s", plain(rps)))),
    ("stages", |made| {
        made.stages.as_deref().map(|stages| in_words(stages, made.repeat))
    }),
    ("requests of the trace", |made| {
        made.trace_sends.map(|sends| sends.to_string())
    }),
    ("in flight per client", |made| {
        Some(format!("at most {}", made.max_in_flight))
    }),
    ("when blocked", |made| Some(made.when_blocked.clone())),
    ("duration", |made| made.duration_seconds.map(time)),
    ("requests", |made| {
        made.requests.map(|requests| format!("at most {requests}"))
    }),
    ("timeout", |made| Some(time(made.timeout_seconds))),
    ("SLO", |made| Some(time(made.slo_seconds))),
    ("warm-up", |made| {
        Some(if made.warmup_seconds > 0.0 {
            time(made.warmup_seconds)
        } else {
            "none".to_owned()
        })
    }),
    ("drain limit", |made| {
        Some(made.drain_limit_seconds.map_or_else(|| "none".to_owned(), time))
    }),
    ("payload", |made| made.payload_bytes.map(|size| bytes(size as f64))),
    ("metadata", |made| {
        (!made.metadata.is_empty()).then(|| made.metadata.join(", "))
    }),
    ("classes of urgency", |made| made.priorities.clone()),
    ("after a failure", |made| made.policies.clone()),
];

fn in_words(stages: &[StageReport], repeat: bool) -> String {
    let stages = stages.iter().map(|stage| match stage.end_rps {
        None => format!("{}/s for {}", plain(stage.rps), time(stage.seconds)),
        Some(end) => format!(
            "{}/s to {}/s over {}",
            plain(stage.rps),
            plain(end),
            time(stage.seconds)
        ),
    });
    let again = if repeat { ", and again" } else { "" };
    format!("{}{again}", stages.collect::<Vec<_>>().join(", "))
}
