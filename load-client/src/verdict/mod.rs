//! The verdict of a run: whether its figures describe the service or the load client. It is data; `present` puts it into
//! words.

mod held_back;

use std::time::Duration;

pub use self::held_back::TooFew;
use self::held_back::{HeldBack, held_back};
use crate::{effort::StreamWaits, recorder::Figures, report::Limit, scenario::Scenario};

/// If one request in a hundred is sent later than this, the load client is the limit itself (arbitrary: ten ticks of its
/// timers, and below any SLO that is worth measuring).
pub const LATE: Duration = Duration::from_millis(10);
/// If a sending thread uses more of a core than this, the load client is the limit (arbitrary: it cannot use the small rest
/// evenly, so answers wait to be read).
const BUSY: f64 = 0.9;
/// If more than this share of the sends had to wait for a stream on a connection, the connections are the limit (arbitrary:
/// from here on the wait is in the p99).
const WAITING: f64 = 0.01;

/// What limited a load, and the numbers that say so.
#[derive(Debug, Clone, PartialEq)]
pub struct Verdict {
    /// What limited the load; `None` if nothing did.
    pub limited_by: Option<Limit>,
    /// The figures that show that there were too few clients; `None` if they did not limit the load.
    pub too_few: Option<TooFew>,
    /// How the load client itself fell short, in a fixed order; empty if it kept up.
    pub generator: Vec<Shortfall>,
    /// The 99th percentile of the start lag; `None` if nothing was sent.
    pub start_lag_p99: Option<Duration>,
    /// The share of a core that the busiest sending thread used; `None` if it is not known, or if the thread has other work
    /// too.
    pub cpu_share: Option<f64>,
    /// The waits of requests for an HTTP/2 stream.
    pub stream_waits: StreamWaits,
    /// The share of the requests that were withheld; `None` if nothing was scheduled.
    pub withheld_share: Option<f64>,
}

/// A way in which the load client fell short.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Shortfall {
    /// Requests were sent late: the 99th percentile of the start lag.
    Late(Duration),
    /// The busiest thread used this share of a core.
    Busy(f64),
    /// This share of the requests waited for an HTTP/2 stream; the second value is the longest wait.
    Streams(f64, Duration),
}

impl Verdict {
    /// Judges the load client of a load.
    pub fn of(scenario: &Scenario, figures: &Figures) -> Self {
        let ledger = &figures.ledger;
        let share = |count: u64| (ledger.intended > 0).then(|| count as f64 / ledger.intended as f64);
        let start_lag_p99 = figures.start_lag.quantile(0.99);
        let stream_waits = figures.effort.stream_waits;
        let cpu_share = figures.effort.cpu_share;
        let late = start_lag_p99.filter(|lag| *lag > LATE).map(Shortfall::Late);
        let busy = cpu_share.filter(|cpu| *cpu > BUSY).map(Shortfall::Busy);
        let waiting = share(stream_waits.count).filter(|waiting| *waiting > WAITING);
        let streams = waiting.map(|waiting| Shortfall::Streams(waiting, stream_waits.max));
        let generator: Vec<Shortfall> = [late, busy, streams].into_iter().flatten().collect();
        let (held_by_service, too_few) = match held_back(scenario, figures) {
            Some(HeldBack::ByClients(few)) => (false, Some(few)),
            Some(HeldBack::ByService) => (true, None),
            None => (false, None),
        };
        let limited_by = if too_few.is_some() {
            Some(Limit::Clients)
        } else if !generator.is_empty() {
            Some(Limit::Generator)
        } else {
            held_by_service.then_some(Limit::Service)
        };
        Self {
            limited_by,
            too_few,
            generator,
            start_lag_p99,
            cpu_share,
            stream_waits,
            withheld_share: share(ledger.withheld),
        }
    }

    /// Whether the figures describe the load client and not the service.
    pub fn client_limited(&self) -> bool {
        matches!(self.limited_by, Some(Limit::Clients | Limit::Generator))
    }
}
