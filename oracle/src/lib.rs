//! For tests alone: libmodsecurity behind the shield's own types, so that the shield's engine can be compared with it
//! rule by rule, and measured beside it.
//!
//! [`rules`] gathers the texts of rules, [`Oracle`] loads them and runs exchanges. On top of that: [`corpus`] runs the
//! regression cases of CRS, [`values`] shows what each variable holds, [`mutate`] changes requests in ways that rules
//! should see through, [`compare`] holds the rule ids of another engine against the oracle's, [`reasons`] says why the
//! two may differ, [`shield::measure`] measures several
//! in one process. [`ours`] is the shield's engine on the same rules.

pub mod compare;
pub mod corpus;
mod engine;
mod ffi;
pub mod lines;
pub mod mutate;
pub mod ours;
pub mod reasons;
pub mod rules;
pub mod values;

pub use engine::{Message, Oracle, Outcome};
