//! Neither side, nor a relay between them, can replace or change memory.

use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::os::unix::net::{UnixListener, UnixStream};

use memmap2::MmapOptions;
use rustix::event::{PollFd, PollFlags, poll};
use rustix::fs::{
    FallocateFlags, MemfdFlags, SealFlags, fallocate, fcntl_add_seals, fcntl_get_seals, fstat,
    ftruncate, memfd_create,
};
use rustix::io::{Errno, FdFlags, fcntl_getfd, pwrite};

use crate::sys::fd_closer::ReceivedFd;
use crate::sys::fdpass::{receive_with, send_with};
use crate::sys::fork::Descriptor;
use crate::sys::memfd::{FileCheck, FileIdentity, OwnMemory, PeerMemory, PeerMemoryError};

use super::*;

const LEN: usize = 16 << 10;

#[test]
fn a_sealed_region_cannot_be_resized_punched_written_or_mapped_writable() {
    let (own, sealed) = OwnMemory::create(LEN).unwrap();
    let file = &sealed.file;
    assert!(fcntl_getfd(file).unwrap().contains(FdFlags::CLOEXEC));
    let required = SealFlags::SHRINK | SealFlags::GROW | SealFlags::FUTURE_WRITE | SealFlags::SEAL;
    assert!(fcntl_get_seals(file).unwrap().contains(required));
    assert_eq!(ftruncate(file, 0), Err(Errno::PERM));
    assert_eq!(ftruncate(file, 2 * LEN as u64), Err(Errno::PERM));
    assert_eq!(pwrite(file, b"x", 0), Err(Errno::PERM));
    let punch = FallocateFlags::PUNCH_HOLE | FallocateFlags::KEEP_SIZE;
    assert_eq!(fallocate(file, punch, 0, LEN as u64), Err(Errno::PERM));
    assert!(MmapOptions::new().map_raw(file.as_fd().as_raw_fd()).is_err());
    assert_eq!(fcntl_add_seals(file, SealFlags::WRITE), Err(Errno::PERM));
    assert!(fstat(file).unwrap().st_blocks * 512 >= LEN as i64, "all of it is allocated");

    let mut peer = FileCheck::begin(ReceivedFd::new(sealed.file), sealed.identity, true).unwrap();
    assert!(peer.step().unwrap(), "it is short");
    let peer = peer.finish().unwrap();
    // SAFETY: the range is the whole mapping, and the call is expected to change nothing.
    let made_writable = unsafe {
        rustix::mm::mprotect(
            peer.as_ptr().cast_mut().cast(),
            LEN,
            rustix::mm::MprotectFlags::READ | rustix::mm::MprotectFlags::WRITE,
        )
    };
    assert_eq!(made_writable, Err(Errno::ACCESS));
    drop(own);
    // SAFETY: the byte is inside the mapping, which outlives its creator's.
    assert_eq!(unsafe { peer.as_ptr().wrapping_add(LEN - 1).read_volatile() }, 0);
}

/// Creates a memfd of `LEN` bytes, allocated or not, with these seals.
fn memfd(allocated: bool, seals: SealFlags) -> (Descriptor, FileIdentity) {
    let flags = MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING;
    let file = Descriptor::open(|| memfd_create("test", flags)).unwrap();
    ftruncate(&file, LEN as u64).unwrap();
    if allocated {
        fallocate(&file, FallocateFlags::empty(), 0, LEN as u64).unwrap();
    }
    fcntl_add_seals(&file, seals).unwrap();
    let stat = fstat(&file).unwrap();
    let identity = FileIdentity { device: stat.st_dev, inode: stat.st_ino, size: LEN as u64 };
    (file, identity)
}

#[test]
fn memory_without_every_seal_or_with_holes_is_not_mapped() {
    let all = SealFlags::SHRINK | SealFlags::GROW | SealFlags::FUTURE_WRITE | SealFlags::SEAL;
    for missing in [SealFlags::SHRINK, SealFlags::GROW, SealFlags::FUTURE_WRITE, SealFlags::SEAL] {
        let (file, identity) = memfd(true, all - missing);
        let refused = PeerMemory::map(ReceivedFd::new(file), identity);
        assert!(matches!(refused, Err(PeerMemoryError::SealsMissing)), "{missing:?}: {refused:?}");
    }
    let (file, identity) = memfd(false, all);
    let refused = PeerMemory::map(ReceivedFd::new(file), identity);
    assert!(matches!(refused, Err(PeerMemoryError::NotAllocated { .. })), "{refused:?}");
    let (file, identity) = memfd(true, all);
    PeerMemory::map(ReceivedFd::new(file), identity).expect("it is as it must be");
}

