//! The server's side of one handshake: a state machine that never waits.

use std::os::fd::OwnedFd;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::net::{AddressFamily, SocketFlags, SocketType, socketpair};
use rustix::process::geteuid;
use witrpc_transport::{Clearance, ClientInfo, ResourceError, Response};

use crate::memory::region;
use crate::memory::region::{Identity, Made, OpenError, OwnPages, PeerPages, RegionBuilder};
use crate::sys::fd_closer;
use crate::sys::fd_closer::{ReceivedFd, Socket};
use crate::sys::fdpass::MAX_PASSED;
use crate::sys::fork::Descriptor;
use crate::sys::resource::{self, lacked_random_bytes, random_bytes};

use super::control::{HandshakeContext, ServerLimits};
use super::frame::{Inbox, ReceiveError, UnsentFrame};
use super::peer::{Credentials, Established, inode_of};
use super::record::{
    ClientOpening, Exchanged, Failure, Inquiry, MAX_REPORT_LEN, Nonce, Offer, PROTOCOL_VERSION,
    Record, ServerOpening, Told, Verdict, prologue,
};
use super::records::Records;

/// Somebody who has connected and is not a client yet.
pub struct PendingHandshake {
    socket: Socket,
    who: Credentials,
    came: Instant,
    /// How long it may stay a stranger.
    timeout: Duration,
    stage: HandshakeStage,
    inbox: Inbox,
    send_arena: UnsentFrame,
    /// From the key exchange on.
    secured: Option<Secured>,
}

/// What a key exchange has made. That a stranger has the keys too shows in its first record.
struct Secured {
    records: Records,
    clearance: Clearance,
}

/// What is to come next from the stranger, or what is left to say to it.
enum HandshakeStage {
    Opening,
    KeyExchange {
        prologue: Vec<u8>,
    },
    Region,
    /// Our region is being made.
    RegionBuilder {
        making: Box<dyn RegionBuilder>,
        peer: PeerPages,
        /// The nonce that the client's region record came with.
        answers: Nonce,
    },
    Hello {
        regions: Regions,
        nonce: Nonce,
    },
    /// The welcome is on its way.
    Welcoming {
        client_id: u64,
    },
    /// The answer to its inquiry is on its way.
    Told,
    /// The word that turns it away is on its way.
    TurnedAway,
    /// The word by which the layers above turn it away, and count it, is on its way.
    Refused,
}

struct Regions {
    own: OwnPages,
    peer: PeerPages,
    bell: Option<Socket>,
}

/// How far a handshake has come, which the host is told of if this side turns the stranger away.
pub enum Progress {
    /// It goes on when the socket is ready again.
    Pending,
    /// It goes on whenever there is time.
    Busy,
    /// It goes on when there is less to be closed: it may pass more of that.
    PutOff,
    /// The stranger is a client.
    Welcomed,
    /// The stranger was turned away, broke a rule, or left.
    Over,
}

impl PendingHandshake {
    pub fn new(socket: Socket, who: Credentials, timeout: Duration) -> Self {
        let (inbox, send_arena) = (Inbox::new(), UnsentFrame::default());
        let (came, stage) = (Instant::now(), HandshakeStage::Opening);
        Self { socket, who, came, timeout, stage, inbox, send_arena, secured: None }
    }

    /// When it was let in.
    pub fn came(&self) -> Instant {
        self.came
    }

    /// When to drop it, if it is still a stranger then.
    pub fn deadline(&self) -> Instant {
        self.came + self.timeout
    }

    /// Whether it has neither been let in nor been turned away.
    pub fn is_undecided(&self) -> bool {
        !matches!(
            self.stage,
            HandshakeStage::Told
                | HandshakeStage::Welcoming { .. }
                | HandshakeStage::TurnedAway
                | HandshakeStage::Refused
        )
    }

    /// Whether this side is at work for it.
    pub fn is_busy(&self) -> bool {
        matches!(self.stage, HandshakeStage::RegionBuilder { .. })
    }

    pub fn socket(&self) -> &Socket {
        &self.socket
    }

    /// Its number, once the host knows of it.
    pub fn client_id(&self) -> Option<u64> {
        match self.stage {
            HandshakeStage::Welcoming { client_id } => Some(client_id),
            _ => None,
        }
    }

    /// What is left of it when it has been welcomed.
    pub fn into_link(self) -> Option<(u64, Socket)> {
        Some((self.client_id()?, self.socket))
    }

    /// Goes on until the socket is not ready for more, or others are to have their turn.
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
            // Also where its directory lets it: only the kernel's word on who it is counts.
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

