//! Bounds on the figures of the policy `auto`, in a few short simulations. The whole tables take minutes: see `scripts/bench`.

use admission_simulation::{
    policy::Policy,
    record::Fate,
    scenario::{Late, Phase, Scenario, Times},
    scripts::{BIMODAL, SCRIPTS},
    searches, world,
};

fn scenario(load: f64, times: Times) -> Scenario {
    Scenario {
        workers: 4,
        times,
        slo: 5.0,
        deadlines: true,
        late: Late::Stops,
        classes: Vec::new(),
        phases: vec![Phase::new(2000.0, load, 4)],
        seed: 7,
    }
}

#[test]
fn line_auto_loses_little_against_the_best_fixed_line() {
    for (load, times) in [
        (0.8, Times::Pareto),
        (1.0, Times::Exponential),
        (2.0, Times::Constant),
        (10.0, Times::Lognormal),
    ] {
        let scenario = scenario(load, times);
        let good = |policy: &Policy| world::run(&scenario, policy).goodput(200.0, 2000.0);
        let fixed = [0, 2, 4, 8, 16, 32, 64].map(|places| {
            good(&Policy {
                places: Some(places),
                ..Policy::line("fifo")
            })
        });
        let best = fixed.into_iter().fold(0.0, f64::max);
        let regret = 1.0 - good(&Policy::line("auto")) / best;
        assert!(regret < 0.05, "{load} times, {}: {regret}", times.name());
    }
}

#[test]
fn every_request_ends_in_exactly_one_way() {
    for line in &tower_admission::line::LINES {
        for limit in ["fixed", "auto", "aimd", "vegas", "gradient2"] {
            // In a second phase without load, all requests have time to end.
            let mut scenario = scenario(3.0, Times::Lognormal);
            scenario.phases = vec![Phase::new(300.0, 3.0, 4), Phase::new(300.0, 0.0, 4)];
            scenario.late = Late::GoesOn;
            let policy = Policy {
                line: line.name,
                ..Policy::limit(limit, 8)
            };
            let record = world::run(&scenario, &policy);
            let ended: f64 = [Fate::Good, Fate::Late, Fate::Rejected, Fate::Left, Fate::Failed]
                .into_iter()
                .map(|fate| record.count(fate, 0.0, 600.0))
                .sum();
            assert!(record.arrived(0.0, 600.0) > 1000.0);
            assert!((record.arrived(0.0, 600.0) - ended).abs() < 0.5, "{}", policy.name());
        }
    }
}

#[test]
fn simulations_with_the_same_seed_are_alike() {
    let run = || world::run(&scenario(1.4, Times::Pareto), &Policy::limit("auto", 20));
    assert_eq!(
        run().goodput(0.0, 2000.0).to_bits(),
        run().goodput(0.0, 2000.0).to_bits()
    );
}

#[test]
fn auto_passes_the_short_scripts_and_policies_with_known_faults_fail() {
    let script = |letter| {
        SCRIPTS
            .iter()
            .chain([&BIMODAL])
            .find(|script| script.letter == letter)
            .unwrap()
    };
    let holds = |letter, policy: &Policy| script(letter).bound.holds((script(letter).figure)(policy));
    for auto in [Policy::line("auto"), Policy::limit("auto", 20)] {
        for letter in ["a", "d", "e", "i", "l", "o"] {
            assert!(holds(letter, &auto), "{letter}: {}", auto.name());
        }
    }
    assert!(!holds("a", &Policy::line("shed")));
    assert!(!holds("d", &Policy::limit("vegas", 20)));
    assert!(!holds("o", &Policy::limit("aimd", 20)));
}

#[test]
fn limit_auto_finds_a_capacity_that_it_is_not_told() {
    let found = searches::unknown("auto", Times::Exponential, 1);
    assert!(found > 0.9, "{found}");
    let after = searches::pause("auto", Times::Exponential, 1);
    assert!(after > 0.9, "{after}");
}

#[test]
fn limit_auto_follows_a_change_of_capacity() {
    for slower in [false, true] {
        let [loss, gain] = searches::change("auto", Times::Exponential, slower, 8);
        assert!(loss.back <= 10.0 && loss.mean >= 0.93, "{loss:?}");
        assert!(gain.back <= 60.0 && gain.mean >= 0.93, "{gain:?}");
    }
}

#[test]
fn the_urgent_class_is_served_first_at_ten_times_the_capacity() {
    let classes = searches::classes(&Policy::line("auto"), Times::Constant);
    assert!(
        classes.urgent >= 0.994 && classes.p99 <= 3.0 && classes.goodput >= 0.98,
        "{classes:?}"
    );
}
