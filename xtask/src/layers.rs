//! Which crate may depend on which: the table of ARCHITECTURE.md, held against `cargo metadata`.
//!
//! Normal and build dependencies count; dev-dependencies are free, since they are not in the shipped program.

use std::fmt;

use crate::metadata::{Metadata, Package};

/// What one of our crates may use of our crates.
struct Layer {
    krate: &'static str,
    may_use: &'static [&'static str],
}

/// An outside crate that may stand in few places only.
struct Fenced {
    names: &'static [&'static str],
    only: &'static [&'static str],
    why: &'static str,
}

const PRODUCT: &[&str] = &[
    "obhut-model",
    "obhut-seal",
    "obhut-ledger",
    "obhut-store",
    "obhut-jobs",
    "obhut-vault",
    "obhut-shield",
    "obhut-gateway",
    "obhut-watch",
    "obhut-assure",
    "obhut-console",
    // The demo's app; the `demo` verb alone calls it.
    "obhut-sample",
];

/// The house. Crates that are not written yet have their line already.
const LAYERS: &[Layer] = &[
    Layer { krate: "obhut-model", may_use: &[] },
    Layer { krate: "obhut-seal", may_use: &["obhut-model"] },
    Layer { krate: "obhut-ledger", may_use: &["obhut-model"] },
    Layer { krate: "obhut-store", may_use: &["obhut-model", "obhut-seal"] },
    Layer { krate: "obhut-jobs", may_use: &["obhut-model", "obhut-store"] },
    Layer {
        krate: "obhut-vault",
        may_use: &["obhut-model", "obhut-seal", "obhut-ledger", "obhut-store", "obhut-jobs"],
    },
    Layer { krate: "obhut-shield", may_use: &["obhut-model"] },
    Layer { krate: "obhut-gateway", may_use: &["obhut-model", "obhut-shield"] },
    Layer {
        krate: "obhut-watch",
        may_use: &["obhut-model", "obhut-seal", "obhut-ledger", "obhut-store", "obhut-jobs"],
    },
    Layer {
        krate: "obhut-assure",
        may_use: &["obhut-model", "obhut-seal", "obhut-ledger", "obhut-store", "obhut-jobs"],
    },
    Layer { krate: "obhut-console", may_use: &["obhut-model", "obhut-vault", "obhut-watch", "obhut-assure"] },
    Layer { krate: "obhut", may_use: PRODUCT },
    // Development only: nobody ships with them, see `DEVELOPMENT`.
    Layer { krate: "obhut-testkit", may_use: PRODUCT },
    Layer { krate: "obhut-sample", may_use: &[] },
    Layer { krate: "obhut-fuzz-targets", may_use: PRODUCT },
    Layer { krate: "xtask", may_use: &[] },
];

/// Crates on which nothing that ships may depend.
const DEVELOPMENT: &[&str] = &["obhut-testkit", "obhut-fuzz-targets", "xtask"];

const FENCED: &[Fenced] = &[
    Fenced {
        names: &["aws-lc-rs", "aws-lc-sys"],
        only: &["obhut-seal", "obhut-ledger", "obhut-sample"],
        why: "only seal names a cipher; ledger has the named exception of digests and signature verification",
    },
    Fenced {
        names: &[
            "ring",
            "openssl",
            "aes",
            "aes-gcm",
            "chacha20poly1305",
            "sha2",
            "sha3",
            "blake3",
            "hmac",
            "hkdf",
            "rsa",
            "p256",
            "ed25519-dalek",
            "ml-kem",
            "rand",
        ],
        only: &[],
        why: "one library does the cryptography, and it stands in seal",
    },
    Fenced {
        names: &["sha1", "md-5"],
        only: &["obhut-shield"],
        why: "`t:sha1` and `t:md5` are functions of the rule language, and nothing is protected by them",
    },
    Fenced { names: &["argon2"], only: &["obhut-seal"], why: "passphrases are seal's" },
    Fenced {
        names: &["rusqlite", "libsqlite3-sys", "tokio-postgres", "sqlx"],
        only: &["obhut-store", "obhut-sample"],
        why: "database drivers stand under the store alone",
    },
    Fenced {
        names: &["axum", "utoipa"],
        only: &["obhut-console", "obhut-sample"],
        why: "console is the only crate that knows the web framework",
    },
    Fenced { names: &["rcgen"], only: &["obhut"], why: "certificates are made by the binary" },
];

/// One breach of the table.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// A crate that has no line in the table.
    Unlisted { krate: String },
    /// An edge between our crates that the table does not have.
    Forbidden { krate: String, used: String },
    /// A development crate that would ship.
    Ships { krate: String, used: String },
    /// An outside crate beyond its fence.
    Fence { krate: String, used: String, why: &'static str },
    /// A manifest without `[lints] workspace = true`.
    Lints { krate: String },
    /// The workspace's manifest does not forbid unsafe code.
    Unsafe,
}

