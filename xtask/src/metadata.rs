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
    pub(crate) fn load(root: &Path) -> Result<Self, String> {
        let output = run::cargo(root, &["metadata", "--format-version", "1", "--filter-platform", PLATFORM])
            .output()
            .map_err(|error| format!("cargo metadata did not start: {error}"))?;
        if !output.status.success() {
            return Err(format!("cargo metadata failed: {}", String::from_utf8_lossy(&output.stderr)));
        }
        serde_json::from_slice(&output.stdout)
            .map_err(|error| format!("cargo metadata is not as expected: {error}"))
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
                if let (Some(user), Some(used)) = (packages.get(id), packages.get(edge.pkg.as_str())) {
                    edges.push((*user, *used));
                }
                if seen.insert(&edge.pkg) {
                    todo.push(&edge.pkg);
                }
            }
        }
        edges
    }
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
        Metadata { packages, workspace_members, resolve: Some(Resolve { nodes }) }
    }
}
