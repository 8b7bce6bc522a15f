//! `@validateUrlEncoding`, `@validateUtf8Encoding`: whether a value is well-formed.

/// `@validateUrlEncoding` is true: some `%` is not followed by two hexadecimal digits.
#[must_use]
pub fn has_wrong_escape(value: &[u8]) -> bool {
    memchr::memchr_iter(b'%', value)
        .any(|at| !value.get(at + 1..at + 3).is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit)))
}

/// `@validateUtf8Encoding` is true: the value is not UTF-8 (RFC 3629 §4).
#[must_use]
pub fn is_not_utf8(value: &[u8]) -> bool {
    str::from_utf8(value).is_err()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn escapes_need_two_digits() {
        for right in ["", "abc", "%41", "a%2Fb%c3%a4", "%00"] {
            assert!(!has_wrong_escape(right.as_bytes()), "{right:?}");
        }
        for wrong in ["%", "%4", "%4g", "%%41", "%u0041", "%41%", "100%"] {
            assert!(has_wrong_escape(wrong.as_bytes()), "{wrong:?}");
        }
    }

    #[test]
    fn utf8_is_that_of_the_standard() {
        for right in [&b""[..], b"abc", b"\xc3\xa4", b"\xf4\x8f\xbf\xbf"] {
            assert!(!is_not_utf8(right), "{right:x?}");
        }
        let wrong: [&[u8]; 8] = [
            b"\xc3",
            b"\x80",
            b"\xc0\x80",
            b"\xe0\x80\x80",
            b"\xed\xa0\x80",
            b"\xf4\x90\x80\x80",
            b"\xf5\x80\x80\x80",
            b"a\xe2\x82",
        ];
        for wrong in wrong {
            assert!(is_not_utf8(wrong), "{wrong:x?}");
        }
    }

    proptest! {
        #[test]
        fn what_is_encoded_is_well_formed(bytes: Vec<u8>) {
            let encoded: String = bytes.iter().map(|byte| format!("%{byte:02x}")).collect();
            prop_assert!(!has_wrong_escape(encoded.as_bytes()));
            let cut = encoded.as_bytes().get(..encoded.len().saturating_sub(1)).unwrap_or_default();
            prop_assert_eq!(has_wrong_escape(cut), !bytes.is_empty());
        }
    }
}
