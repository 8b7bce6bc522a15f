use super::*;
use gateway::config::ShieldMode;
use shield::{Collections, Context, Head, Report, Transaction, Verdict};
use std::fs;

/// A folder with these files.
fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
    let dir = tempfile::tempdir().expect("folder");
    for (name, text) in files {
        let path = dir.path().join(name);
        fs::create_dir_all(path.parent().expect("above")).expect("folder");
        fs::write(path, text).expect("written");
    }
    dir
}

fn table(rules: &Path) -> ShieldTable {
    ShieldTable { rules: Some(rules.to_owned()), profile: false, ..ShieldTable::default() }
}

fn here() -> &'static Path {
    Path::new("")
}

fn transaction(loaded: &Loaded) -> Transaction {
    let local = std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);
    let context = Context {
        client: local,
        client_port: 1,
        server: local,
        server_port: 443,
        id: "t".into(),
        now: 1_790_000_000,
    };
    Transaction::new(&loaded.engine, &Arc::new(Collections::new(16)), context)
}

/// Sends a request, and says what came of it.
fn sent(transaction: &mut Transaction, target: &str, more: &[(&str, &str)], body: &str) -> Report {
    let length = body.len().to_string();
    let mut headers: Vec<(&[u8], &[u8])> = vec![
        (b"Host", b"app.example"),
        (b"User-Agent", b"Mozilla/5.0 (X11; Linux x86_64; rv:131.0) Gecko/20100101 Firefox/131.0"),
        (b"Accept", b"text/html,application/xhtml+xml"),
        (b"Accept-Language", b"de,en;q=0.5"),
    ];
    if !body.is_empty() {
        headers.push((b"Content-Length", length.as_bytes()));
    }
    headers.extend(more.iter().map(|(name, value)| (name.as_bytes(), value.as_bytes())));
    let method = if body.is_empty() { b"GET".as_slice() } else { b"POST" };
    let head = Head { method, target: target.as_bytes(), protocol: b"HTTP/1.1", headers: &headers };
    if transaction.request_head(&head).is_none() {
        transaction.request_body(body.as_bytes(), true);
    }
    transaction.finish()
}

fn get(loaded: &Loaded, target: &str) -> Option<Verdict> {
    sent(&mut transaction(loaded), target, &[], "").verdict
}

/// Holds a rule set against a request that it must pass, and one that it must refuse.
fn protects(loaded: &Loaded) {
    assert_eq!(get(loaded, "/shop?item=7&note=hello"), None, "{}", loaded.kind);
    assert_eq!(get(loaded, "/shop?a=/etc/passwd"), Some(Verdict::Deny(403)), "{}", loaded.kind);
    assert_eq!(
        get(loaded, "/shop?a=1%27%20UNION%20SELECT%20password%20FROM%20users--%20"),
        Some(Verdict::Deny(403))
    );
}

#[test]
fn the_baseline_protects_from_the_first_start() {
    let loaded = load(&ShieldTable::default(), here()).expect("loads");
    assert_eq!((&loaded.kind, &loaded.place, loaded.files), (&Kind::Baseline, &None, 0));
    protects(&loaded);
    let detecting = ShieldTable { mode: ShieldMode::Detect, ..ShieldTable::default() };
    let loaded = load(&detecting, here()).expect("loads");
    let report = sent(&mut transaction(&loaded), "/shop?a=/etc/passwd", &[], "");
    assert!(report.verdict.is_none() && report.by.is_some(), "{report:?}");
}

#[test]
fn a_core_rule_set_protects_with_and_without_the_profile() {
    let Some(crs) = crate::shield::tests::core_rules() else { return };
    for profile in [false, true] {
        let loaded = load(&ShieldTable { profile, ..table(&crs) }, here()).expect("loads");
        assert!(
            matches!(&loaded.kind, Kind::Core { version: Some(version), example: true } if version.starts_with('4'))
        );
        protects(&loaded);
    }
}

