//! The client's side of the rendezvous: finds the server and runs the handshake.

use std::io;
use std::time::{Duration, Instant};

use rustix::event::PollFlags;
use rustix::io::Errno;
use rustix::net::sockopt::{socket_domain, socket_type};
use rustix::net::{AddressFamily, SocketType};
use witrpc_rt::PeerCredentials;
use witrpc_transport::{Begun, Initiator, ResourceError};

use crate::error::ConnectError;
use crate::link::head::MESSAGE_LEN_BOUNDS;
use crate::memory::layout::{Layout, PAGE};
use crate::memory::region;
use crate::memory::region::{Identity, Made, OpenError, Opening, OwnPages, PeerPages};
use crate::portable::Backend;
use crate::sys::fd_closer::{ReceivedFd, Socket};
use crate::sys::fdpass::MAX_PASSED;
use crate::sys::fork::Descriptor;
use crate::sys::resource::{lacked_random_bytes, random_bytes};

use super::Place;
use super::deadline::{ConnectLimit, Deadline};
use super::find::{FoundServer, find};
use super::frame::{Inbox, ReceiveError, UnsentFrame};
use super::peer::{Established, inode_of};
use super::record::{
    ClientOpening, Exchanged, Failure, MAX_BLOB_LEN, Nonce, Offer, PROTOCOL_VERSION, Record,
    ServerOpening, Verdict, prologue,
};
use super::records::Records;
use crate::name::Name;

/// The first pause before the client looks again for a server that is not there yet. It doubles up to
/// the longest pause.
const FIRST_PAUSE: Duration = Duration::from_millis(1);
const LONGEST_PAUSE: Duration = Duration::from_millis(20);

/// What a client asks of a connection.
pub struct ConnectOptions<'a> {
    /// The backend that carries the connection. The server must have chosen the same.
    pub backend: Backend,
    /// The payload for the server's [`Host::admit`](super::Host::admit), at most [`MAX_BLOB_LEN`]
    /// bytes.
    pub hello: &'a [u8],
    /// How long to wait until the server serves the name. With zero, a missing server fails at once.
    pub wait_for_server: Duration,
    /// The longest region, of either side, that this client accepts, in bytes.
    pub max_region_len: u64,
    /// How long the server may take from the connect to the welcome.
    pub handshake_timeout: Duration,
    /// Begins the key exchange of each attempt.
    pub initiator: &'a dyn Initiator,
}

/// What a client holds after the handshake.
#[derive(Debug)]
pub struct Connected {
    /// The socket to the server. It hangs up when the server dies, leaves, or closes it. The client
    /// must neither read nor write it.
    pub link: Socket,
    /// When the handshake began, after which the server has made its region.
    pub since: Instant,
    /// The payload of the welcome, as the server's host wrote it.
    pub welcome: Vec<u8>,
    /// The regions and the bell.
    pub established: Established,
}

