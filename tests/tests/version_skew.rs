//! Clients and servers of different versions of a service: a change refuses what it touches, and
//! nothing else.

use std::sync::mpsc;
use std::time::Duration;

use futures_executor::block_on;
use futures_util::StreamExt;
use serde::{Deserialize, Serialize};
use tempfile::TempDir;
use witrpc::{
    Backoff, CallError, Codec, ConnectError, ConnectionState, ContractDifference, Endpoint,
    InProcess, Mmf, Reconnect, WitServer, wit_service,
};
use witrpc_tests::watchdog::PATIENCE;

/// The version that came first.
pub mod old {
    use super::{Deserialize, Serialize, wit_service};

    /// What a parcel weighs.
    #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
    pub struct Weight {
        /// In grams.
        pub grams: u32,
    }

    /// Weighs parcels.
    #[wit_service]
    pub trait Scale {
        /// Stays as it is.
        fn weigh(&self, parcel: u64) -> Weight;
        /// Its argument changes.
        fn label(&self, parcel: u64) -> String;
        /// Its result changes.
        async fn mean(&self) -> u32;
        /// Its items change.
        fn list(&self) -> impl Iterator<Item = u32>;
        /// Its items stay as they are.
        fn parcels(&self) -> impl Iterator<Item = u64>;
        /// Does not exist later.
        fn tare(&self);
        /// Stays as it is.
        #[wit(event)]
        fn weighed(&self, parcel: u64);
        /// Its argument changes.
        #[wit(event)]
        fn failed(&self, why: String);
    }
}

/// The version that came later.
pub mod new {
    use super::wit_service;

    pub use super::old::Weight;

    /// Weighs parcels.
    #[wit_service]
    pub trait Scale {
        /// Its items have changed.
        fn list(&self) -> impl Iterator<Item = u64>;
        /// Has stayed as it is.
        fn parcels(&self) -> impl Iterator<Item = u64>;
        /// Its result has changed.
        async fn mean(&self) -> f64;
        /// Its argument has changed.
        fn label(&self, parcel: u32) -> String;
        /// Has stayed as it is.
        fn weigh(&self, parcel: u64) -> Weight;
        /// Its argument has changed.
        #[wit(event)]
        fn failed(&self, code: u16);
        /// Has stayed as it is.
        #[wit(event)]
        fn weighed(&self, parcel: u64);
    }
}

struct Balance<E>(E);

fn grams(parcel: u64) -> old::Weight {
    old::Weight { grams: u32::try_from(parcel % 1000).unwrap() }
}

impl old::Scale for Balance<old::ScaleEvents> {
    fn weigh(&self, parcel: u64) -> old::Weight {
        self.0.weighed(parcel).unwrap();
        grams(parcel)
    }

    fn label(&self, parcel: u64) -> String {
        panic!("another version of the method was called with {parcel}")
    }

    async fn mean(&self) -> u32 {
        panic!("another version of the method was called")
    }

    fn list(&self) -> impl Iterator<Item = u32> {
        [1, 2].into_iter()
    }

    fn parcels(&self) -> impl Iterator<Item = u64> {
        [7042, 7043].into_iter()
    }

    fn tare(&self) {}
}

impl new::Scale for Balance<new::ScaleEvents> {
    fn list(&self) -> impl Iterator<Item = u64> {
        [1, 2].into_iter()
    }

    fn parcels(&self) -> impl Iterator<Item = u64> {
        [7042, 7043].into_iter()
    }

    async fn mean(&self) -> f64 {
        panic!("another version of the method was called")
    }

    fn label(&self, parcel: u32) -> String {
        panic!("another version of the method was called with {parcel}")
    }

    fn weigh(&self, parcel: u64) -> old::Weight {
        self.0.weighed(parcel).unwrap();
        grams(parcel)
    }
}

fn places() -> [Endpoint; 2] {
    [Mmf::unguessable().into(), InProcess::new().into()]
}

fn serve_old(place: &Endpoint) -> WitServer {
    let service = old::ScaleServer::with_events(Balance);
    WitServer::builder().listen(place.clone()).service(service).start().unwrap()
}

fn serve_new(place: &Endpoint) -> WitServer {
    let service = new::ScaleServer::with_events(Balance);
    WitServer::builder().listen(place.clone()).service(service).start().unwrap()
}

/// The changes, as a client of the new version sees them.
const CHANGES: [&str; 4] = [
    "list: an item is u64 here and u32 there",
    "mean: the result is f64 here and u32 there",
    "label: argument `parcel` is u32 here and u64 there",
    "failed: argument 1 is `code` here and `why` there",
];

fn told(differences: &[ContractDifference]) -> Vec<String> {
    differences.iter().map(ToString::to_string).collect()
}

