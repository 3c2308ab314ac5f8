//! The server's side of one handshake: a state machine that never blocks.

use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::geteuid;
use witrpc_rt::PeerCredentials;
use witrpc_transport::{Clearance, ClientInfo, ResourceError, Response};

use crate::memory::region;
use crate::memory::region::{Identity, OpenError, Opening, OwnPages, PeerPages, RegionBuilder};
use crate::sys::fd_closer;
use crate::sys::fd_closer::{ReceivedFd, Socket};
use crate::sys::fdpass::MAX_PASSED;
use crate::sys::fork::Descriptor;
use crate::sys::resource::lacked_random_bytes;

use super::control::{HandshakeContext, ServerLimits};
use super::frame::{Inbox, ReceiveError, UnsentFrame};
use super::offered::Offered;
use super::peer::Established;
use super::record::{
    ClientOpening, Exchanged, Failure, Inquiry, MAX_REPORT_LEN, Nonce, Offer, PROTOCOL_VERSION,
    Record, ServerOpening, Told, Verdict, prologue,
};
use super::records::Records;

/// A peer that has connected and is not a client yet: a *stranger*.
pub struct PendingHandshake {
    socket: Socket,
    who: PeerCredentials,
    came: Instant,
    /// How long the handshake may take.
    timeout: Duration,
    stage: HandshakeStage,
    inbox: Inbox,
    send_arena: UnsentFrame,
    /// Set from the key exchange on.
    secured: Option<Secured>,
    /// What this side lacks. The stranger is turned away for it.
    lacked: Option<ResourceError>,
    is_watched: bool,
}

/// The result of a key exchange. The stranger's first record proves that it has the keys too.
struct Secured {
    records: Records,
    clearance: Clearance,
}

/// The message that the stranger must send next, or the message that is being sent to it.
enum HandshakeStage {
    Opening,
    KeyExchange {
        prologue: Vec<u8>,
    },
    Region,
    /// The client's region is being checked, and then the server's is made.
    RegionBuilder {
        opening: Opening,
        making: Box<dyn RegionBuilder>,
        /// The nonce of the client's region record.
        answers: Nonce,
    },
    Hello {
        regions: Regions,
        nonce: Nonce,
    },
    /// The welcome is being sent.
    Welcoming {
        client_id: u64,
    },
    /// The answer to its inquiry is being sent.
    Told,
    /// The message that turns it away is being sent.
    TurnedAway,
    /// The refusal by the layers above, which also count it, is being sent.
    Refused,
}

struct Regions {
    own: OwnPages,
    peer: PeerPages,
    doorbell: Option<Socket>,
}

/// How far a handshake has come. The control thread tells the host if the server turns the stranger
/// away.
pub enum Progress {
    /// It continues when the socket is ready again.
    Pending,
    /// It continues whenever the thread has time.
    Busy,
    /// It continues when fewer descriptors await closing, because the stranger may pass more of them.
    PutOff,
    /// The stranger is a client.
    Welcomed,
    /// The stranger was turned away, broke a rule, or left.
    Over,
}

impl PendingHandshake {
    pub fn new(socket: Socket, who: PeerCredentials, timeout: Duration) -> Self {
        let (inbox, send_arena) = (Inbox::new(), UnsentFrame::default());
        let (came, stage) = (Instant::now(), HandshakeStage::Opening);
        let (secured, lacked, is_watched) = (None, None, true);
        Self { socket, who, came, timeout, stage, inbox, send_arena, secured, lacked, is_watched }
    }

    /// Refuses the stranger for what this side lacks. The refusal is sent in place of the keys, before the
    /// stranger passes any descriptor.
    pub fn turn_away(&mut self, lacked: ResourceError) {
        self.lacked = Some(lacked);
    }

    /// Does the same for a stranger whose socket epoll does not watch. The control thread looks at it
    /// now and then.
    pub fn turn_away_unwatched(&mut self, lacked: ResourceError) {
        self.is_watched = false;
        self.turn_away(lacked);
    }

    /// Returns whether epoll watches the socket.
    pub fn is_watched(&self) -> bool {
        self.is_watched
    }

    /// Returns when the stranger was accepted.
    pub fn came(&self) -> Instant {
        self.came
    }

    /// Returns when to drop it, if the handshake is still pending then.
    pub fn deadline(&self) -> Instant {
        self.came + self.timeout
    }

    /// Returns whether the stranger has neither been admitted nor turned away.
    pub fn is_undecided(&self) -> bool {
        !matches!(
            self.stage,
            HandshakeStage::Told
                | HandshakeStage::Welcoming { .. }
                | HandshakeStage::TurnedAway
                | HandshakeStage::Refused
        )
    }

