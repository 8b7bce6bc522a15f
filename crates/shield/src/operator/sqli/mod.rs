//! `@detectSQLi`: whether a value would change the SQL statement that it is put into.
//!
//! The method is libinjection's (<https://github.com/libinjection/libinjection>): read the value as tokens of SQL, as it stands and as
//! if it followed a quote; fold them to five at most; look their kinds up in a list of sequences known from attacks. The lists are those
//! of crate `libinjectionrs`. Its code is not used: one word with many dots takes it quadratic time, and it allocates for every word.

mod fold;
mod token;
mod words;

use crate::ByteSet;
use fold::{Folded, LONGEST, fold};
use token::{Kind, Reading};

/// The kinds of the tokens by which an attack was known, one letter each.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Fingerprint {
    letters: [u8; LONGEST],
    length: u8,
}

impl Fingerprint {
    /// One to five ASCII bytes, as libinjection writes them: `s&sos`.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.letters[..usize::from(self.length)]
    }

    /// The same as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        // All letters are ASCII.
        str::from_utf8(self.as_bytes()).unwrap_or_default()
    }
}

impl std::fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

const DIGITS: ByteSet = ByteSet::EMPTY.with_range(b'0', b'9');
/// All bytes but letters, `_` and those outside of ASCII, which make one bare word. A byte 0xa0 is white space.
const NO_WORD: ByteSet = DIGITS
    .with_range(0, b'/')
    .with_range(b':', b'@')
    .with_range(b'[', b'^')
    .with(b'`')
    .with_range(b'{', 0x7f)
    .with(0xa0);
const NO_DIGITS: ByteSet = ByteSet::EMPTY.with_range(0, b'/').with_range(b':', 0xff);

/// Whether a value of exactly these bytes may be an attack. One of letters only is one word, one of digits only one number, and no
/// attack is as short.
#[must_use]
pub const fn may_be_sqli(bytes: ByteSet) -> bool {
    bytes.meets(NO_WORD) && bytes.meets(NO_DIGITS)
}

/// The fingerprint of the first reading of `value` that is an attack.
#[must_use]
pub fn detect_sqli(value: &[u8]) -> Option<Fingerprint> {
    // The same as `may_be_sqli` of all bytes, and most values are seen to pass it at one of the first.
    if value.iter().all(|&byte| !NO_WORD.contains(byte)) || value.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let mut readings = Readings { value, skip_empty_exponents: false, empty_exponent: false };
    readings.attack().or_else(|| {
        readings.skip_empty_exponents = true;
        if readings.empty_exponent { readings.attack() } else { None }
    })
}

/// All readings of a value.
struct Readings<'a> {
    value: &'a [u8],
    skip_empty_exponents: bool,
    /// Some reading had a number whose exponent has no digits.
    empty_exponent: bool,
}

impl Readings<'_> {
    fn attack(&mut self) -> Option<Fingerprint> {
        let value = self.value;
        let has = |quote| memchr::memchr(quote, value).is_some();
        self.both(0)
            .or_else(|| if has(b'\'') { self.both(b'\'') } else { None })
            .or_else(|| if has(b'"') { self.one(b'"', true).0 } else { None })
    }

    /// As the standard says, and as MySQL reads it where that is another way.
    fn both(&mut self, quote: u8) -> Option<Fingerprint> {
        match self.one(quote, false) {
            (None, true) => self.one(quote, true).0,
            (found, _) => found,
        }
    }

    /// One reading; the second member of the pair says whether MySQL has another one.
    fn one(&mut self, quote: u8, mysql: bool) -> (Option<Fingerprint>, bool) {
        let folded =
            fold(self.value, Reading { quote, mysql, skip_empty_exponents: self.skip_empty_exponents });
        self.empty_exponent |= folded.empty_exponent;
        (attack(self.value, &folded), folded.other_in_mysql)
    }
}

fn attack(value: &[u8], folded: &Folded) -> Option<Fingerprint> {
    let fingerprint = fingerprint(folded);
    let known = words::is_attack(fingerprint.as_bytes()) && !is_harmless(value, folded, &fingerprint);
    known.then_some(fingerprint)
}

fn fingerprint(folded: &Folded) -> Fingerprint {
    let tokens = &folded.tokens[..folded.length];
    let mut letters = [0; LONGEST];
    for (letter, token) in letters.iter_mut().zip(tokens) {
        *letter = token.kind as u8;
    }
    if tokens.iter().any(|token| token.kind == Kind::Evil) {
        return Fingerprint { letters: [Kind::Evil as u8, 0, 0, 0, 0], length: 1 };
    }
    // An open tick with nothing behind it is a comment for PHP's MySQL.
    if let [_, _, .., last] = tokens
        && (last.kind, last.open, last.close) == (Kind::Bareword, b'`', 0)
        && last.text().is_empty()
    {
        letters[tokens.len() - 1] = Kind::Comment as u8;
    }
    Fingerprint { letters, length: tokens.len() as u8 }
}

/// What looks like an attack and is seen in good values all the time.
fn is_harmless(value: &[u8], folded: &Folded, fingerprint: &Fingerprint) -> bool {
    let ends_in_comment = fingerprint.as_bytes().last() == Some(&(Kind::Comment as u8));
    if fingerprint.length > 1 && ends_in_comment && token::hides_from_log(value) {
        return false;
    }
    match fingerprint.length {
        2 => is_harmless_pair(value, folded),
        3 => is_harmless_triple(folded, fingerprint),
        _ => false,
    }
}

fn is_harmless_pair(value: &[u8], folded: &Folded) -> bool {
    let [first, second, ..] = &folded.tokens;
    if second.kind == Kind::Union {
        return folded.read == 2;
    }
    match (first.kind, second.first()) {
        (_, b'#') => true,
        (Kind::Bareword, mark) => mark != b'/',
        (Kind::Number, b'/') => false,
        (Kind::Number, _) => {
            // `1234--` is none, `1234-ABCD--` is: what was folded, and what follows the number, tells.
            let after = &value[first.text().len().min(value.len())..];
            let plain = match after {
                [0x21..=0x7f, ..] => !after.starts_with(b"/*") && !after.starts_with(b"--"),
                _ => false,
            };
            folded.read <= 2 && plain
        }
        // Only a bare `--` at the end: in prose people write more behind it.
        (_, mark) => mark == b'-' && second.text().len() > 2,
    }
}

fn is_harmless_triple(folded: &Folded, fingerprint: &Fingerprint) -> bool {
    let [first, second, third, ..] = &folded.tokens;
    match fingerprint.as_bytes() {
        // …foo' + 'bar…
        b"sos" | b"s&s" => first.open != 0 || third.close != 0 || first.close != third.open,
        // Two words and `and`.
        b"s&n" | b"n&1" | b"1&1" | b"1&v" | b"1&s" => folded.read == 3,
        // Only INTO OUTFILE and INTO DUMPFILE do harm.
        _ if second.kind == Kind::Keyword => {
            second.text().len() < 5
                || !second.text().get(..4).is_some_and(|start| start.eq_ignore_ascii_case(b"INTO"))
        }
        _ => false,
    }
}
