//! Transforms that show part of a value.

use crate::catalogue::MaskRule;

/// What `rule` shows of `clear`. [`MaskRule::Redact`] shows nothing.
pub(crate) fn apply(rule: MaskRule, clear: &str) -> String {
    match rule {
        MaskRule::Redact => String::new(),
        MaskRule::Initials => initials(clear),
        MaskRule::LastFour => last_four(clear),
        MaskRule::Year => clear.get(..4).filter(|year| is_digits(year)).unwrap_or_default().to_owned(),
    }
}

/// `Jana Maria Muster` becomes `J. M. M.`; at most four words, and never the whole of one: a word of one character
/// is left out, so that `A` for a blood group or `王 伟` for a name does not come through its mask.
fn initials(clear: &str) -> String {
    let shown = |word: &str| {
        let mut letters = word.chars().filter(|one| one.is_alphanumeric());
        letters.next().filter(|_| letters.next().is_some())
    };
    let firsts = clear.split_whitespace().filter_map(shown).take(4);
    firsts.map(|first| format!("{first}.")).collect::<Vec<_>>().join(" ")
}

/// The last four characters, but never more than a quarter of the value.
fn last_four(clear: &str) -> String {
    let length = clear.chars().count();
    let shown = (length / 4).min(4);
    clear.chars().skip(length - shown).collect()
}

fn is_digits(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn transforms_show_little() {
        assert_eq!(apply(MaskRule::Initials, "Jana  Maria Muster"), "J. M. M.");
        assert_eq!(apply(MaskRule::Initials, "(Jana) -- \u{200b}Muster"), "J. M.");
        assert_eq!(apply(MaskRule::Initials, "A"), "");
        assert_eq!(apply(MaskRule::Initials, "王 伟"), "");
        assert_eq!(apply(MaskRule::LastFour, "+491701234567"), "567");
        assert_eq!(apply(MaskRule::LastFour, "abc"), "");
        assert_eq!(apply(MaskRule::Year, "1984-05-06"), "1984");
        assert_eq!(apply(MaskRule::Year, "ÄÄÄÄ"), "");
        assert_eq!(apply(MaskRule::Redact, "x"), "");
    }
}
