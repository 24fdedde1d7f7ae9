//! Words for a verdict: what limited a load.

use crate::{
    present::words::percent,
    report::{VerdictReport, seconds},
    units::{counted, time},
    verdict::{Shortfall, TooFew, Verdict},
};

/// A verdict, as the report has it: with the sentence that JSON promises in `reason`. `scheduled` says whether the load had
/// a schedule.
pub fn report(verdict: &Verdict, scheduled: bool) -> VerdictReport {
    let waits = verdict.stream_waits;
    VerdictReport {
        client_limited: verdict.client_limited(),
        limited_by: verdict.limited_by,
        reason: reason(verdict, scheduled),
        start_lag_p99_seconds: verdict.start_lag_p99.map(seconds),
        cpu_share: verdict.cpu_share,
        stream_waits: waits.count,
        stream_wait_max_seconds: (waits.count > 0).then(|| seconds(waits.max)),
        stream_wait_mean_seconds: (waits.count > 0).then(|| seconds(waits.total) / waits.count as f64),
        withheld_share: verdict.withheld_share,
    }
}

fn reason(verdict: &Verdict, scheduled: bool) -> String {
    let generator = verdict
        .generator
        .iter()
        .map(shortfall)
        .collect::<Vec<_>>()
        .join("; it ");
    let generator = (!generator.is_empty()).then(|| format!("the load client {generator}"));
    match (&verdict.too_few, generator, verdict.start_lag_p99) {
        (Some(few), Some(generator), _) => format!("{}; and {generator}", too_few(few)),
        (Some(few), None, _) => too_few(few),
        (None, Some(generator), _) => generator,
        (None, None, None) => "nothing was sent".to_owned(),
        (None, None, Some(_)) if !scheduled => {
            "no schedule: sent as fast as the answers came, so response time is service time".to_owned()
        }
        (None, None, Some(lag)) => {
            let cpu = verdict
                .cpu_share
                .map(busy)
                .map_or_else(String::new, |busy| format!(", and it used {busy}"));
            format!(
                "the load client kept its schedule: 99 % of its requests were at most {} late{cpu}",
                time(seconds(lag))
            )
        }
    }
}

fn shortfall(shortfall: &Shortfall) -> String {
    match shortfall {
        Shortfall::Late(lag) => format!(
            "was late: 1 % of its requests were sent {} late or later",
            time(seconds(*lag))
        ),
        Shortfall::Busy(cpu) => format!("used {}", busy(*cpu)),
        Shortfall::Streams(share, longest) => format!(
            "let {:.0} % of its sends wait for a stream, up to {}: the service allows too few on so few connections, and \
             --connections opens more",
            100.0 * share,
            time(seconds(*longest)),
        ),
    }
}

fn busy(cpu_share: f64) -> String {
    format!("{} of a core on its busiest thread", percent(cpu_share))
}

