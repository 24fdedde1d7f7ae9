//! If no model fits, or a figure cannot be computed, the report gives the reason and no figure.

use std::time::Duration;

use super::{super::scenarios::virtual_scenario, *};
use crate::{
    lab::Lab,
    policy::{BudgetSettings, PolicySettings, ThrottleKind, ThrottleSettings},
    present::words::samples,
};

/// What theory says of an endless queue whose workers take 100 ms on average, at 10 requests per second, after `change`.
fn says(change: impl FnOnce(&mut Strategy, &mut Scenario, &mut Run)) -> TheoryReport {
    let mut strategy = Lab::built_in().strategies(crate::compare::VIRTUAL).unwrap().remove(0);
    strategy.rpc = Rpc::Enqueue;
    let settings = &mut strategy.settings;
    (settings.workers, settings.service_time) = (2, Duration::from_millis(100));
    settings.queue = QueueKind::Unbounded;
    settings.service_time_distribution = ServiceTimeDistribution::Exponential;
    let mut scenario = virtual_scenario(&strategy.load, &strategy.schedule, strategy.rpc, true);
    scenario.schedule = Schedule::Rate {
        rps: 10.0,
        spacing: Spacing::Poisson,
    };
    let mut run = samples::run("enqueue");
    change(&mut strategy, &mut scenario, &mut run);
    theory(&strategy, &scenario, &run)
}

fn reason(change: impl FnOnce(&mut Strategy, &mut Scenario, &mut Run)) -> String {
    let report = says(change);
    assert_eq!((&report.model, report.figures.len()), (&None, 0));
    report.reason.unwrap()
}

#[test]
fn the_endless_queue_of_these_tests_has_a_prediction() {
    let report = says(|_, _, _| ());
    assert_eq!((report.reason, report.figures.len()), (None, 1));
}

#[test]
fn a_load_that_was_stopped_in_its_warm_up_has_no_prediction() {
    let reason = reason(|_, _, run| run.load.duration_seconds = 0.0);
    assert!(reason.contains("stopped"), "{reason}");
}

#[test]
fn a_wait_too_small_to_compute_has_no_prediction() {
    let reason = reason(|strategy, _, _| {
        (strategy.settings.workers, strategy.settings.service_time) = (100, Duration::from_millis(1));
    });
    assert!(reason.contains("so small a wait"), "{reason}");
}

#[test]
fn clients_that_send_again_or_hold_back_have_no_prediction() {
    let second = Duration::from_secs(1);
    let none = PolicySettings::default();
    let throttle = ThrottleSettings {
        kind: ThrottleKind::Book,
        window: second,
    };
    let budget = BudgetSettings { ratio: 0.1, most: 10.0 };
    for policies in [
        PolicySettings {
            retries: 3,
            budget: Some(budget),
            ..none
        },
        PolicySettings {
            hedge: Some(second),
            ..none
        },
        PolicySettings {
            throttle: Some(throttle),
            ..none
        },
    ] {
        let reason = reason(|_, scenario, _| scenario.policies = policies);
        assert_eq!(reason, "the clients send requests again, or hold them back");
    }
}
