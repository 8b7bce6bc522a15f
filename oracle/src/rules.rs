//! Which rules the oracle loads: a prelude of settings, the setup of CRS, its rule files in order of their names.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

/// Id of the action that sets the variables of a [`Setup`]; outside of every range that CRS uses.
const SETUP_RULE: u64 = 99_000;

/// Text of rules, and where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleText {
    /// The file's path: it stands in messages, and its folder is where data files are looked up.
    pub name: String,
    /// The rules.
    pub text: String,
}

/// `SecRuleEngine`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Engine {
    /// Rules may refuse a request.
    On,
    /// Rules match and report, and refuse nothing.
    DetectionOnly,
}

/// What stands before the rules.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Setup {
    /// Whether rules may refuse a request.
    pub engine: Engine,
    /// Blocking paranoia level, 1 to 4.
    pub paranoia: u8,
    /// Detection paranoia level, where it differs from the blocking one.
    pub detection: Option<u8>,
    /// Further `TX` variables that CRS reads from its setup, with their values.
    pub variables: Vec<(&'static str, &'static str)>,
    /// Makes rules report that say `nolog` or `noauditlog`, so that every match is seen.
    pub report_all: bool,
}

impl Setup {
    /// The settings under which the regression corpus of CRS is written: it reports only, at level 4, with low limits
    /// for sizes, as the project's own test containers set them.
    #[must_use]
    pub fn corpus() -> Self {
        Self {
            engine: Engine::DetectionOnly,
            paranoia: 4,
            detection: None,
            variables: vec![
                ("max_num_args", "255"),
                ("arg_name_length", "100"),
                ("arg_length", "400"),
                ("total_arg_length", "6400"),
                ("max_file_size", "64100"),
                ("combined_file_sizes", "65535"),
                ("crs_validate_utf8_encoding", "1"),
            ],
            report_all: false,
        }
    }

    /// Blocking mode at one paranoia level, the rest as CRS ships it.
    #[must_use]
    pub fn blocking(paranoia: u8) -> Self {
        Self { engine: Engine::On, paranoia, detection: None, variables: Vec::new(), report_all: false }
    }
}

/// The settings before the rules: bodies of requests and answers are inspected, those of JSON and XML types by their
/// processors; the limits are wide, so that rules decide and not the library.
#[must_use]
pub fn prelude(setup: &Setup) -> RuleText {
    let engine = match setup.engine {
        Engine::On => "On",
        Engine::DetectionOnly => "DetectionOnly",
    };
    let level = setup.paranoia;
    let detection = setup.detection.unwrap_or(level);
    let mut text = format!(
        r#"SecRuleEngine {engine}
SecRequestBodyAccess On
SecRequestBodyLimit 134217728
SecRequestBodyNoFilesLimit 134217728
SecRequestBodyLimitAction Reject
SecRequestBodyJsonDepthLimit 512
SecResponseBodyAccess On
SecResponseBodyMimeType text/plain text/html text/xml application/json application/xml
SecResponseBodyLimit 134217728
SecResponseBodyLimitAction ProcessPartial
SecPcreMatchLimit 500000
SecPcreMatchLimitRecursion 500000
SecArgumentSeparator &
SecCookieFormat 0
SecRule REQUEST_HEADERS:Content-Type "^(?:application(?:/soap\+|/)|text/)xml" \
    "id:200000,phase:1,t:none,t:lowercase,pass,nolog,ctl:requestBodyProcessor=XML"
SecRule REQUEST_HEADERS:Content-Type "^application/json" \
    "id:200001,phase:1,t:none,t:lowercase,pass,nolog,ctl:requestBodyProcessor=JSON"
SecRule REQUEST_HEADERS:Content-Type "^application/[a-z0-9.-]+[+]json" \
    "id:200006,phase:1,t:none,t:lowercase,pass,nolog,ctl:requestBodyProcessor=JSON"
SecAction "id:{SETUP_RULE},phase:1,pass,nolog,t:none,\
    setvar:tx.blocking_paranoia_level={level},\
    setvar:tx.detection_paranoia_level={detection},\
    setvar:tx.paranoia_level={level},\
    setvar:tx.executing_paranoia_level={detection}"#,
    );
    for (name, value) in &setup.variables {
        // Writing to a `String` does not fail.
        let _ = write!(text, ",\\\n    setvar:tx.{name}={value}");
    }
    text.push_str("\"\n");
    RuleText { name: "prelude.conf".to_owned(), text: shown(text, setup) }
}

/// One file of rules.
pub fn file(path: &Path, setup: &Setup) -> Result<RuleText, String> {
    let text = fs::read(path).map_err(|error| format!("{}: {error}", path.display()))?;
    let text = String::from_utf8_lossy(&text).into_owned();
    Ok(RuleText { name: path.display().to_string(), text: shown(text, setup) })
}

/// Prelude, setup files and all of a folder's `*.conf`, in order of their names.
pub fn crs(setup_files: &[PathBuf], rules: &Path, setup: &Setup) -> Result<Vec<RuleText>, String> {
    let mut texts = vec![prelude(setup)];
    for path in setup_files {
        texts.push(file(path, setup)?);
    }
    for path in rule_files(rules)? {
        texts.push(file(&path, setup)?);
    }
    Ok(texts)
}

