//! From a pattern of SecLang's `@rx` to a linear-time engine over bytes.

mod error;
mod pcre;
mod regex;

pub use error::PatternError;
pub use pcre::translate;
pub use regex::{Captures, Pattern};
