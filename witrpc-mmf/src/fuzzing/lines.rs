//! One end of a connection, and a hostile peer.

use std::collections::VecDeque;
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::task::{Context, Waker};

use rustix::net::{AddressFamily, SocketFlags, SocketType, socketpair};
use witrpc_transport::{
    Answer, Body, ChannelError, Fill, Lent, Limit, Outgoing, Payload, Plain, SharedBytes, Ticket,
    WaitPolicy,
};

use crate::client::Client;
use crate::link::lease::{Claim, LeaseWriter, OwnLease};
use crate::link::line;
use crate::link::line::line_of;
use crate::link::sealed::Cipher;
use crate::memory::layout::{HIGH_WATER, INLINE_LEN, LINE_WORDS, Layout};
use crate::memory::region::{Made, OwnPages, PeerPages};
use crate::memory::words::Mapped;
use crate::portable::Backend;
use crate::rendezvous::Established;
use crate::server::Connection;
use crate::sys::fd_closer::{ReceivedFd, Socket};
use crate::sys::fork::Descriptor;

use super::hostile::Hostile;
use super::script::Script;

const LANES: u32 = 4;
const MAX_MESSAGE_LEN: usize = 10_000;

/// Creates the region of one side, as that side and its peer have it.
fn region(len: usize) -> (OwnPages, PeerPages) {
    let Made { pages, identity, file, .. } =
        OwnPages::make(Backend::Native, len).expect("there is memory");
    let theirs = PeerPages::open(Backend::Native, identity, file.map(ReceivedFd::new));
    (pages, theirs.expect("it is as it must be"))
}

