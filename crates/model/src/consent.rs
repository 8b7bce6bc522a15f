//! The states of a consent record (ISO/IEC TS 27560, W3C DPV) and how one leads to another.

use crate::clock::Timestamp;
use serde::{Deserialize, Serialize};

/// Where a consent record stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[repr(u8)]
pub enum ConsentState {
    /// Asked for, not yet answered.
    Requested = 1,
    /// The person wants to decide later.
    Deferred = 2,
    /// The person said no.
    Refused = 3,
    /// The person said yes. Permits.
    Given = 4,
    /// The person said yes again. Permits.
    Renewed = 5,
    /// The person took it back.
    Withdrawn = 6,
    /// Its term is over.
    Expired = 7,
    /// The controller ended it.
    Terminated = 8,
    /// Found not to have been valid.
    Invalidated = 9,
}

impl ConsentState {
    /// Whether this state permits. Only these two do.
    #[must_use]
    pub fn permits(self) -> bool {
        matches!(self, Self::Given | Self::Renewed)
    }

    /// The state at a moment: a term that is over counts as expired from its very end on, whether or not a job has
    /// written it down yet.
    #[must_use]
    pub fn at(self, until: Option<Timestamp>, now: Timestamp) -> Self {
        if self.permits() && until.is_some_and(|until| until <= now) { Self::Expired } else { self }
    }
}

/// What happens to a consent record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[repr(u8)]
pub enum ConsentEvent {
    /// The controller asks.
    Request = 1,
    /// The notice is shown.
    Show = 2,
    /// The person wants to decide later.
    Defer = 3,
    /// The person says yes, to a record that permits already: again.
    Give = 4,
    /// The person says no.
    Refuse = 5,
    /// The person takes it back.
    Withdraw = 6,
    /// The term is over.
    Expire = 7,
    /// The controller ends it.
    Terminate = 8,
    /// It is found not to have been valid.
    Invalidate = 9,
}

/// Who makes it happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConsentActor {
    /// The data subject, or who acts for her.
    Person,
    /// The controller and its staff.
    Controller,
    /// The house, by the clock.
    System,
}

/// The step is not possible from here, or not for this actor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the consent record does not allow this step")]
pub struct ConsentStepError;

/// Where an event leads. `None` is a record that does not exist yet. Only the person can be shown a notice, give,
/// refuse, defer or withdraw; only the controller asks, terminates and invalidates; only the clock expires.
///
/// # Errors
/// [`ConsentStepError`] for every other combination.
pub fn next(
    from: Option<ConsentState>,
    event: ConsentEvent,
    actor: ConsentActor,
) -> Result<ConsentState, ConsentStepError> {
    use ConsentActor::{Controller, Person, System};
    use ConsentEvent as E;
    use ConsentState as S;
    match (from, event, actor) {
        (None, E::Request, Controller) => Ok(S::Requested),
        (Some(state), E::Show, Person) if state.is_open() || state.permits() || state == S::Expired => {
            Ok(state)
        }
        (Some(S::Requested | S::Deferred), E::Defer, Person) => Ok(S::Deferred),
        (Some(S::Requested | S::Deferred | S::Refused | S::Withdrawn), E::Give, Person) => Ok(S::Given),
        (Some(S::Given | S::Renewed | S::Expired), E::Give, Person) => Ok(S::Renewed),
        (Some(S::Requested | S::Deferred), E::Refuse, Person) => Ok(S::Refused),
        (Some(S::Given | S::Renewed), E::Withdraw, Person) => Ok(S::Withdrawn),
        (Some(S::Given | S::Renewed), E::Expire, System) => Ok(S::Expired),
        (Some(state), E::Terminate, Controller) if state.is_open() || state.permits() => Ok(S::Terminated),
        (Some(state), E::Invalidate, Controller) if state != S::Invalidated => Ok(S::Invalidated),
        _ => Err(ConsentStepError),
    }
}

impl ConsentState {
    /// Whether the person may still answer: asked, put off, or changed her mind later on.
    fn is_open(self) -> bool {
        matches!(self, Self::Requested | Self::Deferred | Self::Refused | Self::Withdrawn)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_but_the_person_reaches_a_state_that_permits() {
        use ConsentEvent::{Defer, Expire, Give, Invalidate, Refuse, Request, Show, Terminate, Withdraw};
        let events = [Request, Show, Defer, Give, Refuse, Withdraw, Expire, Terminate, Invalidate];
        let mut reached = 0;
        for number in 0..=9_u8 {
            let from = STATES.iter().copied().find(|state| *state as u8 == number);
            for event in events {
                for actor in [ConsentActor::Person, ConsentActor::Controller, ConsentActor::System] {
                    let Ok(to) = next(from, event, actor) else { continue };
                    if to.permits() && !from.is_some_and(ConsentState::permits) {
                        assert_eq!((event, actor), (Give, ConsentActor::Person));
                        reached += 1;
                    }
                }
            }
        }
        assert!(reached > 0, "the person herself does reach it");
    }

    const STATES: [ConsentState; 9] = [
        ConsentState::Requested,
        ConsentState::Deferred,
        ConsentState::Refused,
        ConsentState::Given,
        ConsentState::Renewed,
        ConsentState::Withdrawn,
        ConsentState::Expired,
        ConsentState::Terminated,
        ConsentState::Invalidated,
    ];

    #[test]
    fn a_term_ends_at_its_very_end() {
        let end = Some(Timestamp(100));
        assert_eq!(ConsentState::Given.at(end, Timestamp(99)), ConsentState::Given);
        assert_eq!(ConsentState::Given.at(end, Timestamp(100)), ConsentState::Expired);
        assert_eq!(ConsentState::Withdrawn.at(end, Timestamp(100)), ConsentState::Withdrawn);
    }
}
