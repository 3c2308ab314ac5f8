//! The format of the handshake. Little-endian throughout.
//!
//! ```text
//! client                                     server
//!   opening: magic, version, demands    →
//!                                       ←    opening: magic, version, verdict, offer,
//!                                            generation, demands
//!   message of the key exchange         →
//!                                       ←    message of the key exchange, or a rejection, or what
//!                                            the server lacks
//!   region record + memfd               →
//!                                       ←    region record + memfd, bell, or what the server lacks
//!   hello record                        →
//!                                       ←    welcome, refusal or failure record
//! ```
//!
//! A process that only wants the server's report sends an inquiry in place of an opening. The server
//! answers it or refuses:
//!
//! ```text
//!   inquiry: magic, version, zeros      →
//!                                       ←    report, or why there is none
//! ```
//!
//! The openings are not encrypted. Their first 16 bytes are the same in all versions, so that two sides
//! of different versions can report the mismatch. The key exchange binds the openings and the name: two
//! sides that have received different openings do not get the same keys. The messages of the key
//! exchange and the records are framed by their length. Each record is sealed. The client's first
//! record proves that it has the keys, and the server makes nothing for it before that.
//!
//! A region record names the file that is passed with it, and the server's also names the bell. So a
//! relay of the records cannot pass its own files instead. The nonces bind each record to the one
//! before it. The portable backend passes nothing: its region records name the memory to open.

use witrpc_transport::{Demands, MAX_EXCHANGE_LEN, ResourceError};

use crate::memory::region::{Identity, RegionName};
use crate::portable::BackendCode;
use crate::sys::memfd::FileIdentity;

/// The version of openings, records and region layout that this build speaks.
pub const PROTOCOL_VERSION: u32 = 4;

/// The longest hello, welcome or refusal, in bytes.
pub const MAX_BLOB_LEN: usize = witrpc_transport::MAX_HELLO_LEN;

/// The longest record that carries no blob, in bytes: one that says what the server lacks.
pub const MAX_SMALL_LEN: usize = 1 + ResourceError::MAX_ENCODED_LEN;

const _: () = assert!(MAX_SMALL_LEN >= 1 + 32 + 2 * NONCE_LEN);

/// The longest record, in bytes.
pub const MAX_RECORD_LEN: usize = 1 + NONCE_LEN + MAX_BLOB_LEN;

const MAGIC: [u8; 8] = *b"WitRPC\r\n";
const INQUIRY: [u8; 8] = *b"WitRPC?\n";
const NONCE_LEN: usize = 16;

/// The longest report, in bytes.
pub const MAX_REPORT_LEN: usize = 240;

/// The longest answer to an inquiry, in bytes.
pub const MAX_TOLD_LEN: usize = 1 + MAX_REPORT_LEN;

/// The first byte of the server's message in the key exchange: it lacks a resource, rejects the
/// client's message, or sends its own part.
const LACKING: u8 = 2;
const REJECTED: u8 = 1;
const EXCHANGED: u8 = 0;

/// The longest message of the key exchange, in bytes: one that says what the server lacks.
pub const MAX_EXCHANGED_LEN: usize = 1 + ResourceError::MAX_ENCODED_LEN;

const _: () = assert!(MAX_EXCHANGED_LEN > MAX_EXCHANGE_LEN);

/// A random value that binds an answer to the message it answers.
pub type Nonce = [u8; NONCE_LEN];

/// The first message of a client.
pub struct ClientOpening {
    pub version: u32,
    pub demands: Demands,
}

impl ClientOpening {
    pub const LEN: usize = 16;

    pub fn encode(&self) -> [u8; Self::LEN] {
        let mut bytes = [0; Self::LEN];
        bytes[..8].copy_from_slice(&MAGIC);
        bytes[8..12].copy_from_slice(&self.version.to_le_bytes());
        bytes[12..16].copy_from_slice(&self.demands.to_bits().to_le_bytes());
        bytes
    }