#[test]
fn blocks_behind_the_end_do_not_hide_a_hole() {
    let all = SealFlags::SHRINK | SealFlags::GROW | SealFlags::FUTURE_WRITE | SealFlags::SEAL;
    for hole in [0, LEN as u64 / 2] {
        let flags = MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING;
        let file = Descriptor::open(|| memfd_create("test", flags)).unwrap();
        ftruncate(&file, LEN as u64).unwrap();
        fallocate(&file, FallocateFlags::empty(), 0, LEN as u64).unwrap();
        let punch = FallocateFlags::PUNCH_HOLE | FallocateFlags::KEEP_SIZE;
        fallocate(&file, punch, hole, LEN as u64 / 2).unwrap();
        fallocate(&file, FallocateFlags::KEEP_SIZE, LEN as u64, LEN as u64).unwrap();
        fcntl_add_seals(&file, all).unwrap();
        let stat = fstat(&file).unwrap();
        assert!(stat.st_blocks * 512 >= LEN as i64, "the blocks behind the end are counted");
        let identity = FileIdentity { device: stat.st_dev, inode: stat.st_ino, size: LEN as u64 };
        let refused = PeerMemory::map(ReceivedFd::new(file), identity);
        assert!(matches!(refused, Err(PeerMemoryError::NotAllocated { .. })), "{refused:?}");
    }
}

#[test]
fn a_region_of_this_process_is_refused_from_any_other_process() {
    let (own, sealed) = OwnMemory::create(LEN).unwrap();
    let again =
        || ReceivedFd::new(Descriptor::open(|| sealed.file.as_fd().try_clone_to_owned()).unwrap());
    let refused = PeerMemory::map(again(), sealed.identity);
    assert!(matches!(refused, Err(PeerMemoryError::Ours)), "{refused:?}");
    assert!(FileCheck::begin(again(), sealed.identity, true).is_ok(), "from this process itself");
    drop(own);
    PeerMemory::map(again(), sealed.identity).expect("this process does not write it any more");
}

/// What a relay replaces by its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Slipped {
    ClientRegion,
    ServerRegion,
    Doorbell,
}

/// Relays between a client and a server, and replaces what `slipped` names.
fn relay(client: &UnixStream, server: &UnixStream, slipped: Slipped) {
    let to_server = slipped == Slipped::ClientRegion;
    for socket in [client, server] {
        socket.set_nonblocking(true).unwrap();
    }
    loop {
        let mut ready = [PollFd::new(client, PollFlags::IN), PollFd::new(server, PollFlags::IN)];
        poll(&mut ready, None).unwrap();
        let ready = ready.map(|fd| !fd.revents().is_empty());
        for (from, to, is_ready, tampers) in
            [(client, server, ready[0], to_server), (server, client, ready[1], !to_server)]
        {
            let mut bytes = [0; 4096];
            if !is_ready {
                continue;
            }
            let Ok(received) = receive_with(from, &mut bytes) else { return };
            if received.len == 0 {
                return;
            }
            let mut passed: Vec<_> = received.passed.into_iter().flatten().collect();
            if tampers && !passed.is_empty() {
                if slipped == Slipped::Doorbell {
                    let doorbell = OwnedFd::from(UnixStream::pair().unwrap().0);
                    passed[1] =
                        ReceivedFd::new(Descriptor::open(|| Ok::<_, Errno>(doorbell)).unwrap());
                } else {
                    let len = fstat(&passed[0]).unwrap().st_size as usize;
                    passed[0] = ReceivedFd::new(OwnMemory::create(len).unwrap().1.file);
                }
            }
            let passed: Vec<_> = passed.iter().map(AsFd::as_fd).collect();
            let sent = send_with(to, &bytes[..received.len], &passed);
            if sent != Ok(received.len) {
                return;
            }
        }
    }
}

#[test]
fn what_a_relay_slips_in_is_refused_by_either_side() {
    let scratch = Scratch::new();
    let server = Server::start(&scratch.place(), limits());
    for slipped in [Slipped::ClientRegion, Slipped::ServerRegion, Slipped::Doorbell] {
        fs::create_dir_all(scratch.path().join("relay")).unwrap();
        set_mode(&scratch.path().join("relay"), 0o700);
        let listener = UnixListener::bind(scratch.path().join("relay/calc")).unwrap();
        let refused = std::thread::scope(|scope| {
            scope.spawn(|| {
                let (client, _) = listener.accept().unwrap();
                let server = UnixStream::connect(scratch.path_of("calc")).unwrap();
                relay(&client, &server, slipped);
            });
            try_connect(&Place::in_dir(scratch.path().join("relay"))).map(drop)
        });
        match (slipped, refused) {
            (Slipped::ClientRegion, Err(ConnectError::FoundWrong)) => {}
            (Slipped::ServerRegion, Err(ConnectError::Misbehaved { what })) => {
                assert!(what.contains("not the one named"), "{what}");
            }
            (Slipped::Doorbell, Err(ConnectError::Misbehaved { what })) => {
                assert!(what.contains("bell"), "{what}");
            }
            (_, other) => panic!("{other:?}"),
        }
        fs::remove_dir_all(scratch.path().join("relay")).unwrap();
    }
    server.end();
}
