//! A hostile server, and an honest client of it.

use std::collections::VecDeque;
use std::path::Path;
use std::sync::{Arc, Mutex, OnceLock};
use std::task::{Context, Poll};

use witrpc::transport::{
    Answer, BindConfig, ChannelError, ClientChannel, ConnectConfig, Limit, Outgoing, Payload,
    Sending, ServerPort, Ticket, Transport, pad,
};
use witrpc::{BindError, ConnectError, Endpoint, InProcess, WitServer};

use super::{NastyClient, Tree, codec_of, mirror, take};

/// The longest answer limits a stream without end.
const MOST_ITEMS: usize = 1 << 17;

/// The answers that are left: a tag and a body each.
type Answers = Arc<Mutex<VecDeque<(u32, Vec<u8>)>>>;

/// A server that welcomes with some bytes, and answers with others.
#[derive(Debug)]
struct Liar {
    welcome: Vec<u8>,
    answers: Answers,
}

impl Transport for Liar {
    fn bind(&self, _: BindConfig) -> Result<Arc<dyn ServerPort>, BindError> {
        unreachable!("only clients get this endpoint")
    }

    fn connect(&self, _: ConnectConfig) -> Result<Arc<dyn ClientChannel>, ConnectError> {
        let answers = Arc::clone(&self.answers);
        Ok(Arc::new(Lies { welcome: self.welcome.clone(), answers }))
    }
}

#[derive(Debug)]
struct Lies {
    welcome: Vec<u8>,
    answers: Answers,
}

impl Lies {
    /// Returns the next answer, or the error of an ended connection when there is none.
    fn next(&self, answer: &mut Answer) -> Result<(), ChannelError> {
        let next = self.answers.lock().expect("no thread panics with it").pop_front();
        let (tag, bytes) = next.ok_or(ChannelError::PeerDied)?;
        let payload = match bytes.len() {
            len @ 0..=40 => Payload::Small { bytes: pad(&bytes), len: len as u8 },
            _ => Payload::Whole(bytes),
        };
        *answer = Answer::new(tag, payload);
        Ok(())
    }
}

impl ClientChannel for Lies {
    fn welcome(&self) -> &[u8] {
        &self.welcome
    }

    fn try_send(&self, _: Outgoing<'_>) -> Result<Option<Ticket>, ChannelError> {
        Ok(Some(Ticket::new(0, 1)))
    }

    fn poll_send(
        &self,
        _: &mut Context<'_>,
        _: &mut Sending,
        _: Outgoing<'_>,
        _: &mut Limit,
    ) -> Poll<Result<Ticket, ChannelError>> {
        Poll::Ready(Ok(Ticket::new(0, 1)))
    }

    fn wait_answer(
        &self,
        _: Ticket,
        _: &mut Limit,
        answer: &mut Answer,
    ) -> Result<(), ChannelError> {
        self.next(answer)
    }

    fn poll_answer(
        &self,
        _: &mut Context<'_>,
        _: &mut Ticket,
        _: &mut Limit,
        answer: &mut Answer,
    ) -> Poll<Result<(), ChannelError>> {
        Poll::Ready(self.next(answer))
    }

    fn abandon(&self, _: Ticket) {}

    fn lanes(&self) -> u32 {
        64
    }

    fn lost(&self) -> Option<ChannelError> {
        None
    }

    fn disconnect(&self) {}
}

/// Runs a server whose welcome is these bytes.
pub fn welcome(bytes: &[u8]) {
    let liar = Liar { welcome: bytes.to_vec(), answers: Arc::default() };
    let _ = NastyClient::connect(Endpoint::new(liar));
}

/// Returns the welcome of an honest server, with which the client goes on to its calls.
fn honest_welcome() -> &'static [u8] {
    /// Listens to a connect.
    #[derive(Clone, Debug)]
    struct Ear(InProcess, Arc<OnceLock<Vec<u8>>>);

    impl Transport for Ear {
        fn bind(&self, _: BindConfig) -> Result<Arc<dyn ServerPort>, BindError> {
            unreachable!("only clients get this endpoint")
        }

        fn connect(&self, config: ConnectConfig) -> Result<Arc<dyn ClientChannel>, ConnectError> {
            let channel = self.0.connect(config)?;
            self.1.get_or_init(|| channel.welcome().to_vec());
            Ok(channel)
        }
    }

    static WELCOME: OnceLock<Vec<u8>> = OnceLock::new();
    WELCOME.get_or_init(|| {
        let place = InProcess::new();
        let server = WitServer::builder().listen(place.clone()).service(mirror());
        let _server = server.start().expect("it is this test's own place");
        let ear = Ear(place, Arc::default());
        NastyClient::connect(Endpoint::new(ear.clone())).expect("the server serves");
        ear.1.get().expect("it has been heard").clone()
    })
}

/// Runs a server whose answers are given by the bytes: a tag and a body each, to a call of each
/// method.
pub fn answers(bytes: &[u8]) {
    let Some((&codec, mut script)) = bytes.split_first() else { return };
    let mut said = VecDeque::new();
    while let Some((tag, rest)) = script.split_first_chunk() {
        script = rest;
        said.push_back((u32::from_le_bytes(*tag), take(&mut script).to_vec()));
    }
    let answers = Arc::new(Mutex::new(said));
    let liar = Liar { welcome: honest_welcome().to_vec(), answers: Arc::clone(&answers) };
    let client = NastyClient::builder(Endpoint::new(liar)).codec(codec_of(codec)).connect();
    let Ok(client) = client else { return };
    while !answers.lock().expect("no thread panics with it").is_empty() {
        let _ = client.nothing();
        let _ = client.tree(Tree::Leaf);
        let _ = client.odds(Vec::new());
        let _ = client.nothings(Vec::new(), Default::default());
        let _ = client.raw(&[], &[], &[], "");
        let _ = client.lent(Path::new(""), &Tree::Leaf);
        let _ = client.later(Tree::Leaf, Vec::new());
        flows(&client);
    }
}

/// Calls each method that takes or returns a stream, and subscribes to each event. Each item takes
/// an answer of its own at least now and then, so all streams end.
fn flows(client: &NastyClient) {
    if let Ok(items) = client.repeat(Tree::Leaf, 3) {
        items.for_each(drop);
    }
    if let Ok(items) = client.numbers(0) {
        items.take(MOST_ITEMS).for_each(drop);
    }
    if let Ok(items) = client.lists(3) {
        items.for_each(drop);
    }
    let _ = client.weigh([vec![1, 2], Vec::new()].into_iter(), Tree::Leaf);
    if let Ok(events) = client.happened() {
        // The thread that pulls goes on until the answers are used up, which ends the subscription.
        events.for_each(drop);
    }
    let _guard = client.on_waited(drop);
}
