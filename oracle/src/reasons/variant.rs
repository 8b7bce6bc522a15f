//! Rules without the cause of a difference.

use std::fs;
use std::path::{Path, PathBuf};

use shield::transform::Transformation;

use crate::rules::RuleText;

/// One way to change the rules. Both engines load the changed ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Variant {
    /// No rule looks at `REQUEST_BODY` beside other variables.
    WithoutRequestBody,
    /// No rule says `multiMatch`.
    WithoutMultiMatch,
    /// What rule 922150 takes from the header of a part ends before the line does.
    WithoutLineEnd,
    /// Each type that ends in `+json` has the processor for JSON, whatever stands before.
    WithMediaTypes,
    /// No rule says `t:base64Decode`.
    WithoutBase64,
    /// `@pmFromFile` is a pattern that holds the phrases of the file.
    WithPatterns,
    /// The oracle's `urlDecodeUni` has the shield's map of characters.
    WithMap,
}

impl Variant {
    /// The changed rules; `None` when there is nothing to change.
    pub(super) fn of(self, texts: &[RuleText]) -> Result<Option<Vec<RuleText>>, String> {
        let changed: Vec<RuleText> = match self {
            Self::WithoutRequestBody => edited(texts, without_request_body),
            Self::WithoutMultiMatch => edited(texts, |text| text.replace("    multiMatch,\\\n", "")),
            Self::WithoutLineEnd => {
                let edit = |text: &str| {
                    text.replace(r"^content-type\s*:\s*(.*)$", r"^content-type\s*:\s*([^\r\n]*)")
                };
                edited(texts, edit)
            }
            Self::WithMediaTypes => edited(texts, |text| {
                text.replace("^application/[a-z0-9.-]+[+]json", "^application/[^;, ]+[+]json")
            }),
            Self::WithoutBase64 => edited(texts, |text| text.replace("t:base64Decode,", "")),
            Self::WithPatterns => texts.iter().map(with_patterns).collect::<Result<_, _>>()?,
            Self::WithMap => with_map(texts)?,
        };
        Ok((changed != texts).then_some(changed))
    }

    /// Removes what is not needed once the rules are loaded.
    pub(super) fn loaded(self) {
        if self == Self::WithMap {
            // A file that stays does no harm.
            let _removed = fs::remove_file(map_file());
        }
    }
}

fn edited(texts: &[RuleText], edit: impl Fn(&str) -> String) -> Vec<RuleText> {
    texts.iter().map(|text| RuleText { name: text.name.clone(), text: edit(&text.text) }).collect()
}

fn without_request_body(text: &str) -> String {
    text.replace("|REQUEST_BODY|", "|").replace("|REQUEST_BODY ", " ").replace(" REQUEST_BODY|", " ")
}

/// Longer lists stay as they are: as a pattern they would be larger than either engine takes. They are those of answers.
const LONGEST_LIST: usize = 40_000;

/// The rules of one file with a pattern for each list of phrases.
fn with_patterns(text: &RuleText) -> Result<RuleText, String> {
    const OPERATOR: &str = "\"@pmFromFile ";
    let mut out = String::with_capacity(text.text.len());
    let mut pieces = text.text.split(OPERATOR);
    out.push_str(pieces.next().unwrap_or_default());
    for piece in pieces {
        let (file, rest) =
            piece.split_once('"').ok_or_else(|| format!("{}: a list without an end", text.name))?;
        let path = Path::new(&text.name).with_file_name(file);
        let phrases = fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
        if phrases.len() > LONGEST_LIST {
            out.push_str(&format!("{OPERATOR}{piece}"));
        } else {
            out.push_str(&format!("\"@rx (?i){}\"{rest}", pattern(&phrases)));
        }
    }
    Ok(RuleText { name: text.name.clone(), text: out })
}

/// A pattern that holds the phrases of a list, one a line.
fn pattern(phrases: &str) -> String {
    let lines = phrases.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    let escaped = lines.map(|line| {
        let signs = line.bytes().map(|byte| match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' => char::from(byte).to_string(),
            _ => format!("\\x{byte:02x}"),
        });
        signs.collect::<String>()
    });
    format!("(?:{})", escaped.collect::<Vec<_>>().join("|"))
}

/// A file of this thread for the map.
fn map_file() -> PathBuf {
    let name = format!("obhut-oracle-{}-{:?}.mapping", std::process::id(), std::thread::current().id());
    std::env::temp_dir().join(name)
}

/// The rules after a directive that loads the map, which libmodsecurity reads from a file of the form of its
/// `unicode.mapping`.
fn with_map(texts: &[RuleText]) -> Result<Vec<RuleText>, String> {
    let path = map_file();
    fs::write(&path, map()).map_err(|error| format!("{}: {error}", path.display()))?;
    let text = format!("SecUnicodeMapFile {} 20127\n", path.display());
    let mut changed = vec![RuleText { name: "map.conf".to_owned(), text }];
    changed.extend_from_slice(texts);
    Ok(changed)
}

/// The shield's map, read off its `urlDecodeUni`.
fn map() -> String {
    let mut pairs = String::from("20127 (US-ASCII)\n");
    let mut out = Vec::new();
    for code in 0x80..=0xffff_u32 {
        out.clear();
        let changed = Transformation::UrlDecodeUni.apply(format!("%u{code:04x}").as_bytes(), &mut out);
        if let ([byte], true) = (out.as_slice(), changed)
            && u32::from(*byte) != code & 0xff
        {
            pairs.push_str(&format!("{code:04x}:{byte:02x} "));
        }
    }
    pairs.push('\n');
    pairs
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_body_goes_and_its_length_stays() {
        for (text, expected) in [
            ("SecRule ARGS|REQUEST_BODY \"x\"", "SecRule ARGS \"x\""),
            ("SecRule ARGS|REQUEST_BODY|XML:/* \"x\"", "SecRule ARGS|XML:/* \"x\""),
            ("SecRule REQUEST_BODY|ARGS \"x\"", "SecRule ARGS \"x\""),
            ("SecRule REQUEST_BODY \"x\"", "SecRule REQUEST_BODY \"x\""),
            ("SecRule ARGS|REQUEST_BODY_LENGTH \"x\"", "SecRule ARGS|REQUEST_BODY_LENGTH \"x\""),
        ] {
            assert_eq!(without_request_body(text), expected);
        }
    }

    #[test]
    fn a_pattern_holds_each_phrase() {
        assert_eq!(pattern("# list\nab\n\n a/b \n"), r"(?:ab|a\x2fb)");
    }

    #[test]
    fn the_map_is_that_of_code_page_20127() {
        let map = map();
        for pair in ["00ff:79", "2019:27", "ff1c:3c"] {
            assert!(map.contains(pair), "{pair}");
        }
    }

    #[test]
    fn rules_without_the_cause_have_no_variant() {
        let texts = [RuleText { name: "t.conf".into(), text: "SecRuleEngine On\n".into() }];
        assert_eq!(Variant::WithoutMultiMatch.of(&texts), Ok(None));
    }
}
