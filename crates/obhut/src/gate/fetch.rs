//! Fetches one page of the app, as its user sees it: over verified TLS, or in clear text on this machine alone; from one
//! host; within limits. Nothing is followed but a few redirects on the same host. And fetches a file of which a digest is
//! known: over verified TLS alone, also where the page with the file sends on to another host.

use crate::system::Problem;
use bytes::Bytes;
use gateway::trying::Exchange;
use http::header::{CONTENT_TYPE, COOKIE, HOST, HeaderName, HeaderValue, LOCATION};
use http::{Request, Response};
use http_body_util::{BodyExt, Empty, Limited};
use hyper::body::Incoming;
use hyper::client::conn::http1::handshake;
use hyper_util::rt::TokioIo;
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, ServerName};
use std::net::{IpAddr, ToSocketAddrs};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

/// Largest page.
const LARGEST: usize = 16 << 20;
/// Longest wait for everything.
const LONGEST: Duration = Duration::from_secs(30);
/// Longest wait for a whole file.
const LONGEST_FILE: Duration = Duration::from_secs(300);
/// Most redirects.
const REDIRECTS: usize = 5;
/// Largest file with headers or cookies.
const FILE: u64 = 64 << 10;
/// Where systems keep the authorities that they trust.
const SYSTEM: [&str; 3] =
    ["/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/cert.pem"];

/// What a user shows of herself.
#[derive(Default)]
pub(crate) struct Session {
    headers: Vec<(HeaderName, HeaderValue)>,
}

/// A page that came.
pub(crate) struct Fetched {
    pub(crate) exchange: Exchange,
    pub(crate) host: String,
    /// As `upstream` would have it, for an app on this machine.
    pub(crate) upstream: Option<String>,
}

/// An address, taken apart.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Address {
    is_tls: bool,
    name: String,
    port: u16,
    target: String,
}

impl Session {
    /// Reads headers and cookies from files.
    pub(crate) fn read(headers: Option<&Path>, cookies: Option<&Path>) -> Result<Self, Problem> {
        let mut all = Vec::new();
        for line in lines(headers)? {
            let pair = line.split_once(':').and_then(|(name, value)| {
                let mut value: HeaderValue = value.trim().parse().ok()?;
                value.set_sensitive(true);
                Some((name.trim().parse().ok()?, value))
            });
            all.push(pair.ok_or_else(|| Problem::new("the file with headers has a line that is none"))?);
        }
        let cookies = lines(cookies)?.join("; ");
        if !cookies.is_empty() {
            let value = cookies.parse().map_err(|_| Problem::new("the file with cookies holds none"))?;
            all.push((COOKIE, value));
        }
        Ok(Self { headers: all })
    }
}

fn lines(file: Option<&Path>) -> Result<Vec<String>, Problem> {
    use std::io::Read;
    let Some(file) = file else { return Ok(Vec::new()) };
    let opened = std::fs::File::open(file);
    let opened = opened.map_err(|error| Problem::new(format!("cannot read {}: {error}", file.display())))?;
    let mut text = String::new();
    opened.take(FILE).read_to_string(&mut text)?;
    Ok(text.lines().map(str::trim).filter(|line| !line.is_empty()).map(str::to_owned).collect())
}

impl Address {
    fn parse(url: &str) -> Option<Self> {
        let (is_tls, rest) = match url.strip_prefix("https://") {
            Some(rest) => (true, rest),
            None => (false, url.strip_prefix("http://")?),
        };
        let rest = rest.split('#').next()?;
        let end = rest.find(['/', '?']).unwrap_or(rest.len());
        let (authority, target) = rest.split_at(end);
        let target = if target.starts_with('/') { target.to_owned() } else { format!("/{target}") };
        let (name, port) = match authority.rsplit_once(':').filter(|(_, port)| !port.contains(']')) {
            Some((name, port)) => (name, port.parse().ok()?),
            None => (authority, if is_tls { 443 } else { 80 }),
        };
        let fits = !name.is_empty() && !name.contains('@');
        fits.then(|| Self { is_tls, name: name.to_owned(), port, target })
    }

    fn bare(&self) -> &str {
        self.name.trim_start_matches('[').trim_end_matches(']')
    }

    fn host(&self) -> String {
        format!("{}:{}", self.name, self.port)
    }

