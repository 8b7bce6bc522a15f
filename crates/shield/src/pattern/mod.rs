//! From a pattern of SecLang's `@rx` to a linear-time engine over bytes.

mod error;
mod gate;
mod pcre;
mod phrases;
mod regex;
mod scanner;
mod signs;

pub use error::PatternError;
pub use gate::{Gate, Sign, Signs};
pub use pcre::translate;
pub use phrases::Phrases;
pub use regex::{Captures, Pattern};
pub use scanner::{PatternId, Scanner, Scratch};
