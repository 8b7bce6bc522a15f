//! The shield: which rules protect the app, and whether they do.

use super::{Line, fail, ok, warn};
use crate::config::Config;
use crate::shield::rules::{self, Kind, Loaded};
use crate::system::Problem;
use gateway::config::{ShieldMode, Tables};
use shield::{Exclusion, Overlay};
use std::path::Path;

const INSTALL: &str =
    "`obhut rules install` takes a release of CRS 4 (docs/rules.md); then set `rules` under [shield]";

/// Nothing where there is no gateway: then no request for an app comes through here.
pub(super) fn look(config: &Config) -> Vec<Line> {
    let Some(tables) = &config.gateway else { return Vec::new() };
    if tables.shield.mode == ShieldMode::Off && tables.route.iter().all(|route| route.shield.is_none()) {
        return vec![warn(
            "the shield is off: attacks reach the app",
            "set mode = \"block\" under [shield], or \"detect\" to look first at what it would refuse",
        )];
    }
    let loaded = match rules::load(&tables.shield, &config.data) {
        Ok(loaded) => loaded,
        Err(why) => return vec![fail(format!("the shield: {why}"), why.way_out())],
    };
    let mut lines = vec![what_protects(&loaded, tables)];
    lines.extend(mode(tables));
    lines.extend(exclusions(&loaded, tables, &config.data));
    lines
}

fn what_protects(loaded: &Loaded, tables: &Tables) -> Line {
    let summary = loaded.engine.summary();
    let count: usize = summary.phases.iter().sum();
    let what = format!(
        "the shield: {}, {count} rules, {} of them taken out, paranoia level {}",
        loaded.kind,
        summary.disabled.len(),
        tables.shield.paranoia
    );
    match &loaded.kind {
        Kind::Core { version: Some(version), .. } if version.starts_with(['2', '3']) => warn(
            format!("{what}; that is an old one, which finds less and refuses more that is harmless"),
            INSTALL,
        ),
        Kind::Baseline => {
            let hint = format!("it covers the common kinds of attacks; the OWASP CRS covers more: {INSTALL}");
            Line { way_out: hint, ..ok(what) }
        }
        Kind::Core { .. } | Kind::Own => ok(what),
    }
}

fn mode(tables: &Tables) -> Vec<Line> {
    let house = tables.shield.mode;
    let of = |mode: ShieldMode| {
        let routes = tables.route.iter().filter(|route| route.shield.unwrap_or(house) == mode);
        let names: Vec<_> = routes.map(|route| route.name.as_str()).collect();
        names.join(", ")
    };
    let mut lines = Vec::new();
    match house {
        ShieldMode::Block => lines.push(ok("the shield refuses what its rules refuse")),
        ShieldMode::Detect => lines.push(warn(
            "the shield only reports: attacks reach the app",
            "look at what it would have refused (Attacks, in the console), exclude what is harmless, and set mode = \
             \"block\" under [shield]",
        )),
        ShieldMode::Off => lines.push(warn(
            "the shield is off but on single routes: attacks reach the app elsewhere",
            "set mode = \"block\" under [shield]",
        )),
    }
    if house == ShieldMode::Block {
        for (mode, what) in [(ShieldMode::Detect, "only reports"), (ShieldMode::Off, "is off")] {
            let names = of(mode);
            if !names.is_empty() {
                lines.push(warn(
                    format!("the shield {what} on these routes: {names}"),
                    "take `shield` out of the route when it has been looked at; single rules are better excluded",
                ));
            }
        }
    }
    lines
}

/// Exclusions that mean nothing under these rules.
fn exclusions(loaded: &Loaded, tables: &Tables, data: &Path) -> Vec<Line> {
    let mut lines = Vec::new();
    match rules::exclusions(&tables.shield.exclude) {
        Ok(all) => lines.extend(unmeant(loaded, &all).into_iter().map(|what| {
            let way_out =
                "take the row out, or correct it; until then the server does not take the configuration";
            fail(format!("[[shield.exclude]] {what}"), way_out)
        })),
        Err(why) => lines.push(fail(why.to_string(), "docs/config.md describes [[shield.exclude]]")),
    }
    let console = crate::attacks::exclusions::read(data);
    match console
        .and_then(|rows| rules::exclusions(&rows).map_err(Problem::from_error("shield-exclusions.toml")))
    {
        Ok(all) => lines.extend(unmeant(loaded, &all).into_iter().map(|what| {
            let way_out = "it is passed over; take it back on the page Attacks of the console";
            warn(format!("excluded by the console: {what}"), way_out)
        })),
        Err(problem) => lines.push(fail(problem.what, problem.help.unwrap_or_default())),
    }
    lines
}

