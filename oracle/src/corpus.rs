//! The regression corpus, run through libmodsecurity.

use std::fs;
use std::path::{Path, PathBuf};

use shield::ftw::overrides::Overrides;
use shield::ftw::{self, Case, Observed, Verdict};

use crate::Oracle;

/// Every case of a corpus folder, in order of the files' paths. Files with `overrides` in their names hold no cases.
pub fn cases(folder: &Path) -> Result<Vec<Case>, String> {
    let mut files = Vec::new();
    collect(folder, &mut files)?;
    files.sort();
    let mut cases = Vec::new();
    for file in files {
        let said = |error: &dyn std::fmt::Display| format!("{}: {error}", file.display());
        let text = fs::read_to_string(&file).map_err(|error| said(&error))?;
        cases.extend(ftw::read(&text).map_err(|error| said(&error))?);
    }
    Ok(cases)
}

/// Puts a file of overrides into the cases.
pub fn override_with(file: &Path, cases: &mut [Case]) -> Result<usize, String> {
    let said = |error: &dyn std::fmt::Display| format!("{}: {error}", file.display());
    let text = fs::read_to_string(file).map_err(|error| said(&error))?;
    let overrides = Overrides::read(&text).map_err(|error| said(&error))?;
    Ok(cases.iter_mut().filter_map(|case| overrides.apply(case).then_some(())).count())
}

/// One case through the oracle.
pub fn run(oracle: &mut Oracle, case: &Case) -> Verdict {
    case.run(|request| {
        let outcome = oracle.run(request, false)?;
        Ok(Observed { ids: outcome.ids(), log: Some(outcome.log()) })
    })
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) -> Result<(), String> {
    let said = |error: std::io::Error| format!("{}: {error}", folder.display());
    for entry in fs::read_dir(folder).map_err(said)? {
        let path = entry.map_err(said)?.path();
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        if path.is_dir() {
            collect(&path, files)?;
        } else if (name.ends_with(".yaml") || name.ends_with(".yml")) && !name.contains("overrides") {
            files.push(path);
        }
    }
    Ok(())
}
