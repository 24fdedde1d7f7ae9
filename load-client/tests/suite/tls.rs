//! TLS by the scheme of the URL: trusted CAs and client certificates. If client and server do not fit each other, one line says
//! what to do.

#[path = "../../../foo-service/tests/suite/support/certificates.rs"]
mod certificates;
use std::process::Output;

use crate::support::{Service, assert_balanced, load_client, report};
use certificates::{Authority, Identity};

/// A folder with an authority that can sign the certificates of services.
struct Scene {
    folder: tempfile::TempDir,
    authority: Authority,
}

impl Scene {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let authority = Authority::new(folder.path(), "ca");
        Self { folder, authority }
    }

    /// Starts a service with a certificate for this name, and with additional flags. Returns it and its URL at 127.0.0.1.
    fn serve(&self, name: &str, flags: &[&str]) -> (Service, String) {
        serve(&self.authority.sign(name), flags)
    }
}

/// Starts a service with this certificate, and with additional flags. Returns it and its URL at 127.0.0.1.
fn serve(identity: &Identity, flags: &[&str]) -> (Service, String) {
    let tls = [
        "--tls-cert",
        &identity.cert,
        "--tls-key",
        &identity.key,
        "--service-time",
        "1ms",
    ];
    let service = Service::start(tls.iter().chain(flags));
    let url = format!("https://{}", service.address());
    (service, url)
}

/// Asserts that the run does not begin: with one line on stderr, which is returned, and nothing on stdout.
fn refused(args: &[&str], code: i32) -> String {
    let Output { status, stdout, stderr } = load_client(args).arg("-q").output().unwrap();
    let said = String::from_utf8(stderr).unwrap();
    assert_eq!(status.code(), Some(code), "{said}");
    assert!(stdout.is_empty(), "nothing is printed as a result");
    assert_eq!(said.trim_end().lines().count(), 1, "{said}");
    said
}

/// Asserts that a run succeeds, and that its report has the service's own view.
fn goes_well(args: &[&str]) {
    let (output, report) = report(["run", "-n", "20", "-r", "200", "-q"].iter().chain(args));
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let run = &report.runs[0];
    assert_balanced(run);
    assert_eq!(run.ledger.ok, 20);
    assert_eq!(
        run.service.as_ref().unwrap().counts.completed,
        20,
        "it is watched over TLS as well"
    );
}

#[test]
fn a_certificate_of_a_trusted_authority_will_do() {
    let scene = Scene::new();
    let (_service, url) = scene.serve("127.0.0.1", &[]);
    goes_well(&[&url, "--cacert", &scene.authority.file]);
    // Some editors put a byte order mark at the start of a file.
    let marked = scene.folder.path().join("marked.pem");
    let authority = std::fs::read(&scene.authority.file).unwrap();
    std::fs::write(&marked, [b"\xef\xbb\xbf", &authority[..]].concat()).unwrap();
    goes_well(&[&url, "--cacert", marked.to_str().unwrap()]);
    goes_well(&[
        &url,
        "--cacert",
        &scene.authority.file,
        "--call",
        "foo.v1.FooService/Process",
        "--data",
        r#"{"message":{}}"#,
    ]);
    let target = format!("a=process:{url}");
    let (output, compared) = report([
        "compare",
        "--target",
        &target,
        "--cacert",
        &scene.authority.file,
        "-z",
        "1s",
        "-q",
    ]);
    assert!(output.status.success());
    assert_eq!(compared.runs[0].ledger.ok, 8);
}

#[test]
fn a_certificate_for_another_name_will_do_if_that_is_the_one_to_expect() {
    let scene = Scene::new();
    let (_service, url) = scene.serve("foo.example", &[]);
    let trusted = [&*url, "--cacert", &scene.authority.file];
    let said = refused(&[&["run"], &trusted[..]].concat(), 1);
    assert!(
        said.contains("is not for 127.0.0.1 but for foo.example; --server-name"),
        "{said}"
    );
    goes_well(&[&trusted[..], &["--server-name", "foo.example"]].concat());
    goes_well(&[&trusted[..], &["--authority", "foo.example:443"]].concat());
}

#[test]
fn a_certificate_that_is_not_to_be_trusted_is_said_to_be_so_at_once() {
    let scene = Scene::new();
    let (_service, url) = scene.serve("127.0.0.1", &[]);
    let stranger = Authority::new(scene.folder.path(), "stranger");
    for trusted in [&["--cacert", &stranger.file][..], &[]] {
        // If the client retried this error, the test would run into its time limit.
        let args = [&["run", &url, "--connect-timeout", "1h"], trusted].concat();
        let said = refused(&args, 1);
        assert!(said.contains("is signed by an unknown CA; pass the CA"), "{said}");
        assert!(said.contains("--cacert FILE"), "{said}");
    }
    goes_well(&[&url, "--insecure"]);
}

