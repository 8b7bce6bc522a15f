//! How often bytes and strings occur in what people send: a rough guess, on which only speed depends.

use super::Sign;
use super::fold::{EDGE, fold};
use super::sequence::{ANYTHING, Sequence};
use crate::ByteSet;

/// The length, in bytes, of the value that a guess is about.
const LENGTH: f64 = 120.0;
/// How often each folded byte occurs in mixed German and English prose, forms and headers, in 10,000 bytes.
const FREQUENCY: [u16; 256] = {
    let mut table = [1; 256];
    let mut byte = 0;
    while byte < 256 {
        table[byte] = frequency(byte as u8);
        byte += 1;
    }
    table
};

const fn frequency(byte: u8) -> u16 {
    match fold(byte) {
        b' ' => 1500,
        b'e' => 1090,
        b'n' => 640,
        b't' => 600,
        b'i' => 590,
        b'r' => 530,
        b'a' => 520,
        b's' => 510,
        b'o' => 400,
        b'd' => 330,
        b'l' => 310,
        b'h' => 300,
        b'u' => 270,
        b'c' => 250,
        b'm' => 210,
        b'g' => 180,
        b'f' => 160,
        b'p' => 150,
        b'b' | b'w' => 130,
        b'k' => 90,
        b'v' => 80,
        b'y' | b'z' => 60,
        b'x' => 25,
        b'j' => 20,
        b'q' => 10,
        b'0' | b'1' | b'2' => 60,
        b'3'..=b'9' => 40,
        b'.' | b',' => 90,
        b'-' => 60,
        b'/' | b'=' => 40,
        b'"' | b'\'' | b':' | b';' | b'(' | b')' | b'_' => 25,
        b'%' | b'&' | b'+' | b'?' | b'!' | b'@' | b'\n' | b'\r' => 10,
        b'#' | b'*' | b'<' | b'>' | b'[' | b']' | b'{' | b'}' | b'|' => 5,
        b'`' | b'\\' | b'$' | b'~' | b'^' => 3,
        0xc3 => 40,
        0x80..=0xbf => 3,
        _ => 1,
    }
}

fn part(per_10_000: u32) -> f64 {
    f64::from(per_10_000) / 10_000.0
}

/// How likely a value holds a byte of the set.
pub(super) fn bytes(set: ByteSet) -> f64 {
    const UPPER: ByteSet = ByteSet::EMPTY.with_range(b'A', b'Z');
    let sum = |set: ByteSet| set.iter().map(|byte| u32::from(FREQUENCY[usize::from(byte)])).sum::<u32>();
    let share = part(sum(set.intersection(UPPER.complement()))) + part(sum(set.intersection(UPPER))) / 20.0;
    1.0 - (-share * LENGTH).exp()
}

/// How rarely a letter follows another in English and German text: the negative logarithm of the share, in steps of half a
/// bit, as a digit to base 36. Rows are what comes first, columns what follows; `_` is what is no letter.
const NEIGHBOURS: [&[u8; 27]; 27] = [
    //_abcdefghijklmnopqrstuvwxyz
    b"38aa8aaccaiecbcbbjb99bcahge", // _
    b"9l999lfcfcna6a5oak7758ehfei", // a
    b"68jdj3kge7fp7dj9ovabc7lkv9h", // b
    b"88lcj7hl3ak9bip5gk8c8bkknfq", // c
    b"47hmb3jfk5lmfgi9dpecfaijriy", // d
    b"4bdc9ecdd7qfab5leh57affgdih", // e
    b"58lij69cd5joaie5nr8dbarnrgg", // f
    b"4agjm3lfc7wfbgbbjq7aaalrqki", // g
    b"66hkj4iil7rjaeb9js9d69miwgn", // h
    b"bca8c6cahmnh9947epa76mdvdze", // i
    b"88jeh2nnn7hfnhn6fnn7n6jjjnn", // j
    b"67kjm4e9n7tidhb6imb97athtie", // k
    b"68gea5edm6xl5mg8eoi98ahhx9d", // l
    b"45bif5mdo6wlc9k97sjaeahkiil", // m
    b"3aib77c7jamdejaahtj87bghpdd", // n
    b"7gda9hachegca74day5ba9bbing", // o
    b"86jhe6efd9wb7im89q5778kiqgw", // p
    b"6inghhhinnnn9nfnhhibe1nennn", // q
    b"48eb85dcf8zcebb8huc889ecoce", // r
    b"3ciag6heb7ugggiabkf85affqci", // s
    b"49jeg5gi67toegj8av9b9bjgkdb", // t
    b"8c8ad99bibxi885j9x757onmixi", // u
    b"87mhp2mcm6ttmip5ttniklkthln", // v
    b"77uig3mj84umjnc8kubbiaufkhq", // w
    b"38lch7gig7rrjcmh6rrg7cmife6", // x
    b"2dhkjdjklenpeba68te79kpgphh", // y
    b"7ajih3khi8ooc9oemtki74natge", // z
];
/// The share of what is no letter.
const NO_LETTERS: f64 = 0.24;
const LETTERS: ByteSet = ByteSet::EMPTY.with_range(b'a', b'z');

