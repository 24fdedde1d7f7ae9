//! Files as users may have them, made with OpenSSL 3: each is accepted, or the error names the wrong file and a cure.

use std::path::{Path, PathBuf};

use foo_pem::{Fault, caveats, certificates, key, pair};
use rustls::crypto::ring;

fn file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/files").join(name)
}

fn put_together(cert: &str, private: &str) -> Result<(), Fault> {
    let chain = certificates(&file(cert)).map_err(Fault::Certificate)?;
    let key = key(&file(private)).map_err(Fault::Key)?;
    pair(chain, key, &ring::default_provider()).map(drop)
}

fn of_certificate(cert: &str, private: &str) -> String {
    match put_together(cert, private) {
        Err(Fault::Certificate(said)) => said,
        other => panic!("{cert} {private}: {other:?}"),
    }
}

fn of_key(cert: &str, private: &str) -> String {
    match put_together(cert, private) {
        Err(Fault::Key(said)) => said,
        other => panic!("{cert} {private}: {other:?}"),
    }
}

#[test]
fn a_certificate_with_its_key_is_taken_also_after_a_byte_order_mark() {
    assert_eq!(put_together("good.cert.pem", "good.key.pem"), Ok(()));
    assert_eq!(put_together("bom.cert.pem", "bom.key.pem"), Ok(()));
    let chain = certificates(&file("good.cert.pem")).unwrap();
    assert_eq!(caveats(&chain[0], &ring::default_provider()), [""; 0]);
}

#[test]
fn the_certificate_is_named_where_it_is_wrong() {
    let said = of_certificate("v1.cert.pem", "good.key.pem");
    assert!(
        said.contains("version 1") && said.contains("openssl req -x509"),
        "{said}"
    );
    let said = of_certificate("wrong-order.cert.pem", "good.key.pem");
    assert!(said.contains("wrong order") && said.contains("number 2"), "{said}");
    let said = of_certificate("good.cert.der", "good.key.pem");
    assert!(
        said.contains("DER") && said.contains("openssl x509 -inform der"),
        "{said}"
    );
    let said = of_certificate("good.key.pem", "good.key.pem");
    assert_eq!(said, "holds no certificate but: PRIVATE KEY");
}

#[test]
fn the_key_is_named_where_it_is_wrong() {
    for encrypted in ["encrypted-pkcs8.key.pem", "encrypted-pkcs1.key.pem"] {
        let said = of_key("good.cert.pem", encrypted);
        assert!(
            said.contains("encrypted") && said.contains("openssl pkey -in"),
            "{said}"
        );
    }
    for unsupported in ["p521.key.pem", "rsa1024.key.pem"] {
        let said = of_key("good.cert.pem", unsupported);
        assert!(said.contains("not supported") && said.contains("P-256"), "{said}");
    }
    let said = of_key("good.cert.pem", "other.key.pem");
    assert!(said.contains("does not belong to the certificate"), "{said}");
    let said = of_key("good.cert.pem", "good.cert.pem");
    assert_eq!(said, "holds no private key but: CERTIFICATE");
    let said = of_key("good.cert.pem", "nowhere.pem");
    assert!(said.contains("No such file"), "{said}");
}

#[test]
fn what_clients_will_reject_is_told_beforehand() {
    for (cert, said) in [("ca.cert.pem", "that of a CA"), ("nameless.cert.pem", "names no host")] {
        let chain = certificates(&file(cert)).unwrap();
        let caveats = caveats(&chain[0], &ring::default_provider());
        assert!(caveats.len() == 1 && caveats[0].contains(said), "{cert}: {caveats:?}");
    }
}
