//! A request as the rules see it: as it came, before anything is taken off or put in.

use crate::exchange::{Asked, Way};
use data_encoding::BASE32_NOPAD;
use http::header::{HeaderName, HeaderValue};
use http::{Method, Version, header};
use shield::{Context, Head, Transaction, Verdict};

/// Characters of a reference.
const REFERENCE: usize = 10;

/// The head of a request, to be taken along.
pub(super) struct OwnHead {
    method: Method,
    target: String,
    protocol: &'static str,
    headers: Vec<(HeaderName, HeaderValue)>,
}

impl OwnHead {
    pub(super) fn of(asked: &Asked) -> Self {
        let target = match &asked.query {
            Some(query) => format!("{}?{query}", asked.path),
            None => asked.path.clone(),
        };
        let protocol = match asked.version {
            Version::HTTP_09 => "HTTP/0.9",
            Version::HTTP_10 => "HTTP/1.0",
            Version::HTTP_2 => "HTTP/2.0",
            Version::HTTP_3 => "HTTP/3.0",
            _ => "HTTP/1.1",
        };
        let mut headers = Vec::with_capacity(asked.headers.len() + 1);
        if !asked.headers.contains_key(header::HOST) {
            // `:authority` of HTTP/2, which comes first.
            headers.push((header::HOST, asked.host.clone()));
        }
        headers.extend(asked.headers.iter().map(|(name, value)| (name.clone(), value.clone())));
        Self { method: asked.method.clone(), target, protocol, headers }
    }

    /// Bytes of it.
    pub(super) fn len(&self) -> usize {
        let headers = self.headers.iter().map(|(name, value)| name.as_str().len() + value.len());
        self.target.len() + headers.sum::<usize>()
    }

    pub(super) fn inspect(&self, transaction: &mut Transaction) -> Option<Verdict> {
        let headers: Vec<(&[u8], &[u8])> =
            self.headers.iter().map(|(name, value)| (name.as_str().as_bytes(), value.as_bytes())).collect();
        transaction.request_head(&Head {
            method: self.method.as_str().as_bytes(),
            target: self.target.as_bytes(),
            protocol: self.protocol.as_bytes(),
            headers: &headers,
        })
    }
}

/// Ten letters and digits that nobody can foresee.
pub(super) fn reference(way: Way<'_>) -> String {
    let mut bytes = [0; 7];
    way.gateway.entropy.fill(&mut bytes);
    let mut text = BASE32_NOPAD.encode(&bytes);
    text.truncate(REFERENCE);
    text
}

/// Who asks, and when.
pub(super) fn context(way: Way<'_>, asked: &Asked, reference: &str) -> Context {
    let origin = asked.origin(way.setup);
    let client = crate::headers::client(&asked.headers, &origin);
    Context {
        client,
        // The port is that of the proxy where there is one, and says nothing about the client.
        client_port: if client == asked.peer.address { asked.peer.port } else { 0 },
        server: asked.peer.local.ip(),
        server_port: asked.peer.local.port(),
        id: reference.to_owned(),
        now: u64::try_from(way.gateway.clock.now().0.div_euclid(1_000)).unwrap_or(0),
    }
}
