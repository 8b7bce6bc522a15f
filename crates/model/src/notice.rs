//! Notices: the exact texts that a person is shown, in versions and languages. A text that was ever shown never
//! changes; a correction is a new version.

use crate::ids::NoticeId;
use crate::text::is_shown_as_stored;
use serde::{Deserialize, Serialize};

/// Largest text in bytes.
pub const MAX_TEXT: usize = 64 * 1024;
/// Most versions of a notice.
pub const MAX_VERSIONS: usize = 1_000;
/// Most languages of a version.
pub const MAX_LANGUAGES: usize = 50;

/// A notice.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notice {
    /// Its id.
    pub id: NoticeId,
    /// Its name in the API.
    pub name: String,
    /// Its versions; the first is version 1.
    pub versions: Vec<NoticeVersion>,
}

/// One version of a notice in all its languages.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NoticeVersion {
    /// The texts.
    pub texts: Vec<NoticeText>,
}

/// One text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NoticeText {
    /// Language tag (BCP 47), such as `de` or `en`.
    pub language: String,
    /// The text, byte for byte as it is shown.
    pub text: String,
}

/// Why a notice is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NoticeError {
    /// An unusable name.
    #[error("the notice has an unusable name")]
    Name,
    /// No version or too many.
    #[error("the notice has no version or too many")]
    Versions,
    /// No language, too many, a repeated one, or not a language tag.
    #[error("a version has no, too many, repeated or malformed languages")]
    Languages,
    /// A text that is empty or too large, or holds what makes a screen show something else than what is stored: control
    /// characters other than line breaks and tabs, or explicit directions of UAX #9. What a person agrees to is the bytes.
    #[error("a text is empty, too large, or holds control characters")]
    Text,
    /// A version that exists would change.
    #[error("a version that exists would change")]
    Changed,
}

impl Notice {
    /// Checks form and limits.
    ///
    /// # Errors
    /// What is wrong first.
    pub fn validate(&self) -> Result<(), NoticeError> {
        if !crate::catalogue::is_name(&self.name) {
            return Err(NoticeError::Name);
        }
        if self.versions.is_empty() || self.versions.len() > MAX_VERSIONS {
            return Err(NoticeError::Versions);
        }
        self.versions.iter().try_for_each(NoticeVersion::validate)
    }

    /// Takes further versions from `newer`, which must begin with all versions that exist here, byte for byte.
    ///
    /// # Errors
    /// [`NoticeError::Changed`] when one of them differs or is missing.
    pub fn extend_with(&mut self, newer: &Self) -> Result<(), NoticeError> {
        let known = self.versions.len();
        if newer.versions.len() < known || newer.versions[..known] != self.versions[..] {
            return Err(NoticeError::Changed);
        }
        self.name.clone_from(&newer.name);
        self.versions.extend_from_slice(&newer.versions[known..]);
        Ok(())
    }

    /// The number of the latest version, from 1 on.
    #[must_use]
    pub fn latest_version(&self) -> u32 {
        u32::try_from(self.versions.len()).unwrap_or(u32::MAX)
    }

    /// The text of a version in a language.
    #[must_use]
    pub fn text(&self, version: u32, language: &str) -> Option<&str> {
        let version = self.versions.get(usize::try_from(version).ok()?.checked_sub(1)?)?;
        let found = version.texts.iter().find(|text| text.language == language);
        found.map(|text| text.text.as_str())
    }
}

impl NoticeVersion {
    fn validate(&self) -> Result<(), NoticeError> {
        if self.texts.is_empty() || self.texts.len() > MAX_LANGUAGES {
            return Err(NoticeError::Languages);
        }
        for (index, text) in self.texts.iter().enumerate() {
            let same = |other: &NoticeText| other.language.eq_ignore_ascii_case(&text.language);
            if !is_language(&text.language) || self.texts[..index].iter().any(same) {
                return Err(NoticeError::Languages);
            }
            if text.text.is_empty() || text.text.len() > MAX_TEXT || !is_shown_as_stored(&text.text) {
                return Err(NoticeError::Text);
            }
        }
        Ok(())
    }
}

/// The outer form of a language tag (RFC 5646 §2.1): 2 to 35 bytes, parts of 1 to 8 letters and digits, the first of
/// letters alone.
fn is_language(tag: &str) -> bool {
    let part =
        |part: &str| (1..=8).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_alphanumeric());
    let first = tag.split('-').next().unwrap_or_default();
    (2..=35).contains(&tag.len())
        && first.len() >= 2
        && first.bytes().all(|byte| byte.is_ascii_alphabetic())
        && tag.split('-').all(part)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn version(text: &str) -> NoticeVersion {
        NoticeVersion { texts: vec![NoticeText { language: "de".into(), text: text.into() }] }
    }

    #[test]
    fn what_was_shown_never_changes() {
        let id = NoticeId([1; 16]);
        let mut notice = Notice { id, name: "bem".into(), versions: vec![version("eins")] };
        let changed = Notice { versions: vec![version("EINS"), version("zwei")], ..notice.clone() };
        assert_eq!(notice.extend_with(&changed), Err(NoticeError::Changed));
        let newer = Notice { versions: vec![version("eins"), version("zwei")], ..notice.clone() };
        assert_eq!(notice.extend_with(&newer), Ok(()));
        assert_eq!((notice.text(1, "de"), notice.text(2, "de")), (Some("eins"), Some("zwei")));
        assert_eq!((notice.text(0, "de"), notice.text(3, "de"), notice.text(1, "en")), (None, None, None));
    }
}
