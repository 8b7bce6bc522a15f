//! Folders and files: there, private, apart from each other.

use super::{Line, certificate, fail, ok, warn};
use crate::config::Config;
use model::Timestamp;
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;
use seal::{Root, RootKind};
use std::collections::BTreeSet;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

const DAY_MS: i64 = 24 * 3_600 * 1_000;
/// A certificate that ends sooner is worth a warning.
const SOON_DAYS: i64 = 21;

pub(super) fn look(config: &Config, now: Timestamp) -> Vec<Line> {
    let mut lines = vec![private_folder("data folder", &config.data), root(config)];
    lines.extend(shred(config));
    lines.extend(tls(config, now));
    lines.extend(passphrase(config));
    lines.extend(settings(config));
    lines
}

/// Whether a folder is there, and nobody but its owner can enter it.
fn private_folder(name: &str, path: &Path) -> Line {
    let shown = path.display();
    match std::fs::metadata(path) {
        Err(error) => {
            fail(format!("{name} {shown}: {error}"), "`obhut init` makes it; or is its device not mounted?")
        }
        Ok(found) if !found.is_dir() => fail(format!("{name} {shown} is not a folder"), "name a folder"),
        Ok(found) if found.mode() & 0o077 != 0 => {
            let mode = found.mode() & 0o777;
            fail(format!("{name} {shown} is open to others (mode {mode:04o})"), format!("chmod 0700 {shown}"))
        }
        Ok(_) => ok(format!("{name} {shown} is private")),
    }
}

fn root(config: &Config) -> Line {
    let path = config.root_file();
    let shown = path.display().to_string();
    let restore = "without the root nothing opens: restore it from where you keep its copy";
    let bytes = match std::fs::read(&path) {
        Ok(bytes) => bytes,
        Err(error) => return fail(format!("root file {shown}: {error}"), restore),
    };
    let Ok(info) = Root::inspect(&bytes) else {
        return fail(format!("root file {shown} is not a root of this version"), restore);
    };
    let id = data_encoding::HEXLOWER.encode(&info.id.0);
    match (info.kind, std::fs::metadata(&path).is_ok_and(|found| found.mode() & 0o077 == 0)) {
        (RootKind::Demo, _) => fail(
            format!("root {id} is of the demo and no secret; `serve` refuses it"),
            "make a folder of your own with `obhut init`",
        ),
        (RootKind::Production, false) => {
            warn(format!("root {id}, for real data; others may read its file"), format!("chmod 0600 {shown}"))
        }
        (RootKind::Production, true) => ok(format!("root {id}, for real data")),
    }
}

fn shred(config: &Config) -> Vec<Line> {
    let [a, b] = &config.shred_holders;
    let escrow = &config.shred_escrow;
    let mut lines = vec![
        private_folder("shred holder", a),
        private_folder("shred holder", b),
        private_folder("escrow", escrow),
    ];
    let (Some(of_a), Some(of_b)) = (shred_files(a), shred_files(b)) else { return lines };
    if of_a != of_b {
        let differ = of_a.symmetric_difference(&of_b).count();
        lines.push(warn(
            format!("the shred holders differ: {differ} files are in one of them only"),
            "the next start restores live epochs from the other holder; look why one was missing",
        ));
    }
    let device = |path: &Path| std::fs::metadata(path).map(|found| found.dev()).ok();
    let devices: BTreeSet<_> = [device(a), device(b), device(escrow)].into_iter().collect();
    lines.push(if devices.len() == 3 {
        ok("the shred holders and the escrow lie on three devices")
    } else {
        warn(
            format!("the shred holders and the escrow lie on {} device{}", devices.len(), plural(devices.len())),
            "when that disk dies every person is lost: set shred.holder_a, shred.holder_b and shred.escrow to places \
             on different disks, and move the folders there while the server is stopped",
        )
    });
    lines
}

fn plural(count: usize) -> &'static str {
    if count == 1 { "" } else { "s" }
}

fn shred_files(holder: &Path) -> Option<BTreeSet<std::ffi::OsString>> {
    let names = std::fs::read_dir(holder).ok()?.flatten().map(|entry| entry.file_name());
    Some(names.filter(|name| Path::new(name).extension().is_some_and(|end| end == "shred")).collect())
}

fn tls(config: &Config, now: Timestamp) -> Vec<Line> {
    let (chain, key) = (&config.tls_cert, &config.tls_key);
    let mut lines = Vec::new();
    match crate::tls::server(chain, key, crate::tls::API) {
        Err(problem) => {
            lines.push(fail(
                problem.what,
                "set tls.cert and tls.key to a certificate chain and its key, both PEM",
            ));
        }
        Ok(_) => lines.push(ok("certificate and key fit each other")),
    }
    match std::fs::metadata(key) {
        Ok(found) if found.mode() & 0o077 != 0 => lines.push(fail(
            format!("the TLS key {} is open to others (mode {:04o})", key.display(), found.mode() & 0o777),
            format!("chmod 0600 {}", key.display()),
        )),
        Ok(_) => lines.push(ok("the TLS key is private")),
        Err(_) => {} // said above
    }
    if let Some(certificate) = CertificateDer::pem_file_iter(chain).ok().and_then(|mut all| all.next()?.ok())
        && let Some(validity) = certificate::validity(&certificate)
    {
        lines.push(in_time(&validity, now));
    }
    lines
}