impl fmt::Display for Fault {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unlisted { krate } => write!(out, "{krate} has no line in the table of layers"),
            Self::Forbidden { krate, used } => write!(out, "{krate} must not depend on {used}"),
            Self::Ships { krate, used } => {
                write!(out, "{krate} ships, so {used} can only be its dev-dependency")
            }
            Self::Fence { krate, used, why } => write!(out, "{krate} must not depend on {used}: {why}"),
            Self::Lints { krate } => write!(out, "{krate}: the manifest lacks `[lints] workspace = true`"),
            Self::Unsafe => {
                write!(out, "Cargo.toml: the workspace's lints do not say `unsafe_code = \"forbid\"`")
            }
        }
    }
}

/// Holds the graph of `metadata` against the table.
pub(crate) fn check(metadata: &Metadata) -> Vec<Fault> {
    let ours: Vec<&str> = metadata.members().map(|member| member.name.as_str()).collect();
    metadata.members().flat_map(|member| check_member(member, &ours)).collect()
}

fn check_member(member: &Package, ours: &[&str]) -> Vec<Fault> {
    let krate = || member.name.clone();
    let Some(layer) = LAYERS.iter().find(|layer| layer.krate == member.name) else {
        return vec![Fault::Unlisted { krate: krate() }];
    };
    let mut faults = Vec::new();
    for dependency in member.dependencies.iter().filter(|dependency| dependency.ships()) {
        let used = dependency.name.as_str();
        if DEVELOPMENT.contains(&used) {
            faults.push(Fault::Ships { krate: krate(), used: used.to_owned() });
        } else if ours.contains(&used) && !layer.may_use.contains(&used) {
            faults.push(Fault::Forbidden { krate: krate(), used: used.to_owned() });
        }
        let fence = FENCED.iter().find(|fence| fence.names.contains(&used));
        if let Some(fence) = fence.filter(|fence| !fence.only.contains(&member.name.as_str())) {
            faults.push(Fault::Fence { krate: krate(), used: used.to_owned(), why: fence.why });
        }
    }
    faults
}

/// Whether the manifest takes over the workspace's lints.
pub(crate) fn check_lints(krate: &str, manifest: &str) -> Option<Fault> {
    let shared = manifest
        .parse::<toml::Table>()
        .ok()
        .and_then(|table| table.get("lints")?.get("workspace")?.as_bool())
        .unwrap_or(false);
    (!shared).then(|| Fault::Lints { krate: krate.to_owned() })
}

/// Whether the workspace's lints, which every crate takes over, forbid unsafe code (`deny` could be lifted again).
pub(crate) fn check_unsafe(manifest: &str) -> Option<Fault> {
    let forbidden = manifest.parse::<toml::Table>().ok().is_some_and(|table| {
        let lint = table.get("workspace").and_then(|part| part.get("lints")?.get("rust")?.get("unsafe_code"));
        let level = lint.and_then(|lint| lint.as_str().or_else(|| lint.get("level")?.as_str()));
        level == Some("forbid")
    });
    (!forbidden).then_some(Fault::Unsafe)
}

