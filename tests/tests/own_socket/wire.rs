//! A transport over pairs of sockets, written with the public kit and nothing else of the crate's inside.
//!
//! Each end of a connection has a thread that reads and one that writes.

use std::fmt;
use std::net::Shutdown as Way;
use std::os::unix::net::UnixStream;
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Condvar, Mutex, Weak};
use std::thread;
use std::time::Instant;

use witrpc::queue::{
    AnswerHandle, AnswerSink, ClientQueue, ConnectionHandle, End, Limits, MeetingPoint,
    RequestSink, ServerQueue,
};
use witrpc::transport::{
    Answer, BindConfig, ChannelError, ClientChannel, ClientInfo, ConnectConfig, Request,
    ServerPort, Ticket, Transport,
};
use witrpc::{BindError, ConnectError};

use crate::frame;

/// A place where a server and its clients meet. Clones lead to the same place.
#[derive(Clone, Default)]
pub(crate) struct Wire(Arc<Place>);

#[derive(Default)]
struct Place {
    limits: Limits,
    server: Mutex<Weak<ServerQueue>>,
    threads: Mutex<Option<Threads>>,
    /// The server's ends of all connections.
    sockets: Mutex<Vec<Arc<UnixStream>>>,
}

/// The server's threads: each holds a clone of the sender for as long as it runs.
struct Threads {
    running: Option<Sender<()>>,
    all_ended: Receiver<()>,
}

impl Wire {
    pub(crate) fn with(limits: Limits) -> Self {
        Self(Arc::new(Place { limits, ..Place::default() }))
    }

    /// Cuts all connections, as a machine would that falls.
    pub(crate) fn cut(&self) {
        for socket in self.0.sockets.lock().unwrap().iter() {
            // It may have been closed already.
            let _ = socket.shutdown(Way::Both);
        }
    }

    /// The server's end of the newest connection.
    pub(crate) fn newest(&self) -> Arc<UnixStream> {
        Arc::clone(self.0.sockets.lock().unwrap().last().expect("somebody has connected"))
    }
}

impl fmt::Debug for Wire {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Wire").finish_non_exhaustive()
    }
}

impl MeetingPoint for Place {
    fn close(&self) {
        if let Some(threads) = &mut *self.threads.lock().unwrap() {
            threads.running = None;
        }
    }

    fn join(&self, until: Option<Instant>) -> bool {
        let threads = self.threads.lock().unwrap().take();
        let Some(Threads { all_ended, .. }) = threads else { return true };
        let timed_out = match until {
            None => all_ended.recv().is_ok(),
            Some(at) => {
                let left = at.saturating_duration_since(Instant::now());
                all_ended.recv_timeout(left) == Err(mpsc::RecvTimeoutError::Timeout)
            }
        };
        !timed_out
    }
}

impl Transport for Wire {
    fn bind(&self, config: BindConfig) -> Result<Arc<dyn ServerPort>, BindError> {
        let server = ServerQueue::new(Arc::clone(&self.0) as _, config, self.0.limits)?;
        let (running, all_ended) = mpsc::channel();
        *self.0.threads.lock().unwrap() = Some(Threads { running: Some(running), all_ended });
        *self.0.server.lock().unwrap() = Arc::downgrade(&server);
        Ok(server)
    }

    fn connect(&self, config: ConnectConfig) -> Result<Arc<dyn ClientChannel>, ConnectError> {
        let (near, far) = UnixStream::pair().expect("there are sockets");
        let (near, far) = (Arc::new(near), Arc::new(far));
        let running = {
            let threads = self.0.threads.lock().unwrap();
            threads.as_ref().and_then(|threads| threads.running.clone())
        };
        let Some(running) = running else { return Err(ConnectError::HungUp) };
        self.0.sockets.lock().unwrap().push(Arc::clone(&far));
        let server = self.0.server.lock().unwrap().clone();
        thread::spawn(move || serve(&server, &far, running));

        let lost = |_| ConnectError::HungUp;
        frame::write(&near, &frame::frame(frame::HELLO, &[&config.hello])).map_err(lost)?;
        match frame::read(&near).map_err(lost)? {
            (frame::WELCOME, welcome) => Ok(self.welcomed(welcome, near)),
            (frame::REFUSAL, why) if why.is_empty() => Err(ConnectError::ShuttingDown),
            (frame::REFUSAL, why) => Err(ConnectError::Refused(why)),
            _ => Err(ConnectError::HungUp),
        }
    }
}

impl Wire {
    fn welcomed(&self, welcome: Vec<u8>, near: Arc<UnixStream>) -> Arc<ClientQueue> {
        let (frames, outbox) = mpsc::channel();
        let (client, answers) = ClientQueue::new(welcome, self.0.limits, Requests { frames });
        let socket = Arc::clone(&near);
        thread::spawn(move || send_all(&socket, &outbox, None));
        thread::spawn(move || hear(&near, &answers));
        client
    }
}

/// The answers to one client that have not left: while there are too many, nothing more is read of it.
struct Kept {
    /// `None` once nobody writes any more.
    count: Mutex<Option<usize>>,
    fewer: Condvar,
}

impl Kept {
    const MOST: usize = 64;

    fn new() -> Arc<Self> {
        Arc::new(Self { count: Mutex::new(Some(0)), fewer: Condvar::new() })
    }

    fn add(&self) {
        if let Some(count) = &mut *self.count.lock().unwrap() {
            *count += 1;
        }
    }

