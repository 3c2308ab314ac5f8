//! A relay between a client and its server, which sees and may change all that they send.

use std::io::{self, IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::thread;

use rustix::event::{PollFd, PollFlags, poll};
use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer,
    SendAncillaryMessage, SendFlags, recvmsg, sendmsg,
};

/// The direction of bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// From the client to the server.
    ToServer,
    /// From the server to the client.
    ToClient,
}

/// What a relay does with a part of the bytes of one direction, which begins at `offset` of that
/// direction. The part is passed on as the function leaves it, or not at all if it is empty. If the
/// function returns `false`, the relay then hangs up.
pub trait Meddle: FnMut(Way, usize, &mut Vec<u8>) -> bool + Send + 'static {}

impl<F: FnMut(Way, usize, &mut Vec<u8>) -> bool + Send + 'static> Meddle for F {}

/// Accepts one client at `at`, and connects it with the server at `server`. Passed descriptors are
/// passed on. Returns once it listens; the thread ends when either side hangs up.
///
/// # Panics
///
/// When it cannot listen.
pub fn relay(at: &Path, server: &Path, meddle: impl Meddle) -> thread::JoinHandle<()> {
    let _ = std::fs::remove_file(at);
    let listener = UnixListener::bind(at).expect("the relay can listen there");
    let server = server.to_owned();
    thread::spawn(move || {
        let (client, _) = listener.accept().expect("a client comes");
        drop(listener);
        let Ok(server) = UnixStream::connect(server) else { return };
        // An error here is a hang-up for both sides.
        let _ = carry(&client, &server, meddle);
    })
}

fn carry(client: &UnixStream, server: &UnixStream, mut meddle: impl Meddle) -> io::Result<()> {
    let mut offsets = [0, 0];
    loop {
        let mut ready = [PollFd::new(client, PollFlags::IN), PollFd::new(server, PollFlags::IN)];
        poll(&mut ready, None)?;
        let ready = ready.map(|each| !each.revents().is_empty());
        let ways = [(client, server, Way::ToServer), (server, client, Way::ToClient)];
        for (index, (from, to, way)) in ways.into_iter().enumerate() {
            if !ready[index] {
                continue;
            }
            let (mut bytes, passed) = receive(from)?;
            let len = bytes.len();
            if len == 0 {
                return Ok(());
            }
            let goes_on = meddle(way, offsets[index], &mut bytes);
            offsets[index] += len;
            send(to, &bytes, &passed)?;
            if !goes_on {
                return Ok(());
            }
        }
    }
}

fn receive(from: &UnixStream) -> io::Result<(Vec<u8>, Vec<OwnedFd>)> {
    let mut bytes = vec![0; 1 << 16];
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(4))];
    let mut control = RecvAncillaryBuffer::new(&mut space);
    let parts = &mut [IoSliceMut::new(&mut bytes)];
    let len = recvmsg(from, parts, &mut control, RecvFlags::CMSG_CLOEXEC)?.bytes;
    bytes.truncate(len);
    let passed = control.drain().filter_map(|message| match message {
        RecvAncillaryMessage::ScmRights(passed) => Some(passed),
        _ => None,
    });
    Ok((bytes, passed.flatten().collect()))
}

fn send(to: &UnixStream, bytes: &[u8], passed: &[OwnedFd]) -> io::Result<()> {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(4))];
    let mut control = SendAncillaryBuffer::new(&mut space);
    let passed: Vec<_> = passed.iter().map(AsFd::as_fd).collect();
    if !passed.is_empty() {
        assert!(control.push(SendAncillaryMessage::ScmRights(&passed)), "at most four");
    }
    let mut sent = 0;
    while sent < bytes.len() {
        let part = &[IoSlice::new(&bytes[sent..])];
        sent += sendmsg(to, part, &mut control, SendFlags::NOSIGNAL)?;
        control.clear();
    }
    Ok(())
}