/// The setup file that stands beside a folder of rules: `crs-setup.conf`, else the example.
#[must_use]
pub fn setup_beside(rules: &Path) -> Option<PathBuf> {
    let folders = [rules, rules.parent()?];
    let names = ["crs-setup.conf", "crs-setup.conf.example"];
    folders.iter().flat_map(|folder| names.map(|name| folder.join(name))).find(|path| path.is_file())
}

fn rule_files(rules: &Path) -> Result<Vec<PathBuf>, String> {
    let entries = fs::read_dir(rules).map_err(|error| format!("{}: {error}", rules.display()))?;
    let mut files: Vec<PathBuf> = entries
        .filter_map(|entry| entry.ok().map(|entry| entry.path()))
        .filter(|path| path.extension().is_some_and(|extension| extension == "conf"))
        .collect();
    if files.is_empty() {
        return Err(format!("{}: no *.conf", rules.display()));
    }
    files.sort();
    Ok(files)
}

fn shown(text: String, setup: &Setup) -> String {
    if setup.report_all { report_all(&text) } else { text }
}

/// Makes every rule report: the actions `nolog` and `noauditlog` become `log` and `auditlog`, and a `SecAction` without
/// `msg` gets one, since libmodsecurity keeps quiet about those without.
///
/// The words count as actions where they stand alone between commas, quotes, spaces or the ends of a line; so the text
/// of a message that holds them as words changes too, which harms nothing here.
#[must_use]
pub fn report_all(text: &str) -> String {
    with_messages(&without_nolog(text))
}

fn without_nolog(text: &str) -> String {
    let is_edge = |byte: Option<&u8>| {
        byte.is_none_or(|byte| matches!(byte, b',' | b'"' | b'\'' | b'\\') || byte.is_ascii_whitespace())
    };
    let bytes = text.as_bytes();
    let mut out = String::with_capacity(text.len());
    let mut done = 0;
    for (at, _) in text.match_indices("no") {
        let is_action = ["nolog", "noauditlog"].into_iter().any(|word| {
            text.get(at..).is_some_and(|rest| rest.starts_with(word))
                && is_edge(bytes.get(at + word.len()))
                && is_edge(at.checked_sub(1).and_then(|before| bytes.get(before)))
        });
        if is_action {
            out.push_str(text.get(done..at).unwrap_or_default());
            done = at + "no".len();
        }
    }
    out.push_str(text.get(done..).unwrap_or_default());
    out
}

fn with_messages(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, behind)) = rest.split_once("SecAction") {
        out.push_str(before);
        out.push_str("SecAction");
        rest = behind;
        let is_directive = before.rsplit('\n').next().is_none_or(|line| line.trim().is_empty());
        let Some((gap, actions)) = behind.split_once('"') else {
            continue;
        };
        let is_gap = gap.bytes().all(|byte| byte == b'\\' || byte.is_ascii_whitespace());
        let actions_end = actions.find('"').unwrap_or(actions.len());
        let has_message = actions.get(..actions_end).is_some_and(|actions| actions.contains("msg:"));
        if is_directive && is_gap && !has_message {
            out.push_str(gap);
            out.push_str("\"msg:'SecAction',");
            rest = actions;
        }
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn actions_that_hide_a_match_are_turned() {
        assert_eq!(report_all("\"id:1,nolog,pass\""), "\"id:1,log,pass\"");
        assert_eq!(report_all("    noauditlog,\\\n    nolog,\\\n"), "    auditlog,\\\n    log,\\\n");
        assert_eq!(report_all("nolog"), "log");
        assert_eq!(report_all("\"nolog,noauditlog\""), "\"log,auditlog\"");
    }

    #[test]
    fn actions_without_a_message_get_one() {
        let known = [
            ("SecAction \"id:1\"\n", "SecAction \"msg:'SecAction',id:1\"\n"),
            ("#SecAction \"id:1\"\n", "#SecAction \"id:1\"\n"),
            ("SecAction \\\n  \"id:1\"", "SecAction \\\n  \"msg:'SecAction',id:1\""),
            ("SecAction \"id:1,msg:'x'\"", "SecAction \"id:1,msg:'x'\""),
            ("SecActionX On\nSecRule A \"b\"", "SecActionX On\nSecRule A \"b\""),
        ];
        for (text, expected) in known {
            assert_eq!(report_all(text), expected);
        }
    }

    #[test]
    fn words_that_hold_them_stay() {
        for text in ["nologs", "xnolog", "tag:'nolog/x'", "none,no,nono", "t:none,nocanon"] {
            assert_eq!(report_all(text), text);
        }
    }

    #[test]
    fn the_prelude_sets_levels_and_variables() {
        let text = prelude(&Setup::corpus()).text;
        assert!(text.contains("SecRuleEngine DetectionOnly\n"), "{text}");
        assert!(text.contains("setvar:tx.blocking_paranoia_level=4"), "{text}");
        assert!(text.ends_with("setvar:tx.crs_validate_utf8_encoding=1\"\n"), "{text}");
    }

    #[test]
    fn rule_files_come_in_order_of_names_and_alone() {
        let folder = tempfile::tempdir().expect("a folder");
        for name in ["b.conf", "a.conf", "a.data", "c.conf.example"] {
            fs::write(folder.path().join(name), "").expect("written");
        }
        let files = rule_files(folder.path()).expect("files");
        let names: Vec<_> = files.iter().filter_map(|path| path.file_name()).collect();
        assert_eq!(names, ["a.conf", "b.conf"]);
        assert!(rule_files(&folder.path().join("none")).is_err());
    }
}
