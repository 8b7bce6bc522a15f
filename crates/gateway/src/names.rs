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

/// A field's name as lenient readers see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Seen {
    /// Dots, blanks and brackets as `_`.
    flat: String,
    /// What stands before the first bracket of `flat`.
    base: usize,
    /// Brackets as dots: `user[name]` as `user.name`.
    dotted: String,
}

impl Seen {
    pub(crate) fn new(name: &str) -> Self {
        let name = caseless(name.trim());
        let flat =
            name.chars().map(|char| if matches!(char, '.' | ' ' | '[') { '_' } else { char }).collect();
        let dotted =
            name.chars().filter(|char| *char != ']').map(|char| if char == '[' { '.' } else { char });
        Self { flat, base: name.find('[').unwrap_or(name.len()), dotted: dotted.collect() }
    }

    /// The member that a pointer names, as it would be called in a form: `/user/name` as `user[name]`.
    pub(crate) fn of_pointer(pointer: &str) -> Self {
        let mut steps = pointer.split('/').skip(1).map(|step| step.replace("~1", "/").replace("~0", "~"));
        let first = steps.next().unwrap_or_default();
        Self::new(&steps.fold(first, |name, step| format!("{name}[{step}]")))
    }

    /// Whether an app could take this for what it looks for under `wanted`: some do not see case, some read dots, blanks
    /// and brackets as `_`, some dots as brackets; a list (`name[]`) takes the place of a text, and what follows a bracket
    /// that is closed is read by nobody.
    pub(crate) fn is_alike(&self, wanted: &Self) -> bool {
        self.flat == wanted.flat
            || self.dotted == wanted.dotted
            || (wanted.base == wanted.flat.len() && self.flat[..self.base] == wanted.flat)
            || (wanted.flat.ends_with(']') && self.flat.starts_with(&wanted.flat))
    }
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

    #[test]
    fn names_that_some_app_reads_as_one_are_alike() {
        for (name, wanted) in [
            ("worker_id", "worker_id"),
            ("Worker.ID ", "worker_id"),
            ("worker id", "worker_id"),
            ("worker[id", "worker_id"),
            ("worker_id[]", "worker_id"),
            ("worker_id[0]", "worker_id"),
            ("worker.id[x]", "worker_id"),
            ("user.name", "user[name]"),
            ("user[name]x", "user[name]"),
            ("user[name][]", "user[name]"),
            ("user[name]", "user.name"),
        ] {
            assert!(Seen::new(name).is_alike(&Seen::new(wanted)), "{name} {wanted}");
        }
        for (name, wanted) in [
            ("worker", "worker_id"),
            ("worker_id2", "worker_id"),
            ("user[name]", "user[names]"),
            ("user[names]", "user[name]"),
            ("user[name]", "user_name"),
            ("user", "user[name]"),
        ] {
            assert!(!Seen::new(name).is_alike(&Seen::new(wanted)), "{name} {wanted}");
        }
        assert_eq!(Seen::of_pointer("/user/a~1b"), Seen::new("user[a/b]"));
    }
}
