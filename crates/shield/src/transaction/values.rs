//! Values of one transaction: each distinct one is kept once, transformed once and sifted once.

use crate::compile::ir::{Chain, Step};
use crate::pattern::{Scanner, Scratch};
use crate::transform::Transformation;
use crate::{ByteSet, Engine};
use std::collections::HashMap;
use std::hash::{BuildHasher, BuildHasherDefault, Hasher};

/// Number of a value.
pub(crate) type ValueId = u32;

/// The empty value: always the first.
pub(crate) const EMPTY: ValueId = 0;

const NONE: u32 = u32::MAX;
const STEPS: usize = Transformation::ALL.len();

#[derive(Clone, Copy)]
struct Value {
    start: u32,
    end: u32,
    bytes: ByteSet,
    /// Where its transformed values are noted, by transformation.
    steps: u32,
    /// Where the patterns that it may match are noted: for the request's scanner and the answer's.
    candidates: [u32; 2],
    /// Another value that is the same but for the case of letters, if one is known.
    like: ValueId,
}

/// What is looked for in a value.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Request,
    Response,
}

/// Bytes of all values of one transaction, transformed ones included.
const MOST_BYTES: usize = 128 << 20;

/// The key is a hash already.
#[derive(Default)]
pub(super) struct Through(u64);

impl Hasher for Through {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(byte);
        }
    }

    fn write_u64(&mut self, hash: u64) {
        self.0 = hash;
    }
}

/// All values of a transaction, in one buffer.
pub(crate) struct Values {
    arena: Vec<u8>,
    list: Vec<Value>,
    known: HashMap<u64, ValueId, BuildHasherDefault<Through>>,
    hasher: foldhash::fast::FixedState,
    steps: Vec<u32>,
    candidates: Vec<u64>,
    transformed: Vec<u8>,
    scratch: Scratch,
    full: bool,
}

impl Default for Values {
    fn default() -> Self {
        let mut values = Self {
            arena: Vec::new(),
            list: Vec::new(),
            known: HashMap::default(),
            hasher: foldhash::fast::FixedState::default(),
            steps: Vec::new(),
            candidates: Vec::new(),
            transformed: Vec::new(),
            scratch: Scratch::default(),
            full: false,
        };
        values.clear();
        values
    }
}

impl Values {
    /// Forgets all values; keeps memory for the next transaction, within reason.
    pub(super) fn clear(&mut self) {
        const KEEP: usize = 256 * 1024;
        if self.arena.capacity() > KEEP {
            self.arena = Vec::new();
            self.transformed = Vec::new();
        }
        if self.list.capacity() > 8_192 {
            self.list = Vec::new();
            self.known = HashMap::default();
            self.steps = Vec::new();
            self.candidates = Vec::new();
        }
        self.arena.clear();
        self.list.clear();
        self.known.clear();
        self.steps.clear();
        self.candidates.clear();
        self.transformed.clear();
        self.full = false;
        self.intern(b"");
    }

    /// Whether a value found no place. What is decided after that is decided on less than was sent.
    pub(super) fn is_full(&self) -> bool {
        self.full
    }

    pub(crate) fn get(&self, id: ValueId) -> &[u8] {
        self.list.get(id as usize).map_or(b"", |value| &self.arena[value.start as usize..value.end as usize])
    }

    pub(super) fn bytes_of(&self, id: ValueId) -> ByteSet {
        self.list.get(id as usize).map_or(ByteSet::EMPTY, |value| value.bytes)
    }

    /// The number of a value, the same for the same bytes.
    pub(crate) fn intern(&mut self, bytes: &[u8]) -> ValueId {
        let hash = self.hasher.hash_one(bytes);
        if let Some(&known) = self.known.get(&hash)
            && self.get(known) == bytes
        {
            return known;
        }
        let end = self.arena.len() + bytes.len();
        let (Ok(start), Ok(id), Ok(until)) =
            (u32::try_from(self.arena.len()), ValueId::try_from(self.list.len()), u32::try_from(end))
        else {
            self.full = true;
            return EMPTY;
        };
        if end > MOST_BYTES {
            self.full = true;
            return EMPTY;
        }
        self.arena.extend_from_slice(bytes);
        self.list.push(Value {
            start,
            end: until,
            bytes: ByteSet::of(bytes),
            steps: NONE,
            candidates: [NONE; 2],
            like: NONE,
        });
        self.known.insert(hash, id);
        id
    }

    /// The value after all transformations of a list.
    pub(super) fn transform(&mut self, id: ValueId, chain: &Chain) -> ValueId {
        if !chain.always && !self.bytes_of(id).meets(chain.triggers) {
            return id;
        }
        chain.steps.iter().fold(id, |id, step| self.step(id, step))
    }

    /// The value after one transformation.
    pub(super) fn step(&mut self, id: ValueId, step: &Step) -> ValueId {
        let Some(value) = self.list.get(id as usize).copied() else { return id };
        if !step.always && !value.bytes.meets(step.triggers) {
            return id;
        }
        let index = step.transformation as usize;
        if value.steps != NONE {
            let known = self.steps[value.steps as usize + index];
            if known != NONE {
                return known;
            }
        }
        let mut transformed = std::mem::take(&mut self.transformed);
        transformed.clear();
        let after = if step.transformation.apply(self.get(id), &mut transformed) {
            self.intern(&transformed)
        } else {
            id
        };
        self.transformed = transformed;
        let offset = if value.steps == NONE {
            let offset = self.steps.len();
            self.steps.resize(offset + STEPS, NONE);
            self.list[id as usize].steps = u32::try_from(offset).unwrap_or(NONE);
            offset
        } else {
            value.steps as usize
        };
        self.steps[offset + index] = after;
        if matches!(step.transformation, Transformation::Lowercase | Transformation::Uppercase) {
            for (value, like) in [(id, after), (after, id)] {
                self.list[value as usize].like = like;
            }
        }
        after
    }

    /// The candidates of a value that is the same but for the case of letters, where they are known and the same: signs are
    /// found in either case.
    fn shared(&self, engine: &Engine, value: &Value, kind: Kind) -> Option<u32> {
        let like = self.list.get(value.like as usize)?;
        let known = like.candidates[kind as usize];
        (known != NONE && !scanner(engine, kind).tells_apart(value.bytes, like.bytes)).then_some(known)
    }

    /// The set of patterns that a value may match, one bit each.
    pub(super) fn candidates(&mut self, engine: &Engine, id: ValueId, kind: Kind) -> &[u64] {
        let words = engine.words();
        let Some(value) = self.list.get(id as usize).copied() else { return &[] };
        let known = match value.candidates[kind as usize] {
            NONE => self.shared(engine, &value, kind),
            known => Some(known),
        };
        let offset = known.unwrap_or_else(|| u32::try_from(self.candidates.len()).unwrap_or(NONE));
        self.list[id as usize].candidates[kind as usize] = offset;
        let offset = offset as usize;
        if known.is_none() {
            self.candidates.resize(offset + words, 0);
            let bytes = &self.arena[value.start as usize..value.end as usize];
            let candidates = &mut self.candidates[offset..];
            scanner(engine, kind).scan(bytes, value.bytes, &mut self.scratch, candidates);
        }
        &self.candidates[offset..offset + words]
    }
}

fn scanner(engine: &Engine, kind: Kind) -> &Scanner {
    match kind {
        Kind::Request => &engine.request_scanner,
        Kind::Response => &engine.response_scanner,
    }
}
