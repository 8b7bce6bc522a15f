//! Operators: what is asked of a transformed value. Those here look at a value and at constants alone; patterns are in
//! [`crate::pattern`]. Each is a plain function that is true where its rule matches.

mod address;
mod byte_range;
mod card;
mod cpf;
mod encoding;
mod number;
mod sqli;
mod ssn;
mod svnr;
mod text;
mod xss;

#[cfg(test)]
mod tests;

pub use address::{addresses, addresses_of_file, in_addresses};
pub use byte_range::byte_range;
pub use card::is_card;
pub use cpf::is_cpf;
pub use encoding::{has_wrong_escape, is_not_utf8};
pub use number::number;
pub use sqli::{Fingerprint, detect_sqli, may_be_sqli};
pub use ssn::is_ssn;
pub use svnr::is_svnr;
pub use text::{begins_with, contains, contains_word, ends_with, equal, within};
pub use xss::{detect_xss, may_be_xss};
