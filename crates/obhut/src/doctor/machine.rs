//! The machine: core dumps, memory, free space.

use super::{Line, fail, ok, warn};
use crate::config::Config;
use rustix::process::{Resource, getrlimit};
use std::path::Path;

/// Below this much free space the server is about to stop taking data, in bytes.
const SCARCE: u64 = 256 << 20;
/// Below this much it is time to make room, in bytes.
const TIGHT: u64 = 2 << 30;
/// Keys and pages of one house fit into this much locked memory, in bytes.
const LOCKED: u64 = 64 << 20;

pub(super) fn look(config: &Config) -> Vec<Line> {
    let pattern = std::fs::read_to_string("/proc/sys/kernel/core_pattern").unwrap_or_default();
    let swaps = std::fs::read_to_string("/proc/swaps").unwrap_or_default();
    let mut lines = vec![core_dumps(&pattern), swap(&swaps), locked(getrlimit(Resource::Memlock).current)];
    lines.extend(free(&config.data));
    lines
}

/// Tries what the server does at its start, so this also holds for this process from here on.
fn core_dumps(pattern: &str) -> Line {
    crate::system::harden();
    if getrlimit(Resource::Core).current != Some(0) {
        return fail(
            "core dumps cannot be turned off; one would hold keys and values",
            "LimitCORE=0 in the unit",
        );
    }
    let taker = pattern.trim().strip_prefix('|').map(|taker| taker.split(' ').next().unwrap_or_default());
    match taker {
        Some(taker) if !taker.ends_with("systemd-coredump") && !taker.ends_with("apport") => warn(
            format!("core dumps are off, but the kernel hands them to {taker} whatever the limit says"),
            "sysctl kernel.core_pattern=core, or a program there that respects the limit",
        ),
        _ => ok("core dumps are off"),
    }
}

fn swap(table: &str) -> Line {
    // The first line is the heading; memory that is swapped to a compressed part of itself never reaches a disk.
    let on_disk = table.lines().skip(1).filter(|line| !line.starts_with("/dev/zram")).count();
    if on_disk == 0 {
        ok("no swap on a disk")
    } else {
        warn(
            "memory may be swapped to a disk, keys and values too",
            "swapoff -a, MemorySwapMax=0 in the unit, or encrypted swap",
        )
    }
}

/// `None` is no limit.
fn locked(limit: Option<u64>) -> Line {
    match limit {
        Some(limit) if limit < LOCKED => {
            let kib = limit >> 10;
            warn(
                format!("only {kib} KiB of memory may be locked against swapping"),
                "LimitMEMLOCK=infinity in the unit",
            )
        }
        _ => ok("enough memory may be locked against swapping"),
    }
}

fn free(data: &Path) -> Option<Line> {
    let found = rustix::fs::statvfs(data).ok()?;
    Some(space(found.f_bavail.saturating_mul(found.f_frsize)))
}

fn space(bytes: u64) -> Line {
    let mib = bytes >> 20;
    if bytes < SCARCE {
        fail(
            format!("only {mib} MiB are free for the data folder"),
            "make room: below the low-water mark reads and puts stop",
        )
    } else if bytes < TIGHT {
        warn(
            format!("{mib} MiB are free for the data folder"),
            "make room, or move the data folder to a larger disk",
        )
    } else {
        ok(format!("{} GiB are free for the data folder", bytes >> 30))
    }
}

#[cfg(test)]
mod tests {
    use super::super::Level;
    use super::*;

    #[test]
    fn who_takes_core_dumps_is_said() {
        assert_eq!(core_dumps("core\n").level, Level::Ok);
        assert_eq!(core_dumps("|/usr/lib/systemd/systemd-coredump %P %u").level, Level::Ok);
        let line = core_dumps("|/opt/collector %P\n");
        assert!(line.level == Level::Warn && line.what.contains("/opt/collector"), "{line:?}");
    }

    #[test]
    fn swap_and_limits_and_space_have_marks() {
        let heading = "Filename\tType\tSize\tUsed\tPriority\n";
        assert_eq!(swap(heading).level, Level::Ok);
        assert_eq!(swap(&format!("{heading}/dev/zram0 partition 1 0 100\n")).level, Level::Ok);
        assert_eq!(swap(&format!("{heading}/dev/sda2 partition 1 0 -2\n")).level, Level::Warn);
        assert_eq!(locked(None).level, Level::Ok);
        assert_eq!(locked(Some(8 << 20)).level, Level::Warn);
        assert_eq!(
            [space(1 << 20), space(1 << 30), space(1 << 40)].map(|line| line.level),
            [Level::Fail, Level::Warn, Level::Ok]
        );
    }
}
