//! Descriptors of every wrong kind, on either side: refused by name, with nothing left behind.

use std::ffi::CStr;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::fs::OpenOptionsExt;
use std::os::unix::net::UnixListener;

use rustix::event::{EventfdFlags, epoll, eventfd};
use rustix::fs::{
    FallocateFlags, MemfdFlags, SealFlags, fallocate, fcntl_add_seals, fstat, ftruncate,
    memfd_create,
};

use crate::rendezvous::record::{Failure, Record};
use crate::sys::fd_closer::ReceivedFd;
use crate::sys::fork::Descriptor;
use crate::sys::memfd::{FileIdentity, OwnMemory, PeerMemory, PeerMemoryError};

use super::raw::{Raw, mislead};
use super::unauthenticated::assert_serves;
use super::*;

const ALL: SealFlags =
    SealFlags::SHRINK.union(SealFlags::GROW).union(SealFlags::FUTURE_WRITE).union(SealFlags::SEAL);

/// A file that is no region, and the identity that is announced for it.
struct Wrong {
    what: &'static str,
    file: OwnedFd,
    named: FileIdentity,
}

impl Wrong {
    /// Announces the file as what it is, except for its size, which is the expected one.
    fn new(what: &'static str, file: impl Into<OwnedFd>) -> Self {
        let file = file.into();
        let named = FileIdentity { size: REGION_LEN as u64, ..identity_of(&file) };
        Self { what, file, named }
    }

    fn named(self, named: FileIdentity) -> Self {
        Self { named, ..self }
    }
}

fn identity_of(file: impl AsFd) -> FileIdentity {
    let stat = fstat(file).expect("it is open");
    FileIdentity { device: stat.st_dev, inode: stat.st_ino, size: stat.st_size as u64 }
}

/// Creates a memfd of `len` bytes, of which `allocated` are allocated, with these seals.
fn memfd(len: usize, allocated: usize, seals: SealFlags) -> OwnedFd {
    const LABEL: &CStr = c"witrpc-test";
    let flags = MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING;
    let file = memfd_create(LABEL, flags).expect("there is memory");
    ftruncate(&file, len as u64).expect("it is not sealed yet");
    if allocated > 0 {
        fallocate(&file, FallocateFlags::empty(), 0, allocated as u64).expect("there is memory");
    }
    fcntl_add_seals(&file, seals).expect("it can be sealed");
    file
}

/// Creates a region of another connection, sealed by the rules, with the mapping that keeps it writable
/// for its owner.
fn region(len: usize) -> (OwnMemory, OwnedFd) {
    let (memory, sealed) = OwnMemory::create(len).expect("there is memory");
    (memory, sealed.file.unregister())
}

fn wrong_kinds(scratch: &Scratch) -> Vec<Wrong> {
    let len = REGION_LEN;
    let plain = scratch.path().join("plain");
    fs::write(&plain, vec![0; len]).expect("the directory is ours");
    let open = |path: &Path| fs::File::open(path).expect("it can be read");
    let path_only = fs::OpenOptions::new()
        .read(true)
        .custom_flags(rustix::fs::OFlags::PATH.bits() as i32)
        .open(&plain)
        .expect("it is there");
    let (end, _) = UnixStream::pair().expect("there are descriptors");
    let (own, other) = (region(len).1, region(len).1);
    let own_identity = identity_of(&own);
    let small = Wrong::new("a region of half the size", region(len / 2).1);
    let flags = EventfdFlags::CLOEXEC;
    let mut wrong = vec![
        Wrong::new("a pipe", std::io::pipe().expect("there are descriptors").0),
        Wrong::new("a socket", end),
        Wrong::new("a listener", std::net::TcpListener::bind("127.0.0.1:0").expect("a free port")),
        Wrong::new("a regular file", open(&plain)),
        Wrong::new("a regular file that cannot be read", path_only),
        Wrong::new("a directory", open(scratch.path())),
        Wrong::new("/dev/zero", open(Path::new("/dev/zero"))),
        Wrong::new("/proc/self/mem", open(Path::new("/proc/self/mem"))),
        Wrong::new("an epoll instance", epoll::create(epoll::CreateFlags::CLOEXEC).unwrap()),
        Wrong::new("an eventfd", eventfd(0, flags).unwrap()),
        Wrong::new("memory that is not sealed", memfd(len, len, SealFlags::empty())),
        Wrong::new("memory that is not allocated", memfd(len, 0, ALL)),
        Wrong::new("memory with a hole at its end", memfd(len, len / 2, ALL)),
        Wrong::new("memory that was shrunken", memfd(len / 2, len / 2, ALL)),
        Wrong::new("the region of another connection", other).named(own_identity),
        Wrong::new("a region by another inode", own)
            .named(FileIdentity { inode: own_identity.inode + 1, ..own_identity }),
        small,
    ];
    for missing in [SealFlags::SHRINK, SealFlags::GROW, SealFlags::FUTURE_WRITE, SealFlags::SEAL] {
        wrong.push(Wrong::new("memory without a seal", memfd(len, len, ALL - missing)));
    }
    let huge = MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING | MemfdFlags::HUGETLB;
    if let Ok(file) = memfd_create(c"witrpc-test", huge) {
        fcntl_add_seals(&file, ALL).expect("it can be sealed");
        wrong.push(Wrong::new("huge pages", file));
    }
    wrong
}

