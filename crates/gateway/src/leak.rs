//! Looks for personal data where no rule expects them: e-mail addresses and account numbers (IBAN, ISO 13616). It finds
//! what has a form; a name has none.

/// How much of a body is looked at.
pub(crate) const LOOKED_AT: usize = 64 << 10;
/// Most that are counted in one body.
const MOST: u64 = 1_000;

/// What was found, and how many.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Leaks {
    pub(crate) emails: u64,
    pub(crate) accounts: u64,
}

/// Looks at the beginning of a body.
pub(crate) fn look(bytes: &[u8]) -> Leaks {
    let bytes = &bytes[..bytes.len().min(LOOKED_AT)];
    Leaks { emails: emails(bytes), accounts: accounts(bytes) }
}

fn emails(bytes: &[u8]) -> u64 {
    let mut count = 0;
    for at in memchr::memchr_iter(b'@', bytes) {
        let local = |byte: &u8| byte.is_ascii_alphanumeric() || b"._+-".contains(byte);
        let domain = |byte: &u8| byte.is_ascii_alphanumeric() || b".-".contains(byte);
        let before = bytes[..at].iter().rev().take(64).take_while(|byte| local(byte)).count();
        let after = bytes[at + 1..].iter().take(253).take_while(|byte| domain(byte)).count();
        let name = &bytes[at + 1..at + 1 + after];
        let dotted =
            name.iter().rposition(|byte| *byte == b'.').is_some_and(|dot| dot > 0 && name.len() - dot > 2);
        let ours = name.eq_ignore_ascii_case(b"token.invalid");
        if before > 0 && dotted && !ours {
            count += 1;
            if count == MOST {
                break;
            }
        }
    }
    count
}

fn accounts(bytes: &[u8]) -> u64 {
    let mut count = 0;
    let mut at = 0;
    while at + 15 <= bytes.len() && count < MOST {
        if let Some(length) = account_at(bytes, at) {
            count += 1;
            at += length;
            continue;
        }
        at += 1;
    }
    count
}

/// How long the account number is that begins here.
pub(crate) fn account_at(bytes: &[u8], at: usize) -> Option<usize> {
    let begins = bytes.len() >= at + 15
        && bytes[at].is_ascii_uppercase()
        && bytes[at + 1].is_ascii_uppercase()
        && bytes[at + 2].is_ascii_digit()
        && bytes[at + 3].is_ascii_digit()
        && (at == 0 || !bytes[at - 1].is_ascii_alphanumeric());
    let (length, text) = begins.then(|| compact(&bytes[at..]))?;
    is_iban(&text).then_some(length)
}

/// The letters and digits from here on, with single spaces between groups left out.
fn compact(bytes: &[u8]) -> (usize, Vec<u8>) {
    let (mut text, mut at) = (Vec::new(), 0);
    while let Some(&byte) = bytes.get(at) {
        if byte.is_ascii_digit() || byte.is_ascii_uppercase() {
            text.push(byte);
        } else if byte != b' ' || text.len() % 4 != 0 {
            break;
        }
        at += 1;
        if text.len() == 34 {
            break;
        }
    }
    (at, text)
}

/// The check of ISO 7064, modulo 97-10.
fn is_iban(text: &[u8]) -> bool {
    if !(15..=34).contains(&text.len()) {
        return false;
    }
    let turned = text[4..].iter().chain(&text[..4]);
    let rest = turned.fold(0_u32, |rest, byte| match byte {
        b'0'..=b'9' => (rest * 10 + u32::from(byte - b'0')) % 97,
        letter => (rest * 100 + u32::from(letter - b'A') + 10) % 97,
    });
    rest == 1
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn addresses_and_accounts_are_counted_and_tokens_are_not() {
        let page = b"<p>jana@werk.example, a.b+c@x-y.example.org</p> DE89 3704 0044 0532 0130 00 GB82WEST12345698765432 \
            obh_01234@token.invalid @mention user@localhost DE00370400440532013000";
        assert_eq!(look(page), Leaks { emails: 2, accounts: 2 });
    }

    proptest! {
        #[test]
        fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
            let _ = look(&bytes);
        }
    }
}
