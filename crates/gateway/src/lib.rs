//! The TLS gateway: what stands between clients and the app.
//!
//! A request goes through stages, each a small file: accept and TLS ([`mod@serve`]), frames ([`mod@strict`]), host, route and
//! principal, relay in, the app, relay out, headers, event. The two traits that it needs of the rest of the house are
//! [`messages::Relay`] (the vault) and [`events::EventSink`] (whoever watches); their messages are plain data.
//!
//! To add a format on the way out: its contexts in `out`, a [`out::Kind`], a row in the table of attacks. To add a source
//! on the way in: a variant of `rules::Source` and its reader in `inward`.

pub mod config;
pub mod events;
pub mod fold;
mod find;
mod json;
pub mod messages;
mod out;
mod patience;
mod rules;
pub mod strict;

pub use rules::{RouteLine, RuleError};
