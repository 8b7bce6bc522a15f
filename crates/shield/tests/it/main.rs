//! The engine from outside: whole rule sets, whole corpora.
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::disallowed_methods,
    reason = "a corpus says what it found, and is looked for where the environment says"
)]

mod conformance;
mod decisions;
mod folder;
mod folding;
mod gates;
mod grammar;
mod packs;
mod semantics;
mod sifting;
mod table;
