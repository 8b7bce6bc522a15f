//! What goes into a submission, and what comes of it.

use crate::fault::Fault;
use crate::put::PutError;
use crate::trail::Actor;
use model::PersonId;
use model::catalogue::ValueError;
use model::decision::Reason;
use zeroize::Zeroizing;

/// Whose data are submitted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Whose {
    /// The person of this reference, who is here.
    Reference(String),
    /// The person of this reference, known or not. It must be written in the one way that the app writes it, since
    /// another spelling would make another person.
    Create(String),
    /// Somebody for whom the app has no reference yet.
    New,
}

/// What was typed.
pub struct NewSubmission {
    /// The rule that takes it: view tokens are bound to it.
    pub rule: String,
    /// The session: view tokens are bound to it.
    pub session: String,
    /// Whose data.
    pub whose: Whose,
    /// Field and value. An empty one takes the field's value away; a view token leaves it as it is.
    pub values: Vec<(String, Zeroizing<String>)>,
}

/// What goes to the app.
#[derive(Debug)]
pub struct Submitted {
    /// The submission; none when nothing in it is new.
    pub id: Option<PersonId>,
    /// One text for each value: a token, or nothing for nothing.
    pub texts: Vec<String>,
}

/// What became of a submission.
#[derive(Clone)]
pub enum Outcome {
    /// The app took it.
    Accepted {
        /// For somebody new, the reference that the app gave.
        reference: Option<String>,
        /// Who typed it, where only the app's answer told.
        by: Option<Actor>,
    },
    /// The app did not take it.
    Abandoned,
    /// Nobody knows.
    Unknown,
}

impl Outcome {
    /// The app took it; somebody new got this reference.
    #[must_use]
    pub fn accepted(reference: Option<&str>) -> Self {
        Self::Accepted { reference: reference.map(str::to_owned), by: None }
    }
}

/// Why a submission was not taken, or not committed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SubmitError {
    /// The decision refused it.
    #[error("not permitted")]
    Denied(Reason),
    /// A field that the catalogue does not know; which value, counted from 0.
    #[error("the field of value {0} is not in the catalogue")]
    UnknownField(usize),
    /// A value that its field does not accept.
    #[error("value {0} is not accepted by its field")]
    Value(usize, ValueError),
    /// A view token that is too old, or of another session, rule, field or person.
    #[error("a view token that does not belong here")]
    Stale,
    /// No reference, or one that is none.
    #[error("not a reference")]
    Reference,
    /// Too many values.
    #[error("too many values")]
    Size,
    /// Too many submissions wait.
    #[error("too many submissions wait")]
    Quota,
    /// The person is not here any more, or she is here already and was to be new.
    #[error("the person is not, or was not expected, here")]
    Person,
    /// A fault of the house.
    #[error(transparent)]
    Fault(#[from] Fault),
}

impl SubmitError {
    /// Whether a submission that was not committed for this reason never will be.
    pub(super) const fn is_final(self) -> bool {
        matches!(
            self,
            Self::Person | Self::Denied(_) | Self::Reference | Self::Stale | Self::Fault(Fault::Revoked)
        )
    }
}

impl From<store::StoreError> for SubmitError {
    fn from(error: store::StoreError) -> Self {
        Self::Fault(error.into())
    }
}

impl From<seal::SealError> for SubmitError {
    fn from(error: seal::SealError) -> Self {
        Self::Fault(error.into())
    }
}

impl From<PutError> for SubmitError {
    fn from(error: PutError) -> Self {
        match error {
            PutError::Denied(reason) => Self::Denied(reason),
            PutError::UnknownPerson => Self::Person,
            PutError::Reference => Self::Reference,
            PutError::Fault(fault) => Self::Fault(fault),
            _ => Self::Fault(Fault::Corrupt),
        }
    }
}
