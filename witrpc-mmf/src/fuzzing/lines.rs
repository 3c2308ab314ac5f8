//! One end of a connection, and lines that come from no honest peer.

use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::task::{Context, Waker};

use rustix::net::{AddressFamily, SocketFlags, SocketType, socketpair};

use super::script::Script;
use crate::backend::Backend;
use crate::client::Client;
use crate::copy::{OwnMemory, PeerMemory};
use crate::disposal::{Passed, Socket};
use crate::fork::Descriptor;
use crate::head::{Head, Kind};
use crate::layout::{HIGH_WATER, INLINE_LEN, LINE_WORDS, Layout, STATE, WANTS_SPACE};
use crate::line::{self, line_of};
use crate::message::{Body, ChannelError, Fill, Limit, Outgoing, Payload, ReadBlock, Ticket};
use crate::region::{self, Made, OwnPages, PeerPages};
use crate::rendezvous::Established;
use crate::server::Connection;
use crate::spin::WaitPolicy;
use crate::words::Mapped;

const LANES: u32 = 4;
const MAX_MESSAGE_LEN: usize = 10_000;

/// The peer's side: its own memory, and what it sees.
struct Hostile {
    own: OwnMemory,
    peer: PeerMemory,
    layout: Layout,
}

/// One side's region, as either side has it.
fn region(len: usize) -> (OwnPages, PeerPages) {
    let Made { pages, identity, file, .. } =
        OwnPages::make(Backend::Native, len).expect("there is memory");
    let theirs = PeerPages::open(Backend::Native, identity, file.map(Passed::new));
    (pages, theirs.expect("it is as it must be"))
}

/// A connection without a bell, and its hostile end, whose arena begins where `arena` says.
fn connection(arena: impl Fn(&Layout) -> usize) -> (Established, Hostile, Layout) {
    let len = Layout::min_region_len(LANES);
    let layout = Layout::new(LANES, len).expect("the minimum");
    let (ours, to_them) = region(len);
    let (theirs, to_us) = region(len);
    let (own, _) = region::own(theirs, &layout, arena(&layout));
    let hostile = Hostile { own, peer: region::peer(to_them, &layout), layout };
    (Established::for_fuzzing(ours, to_us, LANES, MAX_MESSAGE_LEN as u64), hostile, layout)
}

impl Hostile {
    fn set(&self, offset: usize, value: u64) {
        self.own.word64(offset).store(value, Relaxed);
    }

    /// Writes a line as the script says: mostly one that could be in order, and mostly as the
    /// successor of `seq`.
    fn write_line(&self, offset: usize, seq: u64, script: &mut Script<'_>) {
        let how = script.byte();
        let seq = match how >> 6 {
            0 => script.word(),
            _ => seq,
        };
        let head = match how & 7 {
            kind @ 1..=5 => {
                let kinds = [Kind::Inline, Kind::Block, Kind::Segment, Kind::Next, Kind::Discard];
                let kind = kinds[usize::from(kind) - 1];
                Head::new(kind, script.byte().into(), script.short().into()).to_word()
            }
            _ => script.word(),
        };
        let inline = if how & 8 == 0 {
            let place = u64::from(script.byte()) | u64::from(script.byte()) << 32;
            [place, script.short().into(), script.short().into(), 0, 0, 0]
        } else {
            std::array::from_fn(|_| script.word())
        };
        let line = line_of::<_>(self.own.words64(offset, LINE_WORDS));
        line::publish::<Mapped>(line, seq, head, &inline, inline.len());
    }

    /// Writes a word that is not on a line.
    fn write_word(&self, release: usize, script: &mut Script<'_>) {
        let words = [STATE, HIGH_WATER, WANTS_SPACE];
        match usize::from(script.byte() % 4) {
            word @ 0..3 => self.set(words[word], script.word()),
            _ => {
                let slot = usize::from(script.byte()) % self.layout.granules();
                let generation = script.byte().into();
                self.own.word32(release + slot * 4).store(generation, Relaxed);
            }
        }
    }
}

struct Bytes(Vec<u8>);

impl Fill for Bytes {
    fn len(&self) -> usize {
        self.0.len()
    }

    fn write_at(&self, offset: usize, out: &mut [u8]) {
        out.copy_from_slice(&self.0[offset..offset + out.len()]);
    }
}