/// The natural logarithm of the share of `next`, a letter or not, after `first`.
fn log_neighbour(first: Option<u8>, next: Option<u8>) -> f64 {
    let index = |letter: Option<u8>| letter.map_or(0, |letter| usize::from(letter.saturating_sub(b'a')) + 1);
    let digit = NEIGHBOURS.get(index(first)).and_then(|row| row.get(index(next))).copied().unwrap_or(b'z');
    let half_bits = char::from(digit).to_digit(36).unwrap_or(35);
    -f64::from(half_bits) / 2.0 * std::f64::consts::LN_2
}

/// What is to be known of a set of folded bytes at a place in a text.
#[derive(Clone, Copy, Debug)]
struct Place {
    /// The logarithm of how often one of its bytes occurs.
    log_share: f64,
    kind: Kind,
}

#[derive(Clone, Copy, Debug)]
enum Kind {
    Letter(u8),
    NoLetter,
    Mixed,
    /// Nothing is known.
    Any,
}

impl Place {
    fn new(set: ByteSet) -> Self {
        if set == ANYTHING {
            return Self { log_share: 0.0, kind: Kind::Any };
        }
        let edge = if set.contains(EDGE) { 1.0 / LENGTH } else { 0.0 };
        let folded = set.intersection(ByteSet::EMPTY.with_range(b'A', b'Z').complement());
        let share = edge + part(folded.iter().map(|byte| u32::from(FREQUENCY[usize::from(byte)])).sum());
        let kind = match folded.intersection(LETTERS).iter().next() {
            Some(letter) if folded.len() == 1 => Kind::Letter(letter),
            Some(_) => Kind::Mixed,
            None => Kind::NoLetter,
        };
        Self { log_share: share.min(1.0).ln(), kind }
    }

    /// The logarithm of how often a byte of `next` follows one of this.
    fn log_next(self, next: Self) -> f64 {
        let letter = |kind| match kind {
            Kind::Letter(letter) => Some(Some(letter)),
            Kind::NoLetter => Some(None),
            Kind::Mixed | Kind::Any => None,
        };
        if matches!(self.kind, Kind::Any) {
            return next.log_share;
        }
        match (letter(self.kind), letter(next.kind)) {
            (Some(first), Some(Some(letter))) => log_neighbour(first, Some(letter)),
            (Some(first), Some(None)) => {
                log_neighbour(first, None) + (next.log_share - NO_LETTERS.ln()).min(0.0)
            }
            // Of several letters, some are likely.
            _ => next.log_share / 2.0,
        }
    }
}

/// How often a sign occurs in a value, on average.
pub(super) fn sign(sign: &Sign) -> f64 {
    let single = |byte: &u8| Place::new(ByteSet::EMPTY.with(*byte));
    let mut before = Place::new(sign.before);
    let mut log = before.log_share;
    for next in sign.literal.iter().map(single).chain([Place::new(sign.after)]) {
        log += before.log_next(next);
        before = next;
    }
    log.exp() * LENGTH
}

/// The logarithm of how often one of the strings occurs that the sets of folded bytes spell.
pub(in crate::pattern) fn log_frequency(sets: &[ByteSet]) -> f64 {
    let mut before = Place::new(ANYTHING);
    sets.iter().fold(0.0, |log, set| {
        let place = Place::new(*set);
        let log = log + before.log_next(place);
        before = place;
        log
    })
}

/// The byte of a literal that occurs least.
pub(super) fn rarest_byte(literal: &[u8]) -> u8 {
    literal.iter().copied().min_by_key(|byte| FREQUENCY[usize::from(*byte)]).unwrap_or_default()
}

/// The set of a sequence that occurs least.
pub(super) fn rarest_item(sequence: &Sequence) -> ByteSet {
    let rarest = sequence
        .items
        .iter()
        .map(|item| (Place::new(*item).log_share, *item))
        .min_by(|a, b| a.0.total_cmp(&b.0));
    rarest.map(|(_, item)| item).unwrap_or_default()
}

/// The part of a sequence of two to `longest` items that occurs least and has at most `most` spellings, with what is around
/// it; none if no two neighbours have so few.
pub(super) fn window(sequence: &Sequence, longest: usize, most: u32) -> Option<Sequence> {
    let items = &sequence.items;
    let places: Vec<Place> = items.iter().map(|item| Place::new(*item)).collect();
    let outside = (Place::new(sequence.before), Place::new(sequence.after));
    let mut best: Option<(f64, usize, usize)> = None;
    for start in 0..items.len() {
        let mut before = start.checked_sub(1).map_or(outside.0, |index| places[index]);
        let mut log = before.log_share;
        // The same without what is around: what has to be looked at.
        let mut bare = 0.0;
        let mut spellings = 1;
        for end in start..items.len().min(start + longest) {
            spellings *= items[end].len();
            if spellings > most {
                break;
            }
            bare += if end == start { places[end].log_share } else { before.log_next(places[end]) };
            log += before.log_next(places[end]);
            before = places[end];
            let after = places.get(end + 1).copied().unwrap_or(outside.1);
            // Few spellings are better than many of the same worth.
            let cost = log + before.log_next(after) + bare / 2.0 + f64::from(spellings).ln();
            if end > start && best.is_none_or(|(least, ..)| cost < least) {
                best = Some((cost, start, end));
            }
        }
    }
    let (_, start, end) = best?;
    Some(Sequence {
        before: start.checked_sub(1).map_or(sequence.before, |index| items[index]),
        items: items[start..=end].to_vec(),
        after: items.get(end + 1).copied().unwrap_or(sequence.after),
    })
}