    /// Where a redirect leads, on the same host.
    fn redirected(&self, location: &str) -> Option<Self> {
        let next = match location.starts_with('/') && !location.starts_with("//") {
            true => Self { target: location.to_owned(), ..self.clone() },
            false => Self::parse(location)?,
        };
        let same = next.is_tls == self.is_tls && next.host().eq_ignore_ascii_case(&self.host());
        same.then_some(next)
    }

    /// Where a redirect leads, on any host, over TLS.
    fn sent_on(&self, location: &str) -> Option<Self> {
        let next = match location.starts_with('/') && !location.starts_with("//") {
            true => Self { target: location.to_owned(), ..self.clone() },
            false => Self::parse(location)?,
        };
        next.is_tls.then_some(next)
    }

    /// Connects; clear text stays on this machine.
    async fn connect(&self) -> Result<TcpStream, Problem> {
        let all = (self.bare(), self.port).to_socket_addrs();
        let all: Vec<_> = all.map_err(Problem::from_error("the host"))?.collect();
        let loopback = |ip: IpAddr| ip.is_loopback();
        if !self.is_tls && !all.iter().all(|address| loopback(address.ip().to_canonical())) {
            return Err(Problem::with_help(
                "clear text leaves this machine only over TLS",
                "use https://, or save the page as a file",
            ));
        }
        let stream = TcpStream::connect(all.as_slice()).await;
        stream.map_err(|error| Problem::new(format!("cannot reach {}: {error}", self.host())))
    }
}

/// Fetches a page.
pub(crate) async fn page(url: &str, session: &Session, authority: Option<&Path>) -> Result<Fetched, Problem> {
    let mut address = Address::parse(url).ok_or_else(|| {
        Problem::with_help("this is no address of a page", "it looks like https://app.example/workers")
    })?;
    let fetching = async {
        for _ in 0..=REDIRECTS {
            let response = ask(&address, session, authority).await?;
            let location = response.headers().get(LOCATION).and_then(|value| value.to_str().ok());
            match location.filter(|_| response.status().is_redirection()) {
                None => return taken(&address, response).await,
                Some(to) => {
                    address = address.redirected(to).ok_or_else(|| {
                        Problem::with_help(
                            "the app sends elsewhere, to another host",
                            "name that address itself",
                        )
                    })?;
                }
            }
        }
        Err(Problem::new("the app redirects again and again; is a session missing (--cookie-file)?"))
    };
    tokio::time::timeout(LONGEST, fetching)
        .await
        .map_err(|_| Problem::new("the app took longer than 30 s"))?
}

/// Fetches a file of at most `largest` bytes.
pub(crate) async fn file(url: &str, authority: Option<&Path>, largest: usize) -> Result<Bytes, Problem> {
    let address = Address::parse(url).filter(|address| address.is_tls);
    let mut address = address.ok_or_else(|| {
        Problem::with_help("this is no https address", "it looks like https://mirror.example/rules.tar.gz")
    })?;
    let fetching = async {
        for _ in 0..=REDIRECTS {
            let response = ask(&address, &Session::default(), authority).await?;
            let location = response.headers().get(LOCATION).and_then(|value| value.to_str().ok());
            if let Some(to) = location.filter(|_| response.status().is_redirection()) {
                address = address.sent_on(to).ok_or_else(|| {
                    Problem::with_help(
                        "the server sends on to a place without TLS",
                        "take the file from elsewhere",
                    )
                })?;
                continue;
            }
            if response.status() != http::StatusCode::OK {
                return Err(Problem::new(format!("{} answers {}", address.host(), response.status())));
            }
            let body = Limited::new(response.into_body(), largest).collect().await;
            return Ok(body
                .map_err(|_| {
                    Problem::new(format!("the file broke off, or is larger than {} MiB", largest >> 20))
                })?
                .to_bytes());
        }
        Err(Problem::new("the server redirects again and again"))
    };
    tokio::time::timeout(LONGEST_FILE, fetching)
        .await
        .map_err(|_| Problem::new("the file took longer than five minutes"))?
}

async fn ask(
    address: &Address,
    session: &Session,
    authority: Option<&Path>,
) -> Result<Response<Incoming>, Problem> {
    let stream = address.connect().await?;
    if !address.is_tls {
        return send(stream, address, session).await;
    }
    let tls = match authority {
        Some(file) => crate::client::trusting(file)?,
        None => trusting_system()?,
    };
    let name = ServerName::try_from(address.bare().to_owned()).map_err(Problem::from_error("the name"))?;
    let stream = TlsConnector::from(tls).connect(name, stream).await.map_err(|error| {
        Problem::with_help(
            format!("no trusted TLS: {error}"),
            "--authority FILE names the authority of the app",
        )
    })?;
    send(stream, address, session).await
}

