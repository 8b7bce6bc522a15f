//! Names that an app may take for one another, so that a value that a rule looks for under one cannot pass under the
//! other.

use std::borrow::Cow;

/// A name without regard to case, as lenient readers compare: the long `ſ` is an `s`, the dotless `ı` an `i`.
pub(crate) fn caseless(name: &str) -> Cow<'_, str> {
    if name.is_ascii() {
        let lower = name.bytes().all(|byte| !byte.is_ascii_uppercase());
        return if lower { Cow::Borrowed(name) } else { Cow::Owned(name.to_ascii_lowercase()) };
    }
    Cow::Owned(name.to_uppercase().to_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn case_is_seen_by_nobody() {
        for (one, other) in
            [("Name", "name"), ("paſs", "PASS"), ("worker_ıd", "Worker_ID"), ("\u{212a}ey", "key")]
        {
            assert_eq!(caseless(one), caseless(other), "{one} {other}");
        }
        assert_ne!(caseless("name"), caseless("names"));
    }
}