/// Asserts that a call was refused for this difference, before anything was sent.
fn assert_refused<T>(outcome: Result<T, CallError>, difference: &str) {
    match outcome.err().expect("it is refused") {
        error @ CallError::ContractMismatch { .. } => {
            assert!(!error.is_retryable() && !error.maybe_executed());
            assert_eq!(error, CallError::ContractMismatch { difference: difference.to_owned() });
        }
        other => panic!("{other}"),
    }
}

#[test]
fn a_change_refuses_the_method_that_it_touches() {
    for place in places() {
        let _server = serve_old(&place);
        for codec in [Codec::Postcard, Codec::Json] {
            let scale = new::ScaleClient::builder(place.clone()).codec(codec).connect().unwrap();
            assert_eq!(told(&scale.connection().differences()), CHANGES);
            assert_refused(scale.list(), CHANGES[0]);
            assert_refused(scale.mean(), CHANGES[1]);
            assert_refused(scale.label(7042), CHANGES[2]);
            assert_refused(scale.failed(), CHANGES[3]);

            let mut weighed = scale.weighed().unwrap();
            assert_eq!(scale.weigh(7042), Ok(grams(7042)));
            assert_eq!(weighed.next().unwrap().unwrap().parcel, 7042);
            let parcels: Result<Vec<_>, _> = scale.parcels().unwrap().collect();
            assert_eq!(parcels, Ok(vec![7042, 7043]));
        }
    }
}

#[test]
fn a_change_refuses_the_method_that_it_touches_of_an_async_client() {
    for place in places() {
        let _server = serve_old(&place);
        let scale = block_on(new::ScaleAsyncClient::connect(place)).unwrap();
        assert_refused(block_on(scale.list()), CHANGES[0]);
        assert_refused(block_on(scale.mean()), CHANGES[1]);
        assert_refused(block_on(scale.label(7042)), CHANGES[2]);
        assert_refused(block_on(scale.failed()), CHANGES[3]);
        assert_eq!(block_on(scale.weigh(7042)), Ok(grams(7042)));
        let parcels = block_on(block_on(scale.parcels()).unwrap().collect::<Vec<_>>());
        assert_eq!(parcels, [Ok(7042), Ok(7043)]);
    }
}

#[test]
fn an_older_client_learns_of_the_changes_too() {
    for place in places() {
        let _server = serve_new(&place);
        let scale = old::ScaleClient::connect(place).unwrap();
        let differences = [
            "label: argument `parcel` is u64 here and u32 there",
            "mean: the result is u32 here and f64 there",
            "list: an item is u32 here and u64 there",
            "failed: argument 1 is `why` here and `code` there",
        ];
        assert_eq!(told(&scale.connection().differences()), differences);
        assert_refused(scale.label(7042), differences[0]);
        assert_eq!(scale.weigh(7042), Ok(grams(7042)));
        assert_eq!(scale.tare(), Err(CallError::UnknownMethod { method: "tare" }));
    }
}

#[test]
fn a_strict_client_refuses_the_whole_service() {
    for place in places() {
        let server = serve_old(&place);
        let strict = || new::ScaleClient::builder(place.clone()).strict(true);
        match strict().connect() {
            Err(ConnectError::ContractMismatch { service: "Scale", differences }) => {
                assert_eq!(told(&differences), CHANGES);
            }
            other => panic!("{other:?}"),
        }
        drop(server);
        let _server = serve_new(&place);
        assert_eq!(strict().connect().unwrap().weigh(7042), Ok(grams(7042)));
    }
}

#[test]
fn versions_that_are_equal_have_no_differences() {
    for place in places() {
        let _server = serve_new(&place);
        let scale = new::ScaleClient::connect(place).unwrap();
        assert_eq!(scale.connection().differences(), []);
    }
}

#[test]
fn a_client_that_reconnects_compares_with_each_server() {
    let dir = TempDir::new().unwrap();
    let place: Endpoint = Mmf::new("scale").in_dir(dir.path()).into();
    let first = serve_new(&place);
    let (tell, states) = mpsc::channel();
    let policy = Reconnect::new()
        .after_shutdown(true)
        .backoff(Backoff::new(Duration::from_millis(1), Duration::from_millis(20)))
        .on_change(move |state| {
            let _ = tell.send(state);
        });
    let scale = new::ScaleClient::builder(place.clone()).reconnect(policy).connect().unwrap();
    assert_eq!(scale.connection().differences(), []);
    let connected_again = || {
        let mut states = std::iter::from_fn(|| Some(states.recv_timeout(PATIENCE).unwrap()));
        assert!(states.any(|state| state == ConnectionState::Connected));
    };

    drop(first);
    let second = serve_old(&place);
    connected_again();
    assert_eq!(told(&scale.connection().differences()), CHANGES);
    assert_refused(scale.label(7042), CHANGES[2]);
    assert_eq!(scale.weigh(7042), Ok(grams(7042)));

    drop(second);
    let _third = serve_new(&place);
    connected_again();
    assert_eq!(scale.connection().differences(), []);
    assert_eq!(scale.weigh(7042), Ok(grams(7042)));
}

