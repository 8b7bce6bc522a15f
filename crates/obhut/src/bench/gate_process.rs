//! A gateway in a process of its own, in front of an app, in a house that is removed with it.

use super::process;
use crate::system::Problem;
use serde_json::Value;
use std::io::{BufRead, BufReader};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// A process that is ended when this is dropped.
pub(crate) struct Ended(pub(crate) Child);

impl Drop for Ended {
    fn drop(&mut self) {
        drop(self.0.stdin.take());
        for pid in process::children(self.0.id()) {
            if let Some(pid) = rustix::process::Pid::from_raw(i32::try_from(pid).unwrap_or(0)) {
                let _ = rustix::process::kill_process(pid, rustix::process::Signal::TERM);
            }
        }
        if self.0.stdout.is_none() {
            let _ = self.0.kill();
        }
        let _ = self.0.wait();
    }
}

/// A folder that is removed when this is dropped.
pub(crate) struct Folder(pub(crate) PathBuf);

impl Folder {
    /// A new one, for this user alone, beside other temporary files.
    pub(crate) fn temporary() -> Result<Self, Problem> {
        let name: [u8; 6] = model::clock::random(&seal::SystemEntropy);
        let path =
            std::env::temp_dir().join(format!("obhut-bench-{}", data_encoding::HEXLOWER.encode(&name)));
        crate::wiring::private_folder(&path)?;
        Ok(Self(path))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// The gateway.
pub(crate) struct Gate {
    child: Ended,
    /// Where it listens, over TLS.
    pub(crate) door: SocketAddr,
    /// The folder of its house.
    house: PathBuf,
}

impl Gate {
    /// Starts one with a house in `house` in front of `app`; what an app would answer is written to `pages`. Its shield has
    /// the rules of a folder; without one nothing is inspected.
    pub(crate) fn start(
        house: PathBuf,
        app: SocketAddr,
        pages: &Path,
        rules: Option<&Path>,
    ) -> Result<Self, Problem> {
        let mut command = Command::new(std::env::current_exe()?);
        let mut child = command
            .args(["bench", "gate", "--data"])
            .arg(&house)
            .args(["--app", &app.to_string(), "--pages"])
            .arg(pages)
            .args(rules.iter().flat_map(|rules| [Path::new("--rules"), *rules]))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let mut line = String::new();
        if let Some(out) = child.stdout.as_mut() {
            BufReader::new(out).read_line(&mut line)?;
        }
        let child = Ended(child);
        let hello: Value =
            serde_json::from_str(&line).map_err(Problem::from_error("the gateway did not start"))?;
        let port = hello["port"].as_u64().and_then(|port| u16::try_from(port).ok());
        let port = port.ok_or_else(|| Problem::new("the gateway does not listen"))?;
        Ok(Self { child, door: SocketAddr::from((Ipv4Addr::LOCALHOST, port)), house })
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.0.id()
    }

    /// Its certificate chain, the key of it, or the authority that signed it.
    pub(crate) fn tls(&self, file: &str) -> PathBuf {
        self.house.join("tls").join(file)
    }
}
