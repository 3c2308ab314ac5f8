//! Bytes and descriptors over a Unix socket, never waiting.
//!
//! Where descriptors are expected, all that a peer passes is received, wanted or not; where none are,
//! none is: see [`disposal`](super::fd_closer).

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

/// The most descriptors that one message carries here.
pub const MAX_PASSED: usize = 2;

/// The most descriptors that the kernel lets one message carry (`SCM_MAX_FD`).
const MAX_RECEIVED: usize = 253;

/// Sends some of `bytes`, and with the first of them the descriptors.
///
/// # Errors
///
/// `EAGAIN` when nothing could be sent without waiting; else the socket's.
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
    /// How many bytes; 0 when the peer has hung up.
    pub len: usize,
    /// What came along.
    pub passed: [Option<ReceivedFd>; MAX_PASSED],
    /// More was passed than is ever expected; it is not kept.
    pub overfull: bool,
    /// Some of what was passed found no place in this process: the room for it here holds all that
    /// the kernel lets one message carry.
    pub is_cut_off: bool,
}

/// Receives some bytes, and the descriptors that were sent with them.
///
/// # Errors
///
/// `EAGAIN` when there is nothing; else the socket's.
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
    // Here, since nothing may be disposed of while descriptors are being opened.
    received.map(|received| Received { overfull: !surplus.is_empty(), ..received })
}

/// What [`receive`] received.
pub enum Plain {
    /// So many bytes; 0 when the peer has hung up.
    Bytes(usize),
    /// Descriptors have been passed along. They lie in the socket still, which is of no use any more.
    ReceivedFd,
}

/// Receives some bytes where nothing is to be passed.
///
/// It looks before it receives. For descriptors that are received take places in this process, and
/// those that find none are closed by the kernel on the spot, in this thread, for as long as it takes.
///
/// # Errors
///
/// As [`receive_with`].
pub fn receive(socket: impl AsFd, bytes: &mut [u8]) -> Result<Plain, Errno> {
    let seen = retry(|| {
        // Without room for descriptors it only says whether there are any.
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
    // No more than was seen: what stands behind may have come with something. If another thread has
    // taken what was seen, that is received after all, and not closed here either.
    let received = receive_with(&socket, &mut bytes[..seen.bytes])?;
    Ok(if received.is_plain() { Plain::Bytes(received.len) } else { Plain::ReceivedFd })
}

impl Received {
    /// Whether nothing was passed.
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
