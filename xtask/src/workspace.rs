//! Where the workspace lies and which source files it holds.

use std::path::{Path, PathBuf};

use crate::run;

/// The workspace root: the folder above this crate's manifest.
pub(crate) fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().unwrap_or(here).to_path_buf()
}

/// Where cargo puts what it builds, which the environment or a configuration file may have moved.
pub(crate) fn target_folder(root: &Path) -> Result<PathBuf, String> {
    #[derive(serde::Deserialize)]
    struct Answer {
        target_directory: PathBuf,
    }
    let output = run::cargo(root, &["metadata", "--no-deps", "--format-version", "1"])
        .output()
        .map_err(|error| format!("cargo did not start: {error}"))?;
    let answer: Answer = serde_json::from_slice(&output.stdout)
        .map_err(|error| format!("cargo metadata is not as expected: {error}"))?;
    Ok(answer.target_directory)
}

/// Every `.rs` file of the project's own crates, sorted, relative to `root`.
pub(crate) fn sources(root: &Path) -> std::io::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for top in ["crates", "xtask", "fuzz"] {
        collect(&root.join(top), &mut found)?;
    }
    let mut relative: Vec<PathBuf> =
        found.iter().filter_map(|path| path.strip_prefix(root).ok().map(Path::to_path_buf)).collect();
    relative.sort();
    Ok(relative)
}

fn collect(dir: &Path, found: &mut Vec<PathBuf>) -> std::io::Result<()> {
    if !dir.is_dir() {
        return Ok(());
    }
    for entry in std::fs::read_dir(dir)? {
        let path = entry?.path();
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        if path.is_dir() {
            if name != "target" && !name.starts_with('.') {
                collect(&path, found)?;
            }
        } else if name.ends_with(".rs") {
            found.push(path);
        }
    }
    Ok(())
}
