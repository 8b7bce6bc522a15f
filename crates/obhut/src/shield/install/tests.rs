use super::*;
use flate2::Compression;
use flate2::write::GzEncoder;
use gateway::config::ShieldTable;
use std::fs;

/// An archive of a small rule set of this version, which refuses one address; and its digest.
fn release(dir: &Path, version: &str, rules: &str) -> (String, String) {
    let mut builder = tar::Builder::new(GzEncoder::new(Vec::new(), Compression::fast()));
    let mut add = |path: &str, text: &str| {
        let mut header = tar::Header::new_gnu();
        header.set_size(text.len() as u64);
        header.set_mode(0o644);
        builder
            .append_data(&mut header, format!("coreruleset-{version}/{path}"), text.as_bytes())
            .expect("packed");
    };
    add("crs-setup.conf.example", "# settings\n");
    add("rules/REQUEST-901-INITIALIZATION.conf", &format!("SecComponentSignature \"OWASP_CRS/{version}\"\n"));
    add("rules/REQUEST-920-PROTOCOL.conf", rules);
    let bytes = builder.into_inner().expect("packed").finish().expect("packed");
    let path = dir.join(format!("{version}.tar.gz"));
    fs::write(&path, &bytes).expect("written");
    (path.display().to_string(), HEXLOWER.encode(&seal::sha256(&bytes)))
}

const RULE: &str =
    "SecRule REQUEST_URI \"@contains secret\" \"id:920900,phase:1,deny,status:403,log,msg:'no'\"\n";

struct Run {
    dir: tempfile::TempDir,
}

impl Run {
    fn new() -> Self {
        Self { dir: tempfile::tempdir().expect("folder") }
    }

    fn place(&self) -> PathBuf {
        self.dir.path().join("versions")
    }

    fn args(&self, what: &str, digest: Option<&str>) -> Args {
        Args {
            what: Some(what.to_owned()),
            sha256: digest.map(str::to_owned),
            into: Some(self.place()),
            config: None,
            authority: None,
            rollback: false,
        }
    }

    /// Installs, and says whether that went well, and what was said.
    fn install(&self, what: &str, digest: &str) -> (bool, String) {
        self.go(&self.args(what, Some(digest)))
    }

    fn go(&self, args: &Args) -> (bool, String) {
        let mut out = Vec::new();
        let code = run(args, &mut out).expect("done");
        (code == ExitCode::SUCCESS, String::from_utf8(out).expect("text"))
    }

    fn roll_back(&self) -> (bool, String) {
        self.go(&Args { what: None, rollback: true, ..self.args("", None) })
    }

    /// The version that counts, as the loader finds it.
    fn current(&self) -> Option<String> {
        let table = ShieldTable { rules: Some(self.place()), ..ShieldTable::default() };
        let loaded = rules::load(&table, Path::new("")).ok()?;
        Some(loaded.kind.to_string())
    }

    /// What lies in the folder.
    fn names(&self) -> Vec<String> {
        let entries = fs::read_dir(self.place()).into_iter().flatten().flatten();
        let mut names: Vec<_> =
            entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
        names.sort();
        names
    }
}

