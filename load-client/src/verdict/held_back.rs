//! Finds out why clients had all their slots taken and held requests back: too few clients, or a service that makes its
//! callers wait. (A slot is a request that a client may have in flight.)
//!
//! In both cases requests are withheld, or wait for a slot. The difference is whether an answer takes longer when all
//! slots are taken:
//!
//! - Yes: the service has a waiting line, and more clients would only make it longer. This is backpressure.
//!   A FooService reports the queue wait in its answers to Process. For any other service, this module compares the median
//!   service time with all slots taken to the one with at most half of them taken. A run that is held back has such
//!   requests at its beginning, when no client has sent yet, so those of the warm-up count too.
//! - No: the service has no waiting line. The number of slots is the limit, if the schedule needs as many by Little's law:
//!   slots in use = rate × service time. If it needs less than half of them, something else took the slots, such as a
//!   pause of the service.
//!
//! If requests end badly, the result is `None`: a slot that waits for a dead URL or for a deadline says nothing about clients
//! or service. One case stays hidden: a service that other callers keep busy all the time is as slow with few slots taken as
//! with all.

use std::time::Duration;

use crate::{
    outcome::Outcome,
    recorder::Figures,
    scenario::{Rpc, Scenario},
};

/// From this share of the scheduled requests on, it matters that they were withheld or late (arbitrary: from here on it
/// shows in the p99).
const HELD_BACK: f64 = 0.01;
/// From this share of the sent requests on, it matters that they ended badly (arbitrary).
const BAD: f64 = 0.01;
/// If an answer takes this many times as long with all slots taken, it waits in a line (arbitrary: half as long again is
/// more than what connections and caches do, and less than what the shortest line of one worker does).
const LINE: f64 = 1.5;
/// If the schedule needs at least this share of the slots, their number is the limit (arbitrary).
const IN_NEED: f64 = 0.5;
/// The report advises this many slots per slot that is needed on average, because random requests come in bunches.
const ROOM: f64 = 1.5;

/// The reason why requests were held back.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum HeldBack {
    /// There are too few clients.
    ByClients(TooFew),
    /// The service made its callers wait.
    ByService,
}

/// There are too few slots for the schedule.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TooFew {
    /// The number of clients of the load.
    pub clients: u32,
    /// Requests that each client may have in flight.
    pub max_in_flight: u32,
    /// The highest rate of the schedule, per second.
    pub rate: f64,
    /// The median service time with all slots taken.
    pub service_time: Duration,
    /// Slots that the schedule keeps taken on average: rate × service time (Little's law).
    pub needed: f64,
    /// The number of slots that is advised: it leaves room for requests that come in bunches.
    pub advised: f64,
    /// The share of the requests that were withheld or late.
    pub held_back: f64,
}

impl TooFew {
    /// The number of requests that all clients together may have in flight.
    pub fn slots(&self) -> f64 {
        f64::from(self.clients) * f64::from(self.max_in_flight)
    }
}

/// The reason why requests were held back; `None` if hardly any were, or the figures do not tell.
pub(super) fn held_back(scenario: &Scenario, figures: &Figures) -> Option<HeldBack> {
    let ledger = &figures.ledger;
    let more_than = |share: f64, part: u64, of: u64| part as f64 > share * of as f64;
    let held_back = ledger.withheld + figures.slots.late;
    if !more_than(HELD_BACK, held_back, ledger.intended) {
        return None;
    }
    let answered = ledger.ended() - ledger.withheld;
    if more_than(BAD, ledger.unavailable, answered) {
        return None;
    }
    if slower_by(scenario, figures)? >= LINE {
        return Some(HeldBack::ByService);
    }
    if more_than(BAD, answered - ledger.ok, answered) {
        return None;
    }
    too_few(scenario, figures, held_back).map(HeldBack::ByClients)
}

/// How many times as long an answer takes with all slots taken as without a waiting line; `None` if the figures do not
/// tell.
fn slower_by(scenario: &Scenario, figures: &Figures) -> Option<f64> {
    let waited = figures.queue_wait.mean().filter(|_| scenario.rpc == Rpc::Process);
    if let (Some(waited), Some(took)) = (waited, figures.service_time[Outcome::Ok as usize].mean()) {
        let without = took.saturating_sub(waited).max(Duration::from_nanos(1));
        return Some(took.as_secs_f64() / without.as_secs_f64());
    }
    let few = figures.slots.few.median()?.max(Duration::from_micros(1));
    Some(figures.slots.all.median()?.as_secs_f64() / few.as_secs_f64())
}

