//! The `health` command with a port of another kind, and the Watch of the health service.

use crate::support::{
    certificates::Authority,
    program::{Program, run},
    within_patience,
};
use tonic_health::pb::{HealthCheckRequest, health_check_response::ServingStatus};

async fn said(arguments: &[&str]) -> String {
    let mut all = vec!["health", "--timeout", "20s"];
    all.extend(arguments);
    let (code, _, stderr) = run(&all, &[]).await;
    assert_eq!(code, Some(1), "{stderr}");
    stderr
}

#[tokio::test]
async fn health_says_what_is_spoken_on_the_other_side() {
    let folder = tempfile::tempdir().unwrap();
    let authority = Authority::new(folder.path(), "ca");
    let identity = authority.sign("127.0.0.1");
    let flags = ["--tls-cert", &identity.cert, "--tls-key", &identity.key];
    let secured = Program::start(&flags, &[]).await;
    let plain = Program::start(&[], &[]).await;
    let (secured_at, plain_at) = (secured.address.to_string(), plain.address.to_string());

    let stderr = said(&["--listen", &secured_at]).await;
    assert!(
        stderr.contains("TLS is spoken there") && stderr.contains("--tls-cert"),
        "{stderr}"
    );
    let stderr = said(&["--listen", &plain_at, "--tls-cert", &identity.cert]).await;
    assert!(
        stderr.contains("no TLS is spoken there") && stderr.contains("FOO_TLS_CERT"),
        "{stderr}"
    );
    let stderr = said(&["--listen", &plain.admin.to_string()]).await;
    assert!(
        stderr.contains("HTTP/1.1 is spoken there") && stderr.contains("--admin-listen"),
        "{stderr}"
    );

    let mut flags = flags.to_vec();
    flags.extend(["--tls-client-ca", &authority.file]);
    let choosy = Program::start(&flags, &[]).await;
    let stderr = said(&["--listen", &choosy.address.to_string(), "--tls-cert", &identity.cert]).await;
    assert!(stderr.contains("--client-cert"), "{stderr}");
}

#[tokio::test]
async fn a_watch_of_an_unknown_service_says_so_and_stays_open() {
    let program = Program::start(&[], &[]).await;
    let mut client = program.caller().await.health_client();
    let request = HealthCheckRequest {
        service: "nope".to_owned(),
    };
    let mut statuses = client.watch(request).await.unwrap().into_inner();
    let status = within_patience(statuses.message()).await.unwrap().unwrap();
    assert_eq!(status.status(), ServingStatus::ServiceUnknown);
    let more = tokio::time::timeout(std::time::Duration::from_millis(50), statuses.message()).await;
    assert!(more.is_err(), "the stream is open: {more:?}");
    // The open stream does not delay a drain.
    program.terminate();
    assert_eq!(program.exit_code().await, Some(0));
}
