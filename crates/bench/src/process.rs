//! What Linux says of a process.

use std::fs;
use std::time::Duration;

/// Clock ticks per second in `/proc/PID/stat`: 100 on every Linux that Rust runs on.
const TICKS_PER_S: u64 = 100;

/// Processor time that a process used so far.
pub(crate) fn cpu(pid: u32) -> Duration {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    // The name of the program may hold spaces and parentheses; what follows it does not.
    let after_name = stat.rsplit_once(')').map_or("", |(_, rest)| rest);
    let ticks = |index: usize| -> u64 {
        after_name
            .split_whitespace()
            .nth(index)
            .and_then(|text| text.parse().ok())
            .unwrap_or(0)
    };
    // User and system time are the 14th and 15th of all fields, two of which stand before.
    Duration::from_millis((ticks(11) + ticks(12)) * 1_000 / TICKS_PER_S)
}

/// Memory of a process, in bytes.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Memory {
    /// In memory now.
    pub(crate) resident: u64,
    /// Of that, what is its own and not a part of a file.
    pub(crate) anonymous: u64,
    /// The most that was ever in memory.
    pub(crate) peak: u64,
}

/// Memory of a process.
pub(crate) fn memory(pid: u32) -> Memory {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let bytes = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name));
        let kib = line.and_then(|rest| rest.split_whitespace().next()?.parse::<u64>().ok());
        kib.unwrap_or(0) * 1_024
    };
    Memory {
        resident: bytes("VmRSS:"),
        anonymous: bytes("RssAnon:"),
        peak: bytes("VmHWM:"),
    }
}

/// Mebibytes for people.
pub(crate) fn mib(bytes: u64) -> String {
    let tenths = bytes * 10 / (1_024 * 1_024);
    format!("{}.{} MiB", tenths / 10, tenths % 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_uses_memory() {
        let memory = memory(std::process::id());
        assert!(memory.resident > 0 && memory.peak >= memory.resident);
        assert!(memory.anonymous <= memory.resident);
        assert_eq!(mib(1_024 * 1_024 * 3 / 2), "1.5 MiB");
    }
}
