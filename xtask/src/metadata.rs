//! The part of `cargo metadata` that the checks read.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::run;

/// The platform whose dependency graph is checked: the one the program is built for.
const PLATFORM: &str = "x86_64-unknown-linux-gnu";

/// A dependency graph: packages and who resolved to whom.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct Metadata {
    pub(crate) packages: Vec<Package>,
    #[serde(default)]
    pub(crate) workspace_members: Vec<String>,
    pub(crate) resolve: Option<Resolve>,
    /// Packages (name, version) that a build really has; without it all resolved ones count.
    #[serde(skip)]
    pub(crate) built: Option<HashSet<(String, String)>>,
}

/// One package, with its dependencies as written in its manifest.
#[derive(Clone, Debug, Default, Deserialize)]
pub(crate) struct Package {
    pub(crate) name: String,
    pub(crate) id: String,
    pub(crate) version: String,
    pub(crate) license: Option<String>,
    pub(crate) manifest_path: PathBuf,
    pub(crate) dependencies: Vec<Dependency>,
}

/// One line of a manifest's dependency tables.
#[derive(Clone, Debug, Default, Deserialize)]
pub(crate) struct Dependency {
    pub(crate) name: String,
    /// `None` for a normal dependency, else `dev` or `build`.
    pub(crate) kind: Option<String>,
}

/// The resolved graph.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct Resolve {
    pub(crate) nodes: Vec<Node>,
}

/// One resolved package and what it uses.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct Node {
    pub(crate) id: String,
    pub(crate) deps: Vec<Edge>,
}

/// One resolved use.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct Edge {
    pub(crate) pkg: String,
    pub(crate) dep_kinds: Vec<EdgeKind>,
}

/// For what the use is needed.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct EdgeKind {
    pub(crate) kind: Option<String>,
}

impl Dependency {
    /// Whether the dependency is part of what is built and shipped (normal and build, not dev).
    pub(crate) fn ships(&self) -> bool {
        self.kind.as_deref() != Some("dev")
    }
}

impl Edge {
    /// Whether the use is part of what is built and shipped.
    pub(crate) fn ships(&self) -> bool {
        self.dep_kinds.iter().any(|kind| kind.kind.as_deref() != Some("dev"))
    }
}

impl Metadata {
    /// Asks cargo.
    ///
    /// `cargo metadata` merges the features of all dependency kinds, so it shows optional packages that only tests
    /// switch on; `cargo tree` knows which ones a build has.
    pub(crate) fn load(root: &Path) -> Result<Self, String> {
        let graph = ask(root, &["metadata", "--format-version", "1", "--filter-platform", PLATFORM])?;
        let mut metadata: Self = serde_json::from_slice(&graph)
            .map_err(|error| format!("cargo metadata is not as expected: {error}"))?;
        let kinds = ["--edges", "normal,build", "--prefix", "none", "--format", "{p}"];
        let tree = ask(root, &[["tree", "--workspace", "--target", PLATFORM].as_slice(), &kinds].concat())?;
        metadata.built = Some(String::from_utf8_lossy(&tree).lines().filter_map(name_and_version).collect());
        Ok(metadata)
    }

    /// The project's own packages.
    pub(crate) fn members(&self) -> impl Iterator<Item = &Package> {
        self.packages.iter().filter(|package| self.workspace_members.contains(&package.id))
    }

