//! What derives from the journal: entries, tiles, identities, postings, and the mark up to where they are valid.

pub(crate) mod deriver;
pub(crate) mod files;
pub(crate) mod state;
