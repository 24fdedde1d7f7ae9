//! The program as a process: it prints its addresses, serves, and exits with a code that says how the drain went.

use crate::support::{demanding, message, ms, origin, page::get, program::Program};
use foo_service::job::JobOutcome;
use tokio_stream::StreamExt;
use tonic::Code;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_reflection::pb::{v1, v1alpha};

/// A message with so much work (a minute) that no test waits for its end.
fn endless(id: &str) -> foo_proto::v1::Message {
    demanding(id, ms(60_000))
}

#[tokio::test]
async fn it_serves_both_doors_health_and_its_pages() {
    let program = Program::start(&["--service-time", "0s"], &[]).await;
    let caller = program.caller().await;
    caller.enqueue(message("queued")).await.unwrap();
    caller.process(message("called")).await.unwrap();
    assert_eq!(caller.health().await, [ServingStatus::Serving; 2]);
    assert_eq!(get(program.admin, "/readyz").await.0, 200);
    let (_, page) = get(program.admin, "/metrics").await;
    let completed = JobOutcome::Completed.label();
    let series = format!("foo_jobs_total{{door=\"process\",outcome=\"{completed}\"}}");
    assert_eq!(crate::support::page::samples(&page)[&series], "1");
    // The service is alone in its process, so it reports the memory of the process.
    assert!(caller.look().await.resident_bytes.unwrap() > 0);
}

#[tokio::test]
async fn it_describes_itself_in_both_versions_of_reflection() {
    let program = Program::start(&[], &[]).await;
    let connection = program.caller().await.connection;

    let request = v1::ServerReflectionRequest {
        message_request: Some(v1::server_reflection_request::MessageRequest::ListServices(
            String::new(),
        )),
        ..Default::default()
    };
    let mut client = v1::server_reflection_client::ServerReflectionClient::with_origin(connection.clone(), origin());
    let mut answers = client
        .server_reflection_info(tokio_stream::once(request))
        .await
        .unwrap()
        .into_inner();
    let answer = answers.next().await.unwrap().unwrap().message_response.unwrap();
    let v1::server_reflection_response::MessageResponse::ListServicesResponse(services) = answer else {
        panic!("{answer:?}");
    };
    let names: Vec<_> = services.service.iter().map(|service| &*service.name).collect();
    for name in ["foo.v1.FooService", "grpc.health.v1.Health"] {
        assert!(names.contains(&name), "{names:?}");
    }

    let symbol = "foo.v1.FooService".to_owned();
    let request = v1alpha::ServerReflectionRequest {
        message_request: Some(v1alpha::server_reflection_request::MessageRequest::FileContainingSymbol(symbol)),
        ..Default::default()
    };
    let mut client = v1alpha::server_reflection_client::ServerReflectionClient::with_origin(connection, origin());
    let mut answers = client
        .server_reflection_info(tokio_stream::once(request))
        .await
        .unwrap()
        .into_inner();
    let answer = answers.next().await.unwrap().unwrap().message_response.unwrap();
    assert!(matches!(
        answer,
        v1alpha::server_reflection_response::MessageResponse::FileDescriptorResponse(_)
    ));
}

#[tokio::test]
async fn sigterm_with_nothing_to_do_exits_with_0() {
    let program = Program::start(&[], &[]).await;
    program.caller().await.process(message("done before")).await.unwrap();
    program.terminate();
    assert_eq!(program.exit_code().await, Some(0));
}

#[tokio::test]
async fn sigterm_waits_for_what_was_admitted() {
    let mut program = Program::start(&["--service-time", "20ms"], &[]).await;
    let caller = program.caller().await;
    for _ in 0..5 {
        caller.enqueue(message("")).await.unwrap();
    }
    program.terminate();
    program.logged("stopped abandoned=0").await;
    assert_eq!(program.exit_code().await, Some(0));
}

#[tokio::test]
async fn sigterm_refuses_what_is_new() {
    let mut program = Program::start(&[], &[]).await;
    let caller = program.caller().await;
    caller.enqueue(endless("")).await.unwrap();
    program.terminate();
    program.logged(" draining ").await;
    assert_eq!(
        caller.process(message("new")).await.unwrap_err().code(),
        Code::Unavailable
    );
    assert_eq!(caller.health().await, [ServingStatus::NotServing; 2]);
    assert_eq!(get(program.admin, "/readyz").await.0, 503);
}

#[tokio::test]
async fn a_drain_that_runs_out_of_time_exits_with_3() {
    let mut program = Program::start(&["--drain-timeout", "50ms"], &[]).await;
    let caller = program.caller().await;
    for id in ["1", "2"] {
        caller.enqueue(endless(id)).await.unwrap();
    }
    program.terminate();
    program.logged("stopped abandoned=2").await;
    assert_eq!(program.exit_code().await, Some(3));
}

#[tokio::test]
async fn a_second_sigterm_ends_it_at_once() {
    let mut program = Program::start(&["--drain-timeout", "1h"], &[]).await;
    let caller = program.caller().await;
    caller.enqueue(endless("")).await.unwrap();
    program.terminate();
    // The second signal is sent only after the first was handled, because the system merges two pending signals into one.
    program.logged(" draining ").await;
    program.terminate();
    assert_eq!(program.exit_code().await, Some(3));
}

#[tokio::test]
async fn a_signal_right_after_the_start_line_drains_too() {
    // Repeated, because the time after the start line in which a signal could be missed is short.
    for _ in 0..50 {
        let program = Program::start(&[], &[]).await;
        program.terminate();
        assert_eq!(program.exit_code().await, Some(0));
    }
}