    /// Reads an opening; returns `None` if the peer is no client. The demands of another version are
    /// opaque.
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        let mut fields = Fields(bytes);
        if fields.take::<8>()? != MAGIC {
            return None;
        }
        let version = fields.u32()?;
        let demands = match Demands::from_bits(fields.u32()?) {
            Some(demands) => demands,
            None if version != PROTOCOL_VERSION => Demands::default(),
            None => return None,
        };
        Some(Self { version, demands })
    }
}

/// The first message of a process that only asks for the server's report. It has the length of a
/// client's opening.
pub struct Inquiry {
    pub version: u32,
}

impl Inquiry {
    pub fn encode(&self) -> [u8; ClientOpening::LEN] {
        let mut bytes = [0; ClientOpening::LEN];
        bytes[..8].copy_from_slice(&INQUIRY);
        bytes[8..12].copy_from_slice(&self.version.to_le_bytes());
        bytes
    }

    /// Reads an inquiry; returns `None` if these bytes are none.
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        let mut fields = Fields(bytes);
        if fields.take::<8>()? != INQUIRY {
            return None;
        }
        let version = fields.u32()?;
        (fields.u32()? == 0).then_some(Self { version })
    }
}

/// The server's answer to an inquiry.
#[derive(Debug, PartialEq, Eq)]
pub enum Told<'a> {
    /// The report, as the layers above wrote it.
    Report(&'a [u8]),
    /// The inquirer runs as another user.
    NotAllowed,
    /// The inquirer speaks another version.
    OtherVersion { theirs: u32 },
}

impl<'a> Told<'a> {
    pub fn encode(&self) -> Vec<u8> {
        match self {
            Told::Report(report) => [&[0], *report].concat(),
            Told::NotAllowed => vec![1],
            Told::OtherVersion { theirs } => [&[2], &theirs.to_le_bytes()[..]].concat(),
        }
    }

    pub fn decode(bytes: &'a [u8]) -> Option<Self> {
        let mut fields = Fields(bytes);
        let told = match fields.take::<1>()? {
            [0] => Told::Report(fields.blob()?),
            [1] => Told::NotAllowed,
            [2] => Told::OtherVersion { theirs: fields.u32()? },
            _ => return None,
        };
        fields.0.is_empty().then_some(told)
    }
}

/// The server's answer to an opening.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ServerOpening {
    pub version: u32,
    pub verdict: Verdict,
    pub offer: Offer,
    /// Random for each server that claims a name, so that a message for one server means nothing to the
    /// next.
    pub generation: Nonce,
    pub demands: Demands,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    Proceed,
    OtherVersion,
    Full,
    NotAccepting,
    OtherDemands,
    NotAllowed,
}

/// The properties of each connection of a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Offer {
    pub backend: BackendCode,
    pub lanes: u32,
    /// In bytes, as are the next two fields.
    pub client_region_len: u64,
    pub server_region_len: u64,
    pub max_message_len: u64,
}

impl ServerOpening {
    pub const LEN: usize = 72;

    /// The length of the part that all versions have in common: magic, version and verdict.
    pub const HEAD_LEN: usize = 16;

    pub fn encode(&self) -> [u8; Self::LEN] {
        let mut bytes = [0; Self::LEN];
        bytes[..8].copy_from_slice(&MAGIC);
        bytes[8..12].copy_from_slice(&self.version.to_le_bytes());
        bytes[12..16].copy_from_slice(&(self.verdict as u32).to_le_bytes());
        bytes[16..20].copy_from_slice(&self.offer.lanes.to_le_bytes());
        bytes[20..24].copy_from_slice(&self.offer.backend.to_u32().to_le_bytes());
        bytes[24..32].copy_from_slice(&self.offer.client_region_len.to_le_bytes());
        bytes[32..40].copy_from_slice(&self.offer.server_region_len.to_le_bytes());
        bytes[40..48].copy_from_slice(&self.offer.max_message_len.to_le_bytes());
        bytes[48..64].copy_from_slice(&self.generation);
        bytes[64..68].copy_from_slice(&self.demands.to_bits().to_le_bytes());
        bytes
    }