/// The figures that show that there are too few slots for the schedule; `None` if there are enough.
fn too_few(scenario: &Scenario, figures: &Figures, held_back: u64) -> Option<TooFew> {
    let service_time = figures.slots.all.median()?;
    let rate = scenario.schedule.highest_rate()?;
    let needed = rate * service_time.as_secs_f64();
    let mut found = TooFew {
        clients: scenario.clients,
        max_in_flight: scenario.max_in_flight,
        rate,
        service_time,
        needed,
        advised: (ROOM * needed).ceil(),
        held_back: held_back as f64 / figures.ledger.intended as f64,
    };
    found.advised = found.advised.max(found.slots() + 1.0);
    (needed >= IN_NEED * found.slots()).then_some(found)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::{
        ledger::Ledger,
        recorder::Crowd,
        scenario::{Schedule, Spacing, TraceRow, WhenBlocked},
    };

    fn millis(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    /// Four clients with a request in flight each, at this rate.
    fn scenario(rps: f64) -> Scenario {
        Scenario {
            rpc: Rpc::Other("a.B/C"),
            clients: 4,
            connections: 1,
            threads: 1,
            schedule: Schedule::Rate {
                rps,
                spacing: Spacing::Constant,
            },
            max_in_flight: 1,
            when_blocked: WhenBlocked::Withhold,
            duration: Some(millis(10_000)),
            requests: None,
            timeout: millis(10_000),
            slo: millis(1000),
            warmup: Duration::ZERO,
            drain_limit: None,
            payload_size: 0,
            metadata: http::HeaderMap::new(),
            priorities: None,
            policies: crate::policy::PolicySettings::default(),
            seed: 1,
        }
    }

    /// The figures of 1,000 requests with this many withheld. An answer takes `few` with few slots taken, and `all` with
    /// all slots taken.
    fn figures(withheld: u64, few: u64, all: u64) -> Figures {
        let mut figures = Figures {
            ledger: Ledger {
                intended: 1000,
                ok: 1000 - withheld,
                withheld,
                ..Ledger::default()
            },
            ..Figures::default()
        };
        for _ in 0..5 {
            figures.slots.answered(millis(few), Crowd::Few);
            figures.slots.answered(millis(all), Crowd::All);
            figures.service_time[Outcome::Ok as usize].record(millis(all));
        }
        figures
    }

    /// Changes the outcome of a hundred answers from ok to `outcome`.
    fn otherwise(mut figures: Figures, outcome: Outcome) -> Figures {
        figures.ledger.ok -= 100;
        *figures.ledger.count(outcome) += 100;
        figures
    }

    #[test]
    fn too_few_clients_are_told_with_the_number_that_is_needed() {
        let Some(HeldBack::ByClients(few)) = held_back(&scenario(100.0), &figures(600, 100, 101)) else {
            panic!("four slots are too few")
        };
        assert_eq!((few.clients, few.max_in_flight, few.advised), (4, 1, 16.0));
        assert!((few.needed - 10.1).abs() < 0.1, "{few:?}");
        let one = Scenario {
            clients: 1,
            max_in_flight: 2,
            ..scenario(100.0)
        };
        let Some(HeldBack::ByClients(few)) = held_back(&one, &figures(800, 100, 100)) else {
            panic!("two slots are too few")
        };
        assert!((few.slots() - 2.0).abs() < f64::EPSILON);
    }

    #[test]
    fn late_requests_hold_back_like_withheld_ones() {
        let mut late = figures(0, 100, 100);
        assert_eq!(held_back(&scenario(100.0), &late), None);
        (0..600).for_each(|_| late.slots.waited(millis(11)));
        assert!(matches!(
            held_back(&scenario(100.0), &late),
            Some(HeldBack::ByClients(_))
        ));
    }

    #[test]
    fn requests_that_come_unevenly_find_their_clients_busy_though_there_are_enough_on_average() {
        let Some(HeldBack::ByClients(few)) = held_back(&scenario(30.0), &figures(400, 100, 100)) else {
            panic!("the clients are the limit")
        };
        assert!(few.needed < few.slots() && few.advised > few.slots(), "{few:?}");
        assert!((few.held_back - 0.4).abs() < 0.001, "{few:?}");
    }

    #[test]
    fn a_service_with_a_line_holds_its_callers_back() {
        assert_eq!(
            held_back(&scenario(8.0), &figures(400, 250, 1000)),
            Some(HeldBack::ByService)
        );
        // The queue wait that the service reports counts more than the comparison, which shows no difference here.
        let process = Scenario {
            rpc: Rpc::Process,
            ..scenario(8.0)
        };
        let mut figures = figures(400, 1000, 1000);
        assert!(matches!(held_back(&process, &figures), Some(HeldBack::ByClients(_))));
        figures.queue_wait.record(millis(750));
        assert_eq!(held_back(&process, &figures), Some(HeldBack::ByService));
    }

    #[test]
    fn nobody_is_blamed_for_a_pause_a_dead_url_or_refusals() {
        let blamed = |figures: &Figures| held_back(&scenario(100.0), figures);
        assert_eq!(blamed(&figures(9, 100, 100)), None, "hardly any were held back");
        assert_eq!(blamed(&figures(200, 10, 10)), None, "half of the slots would do");
        assert_eq!(blamed(&otherwise(figures(200, 20, 20), Outcome::Unavailable)), None);
        assert_eq!(blamed(&otherwise(figures(200, 20, 100), Outcome::Unavailable)), None);
        assert_eq!(blamed(&otherwise(figures(200, 100, 100), Outcome::Rejected)), None);
        assert_eq!(blamed(&otherwise(figures(200, 100, 100), Outcome::Expired)), None);
    }

    #[test]
    fn a_schedule_needs_what_it_needs_where_it_asks_for_most() {
        let row = |hundredth: u64| TraceRow {
            at: millis(10 * hundredth),
            demand: None,
        };
        // A hundred requests within a second, and then one more after a minute.
        let rows: Vec<TraceRow> = (0..100).chain([6000]).map(row).collect();
        let trace = Scenario {
            schedule: Schedule::Trace(Arc::from(rows)),
            ..scenario(1.0)
        };
        assert!(matches!(
            held_back(&trace, &figures(600, 100, 100)),
            Some(HeldBack::ByClients(_))
        ));
        let unscheduled = Scenario {
            schedule: Schedule::AsFastAsPossible,
            ..scenario(1.0)
        };
        assert_eq!(held_back(&unscheduled, &figures(600, 100, 100)), None);
    }
}
