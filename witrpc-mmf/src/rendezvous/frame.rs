//! Whole messages over a nonblocking socket.

use std::io;
use std::os::fd::AsFd;

use rustix::io::Errno;
use witrpc_transport::ResourceError;

use crate::sys::fd_closer::ReceivedFd;
use crate::sys::fdpass::{MAX_PASSED, Plain, receive, receive_with, send_with};
use crate::sys::fork::Descriptor;
use crate::sys::resource::lacked;

use super::record::{MAX_EXCHANGED_LEN, MAX_RECORD_LEN, MAX_SMALL_LEN, MAX_TOLD_LEN, Record};
use super::records::Records;

/// The length of the buffer for openings, messages of the key exchange, and small records.
const SMALL_BUFFER_LEN: usize = 256;

/// How much memory a long message takes at first. It grows only as bytes arrive.
const GROWTH_LEN: usize = 16 << 10;

const HEADER_LEN: usize = 4;

/// Why a message was not received.
#[derive(Debug)]
pub enum ReceiveError {
    HungUp,
    /// The received bytes are no message that is expected here.
    Malformed(&'static str),
    /// This process has no descriptor or memory for what was passed.
    Resource(ResourceError),
    System(io::Error),
}

/// The received part of the next message. A peer that has proved nothing yet costs a fixed buffer. A
/// long message costs as much memory as has arrived of it.
pub struct Inbox {
    small: [u8; SMALL_BUFFER_LEN],
    long: Vec<u8>,
    received: usize,
    passed: [Option<ReceivedFd>; MAX_PASSED],
}

impl Inbox {
    pub fn new() -> Self {
        Self {
            small: [0; SMALL_BUFFER_LEN],
            long: Vec::new(),
            received: 0,
            passed: [const { None }; MAX_PASSED],
        }
    }

    /// Receives the `len` bytes of an opening; `None` while some are missing.
    pub fn opening(
        &mut self,
        socket: impl AsFd,
        len: usize,
    ) -> Result<Option<&[u8]>, ReceiveError> {
        while self.received < len {
            let got = plain(&socket, &mut self.small[self.received..len])?;
            let Some(got) = got else { return Ok(None) };
            self.received += got;
        }
        self.received = 0;
        Ok(Some(&self.small[..len]))
    }

    /// Receives a message of the key exchange; `None` while part of it is missing.
    pub fn exchanged(&mut self, socket: impl AsFd) -> Result<Option<&[u8]>, ReceiveError> {
        self.in_clear(socket, MAX_EXCHANGED_LEN)
    }

    /// Receives the answer to an inquiry; `None` while part of it is missing.
    pub fn told(&mut self, socket: impl AsFd) -> Result<Option<&[u8]>, ReceiveError> {
        self.in_clear(socket, MAX_TOLD_LEN)
    }

    fn in_clear(
        &mut self,
        socket: impl AsFd,
        longest: usize,
    ) -> Result<Option<&[u8]>, ReceiveError> {
        const { assert!(MAX_EXCHANGED_LEN <= SMALL_BUFFER_LEN - HEADER_LEN) };
        const { assert!(MAX_TOLD_LEN <= SMALL_BUFFER_LEN - HEADER_LEN) };
        loop {
            let end = self.end_of_frame(longest)?;
            if self.received == end {
                self.received = 0;
                return Ok(Some(&self.small[HEADER_LEN..end]));
            }
            let got = plain(&socket, &mut self.small[self.received..end])?;
            let Some(got) = got else { return Ok(None) };
            self.received += got;
        }
    }

    /// Receives a sealed record without a payload, and up to [`MAX_PASSED`] descriptors with it; `None`
    /// while part of it is missing.
    pub fn small_record(&mut self, socket: impl AsFd) -> Result<Option<&[u8]>, ReceiveError> {
        let longest = Records::sealed_len(MAX_SMALL_LEN);
        debug_assert!(longest <= SMALL_BUFFER_LEN - HEADER_LEN);
        loop {
            let end = self.end_of_frame(longest)?;
            if self.received == end {
                self.received = 0;
                return Ok(Some(&self.small[HEADER_LEN..end]));
            }
            let rest = &mut self.small[self.received..end];
            let got = if self.received == 0 {
                with_passed(&socket, rest, &mut self.passed)?
            } else {
                plain(&socket, rest)?
            };
            let Some(got) = got else { return Ok(None) };
            self.received += got;
        }
    }

    /// Receives a sealed record that may carry a payload; `None` while part of it is missing.
    pub fn long_record(&mut self, socket: impl AsFd) -> Result<Option<Vec<u8>>, ReceiveError> {
        let longest = Records::sealed_len(MAX_RECORD_LEN);
        loop {
            let end = self.end_of_frame(longest)?;
            if self.received == end {
                self.received = 0;
                return Ok(Some(std::mem::take(&mut self.long)));
            }
            let got = if self.received < HEADER_LEN {
                plain(&socket, &mut self.small[self.received..HEADER_LEN])?
            } else {
                let start = self.received - HEADER_LEN;
                self.long.resize((end - HEADER_LEN).min(start + GROWTH_LEN), 0);
                plain(&socket, &mut self.long[start..])?
            };
            let Some(got) = got else { return Ok(None) };
            self.received += got;
        }
    }

