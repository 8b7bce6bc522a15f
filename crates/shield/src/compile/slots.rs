//! Names of `TX`: each name that stands in the rules has a place of its own, so that a score is an array's cell.

use std::collections::HashMap;

/// Place of a name of `TX`.
pub(crate) type Slot = u16;

/// All names that stand in the rules. The first ten are those of captured groups, `0` to `9`.
#[derive(Debug)]
pub(crate) struct Slots {
    names: Vec<Box<[u8]>>,
    places: HashMap<Box<[u8]>, Slot>,
}

impl Slots {
    pub(super) fn new() -> Self {
        let mut slots = Self { names: Vec::new(), places: HashMap::new() };
        for digit in b'0'..=b'9' {
            slots.place(&[digit]);
        }
        slots
    }

    /// The place of a name, new where it has none. `None` when there are more names than places.
    pub(super) fn place(&mut self, name: &[u8]) -> Option<Slot> {
        let name = name.to_ascii_lowercase();
        if let Some(&slot) = self.places.get(name.as_slice()) {
            return Some(slot);
        }
        let slot = Slot::try_from(self.names.len()).ok()?;
        self.names.push(name.clone().into());
        self.places.insert(name.into(), slot);
        Some(slot)
    }

    /// The place of a name that is put together while a request runs; in lower case.
    pub(crate) fn find(&self, name: &[u8]) -> Option<Slot> {
        self.places.get(name).copied()
    }

    pub(crate) fn name(&self, slot: Slot) -> &[u8] {
        self.names.get(usize::from(slot)).map_or(b"", |name| name)
    }

    pub(crate) fn len(&self) -> usize {
        self.names.len()
    }
}
