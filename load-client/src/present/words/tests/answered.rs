//! Sentences about RPCs whose answer means that the message has been processed.

use super::{Limit, Run, own, process, service, times};

#[test]
fn a_service_of_ones_own() {
    assert_eq!(
        own(|_| ()),
        "Each client waits for its answer before it sends the next request. The slowest successful answer took 0.25 s."
    );
    assert_eq!(
        own(|run| run.configuration.as_mut().unwrap().clients = 1),
        "The client waits for its answer before it sends the next request. The slowest successful answer took 0.25 s."
    );
    assert_eq!(
        own(|run| run.configuration.as_mut().unwrap().max_in_flight = 100),
        "Each client has up to 100 requests in flight. The slowest successful answer took 0.25 s."
    );
    assert_eq!(
        own(|run| run.configuration = None),
        "The slowest successful answer took 0.25 s."
    );
}

#[test]
fn a_service_of_ones_own_that_fails() {
    let all_fail = |run: &mut Run| {
        (run.ledger.ok, run.ledger.failed) = (0, 80);
        run.response_time_seconds.clear();
    };
    assert_eq!(own(all_fail), "No request succeeded. 80 requests failed.");
    let each_way = |run: &mut Run| {
        let ledger = &mut run.ledger;
        (
            ledger.ok,
            ledger.failed,
            ledger.expired,
            ledger.unavailable,
            ledger.in_flight,
        ) = (76, 1, 1, 1, 1);
    };
    assert_eq!(
        own(each_way),
        "Each client waits for its answer before it sends the next request. The slowest successful answer took 0.25 s. The \
         service was unavailable for 1 request. 1 request passed the deadline. 1 request failed. 1 request was still \
         unanswered when the run ended."
    );
    assert_eq!(
        own(|run| (run.ledger.ok, run.ledger.in_flight) = (78, 2))
            .rsplit_once(". ")
            .unwrap()
            .1,
        "2 requests were still unanswered when the run ended."
    );
}

#[test]
fn a_service_of_ones_own_that_rejects_has_no_waiting_line_that_anybody_knows_of() {
    let rejects = |run: &mut Run| {
        (run.ledger.ok, run.ledger.rejected) = (56, 24);
        run.response_time_seconds.insert("rejected".to_owned(), times(0.001_1));
    };
    assert_eq!(
        own(rejects),
        "24 of 80 requests (30 %) were rejected; the median rejection took 1.1 ms. The slowest successful answer took 0.25 s."
    );
}

#[test]
fn too_few_clients_are_no_backpressure() {
    let withholds = |run: &mut Run| (run.ledger.ok, run.ledger.withheld) = (20, 60);
    let says = "Each client waits for its answer before it sends the next request. The slowest successful answer took \
                0.25 s. 60 of 80 requests (75 %) were withheld because the clients were still waiting for earlier answers.";
    assert_eq!(own(withholds), says);
    for limit in [None, Some(Limit::Clients), Some(Limit::Generator)] {
        let says = process(|run| {
            withholds(run);
            run.verdict.limited_by = limit;
        });
        assert!(!says.contains("backpressure"), "{limit:?}: {says}");
    }
}

#[test]
fn process_holds_its_clients_back() {
    let says = process(|run| {
        (run.ledger.ok, run.ledger.withheld) = (41, 39);
        run.response_time_seconds.insert("ok".to_owned(), times(1.0));
        run.service_time_seconds.insert("ok".to_owned(), times(1.0));
        run.verdict.limited_by = Some(Limit::Service);
    });
    assert_eq!(
        says,
        "Each client waits for its answer before it sends the next request. At most 4 requests were in the service at once. \
         The slowest successful answer took 1.00 s. 39 of 80 requests (49 %) were withheld because the clients were still \
         waiting for earlier answers. The service holds its clients back: this is backpressure."
    );
}

#[test]
fn process_rejects() {
    let says = process(|run| {
        (run.ledger.ok, run.ledger.rejected) = (79, 1);
        run.response_time_seconds
            .insert("rejected".to_owned(), times(0.000_893));
        run.virtual_time = true;
        service(run).in_system_max = 1;
        service(run).refusals = Some([("expired".to_owned(), 2), ("line_full".to_owned(), 1)].into());
    });
    assert_eq!(
        says,
        "1 of 80 requests (1 %) was rejected because the waiting line was full; the median rejection took 1 ms. At most 1 \
         request was in the service at once. The slowest successful answer took 0.25 s."
    );
}

#[test]
fn process_rejects_for_other_reasons_than_a_full_line() {
    for refusals in [
        None,
        Some(vec![]),
        Some(vec![("too_late", 7)]),
        Some(vec![("line_full", 2), ("overload", 5)]),
        Some(vec![("displaced", 2), ("line_full", 5)]),
    ] {
        let says = process(|run| {
            (run.ledger.ok, run.ledger.rejected) = (73, 7);
            service(run).refusals = refusals.map(|reasons| {
                reasons
                    .iter()
                    .map(|(name, calls)| ((*name).to_owned(), *calls))
                    .collect()
            });
        });
        assert!(
            says.starts_with("7 of 80 requests (9 %) were rejected. At most"),
            "{says}"
        );
    }
}