    /// Returns the version in the head of an opening; `None` if the peer is no server.
    pub fn version_in(head: &[u8]) -> Option<u32> {
        let mut fields = Fields(head);
        (fields.take::<8>()? == MAGIC).then(|| fields.u32())?
    }

    /// Reads an opening of this version; returns `None` if no server sends these bytes.
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        let mut fields = Fields(bytes);
        if fields.take::<8>()? != MAGIC {
            return None;
        }
        let version = fields.u32()?;
        let verdict = match fields.u32()? {
            0 => Verdict::Proceed,
            1 => Verdict::OtherVersion,
            2 => Verdict::Full,
            3 => Verdict::NotAccepting,
            4 => Verdict::OtherDemands,
            5 => Verdict::NotAllowed,
            _ => return None,
        };
        let lanes = fields.u32()?;
        let offer = Offer {
            backend: BackendCode::from_u32(fields.u32()?)?,
            lanes,
            client_region_len: fields.u64()?,
            server_region_len: fields.u64()?,
            max_message_len: fields.u64()?,
        };
        let generation = fields.take()?;
        let demands = Demands::from_bits(fields.u32()?)?;
        (fields.u32()? == 0).then_some(Self { version, verdict, offer, generation, demands })
    }
}

/// Returns what a key exchange binds: the openings as this side sent or received them, and the name.
pub fn prologue(client: &ClientOpening, server: &ServerOpening, name: &str) -> Vec<u8> {
    [&client.encode()[..], &server.encode(), name.as_bytes()].concat()
}

