//! The files of counts. While an hour lasts, what each few seconds added stands in the file of the hour, line by line; when it
//! is over, its sum is one line in the file of its day. A start adds up what stands in the files of hours that have no such
//! line yet, so a crash loses the last seconds and nothing else.

use super::lines;
use super::tally::{HOURS, MINUTES, Tallies, Written, day_of};
use std::collections::BTreeSet;
use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// Longest file of an hour; what comes later stands in memory, and in the sum of the hour.
const HOUR_FILE: u64 = 4 << 20;
/// Longest file of a day.
const DAY_FILE: u64 = 2 << 20;
/// What the names of the two kinds begin with.
const MINUTES_OF: &str = "minutes-";
const HOURS_OF: &str = "hours-";

/// The numbers of the files in a folder whose names begin so and end in `.log`.
pub(super) fn numbered(folder: &Path, begin: &str) -> io::Result<Vec<u32>> {
    let mut numbers = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let name = entry?.file_name();
        let digits = name.to_str().and_then(|name| name.strip_prefix(begin)?.strip_suffix(".log"));
        numbers
            .extend(digits.filter(|digits| digits.len() == 10).and_then(|digits| digits.parse::<u32>().ok()));
    }
    numbers.sort_unstable();
    Ok(numbers)
}

/// At most so many bytes of a file; none where there is no file.
pub(super) fn bounded(path: &Path, most: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    match File::open(path) {
        Ok(file) => file.take(most).read_to_end(&mut bytes).map(|_| bytes),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(bytes),
        Err(error) => Err(error),
    }
}

/// Writes the files.
pub(super) struct Counts {
    folder: PathBuf,
    /// Days whose file may be there.
    days: BTreeSet<u32>,
    /// Hours whose file may be there.
    hours: BTreeSet<u32>,
    /// The file that is written now.
    open: Option<(u32, File, u64)>,
    dirty: bool,
}

impl Counts {
    /// Reads what lies in the folder. Answers the number of damaged lines, too.
    pub(super) fn open(folder: &Path, tallies: &mut Tallies, minute: i64) -> io::Result<(Self, u64)> {
        let mut counts = Self {
            folder: folder.to_owned(),
            days: numbered(folder, HOURS_OF)?.into_iter().collect(),
            hours: numbered(folder, MINUTES_OF)?.into_iter().collect(),
            open: None,
            dirty: false,
        };
        counts.drop_old(minute)?;
        let (mut damaged, mut whole) = (0, BTreeSet::new());
        for day in &counts.days {
            let read = lines::read::<Written>(&bounded(&counts.path(HOURS_OF, *day), DAY_FILE * 2)?);
            damaged += read.damaged;
            for (_, _, hour) in
                read.lines.iter().filter(|(_, _, hour)| u32::try_from(day_of(hour.n)) == Ok(*day))
            {
                whole.insert(hour.n);
                tallies.restore_hour(hour);
            }
        }
        for hour in &counts.hours {
            let read = lines::read::<Written>(&bounded(&counts.path(MINUTES_OF, *hour), HOUR_FILE * 2)?);
            damaged += read.damaged;
            let with_hour = !whole.contains(&i64::from(*hour));
            for (_, _, of_minute) in
                read.lines.iter().filter(|line| line.2.n.div_euclid(60) == i64::from(*hour))
            {
                tallies.restore_minute(of_minute, with_hour);
            }
        }
        tallies.forget(minute);
        let over: Vec<i64> = tallies
            .hours_before(minute.div_euclid(60))
            .into_iter()
            .filter(|hour| !whole.contains(hour))
            .collect();
        for sum in over.into_iter().filter_map(|hour| tallies.hour(hour)) {
            counts.end_hour(&sum)?;
        }
        Ok((counts, damaged))
    }

    fn path(&self, begin: &str, number: u32) -> PathBuf {
        self.folder.join(format!("{begin}{number:010}.log"))
    }

