//! Connections to the gateway, and the tasks that use them.

use super::slow::Braked;
use crate::bench::gate_process::Gate;
use crate::system::Problem;
use rustls::ClientConfig;
use rustls_pki_types::ServerName;
use socket2::SockRef;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use tokio::io::AsyncReadExt;
use tokio::net::TcpSocket;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

/// Connections of one address: the gateway takes 1,024.
const OF_ONE: usize = 500;
/// Handshakes at the same time.
const AT_ONCE: usize = 64;
/// What the kernel may hold for a slow reader, in bytes; left alone it would take the answer as a whole.
const RECEIVED: u32 = 16 << 10;
/// Bytes of a segment to a slow reader, as over Ethernet. With those of the loopback, of 64 KiB, the kernel holds 2.6 MB
/// of what the gateway has written to each, and of 1,000 more than it has for TCP altogether.
const SEGMENT: u32 = 1_460;
/// Longest head of an answer.
const HEAD: usize = 16 << 10;

/// A connection over TLS.
pub(crate) type Wire = TlsStream<Braked>;

/// What a connection speaks, and for what it is used.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Use {
    Http1,
    Http1Slow,
    Http2Slow,
}

/// Where the clients go.
#[derive(Clone)]
pub(crate) struct Target {
    door: SocketAddr,
    http1: Arc<ClientConfig>,
    http2: Arc<ClientConfig>,
}

impl Target {
    pub(crate) fn of(gate: &Gate) -> Result<Self, Problem> {
        let mut config = (*crate::client::trusting(&gate.tls("authority.pem"))?).clone();
        // Clients that do not know each other have no session in common.
        config.resumption = rustls::client::Resumption::disabled();
        let http1 = Arc::new(config.clone());
        config.alpn_protocols = vec![b"h2".to_vec()];
        Ok(Self { door: gate.door, http1, http2: Arc::new(config) })
    }

    /// One connection, from the address that this number has.
    pub(crate) async fn connect(&self, number: usize, how: Use) -> Result<Wire, Problem> {
        let last = u8::try_from(2 + number / OF_ONE).map_err(Problem::from_error("too many clients"))?;
        let socket = TcpSocket::new_v4()?;
        if how != Use::Http1 {
            socket.set_recv_buffer_size(RECEIVED)?;
            SockRef::from(&socket).set_tcp_mss(SEGMENT)?;
        }
        socket.bind(SocketAddr::from((Ipv4Addr::new(127, 0, 0, last), 0)))?;
        let stream = socket.connect(self.door).await?;
        stream.set_nodelay(true)?;
        let config = if how == Use::Http2Slow { &self.http2 } else { &self.http1 };
        let name = ServerName::try_from("localhost").map_err(Problem::from_error("the name"))?;
        Ok(TlsConnector::from(config.clone()).connect(name, Braked::new(stream)).await?)
    }

    /// So many connections, none of which is used yet.
    pub(crate) async fn connect_all(&self, count: usize, how: Use) -> Result<Vec<Wire>, Problem> {
        let room = Arc::new(Semaphore::new(AT_ONCE));
        let mut connecting = JoinSet::new();
        for number in 0..count {
            let (target, room) = (self.clone(), room.clone());
            connecting.spawn(async move {
                let _place = room.acquire().await.map_err(Problem::from_error("connecting"))?;
                target.connect(number, how).await
            });
        }
        let mut wires = Vec::with_capacity(count);
        while let Some(connected) = connecting.join_next().await {
            wires.push(connected.map_err(Problem::from_error("a client"))??);
        }
        Ok(wires)
    }
}

/// Clients at work.
#[derive(Default)]
pub(crate) struct Crowd(JoinSet<Result<(), Problem>>);

impl Crowd {
    pub(crate) fn add(&mut self, client: impl Future<Output = Result<(), Problem>> + Send + 'static) {
        self.0.spawn(client);
    }

    /// Waits for all. One that failed makes the measurement worthless: there was less to hold than is said.
    pub(crate) async fn end(mut self) -> Result<(), Problem> {
        let (mut failed, mut first) = (0, None);
        while let Some(ended) = self.0.join_next().await {
            if let Err(problem) = ended.map_err(Problem::from_error("a client"))? {
                failed += 1;
                first.get_or_insert(problem);
            }
        }
        match first {
            None => Ok(()),
            Some(first) => Err(Problem::new(format!("{failed} clients failed, the first: {}", first.what))),
        }
    }
}

/// The head of an answer over HTTP/1.1.
pub(crate) struct Head {
    text: String,
    /// Bytes of the body that came with it.
    pub(crate) begun: usize,
}

impl Head {
    /// Reads one that must say 200.
    pub(crate) async fn read(wire: &mut Wire) -> Result<Self, Problem> {
        let mut read = Vec::new();
        loop {
            if let Some(at) = memchr::memmem::find(&read, b"\r\n\r\n") {
                let head = Self {
                    text: String::from_utf8_lossy(&read[..at]).into_owned(),
                    begun: read.len() - at - 4,
                };
                let is_well = head.text.starts_with("HTTP/1.1 200 ");
                let line = head.text.lines().next().unwrap_or_default();
                return if is_well { Ok(head) } else { Err(Problem::new(format!("answered {line}"))) };
            }
            if wire.read_buf(&mut read).await? == 0 || read.len() > HEAD {
                return Err(Problem::new("no answer came"));
            }
        }
    }

    /// A header that is a number.
    pub(crate) fn number(&self, name: &str) -> Option<u64> {
        let mut lines = self.text.lines().filter_map(|line| line.split_once(':'));
        let (_, value) = lines.find(|(one, _)| one.eq_ignore_ascii_case(name))?;
        value.trim().parse().ok()
    }
}
