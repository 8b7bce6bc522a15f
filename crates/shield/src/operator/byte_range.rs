//! `@validateByteRange`: which bytes a value may hold.

use crate::ByteSet;

/// The allowed bytes of a list of numbers and ranges, `9,10,32-126`. `None` if anything else stands in it, a number is above 255 or a range
/// ends before it starts; ModSecurity ignores such parts.
#[must_use]
pub fn byte_range(list: &str) -> Option<ByteSet> {
    list.split(',').try_fold(ByteSet::EMPTY, |set, part| {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        let (first, last) = (byte(first)?, byte(last)?);
        (first <= last).then(|| set.with_range(first, last))
    })
}

fn byte(text: &str) -> Option<u8> {
    let digits = text.trim();
    // `parse` would take a sign as well.
    if digits.bytes().all(|digit| digit.is_ascii_digit()) { digits.parse().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn lists_are_read() {
        let set = byte_range("9,10, 13,32-126").unwrap();
        assert_eq!(set.len(), 3 + 95);
        assert!(set.contains(b'\r') && set.contains(b'~') && !set.contains(0x7f));
        assert_eq!(byte_range("0-255"), Some(ByteSet::ALL));
        for wrong in ["", "256", "5-1", "1-2-3", "a", "1,,2", "-1", "+1", "1-", "0x10"] {
            assert_eq!(byte_range(wrong), None, "{wrong:?}");
        }
    }

    proptest! {
        #[test]
        fn a_set_written_as_a_list_is_read_as_itself(bytes in proptest::collection::btree_set(any::<u8>(), 1..40)) {
            let list: Vec<String> = bytes.iter().map(u8::to_string).collect();
            let all: Vec<u8> = bytes.into_iter().collect();
            prop_assert_eq!(byte_range(&list.join(",")), Some(ByteSet::of(&all)));
        }

        #[test]
        fn any_text_is_a_list_or_none(text in ".*") {
            let _ = byte_range(&text);
        }
    }
}
