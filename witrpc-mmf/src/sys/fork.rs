//! Guards against forked children that act on what their parent opened.
//!
//! After a `fork()` without `exec`, the child has copies of the parent's objects. It could close their
//! descriptors by number, unmap their addresses or unlink their names. That would hit whatever is there
//! by then, or a server that lives on in the parent. So every such object knows the process it was made
//! in ([`Origin`]), and leaves everything alone in any other. An `atfork` handler closes the
//! descriptors once, in the child: a child that kept the parent's links would hide the parent's death
//! from its peers. A daemon may close all descriptors, open its own, and fork. So the handler closes a
//! number only if it still stands for the file that was opened, as far as the file has an inode of its
//! own: eventfds and the like share one.
//!
//! No descriptor is one of the three standard streams: a program that has closed one of these would
//! write its output into it.
//!
//! A child may serve and connect anew; the objects that it makes have an origin of their own.

use std::mem::ManuallyDrop;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};
use std::ptr;
use std::sync::Once;
use std::sync::atomic::{AtomicI32, AtomicPtr, AtomicU32, AtomicU64, Ordering};

use rustix::fs::fstat;
use rustix::io::fcntl_dupfd_cloexec;
use rustix::mm::{Advice, MapFlags, ProtFlags, madvise, mmap_anonymous};
use witrpc_rt::Patience;

/// The process in which an object was made. Equal for all threads of a process, and different in its
/// forked children, even in those that `clone` made without running `atfork` handlers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Origin(u32);

impl Origin {
    /// Returns the origin of this process.
    pub fn here() -> Self {
        install();
        let word = word();
        loop {
            let number = word.load(Ordering::Relaxed);
            if number != 0 {
                return Self(number);
            }
            // The counter is ordinary memory, which a child inherits. So the child's number is one that
            // no process among its ancestors has had.
            let next = COUNT.fetch_add(1, Ordering::Relaxed) + 1;
            let _ = word.compare_exchange(0, next, Ordering::Relaxed, Ordering::Relaxed);
        }
    }

    /// Returns whether this process is a forked child of the one that it names. This loads one word
    /// that hardly ever changes.
    #[inline]
    pub fn is_forked(self) -> bool {
        word().load(Ordering::Relaxed) != self.0
    }
}

/// How many origins this process and its ancestors have had.
static COUNT: AtomicU32 = AtomicU32::new(0);

/// Stands in for the wiped page if the kernel has none. The `atfork` handler clears it.
static FALLBACK: AtomicU32 = AtomicU32::new(0);

/// Points to the word that reads as this process's origin, and as 0 in a child that has made nothing
/// yet. The word lies in a page that the kernel wipes at a fork.
static WORD: AtomicPtr<AtomicU32> = AtomicPtr::new((&raw const FALLBACK).cast_mut());

#[inline]
fn word() -> &'static AtomicU32 {
    // Relaxed: every holder of an `Origin` got it, perhaps through other threads, from `here`, which
    // had stored the pointer before.
    let word = WORD.load(Ordering::Relaxed);
    // SAFETY: `WORD` points to `FALLBACK` or to the start of a page that is leaked by
    // `wiped_word`; both live as long as the process, and are aligned and initialised.
    unsafe { &*word }
}

fn install() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        if let Some(word) = wiped_word() {
            WORD.store(word, Ordering::Relaxed);
        }
        // SAFETY: the three handlers are `extern "C"`, live as long as the process, and do only
        // what is async-signal-safe: atomics, `fstat`, `close`, `sched_yield` and `nanosleep`.
        let refused =
            unsafe { libc::pthread_atfork(Some(before_fork), Some(after_fork), Some(in_child)) };
        // It fails only for want of memory, before any object exists that needs it.
        assert_eq!(refused, 0, "pthread_atfork has no memory for three handlers");
    });
}

/// Returns a zeroed page that is zeroed again in every child (Linux 4.14).
fn wiped_word() -> Option<*mut AtomicU32> {
    let len = rustix::param::page_size();
    // SAFETY: a fresh anonymous mapping at an address of the kernel's choice touches no memory that any
    // code uses. It is never unmapped.
    let page = unsafe {
        mmap_anonymous(ptr::null_mut(), len, ProtFlags::READ | ProtFlags::WRITE, MapFlags::PRIVATE)
    }
    .ok()?;
    // SAFETY: the advice concerns only the page mapped above, which must be zero in children.
    unsafe { madvise(page, len, Advice::LinuxWipeOnFork) }.ok()?;
    Some(page.cast())
}

