//! Tests that cannot run on this machine.

use std::fs;
use std::io::Write;

/// Prints one line that a test has shown nothing, and why. The line is visible although the output
/// of a passing test is hidden.
///
/// Use it for what only the machine's administrator can change, such as a read-only hierarchy of
/// control groups. Use [`lacking`] for what CI has to provide.
pub fn skipped(why: &str) {
    // An error means that nothing can be printed at all.
    let _ = writeln!(std::io::stderr().lock(), "skipped: {why}");
}

/// Skips a test for lack of something that CI provides.
///
/// # Panics
///
/// In CI (`CI=true`), where the test has to run.
pub fn lacking(why: &str) {
    assert!(!std::env::var("CI").is_ok_and(|ci| ci == "true"), "this has to run in CI: {why}");
    skipped(why);
}

/// Skips a test that has found no way to make namespaces.
///
/// # Panics
///
/// In CI, if this process has the right to make namespaces (`CAP_SYS_ADMIN`), because then
/// something else is wrong.
pub fn lacking_namespaces() {
    let why = "it takes the right to make namespaces, and setpriv and unshare of util-linux";
    if is_administrator() { lacking(why) } else { skipped(why) }
}

/// Returns whether this process may administrate the system. Root in a container usually may not.
fn is_administrator() -> bool {
    const CAP_SYS_ADMIN: u32 = 21;
    let status = fs::read_to_string("/proc/self/status").expect("Linux has /proc");
    let capabilities = status.lines().find_map(|line| line.strip_prefix("CapEff:"));
    let bits = u64::from_str_radix(capabilities.expect("a status has it").trim(), 16);
    bits.expect("it is a number") >> CAP_SYS_ADMIN & 1 == 1
}