#[test]
fn a_certificate_that_has_expired_is_said_to_be_so() {
    let scene = Scene::new();
    let (_service, url) = serve(&scene.authority.sign_expired("127.0.0.1"), &[]);
    let said = refused(&["run", &url, "--cacert", &scene.authority.file], 1);
    assert!(said.contains("has expired at 2002-02-02"), "{said}");
}

#[test]
fn ends_that_do_not_both_speak_tls_are_told_so() {
    let scene = Scene::new();
    let (secured, url) = scene.serve("127.0.0.1", &[]);
    let said = refused(
        &[
            "run",
            &format!("http://{}", secured.address()),
            "--connect-timeout",
            "1h",
        ],
        1,
    );
    assert!(
        said.contains("TLS is spoken there; write the URL with https://"),
        "{said}"
    );
    let plain = Service::start(["--service-time", "1ms"]);
    let said = refused(
        &[
            "run",
            &format!("https://{}", plain.address()),
            "--connect-timeout",
            "1h",
        ],
        1,
    );
    assert!(
        said.contains("does not speak TLS there; write the URL with http://"),
        "{said}"
    );
    goes_well(&[&url, "--insecure"]);
}

#[test]
fn a_service_that_asks_for_a_certificate_takes_one_of_its_authority_only() {
    let scene = Scene::new();
    let (_service, url) = scene.serve("127.0.0.1", &["--tls-client-ca", &scene.authority.file]);
    let run = [
        "run",
        &url,
        "--cacert",
        &scene.authority.file,
        "--connect-timeout",
        "1h",
    ];
    let said = refused(&run, 1);
    assert!(said.contains("show it one with --cert FILE --key FILE"), "{said}");
    let folder = tempfile::tempdir().unwrap();
    let stranger = Authority::new(folder.path(), "stranger").sign("me");
    let said = refused(
        &[&run[..], &["--cert", &stranger.cert, "--key", &stranger.key]].concat(),
        1,
    );
    assert!(said.contains("does not take the certificate of --cert"), "{said}");
    let me = scene.authority.sign("me");
    goes_well(&[&run[1..], &["--cert", &me.cert, "--key", &me.key]].concat());
}

#[test]
fn a_file_that_will_not_do_is_named_with_its_flag() {
    let scene = Scene::new();
    let (me, you) = (scene.authority.sign("me"), scene.authority.sign("you"));
    let run = |flags: &[&str]| refused(&[&["run", "https://127.0.0.1:1"], flags].concat(), 2);
    for (flags, said) in [
        (&["--cacert", "/nowhere.pem"][..], "--cacert /nowhere.pem: "),
        (&["--cacert", &me.key], "holds no certificate but: "),
        (&["--cert", "/nowhere.pem", "--key", &me.key], "--cert /nowhere.pem: "),
        (
            &["--cert", &me.cert, "--key", &me.cert],
            "holds no private key but: CERTIFICATE",
        ),
        (
            &["--cert", &me.cert, "--key", &you.key],
            "does not belong to the certificate",
        ),
    ] {
        let line = run(flags);
        assert!(line.contains(said), "{flags:?}: {line}");
    }
    let pem = |file: &str| format!("{}/tests/pem/{file}", env!("CARGO_MANIFEST_DIR"));
    for (cert, key, said) in [
        (
            "version1.pem",
            "plain.key",
            "version1.pem: the certificate is of X.509 version 1",
        ),
        (
            "wrong-order.pem",
            "plain.key",
            "wrong-order.pem: has its certificates in the wrong order",
        ),
        (
            "leaf.pem",
            "encrypted-pkcs8.key",
            "encrypted-pkcs8.key: is encrypted with a password; decrypt it: openssl pkey -in",
        ),
        (
            "leaf.pem",
            "encrypted-sec1.key",
            "encrypted-sec1.key: is encrypted with a password; decrypt it: openssl pkey -in",
        ),
        (
            "p521.pem",
            "p521.key",
            "p521.key: is of a kind that is not supported: RSA from 2048 to 4096 bits",
        ),
        ("plain.key", "plain.key", "plain.key: holds no certificate but: "),
    ] {
        let line = run(&["--cert", &pem(cert), "--key", &pem(key)]);
        assert!(line.contains(said), "{cert} {key}: {line}");
    }
    let plain = refused(&["run", "http://127.0.0.1:1", "--cacert", &scene.authority.file], 2);
    assert!(plain.contains("write the URL with https://"), "{plain}");
}
