//! How far down its stack a thread may go.
//!
//! Code that nests as deep as a message says must stop before the stack ends: an overflow ends the process.
//! What one level takes is unknown, since it is the frame of a type's own `Serialize` or `Deserialize`. So
//! such code compares the address of a local variable with the end of the stack at each level, and keeps a
//! reserve for one more level. The alternative, to go on upon another stack as the crate `stacker` does,
//! would let a peer choose how much memory that takes, and hides the frames from sanitizers and valgrind.

use std::cell::Cell;
#[cfg(target_os = "linux")]
use std::mem::MaybeUninit;
use std::ops::Range;

/// The part of a stack that is kept for one more level: an eighth, and at most this many bytes. So a single
/// level may take as much.
const MAX_RESERVE: usize = 256 << 10;

thread_local! {
    /// The first address of this thread's stack and the one behind its last, once they were asked for. Both
    /// are 0 if the system does not tell them.
    static STACK: Cell<Option<(usize, usize)>> = const { Cell::new(None) };
}

/// The limit of a thread's stack for code that nests.
#[derive(Clone, Copy, Debug)]
pub struct StackLimit {
    /// The lowest address that a level may begin at.
    lowest: usize,
    size: usize,
}

impl StackLimit {
    /// Returns the limit of this thread. There is none on a stack that is not the thread's own, as that of a
    /// coroutine, and if the system does not tell it.
    #[inline]
    #[must_use]
    pub fn of_this_thread() -> Self {
        let (start, end) = STACK.get().unwrap_or_else(read);
        let size = if (start..end).contains(&here()) { end - start } else { 0 };
        Self { lowest: if size == 0 { 0 } else { start + (size / 8).min(MAX_RESERVE) }, size }
    }

    /// Returns whether this thread, which must be the limit's, has used its stack up to the reserve.
    #[inline(always)]
    #[must_use]
    pub fn is_reached(&self) -> bool {
        here() < self.lowest
    }

    /// Returns the size of the stack in bytes.
    #[must_use]
    pub fn stack_size(&self) -> usize {
        self.size
    }
}

/// Returns an address in the frame of the caller. It is the address of a local variable, so it costs an
/// instruction.
#[inline(always)]
fn here() -> usize {
    let local = 0_u8;
    (&raw const local).addr()
}

/// Reads the addresses of this thread's stack, and keeps them.
#[cold]
fn read() -> (usize, usize) {
    let Range { start, end } = addresses().unwrap_or(0..0);
    STACK.set(Some((start, end)));
    (start, end)
}

/// Asks the system for the addresses of this thread's stack. For the main thread these follow from
/// `RLIMIT_STACK` and `/proc/self/maps`.
#[cfg(target_os = "linux")]
fn addresses() -> Option<Range<usize>> {
    let mut attributes = MaybeUninit::uninit();
    // SAFETY: the call has no conditions.
    let this_thread = unsafe { libc::pthread_self() };
    // SAFETY: the thread is running, and the place is valid for the answer.
    let refused = unsafe { libc::pthread_getattr_np(this_thread, attributes.as_mut_ptr()) };
    if refused != 0 {
        return None;
    }
    // SAFETY: the call succeeded, and so has written the attributes.
    let mut attributes = unsafe { attributes.assume_init() };
    let (mut start, mut size) = (std::ptr::null_mut(), 0);
    // SAFETY: the attributes are initialised, and both places are valid for the answer.
    let refused = unsafe {
        libc::pthread_attr_getstack(&raw const attributes, &raw mut start, &raw mut size)
    };
    // SAFETY: the attributes are initialised, and not used afterwards.
    unsafe { libc::pthread_attr_destroy(&raw mut attributes) };
    (refused == 0).then(|| start.addr()..start.addr().saturating_add(size))
}

#[cfg(not(target_os = "linux"))]
fn addresses() -> Option<Range<usize>> {
    None
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::hint::black_box;
    use std::thread::Builder;

    use super::*;

    /// Goes down in levels of `WORDS` words until the limit says no. Returns how many there were.
    fn levels<const WORDS: usize>(limit: StackLimit) -> usize {
        let mut level = [0_usize; WORDS];
        black_box(&mut level);
        if limit.is_reached() { 0 } else { levels::<WORDS>(limit) + 1 + level[0] }
    }

    #[test]
    fn levels_of_any_size_end_before_the_stack_does() {
        for size in [256 << 10, 2 << 20, 16 << 20] {
            let run = move || {
                let limit = StackLimit::of_this_thread();
                assert!((size..=size + (64 << 10)).contains(&limit.stack_size()), "{limit:?}");
                [levels::<8>(limit), levels::<512>(limit), levels::<2048>(limit)]
            };
            let [thin, fat, fattest] =
                Builder::new().stack_size(size).spawn(run).unwrap().join().unwrap();
            assert!(thin > fat && fat > fattest && fattest > 0, "{thin} {fat} {fattest}");
            assert!((size / 2..=size).contains(&(fat * 4096)), "{fat} levels in {size} bytes");
        }
    }

    #[test]
    fn a_stack_that_is_not_the_threads_own_has_no_limit() {
        // As a coroutine would run: the stack that the thread has been asked about is another one.
        let run = || {
            let real = read();
            STACK.set(Some((real.0 - (64 << 20), real.0)));
            let limit = StackLimit::of_this_thread();
            (limit.is_reached(), limit.stack_size())
        };
        assert_eq!(std::thread::spawn(run).join().unwrap(), (false, 0));
    }
}
