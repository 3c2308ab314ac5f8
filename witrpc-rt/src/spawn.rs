//! The one place that starts threads.
//!
//! A thread inherits the signal mask of the thread that starts it. So the starting thread first blocks
//! the signals that the new thread must block, and restores its mask afterwards. No signal reaches the
//! new thread before it blocks them. See [`signals`](crate::signals).

use std::sync::OnceLock;
use std::thread::{Builder, JoinHandle, Scope, ScopedJoinHandle};
use std::{env, io};

use crate::signals::{Blocking, SignalMask, keep_programs_mask};
use crate::thread_limits::refused;

/// Starts a thread of the library. Linux keeps 15 bytes of its name.
///
/// # Errors
///
/// The system has no thread left: the error names the limits that can be read.
#[expect(clippy::disallowed_methods, reason = "this is the place")]
pub fn spawn<T: Send + 'static>(
    name: impl Into<String>,
    run: impl FnOnce() -> T + Send + 'static,
) -> io::Result<JoinHandle<T>> {
    let run = with_programs_mask(run);
    let _blocking = Blocking::begin();
    builder(name.into()).spawn(run).map_err(refused)
}

/// Starts a thread of the library that ends within a scope. Linux keeps 15 bytes of its name.
///
/// # Errors
///
/// The system has no thread left: the error names the limits that can be read.
#[expect(clippy::disallowed_methods, reason = "this is the place")]
pub fn spawn_scoped<'scope, 'env, T: Send + 'scope>(
    scope: &'scope Scope<'scope, 'env>,
    name: impl Into<String>,
    run: impl FnOnce() -> T + Send + 'scope,
) -> io::Result<ScopedJoinHandle<'scope, T>> {
    let run = with_programs_mask(run);
    let _blocking = Blocking::begin();
    builder(name.into()).spawn_scoped(scope, run).map_err(refused)
}

/// The least stack of a thread, in bytes: what the standard library gives it. Handlers run on it, and the bounds
/// on nesting are made for it.
const LEAST_STACK: usize = 2 << 20;

/// Returns the builder of a thread. `RUST_MIN_STACK` may give it more stack, and not less: the variable is for
/// the threads of the program.
fn builder(name: String) -> Builder {
    static WANTED: OnceLock<usize> = OnceLock::new();
    let read = || env::var("RUST_MIN_STACK").ok().and_then(|bytes| bytes.parse().ok()).unwrap_or(0);
    Builder::new().name(name).stack_size((*WANTED.get_or_init(read)).max(LEAST_STACK))
}

/// Passes the mask of the program to the new thread. That is this thread's mask, unless this thread
/// belongs to the library too.
fn with_programs_mask<T>(run: impl FnOnce() -> T) -> impl FnOnce() -> T {
    let mask = SignalMask::of_program();
    move || {
        keep_programs_mask(mask);
        run()
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::process::Command;

    use super::*;

    /// Returns the bits of `SigBlk` in a status file: signal `n` is bit `n - 1`.
    fn blocked_in(status: &str) -> u64 {
        let line = status.lines().find_map(|line| line.strip_prefix("SigBlk:"));
        u64::from_str_radix(line.expect("a status has it").trim(), 16).expect("it is a number")
    }

    fn blocked_here() -> u64 {
        blocked_in(&fs::read_to_string("/proc/thread-self/status").unwrap())
    }

    fn bit(signal: i32) -> u64 {
        1 << (signal - 1)
    }

    #[test]
    fn a_new_thread_blocks_what_programs_handle_and_nothing_else() {
        let before = blocked_here();
        let there = spawn("witrpc-test", blocked_here).unwrap().join().unwrap();
        let handled = [1, 2, 3, 10, 12, 14, 15, 17, 28].into_iter().map(bit).sum::<u64>();
        assert_eq!(there, before | handled);
        assert_eq!(there & (bit(libc::SIGSEGV) | bit(libc::SIGPROF)), 0);
        assert_eq!(blocked_here(), before, "the starting thread has its mask back");
        std::thread::scope(|scope| {
            let there = spawn_scoped(scope, "witrpc-test", blocked_here).unwrap();
            assert_eq!(there.join().unwrap(), before | handled);
        });
        assert_eq!(blocked_here(), before);
    }

    #[test]
    fn a_command_gets_the_programs_mask_from_a_thread_of_a_thread() {
        let before = blocked_here();
        let status = || {
            let mut cat = Command::new("cat");
            SignalMask::of_program().inherited_by(cat.arg("/proc/self/status"));
            blocked_in(&String::from_utf8(cat.output().unwrap().stdout).unwrap())
        };
        let nested = move || spawn("witrpc-test", status).unwrap().join().unwrap();
        assert_eq!(spawn("witrpc-test", nested).unwrap().join().unwrap(), before);
    }
}
