//! Makes an authority and signed certificates for a test, as files.

use std::{
    fs,
    path::{Path, PathBuf},
};

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair, date_time_ymd,
};

/// A CA. Programs that get its file trust the certificates that it signs.
pub(crate) struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
    folder: PathBuf,
    pub(crate) file: String,
}

/// The paths of a certificate and of its key.
pub(crate) struct Identity {
    pub(crate) cert: String,
    pub(crate) key: String,
}

impl Authority {
    /// Makes a CA with this name. All files go into `folder`.
    pub(crate) fn new(folder: &Path, name: &str) -> Self {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        let file = write(folder, &format!("{name}.pem"), &issuer.pem());
        Self {
            issuer,
            folder: folder.to_owned(),
            file,
        }
    }

    /// Makes a certificate for a name or address. The same name overwrites the same files.
    pub(crate) fn sign(&self, name: &str) -> Identity {
        self.sign_params(name, &params(name))
    }

    /// Makes a certificate that has long expired.
    pub(crate) fn sign_expired(&self, name: &str) -> Identity {
        let mut params = params(name);
        params.not_before = date_time_ymd(2001, 1, 1);
        params.not_after = date_time_ymd(2002, 2, 2);
        self.sign_params(name, &params)
    }

    fn sign_params(&self, name: &str, params: &CertificateParams) -> Identity {
        let key = KeyPair::generate().unwrap();
        let cert = params.signed_by(&key, &self.issuer).unwrap();
        Identity {
            cert: write(&self.folder, &format!("{name}.cert.pem"), &cert.pem()),
            key: write(&self.folder, &format!("{name}.key.pem"), &key.serialize_pem()),
        }
    }
}

fn params(name: &str) -> CertificateParams {
    let mut params = CertificateParams::new([name.to_owned()]).unwrap();
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
    params
}

fn write(folder: &Path, name: &str, text: &str) -> String {
    let path = folder.join(name);
    fs::write(&path, text).unwrap();
    path.to_str().unwrap().to_owned()
}
