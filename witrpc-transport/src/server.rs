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

/// How a server ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Shutdown {
    /// At once: what runs is cut off.
    Now,
    /// After all that had arrived was answered.
    Drained,
    /// As if it had died: clients that reconnect look for another.
    Failed,
}

/// The server's end of one connection. Any thread may call any method, several at once, and none ever waits
/// for the client. Handlers keep it beyond the end of the connection.
pub trait Peer: Send + Sync {
    /// Returns the client at the other end.
    fn client(&self) -> &ClientInfo;

    /// Returns what [`Admission::admit`](crate::Admission::admit) gave it.
    fn session(&self) -> &Session;

    /// Answers a call, once, from any thread, without ever waiting for the client.
    ///
    /// An answer that finds no space is kept by the transport until there is some, in private memory if
    /// need be. So the transport needs back-pressure of its own: it takes no further requests of a client
    /// for which it keeps too much. Otherwise a client that sends and never reads takes all memory of the
    /// server.
    ///
    /// # Errors
    ///
    /// [`ChannelError::TooLarge`]: the call is still unanswered, and is answered by something shorter.
    /// Anything else: the client is not there to hear it.
    fn answer(&self, ticket: Ticket, answer: Outgoing<'_>) -> Result<(), ChannelError>;

    /// Returns whether the client is still there, as far as the transport knows by now.
    fn is_connected(&self) -> bool;

    /// Returns what gives out space that answers can hand over, if the transport has such. It never waits
    /// for the client.
    fn lessor(&self) -> Option<&dyn Lessor> {
        None
    }

    /// Returns whether the caller has [given the call up](crate::ClientChannel::abandon), or the client has
    /// gone. To be asked while the call is unanswered; cheap enough for a loop. A transport that
    /// cannot tell says when the client has gone.
    fn is_cancelled(&self, _ticket: Ticket) -> bool {
        !self.is_connected()
    }

    /// Has `waker` woken once [`is_cancelled`](Self::is_cancelled) says so, which may be at once and on this
    /// thread. Gives the key by which [`unwatch`](Self::unwatch) takes it back. A transport that cannot tell
    /// never wakes it.
    fn watch(&self, _ticket: Ticket, _waker: &Waker) -> u64 {
        0
    }

    /// Wakes no waker for this key any more, but for a wake that is under way; each watch is taken back, woken
    /// or not.
    fn unwatch(&self, _key: u64) {}
}

/// What a transport adds to the metrics of a server. One that counts some of it sets these fields of the
/// default.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Usage {
    /// Memory that is reserved for clients, shared and private; in bytes. A client that has gone
    /// counts for as long as its handlers run or leases of its connection
    /// are kept.
    pub reserved_memory: u64,
    /// Connections that ended because the client broke the protocol.
    pub broken_connections: u64,
    /// Clients that the transport itself turned away, before their hello was read.
    pub refused_handshakes: u64,
}

/// A bound name, seen by the server's threads.
///
/// The threads belong to the server: each has a [`Scanner`]. At any time at most one of them is the *poller*,
/// which looks for requests and runs what it finds. The others sleep in [`park`](Self::park). Any thread may
/// call any method. Only `park` and [`join`](Self::join) block.
pub trait ServerPort: fmt::Debug + Send + Sync {
    /// Returns the name that clients connect to; empty for a place without one.
    fn name(&self) -> &str {
        ""
    }

    /// Returns a view for one thread to look for requests with; called once on each thread of the server.
    /// Only the poller uses its scanner; where the last one stopped is remembered here.
    fn scanner(&self) -> Box<dyn Scanner + '_>;

    /// Sleeps until something rings, or the time is over; `None` has no limit. It may return earlier. Called
    /// by the server's threads that are not the poller, any number at once; one ring wakes one of them.
    fn park(&self, timeout: Option<Duration>);

    /// Rings: wakes one sleeping thread, or the next that would sleep. Rings that meet no sleeper may
    /// count as one. It never waits, and is called from any thread, by wakers too.
    fn ring(&self);

    /// Turns new clients away; connected ones go on. It does not wait for handshakes under way, which end
    /// with a refusal. It may be called again.
    fn stop_accepting(&self);

    /// Returns the clients that are connected at this moment.
    fn clients(&self) -> Vec<ClientInfo>;

    /// Returns what it takes of the machine, and what it had to end. Called whenever metrics are read.
    fn usage(&self) -> Usage {
        Usage::default()
    }

    /// Closes one client's connection, without waiting for it; `false` when there is none of that id. Its
    /// calls in flight end with [`ChannelError::Disconnected`].
    fn disconnect(&self, client_id: u64) -> bool;

