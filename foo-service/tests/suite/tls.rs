//! TLS: both RPCs over TLS, certificates that change while connections are open, and peers that do not complete a handshake.

use std::{io, sync::Arc, time::Duration};

use foo_service::{
    config::{Settings, TlsFiles},
    lifecycle::shutdown,
    metrics::prometheus,
    tls::{Certificates, secure},
};
use futures_util::FutureExt;
use rustls::{
    ClientConfig, RootCertStore,
    crypto::ring,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
};
use tokio::{io::AsyncReadExt, net::TcpStream, sync::mpsc, time::Instant};
use tokio_rustls::{TlsConnector, client::TlsStream};
use tokio_stream::{StreamExt, wrappers::ReceiverStream};

use crate::support::{
    Caller,
    certificates::{Authority, Identity},
    message,
    page::samples,
    program::{self, Program, run},
};

/// The flags for a service with this certificate.
fn flags(identity: &Identity) -> [&str; 4] {
    ["--tls-cert", &identity.cert, "--tls-key", &identity.key]
}

/// Opens a TLS connection to the program. The client trusts the authority, and has the certificate `me`, if any.
async fn connect(program: &Program, trusted: &Authority, me: Option<&Identity>) -> io::Result<TlsStream<TcpStream>> {
    let mut roots = RootCertStore::empty();
    roots
        .add(CertificateDer::from_pem_file(&trusted.file).unwrap())
        .unwrap();
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots);
    let mut config = match me {
        None => config.with_no_client_auth(),
        Some(me) => {
            let cert = CertificateDer::from_pem_file(&me.cert).unwrap();
            let key = PrivateKeyDer::from_pem_file(&me.key).unwrap();
            config.with_client_auth_cert(vec![cert], key).unwrap()
        }
    };
    config.alpn_protocols = vec![b"h2".to_vec()];
    let stream = program::connect(program.address).await?;
    let name = program.address.ip().into();
    TlsConnector::from(Arc::new(config)).connect(name, stream).await
}

async fn caller(program: &Program, trusted: &Authority) -> Caller {
    Caller::over(connect(program, trusted, None).await.unwrap()).await
}

#[tokio::test]
async fn both_doors_are_behind_tls_and_not_without_it() {
    let folder = tempfile::tempdir().unwrap();
    let authority = Authority::new(folder.path(), "ca");
    let identity = authority.sign("127.0.0.1");
    let program = Program::start(&flags(&identity), &[]).await;
    assert!(program.start_line.contains("tls=true"), "{}", program.start_line);
    // A peer that sends nothing and a peer that speaks another protocol do not delay other connections.
    let _silent = TcpStream::connect(program.address).await.unwrap();
    if let Ok(plain) = Caller::try_over(TcpStream::connect(program.address).await.unwrap()).await {
        plain.process(message("plain")).await.unwrap_err();
    }
    let caller = caller(&program, &authority).await;
    caller.enqueue(message("queued")).await.unwrap();
    caller.process(message("called")).await.unwrap();
    program.terminate();
    assert_eq!(program.exit_code().await, Some(0));
}

#[tokio::test]
async fn new_certificates_are_for_connections_to_come() {
    let folder = tempfile::tempdir().unwrap();
    let (old, new) = (
        Authority::new(folder.path(), "old"),
        Authority::new(folder.path(), "new"),
    );
    let mut program = Program::start(&flags(&old.sign("127.0.0.1")), &[]).await;
    let before = caller(&program, &old).await;
    before.process(message("before")).await.unwrap();

    new.sign("127.0.0.1");
    program.hang_up();
    program.logged("certificates reloaded").await;
    let after = caller(&program, &new).await;
    after.process(message("after")).await.unwrap();
    connect(&program, &old, None).await.unwrap_err();
    before.process(message("still there")).await.unwrap();
}

#[tokio::test]
async fn broken_files_leave_the_certificates_as_they_were() {
    let folder = tempfile::tempdir().unwrap();
    let authority = Authority::new(folder.path(), "ca");
    let identity = authority.sign("127.0.0.1");
    let mut program = Program::start(&flags(&identity), &[]).await;
    std::fs::write(&identity.cert, "half a certifi").unwrap();
    program.hang_up();
    let line = program.logged("could not reload certificates").await;
    assert!(line.contains("ERROR") && line.contains(&identity.cert), "{line}");
    caller(&program, &authority).await.process(message("")).await.unwrap();
}

