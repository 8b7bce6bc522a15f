//! What the gateway says to the vault, and what it hears: plain owned data, so that the two can be two processes.
//!
//! Everything that matters is decided on the other side: who may see a value, how many persons an answer may show, what
//! a submission becomes. The gateway knows no key.

use model::catalogue::{Category, TokenFormat};
use model::principal::Role;
use model::token::StorageToken;
use serde::{Deserialize, Serialize};
use std::pin::Pin;
use zeroize::Zeroizing;

/// Who looks or writes, as the gateway found out on the way that the route declares. Never from what a client says of
/// itself.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Viewer {
    /// Who vouches: the issuer of a checked token, or the app.
    pub issuer: String,
    /// The user's id there.
    pub subject: String,
    /// In which role.
    pub role: Role,
    /// For [`Role::Person`]: the app's reference of the person.
    pub person: Option<String>,
}

/// One field of the catalogue, as far as the gateway has to know it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldInfo {
    /// Its name.
    pub name: String,
    /// The shape of its tokens.
    pub format: TokenFormat,
    /// Its category.
    pub category: Category,
}

/// Which tokens an answer may show, for which purpose.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShowRule {
    /// The purpose.
    pub purpose: String,
    /// The recipient; none is the tenant itself.
    pub recipient: Option<String>,
    /// The fields.
    pub fields: Vec<String>,
    /// The reference of the only person whose tokens are shown, where the rule names one.
    pub person: Option<String>,
}

/// Tokens that stand in one answer.
#[derive(Clone, Debug)]
pub struct Ask {
    /// Who looks.
    pub viewer: Viewer,
    /// What may be shown. The first rule that lists a token's field decides.
    pub rules: Vec<ShowRule>,
    /// The tokens.
    pub tokens: Vec<StorageToken>,
    /// Where view tokens may stand for what is masked; none makes none.
    pub form: Option<FormPlace>,
    /// At most so many different persons are shown in this answer.
    pub persons_per_answer: u32,
    /// At most so many different persons are shown to this viewer within an hour.
    pub persons_per_hour: u32,
}

/// What a view token is bound to beside its person and field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FormPlace {
    /// The viewer's session, as the issuer names it.
    pub session: String,
    /// The rule on the way in that will take it.
    pub rule: String,
}

/// What stands in a token's place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Shown {
    /// The value.
    Clear(Zeroizing<String>),
    /// A transform of it, with the view token for a form where there is one.
    Partial(Zeroizing<String>, Option<String>),
    /// Nothing, with the view token for a form where there is one.
    Masked(Option<String>),
    /// There is nothing behind this token any more.
    Erased,
}

/// Whose data are submitted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Whose {
    /// The person of this reference, who is here.
    Reference(String),
    /// The person of this reference, known or not.
    Create(String),
    /// Somebody for whom the app has no reference yet.
    New,
}

/// Values that were typed.
#[derive(Clone, Debug)]
pub struct Submission {
    /// Who submits; none is nobody.
    pub viewer: Option<Viewer>,
    /// The rule.
    pub rule: String,
    /// The session, as in [`FormPlace`].
    pub session: String,
    /// Whose they are.
    pub whose: Whose,
    /// Field and what was typed.
    pub values: Vec<(String, Zeroizing<String>)>,
}

/// What goes to the app in their place.
#[derive(Clone, Debug)]
pub struct Submitted {
    /// Under this number the submission waits for the app's answer; none when nothing was submitted that is new.
    pub id: Option<[u8; 16]>,
    /// One text per value, in the same order.
    pub texts: Vec<String>,
}

/// What becomes of a submission.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The app took it; for somebody new, under this reference.
    Accepted(Option<String>),
    /// The app did not take it.
    Abandoned,
    /// Nobody knows; it waits until its term ends.
    Unknown,
}

/// Why the vault did not do what was asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RelayError {
    /// The house is sealed.
    #[error("the house is sealed")]
    Sealed,
    /// The house cannot at present.
    #[error("the house cannot answer at present")]
    Unavailable,
    /// A value that its field does not take; which, counted from 0.
    #[error("value {0} is not accepted by its field")]
    Value(usize),
    /// A token from a client.
    #[error("a token came from a client")]
    Token,
    /// A form that is too old, or another's.
    #[error("the form is too old or another's")]
    Stale,
    /// The person is not, or no longer, here, or may not be written.
    #[error("these data cannot be written")]
    Refused,
    /// Too many submissions wait already.
    #[error("too many submissions wait")]
    Quota,
    /// Somebody else changed the same person meanwhile.
    #[error("the data were changed meanwhile")]
    Conflict,
}

/// A future that a trait object can answer with.
pub type Answer<'a, T> = Pin<Box<dyn Future<Output = Result<T, RelayError>> + Send + 'a>>;

/// The vault, as the gateway needs it.
pub trait Relay: Send + Sync {
    /// The fields of the catalogue.
    fn fields(&self) -> Result<Vec<FieldInfo>, RelayError>;
    /// What stands in the place of each token.
    fn show(&self, ask: Ask) -> Answer<'_, Vec<Shown>>;
    /// Takes values provisionally.
    fn submit(&self, submission: Submission) -> Answer<'_, Submitted>;
    /// Says what became of a submission, and who typed it where that was not known before. When this returns, an accepted
    /// one is committed.
    fn settle(&self, id: [u8; 16], outcome: Outcome, viewer: Option<Viewer>) -> Answer<'_, ()>;
    /// The stable token of a value, to look somebody up by.
    fn stable(&self, field: &str, value: &Zeroizing<String>) -> Result<String, RelayError>;
}