fn unmeant(loaded: &Loaded, all: &[(Option<String>, Exclusion)]) -> Vec<String> {
    let one = |one: &Exclusion| {
        let (_, reason) = Overlay::new(&loaded.engine, std::slice::from_ref(one)).err()?;
        Some(format!("{}: {reason}", rules::shown(one)))
    };
    all.iter().filter_map(|(_, exclusion)| one(exclusion)).collect()
}

#[cfg(test)]
mod tests {
    use super::super::Level;
    use super::*;

    /// What is said of a configuration with this end.
    fn said(more: &str) -> Vec<Line> {
        let dir = tempfile::tempdir().expect("folder");
        let file = dir.path().join("obhut.toml");
        let gateway = "[gateway]\nlisten = [\"127.0.0.1:8443\"]\nupstream = \"http://127.0.0.1:8000\"\n";
        std::fs::write(&file, format!("{gateway}{more}")).expect("written");
        if more.contains("# console") {
            std::fs::write(dir.path().join("shield-exclusions.toml"), "[[exclude]]\nrules = \"7\"\n")
                .expect("written");
        }
        let old = dir.path().join("old/rules");
        std::fs::create_dir_all(&old).expect("made");
        std::fs::write(dir.path().join("old/crs-setup.conf"), "# settings\n").expect("written");
        let rule = "SecComponentSignature \"OWASP_CRS/3.3.4\"\nSecAction \"id:901001,phase:1,pass,nolog\"\n";
        std::fs::write(old.join("REQUEST-901-INITIALIZATION.conf"), rule).expect("written");
        look(&crate::config::load(&file).expect("a configuration"))
    }

    fn lines(all: &[Line]) -> Vec<(Level, &str)> {
        all.iter().map(|line| (line.level, line.what.as_str())).collect()
    }

    fn route(name: &str, shield: &str) -> String {
        format!("[[route]]\nname = \"{name}\"\npath = \"/{name}\"\nshield = \"{shield}\"\n")
    }

    #[test]
    fn the_baseline_is_well_and_says_what_would_be_better() {
        let all = said("");
        assert!(all.iter().all(|line| line.level == Level::Ok), "{all:?}");
        assert!(
            all[0].what.contains("Obhut's own baseline, ") && all[0].way_out.contains("rules install"),
            "{all:?}"
        );
    }

    #[test]
    fn what_lets_attacks_through_is_said() {
        let off = said("[shield]\nmode = \"off\"\n");
        assert_eq!(lines(&off), [(Level::Warn, "the shield is off: attacks reach the app")]);
        let detect = said("[shield]\nmode = \"detect\"\n");
        assert!(lines(&detect).contains(&(Level::Warn, "the shield only reports: attacks reach the app")));
        let routes = said(&(route("a", "off") + &route("b", "detect") + &route("c", "block")));
        let all = lines(&routes);
        assert!(all.contains(&(Level::Warn, "the shield is off on these routes: a")), "{all:?}");
        assert!(all.contains(&(Level::Warn, "the shield only reports on these routes: b")), "{all:?}");
        let some = said(&(route("c", "block") + "[shield]\nmode = \"off\"\n"));
        assert!(
            lines(&some).iter().any(|(level, what)| *level == Level::Warn && what.contains("single routes"))
        );
    }

    #[test]
    fn old_rules_and_rules_that_do_not_load_are_said() {
        let old = said("[shield]\nrules = \"old\"\nprofile = false\n");
        assert!(old[0].level == Level::Warn && old[0].what.contains("OWASP CRS 3.3.4"), "{old:?}");
        let none = said("[shield]\nrules = \"nowhere\"\n");
        assert!(none.len() == 1 && none[0].level == Level::Fail && !none[0].way_out.is_empty(), "{none:?}");
    }

    #[test]
    fn an_exclusion_that_means_nothing_is_said() {
        let some = said("[[shield.exclude]]\nrules = \"7\"\n");
        assert!(lines(&some).contains(&(Level::Fail, "[[shield.exclude]] rule 7: no such rule")), "{some:?}");
        let console = said("# console\n");
        assert!(
            lines(&console).contains(&(Level::Warn, "excluded by the console: rule 7: no such rule")),
            "{console:?}"
        );
        let odd = said("[[shield.exclude]]\nrules = \"sqli\"\n");
        assert!(
            odd.iter().any(|line| line.level == Level::Fail && line.what.contains("\"sqli\"")),
            "{odd:?}"
        );
    }
}
