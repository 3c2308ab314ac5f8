//! Both sides of a handshake, driven message by message.

use std::io::Write;
use std::os::fd::{AsFd, BorrowedFd};

use witrpc_transport::{Begun, Demands, Initiator, Responder};

use crate::memory::region::{Identity, RegionName};
use crate::rendezvous::record::{
    ClientOpening, Exchanged, Nonce, Offer, PROTOCOL_VERSION, Record, ServerOpening, Verdict,
};
use crate::rendezvous::records::Records;
use crate::sys::fdpass::send_with;
use crate::sys::memfd::{FileIdentity, OwnMemory};

use super::*;

pub fn pending(scratch: &Scratch) -> UnixStream {
    UnixStream::connect(scratch.path_of("calc")).expect("it is served")
}

pub fn opening() -> [u8; ClientOpening::LEN] {
    ClientOpening { version: PROTOCOL_VERSION, demands: Demands::default() }.encode()
}

pub fn framed(bytes: &[u8]) -> Vec<u8> {
    [&u32::try_from(bytes.len()).unwrap().to_le_bytes(), bytes].concat()
}

/// A client that has exchanged keys, and sends the messages that a test asks for.
pub struct Raw {
    pub stream: UnixStream,
    records: Records,
}

impl Raw {
    pub fn new(scratch: &Scratch) -> Self {
        Self::meet(pending(scratch), || {})
    }

    /// Exchanges keys. Calls `said` whenever the server must send its next message.
    pub fn meet(mut stream: UnixStream, mut said: impl FnMut()) -> Self {
        stream.write_all(&opening()).unwrap();
        said();
        read_exactly(&mut stream, ServerOpening::LEN);
        let Begun { message, finish, .. } = Plain::default().begin(&[]).unwrap();
        stream.write_all(&framed(&message)).unwrap();
        said();
        let reply = read_framed(&mut stream);
        let Some(Exchanged::Message(reply)) = Exchanged::decode(&reply) else {
            panic!("{reply:?}");
        };
        let keys = finish(reply).expect("the server exchanges keys");
        Self { stream, records: Records::new(keys) }
    }

    pub fn say(&mut self, record: &Record<'_>, passed: &[BorrowedFd<'_>]) {
        let bytes = framed(&self.records.seal(&record.encode()));
        assert_eq!(send_with(&self.stream, &bytes[..64], passed), Ok(64));
        self.stream.write_all(&bytes[64..]).unwrap();
    }

    /// Sends a region record that names a file.
    pub fn say_file(&mut self, file: FileIdentity, passed: &[BorrowedFd<'_>]) {
        self.say_region(Identity::File(file), passed);
    }

    /// Sends a region record that names memory, to a server of the portable backend.
    pub fn say_name(&mut self, name: RegionName, size: usize) {
        self.say_region(Identity::Named { name, size: size as u64 }, &[]);
    }

    pub fn say_region(&mut self, region: Identity, passed: &[BorrowedFd<'_>]) {
        let record = Record::Region { region, doorbell: 0, nonce: [1; 16], answers: [0; 16] };
        self.say(&record, passed);
    }

    pub fn hear(&mut self) -> Vec<u8> {
        let sealed = read_framed(&mut self.stream);
        self.records.open(&sealed).expect("the server seals what it says")
    }

    /// Plays the client up to the server's region record, and returns the nonce in that record.
    pub fn exchange_regions(&mut self) -> Nonce {
        let (_memory, sealed) = OwnMemory::create(REGION_LEN).unwrap();
        self.say_file(sealed.identity, &[sealed.file.as_fd()]);
        match Record::decode(&self.hear()) {
            Some(Record::Region { nonce, .. }) => nonce,
            other => panic!("{other:?}"),
        }
    }
}

pub fn read_exactly(client: &mut UnixStream, len: usize) -> Vec<u8> {
    let mut bytes = vec![0; len];
    std::io::Read::read_exact(client, &mut bytes).expect("the server answers");
    bytes
}

pub fn read_framed(client: &mut UnixStream) -> Vec<u8> {
    let header = read_exactly(client, 4);
    read_exactly(client, u32::from_le_bytes(header.try_into().unwrap()) as usize)
}

/// Plays a server of one client up to its region record, with which it passes `passed`.
pub fn mislead(client: &mut UnixStream, file: FileIdentity, passed: &[BorrowedFd<'_>]) {
    read_exactly(client, ClientOpening::LEN);
    client.write_all(&server_opening().encode()).unwrap();
    let message = read_framed(client);
    let response =
        Plain::default().respond(&[], &message).unwrap().expect("the client exchanges keys");
    client.write_all(&framed(&Exchanged::Message(&response.message).encode())).unwrap();
    let mut records = Records::new(response.keys);
    let record = records.open(&read_framed(client)).expect("the client seals what it says");
    let Some(Record::Region { nonce: answers, .. }) = Record::decode(&record) else {
        panic!("{record:?}")
    };
    let doorbell = peer::inode_of(passed.get(1)).unwrap();
    let record = Record::Region { region: Identity::File(file), doorbell, nonce: [1; 16], answers };
    let bytes = framed(&records.seal(&record.encode()));
    assert_eq!(send_with(&*client, &bytes, passed), Ok(bytes.len()));
}

/// Returns the opening of the server of [`limits`].
pub fn server_opening() -> ServerOpening {
    let offer = Offer {
        backend: Backend::Native.code(),
        lanes: limits().lanes,
        client_region_len: REGION_LEN as u64,
        server_region_len: REGION_LEN as u64,
        max_message_len: limits().max_message_len,
    };
    ServerOpening {
        version: PROTOCOL_VERSION,
        verdict: Verdict::Proceed,
        offer,
        generation: [1; 16],
        demands: Demands::default(),
    }
}