    /// Returns whether the handshake may go on without an event.
    pub fn needs_a_look(&self) -> bool {
        self.is_undecided() || !self.is_watched
    }

    /// Returns whether the stranger waits for work of this side.
    pub fn is_busy(&self) -> bool {
        matches!(self.stage, HandshakeStage::RegionBuilder { .. })
    }

    pub fn socket(&self) -> &Socket {
        &self.socket
    }

    /// Returns its number, once the host knows of it.
    pub fn client_id(&self) -> Option<u64> {
        match self.stage {
            HandshakeStage::Welcoming { client_id } => Some(client_id),
            _ => None,
        }
    }

    /// Returns the client's id and link after the welcome.
    pub fn into_link(self) -> Option<(u64, Socket)> {
        Some((self.client_id()?, self.socket))
    }

    /// Continues until the socket is not ready for more, or it is another handshake's turn.
    pub fn advance(&mut self, context: &mut HandshakeContext) -> Progress {
        loop {
            match self.send_arena.flush(&self.socket) {
                Ok(true) => {}
                Ok(false) => return Progress::Pending,
                Err(_) => return Progress::Over,
            }
            let next = match &self.stage {
                HandshakeStage::Opening => self.opening(context),
                HandshakeStage::KeyExchange { .. } => self.exchange_keys(context),
                HandshakeStage::Region if fd_closer::is_backed_up() => return Progress::PutOff,
                HandshakeStage::Region => self.region(context),
                HandshakeStage::RegionBuilder { .. } => match self.make() {
                    Ok(None) => return Progress::Busy,
                    next => next,
                },
                HandshakeStage::Hello { .. } => self.hello(context),
                HandshakeStage::Welcoming { .. } => return Progress::Welcomed,
                HandshakeStage::Told | HandshakeStage::TurnedAway | HandshakeStage::Refused => {
                    return Progress::Over;
                }
            };
            match next {
                Ok(Some(stage)) => {
                    if let HandshakeStage::TurnedAway = stage {
                        context.host.turned_away();
                    }
                    self.stage = stage;
                }
                Ok(None) => return Progress::Pending,
                Err(ReceiveError::Malformed(_)) => {
                    context.host.turned_away();
                    return Progress::Over;
                }
                Err(ReceiveError::HungUp | ReceiveError::Resource(_) | ReceiveError::System(_)) => {
                    return Progress::Over;
                }
            }
        }
    }

    fn opening(
        &mut self,
        context: &HandshakeContext,
    ) -> Result<Option<HandshakeStage>, ReceiveError> {
        let Some(bytes) = self.inbox.opening(&self.socket, ClientOpening::LEN)? else {
            return Ok(None);
        };
        if let Some(inquiry) = Inquiry::decode(bytes) {
            self.tell(&inquiry, context);
            return Ok(Some(HandshakeStage::Told));
        }
        let opening = ClientOpening::decode(bytes)
            .ok_or(ReceiveError::Malformed("no opening of a client"))?;
        let demands = context.host.responder().demands();
        let verdict = match opening.version {
            // Check this even if the directory lets the peer connect: only the kernel's credentials
            // count.
            PROTOCOL_VERSION if !context.uids.contains(&self.who.uid) => Verdict::NotAllowed,
            PROTOCOL_VERSION if context.turns_away => Verdict::NotAccepting,
            PROTOCOL_VERSION if context.is_full => Verdict::Full,
            PROTOCOL_VERSION if opening.demands != demands => Verdict::OtherDemands,
            PROTOCOL_VERSION => Verdict::Proceed,
            _ => Verdict::OtherVersion,
        };
        let limits = &context.limits;
        let offer = Offer {
            backend: limits.backend.code(),
            lanes: limits.lanes,
            client_region_len: limits.client_region_len as u64,
            server_region_len: limits.server_region_len as u64,
            max_message_len: limits.max_message_len,
        };
        let (version, generation) = (PROTOCOL_VERSION, context.generation);
        let answer = ServerOpening { version, verdict, offer, generation, demands };
        self.send_arena.opening(&answer.encode());
        Ok(Some(match verdict {
            Verdict::Proceed => {
                HandshakeStage::KeyExchange { prologue: prologue(&opening, &answer, &context.name) }
            }
            _ => HandshakeStage::TurnedAway,
        }))
    }

