//! A transport over pairs of sockets, written with the public kit only.
//!
//! Each end of a connection has a thread that reads and one that writes.

use std::fmt;
use std::net::Shutdown as Way;
use std::os::unix::net::UnixStream;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, Weak};
use std::thread;
use std::time::Instant;

use witrpc::queue::{
    AnswerHandle, AnswerSink, ClientQueue, ConnectionHandle, End, Limits, MeetingPoint,
    RequestSink, ServerQueue,
};
use witrpc::transport::{
    Answer, BindConfig, ChannelError, ClientChannel, ClientInfo, ConnectConfig, Initiator, Request,
    Responder, ServerPort, Ticket, Transport,
};
use witrpc::{BindError, ConnectError};

use crate::frame;
use crate::frame_cipher::{self, Directions, FrameCipher};

/// A place where a server and its clients meet. Clones lead to the same place.
#[derive(Clone, Default)]
pub(crate) struct Wire(Arc<Place>);

#[derive(Default)]
struct Place {
    limits: Limits,
    server: Mutex<Weak<ServerQueue>>,
    threads: Mutex<Threads>,
    /// A thread has ended.
    ended: Condvar,
    /// The server's ends of all connections.
    sockets: Mutex<Vec<Arc<UnixStream>>>,
    /// Locked by the server while it writes.
    gate: Mutex<()>,
    /// The bytes of answers that the server has written.
    written: Mutex<Vec<u8>>,
    /// Whether the server was asked if all answers had left when they had not.
    was_late: AtomicBool,
}

/// The server's threads.
#[derive(Default)]
struct Threads {
    is_open: bool,
    running: usize,
}

/// Held by a thread of the server for as long as it runs.
struct Running(Arc<Place>);

impl Running {
    /// Returns `None` if no server takes clients.
    fn new(place: &Arc<Place>) -> Option<Self> {
        let mut threads = place.threads.lock().unwrap();
        if !threads.is_open {
            return None;
        }
        threads.running += 1;
        Some(Self(Arc::clone(place)))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.0.threads.lock().unwrap().running -= 1;
        self.0.ended.notify_all();
    }
}

impl Wire {
    pub(crate) fn with(limits: Limits) -> Self {
        Self(Arc::new(Place { limits, ..Place::default() }))
    }

    /// Cuts all connections, like a machine that fails.
    pub(crate) fn cut(&self) {
        for socket in self.0.sockets.lock().unwrap().iter() {
            // It may have been closed already.
            let _ = socket.shutdown(Way::Both);
        }
    }

    /// Holds back what the server writes.
    pub(crate) fn hold(&self) -> MutexGuard<'_, ()> {
        self.0.gate.lock().unwrap()
    }

    /// Returns whether the server was asked if all answers had left when they had not.
    pub(crate) fn was_late(&self) -> bool {
        self.0.was_late.load(SeqCst)
    }

    /// Returns whether these bytes were among the answers that the server has written.
    pub(crate) fn shows(&self, bytes: &[u8]) -> bool {
        self.0.written.lock().unwrap().windows(bytes.len()).any(|window| window == bytes)
    }

    /// Returns the server's end of the newest connection.
    pub(crate) fn newest(&self) -> Arc<UnixStream> {
        Arc::clone(self.0.sockets.lock().unwrap().last().expect("a client has connected"))
    }
}

impl fmt::Debug for Wire {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Wire").finish_non_exhaustive()
    }
}

impl MeetingPoint for Place {
    fn close(&self) {
        self.threads.lock().unwrap().is_open = false;
    }

    fn join(&self, until: Option<Instant>) -> bool {
        let threads = self.threads.lock().unwrap();
        let run = |threads: &mut Threads| threads.running > 0;
        let Some(at) = until else {
            drop(self.ended.wait_while(threads, run).unwrap());
            return true;
        };
        let left = at.saturating_duration_since(Instant::now());
        let (threads, _) = self.ended.wait_timeout_while(threads, left, run).unwrap();
        threads.running == 0
    }
}

impl Transport for Wire {
    fn bind(&self, config: BindConfig) -> Result<Arc<dyn ServerPort>, BindError> {
        let server = ServerQueue::new(Arc::clone(&self.0) as _, config, self.0.limits)?;
        *self.0.server.lock().unwrap() = Arc::downgrade(&server);
        self.0.threads.lock().unwrap().is_open = true;
        Ok(server)
    }

    fn connect(&self, config: ConnectConfig) -> Result<Arc<dyn ClientChannel>, ConnectError> {
        let (near, far) = UnixStream::pair().expect("there are sockets");
        let (near, far) = (Arc::new(near), Arc::new(far));
        let running = Running::new(&self.0).ok_or(ConnectError::HungUp)?;
        self.0.sockets.lock().unwrap().push(Arc::clone(&far));
        let place = Arc::clone(&self.0);
        thread::spawn(move || {
            serve(&place, &far);
            drop(running);
        });

        let lost = |_| ConnectError::HungUp;
        let demands = config.credentials.demands();
        let (mut ours, mut theirs) = frame_cipher::of_client(&near, &config.credentials)?;
        let hello = ours.seal(frame::frame(frame::HELLO, &[&config.hello]));
        frame::write(&near, &hello).map_err(lost)?;
        match theirs.read(&near).map_err(lost)? {
            (frame::WELCOME, welcome) => {
                let directions = (ours.for_messages(demands), theirs.for_messages(demands));
                Ok(self.welcomed(welcome, near, directions))
            }
            (frame::REFUSAL, why) if why.is_empty() => Err(ConnectError::ShuttingDown),
            (frame::REFUSAL, why) => Err(ConnectError::Refused(why)),
            _ => Err(ConnectError::HungUp),
        }
    }
}

