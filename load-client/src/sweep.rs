//! `load-client sweep`: the same lab at many loads. Each load is a comparison like any other.

use std::sync::Arc;

use crate::{
    cli::Theory,
    compare::{self, CompareError, Manner, REAL, VIRTUAL},
    gates::Rules,
    lab::{Lab, LabError, Strategy},
    measure::Measured,
    report::{Run, SweepCurveReport, SweepPointReport, SweepReport},
    stop::Stopper,
    ui::{console::say, progress::ProgressStyle},
    units::plain,
};

/// The values if neither the lab nor a flag sets them: how long each load lasts, and how long the services may then
/// process what is left (arbitrary: a few seconds are enough to know what is done within most SLOs).
const DEFAULTS: [(&str, &str); 2] = [("duration", "20s"), ("drain-limit", "10s")];

/// What a sweep measures, and how.
#[derive(Debug)]
pub struct Setting {
    /// The strategies, their services and their load. The rate of the load is not used: `factors` give it.
    pub lab: Lab,
    /// The loads as multiples of the capacity, in rising order; at least one.
    pub factors: Vec<f64>,
    /// Whether services and loads run in virtual time.
    pub virtual_time: bool,
    /// How progress is shown.
    pub style: ProgressStyle,
}

/// The result of a sweep.
#[derive(Debug)]
pub struct Swept {
    /// A run for each load and strategy, without time series and percentile curves.
    pub measured: Vec<Measured>,
    /// The curves.
    pub report: SweepReport,
    /// Runs that could not be made, and why.
    pub failed: Vec<(String, String)>,
    /// The seed of all random choices.
    pub seed: u64,
}

/// Why a sweep could not be made.
#[derive(Debug, thiserror::Error)]
pub enum SweepError {
    /// The lab is not valid.
    #[error(transparent)]
    Lab(#[from] LabError),
    /// The services cannot run in virtual time.
    #[error("{0}")]
    Virtual(String),
    /// A service has no capacity that loads could be multiples of.
    #[error(
        "{0}: the service takes no time for a message, so there is no capacity that the loads could be multiples of; give it a \
         --service-time"
    )]
    NoCapacity(String),
    /// A service or a thread could not be started.
    #[error(transparent)]
    Compare(#[from] CompareError),
}

impl SweepError {
    /// Whether the flags or the lab are at fault, and not the run.
    pub fn is_usage(&self) -> bool {
        !matches!(self, Self::Compare(_))
    }
}

impl Setting {
    /// The strategies at an offered load of `rps` requests per second.
    fn strategies(&self, rps: f64) -> Result<Vec<Strategy>, LabError> {
        let words = |(name, value): (&str, String)| (name.to_owned(), vec![value]);
        let mut lab = self.lab.clone();
        lab.lay_load(&vec![words(("rps", rps.to_string()))]);
        lab.lay_load_under(&DEFAULTS.map(|(name, value)| words((name, value.to_owned()))).to_vec());
        lab.strategies(if self.virtual_time { VIRTUAL } else { REAL })
    }
}

/// Measures all loads in rising order. After a stop, the result has only the loads that were measured before it.
///
/// # Errors
///
/// If the lab is not valid, or something could not be started.
pub async fn sweep(setting: &Setting, stopper: &Arc<Stopper>) -> Result<Swept, SweepError> {
    // The services do not depend on the rate, so any rate will do here.
    let strategies = setting.strategies(1.0)?;
    if setting.virtual_time {
        compare::check_virtual(&strategies).map_err(SweepError::Virtual)?;
    }
    let mut swept = Swept {
        measured: Vec::new(),
        report: empty(&strategies)?,
        failed: Vec::new(),
        seed: strategies.first().map_or(1, |strategy| strategy.load.seed),
    };
    let manner = Manner {
        rules: Rules::default(),
        style: setting.style.min(ProgressStyle::Lines),
        theory: Theory::Off,
        virtual_time: setting.virtual_time,
    };
    let capacity = swept.report.capacity_rps;
    for factor in &setting.factors {
        let offered = factor * capacity;
        let strategies = setting.strategies(offered)?;
        let compared = if setting.virtual_time {
            compare::in_virtual_time(&strategies, &manner, stopper).await?
        } else {
            compare::in_real_time(&strategies, &manner, stopper).await?
        };
        if stopper.listener().asked() {
            // A load that was broken off is no point of a curve.
            break;
        }
        if setting.style > ProgressStyle::Nothing {
            say(&format!(
                "{}× of the capacity, {} requests per second: measured",
                plain(*factor),
                plain(offered)
            ));
        }
        let named = |name: &str| format!("{name} at {}×", plain(*factor));
        swept.failed.extend(
            compared
                .failed
                .iter()
                .map(|(name, error)| (named(name), error.to_string())),
        );
        for mut measured in compared.measured {
            let run = &mut measured.report;
            let name = named(&run.name);
            let curve = swept.report.curves.iter_mut().find(|curve| curve.name == run.name);
            if let Some(curve) = curve {
                curve.points.push(SweepPointReport {
                    run: name.clone(),
                    factor: *factor,
                    offered_rps: offered,
                    goodput_rps: run.goodput_rps,
                });
            }
            run.name = name;
            without_steps(run);
            swept.measured.push(measured);
        }
    }
    Ok(swept)
}

/// A report with a curve for each strategy, without points.
fn empty(strategies: &[Strategy]) -> Result<SweepReport, SweepError> {
    let curve = |strategy: &Strategy| {
        let capacity = strategy.capacity().per_second();
        Ok(SweepCurveReport {
            name: strategy.name.clone(),
            about: strategy.about.clone(),
            capacity_rps: capacity.ok_or_else(|| SweepError::NoCapacity(strategy.name.clone()))?,
            points: Vec::new(),
        })
    };
    let curves: Vec<SweepCurveReport> = strategies.iter().map(curve).collect::<Result<_, SweepError>>()?;
    let lowest = curves
        .iter()
        .map(|curve| curve.capacity_rps)
        .fold(f64::INFINITY, f64::min);
    Ok(SweepReport {
        capacity_rps: lowest,
        slo_seconds: strategies.first().map_or(0.0, Strategy::slo_seconds),
        curves,
    })
}

/// Removes the time series and the percentile curves: dozens of them would make a report of many megabytes.
fn without_steps(run: &mut Run) {
    run.series = Vec::new();
    run.response_time_curve = None;
    run.time_to_done_curve = None;
}
