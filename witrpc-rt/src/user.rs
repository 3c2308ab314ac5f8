//! The user that this process runs as.

/// Returns the number of the effective user, or 0 where users have no numbers.
#[must_use]
pub fn user_id() -> u32 {
    #[cfg(unix)]
    return rustix::process::geteuid().as_raw();
    #[cfg(not(unix))]
    0
}