    /// Sends the report, only to the server's own user. For another user, an inquiry gets no further
    /// than a client of that user would.
    fn tell(&mut self, inquiry: &Inquiry, context: &HandshakeContext) {
        let report;
        let told = if self.who.uid != geteuid().as_raw() {
            Told::NotAllowed
        } else if inquiry.version != PROTOCOL_VERSION {
            Told::OtherVersion { theirs: PROTOCOL_VERSION }
        } else {
            report = context.host.report();
            debug_assert!(report.len() <= MAX_REPORT_LEN);
            Told::Report(&report)
        };
        self.send_arena.framed(&told.encode());
    }

    fn exchange_keys(
        &mut self,
        context: &HandshakeContext,
    ) -> Result<Option<HandshakeStage>, ReceiveError> {
        let Some(message) = self.inbox.exchanged(&self.socket)? else { return Ok(None) };
        let HandshakeStage::KeyExchange { prologue } = &self.stage else {
            unreachable!("the stage is what `advance` matched");
        };
        let responded = match self.lacked.take() {
            Some(lacked) => Err(lacked),
            None => {
                context.host.responder().respond(prologue, message).map_err(lacked_random_bytes)
            }
        };
        let refused = match responded {
            Ok(Some(response)) => return Ok(Some(self.secure(response))),
            Ok(None) => Exchanged::Rejected.encode(),
            Err(lacked) => Exchanged::Lacking(&lacked.encode()).encode(),
        };
        self.send_arena.framed(&refused);
        Ok(Some(HandshakeStage::TurnedAway))
    }

    fn secure(&mut self, response: Response) -> HandshakeStage {
        self.send_arena.framed(&Exchanged::Message(&response.message).encode());
        let records = Records::new(response.keys);
        self.secured = Some(Secured { records, clearance: response.clearance });
        HandshakeStage::Region
    }

    fn region(
        &mut self,
        context: &HandshakeContext,
    ) -> Result<Option<HandshakeStage>, ReceiveError> {
        let sealed = match self.inbox.small_record(&self.socket) {
            Ok(Some(sealed)) => sealed,
            Ok(None) => return Ok(None),
            // This process has no room for the region that came.
            Err(ReceiveError::Resource(lacked)) => return Ok(Some(self.lack(&lacked))),
            Err(error) => return Err(error),
        };
        // Nothing is made before this record has proved that the stranger has the keys.
        let opened = secured(&mut self.secured).records.open(sealed);
        let Some(Record::Region { region, nonce: answers, .. }) =
            opened.as_deref().and_then(Record::decode)
        else {
            return Err(ReceiveError::Malformed("no region record"));
        };
        let passed = self.inbox.take_passed();
        let peer_is_self = self.who.is_self();
        let opening = match begin_client_region(passed, region, &context.limits, peer_is_self) {
            Ok(opening) => opening,
            Err(error) => return Ok(Some(self.refuse(error))),
        };
        match region::begin(context.limits.backend, context.limits.server_region_len) {
            Ok(making) => Ok(Some(HandshakeStage::RegionBuilder { opening, making, answers })),
            Err(lacked) => Ok(Some(self.lack(&lacked))),
        }
    }

    /// Checks the next part of the client's region, makes the next part of the server's, or sends that;
    /// returns `None` while parts are left.
    fn make(&mut self) -> Result<Option<HandshakeStage>, ReceiveError> {
        if has_hung_up(&self.socket) {
            return Err(ReceiveError::HungUp);
        }
        let HandshakeStage::RegionBuilder { opening, making, .. } = &mut self.stage else {
            unreachable!("the stage is what `advance` matched");
        };
        match opening.step() {
            Ok(true) => {}
            Ok(false) => return Ok(None),
            Err(error) => return Ok(Some(self.refuse(error))),
        }
        match making.step() {
            Ok(true) => {}
            Ok(false) => return Ok(None),
            Err(lacked) => return Ok(Some(self.lack(&lacked))),
        }
        let HandshakeStage::RegionBuilder { opening, making, answers } =
            std::mem::replace(&mut self.stage, HandshakeStage::TurnedAway)
        else {
            unreachable!("it was that a moment ago");
        };
        let peer = match opening.finish() {
            Ok(peer) => peer,
            Err(error) => return Ok(Some(self.refuse(error))),
        };
        let offered = match Offered::new(making) {
            Ok(offered) => offered,
            Err(lacked) => return Ok(Some(self.lack(&lacked))),
        };
        let Offered { made, nonce, doorbell, inode, their_bell } = offered;
        let record = Record::Region { region: made.identity, doorbell: inode, nonce, answers };
        let passed = made.file.into_iter().chain(their_bell).collect();
        self.say(&record, passed);
        let regions = Regions { own: made.pages, peer, doorbell };
        Ok(Some(HandshakeStage::Hello { regions, nonce }))
    }