#[tokio::test]
async fn only_clients_of_the_right_authority_are_taken_where_one_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let authority = Authority::new(folder.path(), "ca");
    let (service, me) = (authority.sign("127.0.0.1"), authority.sign("me"));
    let late = authority.sign_expired("late");
    let stranger = Authority::new(folder.path(), "stranger").sign("stranger");
    let flags = [&flags(&service)[..], &["--tls-client-ca", &authority.file]].concat();
    let program = Program::start(&flags, &[]).await;
    let known = connect(&program, &authority, Some(&me)).await.unwrap();
    Caller::over(known).await.process(message("")).await.unwrap();
    for unwanted in [None, Some(&late), Some(&stranger)] {
        // With TLS 1.3 a client learns only after its handshake that its certificate is refused.
        let mut refused = connect(&program, &authority, unwanted).await.unwrap();
        refused.read(&mut [0; 64]).await.unwrap_err();
    }

    let (address, environment) = (program.address.to_string(), [("FOO_TLS_CERT", &*service.cert)]);
    let health = ["health", "--listen", &address];
    assert_eq!(run(&health, &environment).await.0, Some(1));
    let shown = [&health[..], &["--client-cert", &me.cert, "--client-key", &me.key]].concat();
    assert_eq!(run(&shown, &environment).await.0, Some(0));
}

#[tokio::test]
async fn health_asks_over_tls_where_the_service_has_it() {
    let folder = tempfile::tempdir().unwrap();
    let identity = Authority::new(folder.path(), "ca").sign("anything.example");
    let program = Program::start(&flags(&identity), &[]).await;
    let address = program.address.to_string();
    let health = ["health", "--listen", &address];
    // As in a container, `health` runs with the service's environment.
    let environment = [("FOO_TLS_CERT", &*identity.cert), ("FOO_TLS_KEY", &*identity.key)];
    let (code, stdout, stderr) = run(&health, &environment).await;
    assert_eq!((code, &*stderr), (Some(0), ""));
    assert!(stdout.contains(&format!("https://{address}: serving")), "{stdout}");
    assert_eq!(run(&health, &[]).await.0, Some(1), "without TLS there is no answer");
}

#[tokio::test]
async fn files_that_will_not_do_are_named_with_their_flag() {
    let folder = tempfile::tempdir().unwrap();
    let authority = Authority::new(folder.path(), "ca");
    let (one, other) = (authority.sign("one"), authority.sign("other"));
    for (flags, said) in [
        (
            &["--tls-cert", "/nowhere.pem", "--tls-key", &one.key][..],
            "--tls-cert /nowhere.pem",
        ),
        (&["--tls-cert", &one.cert, "--tls-key", &one.cert], "--tls-key"),
        (
            &["--tls-cert", &one.cert, "--tls-key", &other.key],
            "does not belong to the certificate",
        ),
        (
            &[
                "--tls-cert",
                &one.cert,
                "--tls-key",
                &one.key,
                "--tls-client-ca",
                &one.key,
            ],
            "--tls-client-ca",
        ),
    ] {
        let (code, _, stderr) = run(flags, &[]).await;
        assert_eq!(code, Some(1), "{stderr}");
        assert!(stderr.contains(said), "{flags:?}: {stderr}");
    }
    assert_eq!(
        run(&["--tls-cert", &one.cert], &[]).await.0,
        Some(2),
        "a certificate without a key"
    );
}

#[tokio::test(start_paused = true)]
async fn a_handshake_that_does_not_come_ends_with_its_connection() {
    let folder = tempfile::tempdir().unwrap();
    let identity = Authority::new(folder.path(), "ca").sign("127.0.0.1");
    let certificates = Certificates::load(TlsFiles {
        cert: identity.cert.into(),
        key: identity.key.into(),
        client_ca: None,
    });
    let recorder = prometheus();
    let service = crate::support::service(Settings::default(), &recorder);
    let (connections, arriving) = mpsc::channel(1);
    let metrics = service.metrics();
    let incoming = secure(
        ReceiverStream::new(arriving).map(Ok::<_, io::Error>),
        Arc::new(certificates.unwrap()),
        metrics,
    );
    let (_trigger, stop) = shutdown();
    let serving = tokio::spawn(service.serve(incoming, stop));

    let (mut near, far) = tokio::io::duplex(1024);
    connections.send(far).await.unwrap();
    let began = Instant::now();
    assert_eq!(
        near.read(&mut [0; 64]).await.unwrap(),
        0,
        "closed, and nothing was said"
    );
    assert_eq!(began.elapsed().as_secs(), Duration::from_secs(10).as_secs());
    tokio::task::yield_now().await;
    let samples = samples(&recorder.handle().render());
    assert_eq!(
        (
            &*samples["foo_connections"],
            &*samples["foo_tls_handshakes_failed_total"]
        ),
        ("0", "1")
    );
    assert!(serving.now_or_never().is_none(), "the service goes on");
}