    /// Pairs (user, used) of the resolved graph that are built and shipped, starting from the members.
    pub(crate) fn shipped_edges(&self) -> Vec<(&Package, &Package)> {
        let packages: HashMap<&str, &Package> =
            self.packages.iter().map(|package| (package.id.as_str(), package)).collect();
        let nodes: HashMap<&str, &Node> = self
            .resolve
            .iter()
            .flat_map(|resolve| &resolve.nodes)
            .map(|node| (node.id.as_str(), node))
            .collect();
        let mut todo: Vec<&str> = self.workspace_members.iter().map(String::as_str).collect();
        let mut seen: HashSet<&str> = todo.iter().copied().collect();
        let mut edges = Vec::new();
        while let Some(id) = todo.pop() {
            let Some(node) = nodes.get(id) else { continue };
            for edge in node.deps.iter().filter(|edge| edge.ships()) {
                let (Some(user), Some(used)) = (packages.get(id), packages.get(edge.pkg.as_str())) else {
                    continue;
                };
                if !self.is_built(used) {
                    continue;
                }
                edges.push((*user, *used));
                if seen.insert(&edge.pkg) {
                    todo.push(&edge.pkg);
                }
            }
        }
        edges
    }

    fn is_built(&self, package: &Package) -> bool {
        let key = (package.name.clone(), package.version.clone());
        self.built.as_ref().is_none_or(|built| built.contains(&key))
    }
}

/// The output of a cargo command that must succeed.
fn ask(root: &Path, words: &[&str]) -> Result<Vec<u8>, String> {
    let output = run::cargo(root, words).output().map_err(|error| format!("cargo did not start: {error}"))?;
    if output.status.success() {
        Ok(output.stdout)
    } else {
        Err(format!("cargo {}: {}", words.join(" "), String::from_utf8_lossy(&output.stderr)))
    }
}

/// `name v1.2.3 (…)`, a line of `cargo tree`.
fn name_and_version(line: &str) -> Option<(String, String)> {
    let mut words = line.split_whitespace();
    let name = words.next()?;
    let version = words.next()?.strip_prefix('v')?;
    Some((name.to_owned(), version.to_owned()))
}

#[cfg(test)]
pub(crate) mod synthetic {
    //! Small made-up graphs for the negative tests.
    use super::*;

    /// A member package with normal dependencies by name.
    pub(crate) fn package(name: &str, uses: &[&str]) -> Package {
        Package {
            name: name.to_owned(),
            id: name.to_owned(),
            version: "1.0.0".to_owned(),
            license: Some("Apache-2.0".to_owned()),
            manifest_path: PathBuf::new(),
            dependencies: uses
                .iter()
                .map(|used| Dependency { name: (*used).to_owned(), kind: None })
                .collect(),
        }
    }

    /// A graph in which the first `members` packages are the project's own.
    pub(crate) fn graph(members: usize, packages: Vec<Package>) -> Metadata {
        let workspace_members = packages.iter().take(members).map(|package| package.id.clone()).collect();
        let nodes = packages
            .iter()
            .map(|package| Node {
                id: package.id.clone(),
                deps: package
                    .dependencies
                    .iter()
                    .map(|used| Edge {
                        pkg: used.name.clone(),
                        dep_kinds: vec![EdgeKind { kind: used.kind.clone() }],
                    })
                    .collect(),
            })
            .collect();
        Metadata { packages, workspace_members, resolve: Some(Resolve { nodes }), built: None }
    }
}

#[cfg(test)]
mod tests {
    use super::synthetic::{graph, package};
    use super::*;

    #[test]
    fn a_line_of_the_tree_is_read() {
        let expected = Some(("serde".to_owned(), "1.0.229".to_owned()));
        assert_eq!(name_and_version("serde v1.0.229"), expected);
        assert_eq!(name_and_version("serde v1.0.229 (*)"), expected);
        assert_eq!(name_and_version(""), None);
        assert_eq!(name_and_version("[build-dependencies]"), None);
    }

    #[test]
    fn what_no_build_has_is_no_edge() {
        let mut found = graph(1, vec![package("a", &["b", "c"]), package("b", &[]), package("c", &[])]);
        assert_eq!(found.shipped_edges().len(), 2);
        found.built = Some(HashSet::from([("b".to_owned(), "1.0.0".to_owned())]));
        let edges: Vec<_> = found.shipped_edges().iter().map(|(_, used)| used.name.clone()).collect();
        assert_eq!(edges, ["b"]);
    }
}