extern "C" fn before_fork() {
    GATE.fetch_add(FORKER, Ordering::SeqCst);
    // Opening takes microseconds, but an opening thread may have lost its processor. The bound is for a
    // signal handler that forks while its own thread is opening. The child then keeps that one
    // descriptor.
    let mut patience = Patience::default();
    for _ in 0..OPENING_TURNS {
        if GATE.load(Ordering::SeqCst) & OPENERS == 0 {
            return;
        }
        patience.pause();
    }
}

/// How often a fork checks whether the opening threads are done: for about a second.
const OPENING_TURNS: u32 = 5000;

extern "C" fn after_fork() {
    GATE.fetch_sub(FORKER, Ordering::SeqCst);
}

extern "C" fn in_child() {
    word().store(0, Ordering::Relaxed);
    GATE.store(0, Ordering::SeqCst);
    let mut block = Some(&FIRST_BLOCK);
    while let Some(slots) = block {
        for slot in &slots.slots {
            let fd = slot.fd.swap(EMPTY, Ordering::Relaxed);
            let known = slot.file.load(Ordering::Relaxed);
            if fd != EMPTY && (known == UNKNOWN || file_of(fd) == Some(known)) {
                // SAFETY: the slot says that the parent had this descriptor open at the fork, so this
                // process owns the copy and may close it. Every `Descriptor` of the parent forgets
                // itself.
                unsafe { libc::close(fd) };
            }
        }
        block = slots.next();
    }
}

/// Prevents a fork between the opening of a descriptor and its registration, and between its removal
/// and its closing.
static GATE: AtomicU32 = AtomicU32::new(0);
/// What each thread in `fork` adds to [`GATE`]. The bits below count the opening threads.
const FORKER: u32 = 1 << 16;
const OPENERS: u32 = FORKER - 1;

/// A guard that prevents forks while it lives. It must not be nested, and its holder must not block.
pub struct NoFork(());

impl NoFork {
    pub fn begin() -> Self {
        install();
        let mut state = GATE.load(Ordering::SeqCst);
        let mut patience = Patience::default();
        loop {
            if state >= FORKER {
                patience.pause();
                state = GATE.load(Ordering::SeqCst);
                continue;
            }
            match GATE.compare_exchange(state, state + 1, Ordering::SeqCst, Ordering::SeqCst) {
                Ok(_) => return Self(()),
                Err(now) => state = now,
            }
        }
    }
}

impl Drop for NoFork {
    fn drop(&mut self) {
        GATE.fetch_sub(1, Ordering::SeqCst);
    }
}

const EMPTY: RawFd = -1;
const BLOCK_LEN: usize = 256;

/// Stands for the file of a descriptor that a peer has passed, until it is known to be harmless: its
/// file system may delay `fstat` for ever.
const UNKNOWN: u64 = 0;

/// Returns a number that tells files apart: device and inode, mixed. `None` if the number is closed.
fn file_of(fd: RawFd) -> Option<u64> {
    // SAFETY: it is used for one call, which only reads; a number that is closed is an error.
    let stat = fstat(unsafe { BorrowedFd::borrow_raw(fd) }).ok()?;
    Some(stat.st_ino ^ stat.st_dev.rotate_left(32)).filter(|file| *file != UNKNOWN)
}

/// A descriptor that a child must close, and which file it stands for.
#[derive(Debug)]
struct Slot {
    fd: AtomicI32,
    file: AtomicU64,
}

impl Slot {
    /// Gives the slot to the next descriptor, whose file is unknown at first.
    fn release(&self) {
        self.file.store(UNKNOWN, Ordering::Relaxed);
        self.fd.store(EMPTY, Ordering::Release);
    }
}

/// Descriptors that a child must close. Blocks are added and never freed, so that the handler can walk
/// them whatever another thread was doing at the fork.
struct DescriptorBlock {
    slots: [Slot; BLOCK_LEN],
    next: AtomicPtr<DescriptorBlock>,
}

static FIRST_BLOCK: DescriptorBlock = DescriptorBlock::new();

impl DescriptorBlock {
    const fn new() -> Self {
        Self {
            slots: [const { Slot { fd: AtomicI32::new(EMPTY), file: AtomicU64::new(UNKNOWN) } };
                BLOCK_LEN],
            next: AtomicPtr::new(ptr::null_mut()),
        }
    }

