//! The syntax of SecLang, the rule language of ModSecurity: from text to [`Statement`]s that say what was written and where.
//!
//! Nothing is passed over in silence: what is not understood, or would reach out of the engine, is a [`Fault`].

mod action;
mod directive;
mod fault;
mod lines;
mod operator;
mod text;
mod variable;

pub use action::{Action, Allow, Assign, Control, Disruptive, Mode, SetVar, Which, severity_name};
pub use directive::{Config, Directive, RuleText, Statement, parse};
pub use fault::{Fault, Place, Reason};
pub use operator::{Checked, Compare, Match, Operator};
pub use text::{Piece, Text};
pub use variable::{Role, Select, Target, Variable, targets};