/// How a certificate's time stands.
fn in_time(validity: &certificate::Validity, now: Timestamp) -> Line {
    let days = (validity.until.0 - now.0).div_euclid(DAY_MS);
    if now < validity.from {
        fail("the certificate is not valid yet", "is the clock right? otherwise get a new certificate")
    } else if now > validity.until {
        fail("the certificate has expired", "renew it, put it at tls.cert, and start the server anew")
    } else if days < SOON_DAYS {
        warn(
            format!("the certificate expires in {days} days"),
            "renew it, put it at tls.cert, and start the server anew",
        )
    } else {
        ok(format!("the certificate is valid for {days} more days"))
    }
}

fn passphrase(config: &Config) -> Vec<Line> {
    if let Some(name) = &config.credential {
        let mut lines = vec![ok(format!("the passphrase comes as the systemd credential {name}"))];
        if config.passphrase_file.is_some() {
            lines.push(warn(
                "a passphrase file is configured too, and is not used",
                "remove unseal.passphrase_file, and the file",
            ));
        }
        return lines;
    }
    let Some(path) = &config.passphrase_file else {
        return vec![ok("the server waits for `obhut unseal` at each start")];
    };
    let shown = path.display();
    let found = match std::fs::metadata(path) {
        Ok(found) => found,
        Err(error) => {
            let way_out = "put it there for the start, or hand it over with `obhut unseal`";
            return vec![fail(format!("passphrase file {shown}: {error}"), way_out)];
        }
    };
    let mode = found.mode() & 0o777;
    let mut lines = vec![if mode == 0o400 || mode == 0o600 {
        ok(format!("the passphrase file {shown} is private"))
    } else {
        fail(format!("the passphrase file {shown} has mode {mode:04o}"), format!("chmod 0400 {shown}"))
    }];
    if inside(path, &config.data) {
        lines.push(fail(
            "the passphrase file lies in the data folder: who copies the folder has all",
            "move it elsewhere and set unseal.passphrase_file, or use a systemd credential",
        ));
    }
    lines
}

fn inside(file: &Path, folder: &Path) -> bool {
    match (std::fs::canonicalize(file), std::fs::canonicalize(folder)) {
        (Ok(file), Ok(folder)) => file.starts_with(folder),
        _ => false,
    }
}

/// Settings that weaken the house.
fn settings(config: &Config) -> Vec<Line> {
    let open_to_all = config.ledger_zone.iter().filter(|zone| zone.ends_with("/0"));
    let lines: Vec<_> = open_to_all
        .map(|zone| {
            warn(
                format!("ledger.zone {zone} lets everybody read the ledger without a key"),
                "it holds no names, but sizes and times; name the networks of your auditors instead",
            )
        })
        .collect();
    if lines.is_empty() { vec![ok("no setting weakens the house")] } else { lines }
}

#[cfg(test)]
mod tests {
    use super::super::Level;
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    fn chmod(path: &Path, mode: u32) {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).expect("mode");
    }

    fn worst(lines: &[Line]) -> Level {
        lines.iter().map(|line| line.level).max().expect("a line")
    }

    #[test]
    fn folders_must_be_there_and_private() {
        let dir = tempfile::tempdir().expect("folder");
        chmod(dir.path(), 0o700);
        assert_eq!(private_folder("x", dir.path()).level, Level::Ok);
        chmod(dir.path(), 0o750);
        let line = private_folder("x", dir.path());
        assert!(line.level == Level::Fail && line.way_out.contains("chmod 0700"), "{line:?}");
        assert_eq!(private_folder("x", &dir.path().join("absent")).level, Level::Fail);
    }

    #[test]
    fn a_passphrase_file_is_private_and_elsewhere() {
        let (data, elsewhere) = (tempfile::tempdir().expect("folder"), tempfile::tempdir().expect("folder"));
        let mut config = Config::of_folder(data.path()).expect("valid");
        assert_eq!(worst(&passphrase(&config)), Level::Ok);
        let file = elsewhere.path().join("passphrase");
        std::fs::write(&file, "x").expect("written");
        config.passphrase_file = Some(file.clone());
        for (mode, level) in
            [(0o400, Level::Ok), (0o600, Level::Ok), (0o440, Level::Fail), (0o644, Level::Fail)]
        {
            chmod(&file, mode);
            assert_eq!(worst(&passphrase(&config)), level, "{mode:o}");
        }
        let within = data.path().join("passphrase");
        std::fs::write(&within, "x").expect("written");
        chmod(&within, 0o400);
        config.passphrase_file = Some(within);
        assert_eq!(worst(&passphrase(&config)), Level::Fail);
    }

    #[test]
    fn holders_on_one_device_and_zones_for_all_are_said() {
        let dir = tempfile::tempdir().expect("folder");
        let mut config = Config::of_folder(dir.path()).expect("valid");
        for folder in config.shred_holders.iter().chain([&config.shred_escrow]) {
            crate::wiring::private_folder(folder).expect("made");
        }
        let lines = shred(&config);
        assert_eq!(worst(&lines), Level::Warn);
        assert!(lines.last().expect("a line").what.contains("on 1 device"), "{lines:?}");
        std::fs::write(config.shred_holders[0].join("t.shred"), "x").expect("written");
        assert!(shred(&config).iter().any(|line| line.what.contains("1 files are in one of them only")));
        assert_eq!(worst(&settings(&config)), Level::Ok);
        config.ledger_zone = vec!["10.0.0.0/8".into(), "::/0".into()];
        assert_eq!(worst(&settings(&config)), Level::Warn);
    }

    #[test]
    fn certificates_end() {
        let day = |days: i64| Timestamp(days * DAY_MS);
        let validity = certificate::Validity { from: day(100), until: day(190) };
        for (now, level) in
            [(99, Level::Fail), (101, Level::Ok), (169, Level::Ok), (170, Level::Warn), (191, Level::Fail)]
        {
            assert_eq!(in_time(&validity, day(now)).level, level, "{now}");
        }
    }
}
