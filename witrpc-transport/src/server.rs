//! A server's half of a transport.

use std::fmt;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::task::Waker;
use std::time::{Duration, Instant};

use crate::admission::{ClientInfo, Session};
use crate::error::ChannelError;
use crate::lease::Lessor;
use crate::message::{Outgoing, Request, Ticket};
use crate::short::{ShortAnswer, ShortRequest};

/// The way in which a server ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Shutdown {
    /// At once: running calls are cut off.
    Now,
    /// After all that had arrived was answered.
    Drained,
    /// As if it had died: clients that reconnect look for another server.
    Failed,
}

/// The server's end of one connection. Any thread may call any method, several at once, and none ever waits
/// for the client. Handlers keep it beyond the end of the connection.
pub trait Peer: Send + Sync {
    /// Returns the client at the other end.
    fn client(&self) -> &ClientInfo;

    /// Returns the session that [`Admission::admit`](crate::Admission::admit) has made.
    fn session(&self) -> &Session;

    /// Answers a call, once, from any thread, without ever waiting for the client.
    ///
    /// The transport keeps an answer that finds no space until there is some, in private memory if need be. So
    /// the transport needs back-pressure: it takes no further requests of a client for which it keeps too much.
    /// Otherwise a client that sends and never reads takes all memory of the server.
    ///
    /// # Errors
    ///
    /// [`ChannelError::TooLarge`]: the call is still unanswered, and needs a shorter answer. With any other
    /// error, the client is gone.
    fn answer(&self, ticket: Ticket, answer: Outgoing<'_>) -> Result<(), ChannelError>;

    /// Returns whether the client is still there, as far as the transport has noticed.
    fn is_connected(&self) -> bool;

    /// Returns the lessor of space that answers can hand over, if the transport has one. It never waits for the
    /// client.
    fn lessor(&self) -> Option<&dyn Lessor> {
        None
    }

    /// Returns whether the caller has [given the call up](crate::ClientChannel::abandon), or the client has
    /// gone. Ask while the call is unanswered. It is cheap enough for a loop. A transport that cannot see the
    /// former returns whether the client has gone.
    fn is_cancelled(&self, _ticket: Ticket) -> bool {
        !self.is_connected()
    }

    /// Wakes `waker` once [`is_cancelled`](Self::is_cancelled) is true, perhaps at once and on this thread.
    /// Returns the key by which [`unwatch`](Self::unwatch) takes it back. A transport that cannot see it never
    /// wakes it.
    fn watch(&self, _ticket: Ticket, _waker: &Waker) -> u64 {
        0
    }

    /// Stops waking for this key, except for a wake in progress. Each watch is taken back, woken or not.
    fn unwatch(&self, _key: u64) {}
}

/// A transport's part of the metrics of a server. A transport sets the fields that it counts, and leaves the
/// others at their default.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Usage {
    /// Memory that is reserved for clients, shared and private, in bytes. A client that has gone counts for as
    /// long as its handlers run or leases of its connection are kept.
    pub reserved_memory: u64,
    /// Connections that ended because the client broke the protocol.
    pub broken_connections: u64,
    /// Clients that the transport itself turned away, before their hello was read.
    pub refused_handshakes: u64,
}

/// A bound name, as the server's threads see it.
///
/// The threads belong to the server: each has a [`Scanner`]. At any time at most one of them is the *poller*,
/// which looks for requests and runs what it finds. The others sleep in [`park`](Self::park). Any thread may
/// call any method. Only `park` and [`join`](Self::join) block.
pub trait ServerPort: fmt::Debug + Send + Sync {
    /// Returns the name that clients connect to. It is empty for a place without one.
    fn name(&self) -> &str {
        ""
    }

    /// Returns a view for one thread to look for requests with. Called once on each thread of the server. Only
    /// the poller uses its scanner. The port stores where the last one stopped.
    fn scanner(&self) -> Box<dyn Scanner + '_>;

    /// Sleeps until something rings, or the time is over; `None` has no limit. It may return earlier. Any
    /// number of the server's other threads call it at once. One ring wakes one of them.
    fn park(&self, timeout: Option<Duration>);

    /// Wakes one sleeping thread, or the next that would sleep. This is a *ring*. Rings without a sleeper may
    /// count as one. It never waits, and is called from any thread, and by wakers too.
    fn ring(&self);

    /// Turns new clients away; connected ones go on. It does not wait for handshakes under way, which end
    /// with a refusal. It may be called again.
    fn stop_accepting(&self);

    /// Returns the clients that are connected at this moment.
    fn clients(&self) -> Vec<ClientInfo>;

    /// Returns the resources that it uses, and the connections that it had to end. Called whenever metrics are
    /// read.
    fn usage(&self) -> Usage {
        Usage::default()
    }

    /// Closes one client's connection, without waiting for it. Returns `false` if there is no client of that
    /// id. Its calls in flight end with [`ChannelError::Disconnected`].
    fn disconnect(&self, client_id: u64) -> bool;

    /// Announces to clients that nothing new is taken. The next turns of a scanner find what has arrived, up to
    /// the first that finds nothing. The layers above refuse calls that later turns find. Called after
    /// [`stop_accepting`](Self::stop_accepting), perhaps more than once.
    fn drain(&self);

