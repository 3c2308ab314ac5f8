//! Sends and receives bytes and descriptors over a Unix socket, without ever blocking.
//!
//! Where descriptors are expected, all that a peer passes are received, wanted or not. Where none are
//! expected, none is received: see [`fd_closer`](super::fd_closer).

use std::io::{IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd};

use rustix::io::Errno;
use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, ReturnFlags, SendAncillaryBuffer,
    SendAncillaryMessage, SendFlags, recvmsg, sendmsg,
};

use super::fd_closer::ReceivedFd;
use super::fork::Descriptor;

/// The most descriptors that one message of this protocol carries.
pub const MAX_PASSED: usize = 2;

/// The most descriptors that the kernel lets one message carry (`SCM_MAX_FD`).
const MAX_RECEIVED: usize = 253;

/// Sends some of `bytes`, and the descriptors with the first of them.
///
/// # Errors
///
/// `EAGAIN` if nothing could be sent without blocking; otherwise the socket's error.
pub fn send_with(
    socket: impl AsFd,
    bytes: &[u8],
    passed: &[BorrowedFd<'_>],
) -> Result<usize, Errno> {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(MAX_PASSED))];
    let mut control = SendAncillaryBuffer::new(&mut space);
    if !passed.is_empty() {
        let fits = control.push(SendAncillaryMessage::ScmRights(passed));
        assert!(fits, "{} descriptors passed, {MAX_PASSED} is the most", passed.len());
    }
    retry(|| {
        let flags = SendFlags::DONTWAIT | SendFlags::NOSIGNAL;
        sendmsg(&socket, &[IoSlice::new(bytes)], &mut control, flags)
    })
}

/// What [`receive_with`] received.
pub struct Received {
    /// How many bytes were received; 0 if the peer has hung up.
    pub len: usize,
    /// The descriptors that came with them.
    pub passed: [Option<ReceivedFd>; MAX_PASSED],
    /// More descriptors came than any message carries. The surplus is not kept.
    pub overfull: bool,
    /// Some descriptors found no place in this process. (The buffer here holds all that the kernel lets
    /// one message carry.)
    pub is_cut_off: bool,
}

/// Receives some bytes, and the descriptors that were sent with them.
///
/// # Errors
///
/// `EAGAIN` if there is nothing; otherwise the socket's error.
pub fn receive_with(socket: impl AsFd, bytes: &mut [u8]) -> Result<Received, Errno> {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(MAX_RECEIVED))];
    let mut control = RecvAncillaryBuffer::new(&mut space);
    let mut surplus = Vec::new();
    let received = Descriptor::open_with(|register| {
        let message = retry(|| {
            let flags = RecvFlags::DONTWAIT | RecvFlags::CMSG_CLOEXEC;
            recvmsg(&socket, &mut [IoSliceMut::new(bytes)], &mut control, flags)
        })?;
        let mut received = Received {
            len: message.bytes,
            passed: [const { None }; MAX_PASSED],
            overfull: false,
            is_cut_off: message.flags.contains(ReturnFlags::CTRUNC),
        };
        let rights = control.drain().filter_map(|message| match message {
            RecvAncillaryMessage::ScmRights(passed) => Some(passed),
            _ => None,
        });
        let mut places = received.passed.iter_mut();
        for passed in rights.flatten().map(|fd| ReceivedFd::new(register(fd))) {
            match places.next() {
                Some(place) => *place = Some(passed),
                None => surplus.push(passed),
            }
        }
        Ok(received)
    });
    // Dropped here, because nothing may be handed to the closers while descriptors are being opened.
    received.map(|received| Received { overfull: !surplus.is_empty(), ..received })
}

/// What [`receive`] received.
pub enum Plain {
    /// This many bytes; 0 if the peer has hung up.
    Bytes(usize),
    /// Descriptors came with the bytes. They are still in the socket, which must not be used any more.
    ReceivedFd,
}

/// Receives some bytes where no descriptors are expected.
///
/// It peeks before it receives. Received descriptors take places in this process, and the kernel closes
/// those that find none on the spot, in this thread, for as long as that takes.
///
/// # Errors
///
/// As [`receive_with`].
pub fn receive(socket: impl AsFd, bytes: &mut [u8]) -> Result<Plain, Errno> {
    let seen = retry(|| {
        // Without room for descriptors, it only says whether there are any.
        let mut none = RecvAncillaryBuffer::default();
        let flags = RecvFlags::DONTWAIT | RecvFlags::PEEK;
        recvmsg(&socket, &mut [IoSliceMut::new(bytes)], &mut none, flags)
    })?;
    if seen.flags.contains(ReturnFlags::CTRUNC) {
        return Ok(Plain::ReceivedFd);
    }
    if seen.bytes == 0 {
        return Ok(Plain::Bytes(0));
    }
    // Receive only what was peeked at: descriptors may come with the bytes behind. If another thread
    // has taken those bytes, others are received after all; this thread does not close their
    // descriptors either.
    let received = receive_with(&socket, &mut bytes[..seen.bytes])?;
    Ok(if received.is_plain() { Plain::Bytes(received.len) } else { Plain::ReceivedFd })
}

impl Received {
    /// Returns whether no descriptors were passed.
    pub fn is_plain(&self) -> bool {
        !self.overfull && !self.is_cut_off && self.passed.iter().all(Option::is_none)
    }
}

fn retry<T>(mut call: impl FnMut() -> Result<T, Errno>) -> Result<T, Errno> {
    loop {
        match call() {
            Err(Errno::INTR) => {}
            other => return other,
        }
    }
}
