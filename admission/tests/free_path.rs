//! With room, a request allocates nothing on its way in and out, from the first request on: under every limit and in front of
//! every line, with classes and without.
//!
//! A binary of its own, because the allocator that counts belongs to the whole binary. It counts for each thread.

use std::{collections::VecDeque, time::Duration};

use allocation_counter::measure;
use futures_util::FutureExt;
use tokio::time::{Instant, advance};
use tower_admission::{
    limit::{LIMITS, LimitKind, LimitSettings, Outcome},
    line::{Class, LINES, LineKind},
    room::{Admission, Builder, Permit, Ticket},
};

/// Enough requests for each limit to close several windows (the longest is 160 requests), and to change.
const REQUESTS: usize = 2000;
/// Requests that are in flight at once at most (arbitrary: more than the limits that search keep in the end).
const AT_ONCE: usize = 12;
/// The time between two requests, and so a twelfth of the round trip.
const BETWEEN: Duration = Duration::from_millis(2);

/// What the requests of a trial came to.
#[derive(Debug, Default)]
struct Seen {
    allocations: u64,
    admitted: usize,
}

fn ticket(number: usize) -> Ticket {
    let urgency = u8::try_from(number % 8).expect("below 8");
    let ticket = Ticket::new().class(Class::new(urgency).expect("below 8"));
    match number % 3 {
        0 => ticket,
        // Far away, and so near that the longest calls end after it.
        1 => ticket.deadline(Instant::now() + Duration::from_secs(60)),
        _ => ticket.deadline(Instant::now() + BETWEEN * 10),
    }
}

/// Every outcome, success most often. The permit that is dropped says none.
fn end(permit: Permit, number: usize) {
    match number % 20 {
        3 => permit.finish(Outcome::Failure),
        7 => permit.finish(Outcome::Expired),
        11 => permit.finish(Outcome::Overload),
        17 => drop(permit),
        _ => permit.finish(Outcome::Success),
    }
}

async fn requests(admission: &Admission) -> Seen {
    let (mut seen, mut in_flight) = (Seen::default(), VecDeque::with_capacity(AT_ONCE));
    for number in 0..REQUESTS {
        while in_flight.len() == AT_ONCE || !has_room(admission) {
            let permit = in_flight.pop_front().expect("a limit is at least 1");
            seen.allocations += measure(|| end(permit, number)).count_total;
        }
        let ticket = ticket(number);
        seen.allocations += measure(|| {
            let entered = admission.enter(ticket).now_or_never();
            let permit = entered.expect("there is room, so it does not wait");
            in_flight.push_back(permit.expect("there is room, so it is not rejected"));
            seen.admitted += 1;
        })
        .count_total;
        advance(BETWEEN).await;
    }
    seen
}

fn has_room(admission: &Admission) -> bool {
    let status = admission.status();
    status.in_flight < status.limit
}

fn builders(limit: &LimitKind, line: &LineKind) -> Vec<Builder> {
    // The lists are constants, and a builder wants a row that lives as long as the program.
    let limit = tower_admission::limit::by_name(limit.name).expect("of the list");
    let line = tower_admission::line::by_name(line.name).expect("of the list");
    let told = [LimitSettings::workers(8), LimitSettings::from(20)];
    let plain = told.map(|settings| Admission::builder().limit(limit, settings).line(line));
    let with_classes = plain.map(|builder| builder.classes(None));
    [plain, with_classes].concat()
}

#[tokio::test(start_paused = true)]
async fn a_request_that_finds_room_allocates_nothing_under_every_limit_and_line() {
    for limit in &LIMITS {
        for line in &LINES {
            for builder in builders(limit, line) {
                let seen = requests(&builder.build()).await;
                assert_eq!(
                    (seen.allocations, seen.admitted),
                    (0, REQUESTS),
                    "limit {}, line {}: {seen:?}",
                    limit.name,
                    line.name
                );
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_request_that_waits_is_seen_to_allocate() {
    let admission = Admission::builder().workers(1).build();
    let permit = admission.enter(Ticket::new()).await;
    let waits = measure(|| {
        let ticket = Ticket::new().deadline(Instant::now() + Duration::from_secs(1));
        assert!(
            admission.enter(ticket).now_or_never().is_none(),
            "the only place is taken"
        );
    });
    assert!(waits.count_total > 0, "its timer is on the heap");
    drop(permit);
}