/// For each shipped crate of the workspace, which of the others it may use: the table as ARCHITECTURE.md writes it.
pub(crate) fn table(metadata: &Metadata) -> Vec<(String, String)> {
    let short = |name: &str| name.strip_prefix("obhut-").unwrap_or(name).to_owned();
    let exists = |name: &&str| metadata.members().any(|member| member.name == **name);
    let shipped = LAYERS.iter().filter(|layer| !DEVELOPMENT.contains(&layer.krate) && exists(&layer.krate));
    let uses = |layer: &Layer| match layer.may_use {
        [] => "–".to_owned(),
        PRODUCT => "all".to_owned(),
        some => some.iter().copied().filter(|name| exists(name)).map(short).collect::<Vec<_>>().join(", "),
    };
    shipped.map(|layer| (short(layer.krate), uses(layer))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metadata::Dependency;
    use crate::metadata::synthetic::{graph, package};

    fn house() -> Vec<Package> {
        vec![
            package("obhut-model", &["serde"]),
            package("obhut-seal", &["obhut-model", "aws-lc-rs", "argon2"]),
            package("obhut-ledger", &["obhut-model", "aws-lc-rs"]),
            package("obhut-store", &["obhut-model", "rusqlite"]),
            package("obhut-vault", &["obhut-model", "obhut-seal", "obhut-ledger", "obhut-store"]),
            package("obhut-console", &["obhut-model", "obhut-vault", "axum"]),
            package("obhut", &["obhut-console", "obhut-vault", "rcgen"]),
            package("obhut-testkit", &["obhut-model"]),
        ]
    }

    fn faults_with(krate: &str, used: &str, kind: Option<&str>) -> Vec<Fault> {
        let mut packages = house();
        let member = packages.iter_mut().find(|package| package.name == krate).expect("a crate of the house");
        member.dependencies.push(Dependency { name: used.to_owned(), kind: kind.map(ToOwned::to_owned) });
        check(&graph(packages.len(), packages))
    }

    #[test]
    fn the_house_as_drawn_passes() {
        let packages = house();
        assert_eq!(check(&graph(packages.len(), packages)), []);
    }

    #[test]
    fn an_upward_edge_is_found() {
        let wrong = [
            ("obhut-model", "obhut-seal"),
            ("obhut-ledger", "obhut-seal"),
            ("obhut-store", "obhut-vault"),
            ("obhut-vault", "obhut-console"),
            ("obhut-console", "obhut-store"),
        ];
        for (krate, used) in wrong {
            let expected = Fault::Forbidden { krate: krate.to_owned(), used: used.to_owned() };
            assert_eq!(faults_with(krate, used, None), [expected], "{krate} -> {used}");
        }
    }

    #[test]
    fn a_build_dependency_counts_and_a_dev_dependency_does_not() {
        assert_eq!(faults_with("obhut-ledger", "obhut-seal", Some("build")).len(), 1);
        assert_eq!(faults_with("obhut-ledger", "obhut-seal", Some("dev")), []);
        assert_eq!(faults_with("obhut-vault", "obhut-testkit", Some("dev")), []);
    }

    #[test]
    fn a_development_crate_cannot_ship() {
        let found = faults_with("obhut-vault", "obhut-testkit", None);
        assert!(matches!(found.as_slice(), [Fault::Ships { .. }]), "{found:?}");
    }

    #[test]
    fn each_fence_holds() {
        let wrong = [
            ("obhut-vault", "aws-lc-rs"),
            ("obhut-seal", "ring"),
            ("obhut-ledger", "argon2"),
            ("obhut-vault", "rusqlite"),
            ("obhut-vault", "sha1"),
            ("obhut-ledger", "md-5"),
            ("obhut", "axum"),
            ("obhut-vault", "utoipa"),
            ("obhut-console", "rcgen"),
        ];
        for (krate, used) in wrong {
            let found = faults_with(krate, used, None);
            assert!(matches!(found.as_slice(), [Fault::Fence { .. }]), "{krate} -> {used}: {found:?}");
        }
    }

    #[test]
    fn a_crate_without_a_line_is_found() {
        let mut packages = house();
        packages.push(package("obhut-common", &[]));
        let found = check(&graph(packages.len(), packages));
        assert_eq!(found, [Fault::Unlisted { krate: "obhut-common".to_owned() }]);
    }

    #[test]
    fn the_workspace_must_forbid_unsafe_code() {
        assert_eq!(check_unsafe("[workspace.lints.rust]\nunsafe_code = \"forbid\"\n"), None);
        let levelled = "[workspace.lints.rust]\nunsafe_code = { level = \"forbid\", priority = 1 }\n";
        assert_eq!(check_unsafe(levelled), None);
        for level in ["deny", "warn", "allow"] {
            let manifest = format!("[workspace.lints.rust]\nunsafe_code = \"{level}\"\n");
            assert_eq!(check_unsafe(&manifest), Some(Fault::Unsafe), "{level}");
        }
        assert_eq!(check_unsafe("[workspace]\n"), Some(Fault::Unsafe));
        assert_eq!(check_unsafe(include_str!("../../Cargo.toml")), None);
    }

    #[test]
    fn the_written_table_names_what_exists() {
        let packages = house();
        let table = table(&graph(packages.len(), packages));
        let uses = |name: &str| table.iter().find(|(krate, _)| krate == name).map(|(_, uses)| uses.as_str());
        assert_eq!(uses("model"), Some("–"));
        assert_eq!(uses("vault"), Some("model, seal, ledger, store"), "jobs is not in this graph");
        assert_eq!(uses("obhut"), Some("all"));
        assert_eq!((uses("testkit"), uses("watch")), (None, None));
    }

    #[test]
    fn lints_must_come_from_the_workspace() {
        assert_eq!(check_lints("a", "[lints]\nworkspace = true\n"), None);
        let missing = Some(Fault::Lints { krate: "a".to_owned() });
        assert_eq!(check_lints("a", "[package]\nname = \"a\"\n"), missing);
        assert_eq!(check_lints("a", "[lints]\nworkspace = false\n"), missing);
        assert_eq!(check_lints("a", "[lints.rust]\nunsafe_code = \"allow\"\n"), missing);
    }
}
