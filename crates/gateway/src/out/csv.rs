//! CSV (RFC 4180): cells are read and written by the library; a cell that a spreadsheet would compute is defused.

use super::{Context, Known, MASKED, Spot, Tally, replacement};
use crate::find::{Formats, tokens};

/// The whole text with its tokens replaced. What is no CSV is masked throughout.
pub(super) fn write(text: &[u8], found: &[Spot], known: &Known<'_>) -> (Vec<u8>, Tally) {
    let delimiter = delimiter_of(text);
    let mut reader =
        ::csv::ReaderBuilder::new().has_headers(false).flexible(true).delimiter(delimiter).from_reader(text);
    let ending = if memchr::memmem::find(text, b"\r\n").is_some() {
        ::csv::Terminator::CRLF
    } else {
        ::csv::Terminator::Any(b'\n')
    };
    let mut writer = ::csv::WriterBuilder::new()
        .flexible(true)
        .delimiter(delimiter)
        .terminator(ending)
        .from_writer(Vec::new());
    let formats = Formats::of_tokens(found.iter().filter_map(|spot| spot.found.token.as_ref()));
    let mut tally = Tally::default();
    let mut record = ::csv::ByteRecord::new();
    loop {
        match reader.read_byte_record(&mut record) {
            Ok(true) => {}
            Ok(false) => break,
            Err(_) => return blanked(text, found),
        }
        let cells = record.iter().map(|cell| filled(cell, &formats, known, &mut tally));
        if writer.write_record(cells).is_err() {
            return blanked(text, found);
        }
    }
    match writer.into_inner() {
        Ok(out) => (out, tally),
        Err(_) => blanked(text, found),
    }
}

fn delimiter_of(text: &[u8]) -> u8 {
    let line = text.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let count = |wanted: u8| line.iter().filter(|byte| **byte == wanted).count();
    [b',', b';', b'\t'].into_iter().max_by_key(|one| (count(*one), *one == b',')).unwrap_or(b',')
}

fn filled(cell: &[u8], formats: &Formats, known: &Known<'_>, tally: &mut Tally) -> Vec<u8> {
    let found = tokens(cell, formats);
    if found.is_empty() {
        return cell.to_vec();
    }
    let (mut out, mut at) = (Vec::with_capacity(cell.len()), 0);
    for one in &found {
        out.extend_from_slice(&cell[at..one.start]);
        at = one.end;
        let alone = !one.loose || (one.start == 0 && one.end == cell.len());
        let context = if alone { Context::Cell } else { Context::Bare };
        match replacement(&Spot { found: *one, context, alone }, known, tally) {
            Some(text) => out.extend_from_slice(text.as_bytes()),
            None => out.extend_from_slice(&cell[one.start..one.end]),
        }
    }
    out.extend_from_slice(&cell[at..]);
    if is_computed(&out) {
        out.insert(0, b'\'');
    }
    out
}

/// Whether a spreadsheet computes what begins so, if only in some languages (the wide forms) or after it took white
/// space away. An apostrophe before it says that it is text.
fn is_computed(cell: &[u8]) -> bool {
    const SIGNS: [&str; 11] =
        ["=", "+", "-", "@", "\t", "\r", "\n", "\u{ff1d}", "\u{ff0b}", "\u{ff0d}", "\u{ff20}"];
    SIGNS.iter().any(|sign| cell.starts_with(sign.as_bytes()))
}

fn blanked(text: &[u8], found: &[Spot]) -> (Vec<u8>, Tally) {
    let mut out = Vec::with_capacity(text.len());
    let mut at = 0;
    for Spot { found, .. } in found {
        out.extend_from_slice(&text[at..found.start]);
        out.extend_from_slice(MASKED.as_bytes());
        at = found.end;
    }
    out.extend_from_slice(&text[at..]);
    (out, Tally { masked: found.len() as u64, ..Tally::default() })
}
