//! Which codec a connection uses, and how those that do not fit are reported.

use std::net::SocketAddr;

use futures_executor::block_on;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use witrpc::{
    BindError, CallError, Codec, ConnectError, Endpoint, InProcess, Mmf, WitServer, wit_service,
};
use witrpc_tests::CODECS;

/// Returns an endpoint in shared memory, and one in this process.
fn places() -> [Endpoint; 2] {
    [Mmf::unguessable().into(), InProcess::new().into()]
}

/// Holds any value.
#[wit_service]
pub trait Store {
    /// Returns its argument.
    fn keep(&self, value: Value) -> Value;
}

/// Holds what every codec carries.
#[wit_service]
pub trait Shelf {
    /// Returns its argument.
    fn put(&self, text: String) -> String;
}

/// A note that may come without a field.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Note {
    /// What it says.
    pub text: String,
    /// Left out if it has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
}

/// Both an `Option` of an `Option` and a field that is left out: no codec has both.
#[wit_service]
pub trait Impossible {
    /// Codecs that name fields cannot carry it.
    fn twice(&self, twice: Option<Option<u8>>) -> bool;
    /// Postcard cannot carry it.
    fn note(&self, note: Note, notes: Vec<Note>);
}

struct Desk;

impl Store for Desk {
    fn keep(&self, value: Value) -> Value {
        value
    }
}

impl Shelf for Desk {
    fn put(&self, text: String) -> String {
        text
    }
}

impl Impossible for Desk {
    fn twice(&self, twice: Option<Option<u8>>) -> bool {
        twice.is_some()
    }

    fn note(&self, _: Note, _: Vec<Note>) {}
}

#[test]
fn a_service_is_served_over_the_codecs_that_fit_it() {
    for place in places() {
        let builder = WitServer::builder().listen(place.clone()).service(StoreServer::new(Desk));
        let server = builder.service(ShelfServer::new(Desk)).start().unwrap();
        // The quickest that fits, without an attempt that is refused.
        let store = StoreClient::connect(place.clone()).unwrap();
        let shelf = ShelfClient::connect(place.clone()).unwrap();
        assert_eq!(store.connection().codec(), Codec::MessagePack);
        assert_eq!(shelf.connection().codec(), Codec::Postcard);
        assert_eq!(server.metrics().refused_handshakes, 0);
        let value = serde_json::json!({ "a": [1, null, { "1": "b" }], "2": -0.5 });
        for codec in CODECS {
            let shelf = ShelfClient::builder(place.clone()).codec(codec).connect().unwrap();
            assert_eq!(shelf.put("a".to_owned()).unwrap(), "a");
            let store = shelf.connection().client::<StoreClient>();
            if codec == Codec::Postcard {
                let refused = store.unwrap_err();
                assert!(matches!(refused, ConnectError::CodecRefused { .. }), "{refused}");
            } else {
                assert_eq!(store.unwrap().keep(value.clone()).unwrap(), value);
            }
        }
    }
}

/// The same service as [`Store`], for a client whose own types every codec carries.
#[wit_service(name = "Store")]
pub trait PlainStore {
    /// Returns its argument.
    fn keep(&self, value: String) -> String;
}

#[test]
fn a_client_that_names_a_codec_that_does_not_fit_learns_why() {
    for place in places() {
        let builder = WitServer::builder().listen(place.clone()).service(StoreServer::new(Desk));
        let _server = builder.start().unwrap();
        let client = PlainStoreClient::builder(place.clone()).codec(Codec::Postcard);
        let refused = client.connect().unwrap_err();
        match &refused {
            ConnectError::CodecLeftOut { asked: Codec::Postcard, allowed, reason } => {
                assert_eq!(allowed, &[Codec::MessagePack, Codec::Json]);
                assert!(reason.contains("postcard does not say what comes next"), "{reason}");
            }
            other => panic!("{other}"),
        }
        // One that names none takes the next.
        let client = PlainStoreClient::connect(place).unwrap();
        assert_eq!(client.connection().codec(), Codec::MessagePack);
        assert_eq!(client.keep("a".to_owned()).unwrap(), "a");
    }
}

