//! What the house notices, kept for those who guard it.
//!
//! So far: [`mod@attacks`], what the shield saw. It is counted by minute and hour, and the last events are kept in detail, in
//! files of bounded size that survive a restart. Nothing here names a person, and nothing here is proof: what staff do about
//! an attack stands in the ledger.
//!
//! To keep something more of an attack: its field in [`attacks::Attack`] with `#[serde(default)]`, how much of it is kept in
//! `attacks/plain.rs`, and the test of canaries there.

pub mod attacks;
