//! The conditions of a comparison in sentences: which load the clients make, what the services can do, and what changes
//! meanwhile.

use std::fmt::Write;

use crate::{
    report::{CapacityReport, ConfigurationReport, EventReport, StageReport},
    units::{counted, time},
};

/// The load, as one sentence.
pub fn load(made: &ConfigurationReport) -> String {
    let clients = counted(u64::from(made.clients), "client");
    let plural = if made.clients == 1 { "s" } else { "" };
    let again = if made.repeat { ", again and again" } else { "" };
    let random = if made.arrival == "poisson" {
        ", at random times (Poisson arrivals)"
    } else {
        ""
    };
    if let Some(rps) = made.rps {
        let each = if made.clients == 1 {
            String::new()
        } else {
            format!(", {} each", number(rps / f64::from(made.clients)))
        };
        return format!("{clients} want{plural} to send {}{each}{random}.", per_second(rps));
    }
    if let Some(stages) = &made.stages {
        let stages: Vec<String> = stages.iter().map(stage).collect();
        return format!(
            "{clients} want{plural} to send {}{again}{random}.",
            stages.join(", then ")
        );
    }
    match made.trace_sends {
        Some(requests) => {
            let verb = if made.clients == 1 { "replays" } else { "replay" };
            format!("{clients} {verb} a trace of {}.", counted(requests, "request"))
        }
        None => format!("{clients} send{plural} as fast as the answers come."),
    }
}

fn stage(stage: &StageReport) -> String {
    let length = time(stage.seconds);
    match stage.end_rps {
        None => format!("{} for {length}", per_second(stage.rps)),
        Some(end) => format!("from {} to {} over {length}", number(stage.rps), per_second(end)),
    }
}

fn per_second(rps: f64) -> String {
    if (rps - 1.0).abs() < f64::EPSILON {
        "1 request per second".to_owned()
    } else {
        format!("{} requests per second", number(rps))
    }
}

/// A number with at most two decimals.
fn number(value: f64) -> String {
    let text = format!("{value:.2}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// The capacities of the named services when the load begins. The first is described in full, and of the others those that
/// differ from it; `None` if there are no services.
pub fn capacity(services: &[(&str, CapacityReport)]) -> Option<String> {
    let ((_, first), others) = services.split_first()?;
    let workers = |service: &CapacityReport| counted(u64::from(service.workers), "worker");
    let takes = if first.workers == 1 { "takes" } else { "take" };
    let Some(capacity) = first.per_second() else {
        return Some(format!(
            "The service has {} that {takes} no time for a message.",
            workers(first)
        ));
    };
    let mut text = format!(
        "The service has {} that {takes} {} per message, so its capacity is {} messages per second.",
        workers(first),
        time(first.service_time_seconds),
        number(capacity),
    );
    for (name, other) in others.iter().filter(|(_, other)| other != first) {
        let (are, take) = if other.workers == 1 {
            ("is", "takes")
        } else {
            ("are", "take")
        };
        let per_message = if (other.service_time_seconds - first.service_time_seconds).abs() < f64::EPSILON {
            String::new()
        } else {
            format!(" that {take} {} per message", time(other.service_time_seconds))
        };
        let capacity = other.per_second().map_or_else(
            || "has no limit".to_owned(),
            |capacity| format!("is {} per second", number(capacity)),
        );
        let _ = write!(
            text,
            " With {name} there {are} {}{per_message}, and the capacity {capacity}.",
            workers(other),
        );
    }
    Some(text)
}

/// The changes while the load runs, from the events of each named service. A change that not all services have names its
/// services. `None` if nothing changes.
pub fn changes(events: &[(&str, Vec<EventReport>)]) -> Option<String> {
    let mut each: Vec<(&EventReport, Vec<&str>)> = Vec::new();
    for (name, events) in events {
        for event in events {
            match each.iter_mut().find(|(known, _)| *known == event) {
                Some((_, names)) => names.push(name),
                None => each.push((event, vec![name])),
            }
        }
    }
    each.sort_by(|(one, _), (other, _)| one.at_seconds.total_cmp(&other.at_seconds));
    let sentence = |(event, names): &(&EventReport, Vec<&str>)| {
        let at = time(event.at_seconds);
        let whose = if names.len() == events.len() {
            String::new()
        } else {
            format!(" ({})", names.join(", "))
        };
        format!("After {at} there is a change{whose}: {}.", event.says)
    };
    let sentences: Vec<String> = each.iter().map(sentence).collect();
    (!sentences.is_empty()).then(|| sentences.join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn service(workers: u32, service_time_seconds: f64) -> CapacityReport {
        CapacityReport {
            workers,
            service_time_seconds,
        }
    }

    #[test]
    fn a_service_that_differs_from_the_first_is_named() {
        let (one, two, fast) = (service(1, 0.3), service(2, 0.3), service(1, 0.1));
        assert_eq!(
            capacity(&[("a", one), ("b", one), ("c", two), ("d", fast)]).unwrap(),
            "The service has 1 worker that takes 0.30 s per message, so its capacity is 3.33 messages per second. With c \
             there are 2 workers, and the capacity is 6.67 per second. With d there is 1 worker that takes 0.10 s per \
             message, and the capacity is 10 per second."
        );
        assert_eq!(
            capacity(&[("a", service(2, 0.0))]).unwrap(),
            "The service has 2 workers that take no time for a message."
        );
        assert_eq!(capacity(&[]), None);
    }

    #[test]
    fn a_change_of_some_services_names_them() {
        let event = |at_seconds, says: &str| EventReport {
            at_seconds,
            says: says.to_owned(),
        };
        let (late, early) = (event(10.0, "2 workers instead of 4"), event(2.0, "8 workers"));
        assert_eq!(
            changes(&[("a", vec![late.clone(), early]), ("b", vec![late])]).unwrap(),
            "After 2.00 s there is a change (a): 8 workers. After 10.0 s there is a change: 2 workers instead of 4."
        );
        assert_eq!(changes(&[("a", Vec::new())]), None);
    }
}