    /// Tells clients that nothing new is taken. What has arrived is found by the next turns of a
    /// scanner, up to the first that finds nothing. The layers above refuse calls that later turns find.
    /// Called after [`stop_accepting`](Self::stop_accepting), perhaps more than once.
    fn drain(&self);

    /// Returns whether the clients that are there could fetch all answers given so far, or whether some
    /// still wait for space. Asked after a scanner's last look while draining; as the rest leaves,
    /// scanners find something to do, or the transport rings: else the shutdown does not ask again before
    /// its time is over. Clients that have gone are not waited for.
    fn has_delivered(&self) -> bool {
        true
    }

    /// Closes every connection and gives the name up. It waits neither for code of users nor for clients, and
    /// may be called on any thread, that of a handler too. The first call counts. After
    /// [`Shutdown::Drained`], calls that are unanswered, and later ones, end with
    /// [`ChannelError::ShuttingDown`]: they were not taken. After [`Shutdown::Failed`] they end with
    /// [`ChannelError::PeerDied`].
    ///
    /// From here on scanners find nothing. Threads that are parked need not be woken: the layers above ring.
    fn close(&self, how: Shutdown);

    /// After [`close`](Self::close), and after the server's own threads have ended: waits until the threads
    /// of the transport have ended, until that time at the most; `None` has no limit. Returns whether they
    /// have, so that no code of the transport or of users runs on them any more, such as
    /// [`Admission::left`](crate::Admission::left).
    ///
    /// Called by a shutdown on a thread of the user, perhaps by several at once and more than once. On a
    /// thread of the transport itself it returns `false`. A transport without threads need not implement it.
    fn join(&self, _until: Option<Instant>) -> bool {
        true
    }
}

/// What a [`Scanner`] hands new requests to.
pub trait Serve {
    /// Serves a request: it runs the handler, so it may take as long as that. No panic of the handler comes
    /// through it. The request stays where the scanner has put it, so that a short one is decoded there;
    /// what is needed for longer is taken out of it.
    ///
    /// An answer that is put into `answer`, which is empty, is the request's, and for the scanner to send: it
    /// has the connection at hand. Without one, the request is answered through its peer, now or later.
    fn serve(
        &mut self,
        peer: &Arc<dyn Peer>,
        request: &mut Request,
        answer: &mut Option<ShortAnswer>,
    );

    /// Serves a request that is short and has no deadline, as [`serve`](Self::serve) would. To a scanner that
    /// tells these apart, it costs less.
    fn serve_short(
        &mut self,
        peer: &Arc<dyn Peer>,
        request: &ShortRequest<'_>,
        answer: &mut Option<ShortAnswer>,
    ) {
        self.serve(peer, &mut request.request(), answer);
    }

    /// To be called after each request, when the answer that was put there has been sent. A break says that
    /// this thread is not to look any more.
    fn settled(&mut self) -> ControlFlow<()>;
}

/// Serves by a function that answers through the peer; what it returns says whether to go on.
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

/// Says by its client's [id](ClientInfo::id) and by its tag whether a request may be taken. It never waits.
pub type Only<'a> = &'a dyn Fn(u64, u32) -> bool;

/// One thread's view of the places where requests appear.
///
/// It is used by its thread alone, and only while that is the poller, but for [`arm`](Self::arm). While it
/// serves a request, another thread may become the poller and use a scanner of its own: no lock is held
/// then, and nothing is relied on that the other may change.
pub trait Scanner {
    /// Looks once at every place that has lately been busy or has rung, and hands each new request
    /// to `serve` until that breaks. A break says that this thread is not the poller any more, or that the
    /// server has stopped: nothing more is looked at. Returns whether it found anything. It never waits
    /// for a client.
    ///
    /// Clients take turns, so that one with many requests does not hold up the others, and a turn ends
    /// however many requests come. With `only`, requests that it refuses stay where they are and must not
    /// come to `serve`: there is no thread for them. All else is done as ever (space, segments, closed
    /// connections).
    ///
    /// A request that arrives while `serve` runs needs another thread: the transport
    /// [rings](ServerPort::ring), at once or after a short time.
    fn turn(&mut self, only: Option<Only<'_>>, serve: &mut dyn Serve) -> bool;

    /// Something is about to run on this thread that may take long, and is no request of the present
    /// turn. What the scanner holds of connections is to be laid where it keeps none that ends. To
    /// do so while a request is served is the scanner's own affair.
    fn set_aside(&mut self) {}

    /// Has every request that comes from now on ring, then looks once more, and serves nothing. Called when
    /// the thread has just ceased to be the poller, so another may have begun. `true`: there is something
    /// to do already that `only` does not refuse. A request is either seen by this look or rings: otherwise
    /// it lies there with all threads asleep.
    fn arm(&mut self, only: Option<Only<'_>>) -> bool;
}
