//! `md5`, `sha1`: raw digests, for comparing with known values. They protect nothing here.

use md5::Md5;
use sha1::{Digest, Sha1};

pub(super) fn md5(value: &[u8], out: &mut Vec<u8>) -> bool {
    out.extend_from_slice(&Md5::digest(value));
    true
}

pub(super) fn sha1(value: &[u8], out: &mut Vec<u8>) -> bool {
    out.extend_from_slice(&Sha1::digest(value));
    true
}
