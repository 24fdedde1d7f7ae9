//! The name of a run, and the call and the load that it made.

use crate::{
    report::{ConfigurationReport, Run},
    scenario::Rpc,
    units::{counted, time},
};

/// The name of a run: its own, or that of the RPC method if the command `run` made the run.
pub fn label(run: &Run) -> String {
    if run.name != "run" {
        return run.name.clone();
    }
    method(run).rsplit('/').next().unwrap_or_default().to_owned()
}

/// The RPC method: `Enqueue`, `Process`, or the name that `--call` gives.
pub fn method(run: &Run) -> String {
    match run.rpc.as_str() {
        rpc if rpc == Rpc::Enqueue.label() => "Enqueue".to_owned(),
        rpc if rpc == Rpc::Process.label() => "Process".to_owned(),
        other => other.to_owned(),
    }
}

/// A sentence with the call, the target and the load; `None` if the report does not have them.
pub fn driven(run: &Run) -> Option<String> {
    let made = run.configuration.as_ref()?;
    let what = match made.target.as_deref() {
        Some(urls) if urls.contains("://") => format!("{} at {urls}:", method(run)),
        // The strategy's own description.
        Some(about) => format!("{about}. The load:"),
        None => format!("{}:", method(run)),
    };
    let many = if made.max_in_flight > 1 {
        format!(" with up to {} requests in flight each", made.max_in_flight)
    } else {
        String::new()
    };
    let start = run.started_at.as_ref();
    let start = start.map_or_else(String::new, |start| format!(" Started at {start}."));
    Some(format!(
        "{what} {}{many}, {}, for {}.{start}",
        counted(u64::from(made.clients), "client"),
        rate(made),
        time(run.load.duration_seconds),
    ))
}
fn rate(made: &ConfigurationReport) -> String {
    if let Some(rps) = made.rps {
        let requests = if (rps - 1.0).abs() < f64::EPSILON {
            "request"
        } else {
            "requests"
        };
        return format!("{rps} {requests} per second ({} arrivals)", made.arrival);
    }
    if let Some(stages) = &made.stages {
        let again = if made.repeat { ", repeated" } else { "" };
        return format!(
            "{} ({} arrivals){again}",
            counted(stages.len() as u64, "stage"),
            made.arrival
        );
    }
    match made.trace_sends {
        Some(sends) => format!("a trace of {}", counted(sends, "request")),
        None => "as fast as the answers come".to_owned(),
    }
}
