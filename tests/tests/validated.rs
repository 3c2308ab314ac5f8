//! Services whose types validate the values that they are made from.

use std::fmt;

use serde::de::{Error as _, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use witrpc::{
    BindError, CallError, Codec, ConnectError, Endpoint, InProcess, Mmf, WitServer, wit_service,
};
use witrpc_tests::CODECS;

/// Returns a place in shared memory, and one in this process.
fn places() -> [Endpoint; 2] {
    [Mmf::unguessable().into(), InProcess::new().into()]
}

/// Defines types that are made from another one if a condition holds, and are converted back to it.
macro_rules! checked {
    ($($(#[$docs:meta])* $name:ident($from:ty, $words:literal): $condition:expr, $error:literal;)*) => {$(
        $(#[$docs])*
        #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
        #[serde(try_from = $words, into = $words)]
        pub struct $name(pub $from);

        impl TryFrom<$from> for $name {
            type Error = &'static str;

            fn try_from(value: $from) -> Result<Self, &'static str> {
                let condition: fn(&$from) -> bool = $condition;
                if condition(&value) { Ok(Self(value)) } else { Err($error) }
            }
        }

        impl From<$name> for $from {
            fn from(value: $name) -> $from {
                value.0
            }
        }
    )*};
}

fn is_hex(text: &str, digits: usize) -> bool {
    text.len() == digits && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

checked! {
    /// Of an account.
    Address(String, "String"): |text| text.strip_prefix("0x").is_some_and(|rest| is_hex(rest, 40)),
        "it is no address";
    /// Of a revision.
    Commit(String, "String"): |text| is_hex(text, 40), "it is no commit";
    /// A sortable identifier.
    Ulid(String, "String"): |text| text.len() == 26 && text.bytes().all(|b| b.is_ascii_alphanumeric()),
        "it is no ULID";
    /// A time to wait, as `15s`.
    Pause(String, "String"): |text| text.strip_suffix('s').is_some_and(|n| n.parse::<u32>().is_ok()),
        "it is no time";
    /// Three numbers.
    Version(String, "String"): |text| text.split('.').filter(|n| n.parse::<u32>().is_ok()).count() == 3,
        "it is no version";
    /// Of a person.
    Mail(String, "String"): |text| text.split_once('@').is_some_and(|(_, host)| host.contains('.')),
        "it is no address of mail";
    /// A port that needs no privilege.
    Port(u16, "u16"): |port| *port >= 1024, "a port is 1024 or above";
    /// A part of a whole.
    Ratio(f64, "f64"): |ratio| (0.0..=1.0).contains(ratio), "a ratio is within 0..=1";
    /// The code of a redirection.
    Redirection(u16, "u16"): |code| (300..400).contains(code), "it is no redirection";
    /// The sides of a board.
    Five(Vec<i32>, "Vec<i32>"): |list| list.len() == 5, "there are five";
    /// Accepts only texts that cannot be guessed.
    Shelf(String, "String"): |text| text.starts_with("shelf~"), "it is no shelf";
}

/// Exactly 64 bytes.
#[derive(Clone, Debug, PartialEq)]
pub struct Signature(pub Vec<u8>);

impl Serialize for Signature {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(&self.0)
    }
}

impl<'de> Deserialize<'de> for Signature {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct SixtyFour;
        impl<'de> Visitor<'de> for SixtyFour {
            type Value = Signature;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("64 bytes")
            }

            fn visit_bytes<E: serde::de::Error>(self, bytes: &[u8]) -> Result<Signature, E> {
                if bytes.len() == 64 {
                    return Ok(Signature(bytes.to_vec()));
                }
                Err(E::invalid_length(bytes.len(), &self))
            }

            fn visit_seq<A: serde::de::SeqAccess<'de>>(
                self,
                mut list: A,
            ) -> Result<Signature, A::Error> {
                let mut bytes = Vec::new();
                while let Some(byte) = list.next_element()? {
                    bytes.push(byte);
                }
                self.visit_bytes::<A::Error>(&bytes).map_err(A::Error::custom)
            }
        }
        deserializer.deserialize_bytes(SixtyFour)
    }
}

/// All of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Deal {
    /// Of an account.
    pub from: Address,
    /// Of a revision.
    pub commit: Commit,
    /// Of this deal.
    pub id: Ulid,
    /// A number after the checked fields.
    pub amount: i64,
    /// How long to wait.
    pub pause: Option<Pause>,
    /// Of the program.
    pub version: Version,
    /// The persons that are told.
    pub told: Vec<Mail>,
    /// Where to go.
    pub port: Port,
    /// A part of a whole.
    pub ratio: Ratio,
    /// How.
    pub how: How,
    /// The sides of a board.
    pub sides: Five,
    /// 64 bytes.
    pub signature: Signature,
    /// Comes last.
    pub end: u32,
}

