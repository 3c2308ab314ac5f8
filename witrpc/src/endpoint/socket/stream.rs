//! Reading and writing a connected socket, with limits of time and length.

use std::io::{self, BufReader, Read};
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::net::{SendFlags, send};

use super::frame::LENGTH_LEN;
use super::sealing::{FrameKeys, FrameOpener, max_sealed_len};

/// How much is read from the kernel at once, in bytes. Longer bodies go past this buffer.
const BUFFER_LEN: usize = 16 << 10;

/// How much memory is allocated for a frame before its first byte is there. What a peer only announces takes
/// no more than this.
const FIRST_CAPACITY: usize = 64 << 10;

/// Sends what the socket takes without waiting. Returns how many bytes that is; 0 if it is full.
pub fn send_some(socket: &UnixStream, bytes: &[u8]) -> io::Result<usize> {
    loop {
        match send(socket, bytes, SendFlags::NOSIGNAL | SendFlags::DONTWAIT) {
            Err(Errno::INTR) => {}
            Err(Errno::AGAIN) => return Ok(0),
            sent => return Ok(sent?),
        }
    }
}

/// Waits until the socket takes more, or for this time.
pub fn wait_writable(socket: &UnixStream, time: Duration) -> io::Result<()> {
    wait_for(socket, PollFlags::OUT, Some(time)).map(|_| ())
}

/// Sends all bytes.
///
/// # Errors
///
/// [`TimedOut`](io::ErrorKind::TimedOut) if that takes until then.
pub fn send_all(socket: &UnixStream, mut bytes: &[u8], until: Instant) -> io::Result<()> {
    while !bytes.is_empty() {
        let sent = send_some(socket, bytes)?;
        bytes = &bytes[sent..];
        if sent == 0 {
            wait_until(socket, PollFlags::OUT, until)?;
        }
    }
    Ok(())
}

fn wait_until(socket: &UnixStream, what: PollFlags, until: Instant) -> io::Result<()> {
    loop {
        let left = until.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(io::ErrorKind::TimedOut.into());
        }
        if wait_for(socket, what, Some(left))? {
            return Ok(());
        }
    }
}

/// Returns whether the socket is ready; `false` after an interruption too.
fn wait_for(socket: &UnixStream, what: PollFlags, time: Option<Duration>) -> io::Result<bool> {
    // A time too long for the kernel counts as no limit.
    let time = time.and_then(|time| Timespec::try_from(time).ok());
    match poll(&mut [PollFd::new(socket, what)], time.as_ref()) {
        Ok(ready) => Ok(ready > 0),
        Err(Errno::INTR) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

/// The bytes that arrive, until a time.
struct Incoming {
    socket: Arc<UnixStream>,
    until: Option<Instant>,
}

impl Read for Incoming {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if let Some(until) = self.until {
            wait_until(&self.socket, PollFlags::IN, until)?;
        }
        (&*self.socket).read(buffer)
    }
}

/// Reads frames from a socket.
///
/// # Errors
///
/// Of its methods: [`UnexpectedEof`](io::ErrorKind::UnexpectedEof) if the peer has closed the connection, also
/// in the middle of a frame. [`InvalidData`](io::ErrorKind::InvalidData) if it has broken the protocol.
pub struct FrameReader {
    incoming: BufReader<Incoming>,
    opener: FrameOpener,
    /// The longest content, as it is sent.
    max: usize,
}

impl FrameReader {
    /// Reads frames in clear, of at most `max` bytes, until that time.
    pub fn new(socket: Arc<UnixStream>, max: usize, until: Instant) -> Self {
        let incoming = Incoming { socket, until: Some(until) };
        let incoming = BufReader::with_capacity(BUFFER_LEN, incoming);
        Self { incoming, opener: FrameOpener::of_greeting(None), max }
    }

    /// Reads a greeting from here on, of at most `max` bytes before it was sealed.
    pub fn expect_greeting(&mut self, keys: FrameKeys, max: usize) {
        self.expect(FrameOpener::of_greeting(keys), max);
    }

    /// Reads messages from here on, of at most `max` bytes before they were sealed, without a limit of time.
    pub fn expect_messages(&mut self, keys: FrameKeys, max: usize) {
        self.expect(FrameOpener::of_messages(keys), max);
        self.incoming.get_mut().until = None;
    }

    fn expect(&mut self, opener: FrameOpener, max: usize) {
        self.max = max_sealed_len(opener.keys(), max);
        self.opener = opener;
    }

    /// Reads the content of the next frame.
    pub fn read(&mut self) -> io::Result<Vec<u8>> {
        let mut len = [0; LENGTH_LEN];
        self.incoming.read_exact(&mut len)?;
        let len = u32::from_le_bytes(len) as usize;
        if len > self.max {
            let problem = format!("a frame has {len} bytes, over {}", self.max);
            return Err(io::Error::new(io::ErrorKind::InvalidData, problem));
        }
        let mut content = Vec::with_capacity(len.min(FIRST_CAPACITY));
        // The memory grows with what has arrived.
        let read = self.incoming.by_ref().take(len as u64).read_to_end(&mut content)?;
        if read < len {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let not_sealed =
            || io::Error::new(io::ErrorKind::InvalidData, "a frame was not sealed with the keys");
        self.opener.open(content).ok_or_else(not_sealed)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::super::frame;
    use super::*;

    fn reader() -> (FrameReader, UnixStream) {
        let (near, far) = UnixStream::pair().unwrap();
        let until = Instant::now() + Duration::from_secs(60);
        (FrameReader::new(Arc::new(near), 100, until), far)
    }

    #[test]
    fn a_frame_is_read_from_any_pieces() {
        let (mut reader, mut far) = reader();
        let frame = frame::hello(b"friend");
        for byte in frame.iter().chain(&frame) {
            far.write_all(&[*byte]).unwrap();
        }
        for _ in 0..2 {
            assert_eq!(reader.read().unwrap(), frame[LENGTH_LEN..]);
        }
    }

    #[test]
    fn each_bad_frame_is_told_apart() {
        let bad: [(&[u8], _); 5] = [
            (&[], io::ErrorKind::UnexpectedEof),
            (&[1, 0], io::ErrorKind::UnexpectedEof),
            (&[9, 0, 0, 0, 1, 2], io::ErrorKind::UnexpectedEof),
            (&[101, 0, 0, 0], io::ErrorKind::InvalidData),
            (&[255, 255, 255, 255], io::ErrorKind::InvalidData),
        ];
        for (bytes, kind) in bad {
            let (mut reader, mut far) = reader();
            far.write_all(bytes).unwrap();
            drop(far);
            assert_eq!(reader.read().unwrap_err().kind(), kind, "{bytes:?}");
        }
    }

    #[test]
    fn neither_side_waits_beyond_its_time() {
        let (near, _far) = UnixStream::pair().unwrap();
        let near = Arc::new(near);
        let error = FrameReader::new(Arc::clone(&near), 100, Instant::now()).read().unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        let error = send_all(&near, &vec![0; 64 << 20], Instant::now()).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        assert_eq!(send_some(&near, &[0]).unwrap(), 0, "it is full");
    }
}