#[test]
fn a_second_service_whose_codec_is_left_out_is_refused_with_the_reason() {
    for place in places() {
        let builder = WitServer::builder().listen(place.clone()).service(StoreServer::new(Desk));
        let _server = builder.service(ShelfServer::new(Desk)).start().unwrap();
        let shelf = ShelfClient::connect(place).unwrap();
        let connection = shelf.connection();
        for refused in [
            connection.client::<PlainStoreClient>().unwrap_err(),
            block_on(connection.client_async::<PlainStoreClient>()).unwrap_err(),
        ] {
            match &refused {
                ConnectError::CodecLeftOut { asked: Codec::Postcard, allowed, reason } => {
                    assert_eq!(allowed, &[Codec::MessagePack, Codec::Json]);
                    assert!(reason.contains("postcard does not say what comes next"), "{reason}");
                }
                other => panic!("{other}"),
            }
        }
    }
}

#[test]
fn a_server_whose_codecs_are_named_refuses_what_does_not_fit() {
    for codec in CODECS {
        let builder = WitServer::builder().listen(InProcess::new()).codecs([codec]);
        let started = builder.service(StoreServer::new(Desk)).start();
        let refused = matches!(
            started,
            Err(BindError::CodecRefused { codec: Codec::Postcard, service: "Store", .. })
        );
        assert_eq!(refused, codec == Codec::Postcard, "{started:?}");
    }
    for place in places() {
        let builder = WitServer::builder().listen(place.clone()).codecs([Codec::Json]);
        let _server = builder.service(ShelfServer::new(Desk)).start().unwrap();
        let shelf = ShelfClient::connect(place).unwrap();
        assert_eq!(shelf.connection().codec(), Codec::Json);
        assert_eq!(shelf.put("a".to_owned()).unwrap(), "a");
    }
}

#[test]
fn a_service_that_no_codec_fits_is_refused_with_every_problem() {
    let builder = WitServer::builder().listen(InProcess::new());
    match builder.service(ImpossibleServer::new(Desk)).start() {
        Err(BindError::NoCodecFits { service: "Impossible", problems }) => {
            assert_eq!(problems.len(), CODECS.len(), "{problems:?}");
            for (problem, codec) in problems.iter().zip(["postcard", "MessagePack", "JSON"]) {
                assert!(problem.contains(&format!("cannot be served over {codec}")), "{problem}");
            }
            assert_eq!(problems[0].matches("field `by` of `Note` is left out").count(), 2);
            assert!(problems[1].contains("is Option<Option<_>>"), "{problems:?}");
        }
        other => panic!("{other:?}"),
    }
}

/// A tree whose nodes have two parts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Tree {
    /// Its end.
    Leaf,
    /// A node.
    Node(Box<Tree>, u8),
}

/// Behind a tag, a wide number.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type")]
pub enum Declare {
    /// The first version.
    V1 {
        /// The fee.
        max_fee: u128,
    },
}

/// Returns its arguments.
#[wit_service]
pub trait Deep {
    /// A tree.
    fn tree(&self, tree: Tree) -> Tree;
}

/// Takes a wide number.
#[wit_service]
pub trait Node {
    /// Returns its argument.
    fn declare(&self, tx: Declare) -> Declare;
}

/// A payment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Payment {
    /// Behind a flatten, a wide number.
    #[serde(flatten)]
    pub amount: Amount,
}

/// What is paid.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Amount {
    /// The fee.
    pub max_fee: u128,
}

/// Takes a wide number.
#[wit_service]
pub trait Bank {
    /// Returns its argument.
    fn pay(&self, payment: Payment) -> Payment;
}

/// An object of the past.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "status", content = "details")]
pub enum Past {
    /// It existed.
    Found(u8),
    /// It did not.
    Never,
}

/// Takes an adjacently tagged enum.
#[wit_service]
pub trait Objects {
    /// Returns its argument.
    fn get(&self, past: Past) -> Past;
}

/// Takes addresses.
#[wit_service]
pub trait Peers {
    /// Returns its argument.
    fn echo(&self, at: SocketAddr) -> SocketAddr;
}

impl Bank for Desk {
    fn pay(&self, payment: Payment) -> Payment {
        payment
    }
}

impl Objects for Desk {
    fn get(&self, past: Past) -> Past {
        past
    }
}

