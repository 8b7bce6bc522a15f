//! `TX`: the variables of a transaction.

use crate::Engine;
use crate::compile::ir::Piece;
use crate::operator::number;
use std::collections::BTreeMap;

/// What a variable holds.
#[derive(Clone, Debug, PartialEq, Default)]
pub(crate) enum Held {
    /// Nothing: it is not set.
    #[default]
    Unset,
    /// A number.
    Number(i64),
    /// A text that stands in the rules, by its number.
    Constant(u32),
    /// A text.
    Text(Vec<u8>),
}

/// Texts that stand in the rules and are set as they are: most transactions set the same few, some of them long.
#[derive(Debug, Default)]
pub(crate) struct Constants(Vec<(Box<[u8]>, i64)>);

impl Constants {
    /// A text of the rules.
    pub(crate) fn add(&mut self, text: &[u8]) -> Option<u32> {
        let index = u32::try_from(self.0.len()).ok()?;
        self.0.push((text.into(), number(text)));
        Some(index)
    }

    fn text(&self, index: u32) -> &[u8] {
        self.0.get(index as usize).map_or(b"", |(text, _)| text)
    }

    fn number(&self, index: u32) -> i64 {
        self.0.get(index as usize).map_or(0, |(_, number)| *number)
    }
}

impl Held {
    pub(crate) fn is_set(&self) -> bool {
        !matches!(self, Self::Unset)
    }

    /// The same, without the rules it may come from: for what outlives them.
    pub(crate) fn owned(self, constants: &Constants) -> Self {
        match self {
            Self::Constant(index) => Self::Text(constants.text(index).to_vec()),
            other => other,
        }
    }

    /// As a number; a text that is none counts as 0.
    pub(crate) fn number(&self, constants: &Constants) -> i64 {
        match self {
            Self::Unset => 0,
            Self::Number(number) => *number,
            Self::Constant(index) => constants.number(*index),
            Self::Text(text) => number(text),
        }
    }

    pub(crate) fn write(&self, constants: &Constants, out: &mut Vec<u8>) {
        match self {
            Self::Unset => {}
            Self::Number(number) => write_number(out, *number),
            Self::Constant(index) => out.extend_from_slice(constants.text(*index)),
            Self::Text(text) => out.extend_from_slice(text),
        }
    }
}

/// Appends a number in decimal.
pub(crate) fn write_number(out: &mut Vec<u8>, number: i64) {
    let mut digits = [0_u8; 20];
    let mut at = digits.len();
    let mut rest = number.unsigned_abs();
    loop {
        at -= 1;
        digits[at] = b'0' + u8::try_from(rest % 10).unwrap_or(0);
        rest /= 10;
        if rest == 0 {
            break;
        }
    }
    if number < 0 {
        out.push(b'-');
    }
    out.extend_from_slice(&digits[at..]);
}

/// The variables: those that the rules name, and those whose names were put together.
#[derive(Default)]
pub(crate) struct Tx {
    slots: Vec<Held>,
    others: Vec<(Vec<u8>, Held)>,
    full: bool,
    /// Where each of the others is.
    places: BTreeMap<Vec<u8>, usize>,
}

/// How many variables with names of their own a transaction may make.
const MOST_OTHERS: usize = 4_096;

impl Tx {
    pub(super) fn clear(&mut self, engine: &Engine) {
        self.slots.clear();
        self.slots.resize(engine.slots.len(), Held::Unset);
        self.others.clear();
        self.places.clear();
        self.full = false;
    }

    /// Whether a variable found no place. Rules that would have read it decide on less than was sent.
    pub(super) fn is_full(&self) -> bool {
        self.full
    }

    pub(crate) fn get(&self, slot: u16) -> &Held {
        self.slots.get(usize::from(slot)).unwrap_or(&Held::Unset)
    }

    pub(super) fn slot(&mut self, slot: u16) -> Option<&mut Held> {
        self.slots.get_mut(usize::from(slot))
    }

    /// By a name in lower case.
    pub(crate) fn named<'a>(&'a self, engine: &Engine, name: &[u8]) -> &'a Held {
        match engine.slots.find(name) {
            Some(slot) => self.get(slot),
            None => {
                let other = self.places.get(name).and_then(|at| self.others.get(*at));
                other.map_or(&Held::Unset, |(_, held)| held)
            }
        }
    }

    /// By a name in lower case, new where it is not there yet; `None` when there are too many.
    pub(super) fn named_mut(&mut self, engine: &Engine, name: &[u8]) -> Option<&mut Held> {
        if let Some(slot) = engine.slots.find(name) {
            return self.slot(slot);
        }
        let at = match self.places.get(name) {
            Some(&at) => at,
            None if self.others.len() < MOST_OTHERS => {
                let at = self.others.len();
                self.others.push((name.to_vec(), Held::Unset));
                self.places.insert(name.to_vec(), at);
                at
            }
            None => {
                self.full = true;
                return None;
            }
        };
        self.others.get_mut(at).map(|(_, held)| held)
    }

    /// All that are set, by name.
    pub(crate) fn all<'a>(&'a self, engine: &'a Engine) -> impl Iterator<Item = (&'a [u8], &'a Held)> {
        let slots = self.slots.iter().zip(0_u16..).map(|(held, slot)| (engine.slots.name(slot), held));
        slots
            .chain(self.others.iter().map(|(name, held)| (name.as_slice(), held)))
            .filter(|(_, held)| held.is_set())
    }

    /// The number that a text is, when it is one variable.
    pub(super) fn number_of(&self, engine: &Engine, pieces: &[Piece]) -> Option<i64> {
        match pieces {
            [Piece::Slot(slot)] => Some(self.get(*slot).number(&engine.constants)),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_as_they_are() {
        for number in [0, 7, -7, 10, 4_290, i64::MAX, i64::MIN] {
            let mut out = Vec::new();
            write_number(&mut out, number);
            assert_eq!(String::from_utf8(out).unwrap(), number.to_string());
        }
    }
}