/// Says that there are too few clients, and what to do.
fn too_few(few: &TooFew) -> String {
    let clients = counted(u64::from(few.clients), "client");
    let each = format!("{} in flight each", counted(u64::from(few.max_in_flight), "request"));
    let shown = time(seconds(few.service_time));
    let (rate, needed, advised) = (few.rate, few.needed, few.advised);
    let what_to_do = "raise --clients or --max-in-flight";
    if needed >= few.slots() {
        let most = few.slots() / seconds(few.service_time).max(f64::MIN_POSITIVE);
        // A hundredth more is within what can be measured, and no reason to ask for another slot.
        let least = (0.99 * needed).ceil();
        format!(
            "{clients} with {each} can make at most {most:.0}/s at a service time of {shown}; {rate:.0}/s needs at least \
             {least:.0} in flight, and {advised:.0} leave room: {what_to_do}"
        )
    } else {
        let share = 100.0 * few.held_back;
        format!(
            "{share:.0} % of the requests found their client busy, because they do not come evenly: {rate:.0}/s at a service \
             time of {shown} keeps {needed:.1} in flight on average, and {clients} with {each} leave too little room; \
             {advised:.0} in all are a start: {what_to_do}"
        )
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::{effort::StreamWaits, report::Limit};

    fn millis(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    fn kept() -> Verdict {
        Verdict {
            limited_by: None,
            too_few: None,
            generator: Vec::new(),
            start_lag_p99: Some(millis(1)),
            cpu_share: None,
            stream_waits: StreamWaits::default(),
            withheld_share: Some(0.0),
        }
    }

    fn few(needed: f64, rate: f64) -> TooFew {
        TooFew {
            clients: 4,
            max_in_flight: 1,
            rate,
            service_time: millis(100),
            needed,
            advised: (1.5 * needed).ceil().max(5.0),
            held_back: 0.4,
        }
    }

    #[test]
    fn each_verdict_has_its_sentence() {
        let too_few = "4 clients with 1 request in flight each can make at most 40/s at a service time of 0.10 s; 100/s needs \
                       at least 10 in flight, and 15 leave room: raise --clients or --max-in-flight";
        let late = "the load client was late: 1 % of its requests were sent 20 ms late or later";
        let all = [
            Shortfall::Late(millis(20)),
            Shortfall::Busy(0.95),
            Shortfall::Streams(0.02, millis(30)),
        ];
        for (verdict, scheduled, reason) in [
            (kept(), true, "the load client kept its schedule: 99 % of its requests were at most 1.0 ms late".to_owned()),
            (
                Verdict {
                    cpu_share: Some(0.12),
                    ..kept()
                },
                true,
                "the load client kept its schedule: 99 % of its requests were at most 1.0 ms late, and it used 12 % of a core on its busiest thread".to_owned(),
            ),
            (
                kept(),
                false,
                "no schedule: sent as fast as the answers came, so response time is service time".to_owned(),
            ),
            (
                Verdict {
                    start_lag_p99: None,
                    ..kept()
                },
                true,
                "nothing was sent".to_owned(),
            ),
            (
                Verdict {
                    too_few: Some(few(10.0, 100.0)),
                    ..kept()
                },
                true,
                too_few.to_owned(),
            ),
            (
                Verdict {
                    too_few: Some(few(10.0, 100.0)),
                    generator: all[..1].to_vec(),
                    ..kept()
                },
                true,
                format!("{too_few}; and {late}"),
            ),
            (
                Verdict {
                    too_few: Some(few(3.0, 30.0)),
                    ..kept()
                },
                true,
                "40 % of the requests found their client busy, because they do not come evenly: 30/s at a service time of 0.10 s \
                 keeps 3.0 in flight on average, and 4 clients with 1 request in flight each leave too little room; 5 in all \
                 are a start: raise --clients or --max-in-flight"
                    .to_owned(),
            ),
            (
                Verdict {
                    generator: all.to_vec(),
                    ..kept()
                },
                true,
                format!(
                    "{late}; it used 95 % of a core on its busiest thread; it let 2 % of its sends wait for a stream, up to \
                     30 ms: the service allows too few on so few connections, and --connections opens more"
                ),
            ),
        ] {
            assert_eq!(report(&verdict, scheduled).reason, reason);
        }
    }

    #[test]
    fn only_waits_that_happened_have_times() {
        let report = report(&kept(), true);
        assert_eq!((report.stream_waits, report.stream_wait_max_seconds), (0, None));
        let verdict = Verdict {
            limited_by: Some(Limit::Generator),
            stream_waits: StreamWaits {
                count: 2,
                total: millis(40),
                max: millis(30),
            },
            ..kept()
        };
        let report = super::report(&verdict, true);
        assert!(report.client_limited);
        assert_eq!(report.stream_wait_mean_seconds, Some(0.02));
        assert_eq!(report.stream_wait_max_seconds, Some(0.03));
    }
}