impl Peers for Desk {
    fn echo(&self, at: SocketAddr) -> SocketAddr {
        at
    }
}

impl Deep for Desk {
    fn tree(&self, tree: Tree) -> Tree {
        tree
    }
}

impl Node for Desk {
    fn declare(&self, tx: Declare) -> Declare {
        tx
    }
}

#[test]
fn a_value_is_as_deep_for_the_reader_as_for_the_writer() {
    for place in places() {
        let builder = WitServer::builder().listen(place.clone()).service(DeepServer::new(Desk));
        let _server = builder.start().unwrap();
        let tree = |levels| (0..levels).fold(Tree::Leaf, |tree, n| Tree::Node(Box::new(tree), n));
        for codec in CODECS {
            let deep = DeepClient::builder(place.clone()).codec(codec).connect().unwrap();
            for levels in [0, 63, 64, 100, 127] {
                assert_eq!(deep.tree(tree(levels)), Ok(tree(levels)), "{codec}");
            }
            let refused = deep.tree(tree(128)).unwrap_err();
            let CallError::Encode { message } = &refused else { panic!("{refused:?}") };
            assert!(message.contains("nested deeper than 128 levels, which no codec"), "{message}");
        }
    }
}

#[test]
fn a_wide_number_behind_a_tag_is_refused_at_the_start() {
    let builder = WitServer::builder().listen(InProcess::new()).service(NodeServer::new(Desk));
    match builder.start() {
        Err(BindError::NoCodecFits { service: "Node", problems }) => {
            assert!(problems[0].contains("internally tagged"), "{problems:?}");
            for problem in &problems[1..] {
                let words =
                    "the field `V1.max_fee` is a u128, which serde cannot read behind a tag";
                assert!(problem.contains(words), "{problem}");
            }
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_wide_number_behind_a_flatten_is_explained() {
    let place = InProcess::new();
    let builder = WitServer::builder().listen(place.clone()).service(BankServer::new(Desk));
    let _server = builder.start().unwrap();
    for codec in [Codec::MessagePack, Codec::Json] {
        let bank = BankClient::builder(place.clone()).codec(codec).connect().unwrap();
        let sent = Payment { amount: Amount { max_fee: 5 } };
        let refused = bank.pay(sent).unwrap_err().to_string();
        assert!(refused.contains("use a u64, a string"), "{refused}");
    }
}

#[test]
fn an_adjacently_tagged_enum_is_told_as_such() {
    let builder = WitServer::builder().listen(InProcess::new()).codecs([Codec::Postcard]);
    match builder.service(ObjectsServer::new(Desk)).start() {
        Err(BindError::CodecRefused { problem, .. }) => {
            let words = "argument `past` is adjacently tagged (tag and content), which postcard";
            assert!(problem.starts_with(words), "{problem}");
            assert!(!problem.contains("come back"), "{problem}");
        }
        other => panic!("{other:?}"),
    }
    let place = InProcess::new();
    let builder = WitServer::builder().listen(place.clone()).service(ObjectsServer::new(Desk));
    let _server = builder.start().unwrap();
    for codec in [Codec::MessagePack, Codec::Json] {
        let objects = ObjectsClient::builder(place.clone()).codec(codec).connect().unwrap();
        for past in [Past::Found(3), Past::Never] {
            assert_eq!(objects.get(past.clone()), Ok(past), "{codec}");
        }
    }
}

#[test]
fn the_scope_of_an_address_is_carried_or_refused() {
    let place = InProcess::new();
    let builder = WitServer::builder().listen(place.clone()).service(PeersServer::new(Desk));
    let _server = builder.start().unwrap();
    let scoped: SocketAddr = "[fe80::1%3]:80".parse().unwrap();
    for codec in CODECS {
        let peers = PeersClient::builder(place.clone()).codec(codec).connect().unwrap();
        match peers.echo(scoped) {
            Ok(back) => assert_eq!(back, scoped, "{codec}"),
            Err(CallError::Encode { message }) => {
                assert_eq!(codec, Codec::Postcard, "{message}");
                assert!(message.contains("the address [fe80::1%3]:80 has a scope"), "{message}");
            }
            Err(other) => panic!("{other}, {codec}"),
        }
    }
}
