//! Every page in a real browser: both languages, light and dark, from a narrow phone to a wide screen, held against WCAG by
//! axe-core; and what a person does there by pressing.
//!
//! They need Chromium, its driver and axe-core, and are ignored where nobody asks for them: `cargo xtask test` does, in the
//! group `browser`, and says what is missing.

#[path = "../../../vault/tests/world/mod.rs"]
mod world;

#[expect(dead_code, reason = "the other tests use more of it")]
#[path = "../it/shielded.rs"]
mod shielded;

mod house;
mod pages;
mod pressing;
