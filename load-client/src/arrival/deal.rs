//! Divides a number of requests among the clients. The requests are the first ones in the schedule of all clients, so the
//! rate is as configured for any number of clients. The share of each client and the time of the last request follow from
//! the schedule alone: each thread knows its share before the load begins, and shares no state with the others.

use std::{cmp::Reverse, collections::BinaryHeap, sync::Arc, time::Duration};

use super::{
    profile::Profile,
    timetable::{Paced, Timetable},
};
use crate::scenario::{Schedule, Spacing};

/// The largest number of requests for a Poisson schedule, whose sends are counted one by one (arbitrary: this takes a
/// few seconds).
pub const MOST_POISSON: u64 = 100_000_000;

/// The limit on the number of requests, and the share of each client.
#[derive(Debug, Clone)]
pub(super) enum Deal {
    /// No limit on requests: only time ends the load.
    Unlimited,
    /// The total number of requests, dealt to the clients in turn, and the time at which the load ends. The time is
    /// known only with a trace that has enough rows.
    InTurn(u64, Option<Duration>),
    /// The number of requests of each client, and the time at which the load ends.
    Counted(Arc<[u64]>, Duration),
}

impl Deal {
    /// Deals the first `requests` sends of a timetable.
    pub(super) fn first(requests: u64, timetable: &Timetable) -> Self {
        let in_time = |at: &Duration| timetable.until.is_none_or(|until| *at < until);
        match (&timetable.schedule, &timetable.profile) {
            (Schedule::Trace(rows), _) => {
                let last = usize::try_from(requests - 1).ok().and_then(|last| rows.get(last));
                let over = last.map(|row| row.at).filter(in_time);
                Self::InTurn(requests, over.map(just_after))
            }
            (Schedule::Rate { spacing, .. } | Schedule::Stages { spacing, .. }, Some(profile)) => {
                let clients = (0..timetable.clients).map(|index| timetable.paced(profile, *spacing, index));
                let (counts, last) = match spacing {
                    Spacing::Constant => evenly(requests, clients.collect()),
                    Spacing::Poisson => {
                        let most = timetable.until.map_or(f64::INFINITY, |until| profile.integral(until));
                        match at_random(requests, &clients.collect::<Vec<_>>(), most) {
                            Some(counted) => counted,
                            None => return Self::Unlimited,
                        }
                    }
                };
                match profile.when(last).filter(in_time) {
                    Some(last) => {
                        let paced = paced_end(profile, requests as f64 / f64::from(timetable.clients));
                        let over = just_after(last).max(paced);
                        Self::Counted(counts.into(), timetable.until.map_or(over, |until| over.min(until)))
                    }
                    None => Self::Unlimited,
                }
            }
            _ => Self::InTurn(requests, None),
        }
    }

    /// The most requests that client `index` of `clients` schedules.
    pub(super) fn share(&self, index: u32, clients: u32) -> u64 {
        match self {
            Self::Unlimited => u64::MAX,
            Self::InTurn(all, _) => {
                let (index, clients) = (u64::from(index), u64::from(clients));
                all / clients + u64::from(index < all % clients)
            }
            Self::Counted(counts, _) => counts[index as usize],
        }
    }

    /// The time at which all requests have been scheduled; `None` if the load ends before that, or if it is not known
    /// beforehand.
    pub(super) fn over(&self) -> Option<Duration> {
        match self {
            Self::Unlimited => None,
            Self::InTurn(_, over) => *over,
            Self::Counted(_, over) => Some(*over),
        }
    }
}

fn just_after(last: Duration) -> Duration {
    last + Duration::from_nanos(1)
}

/// The length of load that the rate needs for the requests: 20 of them at 10/s are 2 s, though the last one is
/// scheduled a little earlier. The result is rounded to a microsecond. The target is reduced a little first: a rounding
/// error could otherwise add the whole of a pause that follows.
fn paced_end(profile: &Profile, target: f64) -> Duration {
    let end = profile.when(target * (1.0 - 1e-12)).unwrap_or_default();
    let micros = (end.as_nanos() + 500) / 1000;
    Duration::from_micros(u64::try_from(micros).unwrap_or(u64::MAX))
}

