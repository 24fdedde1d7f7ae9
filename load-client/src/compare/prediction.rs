//! Chooses a model of queueing theory for a strategy of a lab, computes what it predicts, and checks whether the run
//! agrees.
//!
//! The model follows from the flags alone. If no model fits, the report gives the reason and predicts nothing. The same
//! applies if requests expired, or requests of Enqueue were withheld, because the formulas do not allow for that.

use foo_service::{
    config::{QueueKind, Settings},
    enqueue::WhenFull,
    work::{ServiceTimeDistribution, Share, WorkKind},
};

use crate::{
    lab::Strategy,
    report::{Agreement, Predicted, Run, TheoryFigureReport, TheoryReport, seconds},
    scenario::{Rpc, Scenario, Schedule, Spacing, WhenBlocked},
    theory::{
        Band, Chain, Station, constant_loss, constant_mean_wait, constant_repair_throughput, general_mean_wait,
        relaxation_time,
    },
};

/// The prediction for a run of `strategy` under `scenario`, and whether the run agrees; or the reason that there is
/// none.
pub(super) fn theory(strategy: &Strategy, scenario: &Scenario, run: &Run) -> TheoryReport {
    match predict(strategy, scenario, run) {
        Ok(theory) => theory,
        Err(reason) => TheoryReport {
            model: None,
            exact: None,
            reason: Some(reason.to_owned()),
            relaxation_seconds: None,
            figures: Vec::new(),
        },
    }
}

/// A run whose arrivals and service times meet the assumptions of the formulas.
struct Case<'a> {
    settings: &'a Settings,
    scenario: &'a Scenario,
    run: &'a Run,
    station: Station,
    /// The squared coefficient of variation of the service time.
    variation: f64,
    length: f64,
}

fn predict(strategy: &Strategy, scenario: &Scenario, run: &Run) -> Result<TheoryReport, &'static str> {
    let settings = &strategy.settings;
    if !strategy.events.is_empty() {
        return Err("the service changes while the load runs");
    }
    if settings.slowdown.is_some() || settings.fail_rate != Share::default() || settings.contention != Share::default()
    {
        return Err("the service slows down, or fails on purpose");
    }
    if settings.message_ttl.is_some() && strategy.rpc == Rpc::Enqueue {
        return Err("messages that are too old are not processed");
    }
    let Schedule::Rate { rps, spacing } = &scenario.schedule else {
        return Err("the rate of the load changes, or is not given");
    };
    if *spacing != Spacing::Poisson {
        return Err("the requests are spaced evenly, and the formulas are for requests at random (--arrival poisson)");
    }
    if settings.work != WorkKind::Sleep || settings.service_time.is_zero() {
        return Err("the service time is not the one that is set");
    }
    let variation = match settings.service_time_distribution {
        ServiceTimeDistribution::Constant => 0.0,
        ServiceTimeDistribution::Exponential => 1.0,
        // The formula is e^(sigma²) − 1, with sigma = 1.
        ServiceTimeDistribution::Lognormal => std::f64::consts::E - 1.0,
        // The formula is E[S²] / E[S]² − 1; 5 % of the messages take 20 times as long as the others.
        ServiceTimeDistribution::Bimodal => (0.95 + 0.05 * 400.0) / (1.95 * 1.95) - 1.0,
        ServiceTimeDistribution::Pareto => {
            return Err("the service times vary so much that their mean settles only in far longer runs");
        }
    };
    let policies = &scenario.policies;
    if policies.retries > 0 || policies.hedge.is_some() || policies.throttle.is_some() {
        return Err("the clients send requests again, or hold them back");
    }
    if run.load.duration_seconds <= 0.0 {
        return Err("the load was stopped before it was judged");
    }
    if run.ledger.expired > 0 {
        return Err("some requests ran into their deadline, and the formulas have none");
    }
    let case = Case {
        settings,
        scenario,
        run,
        station: Station {
            arrivals: *rps,
            service: seconds(settings.service_time),
            workers: settings.workers,
        },
        variation,
        length: run.load.duration_seconds,
    };
    match (strategy.rpc, &settings.queue) {
        (Rpc::Enqueue, _) if run.ledger.withheld > 0 => Err("some clients had as many requests in flight as they may"),
        (Rpc::Enqueue, QueueKind::Unbounded) => case.endless_queue(),
        (Rpc::Enqueue, QueueKind::Bounded) if settings.when_full != WhenFull::Wait => case.bounded_queue(),
        (Rpc::Process, _) => case.clients_that_wait(),
        _ => Err("no formula is known for this queue"),
    }
}

