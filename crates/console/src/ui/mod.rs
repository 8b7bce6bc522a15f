//! The design system, in one place: [`assets`] (tokens, layout, components as CSS; fonts; htmx), [`icons`], [`parts`],
//! [`chart`], [`language`], and the [`frame`]s around pages.
//!
//! A page is put together from [`parts`] alone and writes no class of its own. Principles: the `h1` is a full sentence that
//! is computed from the state; each fact has its time, its reason and its proof, or shows that one is missing; colour is a
//! claim ([`parts::Tone`]) and green means proved; a value is veiled unless it was asked for with a purpose; yes and no to a
//! person are equal doors. Every page works without JavaScript; htmx attributes swap what a full load would also give.
//!
//! To add a page: 1. a file in `pages` with its handlers, and its line in `pages/mod.rs`, 2. its texts in both folders of
//! `locales`, 3. for staff, its [`frame::Area`] with the roles that may open it, 4. its row in `tests/it/pages.rs`.

pub(crate) mod assets;
pub(crate) mod chart;
pub(crate) mod frame;
pub(crate) mod icons;
pub(crate) mod language;
pub(crate) mod parts;
