//! `cargo xtask fuzz [TARGET] [--seconds N]`: the coverage-guided fuzzer, where it and its compiler are installed.

use std::path::Path;

use crate::groups::Outcome;
use crate::run;

/// Seconds for each target when nothing is asked for.
const SECONDS: u32 = 30;
/// Largest input in bytes that the fuzzer tries.
const MAX_LENGTH: u32 = 16_384;

/// What to fuzz, and for how long.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Wish {
    target: Option<String>,
    seconds: u32,
}

impl Wish {
    /// Reads the words after `fuzz`.
    pub(crate) fn parse(words: &[String]) -> Result<Self, String> {
        let mut wish = Self { target: None, seconds: SECONDS };
        let mut words = words.iter();
        while let Some(word) = words.next() {
            if word == "--seconds" {
                let seconds = words.next().and_then(|word| word.parse().ok()).filter(|seconds| *seconds > 0);
                wish.seconds = seconds.ok_or("--seconds takes a number from 1 on")?;
            } else if word.starts_with('-') || wish.target.is_some() {
                return Err(format!("`{word}`: expected [TARGET] [--seconds N]"));
            } else {
                wish.target = Some(word.clone());
            }
        }
        Ok(wish)
    }

    /// The targets that are meant, of those that there are.
    fn select(&self, known: Vec<String>) -> Result<Vec<String>, String> {
        match &self.target {
            None => Ok(known),
            Some(target) if known.contains(target) => Ok(vec![target.clone()]),
            Some(target) => Err(format!("no target `{target}`; there are: {}", known.join(", "))),
        }
    }
}

/// The targets: one file each.
pub(crate) fn targets(root: &Path) -> Result<Vec<String>, String> {
    let folder = root.join("fuzz/fuzz_targets");
    let files = std::fs::read_dir(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let names = files.filter_map(|file| file.ok()?.file_name().into_string().ok());
    let mut names: Vec<String> =
        names.filter_map(|name| name.strip_suffix(".rs").map(ToOwned::to_owned)).collect();
    names.sort();
    Ok(names)
}

/// Why the fuzzer cannot run here; `None` when it can.
pub(crate) fn missing(root: &Path) -> Option<String> {
    let smoke = "the targets still run with seeds and mutants among the tests";
    if !run::has_subcommand(root, "fuzz") {
        return Some(format!("cargo-fuzz is not installed (`cargo install cargo-fuzz --locked`); {smoke}"));
    }
    let nightly = run::quietly(&mut run::cargo(root, &["+nightly", "--version"]));
    (!nightly).then(|| format!("there is no nightly compiler, which the fuzzer needs; {smoke}"))
}

/// Writes the seeds, then fuzzes each target; the first finding ends it.
pub(crate) fn fuzz(root: &Path, wish: &Wish) -> Outcome {
    let chosen = match targets(root).and_then(|known| wish.select(known)) {
        Ok(chosen) => chosen,
        Err(why) => return Outcome::Failed(why),
    };
    if let Some(why) = missing(root) {
        return Outcome::NotRun(why);
    }
    let seeds =
        ["run", "--quiet", "--profile", "ci", "--package", "obhut-fuzz-targets", "--example", "seeds", "--"];
    if let Err(why) = run::run(run::cargo(root, &seeds).arg(root.join("fuzz/corpus"))) {
        return Outcome::Failed(why);
    }
    for target in &chosen {
        let mut command = run::cargo(root, &["+nightly", "fuzz", "run", target, "--"]);
        command.arg(format!("-max_total_time={}", wish.seconds)).arg(format!("-max_len={MAX_LENGTH}"));
        if let Err(why) = run::run(&mut command) {
            return Outcome::Failed(format!("{why}; the input lies in fuzz/artifacts/{target}"));
        }
    }
    Outcome::Ok(format!("{} targets, {} s each", chosen.len(), wish.seconds))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wish(words: &[&str]) -> Result<Wish, String> {
        Wish::parse(&words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>())
    }

    #[test]
    fn words_are_read_in_any_order() {
        assert_eq!(wish(&[]), Ok(Wish { target: None, seconds: SECONDS }));
        let expected = Ok(Wish { target: Some("id".to_owned()), seconds: 5 });
        assert_eq!(wish(&["id", "--seconds", "5"]), expected);
        assert_eq!(wish(&["--seconds", "5", "id"]), expected);
    }

    #[test]
    fn nonsense_is_refused() {
        for words in
            [&["--seconds"][..], &["--seconds", "0"], &["--seconds", "x"], &["a", "b"], &["--minutes"]]
        {
            assert!(wish(words).is_err(), "{words:?}");
        }
    }

    #[test]
    fn an_unknown_target_is_named_beside_the_known() {
        let known = || vec!["id".to_owned(), "leaf".to_owned()];
        assert_eq!(wish(&[]).and_then(|wish| wish.select(known())), Ok(known()));
        assert_eq!(wish(&["leaf"]).and_then(|wish| wish.select(known())), Ok(vec!["leaf".to_owned()]));
        let why = wish(&["lief"]).and_then(|wish| wish.select(known())).expect_err("no such target");
        assert!(why.contains("lief") && why.contains("leaf"), "{why}");
    }
}