impl Case<'_> {
    /// M/G/c: an unlimited queue. Predicts the mean queue wait.
    fn endless_queue(&self) -> Result<TheoryReport, &'static str> {
        let chain = Chain::endless(self.station);
        let chain =
            chain.ok_or("the load is at or above the capacity, so the queue grows for as long as the load lasts")?;
        let (wait, exact) = match self.variation {
            0.0 => (constant_mean_wait(self.station), true),
            // With one worker this is the exact formula of Pollaczek and Khinchine.
            variation => (
                general_mean_wait(self.station, variation),
                self.is_exponential() || self.station.workers == 1,
            ),
        };
        let wait = wait.unwrap_or_default();
        let band = Band::of_wait(&chain, wait, self.variation, self.length);
        let measured = self.run.queue_wait_seconds.map(|waits| waits.mean);
        let name = format!("{}, an endless queue", self.kendall(""));
        self.report(name, exact, vec![figure(Predicted::MeanQueueWait, measured, band)])
    }

    /// M/G/c/K: a bounded queue. Predicts the share of messages that are lost: a message that finds the queue full is
    /// rejected, or the oldest message is dropped for it.
    fn bounded_queue(&self) -> Result<TheoryReport, &'static str> {
        let room = self.station.workers.saturating_add(self.settings.queue_capacity);
        let chain = Chain::bounded(self.station, room);
        let constant = (self.variation == 0.0)
            .then(|| constant_loss(self.station, room))
            .flatten();
        let exact = self.is_exponential() || constant.is_some();
        let predicted_share = constant.unwrap_or_else(|| chain.full());
        let full = |inside: f64| f64::from(inside >= f64::from(room));
        let band = Band::of_share(
            &chain,
            full,
            predicted_share,
            self.variation,
            self.station.arrivals,
            self.length,
        );
        let (predicted, lost) = match self.settings.when_full {
            WhenFull::DropOldest => (Predicted::DroppedShare, self.run.audit.map(|audit| audit.discarded)),
            _ => (Predicted::RejectedShare, Some(self.run.ledger.rejected)),
        };
        let name = format!("{}, a queue with an end", self.kendall(&format!("/{room}")));
        self.report(
            name,
            exact,
            vec![figure(predicted, lost.and_then(|lost| self.share(lost)), band)],
        )
    }

    /// M/G/c/K//N: clients that wait for their answers. Predicts the shares of requests that are withheld and rejected.
    fn clients_that_wait(&self) -> Result<TheoryReport, &'static str> {
        let (settings, scenario, station) = (self.settings, self.scenario, self.station);
        let fixed =
            settings.limit_is_known() && settings.concurrency_limit.is_none_or(|limit| limit == settings.workers);
        if !fixed || settings.line.name != "fifo" {
            return Err("the formulas are for a fixed limit of as many as there are workers, first come first served");
        }
        if scenario.max_in_flight != 1 || scenario.when_blocked != WhenBlocked::Withhold {
            return Err("the formulas are for clients with one request in flight that withhold what is due meanwhile");
        }
        let clients = scenario.clients;
        let room = settings.workers.saturating_add(settings.max_waiting);
        let chain = Chain::of_clients(station, clients, room);
        let all = f64::from(clients);
        let waiting = |inside: f64| inside / all;
        if room >= clients {
            let served = (self.variation == 0.0)
                .then(|| constant_repair_throughput(station, clients))
                .flatten();
            let exact = self.is_exponential() || served.is_some();
            let served = served.unwrap_or_else(|| chain.throughput());
            let withheld = 1.0 - served / station.arrivals;
            let band = Band::of_share(&chain, waiting, withheld, self.variation, station.arrivals, self.length);
            let name = format!(
                "{}, clients that wait for their answers",
                self.kendall(&format!("//{clients}"))
            );
            return self.report(name, exact, vec![self.withheld(band)]);
        }
        // Without a waiting line, Engset's formula is exact for any distribution of the service time.
        let exact = self.is_exponential() || room == station.workers;
        let name = format!(
            "{}, clients that wait for their answers, with room for some",
            self.kendall(&format!("/{room}//{clients}"))
        );
        let full = |inside: f64| f64::from(inside >= f64::from(room)) * (1.0 - inside / all);
        let share = |chance: &dyn Fn(f64) -> f64| {
            Band::of_share(
                &chain,
                chance,
                chain.mean(chance),
                self.variation,
                station.arrivals,
                self.length,
            )
        };
        let rejected = self.share(self.run.ledger.rejected);
        let rejected = figure(Predicted::RejectedShare, rejected, share(&full));
        self.report(name, exact, vec![rejected, self.withheld(share(&waiting))])
    }

    fn withheld(&self, band: Band) -> TheoryFigureReport {
        figure(Predicted::WithheldShare, self.share(self.run.ledger.withheld), band)
    }

    fn is_exponential(&self) -> bool {
        self.settings.service_time_distribution == ServiceTimeDistribution::Exponential
    }

    /// The name of the model in Kendall's notation; `rest` follows the number of workers.
    fn kendall(&self, rest: &str) -> String {
        let service = match self.settings.service_time_distribution {
            ServiceTimeDistribution::Constant => "D",
            ServiceTimeDistribution::Exponential => "M",
            _ => "G",
        };
        format!("M/{service}/{}{rest}", self.station.workers)
    }

    fn share(&self, of: u64) -> Option<f64> {
        let intended = self.run.ledger.intended;
        (intended > 0).then(|| of as f64 / intended as f64)
    }

    /// The report of these figures, without those that are too small to compute.
    fn report(
        &self,
        model: String,
        exact: bool,
        mut figures: Vec<TheoryFigureReport>,
    ) -> Result<TheoryReport, &'static str> {
        figures.retain(|figure| figure.predicted.is_finite() && figure.band.is_finite());
        if figures.is_empty() {
            return Err("almost no request waits, and the formulas cannot be computed for so small a wait");
        }
        Ok(TheoryReport {
            model: Some(model),
            exact: Some(exact),
            reason: None,
            relaxation_seconds: Some(relaxation_time(self.station)).filter(|time| time.is_finite()),
            figures,
        })
    }
}

fn figure(figure: Predicted, measured: Option<f64>, band: Band) -> TheoryFigureReport {
    let agreement = match measured {
        _ if band.is_too_wide() => Agreement::TooShort,
        Some(measured) if band.holds(measured) => Agreement::Consistent,
        _ => Agreement::NotConsistent,
    };
    TheoryFigureReport {
        figure,
        measured,
        predicted: band.value,
        band: band.half_width,
        agreement,
    }
}

#[cfg(test)]
mod tests;
