//! Certificates of a local authority, for the demo and for a first start; and the server's TLS settings.

use crate::system::Problem;
use model::Timestamp;
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, IsCa, Issuer, KeyPair, KeyUsagePurpose,
};
use rustls::ServerConfig;
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use std::path::Path;
use std::sync::Arc;
use time::{Duration, OffsetDateTime};

/// A local authority and a certificate for these names, all as PEM.
pub(crate) struct LocalCertificates {
    pub(crate) authority: String,
    pub(crate) chain: String,
    pub(crate) key: String,
}

/// How long local certificates are valid. Their authority's key is gone, so that none can be renewed; a house in use
/// gets a certificate of its own authority long before, and `doctor` counts the days.
const VALID_DAYS: i64 = 3_650;

/// Makes an authority, whose key is thrown away at once, and a certificate of it.
pub(crate) fn make_local(names: &[&str], now: Timestamp) -> Result<LocalCertificates, Problem> {
    let today =
        OffsetDateTime::from_unix_timestamp(now.0 / 1_000).map_err(Problem::from_error("the clock"))?;
    // From the day before, for clients whose clocks are behind.
    let (from, until) = (today - Duration::days(1), today + Duration::days(VALID_DAYS));
    let failed = Problem::from_error;
    let authority_key = KeyPair::generate().map_err(failed("cannot make a key"))?;
    let mut authority = CertificateParams::default();
    authority.distinguished_name = DistinguishedName::new();
    authority.distinguished_name.push(DnType::CommonName, "Obhut local authority");
    authority.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    (authority.not_before, authority.not_after) = (from, until);
    authority.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    let authority_cert =
        authority.self_signed(&authority_key).map_err(failed("cannot make a certificate"))?.pem();
    let issuer = Issuer::new(authority, authority_key);
    let key = KeyPair::generate().map_err(failed("cannot make a key"))?;
    let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    let mut leaf = CertificateParams::new(names).map_err(failed("cannot make a certificate"))?;
    leaf.distinguished_name = DistinguishedName::new();
    leaf.distinguished_name.push(DnType::CommonName, "Obhut");
    (leaf.not_before, leaf.not_after) = (from, until);
    leaf.use_authority_key_identifier_extension = true;
    let chain = leaf.signed_by(&key, &issuer).map_err(failed("cannot make a certificate"))?.pem();
    Ok(LocalCertificates { authority: authority_cert, chain, key: key.serialize_pem() })
}

/// The protocols that the API speaks.
pub(crate) const API: &[&[u8]] = &[b"http/1.1"];
/// The protocols that the gateway speaks.
pub(crate) const GATEWAY: &[&[u8]] = &[b"h2", b"http/1.1"];

/// TLS 1.2 and 1.3 with aws-lc-rs, X25519MLKEM768 first.
pub(crate) fn server(chain: &Path, key: &Path, protocols: &[&[u8]]) -> Result<Arc<ServerConfig>, Problem> {
    let certificates = CertificateDer::pem_file_iter(chain)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(|error| Problem::new(format!("cannot read the certificate {}: {error}", chain.display())))?;
    let key = PrivateKeyDer::from_pem_file(key)
        .map_err(|error| Problem::new(format!("cannot read the key {}: {error}", key.display())))?;
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(Problem::from_error("TLS"))?
        .with_no_client_auth()
        .with_single_cert(certificates, key)
        .map_err(Problem::from_error("certificate and key do not fit"))?;
    config.alpn_protocols = protocols.iter().map(|name| name.to_vec()).collect();
    Ok(Arc::new(config))
}