    /// Appends what was counted in a minute since the last time.
    pub(super) fn append(&mut self, written: &Written) -> io::Result<()> {
        let hour = u32::try_from(written.n.div_euclid(60)).map_err(|_| io::ErrorKind::InvalidInput)?;
        if self.open.as_ref().is_none_or(|(open, ..)| *open != hour) {
            self.sync()?;
            let (file, length) = append_to(&self.path(MINUTES_OF, hour))?;
            self.hours.insert(hour);
            self.open = Some((hour, file, length));
        }
        let line = lines::line(written);
        let Some((_, file, length)) = &mut self.open else { return Err(io::ErrorKind::NotFound.into()) };
        if *length + line.len() as u64 > HOUR_FILE {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        match file.write_all(&line) {
            Ok(()) => {
                *length += line.len() as u64;
                self.dirty = true;
                Ok(())
            }
            Err(error) => {
                let _ = file.set_len(*length);
                Err(error)
            }
        }
    }

    /// Writes the sum of an hour that is over.
    pub(super) fn end_hour(&mut self, sum: &Written) -> io::Result<()> {
        let day = u32::try_from(day_of(sum.n)).map_err(|_| io::ErrorKind::InvalidInput)?;
        let (mut file, length) = append_to(&self.path(HOURS_OF, day))?;
        self.days.insert(day);
        let line = lines::line(sum);
        if length + line.len() as u64 > DAY_FILE {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        if let Err(error) = file.write_all(&line) {
            let _ = file.set_len(length);
            return Err(error);
        }
        file.sync_data()
    }

    /// Removes the files that nobody needs any more at this minute.
    pub(super) fn drop_old(&mut self, minute: i64) -> io::Result<()> {
        let number = |number: i64| u32::try_from(number).unwrap_or(0);
        let hour = minute.div_euclid(60);
        let (first_hour, first_day) =
            (number((minute - MINUTES).div_euclid(60)), number(day_of(hour - HOURS)));
        let old = [
            (HOURS_OF, self.days.range(..first_day).copied().collect::<Vec<_>>()),
            // Not before its sum stands in the file of its day.
            (
                MINUTES_OF,
                self.hours.range(..first_hour).copied().filter(|one| self.is_ended(*one, hour)).collect(),
            ),
        ];
        for (begin, numbers) in old {
            for number in numbers {
                match std::fs::remove_file(self.path(begin, number)) {
                    Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                    _ => {}
                }
                if begin == HOURS_OF {
                    self.days.remove(&number)
                } else {
                    self.hours.remove(&number)
                };
            }
        }
        Ok(())
    }

    /// Whether the sum of an hour is written, or nobody needs it any more at the hour `now`.
    fn is_ended(&self, hour: u32, now: i64) -> bool {
        if i64::from(hour) <= now - HOURS {
            return true;
        }
        let Ok(day) = u32::try_from(day_of(i64::from(hour))) else { return true };
        let bytes = bounded(&self.path(HOURS_OF, day), DAY_FILE * 2).unwrap_or_default();
        lines::read::<Written>(&bytes).lines.iter().any(|(_, _, written)| written.n == i64::from(hour))
    }

    /// Makes what was written outlast a loss of power.
    pub(super) fn sync(&mut self) -> io::Result<()> {
        if let (Some((_, file, _)), true) = (&self.open, self.dirty) {
            file.sync_data()?;
        }
        self.dirty = false;
        Ok(())
    }
}

/// A file of ours to be appended to, cut behind its last whole line.
fn append_to(path: &Path) -> io::Result<(File, u64)> {
    let file = OpenOptions::new().append(true).create(true).mode(0o600).open(path)?;
    let bytes = bounded(path, HOUR_FILE * 2)?;
    let whole = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |place| place + 1) as u64;
    if file.metadata()?.len() != whole {
        file.set_len(whole)?;
    }
    Ok((file, whole))
}
