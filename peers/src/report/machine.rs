//! Where and when the figures were taken, and of what.

use std::fs;
use std::process::Command;
use std::time::{Duration, SystemTime};

/// The versions that this program is built from.
const LOCK_FILE: &str = include_str!("../../Cargo.lock");

/// What a reader must know of a run.
pub(crate) struct Machine {
    pub(crate) processor: String,
    pub(crate) cores: usize,
    pub(crate) system: String,
    pub(crate) compiler: String,
    pub(crate) date: String,
    /// Processes that wanted to run in the minute before.
    pub(crate) load: f64,
}

impl Machine {
    /// To be asked before anything is measured.
    pub(crate) fn now() -> Self {
        let (year, month, day) = civil_date(SystemTime::now());
        Self {
            processor: processor(&read("/proc/cpuinfo")),
            cores: std::thread::available_parallelism().map_or(1, usize::from),
            system: format!("Linux {}", read("/proc/sys/kernel/osrelease").trim()),
            compiler: compiler(),
            date: format!("{year}-{month:02}-{day:02}"),
            load: read("/proc/loadavg")
                .split(' ')
                .next()
                .and_then(|load| load.parse().ok())
                .unwrap_or(0.0),
        }
    }

    /// Whether other processes took time from what was measured.
    pub(crate) fn is_busy(&self) -> bool {
        self.load > 0.5
    }
}

/// Returns the version of a package that this program is built from.
pub(crate) fn version(package: &str) -> Option<&'static str> {
    let name = format!("name = \"{package}\"");
    let mut lines = LOCK_FILE.lines().skip_while(|line| *line != name);
    lines.nth(1)?.strip_prefix("version = \"")?.strip_suffix('"')
}

fn read(path: &str) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{path}: {error}"))
}

fn processor(cpuinfo: &str) -> String {
    let field = |name: &str| {
        let (_, value) = cpuinfo
            .lines()
            .find_map(|line| line.split_once(':').filter(|(field, _)| field.trim() == name))?;
        Some(value.trim())
    };
    let model = field("model name").unwrap_or("unknown processor");
    match (field("cpu family"), field("model")) {
        (Some(family), Some(number)) => format!("{model} (family {family}, model {number})"),
        _ => model.to_owned(),
    }
}

fn compiler() -> String {
    let output = Command::new("rustc").arg("--version").output();
    let version = output.ok().and_then(|output| String::from_utf8(output.stdout).ok());
    let number = version.as_deref().and_then(|version| version.split(' ').nth(1));
    format!("rustc {}", number.unwrap_or("unknown"))
}

/// Returns year, month and day in UTC, by Howard Hinnant's `civil_from_days`.
fn civil_date(time: SystemTime) -> (u64, u64, u64) {
    let since = time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or(Duration::ZERO);
    // From March 1st of year 0 on, so that leap days end years, and their eras of 400.
    let days = since.as_secs() / 86_400 + 719_468;
    let (era, day) = (days / 146_097, days % 146_097);
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    (era * 400 + year + u64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_those_of_the_calendar() {
        for (seconds, date) in [
            (0, (1970, 1, 1)),
            (951_782_400, (2000, 2, 29)),
            (951_868_800, (2000, 3, 1)),
            (1_767_225_599, (2025, 12, 31)),
        ] {
            assert_eq!(civil_date(SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)), date);
        }
    }

    #[test]
    fn processor_has_a_name_and_numbers() {
        let cpuinfo = "cpu family\t: 26\nmodel\t\t: 2\nmodel name\t: EPYC\n";
        assert_eq!(processor(cpuinfo), "EPYC (family 26, model 2)");
        assert_eq!(processor(""), "unknown processor");
    }

    #[test]
    fn peers_have_versions() {
        for package in ["witrpc", "iceoryx2", "tarpc", "ipc-channel", "tonic", "tokio"] {
            assert!(version(package).is_some_and(|version| version.contains('.')), "{package}");
        }
        assert_eq!(version("no such package"), None);
    }
}
