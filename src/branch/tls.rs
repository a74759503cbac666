//! What TLS trusts at a branch.

use super::error::{BranchError, at};
use std::{fs, path::Path, sync::Arc};

/// What TLS trusts: the machine's certificates, so that a bank's own authority counts, Mozilla's
/// list where it has none, and those of the configured file.
pub(super) fn trust(authority: Option<&Path>) -> Result<rustls::ClientConfig, BranchError> {
    use rustls::pki_types::{CertificateDer, pem::PemObject as _};
    let mut roots = rustls::RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    if roots.is_empty() {
        roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
    }
    if let Some(path) = authority {
        let pem = fs::read(path).map_err(at(path))?;
        let own: Vec<_> = CertificateDer::pem_slice_iter(&pem).flatten().collect();
        if roots.add_parsable_certificates(own).0 == 0 {
            let wrong = std::io::Error::other("里面没有 PEM 格式的证书");
            return Err(at(path)(wrong));
        }
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map(|builder| builder.with_root_certificates(roots).with_no_client_auth())
        .map_err(|error| BranchError::Enrol(format!("TLS 用不了：{error}")))
}
