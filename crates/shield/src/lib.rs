//! Inspection of requests and responses: SecLang, the rule language of ModSecurity, compiled to an engine that runs the
//! OWASP Core Rule Set. Pure and synchronous: no I/O, no clock, no global state.
//!
//! Text of rules goes through [`mod@seclang`] (syntax) and [`mod@compile`] (meaning: patterns, transformation chains,
//! jumps, slots) into an [`Engine`]; a [`Transaction`] carries one request through its phases.
//!
//! To add a transformation: a variant of [`transform::Transformation`], its function in `transform`, its row in
//! `docs/seclang.md`, a known answer. To add an operator: a variant of `seclang::Operator`, its function in
//! [`operator`], its arms in `compile::build` and `transaction::evaluate`, its row, a known answer. To add a variable: a variant of `seclang::Variable`, where `transaction::fill` fills it, its row.

pub mod body;
mod bytes;
mod collections;
mod compile;
pub mod ftw;
pub mod measure;
pub mod message;
pub mod operator;
pub mod pattern;
mod request;
pub mod seclang;
mod transaction;
pub mod transform;
pub mod workload;

pub use bytes::{ByteSet, Pairs};
pub use collections::Collections;
pub use compile::{Described, Disabled, Engine, Files, Settings, Summary};
pub use seclang::Fault;
pub use transaction::{
    Context, Excluded, Exclusion, Explained, Head, Logged, Matched, Overlay, Refusal, Report, Texts,
    Transaction, Verdict,
};
