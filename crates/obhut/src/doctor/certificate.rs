//! From when to when a certificate is valid: the one field of X.509 that `doctor` reads (RFC 5280 §4.1.2.5).

use model::Timestamp;
use time::{Date, Month, PrimitiveDateTime, Time};

const INTEGER: u8 = 0x02;
const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;
const SEQUENCE: u8 = 0x30;
/// `[0]`, constructed: the version.
const VERSION: u8 = 0xA0;

/// The time of a certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Validity {
    pub(super) from: Timestamp,
    pub(super) until: Timestamp,
}

/// Reads the validity of a certificate in DER; `None` if it is not in the form. Nothing else of it is checked.
pub(super) fn validity(certificate: &[u8]) -> Option<Validity> {
    let (_, certificate, _) = element(certificate).filter(|(tag, ..)| *tag == SEQUENCE)?;
    let (_, mut fields, _) = element(certificate).filter(|(tag, ..)| *tag == SEQUENCE)?;
    if let (VERSION, _, rest) = element(fields)? {
        fields = rest;
    }
    // serial number, signature algorithm, issuer
    for expected in [INTEGER, SEQUENCE, SEQUENCE] {
        fields = element(fields).filter(|(tag, ..)| *tag == expected)?.2;
    }
    let (_, times, _) = element(fields).filter(|(tag, ..)| *tag == SEQUENCE)?;
    let (from_tag, from, rest) = element(times)?;
    let (until_tag, until, _) = element(rest)?;
    Some(Validity { from: moment(from_tag, from)?, until: moment(until_tag, until)? })
}

/// Tag, content and what follows of the first DER element.
fn element(bytes: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (tag, rest) = bytes.split_first()?;
    let (first, rest) = rest.split_first()?;
    let (length, rest) = match first {
        0..=0x7F => (usize::from(*first), rest),
        0x81..=0x83 => {
            let (length, rest) = rest.split_at_checked(usize::from(first & 0x7F))?;
            (length.iter().fold(0, |sum, byte| sum << 8 | usize::from(*byte)), rest)
        }
        _ => return None,
    };
    let (content, rest) = rest.split_at_checked(length)?;
    Some((*tag, content, rest))
}

/// `YYMMDDHHMMSSZ` (years 1950 to 2049) or `YYYYMMDDHHMMSSZ`.
fn moment(tag: u8, text: &[u8]) -> Option<Timestamp> {
    let digits = text.strip_suffix(b"Z").filter(|text| text.iter().all(u8::is_ascii_digit))?;
    let number = |part: &[u8]| part.iter().fold(0, |sum: u16, digit| sum * 10 + u16::from(digit - b'0'));
    let (year, rest) = match (tag, digits.len()) {
        (UTC_TIME, 12) => {
            let year = number(&digits[..2]);
            (if year < 50 { 2000 + year } else { 1900 + year }, &digits[2..])
        }
        (GENERALIZED_TIME, 14) => (number(&digits[..4]), &digits[4..]),
        _ => return None,
    };
    let part = |at: usize| u8::try_from(number(&rest[at..at + 2])).ok();
    let date = Date::from_calendar_date(i32::from(year), Month::try_from(part(0)?).ok()?, part(2)?).ok()?;
    let time = Time::from_hms(part(4)?, part(6)?, part(8)?).ok()?;
    let seconds = PrimitiveDateTime::new(date, time).assume_utc().unix_timestamp();
    Some(Timestamp(seconds * 1_000))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rcgen::{CertificateParams, KeyPair, date_time_ymd};

    fn made(from: (i32, u8, u8), until: (i32, u8, u8)) -> Vec<u8> {
        let mut params = CertificateParams::new(vec!["obhut.example".to_owned()]).expect("names");
        params.not_before = date_time_ymd(from.0, from.1, from.2);
        params.not_after = date_time_ymd(until.0, until.1, until.2);
        params.self_signed(&KeyPair::generate().expect("key")).expect("signed").der().to_vec()
    }

    #[test]
    fn both_forms_of_time_are_read() {
        let der = made((1999, 12, 31), (2051, 1, 2));
        let found = validity(&der).expect("read");
        // 1999-12-31 stands as UTCTime, 2051-01-02 as GeneralizedTime.
        assert_eq!(found.from, Timestamp(946_598_400_000));
        assert_eq!(found.until, Timestamp(2_556_230_400_000));
    }

    #[test]
    fn what_is_cut_or_bent_does_not_panic() {
        let der = made((2026, 1, 1), (2026, 3, 1));
        assert!(validity(&der).is_some());
        for end in 0..der.len() {
            assert!(validity(&der[..end]).is_none(), "cut at {end}");
        }
        let mut bent = der.clone();
        for at in 0..der.len().min(200) {
            for byte in [0, 0x7F, 0x80, 0x84, 0xFF] {
                bent[at] = byte;
                let _looked = validity(&bent);
            }
            bent[at] = der[at];
        }
    }
}
