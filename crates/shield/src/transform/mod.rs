//! Transformations of values before an operator looks at them (`t:…`), with the meaning that ModSecurity v3 gives them.

use crate::ByteSet;

/// One transformation.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, PartialOrd, Ord)]
#[repr(u8)]
pub enum Transformation {
    /// `lowercase`: ASCII letters only.
    Lowercase,
}

impl Transformation {
    /// The transformation of that name, in any case; `none` is not one, since it clears a list.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        name.eq_ignore_ascii_case("lowercase").then_some(Self::Lowercase)
    }

    /// Its name in SecLang.
    #[must_use]
    pub fn name(self) -> &'static str {
        "lowercase"
    }

    /// A value that holds none of these bytes comes out as it went in. `ALL` for those that change whatever they get.
    #[must_use]
    pub fn triggers(self) -> ByteSet {
        ByteSet::EMPTY.with_range(b'A', b'Z')
    }

    /// Appends the transformed value to `out` and says so; or says no, and then `out` is as it was and so is the value.
    #[must_use]
    pub fn apply(self, value: &[u8], out: &mut Vec<u8>) -> bool {
        out.extend(value.iter().map(u8::to_ascii_lowercase));
        true
    }
}