/// How many of the first `requests` each client sends, and the value of the integral at the last of them, for constant
/// spacing. Each client has exactly one send in every step of the integral, always at its own phase.
fn evenly(requests: u64, clients: Vec<Paced>) -> (Vec<u64>, f64) {
    let all = clients.len() as u64;
    let (rounds, rest) = ((requests - 1) / all, (requests - 1) % all);
    let mut phases: Vec<(f64, usize)> = clients
        .iter()
        .enumerate()
        .map(|(index, client)| (client.target(), index))
        .collect();
    drop(clients);
    let rest = usize::try_from(rest).expect("it is less than the number of clients");
    let (before, last, _) = phases.select_nth_unstable_by(rest, |a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
    let target = last.0 + rounds as f64;
    let last = last.1;
    let mut counts = vec![rounds; usize::try_from(all).expect("it was a length")];
    for (_, index) in before {
        counts[*index] += 1;
    }
    counts[last] += 1;
    (counts, target)
}

/// How many of the first `requests` each client sends, and the value of the integral at the last of them, for Poisson
/// spacing. `None` if the integral reaches `most` before. Most sends are counted client by client; only the last of
/// them have to be put in order.
fn at_random(requests: u64, clients: &[Paced], most: f64) -> Option<(Vec<u64>, f64)> {
    // Six standard deviations before the expected end. This is too far once in a thousand million times; then all sends
    // are put in order.
    let sure = (requests as f64 - 6.0 * (requests as f64).sqrt()) / clients.len() as f64;
    let mut counting = Counting::until(sure.min(most), clients);
    if counting.counted >= requests {
        counting = Counting::until(0.0, clients);
    }
    counting.finish(requests, most)
}

struct Counting {
    clients: Vec<Paced>,
    counts: Vec<u64>,
    counted: u64,
}

impl Counting {
    fn until(sure: f64, clients: &[Paced]) -> Self {
        let mut clients = clients.to_vec();
        let counts: Vec<u64> = clients
            .iter_mut()
            .map(|client| {
                let mut count = 0;
                while client.target() < sure {
                    client.step();
                    count += 1;
                }
                count
            })
            .collect();
        let counted = counts.iter().sum();
        Self {
            clients,
            counts,
            counted,
        }
    }

    /// Counts the remaining sends in the order of their times; `None` if the integral reaches `most` before the last.
    fn finish(mut self, requests: u64, most: f64) -> Option<(Vec<u64>, f64)> {
        // Floats that are not negative have the same order as their bits.
        let key = |client: &Paced| client.target().to_bits();
        let mut next: BinaryHeap<_> = self
            .clients
            .iter()
            .enumerate()
            .map(|(index, client)| Reverse((key(client), index)))
            .collect();
        loop {
            let Reverse((bits, index)) = next.pop()?;
            let target = f64::from_bits(bits);
            if target >= most {
                return None;
            }
            self.counts[index] += 1;
            self.counted += 1;
            if self.counted == requests {
                return Some((self.counts, target));
            }
            self.clients[index].step();
            next.push(Reverse((key(&self.clients[index]), index)));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        arrival::ArrivalPlan,
        scenario::{Stage, TraceRow},
    };

    fn rate(rps: f64, spacing: Spacing) -> Schedule {
        Schedule::Rate { rps, spacing }
    }

    fn plan(schedule: &Schedule, clients: u32, requests: u64, until: Option<Duration>) -> ArrivalPlan {
        let mut plan = ArrivalPlan::new(schedule, clients, 1);
        plan.timetable.until = until.or(plan.timetable.until);
        plan.deal = Deal::first(requests, &plan.timetable);
        plan
    }

    /// The scheduled times of all clients in order, each with its client, for a run without a number of requests: at
    /// most `most` of a client.
    fn merged(schedule: &Schedule, clients: u32, most: usize) -> Vec<(Duration, u32)> {
        let plan = ArrivalPlan::new(schedule, clients, 1);
        let mut all: Vec<_> = (0..clients)
            .flat_map(|index| {
                let mut arrivals = plan.client(index);
                std::iter::from_fn(move || arrivals.next(Duration::ZERO))
                    .take(most)
                    .map(move |scheduled| (scheduled.at, index))
            })
            .collect();
        all.sort_unstable();
        all
    }

    /// Checks that the shares are those of the first `requests` sends of the merged schedule, and that the load ends
    /// after them. Returns the time at which it ends.
    fn check(schedule: &Schedule, clients: u32, requests: u64) -> Duration {
        let dealt = plan(schedule, clients, requests, None);
        let most = usize::try_from(requests).unwrap();
        let all = merged(schedule, clients, most);
        let mut counts = vec![0; clients as usize];
        for (_, client) in &all[..most] {
            counts[*client as usize] += 1;
        }
        let shares: Vec<u64> = (0..clients).map(|index| dealt.share(index)).collect();
        assert_eq!(shares, counts, "{schedule:?}, {clients} clients, {requests} requests");
        let over = dealt.over().unwrap();
        assert!(over > all[most - 1].0, "{over:?}");
        over
    }

    #[test]
    fn a_number_of_requests_is_the_first_of_the_schedule_and_keeps_the_rate() {
        for spacing in [Spacing::Constant, Spacing::Poisson] {
            for (rps, clients, requests, seconds) in [
                (10.0, 100, 20, 2.0),
                (100.0, 100, 150, 1.5),
                (5.0, 50, 10, 2.0),
                (8.0, 1, 1, 0.125),
                (8.0, 4, 4000, 500.0),
                (1e6, 7, 10_000, 0.01),
            ] {
                let over = check(&rate(rps, spacing), clients, requests).as_secs_f64();
                // The phases and the gaps are random, so five standard deviations are allowed.
                let spread = 5.0 * (requests as f64).sqrt() / rps;
                assert!((over - seconds).abs() <= spread, "{rps}/s, {clients} clients: {over} s");
            }
        }
        // Each client has the same number of requests, so the end is exact to the microsecond.
        let over = check(&rate(100.0, Spacing::Constant), 100, 100);
        assert_eq!(over, Duration::from_secs(1));
    }

    #[test]
    fn stages_ramps_and_repeated_stages_end_with_the_last_request() {
        let stage = |seconds, rps, end_rps| Stage {
            length: Duration::from_secs(seconds),
            rps,
            end_rps,
        };
        let stages = |stages: &[Stage], repeat| Schedule::Stages {
            stages: stages.into(),
            repeat,
            spacing: Spacing::Constant,
        };
        let seconds = |schedule: &Schedule, requests| check(schedule, 4, requests).as_secs_f64();
        let near = |found: f64, right: f64| assert!((found - right).abs() < 1e-6, "{found}, not {right}");
        let with_a_pause = [stage(10, 8.0, 8.0), stage(60, 0.0, 0.0), stage(10, 8.0, 8.0)];
        near(seconds(&stages(&with_a_pause, false), 80), 10.0);
        near(seconds(&stages(&with_a_pause, true), 160 + 40), 85.0);
        near(seconds(&stages(&[stage(10, 0.0, 100.0)], false), 500), 10.0);
        near(seconds(&stages(&[stage(10, 100.0, 0.0)], false), 420), 6.0);
    }

    #[test]
    fn a_trace_ends_with_the_last_row_that_is_asked_for() {
        let at = |second| TraceRow {
            at: Duration::from_secs(second),
            demand: None,
        };
        let trace = Schedule::Trace([0, 1, 1, 1, 5].map(at).into());
        let three = plan(&trace, 2, 3, None);
        assert_eq!([0, 1].map(|client| three.share(client)), [2, 1]);
        assert_eq!(three.over(), Some(Duration::from_secs(1) + Duration::from_nanos(1)));
        let more = plan(&trace, 2, 9, None);
        assert_eq!(more.over(), trace.length());
    }

    #[test]
    fn whichever_comes_first_ends_the_load() {
        let second = Some(Duration::from_secs(1));
        for spacing in [Spacing::Constant, Spacing::Poisson] {
            assert_eq!(plan(&rate(10.0, spacing), 4, 1000, second).over(), second);
            assert!(plan(&rate(10.0, spacing), 4, 2, second).over() < second);
        }
        let endless = plan(&Schedule::AsFastAsPossible, 4, 10, None);
        assert_eq!((endless.over(), endless.share(0), endless.share(3)), (None, 3, 2));
        assert_eq!(plan(&Schedule::AsFastAsPossible, 4, 10, second).over(), second);
    }
}