/// Whether to redirect.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum How {
    /// Not at all.
    Stay,
    /// By a code.
    Go {
        /// The code.
        code: Redirection,
        /// How often.
        times: u16,
    },
}

/// Takes types that are checked.
#[wit_service]
pub trait Market {
    /// Returns the deal.
    fn trade(&self, deal: Deal) -> Result<Deal, Port>;
}

struct Stall;

impl Market for Stall {
    fn trade(&self, deal: Deal) -> Result<Deal, Port> {
        if deal.amount == 0 { Err(deal.port) } else { Ok(deal) }
    }
}

fn deal() -> Deal {
    Deal {
        from: Address(format!("0x{}", "a7".repeat(20))),
        commit: Commit("5f".repeat(20)),
        id: Ulid("01HV3QW6H4W2E8S5Y8ZK1N7R3T".to_owned()),
        amount: -5,
        pause: Some(Pause("15s".to_owned())),
        version: Version("1.22.3".to_owned()),
        told: vec![Mail("a@example.org".to_owned()), Mail("b@example.com".to_owned())],
        port: Port(5432),
        ratio: Ratio(0.25),
        how: How::Go { code: Redirection(308), times: 3 },
        sides: Five(vec![1, -2, 3, -4, 5]),
        signature: Signature((0..64).collect()),
        end: 7,
    }
}

#[test]
fn checked_types_of_real_life_arrive_as_they_were_sent() {
    for place in places() {
        let service = MarketServer::new(Stall);
        let _server = WitServer::builder().listen(place.clone()).service(service).start().unwrap();
        for codec in CODECS {
            let market = MarketClient::builder(place.clone()).codec(codec).connect().unwrap();
            let contract = market.connection().contract();
            assert!(!contract.contains('?') && !contract.contains("not traced"), "{contract}");
            assert_eq!(market.trade(deal()), Ok(deal()), "{codec}");
            let none = Deal { amount: 0, pause: None, told: vec![], how: How::Stay, ..deal() };
            assert_eq!(market.trade(none), Err(CallError::App(Port(5432))), "{codec}");
        }
    }
}

/// The version of a shop that its server has.
pub mod old {
    use super::{Address, Deserialize, Serialize, Shelf, wit_service};

    /// A line of an order.
    #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
    pub struct Line {
        /// The price of one.
        pub price: u32,
        /// How many.
        pub count: u32,
    }

    /// An order whose first field is checked.
    #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
    pub struct Order<A> {
        /// Of an account.
        pub from: A,
        /// May be negative.
        pub amount: i64,
        /// What is ordered.
        pub lines: Vec<Line>,
    }

    /// A shop.
    #[wit_service]
    pub trait Shop {
        /// Of an account whose text is known.
        fn place(&self, order: Order<Address>) -> i64;
        /// Of an account whose text cannot be guessed.
        fn reserve(&self, order: Order<Shelf>) -> i64;
    }

    /// A store.
    #[wit_service]
    pub trait Store {
        /// The number after the shelf cannot be reached.
        fn put(&self, at: (Shelf, i64)) -> i64;
    }
}

/// The version of a shop that its client has.
pub mod new {
    use super::{Address, Deserialize, Serialize, Shelf, wit_service};

    /// Its fields have changed places.
    #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
    pub struct Line {
        /// How many.
        pub count: u32,
        /// The price of one.
        pub price: u32,
    }

    /// The amount is of another type.
    #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
    pub struct Order<A> {
        /// Of an account.
        pub from: A,
        /// Is not negative.
        pub amount: u64,
        /// What is ordered.
        pub lines: Vec<Line>,
    }

    /// A shop.
    #[wit_service]
    pub trait Shop {
        /// Of an account whose text is known.
        fn place(&self, order: Order<Address>) -> i64;
        /// Of an account whose text cannot be guessed.
        fn reserve(&self, order: Order<Shelf>) -> i64;
    }

    /// A store.
    #[wit_service]
    pub trait Store {
        /// The number is of another type.
        fn put(&self, at: (Shelf, u64)) -> i64;
    }

    /// The same store, for a client whose own types are all known.
    #[wit_service(name = "Store")]
    pub trait Known {
        /// The text is not checked.
        fn put(&self, at: (String, u64)) -> i64;
    }
}

struct Desk;

impl old::Shop for Desk {
    fn place(&self, order: old::Order<Address>) -> i64 {
        order.amount
    }

    fn reserve(&self, order: old::Order<Shelf>) -> i64 {
        order.amount
    }
}

impl old::Store for Desk {
    fn put(&self, at: (Shelf, i64)) -> i64 {
        at.1
    }
}