fn trusting_system() -> Result<Arc<rustls::ClientConfig>, Problem> {
    let file = SYSTEM.iter().find(|file| Path::new(file).is_file());
    let file =
        file.ok_or_else(|| Problem::new("no authorities of the system were found; use --authority"))?;
    let mut roots = rustls::RootCertStore::empty();
    let all = CertificateDer::pem_file_iter(file).map_err(Problem::from_error("the authorities"))?;
    // Some of a system's bundle may be of a kind that we do not take.
    roots.add_parsable_certificates(all.filter_map(Result::ok));
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let config = config.map_err(Problem::from_error("TLS"))?;
    Ok(Arc::new(config.with_root_certificates(roots).with_no_client_auth()))
}

async fn send<S>(stream: S, address: &Address, session: &Session) -> Result<Response<Incoming>, Problem>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let (mut sender, connection) =
        handshake(TokioIo::new(stream)).await.map_err(Problem::from_error("HTTP"))?;
    tokio::spawn(connection);
    let mut request =
        Request::get(&address.target).header("accept", "text/html, application/json;q=0.9, */*;q=0.1");
    let standard = if address.is_tls { 443 } else { 80 };
    let host = if address.port == standard { address.name.clone() } else { address.host() };
    request = request.header(HOST, host);
    for (name, value) in &session.headers {
        request = request.header(name, value);
    }
    let request = request.body(Empty::<Bytes>::new()).map_err(Problem::from_error("the request"))?;
    sender.send_request(request).await.map_err(Problem::from_error("HTTP"))
}

async fn taken(address: &Address, response: Response<Incoming>) -> Result<Fetched, Problem> {
    let (head, body) = response.into_parts();
    let body = Limited::new(body, LARGEST).collect().await;
    let body = body.map_err(|_| Problem::new("the page broke off, or is larger than 16 MiB"))?.to_bytes();
    let kind = head.headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let exchange = Exchange {
        kind: kind.to_owned(),
        status: head.status.as_u16(),
        ..Exchange::page(&address.target, body.to_vec())
    };
    let upstream = (!address.is_tls).then(|| format!("http://{}", address.host()));
    Ok(Fetched { exchange, host: address.host(), upstream })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_taken_apart() {
        let parsed = |url: &str| Address::parse(url).map(|one| (one.is_tls, one.host(), one.target));
        let some = |tls: bool, host: &str, target: &str| Some((tls, host.to_owned(), target.to_owned()));
        assert_eq!(parsed("https://app.example"), some(true, "app.example:443", "/"));
        assert_eq!(parsed("http://[::1]:8000/a?b=c#d"), some(false, "[::1]:8000", "/a?b=c"));
        assert_eq!(parsed("http://[::1]?x"), some(false, "[::1]:80", "/?x"));
        for none in ["ftp://a", "https://", "https://user:secret@app.example/", "https://a:port/"] {
            assert_eq!(parsed(none), None, "{none}");
        }
    }

    #[test]
    fn redirects_stay_on_the_host() {
        let address = Address::parse("https://app.example/a").expect("an address");
        let leads = |to: &str| address.redirected(to).map(|next| next.target);
        assert_eq!(leads("/b?c").as_deref(), Some("/b?c"));
        assert_eq!(leads("https://APP.example:443/d").as_deref(), Some("/d"));
        for elsewhere in [
            "//other.example/",
            "https://other.example/",
            "http://app.example/a",
            "https://app.example:8443/",
        ] {
            assert_eq!(leads(elsewhere), None, "{elsewhere}");
        }
    }

    #[test]
    fn a_file_may_lie_on_another_host_but_never_without_tls() {
        let address = Address::parse("https://releases.example/a").expect("an address");
        let leads = |to: &str| address.sent_on(to).map(|next| next.host() + &next.target);
        assert_eq!(leads("/b").as_deref(), Some("releases.example:443/b"));
        assert_eq!(leads("https://files.example/c").as_deref(), Some("files.example:443/c"));
        for without in
            ["http://releases.example/a", "http://127.0.0.1/a", "//files.example/c", "ftp://files.example/"]
        {
            assert_eq!(leads(without), None, "{without}");
        }
    }

    #[tokio::test]
    async fn clear_text_leaves_this_machine_never() {
        let refused = page("http://192.0.2.1/", &Session::default(), None).await;
        assert!(refused.is_err_and(|problem| problem.what.contains("clear text")));
    }
}
