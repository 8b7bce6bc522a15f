//! Typed ids. An id is 48 bits of creation time (ms) and 80 random bits, so that tables grow at their end;
//! its text form is a prefix, `_`, and 26 characters of lower-case Crockford base32 without check.

use crate::clock::{Clock, Entropy};
use data_encoding::{Encoding, Specification};
use serde::{Deserialize, Serialize};
use std::sync::OnceLock;

/// Why a text is not an id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum IdError {
    /// The text does not begin with the prefix of this kind of id.
    #[error("wrong prefix")]
    Prefix,
    /// The part after the prefix is not 26 characters of the alphabet in canonical form.
    #[error("not 26 base32 characters")]
    Encoding,
}

/// Crockford's alphabet in lower case, most significant bit first, canonical (trailing bits are zero).
pub(crate) fn base32() -> &'static Encoding {
    static ENCODING: OnceLock<Encoding> = OnceLock::new();
    ENCODING.get_or_init(|| {
        let mut spec = Specification::new();
        spec.symbols.push_str("0123456789abcdefghjkmnpqrstvwxyz");
        #[expect(clippy::expect_used, reason = "a constant specification, covered by a test")]
        spec.encoding().expect("the alphabet is valid")
    })
}

/// 16 bytes: 6 of time in ms, 10 random.
fn fresh(clock: &dyn Clock, entropy: &dyn Entropy) -> [u8; 16] {
    let mut bytes = [0; 16];
    bytes[..6].copy_from_slice(&clock.now().0.to_be_bytes()[2..]);
    entropy.fill(&mut bytes[6..]);
    bytes
}

fn parse(text: &str, prefix: &str) -> Result<[u8; 16], IdError> {
    let body = text.strip_prefix(prefix).and_then(|rest| rest.strip_prefix('_')).ok_or(IdError::Prefix)?;
    if body.len() != 26 {
        return Err(IdError::Encoding);
    }
    let bytes = base32().decode(body.as_bytes()).map_err(|_| IdError::Encoding)?;
    bytes.try_into().map_err(|_| IdError::Encoding)
}

macro_rules! id {
    ($(#[$doc:meta])* $name:ident, $prefix:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub [u8; 16]);

        impl $name {
            /// The text prefix of this kind of id.
            pub const PREFIX: &'static str = $prefix;

            /// A fresh id: time-ordered, 80 random bits.
            pub fn fresh(clock: &dyn Clock, entropy: &dyn Entropy) -> Self {
                Self(fresh(clock, entropy))
            }

            /// The 16 bytes as stored.
            #[must_use]
            pub fn as_bytes(&self) -> &[u8; 16] {
                &self.0
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                write!(f, concat!($prefix, "_{}"), base32().encode(&self.0))
            }
        }

        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                write!(f, "{self}")
            }
        }

        impl std::str::FromStr for $name {
            type Err = IdError;
            fn from_str(text: &str) -> Result<Self, IdError> {
                parse(text, $prefix).map(Self)
            }
        }

        impl Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
                if to.is_human_readable() { to.collect_str(self) } else { self.0.serialize(to) }
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                if from.is_human_readable() {
                    let text = std::borrow::Cow::<'de, str>::deserialize(from)?;
                    text.parse().map_err(serde::de::Error::custom)
                } else {
                    <[u8; 16]>::deserialize(from).map(Self)
                }
            }
        }
    };
}

id!(/// A customer organisation, usually the controller.
    TenantId, "ten");
id!(/// A data subject. Says nothing about the person but when the entry was made.
    PersonId, "per");
id!(/// Who acts: a service, a member of staff, a person, the system.
    PrincipalId, "pri");
id!(/// One consent record: one person, one purpose, one recipient.
    ConsentId, "con");
id!(/// One notice: a text in its versions and languages.
    NoticeId, "not");
id!(/// One request to the API, the same in the answer, the log line and the ledger.
    RequestId, "req");
id!(/// One deletion certificate.
    CertificateId, "crt");

macro_rules! number {
    ($(#[$doc:meta])* $name:ident($inner:ty)) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub $inner);
    };
}

number!(/// A field of a tenant's catalogue. Numbers stand in tables, names only inside sealed documents.
    FieldId(u16));
number!(/// A purpose of a tenant.
    PurposeId(u16));
number!(/// A recipient of a tenant (GDPR Art. 4(9)). 0 is the tenant itself.
    RecipientId(u16));
number!(/// Fields that live and die together share a compartment, and its key. 0 is the default one; at most 16.
    Compartment(u8));

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn text_round_trips(bytes: [u8; 16]) {
            let id = PersonId(bytes);
            prop_assert_eq!(id.to_string().parse::<PersonId>(), Ok(id));
            prop_assert_eq!(id.to_string().parse::<TenantId>(), Err(IdError::Prefix));
        }

        #[test]
        fn no_text_panics_and_each_accepted_text_is_canonical(text in "(per_)?[0-9a-zA-Z]{0,30}") {
            if let Ok(id) = text.parse::<PersonId>() {
                prop_assert_eq!(id.to_string(), text);
            }
        }
    }

    #[test]
    fn order_follows_time() {
        struct At(i64);
        impl Clock for At {
            fn now(&self) -> crate::Timestamp {
                crate::Timestamp(self.0)
            }
        }
        struct Ones;
        impl Entropy for Ones {
            fn fill(&self, into: &mut [u8]) {
                into.fill(1);
            }
        }
        assert!(PersonId::fresh(&At(1), &Ones) < PersonId::fresh(&At(2), &Ones));
    }
}
