//! A small HTTPS client for the demo's own story: one keep-alive connection, one trusted authority, JSON.

use crate::system::Problem;
use bytes::Bytes;
use http::{Method, Request, StatusCode};
use http_body_util::{BodyExt, Full, Limited};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use rustls::{ClientConfig, RootCertStore};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, ServerName};
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

/// Most bytes of an answer.
const LARGEST: usize = 64 << 20;

/// One connection to the house.
pub(crate) struct Client {
    sender: SendRequest<Full<Bytes>>,
    host: String,
}

/// An answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) body: Bytes,
}

impl Answer {
    /// The body as JSON; null when it is none.
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }
}

/// TLS settings that trust one authority alone.
pub(crate) fn trusting(authority: &Path) -> Result<Arc<ClientConfig>, Problem> {
    let mut roots = RootCertStore::empty();
    let certificate =
        CertificateDer::from_pem_file(authority).map_err(Problem::from_error("the authority"))?;
    roots.add(certificate).map_err(Problem::from_error("the authority"))?;
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(Problem::from_error("TLS"))?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(Arc::new(config))
}

impl Client {
    /// Connects to `localhost` at this address.
    pub(crate) async fn connect(address: SocketAddr, tls: Arc<ClientConfig>) -> Result<Self, Problem> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        let name = ServerName::try_from("localhost").map_err(Problem::from_error("the name"))?;
        let stream = TlsConnector::from(tls).connect(name, stream).await?;
        let (sender, connection) =
            handshake(TokioIo::new(stream)).await.map_err(Problem::from_error("HTTP"))?;
        tokio::spawn(connection);
        Ok(Self { sender, host: format!("localhost:{}", address.port()) })
    }

    /// Sends a request and reads the whole answer.
    pub(crate) async fn send(
        &mut self,
        method: Method,
        path: &str,
        key: Option<&str>,
        body: Option<&serde_json::Value>,
    ) -> Result<Answer, Problem> {
        let mut request = Request::builder().method(method).uri(path).header("host", &self.host);
        if let Some(key) = key {
            request = request.header("authorization", format!("Bearer {key}"));
        }
        let body = match body {
            Some(body) => {
                request = request.header("content-type", "application/json");
                Bytes::from(body.to_string())
            }
            None => Bytes::new(),
        };
        let request = request.body(Full::new(body)).map_err(Problem::from_error("the request"))?;
        self.sender.ready().await.map_err(Problem::from_error("HTTP"))?;
        let response = self.sender.send_request(request).await.map_err(Problem::from_error("HTTP"))?;
        let status = response.status();
        let body = Limited::new(response.into_body(), LARGEST).collect().await;
        let body = body.map_err(|error| Problem::new(format!("HTTP: {error}")))?.to_bytes();
        Ok(Answer { status, body })
    }
}