#[test]
fn versions_are_installed_switched_and_rolled_back() {
    let run = Run::new();
    let (first, first_digest) = release(run.dir.path(), "4.1.0", RULE);
    let (second, second_digest) = release(run.dir.path(), "4.2.0", RULE);
    let (done, said) = run.install(&first, &first_digest);
    assert!(done && said.contains("OWASP CRS 4.1.0 is installed") && said.contains("rules = \""), "{said}");
    assert_eq!(run.current().as_deref(), Some("OWASP CRS 4.1.0"));
    // What somebody wrote beside the rules goes along.
    let here = run.place().join(CURRENT);
    fs::write(here.join("crs-setup.conf"), "# mine\nSecComponentSignature \"OWASP_CRS/4.1.0\"\n")
        .expect("written");
    fs::create_dir(here.join("plugins")).expect("made");
    fs::write(here.join("plugins/own-after.conf"), "# mine\n").expect("written");
    std::os::unix::fs::symlink("/etc/passwd", here.join("plugins/link.data")).expect("link");
    let (done, said) = run.install(&second, &second_digest);
    assert!(done && said.contains("carried over: crs-setup.conf, plugins/own-after.conf\n"), "{said}");
    assert!(said.contains("crs-4.1.0-") && said.contains("--rollback"), "{said}");
    let setup = fs::read_to_string(here.join("crs-setup.conf")).expect("carried");
    assert_eq!(setup, "# mine\nSecComponentSignature \"OWASP_CRS/4.1.0\"\n");
    let versions = |run: &Run| {
        let link = |name: &str| Folder::new(&run.place()).target(name).map(|target| target[..9].to_owned());
        (link(CURRENT), link(PREVIOUS))
    };
    let pair = |current: &str, previous: &str| (Some(current.to_owned()), Some(previous.to_owned()));
    assert_eq!(versions(&run), pair("crs-4.2.0", "crs-4.1.0"));
    assert!(run.roll_back().1.contains("counts again"));
    assert_eq!(versions(&run), pair("crs-4.1.0", "crs-4.2.0"));
    assert!(run.roll_back().0, "and forward");
    assert_eq!(versions(&run), pair("crs-4.2.0", "crs-4.1.0"));
    // The same again makes a new folder and takes none away.
    assert!(run.install(&second, &second_digest).0);
    assert_eq!(run.names().iter().filter(|name| name.starts_with("crs-")).count(), 3);
    assert!(run.names().iter().all(|name| !name.starts_with('.')), "{:?}", run.names());
}

#[test]
fn without_the_right_digest_nothing_is_written() {
    let run = Run::new();
    let (archive, digest) = release(run.dir.path(), "4.1.0", RULE);
    let none = super::run(&run.args(&archive, None), &mut Vec::new()).expect_err("refused");
    assert!(none.what.contains(&digest) && none.help.is_some(), "{none}");
    for wrong in ["", "12ab", &digest[1..], &digest.replace(|_: char| true, "g")] {
        assert!(super::run(&run.args(&archive, Some(wrong)), &mut Vec::new()).is_err(), "{wrong}");
    }
    assert!(!run.install(&archive, &"0".repeat(64)).0);
    assert!(!run.place().exists());
    assert!(run.install(&archive, &digest.to_uppercase()).0, "the control");
}

#[test]
fn rules_that_do_not_compile_leave_all_as_it_was() {
    let run = Run::new();
    let (first, first_digest) = release(run.dir.path(), "4.1.0", RULE);
    assert!(run.install(&first, &first_digest).0);
    let before = run.names();
    let (second, second_digest) = release(run.dir.path(), "4.2.0", &RULE.replace("@contains", "@guess"));
    assert!(!run.install(&second, &second_digest).0);
    assert_eq!(run.current().as_deref(), Some("OWASP CRS 4.1.0"));
    assert_eq!(run.names(), before);
    let third = run.dir.path().join("third.tar.gz");
    fs::write(&third, b"no archive").expect("written");
    assert!(!run.install(&third.display().to_string(), &HEXLOWER.encode(&seal::sha256(b"no archive"))).0);
    assert_eq!(run.names(), before);
}

#[test]
fn there_is_nothing_to_go_back_to_at_first() {
    let run = Run::new();
    let back = Args { what: None, rollback: true, ..run.args("", None) };
    assert!(super::run(&back, &mut Vec::new()).is_err());
    let (first, digest) = release(run.dir.path(), "4.1.0", RULE);
    assert!(run.install(&first, &digest).0);
    assert!(super::run(&back, &mut Vec::new()).is_err());
    // A link that leads elsewhere is no version.
    std::os::unix::fs::symlink("../versions", run.place().join(PREVIOUS)).expect("link");
    assert!(super::run(&back, &mut Vec::new()).is_err());
}

#[test]
fn a_folder_in_the_place_of_the_link_is_not_touched() {
    let run = Run::new();
    fs::create_dir_all(run.place().join(CURRENT)).expect("made");
    let (first, digest) = release(run.dir.path(), "4.1.0", RULE);
    let refused = super::run(&run.args(&first, Some(&digest)), &mut Vec::new()).expect_err("refused");
    assert!(refused.what.contains("is no link"), "{refused}");
    assert!(run.place().join(CURRENT).is_dir());
}