    fn next(&self) -> Option<&'static DescriptorBlock> {
        // Acquire: sees the block that `next_or_grown` filled before it published the pointer.
        let next = self.next.load(Ordering::Acquire);
        // SAFETY: null, or a block that was leaked and is written only through its atomics.
        unsafe { next.as_ref() }
    }

    fn next_or_grown(&'static self) -> &'static DescriptorBlock {
        if let Some(next) = self.next() {
            return next;
        }
        let grown = Box::into_raw(Box::new(DescriptorBlock::new()));
        // Release: pairs with the load in `next`.
        match self.next.compare_exchange(
            ptr::null_mut(),
            grown,
            Ordering::AcqRel,
            Ordering::Acquire,
        ) {
            Ok(_) => {}
            Err(_) => {
                // SAFETY: `grown` comes from `Box::into_raw` above and was not published.
                drop(unsafe { Box::from_raw(grown) });
            }
        }
        self.next().expect("a block was published by this thread or by the one that won")
    }
}

fn register(fd: RawFd) -> &'static Slot {
    let mut block = &FIRST_BLOCK;
    loop {
        for slot in &block.slots {
            // Acquire: the store of the descriptor before, which cleared its file, comes first.
            let taken =
                || slot.fd.compare_exchange(EMPTY, fd, Ordering::Acquire, Ordering::Relaxed);
            if slot.fd.load(Ordering::Relaxed) == EMPTY && taken().is_ok() {
                return slot;
            }
        }
        block = block.next_or_grown();
    }
}

/// Moves a descriptor away from the standard streams, if the process has another number left.
fn beyond_standard(fd: OwnedFd) -> OwnedFd {
    if fd.as_raw_fd() >= FIRST_OWN {
        return fd;
    }
    fcntl_dupfd_cloexec(&fd, FIRST_OWN).unwrap_or(fd)
}

/// The first number that is no standard stream's.
const FIRST_OWN: RawFd = 3;

/// An owned descriptor that a forked child closes when it starts. In such a child it is dead: its
/// number may belong to something else, so its users check their [`Origin`] first.
#[derive(Debug)]
pub struct Descriptor {
    fd: ManuallyDrop<OwnedFd>,
    slot: &'static Slot,
    origin: Origin,
}

impl Descriptor {
    /// Opens and registers a descriptor, with no fork between the two. `open` must not block.
    pub fn open<E>(open: impl FnOnce() -> Result<OwnedFd, E>) -> Result<Self, E> {
        Self::open_with(|register| open().map(register)).inspect(Self::note_file)
    }

    /// Opens any number of descriptors in one call, which passes each to the function it is given. They
    /// may be of any kind: no call is made on them.
    pub fn open_with<T>(open: impl FnOnce(fn(OwnedFd) -> Descriptor) -> T) -> T {
        let _no_fork = NoFork::begin();
        open(|fd| {
            let fd = beyond_standard(fd);
            let slot = register(fd.as_raw_fd());
            Self { slot, fd: ManuallyDrop::new(fd), origin: Origin::here() }
        })
    }

    /// Notes which file it stands for. The file must not be one that delays its answer.
    pub(crate) fn note_file(&self) {
        let file = file_of(self.fd.as_raw_fd()).unwrap_or(UNKNOWN);
        self.slot.file.store(file, Ordering::Relaxed);
    }

    /// Returns whether this process is a forked child of the one that opened it, so that it is dead.
    pub(crate) fn is_forked(&self) -> bool {
        self.origin.is_forked()
    }

    /// Gives the descriptor to the caller. Children that are forked from here on keep a copy open. Must
    /// not be called in a forked child.
    pub(crate) fn unregister(self) -> OwnedFd {
        let mut descriptor = ManuallyDrop::new(self);
        assert!(!descriptor.is_forked(), "the number may be another file's in a forked child");
        let _no_fork = NoFork::begin();
        descriptor.slot.release();
        // SAFETY: taken once, since `descriptor` is neither used nor dropped afterwards.
        unsafe { ManuallyDrop::take(&mut descriptor.fd) }
    }
}

impl AsFd for Descriptor {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

impl Drop for Descriptor {
    fn drop(&mut self) {
        if self.is_forked() {
            // `in_child` has closed it; the number may be another file's by now.
            return;
        }
        let _no_fork = NoFork::begin();
        self.slot.release();
        // SAFETY: dropped once, here, and not used afterwards.
        unsafe { ManuallyDrop::drop(&mut self.fd) };
    }
}
