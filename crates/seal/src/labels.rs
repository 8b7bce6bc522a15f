//! Every label that separates one use of a key, a digest or associated data from another.
//!
//! A label stands in front of fixed-length fields only. None is a prefix of another, so no two uses can ever
//! feed the same bytes to the same function. A new format version gets new labels.

/// A domain-separation label.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Label(&'static str);

impl Label {
    /// The bytes that go into the function.
    pub(crate) const fn bytes(self) -> &'static [u8] {
        self.0.as_bytes()
    }
}

macro_rules! labels {
    ($($(#[$doc:meta])* $name:ident = $text:literal;)*) => {
        $($(#[$doc])* pub(crate) const $name: Label = Label($text);)*

        /// All of them, for the test.
        #[cfg(test)]
        const ALL: &[Label] = &[$($name),*];
    };
}

labels! {
    /// Stored digest of an API key.
    API_KEY = "obhut/v1/api-key";
    /// HMAC input of a blind index.
    BLIND_INDEX = "obhut/v1/blind-index";
    /// Key and associated data of an escrow object.
    ESCROW = "obhut/v1/escrow";
    /// Digest over a whole region of a shred file or an escrow object, against torn writes.
    FILE_DIGEST = "obhut/v1/file-digest";
    /// What a form of a session carries.
    FORM_TOKEN = "obhut/v1/form-token";
    /// Associated data of an index key's wrap that hangs on an epoch as well.
    INDEX_EPOCH = "obhut/v1/index-epoch";
    /// Associated data of a wrapped index key.
    INDEX_KEY = "obhut/v1/index-key";
    /// Associated data of a principal's wrapped log secret.
    LOG_SECRET = "obhut/v1/log-secret";
    /// Associated data of the wrapped metadata key.
    METADATA_KEY = "obhut/v1/metadata-key";
    /// Associated data of a wrapped ledger period key.
    PERIOD_KEY = "obhut/v1/period-key";
    /// Associated data of a person's key bundle.
    PERSON_BUNDLE = "obhut/v1/person-bundle";
    /// Associated data of a person's wrapped log secret.
    PERSON_LOG = "obhut/v1/person-log";
    /// Key and associated data of a document that dies with its person.
    PERSON_DOCUMENT = "obhut/v1/person-document";
    /// Key and associated data of a record's outer envelope.
    RECORD_ENVELOPE = "obhut/v1/record-outer";
    /// Key and associated data of one value.
    RECORD_VALUE = "obhut/v1/record-value";
    /// HKDF info of the key that recognises a request of a person.
    REQUEST_MAC = "obhut/v1/request-mac";
    /// Key and associated data of a root file.
    ROOT_FILE = "obhut/v1/root-file";
    /// Begin of the root combiner's HKDF info and associated data; names its algorithms.
    ROOT_SUITE = "obhut/v1/rsa4096-oaep-sha256+ml-kem-768+aes-256-gcm";
    /// HKDF-Extract salt of the root's combiner.
    ROOT_WRAP = "obhut/v1/root-wrap";
    /// Stored digest of a session.
    SESSION = "obhut/v1/session";
    /// Key and associated data of a region of the shred file.
    SHRED_TABLE = "obhut/v1/shred-table";
    /// Stored digest of a sign-in link.
    SIGN_IN_LINK = "obhut/v1/sign-in-link";
    /// Key and associated data of the signing keys.
    SIGNING_KEYS = "obhut/v1/signing-keys";
    /// Key and associated data of a tenant's document.
    TENANT_DOCUMENT = "obhut/v1/tenant-document";
    /// Key of one part of an entry's identity layer. Short, so that its HMAC takes a block less.
    TRAIL_IDENTITY = "obhut/v1/identity";
    /// Key of an entry's metadata layer. Short for the same reason.
    TRAIL_METADATA = "obhut/v1/entry";
    /// HKDF info of the key that makes a person's pseudonym in one ledger period.
    TRAIL_SUBJECT = "obhut/v1/trail-subject";
    /// Associated data of a view token.
    VIEW_TOKEN = "obhut/v1/view-token";
    /// HKDF info of a wrapping key's subkey.
    WRAP_SUBKEY = "obhut/v1/wrap-subkey";
}

/// No label at all, for the published vectors of the functions that take one.
#[cfg(test)]
pub(crate) const NONE: Label = Label("");

#[cfg(test)]
mod tests {
    use super::*;

    /// The first pair of which one begins with the other.
    fn clash(labels: &[Label]) -> Option<(usize, usize)> {
        let all = 0..labels.len();
        all.clone()
            .flat_map(|a| all.clone().map(move |b| (a, b)))
            .find(|&(a, b)| a != b && labels[b].bytes().starts_with(labels[a].bytes()))
    }

    #[test]
    fn no_label_is_a_prefix_of_another() {
        assert_eq!(clash(ALL), None);
        assert!(ALL.iter().all(|label| label.0.starts_with("obhut/v1/")));
    }

    #[test]
    fn the_check_sees_prefixes_and_repetitions() {
        assert_eq!(clash(&[Label("ab"), Label("b"), Label("abc")]), Some((0, 2)));
        assert_eq!(clash(&[Label("ab"), Label("ab")]), Some((0, 1)));
    }
}
