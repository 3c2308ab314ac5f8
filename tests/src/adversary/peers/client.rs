//! A hostile client of an honest server in this process.

use std::sync::{Arc, LazyLock, OnceLock};
use std::time::Duration;

use witrpc::transport::{
    Answer, BindConfig, Body, ChannelError, ClientChannel, ConnectConfig, Fill, Limit, Outgoing,
    SMALL_LEN, ServerPort, Transport, pad,
};
use witrpc::{BindError, Codec, ConnectError, Endpoint, InProcess, WitServer};

use super::{NastyClient, codec_of, mirror, take};
use crate::watchdog::PATIENCE;

/// The name of the server, which lives as long as the process.
const NAME: &str = "nasty";

/// The status of a panic in the bits of an answer's tag.
const PANICKED: u32 = 2;

/// The position of the operation in a request's tag.
const OPERATION_SHIFT: u32 = 23;

/// How long to wait for an answer that may never come.
const MOMENT: Duration = Duration::from_micros(200);

static SERVER: LazyLock<WitServer> = LazyLock::new(|| {
    let server = WitServer::builder().listen(InProcess::named(NAME));
    server.service(mirror()).start().expect("the name is free")
});

/// Connects like any client, with another hello, and keeps the channel.
#[derive(Clone, Debug)]
struct Tap {
    hello: Option<Vec<u8>>,
    channel: Arc<OnceLock<Arc<dyn ClientChannel>>>,
}

impl Transport for Tap {
    fn bind(&self, _: BindConfig) -> Result<Arc<dyn ServerPort>, BindError> {
        unreachable!("only clients get this endpoint")
    }

    fn connect(&self, mut config: ConnectConfig) -> Result<Arc<dyn ClientChannel>, ConnectError> {
        config.hello = self.hello.clone().unwrap_or(config.hello);
        let channel = InProcess::named(NAME).connect(config)?;
        Ok(Arc::clone(self.channel.get_or_init(|| channel)))
    }
}

fn connect(
    hello: Option<Vec<u8>>,
    codec: Codec,
) -> (Result<NastyClient, ConnectError>, Option<Arc<dyn ClientChannel>>) {
    LazyLock::force(&SERVER);
    let tap = Tap { hello, channel: Arc::default() };
    let client = NastyClient::builder(Endpoint::new(tap.clone())).codec(codec).connect();
    (client, tap.channel.get().cloned())
}

/// Runs a client whose hello is these bytes.
pub fn hello(bytes: &[u8]) {
    if let (Ok(client), _) = connect(Some(bytes.to_vec()), Codec::Postcard) {
        // The bytes were a valid hello, perhaps for the other codec.
        let _ = client.nothing();
    }
}

struct Bytes<'a>(&'a [u8]);

impl Fill for Bytes<'_> {
    fn len(&self) -> usize {
        self.0.len()
    }

    fn write_at(&self, offset: usize, out: &mut [u8]) {
        out.copy_from_slice(&self.0[offset..offset + out.len()]);
    }
}

/// Runs an admitted client, whose requests are given by the bytes: a tag and a body each. All calls
/// are answered, and none makes the service panic. Calls that keep streams and events going may be
/// answered late, or not before the client is gone.
pub fn requests(bytes: &[u8]) {
    let Some((&codec, mut script)) = bytes.split_first() else { return };
    let (client, channel) = connect(None, codec_of(codec));
    let _client = client.expect("the hello is in order");
    let channel = channel.expect("it has connected");
    while let Some((tag, rest)) = script.split_first_chunk() {
        script = rest;
        let tag = u32::from_le_bytes(*tag) & ((1 << witrpc::transport::TAG_BITS) - 1);
        let body = take(&mut script);
        let is_call = tag >> OPERATION_SHIFT & 7 == 0;
        match ask(&*channel, tag, body, if is_call { PATIENCE } else { MOMENT }) {
            Ok(answer) => {
                assert_ne!(answer.tag & 0xFF, PANICKED, "tag {tag:#x}, body {body:x?}");
            }
            Err(ChannelError::TimedOut) if !is_call => {}
            // Too many requests are unanswered.
            Err(ChannelError::NoFreeLane) => return,
            Err(ChannelError::TimedOut) => panic!("no answer to tag {tag:#x}, body {body:x?}"),
            // The server has ended the connection.
            Err(_) => return,
        }
    }
}

fn ask(
    channel: &dyn ClientChannel,
    tag: u32,
    bytes: &[u8],
    limit: Duration,
) -> Result<Answer, ChannelError> {
    let large = Bytes(bytes);
    let small = pad(&bytes[..bytes.len().min(SMALL_LEN)]);
    let body = match bytes.len() {
        len @ 0..=SMALL_LEN => Body::Small { padded: &small, len },
        _ => Body::Large(&large),
    };
    let sent = channel.try_send(Outgoing::new(tag, body))?;
    let ticket = sent.ok_or(ChannelError::NoFreeLane)?;
    let mut answer = Answer::default();
    channel.wait_answer(ticket, &mut Limit::Within(limit), &mut answer)?;
    Ok(answer)
}