#[test]
fn another_version_is_refused_though_a_field_before_it_is_checked() {
    let told = |error| match error {
        ConnectError::ContractMismatch { differences, .. } => {
            differences.iter().map(ToString::to_string).collect::<Vec<_>>()
        }
        other => panic!("{other}"),
    };
    for place in places() {
        let service = old::ShopServer::new(Desk);
        let _server = WitServer::builder().listen(place.clone()).service(service).start().unwrap();
        let client = new::ShopClient::builder(place.clone()).codec(Codec::Postcard).strict(true);
        let differences = [
            "place: argument `order`: `amount` is u64 here and i64 there",
            "place: argument `order`: `lines.[]` has its fields in another order there",
            "reserve: argument `order`: `amount` is u64 here and i64 there",
            "reserve: argument `order`: `lines.[]` has its fields in another order there",
        ];
        assert_eq!(told(client.connect().unwrap_err()), differences);
        let client = new::ShopClient::builder(place).codec(Codec::Json).strict(true);
        assert_eq!(told(client.connect().unwrap_err()), [differences[0], differences[2]]);
    }
}

fn store() -> old::StoreServer {
    old::StoreServer::new(Desk)
}

/// Returns the error of a client that does not allow types with an unknown part.
fn unverified<T: fmt::Debug>(connected: Result<T, ConnectError>) -> (String, String) {
    match connected {
        Err(ConnectError::UnverifiedType {
            codec: Codec::Postcard,
            service: "Store",
            method,
            part,
            reason,
        }) => {
            assert_eq!(method, "put");
            (part, reason)
        }
        other => panic!("{other:?}"),
    }
}

const UNREACHED: &str = "its Deserialize, or one before it, takes no sample value (it is no shelf)";

#[test]
fn a_type_with_an_unknown_part_is_not_served_over_postcard() {
    for place in places() {
        let builder = WitServer::builder().listen(place).codecs([Codec::Postcard]);
        match builder.service(store()).start() {
            Err(BindError::UnverifiedType {
                codec: Codec::Postcard,
                service: "Store",
                method,
                part,
                reason,
            }) => {
                assert_eq!((method.as_str(), part.as_str()), ("put", "argument `at`"));
                assert_eq!(reason, UNREACHED);
            }
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn an_unknown_part_is_read_only_where_both_sides_allow_it() {
    for place in places() {
        let builder = WitServer::builder().listen(place.clone()).allow_unverified_types(true);
        let _server = builder.service(store()).service(MarketServer::new(Stall)).start().unwrap();

        // An identical contract does not mean that the unknown part is the same.
        let same = || old::StoreClient::builder(place.clone()).codec(Codec::Postcard);
        let at_argument = ("argument `at`".to_owned(), UNREACHED.to_owned());
        assert_eq!(unverified(same().connect()), at_argument);
        let market = MarketClient::connect(place.clone()).unwrap();
        assert_eq!(unverified(market.connection().client::<old::StoreClient>()), at_argument);
        // It is not known to a client either whose own types are all known.
        let known = new::KnownClient::builder(place.clone()).codec(Codec::Postcard).connect();
        let reason = "the server could not verify all of its type".to_owned();
        assert_eq!(unverified(known), ("argument `at`".to_owned(), reason));

        let allowed = same().allow_unverified_types(true).connect().unwrap();
        let shelf = || Shelf("shelf~1".to_owned());
        assert_eq!(allowed.put((shelf(), -3)), Ok(-3));
        let market = MarketClient::builder(place.clone()).allow_unverified_types(true);
        let market = market.connect().unwrap();
        let beside = market.connection().client::<old::StoreClient>().unwrap();
        assert_eq!(beside.put((shelf(), 5)), Ok(5));
    }
}

#[test]
fn an_unknown_part_of_another_version_is_an_error_of_the_call_over_json() {
    for place in places() {
        let builder = WitServer::builder().listen(place.clone()).codecs([Codec::Json]);
        let _server = builder.service(store()).start().unwrap();
        let store = new::StoreClient::builder(place).codec(Codec::Json).connect().unwrap();
        let shelf = || Shelf("shelf~1".to_owned());
        assert_eq!(store.put((shelf(), 5)), Ok(5));
        let refused = store.put((shelf(), u64::MAX)).unwrap_err();
        assert!(matches!(refused, CallError::BadRequest { .. }), "{refused}");
        assert_eq!(store.put((shelf(), 6)), Ok(6));
    }
}

#[test]
fn a_service_in_the_own_process_has_the_same_types_on_both_sides() {
    let store = old::StoreClient::in_process(Desk);
    assert_eq!(store.put((Shelf("shelf~1".to_owned()), -3)), Ok(-3));
}