    /// Returns whether the connected clients could fetch all answers given so far, or whether some still wait
    /// for space. Asked while draining, after a scanner's last look. As the rest leaves, scanners must find
    /// something to do, or the transport must ring. Otherwise the shutdown does not ask again before its time
    /// is over. Clients that have gone do not delay it.
    fn has_delivered(&self) -> bool {
        true
    }

    /// Closes every connection and gives the name up. It waits neither for user code nor for clients, and may
    /// be called on any thread, also that of a handler. The first call counts. After [`Shutdown::Drained`],
    /// unanswered and later calls end with [`ChannelError::ShuttingDown`]: they were not taken. After
    /// [`Shutdown::Failed`] they end with [`ChannelError::PeerDied`].
    ///
    /// From here on scanners find nothing. Threads that are parked need not be woken: the layers above ring.
    fn close(&self, how: Shutdown);

    /// Waits until the threads of the transport have ended, or the time is over; `None` has no limit. Called
    /// after [`close`](Self::close), and after the server's own threads have ended. Returns whether they have
    /// ended. Then they run no more code of the transport or of users, such as
    /// [`Admission::left`](crate::Admission::left).
    ///
    /// A shutdown calls this on a thread of the user. Several threads may call it at once, and more than once.
    /// On a thread of the transport itself it returns `false`. A transport without threads need not implement
    /// it.
    fn join(&self, _until: Option<Instant>) -> bool {
        true
    }
}

/// The receiver of the requests that a [`Scanner`] finds.
pub trait Serve {
    /// Serves a request: it runs the handler, so it may take as long as that. No panic of the handler comes
    /// through it. The request stays where the scanner has put it, so that a short one is decoded there. Data
    /// that is needed for longer is taken out of it.
    ///
    /// If this puts an answer into `answer`, which is empty, the scanner sends it: it has the connection at
    /// hand. Otherwise the request is answered through its peer, now or later.
    fn serve(
        &mut self,
        peer: &Arc<dyn Peer>,
        request: &mut Request,
        answer: &mut Option<ShortAnswer>,
    );

    /// Serves a short request without a deadline, as [`serve`](Self::serve) would. A scanner that tells these
    /// apart saves time by it.
    fn serve_short(
        &mut self,
        peer: &Arc<dyn Peer>,
        request: &ShortRequest<'_>,
        answer: &mut Option<ShortAnswer>,
    ) {
        self.serve(peer, &mut request.request(), answer);
    }

    /// Ends a request. The scanner calls this after each one, when the answer that was put there has been sent.
    /// A break means that this thread must stop looking.
    fn settled(&mut self) -> ControlFlow<()>;
}

/// Returns a receiver that calls a function, which answers through the peer and returns whether to go on.
pub fn serve_by<F>(serve: F) -> impl Serve
where
    F: FnMut(&Arc<dyn Peer>, &mut Request) -> ControlFlow<()>,
{
    ServeBy { serve, goes_on: ControlFlow::Continue(()) }
}

struct ServeBy<F> {
    serve: F,
    goes_on: ControlFlow<()>,
}

impl<F: FnMut(&Arc<dyn Peer>, &mut Request) -> ControlFlow<()>> Serve for ServeBy<F> {
    fn serve(
        &mut self,
        peer: &Arc<dyn Peer>,
        request: &mut Request,
        _answer: &mut Option<ShortAnswer>,
    ) {
        self.goes_on = (self.serve)(peer, request);
    }

    fn settled(&mut self) -> ControlFlow<()> {
        self.goes_on
    }
}

/// A filter by the client's [id](ClientInfo::id) and by the tag: whether a request may be taken. It never
/// waits.
pub type Only<'a> = &'a dyn Fn(u64, u32) -> bool;

/// One thread's view of the places where requests appear.
///
/// Only its thread uses it, and only while that is the poller, except for
/// [`request_wakeup`](Self::request_wakeup). While it serves a request, another thread may become the poller
/// and use a different scanner. So it holds no lock then, and relies on nothing that the other may change.
pub trait Scanner {
    /// Looks once at every place that has lately been busy or has rung, and hands each new request to `serve`
    /// until that breaks. A break means that this thread is not the poller any more, or that the server has
    /// stopped: the scanner looks at nothing more. Returns whether it found anything. It never waits for a
    /// client.
    ///
    /// Clients take turns, so that a client with many requests does not delay the others. A turn ends however
    /// many requests come. With `only`, requests that it refuses stay where they are and must not come to
    /// `serve`: there is no thread for them. All else is done as usual (space, segments, closed connections).
    ///
    /// A request that arrives while `serve` runs needs another thread. The transport [rings](ServerPort::ring)
    /// for it, at once or after a short time.
    fn turn(&mut self, only: Option<Only<'_>>, serve: &mut dyn Serve) -> bool;

    /// Prepares for long work on this thread that is not a request of the present turn. The scanner must put
    /// aside what it holds of connections, so that it keeps none that ends. While it serves a request, it does
    /// that by itself.
    fn set_aside(&mut self) {}

    /// Makes every request from now on ring, then looks once more, and serves nothing. Called when the thread
    /// has just ceased to be the poller, so another may have begun. Returns `true` if there already is
    /// something to do that `only` does not refuse. Each request must either be seen by this look or ring.
    /// Otherwise it would wait while all threads sleep.
    fn request_wakeup(&mut self, only: Option<Only<'_>>) -> bool;
}
