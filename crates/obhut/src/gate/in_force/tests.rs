//! Rules in files, read and read again: what works comes into force, what does not leaves all as it was.

use super::*;
use crate::attacks;
use crate::system::SystemClock;
use seal::SystemEntropy;
use std::path::Path;

const CONFIG: &str = r#"
[gateway]
listen = ["127.0.0.1:0"]
upstream = "http://127.0.0.1:9"
[[route]]
name = "workers"
path = "/workers"
[[route]]
name = "quiet"
path = "/quiet"
shield = "detect"
[shield]
rules = "rules"
profile = false
"#;
const RULE: &str = "SecRule ARGS \"@contains evil\" \"id:7,phase:2,deny,tag:evil\"\n";

struct House {
    folder: tempfile::TempDir,
    standing: Standing,
}

fn read(folder: &Path) -> (Config, Tables) {
    let config = crate::config::load(&folder.join("obhut.toml")).expect("a configuration");
    let tables = config.gateway.clone().expect("a gateway");
    (config, tables)
}

fn row(rules: &str, routes: &[&str]) -> ExcludeTable {
    let routes = routes.iter().map(|name| (*name).to_owned()).collect();
    ExcludeTable { routes, rules: rules.to_owned(), ..ExcludeTable::default() }
}

impl House {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::create_dir(folder.path().join("rules")).expect("made");
        std::fs::write(folder.path().join("obhut.toml"), CONFIG).expect("written");
        std::fs::write(folder.path().join("rules/own.conf"), RULE).expect("written");
        let (config, tables) = read(folder.path());
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let parts = Parts::read(&config, &tables, Vec::new(), clock.now()).expect("rules");
        let setup = parts.setup().expect("a setup");
        let kept = attacks::open(folder.path(), clock.clone()).expect("a folder of events");
        let seen = Arc::new(Seen::new(false, setup.lines(), kept, clock.clone()));
        let relay = Arc::new(VaultRelay::default());
        let gateway =
            Gateway::new(setup, relay.clone(), seen.clone(), clock.clone(), Arc::new(SystemEntropy));
        let standing = Standing::new(parts, gateway, seen, relay, clock);
        Self { folder, standing }
    }

    fn again(&self, config: &str, rules: &str) -> Result<(), Problem> {
        std::fs::write(self.folder.path().join("obhut.toml"), config).expect("written");
        std::fs::write(self.folder.path().join("rules/own.conf"), rules).expect("written");
        let (config, tables) = read(self.folder.path());
        self.standing.replace(&config, &tables, Vec::new(), None, || Ok(()))
    }
}

#[test]
fn rules_that_do_not_compile_do_not_replace_those_that_run() {
    let house = House::new();
    let first = house.standing.state();
    assert_eq!(
        (first.does, first.stale, first.rules.as_deref()),
        (ShieldDoes::Block, None, Some("rules of your own"))
    );
    assert_eq!(first.routes, [("quiet".to_owned(), ShieldDoes::Detect)]);
    assert!(house.standing.said().contains("what they refuse is refused"), "{}", house.standing.said());
    let engine = || house.standing.parts.load().rules.as_ref().expect("rules").engine.clone();
    let before = engine();
    let problem = house.again(CONFIG, "SecRule ARGS \"@rx (\" \"id:8,phase:2,deny\"\n").expect_err("refused");
    assert!(problem.what.contains("own.conf:1"), "{}", problem.what);
    assert!(Arc::ptr_eq(&before, &engine()), "the old ones run on");
    assert!(house.standing.state().stale.is_some(), "and it is said");
    house.again(CONFIG, &format!("{RULE}SecAction \"id:9,phase:1,pass\"\n")).expect("rules");
    assert!(!Arc::ptr_eq(&before, &engine()) && house.standing.state().stale.is_none());
    assert_eq!(house.standing.state().count, first.count + 1);
}

#[test]
fn a_configuration_that_does_not_fit_changes_nothing() {
    let house = House::new();
    let wrong = format!("{CONFIG}[[shield.exclude]]\nroutes = [\"nowhere\"]\nrules = \"7\"\n");
    let problem = house.again(&wrong, RULE).expect_err("refused");
    assert!(problem.what.contains("nowhere"), "{}", problem.what);
    assert!(house.standing.configured().is_empty());
    let (config, tables) = read(house.folder.path());
    let gone =
        house.standing.replace(&config, &tables, Vec::new(), None, || Err(Problem::new("no certificate")));
    assert!(gone.is_err() && house.standing.configured().is_empty());
    let off = CONFIG.replace("shield = \"detect\"", "").replace("[shield]", "[shield]\nmode = \"off\"");
    house.again(&off, "no rule at all").expect("nothing is read that nobody needs");
    assert_eq!(house.standing.said(), "shield: off");
}

#[test]
fn what_the_console_excludes_needs_no_new_rules() {
    let house = House::new();
    let engine = || house.standing.parts.load().rules.as_ref().expect("rules").engine.clone();
    let before = engine();
    let honours = |row: &ExcludeTable| house.standing.honours(row);
    assert_eq!(honours(&row("tag:evil", &["workers"])), Ok(()));
    assert_eq!(honours(&row("8", &[])), Err(ExclusionError::Rules));
    assert_eq!(honours(&row("x", &[])), Err(ExclusionError::Rules));
    assert_eq!(honours(&row("7", &["nowhere"])), Err(ExclusionError::UnknownRoute));
    let target = ExcludeTable { target: Some("NO_SUCH".to_owned()), ..row("7", &[]) };
    assert_eq!(honours(&target), Err(ExclusionError::Target));
    // Rules and routes may go after a row was made; what is left of it must not keep the house from opening.
    house.standing.put(&[row("7", &["workers"]), row("8", &[]), row("7", &["gone"])]).expect("in force");
    assert!(Arc::ptr_eq(&before, &engine()));
    assert_eq!(house.standing.parts.load().rows.len(), 3);
}