    fn hello(
        &mut self,
        context: &mut HandshakeContext,
    ) -> Result<Option<HandshakeStage>, ReceiveError> {
        let Some(sealed) = self.inbox.long_record(&self.socket)? else { return Ok(None) };
        let opened = secured(&mut self.secured).records.open(&sealed);
        let Some(Record::Hello { answers, blob }) = opened.as_deref().and_then(Record::decode)
        else {
            return Err(ReceiveError::Malformed("no hello record"));
        };
        let HandshakeStage::Hello { regions, nonce } =
            std::mem::replace(&mut self.stage, HandshakeStage::TurnedAway)
        else {
            unreachable!("the stage is what `advance` matched");
        };
        if answers != nonce {
            return Ok(Some(self.fail(Failure::FoundWrong)));
        }
        // Other clients may have been admitted since the opening.
        if context.is_full || context.turns_away {
            let failure = if context.is_full { Failure::Full } else { Failure::NotAccepting };
            return Ok(Some(self.fail(failure)));
        }
        let clearance = secured(&mut self.secured).clearance.clone();
        let client = ClientInfo::new(self.who.pid, self.who.uid).cleared(clearance);
        if let Err(lacked) = context.host.watch(client.id, regions.doorbell.as_ref()) {
            return Ok(Some(self.lack(&lacked)));
        }
        match context.host.admit(&client, blob).into_result() {
            Ok((welcome, session)) => {
                // This is the last record. From here on, the keys are for messages. It is sent after
                // this returns.
                self.say(&Record::Welcome(&welcome), Vec::new());
                let client_id = client.id;
                context.host.connected(client, session, self.established(regions, context));
                Ok(Some(HandshakeStage::Welcoming { client_id }))
            }
            Err(reason) => {
                self.say(&Record::Refusal(&reason), Vec::new());
                Ok(Some(HandshakeStage::Refused))
            }
        }
    }

    fn established(&mut self, regions: Regions, context: &HandshakeContext) -> Established {
        let Regions { own, peer, doorbell } = regions;
        let secured = self.secured.take().filter(|_| context.host.responder().demands().encryption);
        Established {
            credentials: self.who,
            own,
            peer,
            doorbell,
            lanes: context.limits.lanes,
            max_message_len: context.limits.max_message_len,
            keys: secured.map(|secured| secured.records.into_keys()),
        }
    }

    fn fail(&mut self, failure: Failure) -> HandshakeStage {
        self.say(&Record::Failure(failure), Vec::new());
        HandshakeStage::TurnedAway
    }

    /// Turns a stranger away for its region.
    fn refuse(&mut self, error: OpenError) -> HandshakeStage {
        match error {
            // The region is valid, but this process has no room for it.
            OpenError::Resource(lacked) => self.lack(&lacked),
            _ => self.fail(Failure::FoundWrong),
        }
    }

    fn lack(&mut self, lacked: &ResourceError) -> HandshakeStage {
        self.say(&Record::Lacking(&lacked.encode()), Vec::new());
        HandshakeStage::TurnedAway
    }

    fn say(&mut self, record: &Record<'_>, passed: Vec<Descriptor>) {
        self.send_arena.record(record, &mut secured(&mut self.secured).records, passed);
    }
}

/// Returns whether the peer has hung up, so that a region would be made for no client.
fn has_hung_up(socket: &Socket) -> bool {
    let mut ready = [PollFd::new(socket, PollFlags::RDHUP)];
    let gone = PollFlags::RDHUP | PollFlags::HUP | PollFlags::ERR;
    poll(&mut ready, Some(&Timespec::default())).is_ok() && ready[0].revents().intersects(gone)
}

/// Returns the result of the key exchange. Call it only between the key exchange and the welcome.
fn secured(secured: &mut Option<Secured>) -> &mut Secured {
    secured.as_mut().expect("no stage after the key exchange comes before it")
}

fn begin_client_region(
    passed: [Option<ReceivedFd>; MAX_PASSED],
    region: Identity,
    limits: &ServerLimits,
    peer_is_self: bool,
) -> Result<Opening, OpenError> {
    let other = OpenError::OtherBackend(limits.backend);
    let [file, None] = passed else { return Err(other) };
    if region.size() != limits.client_region_len as u64 {
        return Err(other);
    }
    Opening::begin(limits.backend, region, file, peer_is_self)
}
