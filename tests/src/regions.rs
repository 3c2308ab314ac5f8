//! The content of shared memory.

use std::fs::{self, File};
use std::os::unix::fs::FileExt;

/// Returns whether these bytes are anywhere in the regions that this process has mapped: those of a
/// server and of its clients in it.
///
/// # Panics
///
/// Without `/proc`, and when there are no regions of a connection.
pub fn hold(wanted: &[u8]) -> bool {
    let memory = File::open("/proc/self/mem").expect("Linux has /proc");
    let maps = || fs::read_to_string("/proc/self/maps").expect("Linux has /proc");
    let mut searched = 0;
    let found = maps().lines().filter(|line| line.contains("/memfd:witrpc")).any(|line| {
        let range = line.split(' ').next().and_then(|range| range.split_once('-'));
        let (start, end) = range.expect("a mapping begins with its range");
        let [start, end] = [start, end].map(|at| u64::from_str_radix(at, 16).expect("a number"));
        let mut bytes = vec![0; (end - start) as usize];
        // A region of another test may be gone by now.
        if memory.read_exact_at(&mut bytes, start).is_err() {
            return false;
        }
        searched += 1;
        // If it is gone meanwhile, other memory may have been read in its place.
        let is_still_there = || maps().lines().any(|now| now == line);
        bytes.windows(wanted.len()).any(|window| window == wanted) && is_still_there()
    });
    assert!(found || searched >= 4, "each side of a connection has two");
    found
}