    /// Takes the descriptors that were passed with the last small record, in the sender's order.
    pub fn take_passed(&mut self) -> [Option<ReceivedFd>; MAX_PASSED] {
        std::mem::take(&mut self.passed)
    }

    /// Returns where the frame ends that the header announces. Returns the end of the header while that
    /// has not arrived.
    fn end_of_frame(&self, longest: usize) -> Result<usize, ReceiveError> {
        if self.received < HEADER_LEN {
            return Ok(HEADER_LEN);
        }
        let header = self.small.first_chunk().expect("the buffer is longer than the header");
        match u32::from_le_bytes(*header) as usize {
            0 => Err(ReceiveError::Malformed("an empty record")),
            len if len > longest => Err(ReceiveError::Malformed("a record that is too long")),
            len => Ok(HEADER_LEN + len),
        }
    }
}

/// Receives bytes that come without descriptors. Returns how many; `None` if there are none yet.
fn plain(socket: impl AsFd, bytes: &mut [u8]) -> Result<Option<usize>, ReceiveError> {
    match receive(socket, bytes) {
        Ok(Plain::Bytes(0)) => Err(ReceiveError::HungUp),
        Ok(Plain::Bytes(len)) => Ok(Some(len)),
        Ok(Plain::ReceivedFd) => Err(ReceiveError::Malformed(UNEXPECTED)),
        Err(error) => not_yet(error),
    }
}

/// Receives bytes that may come with descriptors. Returns how many; `None` if there are none yet.
fn with_passed(
    socket: impl AsFd,
    bytes: &mut [u8],
    passed: &mut [Option<ReceivedFd>; MAX_PASSED],
) -> Result<Option<usize>, ReceiveError> {
    match receive_with(socket, bytes) {
        Ok(got) if got.len == 0 => Err(ReceiveError::HungUp),
        Ok(got) if got.overfull => Err(ReceiveError::Malformed(UNEXPECTED)),
        Ok(got) if got.is_cut_off => Err(not_received()),
        Ok(got) => {
            *passed = got.passed;
            Ok(Some(got.len))
        }
        Err(error) => not_yet(error),
    }
}

fn not_yet(error: Errno) -> Result<Option<usize>, ReceiveError> {
    match error {
        Errno::AGAIN => Ok(None),
        Errno::CONNRESET | Errno::PIPE => Err(ReceiveError::HungUp),
        error => Err(ReceiveError::System(error.into())),
    }
}

/// Explains why the kernel did not deliver what was passed: nearly always for want of descriptors.
fn not_received() -> ReceiveError {
    ReceiveError::Resource(lacked("recvmsg", 0, &Errno::MFILE.into()))
}

const UNEXPECTED: &str = "more descriptors than the message carries";

/// The part of the queued messages that has not been sent yet.
#[derive(Default)]
pub struct UnsentFrame {
    bytes: Vec<u8>,
    sent: usize,
    passed: Vec<Descriptor>,
}

impl UnsentFrame {
    /// Queues an opening.
    pub fn opening(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    /// Queues a record, which must be the next message to go, and the descriptors to pass with it.
    pub fn record(&mut self, record: &Record<'_>, records: &mut Records, passed: Vec<Descriptor>) {
        // The kernel passes descriptors with the first byte of the next send.
        debug_assert!(passed.is_empty() || self.bytes.is_empty());
        self.framed(&records.seal(&record.encode()));
        self.passed.extend(passed);
    }

    /// Queues a message of the key exchange, or a sealed record, behind its length.
    pub fn framed(&mut self, message: &[u8]) {
        let len = u32::try_from(message.len()).expect("a record is at most a megabyte or so");
        self.bytes.extend_from_slice(&len.to_le_bytes());
        self.bytes.extend_from_slice(message);
    }

    /// Sends as much as it can without blocking. Returns whether everything has been sent.
    pub fn flush(&mut self, socket: impl AsFd) -> Result<bool, Errno> {
        while self.sent < self.bytes.len() {
            let passed: Vec<_> = self.passed.iter().map(AsFd::as_fd).collect();
            match send_with(&socket, &self.bytes[self.sent..], &passed) {
                Ok(sent) => self.sent += sent,
                Err(Errno::AGAIN) => return Ok(false),
                Err(error) => return Err(error),
            }
            // They went with the first byte.
            self.passed.clear();
        }
        self.bytes.clear();
        self.sent = 0;
        Ok(true)
    }
}