/// Is written whatever it holds, and read if it is small.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "u64", into = "u64")]
pub struct Claim(u64);

impl TryFrom<u64> for Claim {
    type Error = &'static str;

    fn try_from(amount: u64) -> Result<Self, &'static str> {
        if amount < 256 { Ok(Self(amount)) } else { Err("it is too large") }
    }
}

impl From<Claim> for u64 {
    fn from(claim: Claim) -> u64 {
        claim.0
    }
}

/// Takes and returns claims.
#[wit_service]
pub trait Claims {
    /// Takes one.
    fn put(&self, claim: Claim);
    /// Returns one.
    fn get(&self) -> Claim;
}

struct Office;

impl Claims for Office {
    fn put(&self, _: Claim) {}

    fn get(&self) -> Claim {
        Claim(1000)
    }
}

#[test]
fn an_error_between_equal_versions_does_not_advise_to_make_them_equal() {
    for place in places() {
        let service = ClaimsServer::new(Office);
        let _server = WitServer::builder().listen(place.clone()).service(service).start().unwrap();
        let claims = ClaimsClient::connect(place).unwrap();
        let refused = claims.put(Claim(1000)).unwrap_err();
        assert!(matches!(refused, CallError::BadRequest { .. }), "{refused}");
        let unread = claims.get().unwrap_err();
        assert!(matches!(unread, CallError::Decode { .. }), "{unread}");
        for error in [refused, unread] {
            let words = error.to_string();
            assert!(words.contains("it is too large"), "{words}");
            assert!(!words.contains("one trait"), "{words}");
        }
    }
}

/// Two versions of an enum with an internal tag, which serde reads into a buffer first.
mod tagged {
    /// Defines a version of the service.
    macro_rules! version {
        ($name:ident, $signal:ty, $alias:literal $(, $more:ident)?) => {
            pub mod $name {
                use serde::{Deserialize, Serialize};
                use witrpc::wit_service;

                #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
                #[serde(tag = "type")]
                pub enum Op {
                    Kill { signal: $signal, hard: bool },
                    #[serde(alias = $alias)]
                    Wait { seconds: u8 },
                    $($more,)?
                }

                #[wit_service]
                pub trait Agent {
                    fn run(&self, op: Op) -> u8;
                    fn last(&self) -> Op;
                    fn ping(&self) -> u8;
                }
            }
        };
    }

    version!(old, String, "Sleep");
    version!(new, u32, "Pause", Stop);
}

struct Agent;

impl tagged::old::Agent for Agent {
    fn run(&self, op: tagged::old::Op) -> u8 {
        panic!("another version of the method was called with {op:?}")
    }

    fn last(&self) -> tagged::old::Op {
        panic!("another version of the method was called")
    }

    fn ping(&self) -> u8 {
        7
    }
}

#[test]
fn types_behind_an_internal_tag_are_compared() {
    let signal = "`Kill.signal` is u32 here and str there";
    let run = [
        format!("run: argument `op`: {signal}"),
        "run: argument `op`: `Stop` is a variant only here".to_owned(),
    ];
    for place in [Endpoint::from(Mmf::unguessable()), InProcess::new().into()] {
        let service = tagged::old::AgentServer::new(Agent);
        let _server = WitServer::builder().listen(place.clone()).service(service).start().unwrap();
        for codec in [Codec::MessagePack, Codec::Json] {
            let client = || tagged::new::AgentClient::builder(place.clone()).codec(codec);
            match client().strict(true).connect() {
                Err(ConnectError::ContractMismatch { differences, .. }) => {
                    let told: Vec<_> = differences.iter().map(ToString::to_string).collect();
                    let all = run
                        .iter()
                        .cloned()
                        .chain([format!("last: the result: {signal}")])
                        .collect::<Vec<_>>();
                    assert_eq!(told, all, "{codec}");
                }
                other => panic!("{other:?}, {codec}"),
            }
            let agent = client().connect().unwrap();
            assert_eq!(agent.ping(), Ok(7));
            let refused = agent.run(tagged::new::Op::Stop).unwrap_err();
            assert!(matches!(refused, CallError::ContractMismatch { .. }), "{refused}");
        }
    }
}
