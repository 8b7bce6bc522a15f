//! Incarnations: a ledger that was found damaged is set aside for ever, and an operator opens a new one beside it
//! that names the old head. Incarnation *n* > 0 signs under `origin/n`; its leaf 0 is the [`Link`].

use crate::error::{Damage, OpenError};
use crate::options::Options;
use crate::proof::Hash;
use crate::verify::note::{parse_decimal, parse_hash};
use data_encoding::BASE64;

const FIRST_LINE: &str = "obhut-ledger/incarnation/v1";
/// Name of the file in an incarnation's directory.
pub(crate) const FILE: &str = "incarnation";

/// What leaf 0 of a later incarnation says: which log it continues, where that ended, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// Number of this incarnation, at least 1.
    pub incarnation: u32,
    /// Origin of this incarnation.
    pub origin: String,
    /// Origin of the incarnation before.
    pub previous: String,
    /// Number of entries under its last known head.
    pub size: u64,
    /// Root of its last known head.
    pub root: Hash,
    /// Why it was set aside, as [`Damage::word`] writes it.
    pub damage: String,
    /// Its last signed checkpoint, verbatim, if there was one.
    pub checkpoint: String,
}

impl Link {
    /// The bytes of the leaf.
    #[must_use]
    pub fn format(&self) -> Vec<u8> {
        let Self { incarnation, origin, previous, size, root, damage, checkpoint } = self;
        let root = BASE64.encode(root);
        format!("{FIRST_LINE}\n{incarnation}\n{origin}\n{previous}\n{size}\n{root}\n{damage}\n\n{checkpoint}")
            .into_bytes()
    }

    /// Parses a leaf; `None` if it is none of this kind.
    #[must_use]
    pub fn parse(leaf: &[u8]) -> Option<Self> {
        let (head, checkpoint) = std::str::from_utf8(leaf).ok()?.split_once("\n\n")?;
        let lines: Vec<_> = head.split('\n').collect();
        let [FIRST_LINE, incarnation, origin, previous, size, root, damage] = lines[..] else { return None };
        Some(Self {
            incarnation: parse_decimal(incarnation).ok()?.try_into().ok()?,
            origin: origin.to_owned(),
            previous: previous.to_owned(),
            size: parse_decimal(size).ok()?,
            root: parse_hash(root).ok()?,
            damage: damage.to_owned(),
            checkpoint: checkpoint.to_owned(),
        })
    }
}

/// What the file `incarnation` holds: the origin alone, or the link.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Description {
    First { origin: String },
    Later(Link),
}

impl Description {
    pub(crate) fn format(&self) -> Vec<u8> {
        match self {
            Self::First { origin } => format!("{FIRST_LINE}\n0\n{origin}\n").into_bytes(),
            Self::Later(link) => link.format(),
        }
    }

    pub(crate) fn parse(bytes: &[u8]) -> Result<Self, OpenError> {
        if let Some(link) = Link::parse(bytes) {
            return Ok(Self::Later(link));
        }
        let text = std::str::from_utf8(bytes).map_err(|_| OpenError::Version)?;
        let lines: Vec<_> = text.split('\n').collect();
        let [FIRST_LINE, "0", origin, ""] = lines[..] else { return Err(OpenError::Version) };
        Ok(Self::First { origin: origin.to_owned() })
    }

    pub(crate) fn origin(&self) -> &str {
        match self {
            Self::First { origin } => origin,
            Self::Later(link) => &link.origin,
        }
    }
}

/// The origin line of incarnation `number`.
pub(crate) fn origin(options: &Options, number: u32) -> String {
    if number == 0 { options.origin.clone() } else { format!("{}/{number}", options.origin) }
}

/// The directory of incarnation `number`.
pub(crate) fn dir_name(number: u32) -> String {
    format!("i{number:04}")
}

/// The number of the incarnation in a directory of that name.
pub(crate) fn parse_dir_name(name: &str) -> Option<u32> {
    let number = name.strip_prefix('i')?.parse().ok()?;
    (dir_name(number) == name).then_some(number)
}

impl Damage {
    /// One lower-case word, as the link of the next incarnation says it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Behind => "behind",
            Self::Forked => "forked",
            Self::Journal => "journal",
            Self::Derived => "derived",
            Self::State => "state",
            Self::Checkpoint => "checkpoint",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn links_round_trip(incarnation in 1_u32.., size: u64, root: [u8; 32], checkpoint in "[a-z\n]{0,60}") {
            let (origin, previous) = ("example.org/log/1".to_owned(), "example.org/log".to_owned());
            let link = Link { incarnation, origin, previous, size, root, damage: "forked".to_owned(), checkpoint };
            prop_assert_eq!(Link::parse(&link.format()), Some(link.clone()));
            let description = Description::Later(link);
            prop_assert_eq!(Description::parse(&description.format()).unwrap(), description);
        }

        #[test]
        fn no_leaf_panics(leaf in prop::collection::vec(any::<u8>(), 0..100)) {
            prop_assert_eq!(Link::parse(&leaf), None);
        }
    }

    #[test]
    fn directories_have_one_name() {
        assert_eq!(parse_dir_name(&dir_name(12345)), Some(12345));
        assert_eq!(["i1", "i00001", "x0001", "i000a"].map(parse_dir_name), [None; 4]);
        let first = Description::First { origin: "o".to_owned() };
        assert_eq!(Description::parse(&first.format()).unwrap(), first);
        assert!(matches!(
            Description::parse(b"obhut-ledger/incarnation/v2\n0\no\n"),
            Err(OpenError::Version)
        ));
    }
}
