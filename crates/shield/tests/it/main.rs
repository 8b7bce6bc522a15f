//! The engine from outside: whole rule sets, whole corpora.

mod conformance;
mod decisions;
mod folder;
mod folding;
mod packs;
mod semantics;
mod sifting;
mod table;
