//! Bytes and descriptors over a Unix socket, never waiting.

use std::io::{IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd};

use rustix::io::Errno;
use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, ReturnFlags, SendAncillaryBuffer,
    SendAncillaryMessage, SendFlags, recv, recvmsg, sendmsg,
};

use crate::fork::Descriptor;

/// The most descriptors that one message carries here.
pub(crate) const MAX_PASSED: usize = 2;

/// Sends some of `bytes`, and with the first of them the descriptors.
///
/// # Errors
///
/// `EAGAIN` when nothing could be sent without waiting; else the socket's.
pub(crate) fn send_with(
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
pub(crate) struct Received {
    /// How many bytes; 0 when the peer has hung up.
    pub(crate) len: usize,
    /// What came along.
    pub(crate) passed: [Option<Descriptor>; MAX_PASSED],
    /// More was passed than is ever expected; the kernel has closed it.
    pub(crate) overfull: bool,
}

/// Receives some bytes, and the descriptors that were sent with them.
///
/// # Errors
///
/// `EAGAIN` when there is nothing; else the socket's.
pub(crate) fn receive_with(socket: impl AsFd, bytes: &mut [u8]) -> Result<Received, Errno> {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(MAX_PASSED))];
    let mut control = RecvAncillaryBuffer::new(&mut space);
    Descriptor::open_with(|register| {
        let message = retry(|| {
            let flags = RecvFlags::DONTWAIT | RecvFlags::CMSG_CLOEXEC;
            recvmsg(&socket, &mut [IoSliceMut::new(bytes)], &mut control, flags)
        })?;
        let mut received = Received {
            len: message.bytes,
            passed: [const { None }; MAX_PASSED],
            overfull: message.flags.contains(ReturnFlags::CTRUNC),
        };
        let rights = control.drain().filter_map(|message| match message {
            RecvAncillaryMessage::ScmRights(passed) => Some(passed),
            _ => None,
        });
        for (fd, place) in rights.flatten().zip(&mut received.passed) {
            *place = Some(register(fd));
        }
        Ok(received)
    })
}

/// Receives some bytes. The kernel closes whatever was passed with them.
///
/// # Errors
///
/// `EAGAIN` when there is nothing; else the socket's.
pub(crate) fn receive(socket: impl AsFd, bytes: &mut [u8]) -> Result<usize, Errno> {
    retry(|| recv(&socket, &mut *bytes, RecvFlags::DONTWAIT).map(|(len, _)| len))
}

fn retry<T>(mut call: impl FnMut() -> Result<T, Errno>) -> Result<T, Errno> {
    loop {
        match call() {
            Err(Errno::INTR) => {}
            other => return other,
        }
    }
}
