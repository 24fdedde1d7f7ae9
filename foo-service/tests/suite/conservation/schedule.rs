//! Random schedules: the settings of a service, and the steps that its callers and its operator take, with their times.
//!
//! All steps are at even milliseconds, so that at odd ones little is happening and the counts can be compared.

use std::{fmt, ops::RangeInclusive, time::Duration};

use clap::ValueEnum;
use foo_service::{
    config::{Change, QueueKind, Settings},
    enqueue::{Capacity, WhenFull},
    job::Door,
    turns::Classes,
    work::Share,
};
use proptest::{
    collection::vec,
    option,
    prelude::*,
    sample::{Index, select},
};
use tower_admission::{
    limit::{self, LIMITS},
    line::{self, LINES},
};

use crate::support::ms;

/// How many connections the callers share.
pub(super) const CONNECTIONS: usize = 3;
/// The maximum number of steps (arbitrary: enough to reach every bound below).
const MOST_STEPS: usize = 60;

/// One random test: the settings of a service, and what is done to it, in order.
#[derive(Clone)]
pub(super) struct Schedule {
    pub(super) settings: Settings,
    pub(super) steps: Vec<Step>,
}

#[derive(Debug, Clone)]
pub(super) struct Step {
    /// Milliseconds after the step before.
    pub(super) after: u64,
    pub(super) act: Act,
}

