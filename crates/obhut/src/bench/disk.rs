//! What the disk itself can do: fdatasync of 4 KiB, since every durable answer waits for one.

use crate::system::Problem;
use std::io::Write;
use std::path::Path;
use std::time::Instant;

/// Median and 99th percentile of 4 KiB appended and synced, in ms.
pub(crate) fn fdatasync(folder: &Path) -> Result<(f64, f64), Problem> {
    let path = folder.join("fdatasync.probe");
    let mut file = std::fs::File::create(&path)?;
    let mut times = Vec::with_capacity(300);
    for _ in 0..300 {
        let begin = Instant::now();
        file.write_all(&[7; 4_096])?;
        file.sync_data()?;
        times.push(u32::try_from(begin.elapsed().as_micros()).unwrap_or(u32::MAX));
    }
    drop(file);
    std::fs::remove_file(&path)?;
    times.sort_unstable();
    Ok((super::percentile(&times, 0.5), super::percentile(&times, 0.99)))
}

/// The machine's load over the last minute.
pub(crate) fn load() -> String {
    let text = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    text.split(' ').next().unwrap_or("unknown").to_owned()
}
