//! Where wrapped key bundles lie: in cells of fixed size that are made at the end of a table, are overwritten in
//! place, and are never deleted or moved.
//!
//! `secure_delete` alone is not enough. When SQLite rebuilds a page of a tree while rows are moved to a neighbour,
//! it leaves what stood in the gap; a row that was moved so and erased later leaves its old bytes in the file
//! (measured: some 4 in 1,000 rows that had grown). Here no row moves: a row whose key is the greatest goes to a
//! fresh page once the last one is full, an equal-sized record is overwritten where it stands, and interior pages
//! hold no cell. `tests/erasure.rs` searches the bytes.

use super::fault::Ended;
use super::statement::{change, execute, find};
use crate::error::Conflict;
use rusqlite::Connection;

/// Bytes of a cell by class. The first two hold the length of what lies in it.
const SIZES: [usize; 4] = [192, 256, 512, 1024];

/// Bits of a reference that name the class: room for eight.
const CLASS_BITS: u32 = 3;

/// The statements of one class.
struct Class {
    insert: &'static str,
    update: &'static str,
}

macro_rules! class {
    ($table:literal) => {
        Class {
            insert: concat!("INSERT INTO ", $table, " (slot, bytes) VALUES (NULL, ?1)"),
            update: concat!("UPDATE ", $table, " SET bytes = ?2 WHERE slot = ?1"),
        }
    };
}

const CLASSES: [Class; 4] =
    [class!("key_cell_192"), class!("key_cell_256"), class!("key_cell_512"), class!("key_cell_1024")];

/// The bytes of the cell that the column `cell` refers to.
macro_rules! cell_bytes {
    () => {
        "CASE cell & 7
           WHEN 0 THEN (SELECT bytes FROM key_cell_192 WHERE slot = cell >> 3)
           WHEN 1 THEN (SELECT bytes FROM key_cell_256 WHERE slot = cell >> 3)
           WHEN 2 THEN (SELECT bytes FROM key_cell_512 WHERE slot = cell >> 3)
           WHEN 3 THEN (SELECT bytes FROM key_cell_1024 WHERE slot = cell >> 3)
         END"
    };
}
pub(super) use cell_bytes;

/// Where a cell is: slot and class in one number, as it stands in its column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Cell(pub(super) i64);

impl Cell {
    fn class(self) -> Result<usize, Ended> {
        let class = usize::try_from(self.0 & ((1 << CLASS_BITS) - 1)).unwrap_or(usize::MAX);
        if class < SIZES.len() { Ok(class) } else { Err(Conflict::Constraint.into()) }
    }

    fn slot(self) -> i64 {
        self.0 >> CLASS_BITS
    }
}

/// Puts bytes into a free cell, or into a new one.
pub(super) fn take(on: &Connection, content: &[u8]) -> Result<Cell, Ended> {
    let class = class_for(content)?;
    let bytes = padded(class, content);
    let code = i64::try_from(class).unwrap_or(i64::MAX);
    let slot = match free_slot(on, code)? {
        Some(slot) => {
            write(on, class, slot, &bytes)?;
            slot
        }
        // The row's number from the connection: RETURNING would make SQLite open a journal for the statement.
        None => on.prepare_cached(CLASSES[class].insert)?.insert([&bytes])?,
    };
    Ok(Cell((slot << CLASS_BITS) | code))
}

/// Overwrites a cell; takes another one when the class changes.
pub(super) fn replace(on: &Connection, cell: Cell, content: &[u8]) -> Result<Cell, Ended> {
    let class = class_for(content)?;
    if class == cell.class()? {
        write(on, class, cell.slot(), &padded(class, content))?;
        return Ok(cell);
    }
    clear(on, cell)?;
    take(on, content)
}

/// Overwrites a cell with zeros and lets others have it.
pub(super) fn clear(on: &Connection, cell: Cell) -> Result<(), Ended> {
    let class = cell.class()?;
    write(on, class, cell.slot(), &vec![0; SIZES[class]])?;
    let code = i64::try_from(class).unwrap_or(i64::MAX);
    execute(on, "INSERT INTO free_cell (class, slot) VALUES (?1, ?2)", (code, cell.slot())).map(drop)
}

