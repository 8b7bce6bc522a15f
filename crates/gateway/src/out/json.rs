//! Where tokens stand in JSON.

use super::Context;
use crate::find::Found;
use crate::json::strings;

/// The context of each found token, in order.
pub(super) fn contexts(json: &[u8], found: &[Found]) -> Vec<Context> {
    let Ok(texts) = strings(json) else { return vec![Context::Never; found.len()] };
    let of = |found: &Found| {
        let number = texts.partition_point(|text| text.end < found.start);
        match texts.get(number) {
            Some(text) if text.start <= found.start && found.end <= text.end => Context::Json,
            _ if found.loose => Context::Bare,
            _ => Context::Never,
        }
    };
    found.iter().map(of).collect()
}
