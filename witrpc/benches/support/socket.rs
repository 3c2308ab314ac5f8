//! The neighbour: the same bytes over a Unix socket, as two programs without shared memory have it.

use std::io::{self, Read, Write};
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixListener, UnixStream};

use super::studio::sum;

/// The length in bytes, and whether the samples are to be summed.
const HEADER_LEN: usize = 16;

fn address(name: &str) -> SocketAddr {
    SocketAddr::from_abstract_name(name).expect("the name was made by this crate")
}

/// The peer's side.
pub(crate) fn bind(name: &str) -> UnixListener {
    UnixListener::bind_addr(&address(name)).expect("the name is free")
}

/// Reads what one client sends into memory of its own, and answers the sum, or 0.
pub(crate) fn respond(listener: &UnixListener) {
    let (mut stream, _) = listener.accept().expect("a client");
    let mut samples = Vec::new();
    loop {
        let mut header = [0; HEADER_LEN];
        if stream.read_exact(&mut header).is_err() {
            return;
        }
        let [len, summed] = [&header[..8], &header[8..]]
            .map(|number| u64::from_le_bytes(number.try_into().expect("eight bytes")));
        samples.resize(len as usize / size_of::<u64>(), 0);
        stream.read_exact(bytemuck::cast_slice_mut(&mut samples)).expect("as long as it was said");
        let answer = if summed == 0 { 0 } else { sum(&samples) };
        if stream.write_all(&answer.to_le_bytes()).is_err() {
            return;
        }
    }
}

/// The side that measures.
pub(crate) struct SocketClient(UnixStream);

impl SocketClient {
    pub(crate) fn connect(name: &str) -> Self {
        Self(UnixStream::connect_addr(&address(name)).expect("the peer serves"))
    }

    /// Sends the samples, and waits until they have arrived, and have been summed.
    pub(crate) fn send(&mut self, samples: &[u64], summed: bool) -> io::Result<u64> {
        let bytes: &[u8] = bytemuck::cast_slice(samples);
        let header = [bytes.len() as u64, summed.into()].map(u64::to_le_bytes);
        self.0.write_all(header.as_flattened())?;
        self.0.write_all(bytes)?;
        let mut answer = [0; 8];
        self.0.read_exact(&mut answer)?;
        Ok(u64::from_le_bytes(answer))
    }
}
