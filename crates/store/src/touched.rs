//! Which persons were touched since some moment, without a look at the file.
//!
//! Each commit of the key store has a number. Before its plans are answered, the number is noted under every person
//! that they touch, and then becomes the present moment. Whoever took a [`Moment`] before a snapshot therefore knows of
//! a person under whom no later number stands: nothing that was acknowledged since, and that the snapshot does not show,
//! has touched her.

use model::PersonId;
use std::sync::atomic::{AtomicU64, Ordering};

/// Places for notes. Persons share them, so that a note can be somebody else's: never too few are found, now and then
/// one too many.
const PLACES: usize = 8_192;

/// How far the key store had come. See [`crate::Store::untouched_since`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Moment(u64);

/// The notes.
#[derive(Debug)]
pub(crate) struct Touched {
    now: AtomicU64,
    last: Vec<AtomicU64>,
}

impl Default for Touched {
    fn default() -> Self {
        Self { now: AtomicU64::new(0), last: (0..PLACES).map(|_| AtomicU64::new(0)).collect() }
    }
}

impl Touched {
    pub(crate) fn moment(&self) -> Moment {
        Moment(self.now.load(Ordering::Acquire))
    }

    pub(crate) fn untouched_since(&self, moment: Moment, person: PersonId) -> bool {
        self.place(person).load(Ordering::Acquire) <= moment.0
    }

    /// Notes what one commit touched. Called by the one thread that writes, after the commit and before any answer.
    pub(crate) fn note(&self, persons: impl Iterator<Item = PersonId>) {
        let number = self.now.load(Ordering::Relaxed) + 1;
        persons.for_each(|person| self.place(person).store(number, Ordering::Release));
        self.now.store(number, Ordering::Release);
    }

    fn place(&self, person: PersonId) -> &AtomicU64 {
        // The end of an id is random (the beginning is a time).
        let end = u16::from_le_bytes([person.0[14], person.0[15]]);
        &self.last[usize::from(end) % PLACES]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn person(end: u16) -> PersonId {
        let mut id = [7; 16];
        id[14..].copy_from_slice(&end.to_le_bytes());
        PersonId(id)
    }

    #[test]
    fn what_came_after_a_moment_is_noticed_and_what_came_before_is_not() {
        let touched = Touched::default();
        touched.note([person(1)].into_iter());
        let moment = touched.moment();
        assert!(touched.untouched_since(moment, person(1)) && touched.untouched_since(moment, person(2)));
        touched.note([person(2)].into_iter());
        assert!(touched.untouched_since(moment, person(1)));
        assert!(!touched.untouched_since(moment, person(2)));
        assert!(touched.untouched_since(touched.moment(), person(2)));
    }

    #[test]
    fn a_shared_place_says_too_much_and_never_too_little() {
        let touched = Touched::default();
        let moment = touched.moment();
        touched.note([person(3)].into_iter());
        let shared = u16::try_from(PLACES).expect("small") + 3;
        assert!(!touched.untouched_since(moment, person(shared)));
        touched.note([person(shared)].into_iter());
        assert!(!touched.untouched_since(moment, person(3)), "a later note covers an earlier one");
    }
}
