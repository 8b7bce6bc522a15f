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
/// The person may take back at any time what she gave (GDPR Art. 7(3)), also when its term is over: a clock that is set
/// back must not bring it to life. What she refused or took back she may still give, without being asked again. What
/// was terminated or invalidated stays so; a new record begins anew.
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
        (Some(state), E::Show, Person) if !state.is_final() => Ok(state),
        (Some(S::Requested | S::Deferred), E::Defer, Person) => Ok(S::Deferred),
        (Some(S::Requested | S::Deferred | S::Refused | S::Withdrawn), E::Give, Person) => Ok(S::Given),
        (Some(S::Given | S::Renewed | S::Expired), E::Give, Person) => Ok(S::Renewed),
        (Some(S::Requested | S::Deferred), E::Refuse, Person) => Ok(S::Refused),
        (Some(S::Given | S::Renewed | S::Expired), E::Withdraw, Person) => Ok(S::Withdrawn),
        (Some(S::Given | S::Renewed), E::Expire, System) => Ok(S::Expired),
        (Some(state), E::Terminate, Controller) if !state.is_final() => Ok(S::Terminated),
        (Some(state), E::Invalidate, Controller) if state != S::Invalidated => Ok(S::Invalidated),
        _ => Err(ConsentStepError),
    }
}

/// Where a history leads, from its first event on; `None` for no events. What a record's row says must be this.
///
/// # Errors
/// [`ConsentStepError`] when one event could not follow the one before it.
pub fn project(
    events: impl IntoIterator<Item = (ConsentEvent, ConsentActor)>,
) -> Result<Option<ConsentState>, ConsentStepError> {
    events.into_iter().try_fold(None, |state, (event, actor)| next(state, event, actor).map(Some))
}

impl ConsentState {
    /// Whether no answer of the person can follow.
    fn is_final(self) -> bool {
        matches!(self, Self::Terminated | Self::Invalidated)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

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
    const EVENTS: [ConsentEvent; 9] = [
        ConsentEvent::Request,
        ConsentEvent::Show,
        ConsentEvent::Defer,
        ConsentEvent::Give,
        ConsentEvent::Refuse,
        ConsentEvent::Withdraw,
        ConsentEvent::Expire,
        ConsentEvent::Terminate,
        ConsentEvent::Invalidate,
    ];
    const ACTORS: [ConsentActor; 3] = [ConsentActor::Person, ConsentActor::Controller, ConsentActor::System];

    /// Rows: no record, then the states in their order. Columns: the events in their order, done by whom they belong
    /// to. A letter names the state that follows, a dot refuses.
    const TABLE: [&str; 10] = [
        // asks, shows, defers, gives, refuses, withdraws, expires, terminates, invalidates
        "R . . . . . . . .",
        ". R D G F . . T I", // Requested
        ". D D G F . . T I", // Deferred
        ". F . G . . . T I", // reFused
        ". G . N . W X T I", // Given
        ". N . N . W X T I", // reNewed
        ". W . G . . . T I", // Withdrawn
        ". X . N . W . T I", // eXpired
        ". . . . . . . . I", // Terminated
        ". . . . . . . . .", // Invalidated
    ];

    fn letter(state: ConsentState) -> &'static str {
        match state {
            ConsentState::Requested => "R",
            ConsentState::Deferred => "D",
            ConsentState::Refused => "F",
            ConsentState::Given => "G",
            ConsentState::Renewed => "N",
            ConsentState::Withdrawn => "W",
            ConsentState::Expired => "X",
            ConsentState::Terminated => "T",
            ConsentState::Invalidated => "I",
        }
    }

    fn belongs_to(event: ConsentEvent) -> ConsentActor {
        match event {
            ConsentEvent::Request | ConsentEvent::Terminate | ConsentEvent::Invalidate => {
                ConsentActor::Controller
            }
            ConsentEvent::Expire => ConsentActor::System,
            _ => ConsentActor::Person,
        }
    }

    #[test]
    fn every_step_is_the_one_of_the_table_and_of_nobody_else() {
        for (row, from) in std::iter::once(None).chain(STATES.map(Some)).enumerate() {
            for (event, said) in EVENTS.iter().zip(TABLE[row].split(' ')) {
                for actor in ACTORS {
                    let to = next(from, *event, actor).map_or(".", letter);
                    let expected = if actor == belongs_to(*event) { said } else { "." };
                    assert_eq!(to, expected, "{from:?} {event:?} {actor:?}");
                }
            }
        }
    }

    #[test]
    fn two_states_permit() {
        let permitting: Vec<ConsentState> = STATES.into_iter().filter(|state| state.permits()).collect();
        assert_eq!(permitting, [ConsentState::Given, ConsentState::Renewed]);
    }

    fn history() -> impl Strategy<Value = Vec<(ConsentEvent, ConsentActor)>> {
        let event = proptest::sample::select(EVENTS.to_vec());
        let step = (event, proptest::sample::select(ACTORS.to_vec()), 0_u8..4);
        let step =
            step.prop_map(|(event, actor, right)| (event, if right > 0 { belongs_to(event) } else { actor }));
        proptest::collection::vec(step, 0..12)
    }

    proptest! {
        #[test]
        fn whatever_happens_the_last_word_that_permits_is_the_persons(events in history()) {
            let mut taken = vec![(ConsentEvent::Request, ConsentActor::Controller)];
            let mut state = Some(ConsentState::Requested);
            for (event, actor) in events {
                if let Ok(to) = next(state, event, actor) {
                    state = Some(to);
                    taken.push((event, actor));
                }
            }
            prop_assert_eq!(project(taken.clone()), Ok(state));
            if state.is_some_and(ConsentState::permits) {
                let changing = taken.iter().rev().find(|(event, _)| *event != ConsentEvent::Show);
                prop_assert_eq!(changing, Some(&(ConsentEvent::Give, ConsentActor::Person)));
            }
        }

        #[test]
        fn what_is_over_stays_over(state in proptest::sample::select(STATES.to_vec()), until: i64, now: i64, later: i64) {
            let at = |moment| state.at(Some(Timestamp(until)), Timestamp(moment));
            let (now, later) = (now.min(later), now.max(later));
            prop_assert!(at(now).permits() || !at(later).permits());
            prop_assert_eq!(at(now).permits(), state.permits() && now < until);
            prop_assert_eq!(state.at(None, Timestamp(now)), state);
        }
    }

    #[test]
    fn a_history_with_a_hole_leads_nowhere() {
        use ConsentActor::{Controller, Person};
        let whole = [(ConsentEvent::Request, Controller), (ConsentEvent::Give, Person)];
        assert_eq!(project(whole), Ok(Some(ConsentState::Given)));
        assert_eq!(project(whole[1..].iter().copied()), Err(ConsentStepError));
        assert_eq!(project([]), Ok(None));
    }

    #[test]
    fn a_term_ends_at_its_very_end() {
        let end = Some(Timestamp(100));
        assert_eq!(ConsentState::Given.at(end, Timestamp(99)), ConsentState::Given);
        assert_eq!(ConsentState::Given.at(end, Timestamp(100)), ConsentState::Expired);
        assert_eq!(ConsentState::Withdrawn.at(end, Timestamp(100)), ConsentState::Withdrawn);
    }
}
