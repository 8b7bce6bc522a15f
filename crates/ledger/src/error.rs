//! Why an operation of the ledger did not happen.

/// Why an entry was not acknowledged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AppendError {
    /// The journal cannot be written at the moment (disk full, device error). Later appends succeed by themselves
    /// once writing works again. Whether *this* entry appears is unknown until the next restart: look its leaf
    /// hash up with [`crate::Ledger::find_leaf`] before shipping it again.
    #[error("the ledger cannot write at the moment")]
    Unavailable,
    /// The ledger was set aside read-only; an operator must open a new incarnation.
    #[error("the ledger is damaged and set aside")]
    Damaged,
    /// Leaf over 65,535 bytes, identity over 1 MiB, more than 4,096 postings, or larger than a journal segment.
    #[error("the entry is too large")]
    TooLarge,
    /// The ledger was closed.
    #[error("the ledger is closed")]
    Closed,
}

/// Why a ledger was not opened at all.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// The directory could not be read or written.
    #[error("the directory of the ledger cannot be used")]
    Io(#[source] std::io::Error),
    /// Another process holds the directory.
    #[error("another process holds the ledger")]
    Locked,
    /// The files belong to a log of another origin.
    #[error("the files belong to a ledger of another origin")]
    Origin,
    /// The options contradict each other or the format (origin with spaces, segment too small, ...).
    #[error("the options of the ledger are not usable")]
    Options,
    /// [`crate::Ledger::open_incarnation`] was asked for a ledger that is sound.
    #[error("the ledger is sound: no new incarnation is needed")]
    Sound,
    /// An incarnation lies there that this house never signed in: somebody laid it there, or its beginning was cut off.
    #[error("the newest incarnation was never signed by this house")]
    Stranger,
    /// A format version that this program does not know.
    #[error("unknown format version")]
    Version,
}

/// Why a ledger stands aside read-only. Personal data are not released while it does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Damage {
    /// The files end before the head that was last signed: an old copy was put back, or entries were cut off.
    #[error("the files are behind the last signed head")]
    Behind,
    /// The files are as long as the last signed head but have another root: history was rewritten.
    #[error("the files contradict the last signed head")]
    Forked,
    /// A journal record that is not the last one does not check.
    #[error("a journal record does not check")]
    Journal,
    /// Tiles, entries or their index do not check against the recorded root.
    #[error("derived files do not check")]
    Derived,
    /// The state file has no readable slot.
    #[error("the state file does not check")]
    State,
    /// The stored checkpoint does not fit the tree or the signing key.
    #[error("the stored checkpoint does not check")]
    Checkpoint,
}

/// Why a read or a proof was not answered.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReadError {
    /// The files could not be read.
    #[error("the ledger cannot be read")]
    Io(#[source] std::io::Error),
    /// Index or size beyond the end of the log, or an old size over the new one.
    #[error("beyond the end of the ledger")]
    OutOfRange,
    /// What was read does not check; the ledger should be verified as a whole.
    #[error("the files of the ledger do not check")]
    Corrupt,
    /// Writing does not work at the moment, so that what is durable could not be made readable or destroyed.
    #[error("the ledger cannot write at the moment")]
    Unavailable,
    /// The ledger was set aside; what it holds can be read but not changed or signed.
    #[error("the ledger is damaged and set aside")]
    Damaged,
}
