//! A small browser for the demo's own story: TLS, cookies, forms.

use crate::system::Problem;
use bytes::Bytes;
use http::header::{CONTENT_TYPE, COOKIE, HOST, LOCATION, SET_COOKIE};
use http::{HeaderMap, Method, Request, StatusCode};
use http_body_util::{BodyExt, Full, Limited};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use rustls::ClientConfig;
use rustls_pki_types::ServerName;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

/// Most bytes of a page.
const LARGEST: usize = 16 << 20;

/// One user with her cookies.
pub(crate) struct Browser {
    address: SocketAddr,
    tls: Option<Arc<ClientConfig>>,
    sender: Option<SendRequest<Full<Bytes>>>,
    cookies: BTreeMap<String, String>,
}

/// A page that came back.
#[derive(Debug)]
pub(crate) struct Page {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
}

impl Page {
    /// Where it leads.
    pub(crate) fn location(&self) -> &str {
        self.headers.get(LOCATION).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    /// The value of a control of this name.
    pub(crate) fn control(&self, name: &str) -> String {
        let marked = format!("name=\"{name}\"");
        let Some(at) = self.text.find(&marked) else { return String::new() };
        let rest = &self.text[at + marked.len()..];
        let tag = rest.split('>').next().unwrap_or_default();
        let raw = match tag.find("value=\"") {
            Some(at) => tag[at + 7..].split('"').next().unwrap_or_default(),
            None => rest.split_once('>').and_then(|(_, text)| text.split('<').next()).unwrap_or_default(),
        };
        let plain =
            [("&quot;", "\""), ("&#39;", "'"), ("&#96;", "`"), ("&lt;", "<"), ("&gt;", ">"), ("&amp;", "&")];
        plain.iter().fold(raw.to_owned(), |text, (from, to)| text.replace(from, to))
    }
}

impl Browser {
    /// A new browser for `localhost` at this address; without `tls` in clear text.
    pub(crate) fn new(address: SocketAddr, tls: Option<Arc<ClientConfig>>) -> Self {
        Self { address, tls, sender: None, cookies: BTreeMap::new() }
    }

    async fn connect(&self) -> Result<SendRequest<Full<Bytes>>, Problem> {
        let stream = TcpStream::connect(self.address).await?;
        stream.set_nodelay(true)?;
        let failed = Problem::from_error::<hyper::Error>;
        let Some(tls) = &self.tls else {
            let (sender, connection) = handshake(TokioIo::new(stream)).await.map_err(failed("HTTP"))?;
            tokio::spawn(connection);
            return Ok(sender);
        };
        let name = ServerName::try_from("localhost").map_err(Problem::from_error("the name"))?;
        let stream = TlsConnector::from(tls.clone()).connect(name, stream).await?;
        let (sender, connection) = handshake(TokioIo::new(stream)).await.map_err(failed("HTTP"))?;
        tokio::spawn(connection);
        Ok(sender)
    }

    /// Sends a request with the cookies so far.
    pub(crate) async fn send(
        &mut self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: impl Into<Bytes>,
    ) -> Result<Page, Problem> {
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .header(HOST, format!("localhost:{}", self.address.port()));
        if !self.cookies.is_empty() {
            let all: Vec<String> =
                self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
            request = request.header(COOKIE, all.join("; "));
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(Full::new(body.into())).map_err(Problem::from_error("the request"))?;
        let mut sender = match self.sender.take().filter(|sender| !sender.is_closed()) {
            Some(sender) => sender,
            None => self.connect().await?,
        };
        sender.ready().await.map_err(Problem::from_error("HTTP"))?;
        let response = sender.send_request(request).await.map_err(Problem::from_error("HTTP"))?;
        let (head, body) = response.into_parts();
        let body = Limited::new(body, LARGEST).collect().await;
        let body = body.map_err(|error| Problem::new(format!("HTTP: {error}")))?.to_bytes();
        self.sender = Some(sender);
        for cookie in head.headers.get_all(SET_COOKIE).iter().filter_map(|value| value.to_str().ok()) {
            if let Some((name, value)) = cookie.split(';').next().and_then(|pair| pair.split_once('=')) {
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
        }
        let text = String::from_utf8_lossy(&body).into_owned();
        Ok(Page { status: head.status, headers: head.headers, text })
    }

    pub(crate) async fn get(&mut self, path: &str) -> Result<Page, Problem> {
        self.send(Method::GET, path, &[], Bytes::new()).await
    }

    /// Opens a page with a form, changes some of its fields, and sends it.
    pub(crate) async fn fill(
        &mut self,
        page: &str,
        action: &str,
        names: &[&str],
        changes: &[(&str, &str)],
    ) -> Result<Page, Problem> {
        let form = self.get(page).await?;
        let mut body = format!("csrf={}", encoded(&form.control("csrf")));
        for name in names {
            let changed = changes.iter().find(|(one, _)| one == name).map(|(_, value)| (*value).to_owned());
            let value = changed.unwrap_or_else(|| form.control(name));
            body.push_str(&format!("&{name}={}", encoded(&value)));
        }
        let kind = [(CONTENT_TYPE.as_str(), "application/x-www-form-urlencoded")];
        self.send(Method::POST, action, &kind, body).await
    }

    /// Signs in.
    pub(crate) async fn sign_in(&mut self, login: &str, password: &str) -> Result<bool, Problem> {
        let fields = ["login", "password"];
        let page =
            self.fill("/sign-in", "/sign-in", &fields, &[("login", login), ("password", password)]).await?;
        Ok(page.status == StatusCode::SEE_OTHER)
    }
}

/// A value of a form as it goes over the wire.
pub(crate) fn encoded(text: &str) -> String {
    let mut out = String::with_capacity(text.len() * 3);
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._".contains(&byte) {
            out.push(byte as char);
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}
