//! `length`, `removeNulls`.

use std::io::Write;

pub(super) fn length(value: &[u8], out: &mut Vec<u8>) -> bool {
    // The only value that is its own length.
    if value == b"1" {
        return false;
    }
    // Writing to a vector cannot fail.
    write!(out, "{}", value.len()).is_ok()
}

pub(super) fn remove_nulls(value: &[u8], out: &mut Vec<u8>) -> bool {
    if memchr::memchr(0, value).is_none() {
        return false;
    }
    value.split(|&byte| byte == 0).for_each(|part| out.extend_from_slice(part));
    true
}