/// The server's answer to the client's message of the key exchange.
#[derive(Debug, PartialEq, Eq)]
pub enum Exchanged<'a> {
    /// The server's own message.
    Message(&'a [u8]),
    /// The server could not read the client's message.
    Rejected,
    /// The server could make no message, because it lacks what
    /// [`ResourceError`] decodes from these bytes.
    Lacking(&'a [u8]),
}

impl<'a> Exchanged<'a> {
    pub fn encode(&self) -> Vec<u8> {
        match self {
            Self::Message(message) => [&[EXCHANGED], *message].concat(),
            Self::Rejected => vec![REJECTED],
            Self::Lacking(lacked) => [&[LACKING], *lacked].concat(),
        }
    }

    pub fn decode(bytes: &'a [u8]) -> Option<Self> {
        match bytes.split_first()? {
            (&EXCHANGED, message) => Some(Self::Message(message)),
            (&REJECTED, []) => Some(Self::Rejected),
            (&LACKING, lacked) => Some(Self::Lacking(lacked)),
            _ => None,
        }
    }
}

/// The messages that follow the key exchange.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Record<'a> {
    /// Names the region that the sender has made.
    Region {
        region: Identity,
        /// The inode of the bell that is passed with it; 0 for none.
        doorbell: u64,
        nonce: Nonce,
        /// In the server's record, the nonce of the client's region record; zeros in the client's.
        answers: Nonce,
    },
    /// The client's payload for the layers above. `answers` is the nonce of the server's region record.
    Hello { answers: Nonce, blob: &'a [u8] },
    /// The layers above admit the client.
    Welcome(&'a [u8]),
    /// The layers above turn the client away.
    Refusal(&'a [u8]),
    /// The server cannot go on.
    Failure(Failure),
    /// The server cannot go on, because it lacks what
    /// [`ResourceError`] decodes from these bytes.
    Lacking(&'a [u8]),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    FoundWrong = 1,
    Full,
    NotAccepting,
}

impl<'a> Record<'a> {
    pub fn encode(&self) -> Vec<u8> {
        match *self {
            Record::Region { region: Identity::File(file), doorbell, nonce, answers } => {
                let numbers = [file.device, file.inode, file.size, doorbell].map(u64::to_le_bytes);
                [&[1], numbers.as_flattened(), &nonce, &answers].concat()
            }
            Record::Region { region: Identity::Named { name, size }, nonce, answers, .. } => {
                [&[6], &name.0[..], &size.to_le_bytes(), &nonce, &answers].concat()
            }
            Record::Hello { answers, blob } => [&[2], &answers[..], blob].concat(),
            Record::Welcome(blob) => [&[3], blob].concat(),
            Record::Refusal(blob) => [&[4], blob].concat(),
            Record::Failure(failure) => vec![5, failure as u8],
            Record::Lacking(lacked) => [&[7], lacked].concat(),
        }
    }

    /// Reads a record; returns `None` if no record has this form.
    pub fn decode(bytes: &'a [u8]) -> Option<Self> {
        let mut fields = Fields(bytes);
        let record = match fields.take::<1>()? {
            [1] => Record::Region {
                region: Identity::File(FileIdentity {
                    device: fields.u64()?,
                    inode: fields.u64()?,
                    size: fields.u64()?,
                }),
                doorbell: fields.u64()?,
                nonce: fields.take()?,
                answers: fields.take()?,
            },
            [6] => Record::Region {
                region: Identity::Named { name: RegionName(fields.take()?), size: fields.u64()? },
                doorbell: 0,
                nonce: fields.take()?,
                answers: fields.take()?,
            },
            [2] => Record::Hello { answers: fields.take()?, blob: fields.blob()? },
            [3] => Record::Welcome(fields.blob()?),
            [4] => Record::Refusal(fields.blob()?),
            [5] => Record::Failure(match fields.take::<1>()? {
                [1] => Failure::FoundWrong,
                [2] => Failure::Full,
                [3] => Failure::NotAccepting,
                _ => return None,
            }),
            [7] => Record::Lacking(fields.lacked()?),
            _ => return None,
        };
        fields.0.is_empty().then_some(record)
    }
}

/// The bytes that are left to read.
struct Fields<'a>(&'a [u8]);

impl<'a> Fields<'a> {
    fn take<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (field, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(*field)
    }

    fn u32(&mut self) -> Option<u32> {
        self.take().map(u32::from_le_bytes)
    }

    fn u64(&mut self) -> Option<u64> {
        self.take().map(u64::from_le_bytes)
    }

    fn lacked(&mut self) -> Option<&'a [u8]> {
        let lacked = std::mem::take(&mut self.0);
        (lacked.len() <= ResourceError::MAX_ENCODED_LEN).then_some(lacked)
    }

    fn blob(&mut self) -> Option<&'a [u8]> {
        let blob = std::mem::take(&mut self.0);
        (blob.len() <= MAX_BLOB_LEN).then_some(blob)
    }
}

/// Reads the bytes as every kind of message, and checks that each message that can be read encodes to
/// the same bytes.
#[cfg(any(test, fuzzing))]
pub fn fuzzed(bytes: &[u8]) {
    if let Some(opening) = ClientOpening::decode(bytes) {
        assert!(opening.version != PROTOCOL_VERSION || opening.encode() == bytes[..16]);
    }
    if let Some(inquiry) = Inquiry::decode(bytes) {
        assert_eq!(inquiry.encode(), bytes[..ClientOpening::LEN]);
    }
    if let Some(told) = Told::decode(bytes) {
        assert_eq!(told.encode(), bytes);
    }
    let _ = ServerOpening::version_in(bytes);
    if let Some(opening) = ServerOpening::decode(bytes) {
        assert_eq!(opening.encode(), bytes[..ServerOpening::LEN]);
    }
    if let Some(exchanged) = Exchanged::decode(bytes) {
        assert_eq!(exchanged.encode(), bytes);
    }
    if let Some(record) = Record::decode(bytes) {
        assert_eq!(record.encode(), bytes);
        if let Record::Lacking(said) = record
            && let Some(lacked) = ResourceError::decode(said)
        {
            assert_eq!(lacked.encode(), said);
        }
    }
}
