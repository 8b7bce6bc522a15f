//! What SQL's words mean, and which sequences of tokens are attacks: the lists of libinjection, hashed at compile time.

use super::token::Kind;
use libinjectionrs::sqli::sqli_data::SQL_KEYWORDS;

/// Rows of the list with this letter are no words but sequences, written as `0` and one upper-case letter per token.
const SEQUENCE: u8 = b'F';
/// About four slots per word.
const SLOTS: usize = 4_096;

/// Places of the words in the list, plus one, at their hash or in the next free slots.
static WORDS: [u16; SLOTS] = {
    let mut slots = [0; SLOTS];
    let mut at = 0;
    while at < SQL_KEYWORDS.len() {
        if SQL_KEYWORDS[at].token_type != SEQUENCE {
            let mut slot = hash(SQL_KEYWORDS[at].word.as_bytes());
            while slots[slot] != 0 {
                slot = (slot + 1) % SLOTS;
            }
            slots[slot] = at as u16 + 1;
        }
        at += 1;
    }
    slots
};

/// The sequences, packed, in order.
static SEQUENCES: [u64; SEQUENCE_COUNT] = {
    let mut packed = [0; SEQUENCE_COUNT];
    let (mut at, mut count) = (0, 0);
    while at < SQL_KEYWORDS.len() {
        if SQL_KEYWORDS[at].token_type == SEQUENCE {
            let (_, sequence) = SQL_KEYWORDS[at].word.as_bytes().split_at(1);
            packed[count] = pack(sequence);
            count += 1;
        }
        at += 1;
    }
    packed
};

const SEQUENCE_COUNT: usize = {
    let (mut at, mut count) = (0, 0);
    while at < SQL_KEYWORDS.len() {
        count += (SQL_KEYWORDS[at].token_type == SEQUENCE) as usize;
        at += 1;
    }
    count
};

/// FNV-1a of the word in upper case.
const fn hash(word: &[u8]) -> usize {
    let mut hash = 0x811c_9dc5_u32;
    let mut at = 0;
    while at < word.len() {
        hash = (hash ^ word[at].to_ascii_uppercase() as u32).wrapping_mul(0x0100_0193);
        at += 1;
    }
    (hash ^ hash >> 15) as usize % SLOTS
}

/// A sequence of up to eight letters as one number; letter case does not count.
const fn pack(sequence: &[u8]) -> u64 {
    let mut packed = [0; 8];
    let mut at = 0;
    while at < sequence.len() && at < packed.len() {
        packed[at] = sequence[at].to_ascii_uppercase();
        at += 1;
    }
    u64::from_be_bytes(packed)
}

/// What a word, or two or three with a space between them, is in SQL.
pub(super) fn meaning(word: &[u8]) -> Option<Kind> {
    let mut slot = hash(word);
    // A quarter of the slots is used, so there is a free one to end at.
    while let Some(at) = WORDS[slot].checked_sub(1) {
        let known = &SQL_KEYWORDS[usize::from(at)];
        if known.word.as_bytes().eq_ignore_ascii_case(word) {
            return Kind::of(known.token_type);
        }
        slot = (slot + 1) % SLOTS;
    }
    None
}

/// Whether a sequence of tokens is known from attacks.
pub(super) fn is_attack(fingerprint: &[u8]) -> bool {
    SEQUENCES.binary_search(&pack(fingerprint)).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_of_the_list_is_found() {
        assert!(SEQUENCES.is_sorted());
        for row in SQL_KEYWORDS {
            if row.token_type == SEQUENCE {
                assert!(row.word.len() <= 6, "{}", row.word);
                assert!(is_attack(&row.word.as_bytes()[1..]), "{}", row.word);
            } else {
                let kind = meaning(row.word.to_ascii_lowercase().as_bytes());
                assert_eq!(kind.map(|kind| kind as u8), Some(row.token_type), "{}", row.word);
            }
        }
        assert_eq!(meaning(b"nurses"), None);
        assert_eq!(meaning(b""), None);
        assert!(!is_attack(b"") && !is_attack(b"n") && !is_attack(b"1o1"));
    }

    /// The gate of the detector rests on this: fewer than two tokens are an attack only if they cannot be read at all.
    #[test]
    fn short_sequences_are_few() {
        let short: Vec<&str> = SQL_KEYWORDS
            .iter()
            .filter(|row| row.token_type == SEQUENCE && row.word.len() <= 3)
            .map(|row| &row.word[1..])
            .collect();
        assert_eq!(short, ["1C", "1U", "NC", "SC", "VC", "VU", "X"]);
    }
}
