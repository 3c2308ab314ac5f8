//! What to do when the operating system refuses a call.

use std::io;

#[cfg(unix)]
use rustix::io::Errno;

/// Returns what to do next, as the end of a sentence.
#[cfg(unix)]
pub fn remedy(error: &io::Error) -> &'static str {
    match Errno::from_io_error(error) {
        Some(Errno::MFILE | Errno::NFILE) => {
            "close files that are not needed, or raise the limit of open files (ulimit -n)"
        }
        Some(Errno::AGAIN) => "end threads that are not needed, or raise their limit (ulimit -u)",
        Some(Errno::NOMEM) => "free memory, or raise the limit that this process is under",
        Some(Errno::NOSPC | Errno::DQUOT) => "make room on that file system",
        Some(Errno::ACCESS | Errno::PERM | Errno::ROFS) => {
            "make sure that this user may do so there, or name another directory with Mmf::in_dir"
        }
        _ => ANY,
    }
}

/// Returns what to do next, as the end of a sentence.
#[cfg(not(unix))]
pub fn remedy(_error: &io::Error) -> &'static str {
    ANY
}

const ANY: &str = "fix that, and try again";

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn a_limit_is_named_by_the_command_that_raises_it() {
        let advice = |errno: Errno| remedy(&errno.into());
        assert!(advice(Errno::MFILE).contains("ulimit -n"));
        assert!(advice(Errno::AGAIN).contains("ulimit -u"));
        assert!(advice(Errno::ACCESS).contains("in_dir"));
        assert_eq!(remedy(&io::Error::other("odd")), "fix that, and try again");
    }
}
