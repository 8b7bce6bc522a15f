//! Rules of CRS 3 that no engine can run in linear time, or that reach out while a request waits, put in other words or left
//! out; each is told with its reason. Debian 12 ships CRS 3.3, and a set in which eight rules cannot be honoured would
//! otherwise not load at all. Rules of CRS 4 need none of it.
//!
//! A rule is amended only if it reads as the release has it: one that somebody changed is left to the engine.

use shield::seclang::Place;

/// A rule that was amended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Amended {
    /// Its id.
    pub(crate) rule: u64,
    /// Where it stands.
    pub(crate) place: Place,
    /// Whether it was left out; else it was put in other words.
    pub(crate) left_out: bool,
    /// Why, and whether it still means the same.
    pub(crate) why: &'static str,
}

struct Amendment {
    rule: u64,
    how: How,
    why: &'static str,
}

enum How {
    /// Pieces of its text are others, one after the other. Without one of them, the rule is not the one that is meant.
    Pieces(Vec<(String, String)>),
    /// All of it is another text, where it has this piece.
    Whole(&'static str, &'static str),
    /// It goes with its chain, where it has this piece, unless a file sets one of these to something.
    LeftOut(&'static str, &'static [&'static str]),
}

/// What CRS 3.3 has of it.
fn amendments() -> Vec<Amendment> {
    let pieces = |pieces: &[(&str, &str)]| {
        How::Pieces(pieces.iter().map(|(from, to)| ((*from).to_owned(), (*to).to_owned())).collect())
    };
    vec![
        Amendment {
            rule: 910_100,
            how: How::LeftOut("@geoLookup", &["high_risk_country_codes="]),
            why: "it asks a data base of countries, and does nothing unless tx.high_risk_country_codes is set",
        },
        Amendment {
            rule: 910_140,
            how: How::LeftOut(
                "@rbl ",
                &["block_search_ip=1", "block_suspicious_ip=1", "block_harvester_ip=1", "block_spammer_ip=1"],
            ),
            why: "it asks a server on the network, and does nothing unless tx.block_search_ip or the like is set",
        },
        Amendment {
            rule: 920_120,
            how: How::Pieces(vec![(BEHIND.to_owned(), not_after(&entities(), ";"))]),
            why: "it looked behind; put without, it matches the same",
        },
        Amendment {
            rule: 920_480,
            how: pieces(&[(
                "chain\"\n    SecRule TX:1 \"!@rx ^%{tx.allowed_request_content_type_charset}$\"",
                "setvar:'tx.obhut_charset=|%{tx.1}|',chain\"\n    \
                 SecRule TX:obhut_charset \"!@within |%{tx.allowed_request_content_type_charset}|\"",
            )]),
            why: "its pattern was put together anew for each request; the charset is compared with each that is allowed",
        },
        Amendment {
            rule: 920_600,
            // A possessive repetition takes all white space there is: what follows begins with something else.
            how: pieces(&[
                (r"\s*+[^(),/:;<=>?![\x5c\]{}]+", r"\s*[^\s(),/:;<=>?![\x5c\]{}][^(),/:;<=>?![\x5c\]{}]*"),
                (r#"[^c\"(),/:;<=>?![\x5c\]{}])"#, r#"[^\sc\"(),/:;<=>?![\x5c\]{}])"#),
                (
                    r#",\s*+(?:(?:\*|[^\"(),\/:;<=>?![\x5c\]{}]+)\/"#,
                    r#",\s*(?:(?:\*|[^\s\"(),\/:;<=>?![\x5c\]{}][^\"(),\/:;<=>?![\x5c\]{}]*)\/"#,
                ),
                (r"\s*+", r"\s*"),
            ]),
            why: "it had possessive repetitions; put without, it matches the same",
        },
        Amendment {
            rule: 942_130,
            how: How::Whole(r"(?:\b\1\b)", TAUTOLOGY),
            why: "it referred back to a group; as in CRS 4, two rules compare the words on both sides of the first comparison",
        },
        Amendment {
            rule: 942_260,
            how: pieces(&[(r"[^?\w\s=.,;)(]++", r"[^?\w\s=.,;)(]+")]),
            why: "it had a possessive repetition; put without, it matches the same",
        },
        Amendment {
            rule: 953_120,
            how: pieces(&[(r"<\?(?!xml)", r"<\?(?:\z|[^x]|x(?:\z|[^m]|m(?:\z|[^l])))")]),
            why: "it looked ahead; put without, it matches the same",
        },
    ]
}

/// What 920120 has before its semicolon.
const BEHIND: &str = "(?<!&(?:[aAoOuUyY]uml)|&(?:[aAeEiIoOuU]circ)|&(?:[eEiIoOuUyY]acute)|&(?:[aAeEiIoOuU]grave)\
    |&(?:[cC]cedil)|&(?:[aAnNoO]tilde)|&(?:amp)|&(?:apos));";

/// The entities of HTML after which 920120 lets a semicolon pass.
fn entities() -> Vec<String> {
    let mut all = vec!["&amp".to_owned(), "&apos".to_owned()];
    for (letters, end) in [
        ("aAoOuUyY", "uml"),
        ("aAeEiIoOuU", "circ"),
        ("eEiIoOuUyY", "acute"),
        ("aAeEiIoOuU", "grave"),
        ("cC", "cedil"),
        ("aAnNoO", "tilde"),
    ] {
        all.extend(letters.chars().map(|letter| format!("&{letter}{end}")));
    }
    all
}

/// The comparison of a word with itself, and of two different words, which are as true as each other.
const TAUTOLOGY: &str = r#"SecRule ARGS_NAMES|ARGS|XML:/* "@rx (?i)\b(\w+)\b[\s'\"`()]*(?:<=>|=|(?:sounds\s+)?like\b|r(?:egexp|like)\b)[\s'\"`()]*\b(\w+)\b" \
    "id:942130,phase:2,block,capture,t:none,t:urlDecodeUni,t:replaceComments,multiMatch,severity:CRITICAL,\
    msg:'SQL Injection Attack: SQL Tautology Detected',logdata:'Matched Data: %{TX.0} found within %{MATCHED_VAR_NAME}',\
    tag:'attack-sqli',tag:'paranoia-level/2',tag:'OWASP_CRS',chain"
    SecRule TX:1 "@streq %{TX.2}" "t:none,setvar:'tx.sql_injection_score=+%{tx.critical_anomaly_score}',setvar:'tx.anomaly_score_pl2=+%{tx.critical_anomaly_score}'"
SecRule ARGS_NAMES|ARGS|XML:/* "@rx (?i)\b(\w+)\b[\s'\"`()]*(?:<=?|<>|>=?|!=|\^|not\s+(?:regexp|like)\b|is\s+not\b)[\s'\"`()]*\b(\w+)\b" \
    "id:942131,phase:2,block,capture,t:none,t:urlDecodeUni,t:replaceComments,multiMatch,severity:CRITICAL,\
    msg:'SQL Injection Attack: SQL Tautology Detected',logdata:'Matched Data: %{TX.0} found within %{MATCHED_VAR_NAME}',\
    tag:'attack-sqli',tag:'paranoia-level/2',tag:'OWASP_CRS',chain"
    SecRule TX:1 "!@streq %{TX.2}" "t:none,setvar:'tx.sql_injection_score=+%{tx.critical_anomaly_score}',setvar:'tx.anomaly_score_pl2=+%{tx.critical_anomaly_score}'"
"#;

/// A pattern that matches `last` where none of these endings stands before it: what `(?<!…)` says, without looking behind.
/// It tells the endings apart letter by letter, from their ends; each must be plain ASCII.
fn not_after(endings: &[String], last: &str) -> String {
    let reversed: Vec<Vec<char>> = endings.iter().map(|ending| ending.chars().rev().collect()).collect();
    let endings: Vec<&[char]> = reversed.iter().map(Vec::as_slice).collect();
    format!("{}{last}", before(&endings).unwrap_or_default())
}

/// What may stand before, when these are the rests of endings; nothing may when one of them is complete.
fn before(rests: &[&[char]]) -> Option<String> {
    let mut firsts: Vec<char> = Vec::new();
    for rest in rests {
        let first = rest.first()?;
        if !firsts.contains(first) {
            firsts.push(*first);
        }
    }
    let letters: String = firsts.iter().collect();
    let mut ways = format!("\\A|[^{letters}]");
    for first in firsts {
        let deeper: Vec<&[char]> = rests
            .iter()
            .filter_map(|rest| {
                rest.split_first().filter(|(letter, _)| **letter == first).map(|(_, rest)| rest)
            })
            .collect();
        if let Some(way) = before(&deeper) {
            ways.push_str(&format!("|{way}{first}"));
        }
    }
    Some(format!("(?:{ways})"))
}

/// Amends files of a rule set as they are read, settings first.
#[derive(Default)]
pub(super) struct Amender {
    set: Vec<&'static str>,
    amended: Vec<Amended>,
}

impl Amender {
    /// What was amended so far.
    pub(super) fn into_amended(self) -> Vec<Amended> {
        self.amended
    }

    /// The text of a file with its amendments; the numbers of lines stay.
    pub(super) fn amend(&mut self, file: &str, text: &str) -> String {
        let all = amendments();
        self.note_settings(text, &all);
        let mut out = String::with_capacity(text.len());
        let mut directives = directives(text).peekable();
        while let Some((line, directive)) = directives.next() {
            let amendment = id(directive).and_then(|id| all.iter().find(|amendment| amendment.rule == id));
            let Some(amendment) = amendment else {
                out.push_str(directive);
                continue;
            };
            let mut whole = directive.to_owned();
            while let Some((_, part)) = directives.next_if(|(_, next)| goes_on(next)) {
                whole.push_str(part);
            }
            let Some(other) = self.other(&whole, amendment) else {
                out.push_str(&whole);
                continue;
            };
            out.push_str(&other);
            let place = Place { file: file.into(), line };
            let left_out = matches!(amendment.how, How::LeftOut(..));
            self.amended.push(Amended { rule: amendment.rule, place, left_out, why: amendment.why });
        }
        out
    }

    /// Which settings that some amendments mind are set in a file.
    fn note_settings(&mut self, text: &str, all: &[Amendment]) {
        let minded = all.iter().filter_map(|amendment| match &amendment.how {
            How::LeftOut(_, unless) => Some(*unless),
            _ => None,
        });
        for name in minded.flatten().copied() {
            let sets = |line: &str| {
                let after = line.split_once(name).map(|(_, after)| after);
                let begins = |rest: &str| {
                    name.ends_with('1') || rest.starts_with(|char: char| char.is_ascii_alphanumeric())
                };
                !line.trim_start().starts_with('#') && after.is_some_and(begins)
            };
            if text.lines().any(sets) {
                self.set.push(name);
            }
        }
    }

    /// A rule, its chain included, in other words and with as many lines; none where it is to stay.
    fn other(&self, rule: &str, amendment: &Amendment) -> Option<String> {
        let mut other = match &amendment.how {
            How::Pieces(pieces) => {
                let other = |text: String, (from, to): &(String, String)| {
                    text.contains(from.as_str()).then(|| text.replace(from.as_str(), to))
                };
                pieces.iter().try_fold(rule.to_owned(), other)?
            }
            How::Whole(piece, text) => rule.contains(piece).then(|| (*text).to_owned())?,
            How::LeftOut(piece, unless) => {
                let is_set = unless.iter().any(|name| self.set.contains(name));
                (!is_set && rule.contains(piece)).then(String::new)?
            }
        };
        let (had, has) = (rule.matches('\n').count(), other.matches('\n').count());
        other.push_str(&"\n".repeat(had.saturating_sub(has)));
        Some(other)
    }
}

/// Directives with the number of their first line; comments and empty lines stand by themselves.
fn directives(text: &str) -> impl Iterator<Item = (u32, &str)> {
    let (mut rest, mut number) = (text, 1_u32);
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let is_comment = rest.trim_start_matches([' ', '\t']).starts_with('#');
        let mut end = 0;
        loop {
            let line = rest[end..].find('\n').map_or(rest.len(), |at| end + at + 1);
            let goes_on = rest[end..line].trim_end().ends_with('\\') && !is_comment;
            end = line;
            if !goes_on || end == rest.len() {
                break;
            }
        }
        let (directive, after) = rest.split_at(end);
        let first = number;
        number += u32::try_from(directive.matches('\n').count()).unwrap_or(0);
        rest = after;
        Some((first, directive))
    })
}

fn id(directive: &str) -> Option<u64> {
    if !directive.trim_start().starts_with("Sec") {
        return None;
    }
    let after = directive.split_once("\"id:")?.1;
    after.split(|char: char| !char.is_ascii_digit()).next()?.parse().ok()
}

/// Whether a directive is a later part of a chain: a rule without an id.
fn goes_on(directive: &str) -> bool {
    directive.trim_start().starts_with("SecRule ") && id(directive).is_none()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use shield::pattern::Pattern;

    fn amended(texts: &[&str]) -> (String, Vec<(u64, u32, bool)>) {
        let mut amender = Amender::default();
        let text = texts.iter().map(|text| amender.amend("x.conf", text)).collect();
        let told = amender.into_amended().into_iter().map(|one| (one.rule, one.place.line, one.left_out));
        (text, told.collect())
    }

    const GEO: &str = "# before\nSecRule TX:HIGH \"!@rx ^$\" \\\n    \"id:910100,\\\n    chain\"\n    \
        SecRule TX:REAL_IP \"@geoLookup\" \\\n        \"chain\"\n        SecRule GEO:COUNTRY_CODE \"@within x\" \"t:none\"\n\
        SecAction \"id:910190\"\n";

    #[test]
    fn what_asks_elsewhere_goes_with_its_chain_unless_somebody_wants_it() {
        let (text, told) = amended(&["#  setvar:tx.high_risk_country_codes=DE\n", GEO]);
        let expected =
            "#  setvar:tx.high_risk_country_codes=DE\n# before\n\n\n\n\n\n\nSecAction \"id:910190\"\n";
        assert_eq!((text.as_str(), told), (expected, vec![(910_100, 2, true)]));
        for unset in [
            "SecAction \"id:1,setvar:'tx.high_risk_country_codes='\"\n",
            "SecAction \"id:1,setvar:tx.block_search_ip=1\"\n",
        ] {
            assert_eq!(amended(&[unset, GEO]).1, [(910_100, 2, true)], "{unset}");
        }
        let set = "SecAction \"id:1,setvar:'tx.high_risk_country_codes=DE FR'\"\n";
        assert_eq!(amended(&[set, GEO]), ([set, GEO].concat(), vec![]));
        let rbl = "SecRule TX:REAL_IP \"@rbl dnsbl.example\" \"id:910140,chain\"\n  SecRule TX:x \"@rx y\"\n";
        assert_eq!(amended(&[rbl]).1, [(910_140, 1, true)]);
        assert_eq!(amended(&["  setvar:tx.block_spammer_ip=1\"\n", rbl]).1, []);
    }

    #[test]
    fn a_rule_that_reads_otherwise_is_left_alone() {
        for text in [
            "SecRule ARGS \"@rx a++\" \"id:942260,pass\"\n",
            "SecRule ARGS \"@rx <\\?(?!html)\" \"id:953120,pass\"\n",
            "# SecRule RESPONSE_BODY \"@rx <\\?(?!xml)\" \"id:953120,pass\"\n",
            "SecRule RESPONSE_BODY \"@rx <\\?(?!xml)\" \"id:953121,pass\"\n",
        ] {
            assert_eq!(amended(&[text]), (text.to_owned(), vec![]), "{text}");
        }
        let (text, told) = amended(&[
            "SecRule RESPONSE_BODY \"@rx <\\?(?!xml)\" \\\n  \"id:953120,pass\"\nSecAction \"id:1\"\n",
        ]);
        assert!(
            !text.contains("(?!")
                && text.ends_with("\nSecAction \"id:1\"\n")
                && told == [(953_120, 1, false)],
            "{text}"
        );
    }

    #[test]
    fn numbers_of_lines_stay() {
        let text = "\n# a\nSecAction \\\n  \"id:1\"\n\nSecRule X \\\n \"@rx y\"";
        let found: Vec<_> = directives(text).collect();
        let lines: Vec<_> = found.iter().map(|(number, _)| *number).collect();
        assert_eq!(lines, [1, 2, 3, 5, 6]);
        assert_eq!(found.iter().map(|(_, text)| *text).collect::<String>(), text);
        assert!(TAUTOLOGY.matches('\n').count() <= 23, "no longer than the rule that it stands for");
    }

    fn matches(pattern: &str, text: &str) -> bool {
        Pattern::compile_without_captures(pattern).expect("a pattern").is_match(text.as_bytes())
    }

    /// What the look-behind says, in plain words.
    fn has_other_semicolon(text: &str) -> bool {
        let entities = entities();
        text.match_indices(';')
            .any(|(at, _)| !entities.iter().any(|entity| text[..at].ends_with(entity.as_str())))
    }

    proptest! {
        #[test]
        fn a_semicolon_that_ends_no_entity_is_found_without_looking_behind(
            pieces in prop::collection::vec(
                prop::sample::select(vec![
                    "&auml;", "&Ouml;", "&amp;", "&apos;", "&ccedil;", "&ntilde;", "&eacute;", "&auml", "&bml;", "uml;", ";",
                    "&", "a", "&xuml;", "&Amp;", "mp;", "l;", "&grave;", "\n",
                ]),
                0..6,
            ),
        ) {
            let text = pieces.concat();
            prop_assert_eq!(matches(&not_after(&entities(), ";"), &text), has_other_semicolon(&text), "{}", text);
        }

        #[test]
        fn an_opening_that_is_no_xml_is_found_without_looking_ahead(text in r"(?:<\?|x|m|l|<|\?|p){0,8}") {
            let pattern = r"<\?(?:\z|[^x]|x(?:\z|[^m]|m(?:\z|[^l])))";
            let expected = text.match_indices("<?").any(|(at, _)| !text[at + 2..].starts_with("xml"));
            prop_assert_eq!(matches(pattern, &text), expected, "{}", text);
        }
    }
}