#[test]
#[expect(clippy::print_stderr, reason = "what is not run is said")]
fn debians_package_protects() {
    let folder = Path::new("/usr/share/modsecurity-crs");
    if !folder.is_dir() {
        eprintln!("\n!!! modsecurity-crs is not installed: its layout is not tried\n");
        return;
    }
    let loaded = load(&table(folder), here()).expect("loads");
    assert!(
        matches!(&loaded.kind, Kind::Core { version: Some(version), example: false } if version.starts_with('3'))
    );
    let amended: Vec<u64> = loaded.amended.iter().map(|one| one.rule).collect();
    assert_eq!(amended, [910_100, 910_140, 920_120, 920_480, 920_600, 942_130, 942_260, 953_120]);
    protects(&loaded);
    for (charset, is_allowed) in
        [("utf-8", true), ("ISO-8859-15", true), ("utf-7", false), ("8", false), ("a|b", false)]
    {
        let kind = format!("application/x-www-form-urlencoded; charset={charset}");
        let report = sent(&mut transaction(&loaded), "/", &[("Content-Type", &kind)], "a=b");
        let found = report.matched.iter().any(|matched| matched.rule == 920_480 && matched.logged);
        assert_eq!(found, !is_allowed, "{charset}: {report:?}");
    }
    let strict = ShieldTable { paranoia: 2, detection_paranoia: 2, ..table(folder) };
    let loaded = load(&strict, here()).expect("loads");
    for (target, rule) in [("/?a=x%20or%207=7", 942_130), ("/?a=x%20or%207!=8", 942_131), ("/?a=7!=7", 0)] {
        let report = sent(&mut transaction(&loaded), target, &[], "");
        let found = report.matched.iter().any(|matched| [942_130, 942_131].contains(&matched.rule));
        let right = report.matched.iter().any(|matched| matched.rule == rule);
        assert_eq!((found, right), (rule > 0, rule > 0), "{target}: {report:?}");
    }
}

const SETUP: &str = "SecRuleEngine DetectionOnly\nSecRequestBodyLimit 10\nSecRequestBodyLimitAction ProcessPartial\n\
    SecAction \"id:900000,phase:1,pass,nolog,setvar:tx.blocking_paranoia_level=4,\
    setvar:tx.inbound_anomaly_score_threshold=1000,setvar:tx.allowed_methods=GET\"\n";

#[test]
fn what_the_configuration_says_wins_over_the_setup() {
    let initial = "SecRule &TX:blocking_paranoia_level \"@eq 0\" \"id:901100,phase:1,pass,nolog,setvar:tx.blocking_paranoia_level=1\"\n";
    let dir = folder(&[("crs-setup.conf", SETUP), ("rules/REQUEST-901-INITIALIZATION.conf", initial)]);
    let asked = ShieldTable { paranoia: 2, detection_paranoia: 3, inbound_threshold: 7, ..table(dir.path()) };
    let loaded = load(&asked, here()).expect("loads");
    let settings = loaded.engine.settings();
    assert_eq!(
        (settings.mode, settings.request_limit, settings.request_partial),
        (shield::seclang::Mode::On, 1 << 20, false)
    );
    let told: Vec<_> =
        loaded.overruled.iter().map(|one| (&*one.variable, &*one.said, one.key, one.holds)).collect();
    let want = [
        ("blocking_paranoia_level", "4", "paranoia", 2),
        ("inbound_anomaly_score_threshold", "1000", "inbound_threshold", 7),
    ];
    assert_eq!(told, want);
    let mut transaction = transaction(&loaded);
    sent(&mut transaction, "/", &[], "");
    for (name, expected) in [
        ("blocking_paranoia_level", "2"),
        ("detection_paranoia_level", "3"),
        ("paranoia_level", "2"),
        ("executing_paranoia_level", "3"),
        ("inbound_anomaly_score_threshold", "7"),
        ("outbound_anomaly_score_threshold", "4"),
        ("allowed_methods", "GET"),
    ] {
        let value = transaction.variable(name).map(|value| String::from_utf8_lossy(&value).into_owned());
        assert_eq!(value.as_deref(), Some(expected), "{name}");
    }
}