fn write(on: &Connection, class: usize, slot: i64, bytes: &[u8]) -> Result<(), Ended> {
    change(on, CLASSES[class].update, (slot, bytes), Conflict::Missing)
}

fn free_slot(on: &Connection, class: i64) -> Result<Option<i64>, Ended> {
    let free = "SELECT slot FROM free_cell WHERE class = ?1 ORDER BY slot LIMIT 1";
    let Some(slot) = find(on, free, [class], |row| row.get::<_, i64>(0))? else { return Ok(None) };
    execute(on, "DELETE FROM free_cell WHERE class = ?1 AND slot = ?2", (class, slot))?;
    Ok(Some(slot))
}

fn class_for(content: &[u8]) -> Result<usize, Ended> {
    SIZES.iter().position(|size| content.len() + 2 <= *size).ok_or(Conflict::Constraint.into())
}

fn padded(class: usize, content: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0; SIZES[class]];
    // Checked by `class_for`: at most 1,022.
    let length = u16::try_from(content.len()).unwrap_or(u16::MAX);
    bytes[..2].copy_from_slice(&length.to_be_bytes());
    bytes[2..2 + content.len()].copy_from_slice(content);
    bytes
}

/// What lies in the bytes of a cell.
pub(super) fn content(bytes: &[u8]) -> Option<&[u8]> {
    let (length, rest) = bytes.split_first_chunk::<2>()?;
    rest.get(..usize::from(u16::from_be_bytes(*length)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_goes_in_comes_out_in_the_smallest_class() {
        for (length, class) in
            [(0, 0), (190, 0), (191, 1), (254, 1), (255, 2), (510, 2), (511, 3), (1_022, 3)]
        {
            let bytes = vec![7; length];
            assert_eq!(class_for(&bytes), Ok(class));
            assert_eq!(content(&padded(class, &bytes)), Some(&bytes[..]));
        }
        assert_eq!(class_for(&[0; 1_023]), Err(Conflict::Constraint.into()));
    }

    #[test]
    fn a_cell_with_a_length_beyond_its_end_is_not_read() {
        assert_eq!(content(&[0, 3, 1, 2, 3]), Some(&[1, 2, 3][..]));
        assert_eq!(content(&[0, 4, 1, 2, 3]), None);
        assert_eq!(content(&[0]), None);
    }

    /// Why there are cells: shows what an ordinary table leaves. Should SQLite mend this one day, the test says so.
    #[test]
    fn an_ordinary_table_leaves_bytes_of_rows_that_moved() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("ordinary.db");
        let on = Connection::open(&path).unwrap();
        on.execute_batch(
            "PRAGMA secure_delete = ON;
             CREATE TABLE person (id BLOB PRIMARY KEY, wrapped BLOB) WITHOUT ROWID",
        )
        .unwrap();
        let order = |seed: u32| {
            let mut order: Vec<u32> = (0..3_000).collect();
            order.sort_by_key(|n| (n ^ seed).wrapping_mul(0x9e37_79b9).rotate_left(13));
            order
        };
        let wrap = |n: u32, length| [&n.to_be_bytes()[..], b"needle", &vec![7; length]].concat();
        on.execute_batch("BEGIN").unwrap();
        for n in order(1) {
            let insert = "INSERT INTO person VALUES (?1, ?2)";
            on.execute(insert, (n.to_be_bytes(), wrap(n, 150))).unwrap();
        }
        for (round, length) in [(2, 200), (3, 250)] {
            for n in order(round) {
                let update = "UPDATE person SET wrapped = ?2 WHERE id = ?1";
                on.execute(update, (n.to_be_bytes(), wrap(n, length))).unwrap();
            }
        }
        on.execute_batch("UPDATE person SET wrapped = NULL; COMMIT").unwrap();
        drop(on);
        let bytes = std::fs::read(&path).unwrap();
        let left = bytes.windows(6).filter(|window| window == b"needle").count();
        assert!(left > 0, "SQLite zeroes what it moves by now: cells could go");
    }
}