impl Wire {
    fn welcomed(
        &self,
        welcome: Vec<u8>,
        near: Arc<UnixStream>,
        (ours, theirs): Directions,
    ) -> Arc<ClientQueue> {
        let (frames, orders) = mpsc::channel();
        let (client, answers) = ClientQueue::new(welcome, self.0.limits, Requests { frames });
        let socket = Arc::clone(&near);
        thread::spawn(move || send_all(&socket, ours, &orders, None));
        thread::spawn(move || hear(&near, theirs, &answers));
        client
    }
}

/// The answers to one client that have not left. While there are too many, no more is read from it.
struct Kept {
    /// `None` when no thread writes any more.
    count: Mutex<Option<usize>>,
    fewer: Condvar,
    /// Whether the server drains, so that a shutdown may wait for these.
    drains: AtomicBool,
    place: Arc<Place>,
}

impl Kept {
    const MOST: usize = 64;

    fn new(place: &Arc<Place>) -> Arc<Self> {
        let (count, fewer) = (Mutex::new(Some(0)), Condvar::new());
        Arc::new(Self { count, fewer, drains: AtomicBool::new(false), place: Arc::clone(place) })
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
        self.changed();
    }

    fn end(&self) {
        *self.count.lock().unwrap() = None;
        self.changed();
    }

    /// Makes a shutdown that waits for the last of these look again.
    fn changed(&self) {
        self.fewer.notify_all();
        if self.drains.load(SeqCst) && self.is_empty() {
            let server = self.place.server.lock().unwrap().upgrade();
            server.into_iter().for_each(|server| server.ring());
        }
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

/// The order for a thread that writes: a frame, or `None` to end.
type Order = Option<Vec<u8>>;

/// Writes until it is told to end, or cannot; then the connection is closed.
fn send_all(
    socket: &UnixStream,
    mut cipher: FrameCipher,
    orders: &Receiver<Order>,
    kept: Option<&Kept>,
) {
    while let Ok(Some(frame)) = orders.recv() {
        let is_last = frame::content(&frame)[0] == frame::END;
        let gate = kept.map(|kept| kept.place.gate.lock().unwrap());
        let frame = cipher.seal(frame);
        let sent = frame::write(socket, &frame);
        drop(gate);
        if let Some(kept) = kept {
            kept.place.written.lock().unwrap().extend(&frame);
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

/// The sending half of a client.
struct Requests {
    frames: Sender<Order>,
}

impl RequestSink for Requests {
    fn send(&self, request: Request) {
        // If no thread writes any more, the thread that reads reports that.
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
fn hear(socket: &UnixStream, mut cipher: FrameCipher, answers: &AnswerHandle) {
    while let Ok((kind, rest)) = cipher.read(socket) {
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

/// The sending half of a server, for one client.
struct Answers {
    frames: Sender<Order>,
    kept: Arc<Kept>,
}

impl Answers {
    fn put(&self, frame: Vec<u8>) {
        self.kept.add();
        // If no thread writes any more, the thread that reads finds the end.
        let _ = self.frames.send(Some(frame));
    }
}

impl AnswerSink for Answers {
    fn send(&self, ticket: Ticket, answer: Answer) {
        self.put(frame::of_answer(ticket, &answer));
    }

    fn drain(&self) {
        self.kept.drains.store(true, SeqCst);
        self.put(frame::frame(frame::DRAIN, &[]));
    }

    fn close(&self, end: End) {
        self.put(frame::frame(frame::END, &[&[end.code()]]));
    }

    fn has_delivered(&self) -> bool {
        let has_delivered = self.kept.is_empty();
        self.kept.place.was_late.fetch_or(!has_delivered, SeqCst);
        has_delivered
    }
}

/// Serves one client, until the connection ends.
fn serve(place: &Arc<Place>, socket: &UnixStream) {
    let (frames, orders) = mpsc::channel();
    let kept = Kept::new(place);
    let Ok((frame::EXCHANGE, opening)) = frame::read(socket) else { return };
    let server = || place.server.lock().unwrap().upgrade();
    let Some((demands, (reply, exchanged))) = server().map(|server| {
        let guard = server.guard();
        (guard.demands(), frame_cipher::reply(guard, &opening))
    }) else {
        return;
    };
    let _ = frame::write(socket, &reply);
    let Some(((mut ours, mut theirs), clearance)) = exchanged else { return };
    // A hello that opens was sealed by this client, and is no repetition by another.
    let Ok((frame::HELLO, hello)) = theirs.read(socket) else { return };
    let Some(server) = server() else { return };
    let client = ClientInfo::new(std::process::id(), 0).cleared(clearance);
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
            let refusal = ours.seal(frame::frame(frame::REFUSAL, &[&why]));
            let _ = frame::write(socket, &refusal);
            return;
        }
    };
    let welcome = ours.seal(frame::frame(frame::WELCOME, &[&welcome]));
    let _ = frame::write(socket, &welcome);
    let (ours, theirs) = (ours.for_messages(demands), theirs.for_messages(demands));
    let answers = &*kept;
    thread::scope(|scope| {
        scope.spawn(move || send_all(socket, ours, &orders, Some(answers)));
        take(socket, theirs, &requests, answers);
        drop(requests);
        let _ = socket.shutdown(Way::Both);
    });
}

fn take(socket: &UnixStream, mut cipher: FrameCipher, requests: &ConnectionHandle, answers: &Kept) {
    while let Ok((kind, rest)) = cipher.read(socket) {
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
            // A request after the server's last frame is ignored, because that frame must still
            // reach the client.
            Some(Ok(()) | Err(_)) => {}
        }
    }
}