#[test]
fn clear_text_is_refused() {
    let run = Run::new();
    let digest = "0".repeat(64);
    let refused = super::run(&run.args("http://127.0.0.1/x.tar.gz", Some(&digest)), &mut Vec::new());
    assert!(refused.is_err_and(|problem| problem.what.contains("verified TLS")));
}

/// A server on this machine that answers each path with these bytes; its address, and the authority that signed for it.
fn server(dir: &Path, answers: Vec<(&'static str, Vec<u8>)>) -> (String, PathBuf) {
    use rustls_pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).expect("a certificate");
    let authority = dir.join("authority.pem");
    fs::write(&authority, made.cert.pem()).expect("written");
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(made.signing_key.serialize_der()));
    let provider = std::sync::Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_no_client_auth()
        .with_single_cert(vec![made.cert.der().clone()], key)
        .expect("they fit");
    let acceptor = tokio_rustls::TlsAcceptor::from(std::sync::Arc::new(config));
    let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).expect("bound");
    let port = listener.local_addr().expect("an address").port();
    listener.set_nonblocking(true).expect("set");
    let serve = async move {
        let listener = tokio::net::TcpListener::from_std(listener).expect("a listener");
        while let Ok((stream, _)) = listener.accept().await {
            // A client that trusts nobody here breaks off.
            let Ok(mut stream) = acceptor.accept(stream).await else { continue };
            let mut head = Vec::new();
            while !head.ends_with(b"\r\n\r\n") {
                let Ok(byte) = stream.read_u8().await else { break };
                head.push(byte);
            }
            let line = String::from_utf8_lossy(&head).into_owned();
            let path = line.split(' ').nth(1).unwrap_or_default();
            let answer = answers.iter().find(|(known, _)| *known == path).map(|(_, answer)| answer.clone());
            let none = b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n".to_vec();
            let _ = stream.write_all(&answer.unwrap_or(none)).await;
            let _ = stream.shutdown().await;
        }
    };
    std::thread::spawn(|| {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(serve);
    });
    (format!("https://localhost:{port}"), authority)
}

fn answer(bytes: &[u8]) -> Vec<u8> {
    [format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", bytes.len()).as_bytes(), bytes].concat()
}

fn sent_to(place: &str) -> Vec<u8> {
    format!("HTTP/1.1 302 Found\r\nLocation: {place}\r\nContent-Length: 0\r\n\r\n").into_bytes()
}

#[test]
fn an_archive_comes_over_verified_tls_alone() {
    let run = Run::new();
    let (archive, digest) = release(run.dir.path(), "4.1.0", RULE);
    let whole = answer(&fs::read(archive).expect("read"));
    let answers = vec![
        ("/a.tar.gz", whole),
        ("/on", sent_to("/a.tar.gz")),
        ("/clear", sent_to("http://localhost/a.tar.gz")),
    ];
    let (address, authority) = server(run.dir.path(), answers);
    let fetch = |path: &str, authority: Option<&Path>| {
        let args = run.args(&format!("{address}{path}"), Some(&digest));
        let args = Args { authority: authority.map(Path::to_owned), ..args };
        super::run(&args, &mut Vec::new())
            .map(|code| code == ExitCode::SUCCESS)
            .map_err(|problem| problem.what)
    };
    let trusted = Some(authority.as_path());
    assert!(
        fetch("/a.tar.gz", None)
            .is_err_and(|what| what.contains("no trusted TLS") || what.contains("authorities"))
    );
    assert!(fetch("/clear", trusted).is_err_and(|what| what.contains("without TLS")));
    assert!(fetch("/none", trusted).is_err_and(|what| what.contains("404")));
    assert!(!run.place().exists());
    assert_eq!(fetch("/on", trusted), Ok(true));
    assert_eq!(run.current().as_deref(), Some("OWASP CRS 4.1.0"));
}