#[test]
fn a_body_that_cannot_be_read_is_refused() {
    let dir = folder(&[("own.conf", "SecAction \"id:1,phase:1,pass,nolog\"\n")]);
    let loaded = load(&table(dir.path()), here()).expect("loads");
    let json =
        |body: &str| sent(&mut transaction(&loaded), "/", &[("Content-Type", "application/json")], body);
    let form = [("Content-Type", "multipart/form-data; boundary=x")];
    let parts = |body: &str| sent(&mut transaction(&loaded), "/", &form, body);
    assert_eq!(json("{\"a\": 1}").verdict, None);
    assert_eq!(json("{\"a\": ").verdict, Some(Verdict::Deny(400)));
    let part = "--x\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n1\r\n";
    assert_eq!(parts(&format!("{part}--x--\r\n")).verdict, None);
    assert_eq!(parts(part).verdict, Some(Verdict::Deny(400)));
}

/// Each problem in files of one's own, told with its place.
#[test]
fn everything_that_cannot_be_honoured_is_told() {
    let rules = "SecFoo On\n\
        SecRule ARGS \"@rx (?=a)b\" \"id:2,phase:2,deny\"\n\
        SecRule ARGS \"@pmFromFile gone.data\" \"id:3,phase:2,deny\"\n\
        SecRule ARGS \"@pmFromFile ../outside.data\" \"id:4,phase:2,deny\"\n\
        Include gone/*.conf\n";
    let dir =
        folder(&[("rules/a.conf", rules), ("rules/b.conf", "Include latin.txt\n"), ("outside.data", "x\n")]);
    fs::write(dir.path().join("rules/latin.txt"), b"# \xFC\n").expect("written");
    let place = dir.path().join("rules");
    let error = load(&table(&place), here()).expect_err("refused");
    let text = error.to_string().replace(&format!("{}/", place.display()), "");
    for expected in [
        "things in the rules cannot be honoured:\n",
        "a.conf:1: `SecFoo`: no such directive",
        "a.conf:2: rule 2: ",
        "a.conf:3: rule 3: `gone.data`: ",
        "No such file or directory",
        "`../outside.data`: the file is missing or cannot be read: it lies outside of the folder of the rules",
        "a.conf:5: `gone/*.conf`: ",
        "latin.txt`: the file is missing or cannot be read: it is not UTF-8",
    ] {
        assert!(text.contains(expected), "{expected}\n---\n{text}");
    }
    assert!(!error.way_out().is_empty());
}

#[test]
fn what_cannot_be_loaded_names_the_way_out() {
    let dir = folder(&[]);
    let problem = |table: &ShieldTable| Problem::from(load(table, here()).expect_err("refused"));
    let empty = problem(&table(dir.path()));
    assert!(empty.what.contains("holds no rules") && empty.help.is_some(), "{empty}");
    let level = problem(&ShieldTable { paranoia: 9, ..ShieldTable::default() });
    assert!(level.what.contains("`shield.paranoia` must be"), "{level}");
    let app = problem(&ShieldTable { apps: vec!["nowhere".into()], ..ShieldTable::default() });
    assert!(app.what.contains("`nowhere`") && app.help.is_some(), "{app}");
}

#[test]
fn includes_are_followed_within_the_folder() {
    let dir = folder(&[
        ("main.conf", "Include conf.d/*.conf\nIncludeOptional more/*.conf\n"),
        (
            "conf.d/b.conf",
            "SecRule REQUEST_URI \"@pmFromFile words.data\" \"id:2,phase:1,deny,status:403\"\n",
        ),
        ("conf.d/a.conf", "SecAction \"id:1,phase:1,pass,nolog\"\n"),
        ("conf.d/words.data", "forbidden\n"),
    ]);
    let loaded = load(&table(&dir.path().join("main.conf")), here()).expect("loads");
    assert_eq!((&loaded.kind, loaded.files), (&Kind::Own, 4));
    assert_eq!(get(&loaded, "/forbidden"), Some(Verdict::Deny(403)));
    assert_eq!(get(&loaded, "/allowed"), None);
}

#[test]
fn relative_folders_count_from_the_data_folder() {
    let dir = folder(&[("own/a.conf", "SecAction \"id:1,phase:1,pass,nolog\"\n")]);
    let loaded = load(&table(Path::new("own")), dir.path()).expect("loads");
    assert_eq!(loaded.place, Some(dir.path().join("own")));
}
