//! Signal masks: the signals that the library's threads block, and the masks that processes start with.
//!
//! A signal that is sent to a process goes to any of its threads that does not block it. A program that
//! blocks SIGTERM and waits for it in `sigwait` or a `signalfd` relies on *all* threads blocking it. So
//! the library's threads block every signal that programs handle. They do not block faults, which
//! belong to the thread that causes them, or the signals of profilers, which must reach every thread.
//!
//! A process inherits the mask of the thread that starts it. So each thread of the library also stores
//! the program's own mask, for processes that are started there.
//!
//! Where the system has no signals, a mask is nothing.

use std::cell::Cell;
#[cfg(unix)]
use std::ffi::c_int;
use std::marker::PhantomData;
#[cfg(unix)]
use std::mem::MaybeUninit;
#[cfg(unix)]
use std::os::unix::process::CommandExt;
use std::process::Command;
#[cfg(unix)]
use std::ptr;
use std::{fmt, io};

/// The signals that the library's threads block.
#[cfg(unix)]
const BLOCKED: [c_int; 9] = [
    libc::SIGTERM,
    libc::SIGINT,
    libc::SIGHUP,
    libc::SIGQUIT,
    libc::SIGUSR1,
    libc::SIGUSR2,
    libc::SIGCHLD,
    libc::SIGALRM,
    libc::SIGWINCH,
];

thread_local! {
    /// On a thread of the library: the mask of the program's thread that started it.
    static OF_PROGRAM: Cell<Option<SignalMask>> = const { Cell::new(None) };
}

/// The signals that a thread blocks.
#[derive(Clone, Copy)]
pub struct SignalMask(#[cfg(unix)] libc::sigset_t);

impl SignalMask {
    /// Returns the mask that the program would have on this thread. On a thread of the library, that is
    /// the mask of the thread that started it; on any other, the thread's own.
    #[must_use]
    pub fn of_program() -> Self {
        OF_PROGRAM.get().unwrap_or_else(Self::of_this_thread)
    }

    /// Makes a command start with this mask, whichever thread starts it.
    #[cfg_attr(not(unix), allow(unused_variables, reason = "there is nothing to inherit"))]
    pub fn inherited_by(self, command: &mut Command) {
        #[cfg(unix)]
        self.set_before_exec(command);
    }

    #[cfg(unix)]
    fn set_before_exec(self, command: &mut Command) {
        let mask = self;
        let set = move || mask.set();
        // SAFETY: between fork and exec, the closure calls only pthread_sigmask, which is
        // async-signal-safe. It neither allocates nor takes a lock.
        unsafe { command.pre_exec(set) };
    }

    #[cfg(unix)]
    fn of_this_thread() -> Self {
        let mut mask = MaybeUninit::uninit();
        // SAFETY: without a new mask, the call only writes the present one, to a place that is valid
        // for it.
        let refused =
            unsafe { libc::pthread_sigmask(libc::SIG_BLOCK, ptr::null(), mask.as_mut_ptr()) };
        assert_eq!(refused, 0, "pthread_sigmask refuses nothing but an unknown operation");
        // SAFETY: the call succeeded, and so has written the mask.
        Self(unsafe { mask.assume_init() })
    }

    #[cfg(not(unix))]
    fn of_this_thread() -> Self {
        Self()
    }

    /// Returns this mask with the signals added that the library's threads block.
    #[cfg(unix)]
    fn with_blocked(mut self) -> Self {
        for signal in BLOCKED {
            // SAFETY: the set is initialised, and the signals exist on every Linux.
            unsafe { libc::sigaddset(&raw mut self.0, signal) };
        }
        self
    }

    #[cfg(not(unix))]
    fn with_blocked(self) -> Self {
        self
    }

    #[cfg(not(unix))]
    fn set(&self) -> io::Result<()> {
        Ok(())
    }

    #[cfg(unix)]
    fn set(&self) -> io::Result<()> {
        // SAFETY: the mask is initialised, and the old one is not requested.
        match unsafe {
            libc::pthread_sigmask(libc::SIG_SETMASK, &raw const self.0, ptr::null_mut())
        } {
            0 => Ok(()),
            refused => Err(io::Error::from_raw_os_error(refused)),
        }
    }
}

impl fmt::Debug for SignalMask {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SignalMask").finish_non_exhaustive()
    }
}

/// Returns the program's mask if this is a thread of the library, which has another mask.
#[must_use]
pub fn programs_mask_elsewhere() -> Option<SignalMask> {
    OF_PROGRAM.get()
}

/// Stores the program's mask on a new thread of the library.
pub(crate) fn keep_programs_mask(mask: SignalMask) {
    OF_PROGRAM.set(Some(mask));
}

/// A guard that blocks on this thread the signals that the library's threads block, and so on every
/// thread that it starts. Dropping it restores the former mask.
pub(crate) struct Blocking {
    before: SignalMask,
    /// A mask belongs to one thread.
    not_send: PhantomData<*const ()>,
}

impl Blocking {
    pub(crate) fn begin() -> Self {
        let before = SignalMask::of_this_thread();
        before.with_blocked().set().expect("pthread_sigmask accepts every mask");
        Self { before, not_send: PhantomData }
    }
}

impl Drop for Blocking {
    fn drop(&mut self) {
        self.before.set().expect("pthread_sigmask accepts every mask");
    }
}