    fn remove(&self) {
        if let Some(count) = &mut *self.count.lock().unwrap() {
            *count -= 1;
        }
        self.fewer.notify_all();
    }

    fn end(&self) {
        *self.count.lock().unwrap() = None;
        self.fewer.notify_all();
    }

    fn wait_for_room(&self) {
        let count = self.count.lock().unwrap();
        let is_full = |count: &mut Option<usize>| count.is_some_and(|count| count > Self::MOST);
        drop(self.fewer.wait_while(count, is_full).unwrap());
    }

    fn is_empty(&self) -> bool {
        matches!(*self.count.lock().unwrap(), None | Some(0))
    }
}

/// What a thread that writes is told: a frame, or nothing to have it end.
type Order = Option<Vec<u8>>;

/// Writes until it is told to end, or cannot; then the connection is closed.
fn send_all(socket: &UnixStream, outbox: &Receiver<Order>, kept: Option<&Kept>) {
    while let Ok(Some(frame)) = outbox.recv() {
        let is_last = frame[4] == frame::END;
        let sent = frame::write(socket, &frame);
        if let Some(kept) = kept {
            kept.remove();
        }
        if sent.is_err() || is_last {
            break;
        }
    }
    if let Some(kept) = kept {
        kept.end();
    }
    // The other side may have closed it.
    let _ = socket.shutdown(Way::Both);
}

/// A client's way out.
struct Requests {
    frames: Sender<Order>,
}

impl RequestSink for Requests {
    fn send(&self, request: Request) {
        // If nobody writes any more, whoever reads says so.
        let _ = self.frames.send(Some(frame::of_request(&request)));
    }

    fn cancel(&self, ticket: Ticket) {
        let _ = self.frames.send(Some(frame::of_cancel(ticket)));
    }

    fn close(&self) {
        let _ = self.frames.send(None);
    }
}

/// Reads what the server sends, until the connection ends.
fn hear(socket: &UnixStream, answers: &AnswerHandle) {
    while let Ok((kind, rest)) = frame::read(socket) {
        let heard = match kind {
            frame::ANSWER => match frame::to_answer(&rest) {
                Some((ticket, answer)) => answers.answer(ticket, answer),
                None => Err(ChannelError::Misbehaved("no answer")),
            },
            frame::DRAIN => {
                answers.drain();
                Ok(())
            }
            frame::END => return answers.end(End::from_code(rest[0])),
            _ => Err(ChannelError::Misbehaved("an unknown frame")),
        };
        if let Err(ChannelError::Misbehaved(_)) = heard {
            answers.end(End::Misbehaved);
            break;
        }
    }
    let _ = socket.shutdown(Way::Both);
}

/// A server's way to one client.
struct Answers {
    frames: Sender<Order>,
    kept: Arc<Kept>,
}

impl Answers {
    fn put(&self, frame: Vec<u8>) {
        self.kept.add();
        // If nobody writes any more, whoever reads finds the end.
        let _ = self.frames.send(Some(frame));
    }
}

impl AnswerSink for Answers {
    fn send(&self, ticket: Ticket, answer: Answer) {
        self.put(frame::of_answer(ticket, &answer));
    }

    fn drain(&self) {
        self.put(frame::frame(frame::DRAIN, &[]));
    }

    fn close(&self, end: End) {
        self.put(frame::frame(frame::END, &[&[end.code()]]));
    }

    fn has_delivered(&self) -> bool {
        self.kept.is_empty()
    }
}

/// Serves one client, until the connection ends.
fn serve(server: &Weak<ServerQueue>, socket: &Arc<UnixStream>, alive: Sender<()>) {
    let (frames, outbox) = mpsc::channel();
    let kept = Kept::new();
    let Ok((frame::HELLO, hello)) = frame::read(socket) else { return };
    let Some(server) = server.upgrade() else { return };
    let client = ClientInfo::new(std::process::id(), 0);
    let sink = Answers { frames, kept: Arc::clone(&kept) };
    let connected = server.connect(&hello, client, sink);
    drop(server);
    let (welcome, requests) = match connected {
        Ok(connected) => connected,
        Err(error) => {
            let why = match error {
                ConnectError::Refused(why) => why,
                _ => Vec::new(),
            };
            let _ = frame::write(socket, &frame::frame(frame::REFUSAL, &[&why]));
            return;
        }
    };
    let (writes, answers) = (Arc::clone(socket), Arc::clone(&kept));
    let _ = frame::write(socket, &frame::frame(frame::WELCOME, &[&welcome]));
    thread::spawn(move || {
        send_all(&writes, &outbox, Some(&kept));
        drop(alive);
    });
    take(socket, &requests, &answers);
    drop(requests);
    let _ = socket.shutdown(Way::Both);
}

fn take(socket: &UnixStream, requests: &ConnectionHandle, answers: &Kept) {
    while let Ok((kind, rest)) = frame::read(socket) {
        answers.wait_for_room();
        let taken = match kind {
            frame::REQUEST => frame::to_request(&rest).map(|request| requests.request(request)),
            frame::CANCEL => frame::ticket(&rest).map(|(ticket, _)| {
                requests.cancel(ticket);
                Ok(())
            }),
            _ => None,
        };
        match taken {
            None | Some(Err(ChannelError::Misbehaved(_))) => return,
            // One that comes after the server's last word: that is to reach the client still.
            Some(Ok(()) | Err(_)) => {}
        }
    }
}