/// Finds the server of a name and becomes its client. Blocks for at most `wait_for_server +
/// handshake_timeout`, or until `limit` ends it.
///
/// # Errors
///
/// [`ConnectError`] says whether no server was found, the server refused, or the system did.
pub fn connect_within(
    name: &Name,
    place: &Place,
    options: &ConnectOptions<'_>,
    limit: &ConnectLimit,
) -> Result<Connected, ConnectError> {
    if options.hello.len() > MAX_BLOB_LEN {
        return Err(ConnectError::HelloTooLong { len: options.hello.len(), max: MAX_BLOB_LEN });
    }
    let started = Instant::now();
    let wait_for_server = limit.cut(options.wait_for_server);
    let mut pause = FIRST_PAUSE;
    let mut was_hung_up_on = false;
    loop {
        let deadline = Deadline::new(options.handshake_timeout, limit);
        let mut result = attempt(name, place, options, deadline);
        if let Err(ConnectError::HungUp) = result {
            // A server under a rush of clients may give a slow client's place to another. No call has
            // been made yet, so connecting again is safe.
            was_hung_up_on = true;
            result = attempt(name, place, options, deadline);
        }
        let error = match result {
            Ok(connected) => return Ok(connected),
            Err(error) => error,
        };
        // Each of these may come from a server that is about to be replaced by its successor.
        let may_pass = matches!(
            error,
            ConnectError::NobodyServes { .. } | ConnectError::HungUp | ConnectError::NotAccepting
        );
        let waited = started.elapsed();
        if !may_pass || waited >= wait_for_server {
            return Err(match error {
                // A server was there, and died in the handshake.
                ConnectError::NobodyServes { .. } if was_hung_up_on => ConnectError::HungUp,
                ConnectError::NobodyServes { name, places, .. } => {
                    ConnectError::NobodyServes { name, waited, places }
                }
                other => other,
            });
        }
        limit.pause(pause.min(wait_for_server - waited));
        if limit.is_interrupted() {
            return Err(ConnectError::Interrupted);
        }
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

/// Connects without a limit.
#[cfg(test)]
pub fn connect(
    name: &Name,
    place: &Place,
    options: &ConnectOptions<'_>,
) -> Result<Connected, ConnectError> {
    connect_within(name, place, options, &ConnectLimit::default())
}

fn attempt(
    name: &Name,
    place: &Place,
    options: &ConnectOptions<'_>,
    deadline: Deadline<'_>,
) -> Result<Connected, ConnectError> {
    let FoundServer { link, credentials: server, .. } = find(name, place, &deadline)?;
    Handshake::new(link, name, options, deadline).lead(server)
}

/// A handshake, run by blocking calls. It is made of the same parts as the server's side.
struct Handshake<'a> {
    link: Socket,
    name: &'a Name,
    options: &'a ConnectOptions<'a>,
    deadline: Deadline<'a>,
    inbox: Inbox,
    send_arena: UnsentFrame,
}

impl<'a> Handshake<'a> {
    fn new(
        link: Socket,
        name: &'a Name,
        options: &'a ConnectOptions<'a>,
        deadline: Deadline<'a>,
    ) -> Self {
        let (inbox, send_arena) = (Inbox::new(), UnsentFrame::default());
        Self { link, name, options, deadline, inbox, send_arena }
    }

    fn lead(mut self, credentials: PeerCredentials) -> Result<Connected, ConnectError> {
        let demands = self.options.initiator.demands();
        let ours = ClientOpening { version: PROTOCOL_VERSION, demands };
        let theirs = self.open(&ours)?;
        let offer = theirs.offer;
        let mut records = self.exchange_keys(&prologue(&ours, &theirs, self.name.as_str()))?;
        let (own, nonce) = self.send_region(&offer, &mut records)?;
        let (opening, doorbell, answers) =
            self.receive_region(&offer, nonce, credentials.is_self(), &mut records)?;
        let peer = self.open_region(opening)?;
        let hello = Record::Hello { answers, blob: self.options.hello };
        self.send(&hello, &mut records, Vec::new())?;
        let welcome = self.receive_welcome(&mut records)?;
        let Offer { lanes, max_message_len, .. } = offer;
        let keys = demands.encryption.then(|| records.into_keys());
        let established =
            Established { credentials, own, peer, doorbell, lanes, max_message_len, keys };
        let since = self.deadline.started();
        Ok(Connected { link: self.link, since, welcome, established })
    }

    fn open(&mut self, ours: &ClientOpening) -> Result<ServerOpening, ConnectError> {
        self.send_arena.opening(&ours.encode());
        self.flush()?;
        let mut bytes = [0; ServerOpening::LEN];
        let (head, rest) = bytes.split_at_mut(ServerOpening::HEAD_LEN);
        self.receive_opening(head)?;
        let odd = || misbehaved("it does not open as a server does");
        let theirs = ServerOpening::version_in(head).ok_or_else(odd)?;
        if theirs != PROTOCOL_VERSION {
            // The rest of another version's opening may have any length.
            return Err(ConnectError::OtherVersion { ours: PROTOCOL_VERSION, theirs });
        }
        self.receive_opening(rest)?;
        let opening = ServerOpening::decode(&bytes).ok_or_else(odd)?;
        match opening.verdict {
            Verdict::Full => return Err(ConnectError::ServerFull),
            Verdict::NotAccepting => return Err(ConnectError::NotAccepting),
            Verdict::NotAllowed => {
                return Err(ConnectError::NotAllowed { uid: rustix::process::geteuid().as_raw() });
            }
            Verdict::Proceed | Verdict::OtherDemands | Verdict::OtherVersion => {}
        }
        // The client checks this itself: a hostile server could drop the demands that protect the
        // client.
        if ours.demands != opening.demands {
            let (ours, theirs) = (ours.demands, opening.demands);
            return Err(ConnectError::OtherDemands { ours, theirs });
        }
        if opening.verdict != Verdict::Proceed {
            return Err(misbehaved("it turns away what it says that it wants"));
        }
        self.check(opening.offer)?;
        Ok(opening)
    }

    fn receive_opening(&mut self, out: &mut [u8]) -> Result<(), ConnectError> {
        loop {
            if let Some(bytes) = self.inbox.opening(&self.link, out.len()).map_err(broken)? {
                out.copy_from_slice(bytes);
                return Ok(());
            }
            self.wait(PollFlags::IN)?;
        }
    }

    fn exchange_keys(&mut self, prologue: &[u8]) -> Result<Records, ConnectError> {
        let Begun { message, finish, .. } =
            self.options.initiator.begin(prologue).map_err(lacked_random_bytes)?;
        self.send_arena.framed(&message);
        self.flush()?;
        let reply = loop {
            match self.inbox.exchanged(&self.link).map_err(broken)? {
                Some(reply) => break reply,
                None => self.wait(PollFlags::IN)?,
            }
        };
        match Exchanged::decode(reply) {
            Some(Exchanged::Message(reply)) => match finish(reply) {
                Some(keys) => Ok(Records::new(keys)),
                // The server does not know the secret, or has received another message than the client
                // sent.
                None => Err(ConnectError::Unauthorized),
            },
            Some(Exchanged::Rejected) => Err(ConnectError::Unauthorized),
            Some(Exchanged::Lacking(lacked)) => Err(lacking(lacked)),
            None => Err(misbehaved("its part of the key exchange is wrong")),
        }
    }

    fn check(&self, offer: Offer) -> Result<(), ConnectError> {
        let (ours, theirs) = (self.options.backend.code(), offer.backend);
        // The client checks this itself: a hostile server could drop the seals that protect the client.
        if ours != theirs {
            let (ours, theirs) = (ours.name(), theirs.name());
            return Err(ConnectError::OtherBackend { ours, theirs });
        }
        let len = offer.client_region_len;
        let max = self.options.max_region_len.min(isize::MAX as u64);
        if len > max {
            return Err(ConnectError::RegionTooLarge { len, max });
        }
        if offer.server_region_len != len || !len.is_multiple_of(PAGE as u64) {
            return Err(misbehaved("it announces regions that are not of one length in pages"));
        }
        if Layout::new(offer.lanes, len as usize).is_none() {
            return Err(misbehaved("it announces lanes that do not fit its regions"));
        }
        let (min, max) = MESSAGE_LEN_BOUNDS;
        if !(min as u64..=max as u64).contains(&offer.max_message_len) {
            return Err(misbehaved("it announces a longest message out of bounds"));
        }
        Ok(())
    }

    fn send_region(
        &mut self,
        offer: &Offer,
        records: &mut Records,
    ) -> Result<(OwnPages, Nonce), ConnectError> {
        let len = offer.client_region_len;
        let Made { pages, identity, file } = self.make_region(len as usize)?;
        let nonce = random_bytes()?;
        let record =
            Record::Region { region: identity, doorbell: 0, nonce, answers: Nonce::default() };
        self.send(&record, records, file.into_iter().collect())?;
        Ok((pages, nonce))
    }

    /// Makes this side's region. A long region takes seconds, so the deadline is checked between steps.
    fn make_region(&self, len: usize) -> Result<Made, ConnectError> {
        self.deadline.check()?;
        let mut making = region::begin(self.options.backend, len)?;
        self.deadline.bound(|| making.step().map_err(ConnectError::from))?;
        Ok(making.finish()?)
    }

    fn receive_region(
        &mut self,
        offer: &Offer,
        nonce: Nonce,
        peer_is_self: bool,
        records: &mut Records,
    ) -> Result<(Opening, Option<Socket>, Nonce), ConnectError> {
        let (region, inode, answers) = loop {
            let sealed = self.inbox.small_record(&self.link).map_err(broken)?;
            let Some(sealed) = sealed else {
                self.wait(PollFlags::IN)?;
                continue;
            };
            let opened = records.open(sealed);
            match opened.as_deref().and_then(Record::decode) {
                Some(Record::Region { region, doorbell, nonce: theirs, answers })
                    if answers == nonce =>
                {
                    break (region, doorbell, theirs);
                }
                Some(Record::Failure(failure)) => return Err(failure.into()),
                Some(Record::Lacking(lacked)) => return Err(lacking(lacked)),
                _ => return Err(misbehaved("its region record is wrong")),
            }
        };
        if region.size() != offer.server_region_len {
            return Err(misbehaved("its region has not the length that it announced"));
        }
        let passed = self.inbox.take_passed();
        let (opening, doorbell) =
            accept_passed(self.options.backend, passed, region, peer_is_self)?;
        if inode_of(doorbell.as_ref()) != Ok(inode) {
            return Err(misbehaved("the bell that came is not the one that it names"));
        }
        Ok((opening, doorbell, answers))
    }

    /// Checks the server's region and maps it. The deadline is checked between steps.
    fn open_region(&self, mut opening: Opening) -> Result<PeerPages, ConnectError> {
        self.deadline.bound(|| opening.step().map_err(not_opened))?;
        opening.finish().map_err(not_opened)
    }

    fn receive_welcome(&mut self, records: &mut Records) -> Result<Vec<u8>, ConnectError> {
        let sealed = loop {
            match self.inbox.long_record(&self.link).map_err(broken)? {
                Some(sealed) => break sealed,
                None => self.wait(PollFlags::IN)?,
            }
        };
        let opened = records.open(&sealed);
        match opened.as_deref().and_then(Record::decode) {
            Some(Record::Welcome(blob)) => Ok(blob.to_vec()),
            Some(Record::Refusal(blob)) => Err(ConnectError::Refused(blob.to_vec())),
            Some(Record::Failure(failure)) => Err(failure.into()),
            Some(Record::Lacking(lacked)) => Err(lacking(lacked)),
            _ => Err(misbehaved("its answer to the hello is wrong")),
        }
    }

    fn send(
        &mut self,
        record: &Record<'_>,
        records: &mut Records,
        passed: Vec<Descriptor>,
    ) -> Result<(), ConnectError> {
        self.send_arena.record(record, records, passed);
        self.flush()
    }

    fn flush(&mut self) -> Result<(), ConnectError> {
        flush(&mut self.send_arena, &self.link, &self.deadline)
    }

    fn wait(&self, what: PollFlags) -> Result<(), ConnectError> {
        self.deadline.wait(&self.link, what)
    }
}

/// Sends everything that is queued.
pub fn flush(
    send_arena: &mut UnsentFrame,
    link: &Socket,
    deadline: &Deadline<'_>,
) -> Result<(), ConnectError> {
    loop {
        match send_arena.flush(link) {
            Ok(true) => return Ok(()),
            Ok(false) => deadline.wait(link, PollFlags::OUT)?,
            Err(Errno::PIPE | Errno::CONNRESET) => return Err(ConnectError::HungUp),
            Err(error) => return Err(failed("send to the server")(error)),
        }
    }
}

/// Begins to open the server's region, and takes its bell. A bell comes with each region that is a file.
fn accept_passed(
    backend: Backend,
    passed: [Option<ReceivedFd>; MAX_PASSED],
    region: Identity,
    peer_is_self: bool,
) -> Result<(Opening, Option<Socket>), ConnectError> {
    let [file, doorbell] = passed;
    if doorbell.is_some() != file.is_some() {
        return Err(misbehaved("it does not pass its region and a bell"));
    }
    let opening = Opening::begin(backend, region, file, peer_is_self).map_err(not_opened)?;
    let is_bell = |doorbell: &ReceivedFd| {
        socket_domain(doorbell) == Ok(AddressFamily::UNIX)
            && socket_type(doorbell) == Ok(SocketType::STREAM)
    };
    if !doorbell.as_ref().is_none_or(is_bell) {
        return Err(misbehaved("its bell is no socket"));
    }
    Ok((opening, doorbell.map(|doorbell| Socket::new(doorbell.harmless()))))
}

fn not_opened(error: OpenError) -> ConnectError {
    match error {
        OpenError::Resource(lacked) => lacked.into(),
        wrong => ConnectError::Misbehaved { what: wrong.to_string() },
    }
}

impl From<Failure> for ConnectError {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::FoundWrong => ConnectError::FoundWrong,
            Failure::Full => ConnectError::ServerFull,
            Failure::NotAccepting => ConnectError::NotAccepting,
        }
    }
}

pub fn broken(error: ReceiveError) -> ConnectError {
    match error {
        ReceiveError::HungUp => ConnectError::HungUp,
        ReceiveError::Malformed(what) => ConnectError::Misbehaved { what: what.into() },
        ReceiveError::Resource(lacked) => lacked.into(),
        ReceiveError::System(source) => failed("receive from the server")(source),
    }
}

pub fn misbehaved(what: &'static str) -> ConnectError {
    ConnectError::Misbehaved { what: what.into() }
}

/// Returns the resource that the server says it lacks.
fn lacking(said: &[u8]) -> ConnectError {
    ResourceError::decode(said).map_or_else(
        || misbehaved("what it says that it lacks makes no sense"),
        ConnectError::ServerResource,
    )
}

fn failed<E: Into<io::Error>>(doing: &'static str) -> impl FnOnce(E) -> ConnectError {
    move |error| ConnectError::system(doing, error)
}
