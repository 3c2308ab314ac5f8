//! A client that speaks the format by hand.

use std::os::unix::net::UnixStream;
use std::path::Path;

use witrpc::transport::{Credentials, Initiator};

use super::echo::EchoServer;
use super::{
    HELLO, OPENING, REPLY, WELCOME, frame, opened, prologue, read_content, sealed, send,
    until_closed,
};

/// A client that speaks the format by hand.
#[derive(Debug)]
pub struct RawClient(UnixStream);

impl RawClient {
    /// Connects, and says nothing.
    ///
    /// # Panics
    ///
    /// When no server listens.
    pub fn silent(path: &Path) -> Self {
        Self(UnixStream::connect(path).expect("a server listens"))
    }

    /// Connects and is let in.
    ///
    /// # Panics
    ///
    /// When the server does not let it in.
    pub fn let_in(path: &Path) -> Self {
        let client = Self::silent(path);
        let begun = Credentials::default().begin(&prologue()).expect("there are random bytes");
        client.send(&frame(OPENING, &[&prologue(), &begun.message]));
        let reply = client.read();
        assert_eq!(reply[0], REPLY);
        let keys = (begun.finish)(&reply[5..]).expect("it replies to this opening");
        client.send(&sealed(&*keys, HELLO, b"hello"));
        let welcome = opened(&*keys, client.read()).expect("the server has the keys");
        assert_eq!(welcome[0], WELCOME);
        client
    }

    /// Sends bytes, whether or not the server takes them.
    pub fn send(&self, bytes: &[u8]) {
        send(&self.0, bytes);
    }

    /// Reads the content of the next frame.
    ///
    /// # Panics
    ///
    /// When the server has closed the connection.
    pub fn read(&self) -> Vec<u8> {
        read_content(&self.0).expect("the connection stands")
    }

    /// Waits until the server closes the connection.
    pub fn until_closed(&self) {
        until_closed(&self.0);
    }
}

/// Sends arbitrary bytes to a server: as the first of a client, and as those of one that was let in. Honest
/// clients are served meanwhile. For the fuzz target and its seeds.
///
/// # Panics
///
/// When an honest client is not served.
pub fn from_client(bytes: &[u8]) {
    let server = EchoServer::new();
    for client in [RawClient::silent(server.path()), RawClient::let_in(server.path())] {
        client.send(bytes);
        // Half a frame ends with its client.
        let _ = client.0.shutdown(std::net::Shutdown::Write);
        client.until_closed();
    }
    server.serves_the_honest();
}
