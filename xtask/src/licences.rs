//! Licences and bans of `deny.toml`, checked without cargo-deny.
//!
//! cargo-deny checks the same file and more (advisories, licence texts); where it is not installed these two rules
//! still hold.

use std::collections::BTreeSet;
use std::fmt;

use serde::Deserialize;
use spdx::{Expression, Licensee, ParseMode};

use crate::metadata::{Metadata, Package};

/// The part of `deny.toml` that is read here; cargo-deny reads the rest.
#[derive(Debug, Deserialize)]
pub(crate) struct Rules {
    licenses: Licenses,
    bans: Bans,
}

#[derive(Debug, Deserialize)]
struct Licenses {
    allow: Vec<String>,
}

#[derive(Debug, Deserialize)]
struct Bans {
    deny: Vec<Ban>,
}

#[derive(Debug, Deserialize)]
struct Ban {
    #[serde(rename = "crate")]
    krate: String,
    #[serde(default)]
    wrappers: Vec<String>,
}

/// One package that breaks a rule.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Fault {
    /// A package that names no licence.
    NoLicence { package: String },
    /// A licence field that is no SPDX expression.
    Unreadable { package: String, licence: String },
    /// An expression that the allowed licences do not satisfy.
    NotAllowed { package: String, licence: String },
    /// A banned package used by someone who is not among its wrappers.
    Banned { package: String, user: String },
}

impl fmt::Display for Fault {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoLicence { package } => write!(out, "{package} names no licence"),
            Self::Unreadable { package, licence } => {
                write!(out, "{package}: `{licence}` is no SPDX expression")
            }
            Self::NotAllowed { package, licence } => write!(out, "{package}: `{licence}` is not allowed"),
            Self::Banned { package, user } => write!(out, "{user} must not use {package}"),
        }
    }
}

impl Rules {
    /// Reads `deny.toml`.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        toml::from_str(text).map_err(|error| format!("deny.toml: {error}"))
    }

    fn allowed(&self) -> Result<Vec<Licensee>, String> {
        let parse =
            |name: &String| Licensee::parse(name).map_err(|error| format!("deny.toml: {name}: {error}"));
        self.licenses.allow.iter().map(parse).collect()
    }
}

/// Holds everything that ships against the rules.
pub(crate) fn check(metadata: &Metadata, rules: &Rules) -> Result<BTreeSet<Fault>, String> {
    let allowed = rules.allowed()?;
    let edges = metadata.shipped_edges();
    let mut faults = BTreeSet::new();
    for package in metadata.members().chain(edges.iter().map(|(_, used)| *used)) {
        faults.extend(check_licence(package, &allowed));
    }
    for (user, used) in edges {
        let ban = rules.bans.deny.iter().find(|ban| ban.krate == used.name);
        if ban.is_some_and(|ban| !ban.wrappers.contains(&user.name)) {
            faults.insert(Fault::Banned { package: used.name.clone(), user: user.name.clone() });
        }
    }
    Ok(faults)
}

fn check_licence(package: &Package, allowed: &[Licensee]) -> Option<Fault> {
    let named = format!("{} {}", package.name, package.version);
    let Some(licence) = package.license.clone() else {
        return Some(Fault::NoLicence { package: named });
    };
    // Older manifests write `MIT/Apache-2.0`; cargo still takes it, so it is read as `OR`.
    let mode = ParseMode { allow_slash_as_or_operator: true, ..ParseMode::STRICT };
    let Ok(expression) = Expression::parse_mode(&licence, mode) else {
        return Some(Fault::Unreadable { package: named, licence });
    };
    let satisfied = expression.evaluate(|needed| allowed.iter().any(|licensee| licensee.satisfies(needed)));
    (!satisfied).then_some(Fault::NotAllowed { package: named, licence })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metadata::Dependency;
    use crate::metadata::synthetic::{graph, package};

    const RULES: &str = r#"
        [licenses]
        allow = ["MIT", "Apache-2.0", "Apache-2.0 WITH LLVM-exception"]
        [bans]
        deny = [{ crate = "driver", wrappers = ["obhut-store"] }, { crate = "cipher" }]
    "#;

    fn licence_faults(licence: Option<&str>) -> Vec<Fault> {
        let mut used = package("used", &[]);
        used.license = licence.map(ToOwned::to_owned);
        let found = graph(1, vec![package("obhut", &["used"]), used]);
        check(&found, &Rules::parse(RULES).expect("rules")).expect("check").into_iter().collect()
    }

    #[test]
    fn expressions_are_evaluated_not_compared() {
        let good = ["MIT", "MIT/Apache-2.0", "GPL-3.0-only OR MIT", "(MIT OR ISC) AND Apache-2.0"];
        for licence in good.iter().chain(&["Apache-2.0 WITH LLVM-exception OR ISC"]) {
            assert_eq!(licence_faults(Some(licence)), [], "{licence}");
        }
        for licence in
            ["GPL-3.0-only", "MIT AND ISC", "AGPL-3.0-or-later", "GPL-2.0-only WITH Classpath-exception-2.0"]
        {
            let found = licence_faults(Some(licence));
            assert!(matches!(found.as_slice(), [Fault::NotAllowed { .. }]), "{licence}: {found:?}");
        }
    }

    #[test]
    fn no_licence_and_nonsense_are_faults() {
        assert!(matches!(licence_faults(None).as_slice(), [Fault::NoLicence { .. }]));
        assert!(matches!(licence_faults(Some("as you like")).as_slice(), [Fault::Unreadable { .. }]));
    }

    #[test]
    fn a_banned_crate_is_found_however_deep_but_not_behind_its_wrapper() {
        let rules = Rules::parse(RULES).expect("rules");
        let deep = graph(
            1,
            vec![package("obhut", &["middle"]), package("middle", &["cipher"]), package("cipher", &[])],
        );
        let expected = Fault::Banned { package: "cipher".to_owned(), user: "middle".to_owned() };
        assert_eq!(check(&deep, &rules).expect("check"), BTreeSet::from([expected]));
        let wrapped = graph(1, vec![package("obhut-store", &["driver"]), package("driver", &[])]);
        assert_eq!(check(&wrapped, &rules).expect("check"), BTreeSet::new());
        let around = graph(1, vec![package("obhut", &["driver"]), package("driver", &[])]);
        assert_eq!(check(&around, &rules).expect("check").len(), 1);
    }

    #[test]
    fn what_only_tests_use_is_free() {
        let mut ours = package("obhut", &[]);
        ours.dependencies.push(Dependency { name: "cipher".to_owned(), kind: Some("dev".to_owned()) });
        let mut cipher = package("cipher", &[]);
        cipher.license = Some("GPL-3.0-only".to_owned());
        let found = graph(1, vec![ours, cipher]);
        assert_eq!(check(&found, &Rules::parse(RULES).expect("rules")).expect("check"), BTreeSet::new());
    }

    #[test]
    fn the_projects_own_rules_can_be_read() {
        let rules = Rules::parse(include_str!("../../deny.toml")).expect("deny.toml");
        assert!(rules.allowed().expect("licences").len() >= 5);
        let sqlite = rules.bans.deny.iter().find(|ban| ban.krate == "rusqlite").expect("fenced");
        assert_eq!(sqlite.wrappers, ["obhut-store", "obhut-sample"]);
    }
}