/// Waits until this process has `expected` descriptors: other threads close some of them.
pub fn settle_at(expected: usize) {
    let patience = std::time::Instant::now() + PATIENCE;
    while open_now() != expected {
        assert!(std::time::Instant::now() < patience, "{} open, {expected} before", open_now());
        std::thread::yield_now();
    }
}

pub fn open_now() -> usize {
    fs::read_dir("/proc/self/fd").expect("proc is mounted").count()
}

#[test]
fn a_region_of_a_wrong_kind_is_refused_by_what_is_wrong_with_it() {
    let scratch = Scratch::new();
    for Wrong { what, file, named } in wrong_kinds(&scratch) {
        let file = ReceivedFd::new(Descriptor::open(|| Ok::<_, ()>(file)).unwrap());
        let refused = PeerMemory::map(file, named).expect_err(what);
        let expected = match what {
            "memory that is not sealed" | "memory without a seal" => {
                matches!(refused, PeerMemoryError::SealsMissing)
            }
            "memory that is not allocated" | "memory with a hole at its end" => {
                matches!(refused, PeerMemoryError::NotAllocated { .. })
            }
            "memory that was shrunken"
            | "the region of another connection"
            | "a region by another inode"
            | "a region of half the size" => matches!(refused, PeerMemoryError::OtherFile { .. }),
            _ => matches!(refused, PeerMemoryError::NotMemory),
        };
        assert!(expected, "{what}: {refused}");
    }
}

#[test]
fn a_server_refuses_wrong_descriptors_keeps_none_and_lives_on() {
    let test = "rendezvous::tests::descriptors::a_server_refuses_wrong_descriptors_keeps_none_and_lives_on";
    in_own_process(test, || {
        let scratch = Scratch::new();
        let before = open_now();
        let server = Server::start(&scratch.place(), limits());
        let refused = |named: FileIdentity, passed: &[BorrowedFd<'_>], what: &str| {
            let mut client = Raw::new(&scratch);
            client.say_file(named, passed);
            let found_wrong = Record::Failure(Failure::FoundWrong).encode();
            assert_eq!(client.hear(), found_wrong, "{what}");
            wait_for_hang_up(client.stream);
        };
        for Wrong { what, file, named } in wrong_kinds(&scratch) {
            refused(named, &[file.as_fd()], what);
        }
        let (memory, good) = region(REGION_LEN);
        refused(identity_of(&good), &[], "no descriptor");
        refused(identity_of(&good), &[good.as_fd(), good.as_fd()], "two descriptors");
        let (small_memory, small) = region(REGION_LEN / 2);
        refused(identity_of(&small), &[small.as_fd()], "a region of another size, named as such");
        drop((memory, good, small_memory, small));
        assert_serves(&scratch, &server);
        server.end();
        settle_at(before);
    });
}

#[test]
fn a_client_refuses_wrong_descriptors_and_keeps_none() {
    let test = "rendezvous::tests::descriptors::a_client_refuses_wrong_descriptors_and_keeps_none";
    in_own_process(test, || {
        let scratch = Scratch::new();
        let directory = scratch.path().join("names");
        fs::create_dir(&directory).unwrap();
        set_mode(&directory, 0o700);
        let listener = UnixListener::bind(directory.join("calc")).unwrap();
        let (doorbell, _other_end) = UnixStream::pair().unwrap();
        let (_memory, good) = region(REGION_LEN);
        let before = open_now();
        let refused = |named: FileIdentity, passed: &[BorrowedFd<'_>], what: &str| {
            let refused = std::thread::scope(|scope| {
                scope.spawn(|| mislead(&mut listener.accept().unwrap().0, named, passed));
                try_connect(&scratch.place()).map(drop)
            });
            assert!(matches!(refused, Err(ConnectError::Misbehaved { .. })), "{what}: {refused:?}");
        };
        for Wrong { what, file, named } in wrong_kinds(&scratch) {
            refused(named, &[file.as_fd(), doorbell.as_fd()], what);
        }
        let good = (identity_of(&good), good.as_fd());
        refused(good.0, &[], "no descriptor");
        refused(good.0, &[good.1], "no bell");
        let (datagrams, _) = std::os::unix::net::UnixDatagram::pair().unwrap();
        let stream = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let pipe = std::io::pipe().unwrap().0;
        for no_bell in [datagrams.as_fd(), stream.as_fd(), pipe.as_fd(), good.1] {
            refused(good.0, &[good.1, no_bell], "a descriptor that is not a bell");
        }
        drop((datagrams, stream, pipe));
        settle_at(before);
    });
}
