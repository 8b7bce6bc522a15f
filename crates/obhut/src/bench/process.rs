//! CPU time and memory of another process, from /proc.

use crate::system::Problem;

/// User and system time of a process in µs.
pub(crate) fn cpu_us(pid: u32) -> Result<f64, Problem> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat"))?;
    // The name of the program stands in brackets and may hold anything; the numbers follow it.
    let after = stat.rsplit_once(')').map_or("", |(_, after)| after);
    let fields: Vec<&str> = after.split_whitespace().collect();
    let ticks = |at: usize| fields.get(at).and_then(|text| text.parse::<f64>().ok()).unwrap_or(0.0);
    let per_second = rustix::param::clock_ticks_per_second() as f64;
    Ok((ticks(11) + ticks(12)) / per_second * 1e6)
}

/// Resident memory of a process in KiB.
pub(crate) struct Resident {
    pub(crate) now_kib: u64,
    /// Since it started, or since [`forget_highest`].
    pub(crate) highest_kib: u64,
}

/// Resident memory of a process.
pub(crate) fn resident(pid: u32) -> Result<Resident, Problem> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status"))?;
    let kib = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name));
        line.and_then(|rest| rest.trim().split(' ').next()?.parse().ok())
    };
    match (kib("VmRSS:"), kib("VmHWM:")) {
        (Some(now_kib), Some(highest_kib)) => Ok(Resident { now_kib, highest_kib }),
        _ => Err(Problem::new("the system does not say how much memory a process has")),
    }
}

/// Resident memory of a process in MiB; 0 where it cannot be known.
pub(crate) fn rss_mib(pid: u32) -> f64 {
    resident(pid).map_or(0.0, |resident| resident.now_kib as f64) / 1_024.0
}

/// Lets the highest begin anew; whether the kernel does that (proc(5), `clear_refs`).
pub(crate) fn forget_highest(pid: u32) -> bool {
    std::fs::write(format!("/proc/{pid}/clear_refs"), "5").is_ok()
}

/// The children of a process.
pub(crate) fn children(pid: u32) -> Vec<u32> {
    let text = std::fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap_or_default();
    text.split_whitespace().filter_map(|one| one.parse().ok()).collect()
}
