//! The TLS gateway: what stands between clients and the app.
//!
//! A request goes through stages, each a small file: accept and TLS ([`mod@serve`]), frames ([`mod@strict`]), host, route and
//! principal, relay in, the app, relay out, headers, event. The two traits that it needs of the rest of the house are
//! [`messages::Relay`] (the vault) and [`events::EventSink`] (whoever watches); their messages are plain data.
//!
//! To add a format on the way out: its contexts in `out`, a [`out::Kind`], a row in the table of attacks. To add a source
//! on the way in: a variant of `rules::Source` and its reader in `inward`.

mod arriving;
mod body;
pub mod config;
mod decode;
pub mod events;
mod exchange;
mod find;
pub mod fold;
mod headers;
mod held;
mod inward;
mod json;
mod language;
mod leak;
mod line;
mod media;
pub mod messages;
mod names;
mod onward;
mod out;
mod patience;
mod places;
mod principal;
mod problem;
mod quiet;
mod relay_in;
mod relay_out;
mod rules;
mod sending;
pub mod serve;
mod setup;
mod shares;
mod shielding;
pub mod strict;
mod tied;
pub mod trying;
mod upstream;
mod waiting;
mod whoami;

pub use exchange::Gateway;
pub use principal::PrincipalError;
pub use rules::{RouteLine, RuleError};
pub use setup::{Setup, SetupError};
pub use upstream::UpstreamError;
