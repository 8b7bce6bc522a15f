//! The engine from outside: whole rule sets, whole corpora.

mod conformance;
mod decisions;
mod folder;
mod semantics;
mod sifting;
mod table;
