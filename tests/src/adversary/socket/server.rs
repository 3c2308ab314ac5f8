//! A server that speaks the format by hand.

use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::thread::JoinHandle;

use witrpc::transport::{Guard, Keys, Responder};

use super::echo::{connect, echo};
use super::{
    LANES, MAX_MESSAGE, REPLY, WELCOME, boxed, frame, opened, prologue, read_content, scratch,
    sealed, send, until_closed,
};

/// A server that speaks the format by hand, on a thread. Dropping it ends the thread.
#[derive(Debug)]
pub struct RawServer {
    path: PathBuf,
    over: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl RawServer {
    /// Sends these bytes to each client at once, and reads until it goes.
    pub fn that_greets_with(bytes: Vec<u8>) -> Self {
        Self::new(move |socket| {
            send(&socket, &bytes);
            // Then nothing more comes, though the client may still speak.
            let _ = socket.shutdown(std::net::Shutdown::Write);
            until_closed(&socket);
        })
    }

    /// Says nothing to any client.
    pub fn that_is_silent() -> Self {
        Self::new(|socket| until_closed(&socket))
    }

    /// Exchanges keys with each client and answers its hello with these bytes, sealed.
    pub fn that_welcomes_with(kind: u8, welcome: Vec<u8>) -> Self {
        Self::new(move |socket| {
            if let Some(keys) = exchange(&socket) {
                send(&socket, &sealed(&*keys, kind, &welcome));
                until_closed(&socket);
            }
        })
    }

    /// Lets each client in, and answers its first request with these bytes. Then it closes the connection.
    pub fn that_answers_with(bytes: Vec<u8>) -> Self {
        Self::new(move |socket| {
            let Some(keys) = exchange(&socket) else { return };
            send(&socket, &sealed(&*keys, WELCOME, &welcome(LANES, MAX_MESSAGE as u64)));
            if read_content(&socket).is_ok() {
                send(&socket, &bytes);
            }
        })
    }

    fn new(serve: impl Fn(UnixStream) + Send + 'static) -> Self {
        let path = scratch();
        let listener = UnixListener::bind(&path).expect("the path is free");
        let over = Arc::<AtomicBool>::default();
        let ends = Arc::clone(&over);
        let thread = std::thread::spawn(move || {
            for client in listener.incoming() {
                if ends.load(SeqCst) {
                    return;
                }
                serve(client.expect("a client comes"));
            }
        });
        Self { path, over, thread: Some(thread) }
    }

    /// Returns its path.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for RawServer {
    fn drop(&mut self) {
        self.over.store(true, SeqCst);
        // Its thread waits for a client.
        drop(UnixStream::connect(&self.path));
        let ended = self.thread.take().expect("it is dropped once").join();
        std::fs::remove_file(&self.path).expect("it is ours");
        assert!(ended.is_ok() || std::thread::panicking());
    }
}

/// Returns the rest of a welcome with these limits.
pub fn welcome(lanes: u32, max_message: u64) -> Vec<u8> {
    [&lanes.to_le_bytes()[..], &max_message.to_le_bytes()].concat()
}

/// Exchanges keys with a client, and reads its hello.
fn exchange(socket: &UnixStream) -> Option<Arc<dyn Keys>> {
    let opening = read_content(socket).ok()?;
    let message = opening.get(1 + prologue().len()..)?;
    let response = Guard::default().respond(&prologue(), message).ok()??;
    send(socket, &frame(REPLY, &[&[0; 4], &response.message]));
    let keys = boxed(response.keys);
    opened(&*keys, read_content(socket).ok()?).ok()?;
    Some(keys)
}

/// Sends arbitrary bytes to a client: instead of a greeting, and instead of an answer. It gets no wrong answer.
/// For the fuzz target and its seeds.
///
/// # Panics
///
/// When the client takes the bytes for an answer that no server has given.
pub fn from_server(bytes: &[u8]) {
    let greets = RawServer::that_greets_with(bytes.to_vec());
    assert!(connect(greets.path()).is_err(), "it has no keys");
    let answers = RawServer::that_answers_with(bytes.to_vec());
    let client = connect(answers.path()).expect("it is let in");
    let answered = echo(&*client, b"question");
    let is_an_answer = bytes.get(4) == Some(&super::ANSWER);
    assert!(answered.is_err() || is_an_answer, "{answered:?}");
}