    /// Says how the server is, to its own user: others get no further than their clients do.
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
        let refused = match context.host.responder().respond(prologue, message) {
            Ok(Some(response)) => return Ok(Some(self.secure(response))),
            Ok(None) => Exchanged::Rejected.encode(),
            Err(error) => Exchanged::Lacking(&lacked_random_bytes(error).encode()).encode(),
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
            // The region that came found no place here.
            Err(ReceiveError::Resource(lacked)) => return Ok(Some(self.lack(&lacked))),
            Err(error) => return Err(error),
        };
        // Nothing is made before this has shown that the stranger has the keys.
        let opened = secured(&mut self.secured).records.open(sealed);
        let Some(Record::Region { region, nonce: answers, .. }) =
            opened.as_deref().and_then(Record::decode)
        else {
            return Err(ReceiveError::Malformed("no region record"));
        };
        let passed = self.inbox.take_passed();
        let peer = match open_client_region(passed, region, &context.limits) {
            Ok(peer) => peer,
            // A region that is what it should be, and no room for it here.
            Err(OpenError::Resource(lacked)) => return Ok(Some(self.lack(&lacked))),
            Err(_) => return Ok(Some(self.fail(Failure::FoundWrong))),
        };
        match region::begin(context.limits.backend, context.limits.server_region_len) {
            Ok(making) => Ok(Some(HandshakeStage::RegionBuilder { making, peer, answers })),
            Err(lacked) => Ok(Some(self.lack(&lacked))),
        }
    }

    /// Makes some more of our region, or sends it. `None`: there is more to be made.
    fn make(&mut self) -> Result<Option<HandshakeStage>, ReceiveError> {
        if has_hung_up(&self.socket) {
            return Err(ReceiveError::HungUp);
        }
        let HandshakeStage::RegionBuilder { making, .. } = &mut self.stage else {
            unreachable!("the stage is what `advance` matched");
        };
        match making.step() {
            Ok(true) => {}
            Ok(false) => return Ok(None),
            Err(lacked) => return Ok(Some(self.lack(&lacked))),
        }
        let HandshakeStage::RegionBuilder { making, peer, answers } =
            std::mem::replace(&mut self.stage, HandshakeStage::TurnedAway)
        else {
            unreachable!("it was that a moment ago");
        };
        let offered = match Offered::new(making) {
            Ok(offered) => offered,
            Err(lacked) => return Ok(Some(self.lack(&lacked))),
        };
        let Offered { made, nonce, bell, inode, their_bell } = offered;
        let record = Record::Region { region: made.identity, bell: inode, nonce, answers };
        let passed = made.file.into_iter().chain(their_bell).collect();
        self.say(&record, passed);
        Ok(Some(HandshakeStage::Hello { regions: Regions { own: made.pages, peer, bell }, nonce }))
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
        // Others may have come in since the opening.
        if context.is_full || context.turns_away {
            let failure = if context.is_full { Failure::Full } else { Failure::NotAccepting };
            return Ok(Some(self.fail(failure)));
        }
        let clearance = secured(&mut self.secured).clearance.clone();
        let client = ClientInfo::new(self.who.pid, self.who.uid).cleared(clearance);
        match context.host.admit(&client, blob).into_result() {
            Ok((welcome, session)) => {
                // The last record; the keys are the messages' from here on. It is sent when this
                // returns.
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
        let Regions { own, peer, bell } = regions;
        let secured = self.secured.take().filter(|_| context.host.responder().demands().encryption);
        Established {
            credentials: self.who,
            own,
            peer,
            bell,
            lanes: context.limits.lanes,
            max_message_len: context.limits.max_message_len,
            keys: secured.map(|secured| secured.records.into_keys()),
        }
    }

    fn fail(&mut self, failure: Failure) -> HandshakeStage {
        self.say(&Record::Failure(failure), Vec::new());
        HandshakeStage::TurnedAway
    }

    fn lack(&mut self, lacked: &ResourceError) -> HandshakeStage {
        self.say(&Record::Lacking(&lacked.encode()), Vec::new());
        HandshakeStage::TurnedAway
    }

    fn say(&mut self, record: &Record<'_>, passed: Vec<Descriptor>) {
        self.send_arena.record(record, &mut secured(&mut self.secured).records, passed);
    }
}

/// Whether nobody is there to be made something for.
fn has_hung_up(socket: &Socket) -> bool {
    let mut ready = [PollFd::new(socket, PollFlags::RDHUP)];
    let gone = PollFlags::RDHUP | PollFlags::HUP | PollFlags::ERR;
    poll(&mut ready, Some(&Timespec::default())).is_ok() && ready[0].revents().intersects(gone)
}

/// To be asked for after the key exchange and up to the welcome only.
fn secured(secured: &mut Option<Secured>) -> &mut Secured {
    secured.as_mut().expect("no stage after the key exchange comes before it")
}

fn open_client_region(
    passed: [Option<ReceivedFd>; MAX_PASSED],
    region: Identity,
    limits: &ServerLimits,
) -> Result<PeerPages, OpenError> {
    let other = OpenError::OtherBackend(limits.backend);
    let [file, None] = passed else { return Err(other) };
    if region.size() != limits.client_region_len as u64 {
        return Err(other);
    }
    PeerPages::open(limits.backend, region, file)
}

/// What the server has made for a client, before that is told.
struct Offered {
    made: Made,
    nonce: Nonce,
    bell: Option<Socket>,
    inode: u64,
    their_bell: Option<Descriptor>,
}

impl Offered {
    fn new(making: Box<dyn RegionBuilder>) -> Result<Self, ResourceError> {
        let made = making.finish()?;
        let nonce = random_bytes()?;
        let lacked = |error: Errno| resource::lacked("socketpair", 0, &error.into());
        // Where a region cannot be passed, no bell can.
        let (bell, their_bell) = match &made.file {
            Some(_) => new_bell().map_err(lacked)?,
            None => (None, None),
        };
        let inode = inode_of(their_bell.as_ref()).map_err(lacked)?;
        Ok(Self { made, nonce, bell, inode, their_bell })
    }
}

/// Makes both ends of a bell, ours first.
fn new_bell() -> Result<(Option<Socket>, Option<Descriptor>), Errno> {
    Descriptor::open_with(|register: fn(OwnedFd) -> Descriptor| {
        let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
        let (one, other) = socketpair(AddressFamily::UNIX, SocketType::STREAM, flags, None)?;
        Ok((register(one), register(other)))
    })
    .map(|(one, other)| (Some(Socket::new(one)), Some(other)))
}
