//! Tests which values the view shows of a run.

use std::time::Duration;

use super::{played, scenario, seconds};
use crate::{
    live::{Live, Phase},
    scenario::Rpc,
    ui::view::model::{RunModel, SAMPLE_EVERY},
};

fn near(value: Option<f64>, expected: f64) {
    let value = value.unwrap();
    assert!((value / expected - 1.0).abs() < 0.04, "{value} is not about {expected}");
}

#[test]
fn the_last_second_is_read_off_the_counts_of_two_looks() {
    let run = played("sync", Rpc::Process, seconds(10));
    assert_eq!((run.now.offered, run.now.goodput), (Some(8.0), Some(4.0)));
    assert_eq!((run.now.in_system, run.now.queue_depth), (Some(10.0), Some(5.0)));
    // The last second has four answers, the longest of them after 1 s. The times to done are the same.
    near(run.now.longest, 1.0);
    near(run.now.done_p99, 1.0);
    assert!(run.now.median < run.now.longest);
    let queued = played("async", Rpc::Enqueue, seconds(10));
    near(queued.now.longest, 1.0);
    near(queued.now.done_p99, 2.0);
    assert_eq!(queued.now.goodput, Some(4.0));
}

#[test]
fn a_freeze_leaves_a_gap_and_not_a_line() {
    let live = Live::default();
    live.enter(Phase::Loading);
    let (shard, _looks) = live.shard();
    let mut run = RunModel::new("run".to_owned(), scenario(Rpc::Process));
    shard.answered(Duration::from_millis(100));
    for sample in 1..=10_u32 {
        run.add_sample(Some(SAMPLE_EVERY * sample), &live.read(), live.times());
    }
    let p99: Vec<bool> = run.history.points().map(|(_, point)| point.p99.is_some()).collect();
    assert_eq!(p99, [true, true, true, true, true, false, false, false, false, false]);
    assert!(run.now.in_system.is_none(), "nobody has seen the service");
}

#[test]
fn what_is_done_does_not_go_on() {
    let live = Live::default();
    live.enter(Phase::Loading);
    let mut run = RunModel::new("run".to_owned(), scenario(Rpc::Process));
    run.add_sample(Some(seconds(14)), &live.read(), live.times());
    assert_eq!(run.load_over, None);
    live.enter(Phase::Draining);
    run.add_sample(Some(seconds(16)), &live.read(), live.times());
    assert_eq!(
        run.load_over,
        Some(seconds(15)),
        "the load was over when it was to be over"
    );
    assert_eq!(run.now.offered, Some(0.0));
    live.enter(Phase::Done);
    run.add_sample(Some(seconds(17)), &live.read(), live.times());
    run.add_sample(Some(seconds(60)), &live.read(), live.times());
    assert_eq!((run.elapsed, run.now.goodput), (seconds(17), None));
}
