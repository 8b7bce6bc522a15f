//! Every target on its seeds, their mutants, and what the fuzzer once found; and that the lists of targets agree.

use data_encoding::HEXLOWER;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use targets::TARGETS;
use targets::smoke::{Failure, Tally, attempt, smoke};

/// Mutants of each seed; more with `OBHUT_ROUNDS`, in thousands.
fn rounds() -> usize {
    #[expect(clippy::disallowed_methods, reason = "a test is told how long it may take")]
    let asked = std::env::var("OBHUT_ROUNDS").ok().and_then(|rounds| rounds.parse::<usize>().ok());
    asked.unwrap_or(2) * 1_000
}

fn fuzz_folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn describe(name: &str, failure: Failure) -> String {
    match failure {
        Failure::NoSeed => format!("{name}: no seed"),
        Failure::SeedRefused(seed) => format!("{name}: seed refused: {}", String::from_utf8_lossy(&seed)),
        Failure::Panicked(input) => format!("{name}: panicked on hex {}", HEXLOWER.encode(&input)),
    }
}

#[test]
fn fuzz_smoke_every_target() {
    let mut failures = Vec::new();
    for target in TARGETS {
        match smoke(target, rounds()) {
            Ok(tally) => say(target.name, &tally),
            Err(failure) => failures.push(describe(target.name, failure)),
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn fuzz_smoke_what_was_once_found() {
    for target in TARGETS {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("regressions").join(target.name);
        let Ok(files) = std::fs::read_dir(folder) else { continue };
        for file in files {
            let input = std::fs::read(file.expect("an entry").path()).expect("a file");
            let ended = attempt(target, &input, &mut Tally::default());
            ended.unwrap_or_else(|failure| panic!("{}", describe(target.name, failure)));
        }
    }
}

#[test]
fn each_target_has_its_binary() {
    let listed: BTreeSet<String> = TARGETS.iter().map(|target| target.name.to_owned()).collect();
    let files = std::fs::read_dir(fuzz_folder().join("fuzz_targets")).expect("the binaries");
    let files = files.filter_map(|file| file.expect("an entry").file_name().into_string().ok());
    let files: BTreeSet<String> =
        files.filter_map(|name| name.strip_suffix(".rs").map(ToOwned::to_owned)).collect();
    assert_eq!(files, listed);
    let manifest = std::fs::read_to_string(fuzz_folder().join("Cargo.toml")).expect("the manifest");
    let paths = manifest.lines().filter_map(|line| line.strip_prefix("path = \"fuzz_targets/"));
    let paths: BTreeSet<String> =
        paths.filter_map(|path| path.strip_suffix(".rs\"").map(ToOwned::to_owned)).collect();
    assert_eq!(paths, listed);
    for name in &listed {
        let path = fuzz_folder().join("fuzz_targets").join(format!("{name}.rs"));
        let text = std::fs::read_to_string(path).expect("a binary");
        assert!(text.contains(&format!("::{name}(bytes)")), "{name} calls another target");
    }
}

/// Under what name how many inputs were tried, for who runs this with its output shown.
fn say(name: &str, tally: &Tally) {
    use std::io::Write;
    let _ = writeln!(std::io::stdout(), "{name}: {} inputs, {} accepted", tally.tried, tally.accepted);
}