/// Creates a connection without a doorbell, and its hostile end, whose arena begins where `arena`
/// says. With `keys`, messages are sealed, and the hostile end has the keys too.
fn connection(
    keys: Option<Plain>,
    arena: impl Fn(&Layout) -> usize,
) -> (Established, Hostile, Layout) {
    // Beyond the minimum, so that the lanes have buffers.
    let len = Layout::min_region_len(LANES) + (64 << 10);
    let layout = Layout::new(LANES, len).expect("above the minimum");
    let (ours, to_them) = region(len);
    let (theirs, to_us) = region(len);
    let cipher = keys.map(|keys| Cipher::new(Box::new(keys), LANES as usize));
    let hostile = Hostile::new(theirs, to_them, layout, arena(&layout), cipher);
    let keys = keys.map(|keys| Box::new(keys) as _);
    let established = Established::for_fuzzing(ours, to_us, LANES, MAX_MESSAGE_LEN as u64, keys);
    (established, hostile, layout)
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

/// Calls `send` with a message of `len` bytes.
fn with_message<R>(len: usize, send: impl FnOnce(Outgoing<'_>) -> R) -> R {
    let bytes = Bytes(vec![7; len]);
    let body = match len {
        0..=INLINE_LEN => Body::Small { padded: &[7; INLINE_LEN], len },
        _ => Body::Large(&bytes),
    };
    send(Outgoing::new(1, body))
}

/// Calls `send` with a message that has a lease.
fn with_lease<R>(claim: Claim, send: impl FnOnce(Outgoing<'_>) -> R) -> R {
    let leases = [Lent::new(claim)];
    let body = Body::Small { padded: &[7; INLINE_LEN], len: 3 };
    send(Outgoing::new(1, Body::Leasing { body: &body, leases: &leases }))
}

/// Leases of the honest end, each filled with its own byte.
#[derive(Default)]
struct OwnLeases {
    leases: VecDeque<(Arc<OwnLease>, u8)>,
    next: u8,
}

impl OwnLeases {
    /// Returns one of the leases, a new one, or none.
    fn any(
        &mut self,
        which: u8,
        alloc: impl FnOnce(&[usize]) -> Result<Vec<LeaseWriter>, ChannelError>,
    ) -> Option<Arc<OwnLease>> {
        if which & 1 == 0 {
            return None;
        }
        if which & 2 == 0 {
            let lease = self.leases.get(usize::from(which >> 2))?;
            return Some(Arc::clone(&lease.0));
        }
        let mut writer = alloc(&[usize::from(which) * 16]).ok()?.remove(0);
        self.next = self.next.wrapping_add(1);
        writer.as_mut_slice().fill(self.next);
        let lease = Arc::new(writer.freeze());
        self.leases.push_back((Arc::clone(&lease), self.next));
        Some(lease)
    }

    fn drop_one(&mut self) {
        drop(self.leases.pop_front());
    }

    /// Checks that no lease was overwritten, whatever the peer claims to have released.
    fn check(&self) {
        for (lease, byte) in &self.leases {
            assert!(lease.as_slice().iter().all(|found| found == byte), "a lease was overwritten");
        }
    }
}

/// Reads a payload as the layers above do, and keeps its leases.
fn read(payload: Payload, kept: &mut Vec<Arc<dyn SharedBytes>>) {
    let len = match payload {
        Payload::Small { bytes, len } => bytes[..usize::from(len)].len(),
        Payload::Whole(bytes) => bytes.len(),
        Payload::Remote(block) => {
            let mut bytes = vec![0; block.len()];
            block.copy_to(0, &mut bytes);
            bytes.len()
        }
        Payload::Leasing(leasing) => {
            for lease in leasing.leases {
                lease.copy_to(0, &mut vec![0; lease.len()]);
                kept.push(lease);
            }
            return read(leasing.payload, kept);
        }
        _ => unreachable!("the engine makes no other"),
    };
    assert!(len <= MAX_MESSAGE_LEN, "{len} bytes were handed on");
}

/// Runs a server's end against a client that writes what the bytes say.
pub fn request_lines(bytes: &[u8]) {
    requests(bytes, None);
}

/// Does the same on an encrypted connection, with a client that has the keys.
pub fn sealed_request_lines(bytes: &[u8]) {
    requests(bytes, Some(Plain::default()));
}

fn requests(bytes: &[u8], keys: Option<Plain>) {
    let mut script = Script::new(bytes);
    let (established, hostile, layout) = connection(keys, Layout::client_arena);
    let connection = Connection::for_fuzzing(established, layout);
    hostile.set(HIGH_WATER, LANES.into());
    let mut seqs = [0_u64; LANES as usize];
    let mut unanswered: Vec<Ticket> = Vec::new();
    let mut leases = Vec::new();
    let mut own = OwnLeases::default();
    while let Some([step]) = script.next() {
        let lane = usize::from(step >> 3) % seqs.len();
        match step & 7 {
            0 => hostile.write_word(layout.client_release(), &mut script),
            // An answer, perhaps long after its request, and to a lane in any state.
            1 if !unanswered.is_empty() => {
                let ticket = unanswered.swap_remove(lane % unanswered.len());
                let len = usize::from(script.short()) % MAX_MESSAGE_LEN;
                let lease = own.any(script.byte(), |lens| connection.try_alloc(lens));
                let claim = lease.and_then(|lease| connection.claim(lease));
                let answered = match claim {
                    Some(claim) => with_lease(claim, |answer| connection.answer(ticket, answer)),
                    None => with_message(len, |answer| connection.answer(ticket, answer)),
                };
                answered.expect("it is not too long, and the client is there");
            }
            2 if step & 8 != 0 => drop(leases.pop()),
            2 if step & 16 != 0 => own.drop_one(),
            _ => {
                seqs[lane] += 1;
                hostile.write_line(lane, layout.request_line(lane), seqs[lane], &mut script);
            }
        }
        let Ok(taken) = connection.look() else { return };
        for request in taken {
            unanswered.push(request.ticket);
            read(request.payload, &mut leases);
        }
        own.check();
        let held = connection.held();
        assert!(held <= LANES as usize * MAX_MESSAGE_LEN, "{held} bytes are held");
    }
}

/// Runs a client's end against a server that writes what the bytes say.
pub fn answer_lines(bytes: &[u8]) {
    answers(bytes, None);
}

/// Does the same on an encrypted connection, with a server that has the keys.
pub fn sealed_answer_lines(bytes: &[u8]) {
    answers(bytes, Some(Plain::default()));
}

fn answers(bytes: &[u8], keys: Option<Plain>) {
    let mut script = Script::new(bytes);
    let (established, hostile, layout) = connection(keys, Layout::server_arena);
    let mut leases = Vec::new();
    let mut own = OwnLeases::default();
    let client = client(established, layout);
    let mut pending: Vec<Ticket> = Vec::new();
    let mut cx = Context::from_waker(Waker::noop());
    while let Some([step]) = script.next() {
        let which = usize::from(step >> 3);
        match step & 7 {
            0 if step & 8 != 0 => drop(leases.pop()),
            0 if step & 16 != 0 => own.drop_one(),
            0 => hostile.write_word(layout.server_release(), &mut script),
            1 if !pending.is_empty() => client.abandon(pending.swap_remove(which % pending.len())),
            2 | 3 if pending.len() < LANES as usize => {
                let len = usize::from(script.short()) % MAX_MESSAGE_LEN;
                let lends = step & 128 != 0;
                let lease = lends.then(|| own.any(script.byte(), |lens| client.try_alloc(lens)));
                let claim = lease.flatten().and_then(|lease| client.claim(lease));
                if client.lost().is_some() {
                    // The peer has released what it was not lent.
                    return;
                }
                let sent = match claim {
                    Some(claim) => with_lease(claim, |request| client.try_send(request)),
                    None => with_message(len, |request| client.try_send(request)),
                };
                match sent {
                    Ok(sent) => pending.extend(sent),
                    Err(ChannelError::ShuttingDown) => {}
                    Err(error) => panic!("{error}, without a reason"),
                }
            }
            _ => {
                let lane = which % LANES as usize;
                let asked = line::shows::<Mapped>(line_of(
                    hostile.peer.words64(layout.request_line(lane), LINE_WORDS),
                ));
                hostile.write_line(lane, layout.response_line(lane), asked, &mut script);
            }
        }
        pending.retain_mut(|ticket| {
            let mut receive = |answer: Answer| read(answer.payload, &mut leases);
            client.poll_answer(&mut cx, ticket, &mut Limit::Never, &mut receive).is_pending()
        });
        client.collect_all();
        own.check();
        if client.lost().is_some() {
            return;
        }
    }
}

/// Creates a client without a link thread, whose work is done here.
fn client(established: Established, layout: Layout) -> Arc<Client> {
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    let (link, _) = socketpair(AddressFamily::UNIX, SocketType::STREAM, flags, None)
        .expect("there are descriptors");
    let link = Descriptor::open(|| Ok::<OwnedFd, ()>(link)).expect("it is open");
    Client::for_fuzzing(established, Socket::new(link), layout, WaitPolicy::Park)
}