#[derive(Debug, Clone)]
pub(super) enum Act {
    Call(Call),
    /// The caller with this index goes away.
    Leave(Index),
    /// The connection with this number breaks, and is replaced by a new one.
    Cut(usize),
    /// The watcher's connection breaks, and it resumes on a new one.
    CutWatcher,
    /// The other tasks run, at the same instant.
    Turn,
    /// The service gets another number of workers, or another service time.
    Change(Change),
    /// The service is told to drain.
    Drain,
    /// The service is told to stop at once.
    StopNow,
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Call {
    pub(super) door: Door,
    pub(super) body: Body,
    pub(super) deadline: Option<Duration>,
    pub(super) connection: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Body {
    /// A message with this service demand, or (`None`) with the service's own service time.
    Message(Option<Duration>),
    /// A message that the service must refuse.
    Malformed,
    /// Only the headers are sent.
    NeverComes,
}

/// A random even number in a range of milliseconds.
fn even(millis: RangeInclusive<u64>) -> impl Strategy<Value = u64> {
    (millis.start() / 2..=millis.end() / 2).prop_map(|half| half * 2)
}

fn time(millis: RangeInclusive<u64>) -> impl Strategy<Value = Duration> {
    even(millis).prop_map(ms)
}

fn settings() -> impl Strategy<Value = Settings> {
    let when_full = prop_oneof![Just(WhenFull::Reject), Just(WhenFull::DropOldest), Just(WhenFull::Wait)];
    let queue = prop_oneof![
        1 => Just(Capacity::Unbounded),
        4 => (1..=4_u32, when_full).prop_map(|(places, when_full)| Capacity::Bounded { places, when_full }),
    ];
    let service_time = prop_oneof![1 => Just(Duration::ZERO), 4 => time(2..=60)];
    let limit = option::of(1..=4_u32);
    // A fixed limit with a fifo line is as frequent as all other combinations together.
    let kinds = prop_oneof![
        Just(("fixed", "fifo")),
        (select(&LIMITS[..]), select(&LINES[..])).prop_map(|(limit, line)| (limit.name, line.name)),
    ];
    let kinds = (kinds, select(Classes::value_variants()));
    let target_wait = option::of(time(0..=20));
    let counts = (1..=3_u32, limit, 0..=3_u32);
    let failures = (fail_rate(), time(0..=60));
    (queue, counts, service_time, failures, kinds, target_wait, time(0..=200)).prop_map(
        |(
            queue,
            (workers, concurrency_limit, max_waiting),
            service_time,
            (fail_rate, fail_time),
            ((limit, line), classes),
            target_wait,
            drain_timeout,
        )| {
            let settings = Settings {
                workers,
                service_time,
                fail_rate,
                fail_time,
                concurrency_limit,
                max_waiting,
                limit_kind: limit::by_name(limit).expect("of the list"),
                line: line::by_name(line).expect("of the list"),
                classes,
                target_wait,
                drain_timeout,
                ..Settings::default()
            };
            match queue {
                Capacity::Unbounded => Settings {
                    queue: QueueKind::Unbounded,
                    ..settings
                },
                Capacity::Bounded { places, when_full } => Settings {
                    queue_capacity: places,
                    when_full,
                    ..settings
                },
            }
        },
    )
}

fn call() -> impl Strategy<Value = Call> {
    let body = prop_oneof![
        12 => option::of(time(0..=60)).prop_map(Body::Message),
        1 => Just(Body::Malformed),
        1 => Just(Body::NeverComes),
    ];
    let door = prop_oneof![Just(Door::Enqueue), Just(Door::Process)];
    (door, body, option::of(time(0..=60)), 0..CONNECTIONS).prop_map(|(door, body, deadline, connection)| Call {
        door,
        body,
        deadline,
        connection,
    })
}

fn change() -> impl Strategy<Value = Change> {
    let failures = (option::of(fail_rate()), option::of(time(0..=60)));
    (option::of(1..=3_u32), option::of(time(0..=60)), failures).prop_map(
        |(workers, service_time, (fail_rate, fail_time))| Change {
            workers,
            service_time,
            fail_rate,
            fail_time,
        },
    )
}

fn fail_rate() -> impl Strategy<Value = Share> {
    prop_oneof![4 => Just(0), 1 => 1..=100_u32].prop_map(Share::percent)
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        60 => call().prop_map(Act::Call),
        10 => any::<Index>().prop_map(Act::Leave),
        4 => (0..CONNECTIONS).prop_map(Act::Cut),
        2 => Just(Act::CutWatcher),
        6 => Just(Act::Turn),
        4 => change().prop_map(Act::Change),
        1 => Just(Act::Drain),
        1 => Just(Act::StopNow),
    ]
}

/// A random schedule.
pub(super) fn schedules() -> impl Strategy<Value = Schedule> {
    let after = prop_oneof![Just(0), even(2..=20)];
    let step = (after, act()).prop_map(|(after, act)| Step { after, act });
    (settings(), vec(step, 0..=MOST_STEPS)).prop_map(|(settings, steps)| Schedule { settings, steps })
}

impl fmt::Debug for Schedule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Settings {
            workers,
            service_time,
            max_waiting,
            drain_timeout,
            fail_rate,
            fail_time,
            ..
        } = &self.settings;
        writeln!(
            f,
            "{workers} workers, {service_time:?} a message, {fail_rate} fail after {fail_time:?}; queue: {:?}; limit {} {}, line {}, classes {:?}, {max_waiting} may wait; drains for \
             {drain_timeout:?}",
            self.settings.capacity(),
            self.settings.limit_kind.name,
            self.settings.limit(),
            self.settings.line.name,
            self.settings.classes,
        )?;
        let (mut now, mut calls) = (0, 0);
        for Step { after, act } in &self.steps {
            now += after;
            write!(f, "{now:>6} ms  ")?;
            match act {
                Act::Call(call) => {
                    writeln!(f, "call {calls}: {call:?}")?;
                    calls += 1;
                }
                Act::Leave(_) if calls == 0 => writeln!(f, "nobody is there to leave")?,
                Act::Leave(which) => writeln!(f, "the caller of {} leaves", which.index(calls))?,
                Act::Cut(connection) => writeln!(f, "connection {connection} is lost, and made anew")?,
                Act::CutWatcher => writeln!(f, "the watcher's connection is lost; it resumes")?,
                Act::Turn => writeln!(f, "everybody else has a turn")?,
                Act::Change(change) => writeln!(f, "{change:?}")?,
                Act::Drain => writeln!(f, "drain")?,
                Act::StopNow => writeln!(f, "stop at once")?,
            }
        }
        Ok(())
    }
}