/// A message of that many bytes, handed to `send`.
fn with_message<R>(len: usize, send: impl FnOnce(Outgoing<'_>) -> R) -> R {
    let bytes = Bytes(vec![7; len]);
    let body = match len {
        0..=INLINE_LEN => Body::Small { padded: &[7; INLINE_LEN], len },
        _ => Body::Large(&bytes),
    };
    send(Outgoing { tag: 1, body, deadline: None })
}

/// Reads all of it, as the layers above do.
fn read(payload: Payload<impl ReadBlock>) {
    let len = match payload {
        Payload::Small { bytes, len } => bytes[..usize::from(len)].len(),
        Payload::Whole(bytes) => bytes.len(),
        Payload::Block(block) => {
            let mut bytes = vec![0; block.len()];
            block.copy_to(0, &mut bytes);
            bytes.len()
        }
        Payload::Leasing(leasing) => {
            for lease in leasing.leases {
                lease.copy_to(0, &mut vec![0; lease.len()]);
            }
            return read(leasing.payload);
        }
    };
    assert!(len <= MAX_MESSAGE_LEN, "{len} bytes were handed on");
}

/// A server's end, and a client that writes what the bytes say.
pub fn request_lines(bytes: &[u8]) {
    let mut script = Script::new(bytes);
    let (established, hostile, layout) = connection(Layout::client_arena);
    let connection = Connection::for_fuzzing(established, layout);
    hostile.set(HIGH_WATER, LANES.into());
    let mut seqs = [0_u64; LANES as usize];
    let mut unanswered: Vec<Ticket> = Vec::new();
    while let Some([step]) = script.next() {
        let lane = usize::from(step >> 3) % seqs.len();
        match step & 7 {
            0 => hostile.write_word(layout.client_release(), &mut script),
            // An answer, perhaps long after its request, and to whatever has become of it.
            1 if !unanswered.is_empty() => {
                let ticket = unanswered.swap_remove(lane % unanswered.len());
                let len = usize::from(script.short()) % MAX_MESSAGE_LEN;
                let answered = with_message(len, |answer| connection.answer(ticket, answer));
                answered.expect("it is not too long, and the client is there");
            }
            _ => {
                seqs[lane] += 1;
                hostile.write_line(layout.request_line(lane), seqs[lane], &mut script);
            }
        }
        let Ok(taken) = connection.look() else { return };
        for request in taken {
            unanswered.push(request.ticket);
            read(request.payload);
        }
        let held = connection.held();
        assert!(held <= LANES as usize * MAX_MESSAGE_LEN, "{held} bytes are held");
    }
}

/// A client's end, and a server that writes what the bytes say.
pub fn answer_lines(bytes: &[u8]) {
    let mut script = Script::new(bytes);
    let (established, hostile, layout) = connection(Layout::server_arena);
    let client = client(established, layout);
    let mut pending: Vec<Ticket> = Vec::new();
    let mut cx = Context::from_waker(Waker::noop());
    while let Some([step]) = script.next() {
        let which = usize::from(step >> 3);
        match step & 7 {
            0 => hostile.write_word(layout.server_release(), &mut script),
            1 if !pending.is_empty() => client.abandon(pending.swap_remove(which % pending.len())),
            2 | 3 if pending.len() < LANES as usize => {
                let len = usize::from(script.short()) % MAX_MESSAGE_LEN;
                match with_message(len, |request| client.try_send(request)) {
                    Ok(sent) => pending.extend(sent),
                    Err(ChannelError::Draining) => {}
                    Err(error) => panic!("{error}, without a reason"),
                }
            }
            _ => {
                let lane = which % LANES as usize;
                let asked = line::shows::<Mapped>(line_of(
                    hostile.peer.words64(layout.request_line(lane), LINE_WORDS),
                ));
                hostile.write_line(layout.response_line(lane), asked, &mut script);
            }
        }
        pending.retain_mut(|ticket| {
            let mut receive = |answer: crate::message::Answer| read(answer.payload);
            client.poll_answer(&mut cx, ticket, &mut Limit::Never, &mut receive).is_pending()
        });
        client.collect_all();
        if client.lost().is_some() {
            return;
        }
    }
}

/// A client whose link thread is left out: what it does is done here.
fn client(established: Established, layout: Layout) -> Arc<Client> {
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    let (link, _) = socketpair(AddressFamily::UNIX, SocketType::STREAM, flags, None)
        .expect("there are descriptors");
    let link = Descriptor::open(|| Ok::<OwnedFd, ()>(link)).expect("it is open");
    Client::for_fuzzing(established, Socket::new(link), layout, WaitPolicy::Park)
}
