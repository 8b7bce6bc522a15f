//! Where tokens stand in JSON.

use super::Context;
use crate::find::Found;
use crate::json::texts;

/// The context of each found token, in order.
pub(super) fn contexts(json: &[u8], found: &[Found]) -> Vec<Context> {
    let outside = |found: &Found| if found.loose { Context::Bare } else { Context::Never };
    let mut contexts: Vec<Context> = found.iter().map(outside).collect();
    let mut next = 0;
    let walked = texts(json, |_, range| {
        while let Some(one) = found.get(next).filter(|one| one.start < range.end) {
            if range.start <= one.start && one.end <= range.end {
                contexts[next] = Context::Json;
            }
            next += 1;
        }
    });
    if walked.is_ok() { contexts } else { vec![Context::Never; found.len()] }
}
