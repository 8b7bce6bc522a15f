//! Rules in files, read and read again: what works comes into force, what does not leaves all as it was.

use super::*;
use crate::attacks::exclusions;
use crate::system::SystemClock;
use console::{AttacksView, NewExclusion, Signature};
use model::PrincipalId;
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
    standing: Arc<Standing>,
    attacks: attacks::View,
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
        Self::of(CONFIG, RULE)
    }

    fn of(config: &str, rules: &str) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::create_dir(folder.path().join("rules")).expect("made");
        std::fs::write(folder.path().join("obhut.toml"), config).expect("written");
        std::fs::write(folder.path().join("rules/own.conf"), rules).expect("written");
        let (config, tables) = read(folder.path());
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let parts = Parts::read(&config, &tables, clock.now()).expect("rules");
        let setup = parts.setup().expect("a setup");
        let kept = attacks::open(folder.path(), clock.clone()).expect("a folder of events");
        let seen = Arc::new(Seen::new(false, setup.lines(), kept.clone(), clock.clone()));
        let relay = Arc::new(VaultRelay::default());
        let gateway =
            Gateway::new(setup, relay.clone(), seen.clone(), clock.clone(), Arc::new(SystemEntropy));
        let standing = Arc::new(Standing::new(parts, gateway, seen, relay, clock));
        let data = folder.path().to_owned();
        let attacks = attacks::View::new(kept, standing.clone(), data, Vec::new());
        Self { folder, standing, attacks }
    }

    fn again(&self, config: &str, rules: &str) -> Result<(), Problem> {
        std::fs::write(self.folder.path().join("obhut.toml"), config).expect("written");
        std::fs::write(self.folder.path().join("rules/own.conf"), rules).expect("written");
        let (config, tables) = read(self.folder.path());
        again(&self.standing, &self.attacks, || self.standing.read(&config, &tables), || Ok(()))
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
    let read = || house.standing.read(&config, &tables);
    let gone = again(&house.standing, &house.attacks, read, || Err(Problem::new("no certificate")));
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

#[test]
fn what_the_console_changes_while_rules_are_read_anew_holds() {
    let house = House::new();
    let by = Signature { by: PrincipalId([7; 16]), at: Timestamp(0) };
    let new = |route: &str| NewExclusion {
        routes: vec![route.to_owned()],
        rules: "7".to_owned(),
        target: None,
        because: "prose".to_owned(),
    };
    let before = house.attacks.exclude(&[new("workers")], &by).expect("made").remove(0);
    let (config, tables) = read(house.folder.path());
    let mut after = String::new();
    let compiling = || {
        house.attacks.lift(&before).expect("taken back");
        after = house.attacks.exclude(&[new("quiet")], &by).expect("made").remove(0);
        house.standing.read(&config, &tables)
    };
    again(&house.standing, &house.attacks, compiling, || Ok(())).expect("read anew");
    let ids = |rows: &[ExcludeTable]| rows.iter().map(exclusions::id).collect::<Vec<_>>();
    assert_eq!(ids(&house.standing.parts.load().rows), [after.clone()], "what is in force");
    assert_eq!(ids(&exclusions::read(house.folder.path()).expect("a file")), [after.clone()]);
    let shown: Vec<_> = house.attacks.exclusions().into_iter().map(|one| one.id).collect();
    assert_eq!(shown, [after], "what is shown");
    // A reload that fails leaves the console's rows alone, too.
    std::fs::write(exclusions::path(house.folder.path()), "[[exclude]]\nrul").expect("written");
    assert!(house.again(CONFIG, RULE).is_err());
    assert_eq!((house.attacks.exclusions().len(), house.standing.parts.load().rows.len()), (1, 1));
}

/// What the console answers when this is to be excluded on a route.
fn excluded(house: &House, rules: &str, target: Option<&str>) -> Result<(), ExclusionError> {
    let by = Signature { by: PrincipalId([7; 16]), at: Timestamp(0) };
    let new = NewExclusion {
        routes: vec!["workers".to_owned()],
        rules: rules.to_owned(),
        target: target.map(str::to_owned),
        because: "prose".to_owned(),
    };
    house.attacks.preview(&[new], &by).map(drop).map_err(|(_, error)| error)
}

#[test]
fn rules_that_decide_are_excluded_by_no_name() {
    let baseline = House::of(&CONFIG.replace("rules = \"rules\"", ""), "");
    for rules in [
        "16930",
        "016930",
        "16900",
        "16940",
        "16930-16931",
        "10002",
        "10010-10020",
        "99900",
        "10000-16999",
        "1-18446744073709551615",
        "tag:obhut-baseline",
        "tag:anomaly-evaluation",
    ] {
        for target in [None, Some("ARGS:note")] {
            assert_eq!(
                excluded(&baseline, rules, target),
                Err(ExclusionError::Deciding),
                "{rules} {target:?}"
            );
        }
    }
    // What finds something by itself is excluded, the more so with a target.
    for rules in ["16910", "14005", "14000-14099", "tag:attack-protocol"] {
        assert_eq!(excluded(&baseline, rules, None), Ok(()), "{rules}");
    }
    assert_eq!(excluded(&baseline, "tag: obhut-baseline", None), Err(ExclusionError::Rules), "no such tag");
    let wide = excluded(&baseline, "11000-16099", None);
    assert!(matches!(wide, Err(ExclusionError::TooWide(count)) if count > 50), "{wide:?}");
    assert_eq!(excluded(&baseline, "11000-16099", Some("ARGS:note")), Ok(()));
}

#[test]
fn rules_of_crs_that_decide_are_known_by_their_numbers() {
    let action = |id: u64| format!("SecAction \"id:{id},phase:2,pass,nolog,tag:'OWASP_CRS'\"\n");
    let rules: String = [901_100, 942_100, 949_060, 949_110, 959_100, 980_170].map(action).concat();
    let crs = House::of(CONFIG, &rules);
    for rules in ["901100", "949060", "949110", "959100", "980170", "940000-949060", "tag:OWASP_CRS"] {
        assert_eq!(excluded(&crs, rules, None), Err(ExclusionError::Deciding), "{rules}");
    }
    assert_eq!(excluded(&crs, "942000-948999", None), Ok(()));
}
