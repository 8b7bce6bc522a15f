//! The peer: nginx with a static 90-byte answer over TLS, in the same run.

use super::process;
use crate::system::Problem;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// A running nginx, ended when dropped.
pub(crate) struct Nginx {
    child: Child,
    pub(crate) address: SocketAddr,
}

impl Drop for Nginx {
    fn drop(&mut self) {
        let workers = process::children(self.child.id());
        // Without its master a worker ends by itself; both are waited for by the system.
        let _ = self.child.kill();
        let _ = self.child.wait();
        for pid in workers {
            if let Some(pid) = rustix::process::Pid::from_raw(i32::try_from(pid).unwrap_or(0)) {
                let _ = rustix::process::kill_process(pid, rustix::process::Signal::TERM);
            }
        }
    }
}

impl Nginx {
    /// Starts nginx in `folder`; `None` when it is not installed.
    pub(crate) fn start(folder: &Path, chain: &Path, key: &Path) -> Result<Option<Self>, Problem> {
        let port = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port();
        let folder = folder.join("nginx");
        std::fs::create_dir_all(&folder)?;
        let body = "x".repeat(90);
        let config = format!(
            "daemon off; worker_processes 2; pid {dir}/pid; error_log {dir}/error.log;\n\
             events {{ worker_connections 1024; }}\n\
             http {{ access_log off; keepalive_requests 100000000; client_body_temp_path {dir}/b;\n\
             proxy_temp_path {dir}/p; fastcgi_temp_path {dir}/f; uwsgi_temp_path {dir}/u; scgi_temp_path {dir}/s;\n\
             server {{ listen 127.0.0.1:{port} ssl; ssl_certificate {chain}; ssl_certificate_key {key};\n\
             location / {{ default_type text/plain; return 200 '{body}'; }} }} }}\n",
            dir = folder.display(),
            chain = chain.display(),
            key = key.display(),
        );
        let file = folder.join("nginx.conf");
        std::fs::write(&file, config)?;
        let started = ["/usr/sbin/nginx", "nginx"].into_iter().find_map(|program| {
            Command::new(program)
                .arg("-c")
                .arg(&file)
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .spawn()
                .ok()
        });
        let Some(child) = started else { return Ok(None) };
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let nginx = Self { child, address };
        for _ in 0..50 {
            if std::net::TcpStream::connect(address).is_ok() {
                return Ok(Some(nginx));
            }
            std::thread::sleep(Duration::from_millis(100));
        }
        Err(Problem::new("nginx was started but does not answer"))
    }

    /// Its processes that serve.
    pub(crate) fn pids(&self) -> Vec<u32> {
        process::children(self.child.id())
    }
}
