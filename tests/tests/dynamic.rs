//! A client without traits, beside the clients of the traits.

use serde_json::{Value, json};
use witrpc::dynamic::{DynamicClient, DynamicError, MemberKind};
use witrpc::{AccessToken, CallError, Codec, Endpoint, InProcess, Mmf, WitServer};
use witrpc_tests::basic::{Parcel, bytes_of, checksum};
use witrpc_tests::fixture::{Fixture, FixtureConfig, Transport};
use witrpc_tests::over_both_transports;
use witrpc_tests::second::{SecondServer, Shed};
use witrpc_tests::streams::StreamsClient;
use witrpc_tests::watchdog::eventually;

const CODECS: [Codec; 3] = [Codec::Json, Codec::MessagePack, Codec::Postcard];

fn fixture(transport: Transport) -> Fixture {
    let plan = FixtureConfig { streams: true, event_service: true, ..FixtureConfig::default() };
    Fixture::with(transport, plan)
}

/// Connects to a fixture without any trait.
fn connect(fixture: &Fixture, codec: Codec) -> DynamicClient {
    let plan = fixture.plan();
    let mut builder =
        DynamicClient::builder(fixture.endpoint()).codec(codec).encryption(plan.encryption);
    if let Some(token) = &plan.token {
        builder = builder.access_token(AccessToken::from_hex(token).expect("it is one"));
    }
    builder.connect().expect("it serves")
}

fn json_of(value: &impl serde::Serialize) -> Value {
    serde_json::to_value(value).expect("it has a form in JSON")
}

over_both_transports! {
    fn calls_are_those_of_the_typed_client_over_each_codec(transport) {
        let fixture = fixture(transport);
        let typed = fixture.client();
        for codec in CODECS {
            let client = connect(&fixture, codec);
            let call = |method: &str, arguments: Value| client.call("Basic", method, &arguments);
            assert_eq!(call("add", json!({ "a": 1, "b": -3 })), Ok(json!(-2)));
            assert_eq!(call("echo_text", json!(["a word"])), Ok(json!("a word")));
            assert_eq!(call("mean", json!({ "samples": [1.0, 2.0] })), Ok(json!(1.5)));
            assert_eq!(call("extend", json!(["/a", "b"])), Ok(json!(typed.extend("/a".as_ref(), "b").unwrap())));
            let divided = call("divide_later", json!({ "dividend": 1, "divisor": 0 }));
            let typed_error = match typed.divide(1, 0) {
                Err(CallError::App(error)) => json_of(&error),
                other => panic!("{other:?}"),
            };
            assert_eq!(divided, Err(DynamicError::Call(CallError::App(typed_error))));
            for seed in 0..30 {
                let parcel = Parcel::random(&mut fastrand::Rng::with_seed(seed), 400);
                // Some have an integer that JSON does not carry.
                let Ok(json) = serde_json::to_value(&parcel) else { continue };
                let echoed = call("echo_parcel", json!({ "parcel": json })).unwrap();
                assert_eq!(serde_json::from_value::<Parcel>(echoed).unwrap(), parcel);
            }
            let bytes = json!(bytes_of(30_000, 1));
            assert_eq!(call("digest", json!([bytes])), Ok(json!(typed.digest(&bytes_of(30_000, 1)).unwrap())));
        }
    }

    fn what_a_call_does_not_bring_about_says_whether_it_may_have_run(transport) {
        let fixture = fixture(transport);
        let client = connect(&fixture, Codec::Json);
        let call = |service: &str, method: &str, arguments: Value| {
            client.call(service, method, &arguments).unwrap_err()
        };
        let calls = fixture.metrics().calls;
        let misfit = call("Basic", "add", json!({ "a": 1, "b": 1.5 }));
        assert_eq!(misfit.to_string(), "`b` is 1.5, which is no integer: i64 is wanted");
        let unknown = call("Basic", "subtract", json!({}));
        assert!(matches!(&unknown, DynamicError::Unknown { has, .. } if has.contains(&"add".to_owned())));
        let absent = call("Bank", "add", json!({}));
        assert!(matches!(&absent, DynamicError::UnknownService { serves, .. } if serves.contains(&"Basic".to_owned())));
        let streams = call("Streams", "range", json!({ "end": 3 }));
        assert_eq!(streams.to_string(), "range returns a stream: use open");
        let streams = call("Streams", "sum", json!({}));
        assert_eq!(streams.to_string(), "sum takes a stream: use upload");
        for error in [misfit, unknown, absent, streams] {
            assert!(!error.maybe_executed(), "{error}");
        }
        assert_eq!(fixture.metrics().calls, calls, "nothing was sent");
        assert!(call("Basic", "fail", json!(["boom"])).maybe_executed());
    }

    fn streams_bring_the_items_of_the_typed_client(transport) {
        let fixture = fixture(transport);
        let typed: StreamsClient = fixture.client().connection().client().expect("it is served");
        for codec in CODECS {
            let client = connect(&fixture, codec);
            let items = |method: &str, arguments: Value| -> Vec<Value> {
                let items = client.open("Streams", method, &arguments).expect("it opens");
                items.collect::<Result<_, _>>().expect("all items come")
            };
            let numbers = items("range", json!({ "end": 20_000 }));
            assert!(numbers.into_iter().eq((0..20_000).map(Value::from)));
            let parcels = typed.parcels(5, 30).unwrap().collect::<Result<Vec<_>, _>>().unwrap();
            let shown = client.open("Streams", "parcels", &json!({ "seed": 5, "count": 30 })).unwrap();
            for (parcel, shown) in parcels.iter().zip(shown) {
                match shown {
                    Ok(shown) => assert_eq!(&serde_json::from_value::<Parcel>(shown).unwrap(), parcel),
                    // JSON does not carry its integer.
                    Err(error) => {
                        assert!(error.to_string().contains("beyond the integers"), "{error}");
                        break;
                    }
                }
            }
            let blocks = items("blocks", json!({ "len": 3, "count": 2 }));
            assert!(blocks.iter().all(Value::is_string) && blocks.len() == 2, "{blocks:?}");
            let checked = items("checked_later", json!({ "count": 2 }));
            assert_eq!(checked.len(), 2);
            assert!(checked.iter().all(|it| it.get("Ok").is_some() || it.get("Err").is_some()), "{checked:?}");
            let mut broken = client.open("Streams", "breaks", &json!({ "after": 1 })).unwrap();
            assert!(broken.next().unwrap().is_ok());
            assert!(broken.next().unwrap().unwrap_err().maybe_executed());
            assert!(broken.next().is_none());
            let mut endless = client.open("Streams", "endless", &json!({})).unwrap();
            assert!(endless.by_ref().take(1000).all(|item| item.is_ok()));
            drop(endless);
        }
        eventually("all streams are closed", || typed.running() == Ok(0));
    }

    fn uploads_are_taken_in_each_of_their_forms(transport) {
        let fixture = fixture(transport);
        for codec in CODECS {
            let client = connect(&fixture, codec);
            let feed = |method: &str, arguments: Value, items: Vec<Value>| {
                client.upload("Streams", method, &arguments, items.into_iter().map(Ok))
            };
            let numbers = (0..5_000).map(Value::from).collect();
            assert_eq!(feed("sum", json!({}), numbers), Ok(json!(12_497_500)));
            let whole = bytes_of(60, 1);
            let parts = whole.chunks(7).map(|part| json!(part)).collect();
            assert_eq!(feed("digest", json!({}), parts), Ok(json!(checksum(&whole))));
            let parcels: Vec<_> = (0..3).map(|id| {
                json!({ "id": id, "label": "x", "weights": [], "counts": {}, "content": "Empty" })
            }).collect();
            let first = feed("first", json!({ "count": 2 }), parcels).unwrap();
            assert_eq!(first.as_array().map(Vec::len), Some(2), "{first}");
            let empty = feed("digest", json!({}), vec![json!([])]);
            assert!(matches!(empty, Err(DynamicError::Call(CallError::App(Value::String(_))))), "{empty:?}");
            let misfit = feed("sum", json!({}), vec![json!(1), json!(-1)]).unwrap_err();
            assert_eq!(misfit.to_string(), "`item[1]` is -1, which u64 does not hold");
            assert!(misfit.maybe_executed());
        }
    }

    fn events_come_with_all_their_arguments(transport) {
        let fixture = fixture(transport);
        for codec in CODECS {
            let client = connect(&fixture, codec);
            let mut ticks = client.subscribe("EventService", "ticked").expect("it has that event");
            client.call("EventService", "tick", &json!([7, 2, false])).expect("it emits");
            for number in [7, 8] {
                let tick = ticks.next().unwrap().unwrap();
                assert_eq!(tick["number"], number);
                assert!(tick["text"].is_string() && tick["path"].is_string() && tick["bytes"].is_string());
            }
            let unknown = client.subscribe("EventService", "tock").unwrap_err();
            assert!(unknown.to_string().contains("has no event \"tock\""), "{unknown}");
        }
        let client = connect(&fixture, Codec::Postcard);
        let mut weights = client.subscribe("EventService", "weighed").expect("it has that event");
        client.call("EventService", "weigh", &json!([1e300])).expect("it emits");
        assert_eq!(weights.next(), Some(Ok(json!({ "grams": 1e300 }))));
    }

    fn leases_are_byte_strings(transport) {
        let fixture = fixture(transport);
        for codec in CODECS {
            let client = connect(&fixture, codec);
            let frame = bytes_of(5000, 2);
            let seen = client.call("SharedMemory", "look", &json!({ "frame": frame })).unwrap();
            assert_eq!(seen["checksum"], checksum(&frame));
            let echoed = client.call("SharedMemory", "echo", &json!({ "frame": frame })).unwrap();
            assert!(echoed.is_string());
            let seen = client.call("SharedMemory", "look", &json!({ "frame": echoed })).unwrap();
            assert_eq!(seen["checksum"], checksum(&frame));
            let points = client.call("Basic", "sum_points", &json!(["AAAA"])).unwrap_err();
            assert!(points.to_string().contains("3 bytes are not a whole number"), "{points}");
        }
    }
}

/// Returns an endpoint of each transport.
fn endpoints() -> [Endpoint; 2] {
    [InProcess::new().into(), Mmf::unguessable().into()]
}

#[test]
fn a_question_makes_no_client_and_no_refusal_and_a_description_is_kept() {
    for endpoint in endpoints() {
        let server = WitServer::builder().listen(endpoint.clone()).service(SecondServer::new(Shed));
        let server = server.start().expect("it starts");
        let client = DynamicClient::connect(endpoint).expect("it serves");
        assert_eq!(client.services(), ["Second"]);
        let metrics = server.metrics();
        assert_eq!((metrics.refused_handshakes, metrics.connected_clients), (0, 0));
        let described = client.describe("Second").expect("it is served");
        assert_eq!(server.metrics().connected_clients, 1);
        let members: Vec<_> = described.members().collect();
        assert_eq!(members, [("add", MemberKind::Call), ("echo_text", MemberKind::Call)]);
        let expected = "    /// The text, in capitals.\n    #[wit(idempotent)]\n    \
            fn echo_text(&self, text: String) -> String;\n";
        assert_eq!(described.signature("echo_text").as_deref(), Some(expected));
        assert_eq!(described.signature("nothing"), None);
        let kept = witrpc::dynamic::ServiceDescription::from_json(&described.to_json());
        assert_eq!(kept.as_ref(), Ok(&described));
        assert_eq!(described.differences(&kept.unwrap()), []);
        assert!(witrpc::dynamic::ServiceDescription::from_json("{}").is_err());
    }
}

mod before {
    #[derive(serde::Serialize, serde::Deserialize)]
    pub struct Parcel {
        pub grams: u32,
    }

    #[witrpc::wit_service]
    pub trait Post {
        fn send(&self, parcel: Parcel) -> u32;
    }

    pub struct Counter;

    impl Post for Counter {
        fn send(&self, parcel: Parcel) -> u32 {
            parcel.grams
        }
    }
}

mod after {
    #[derive(serde::Serialize, serde::Deserialize)]
    pub struct Parcel {
        pub grams: u32,
        #[serde(default)]
        pub fragile: bool,
    }

    #[witrpc::wit_service]
    pub trait Post {
        fn send(&self, parcel: Parcel) -> u32;
    }

    pub struct Counter;

    impl Post for Counter {
        fn send(&self, parcel: Parcel) -> u32 {
            parcel.grams + u32::from(parcel.fragile)
        }
    }
}

#[test]
fn descriptions_are_compared_with_what_their_types_can_be_read_without() {
    let places = [InProcess::new(), InProcess::new()];
    let serve = |place: &InProcess| WitServer::builder().listen(place.clone());
    let old = serve(&places[0]).service(before::PostServer::new(before::Counter)).start();
    let new = serve(&places[1]).service(after::PostServer::new(after::Counter)).start();
    let _servers = (old.expect("it starts"), new.expect("it starts"));
    for codec in CODECS {
        let [old, new] = places.each_ref().map(|place| {
            let client = DynamicClient::builder(place.clone()).codec(codec).connect();
            client.expect("it serves").describe("Post").expect("it is served")
        });
        assert_eq!(old.differences(&new).is_empty(), codec != Codec::Postcard, "{codec}");
        assert_eq!(new.differences(&old).is_empty(), codec != Codec::Postcard, "{codec}");
    }
}

#[test]
fn a_token_is_needed_to_learn_anything() {
    for endpoint in endpoints() {
        let token = AccessToken::random();
        let server = WitServer::builder().listen(endpoint.clone()).service(SecondServer::new(Shed));
        let server = server.access_token(token.clone()).method_metrics(true).start();
        let _server = server.expect("it starts");
        let refused = DynamicClient::connect(endpoint.clone()).expect_err("it has no token");
        assert!(matches!(refused, witrpc::ConnectError::TokenRequired), "{refused}");
        assert!(!refused.to_string().contains("Second"));
        let client =
            DynamicClient::builder(endpoint).access_token(token).connect().expect("it has it");
        assert_eq!(client.services(), ["Second"]);
        assert!(client.method_metrics().expect("it tells").is_some());
    }
}

#[test]
fn the_call_after_the_end_of_a_server_connects_to_the_next_one() {
    let place = InProcess::new();
    let builder = || WitServer::builder().listen(place.clone()).service(SecondServer::new(Shed));
    let server = builder().start().expect("it starts");
    let client = DynamicClient::connect(place.clone()).expect("it serves");
    let add = json!([5, 3]);
    assert_eq!(client.call("Second", "add", &add), Ok(json!(2)));
    drop(server);
    assert!(client.call("Second", "add", &add).is_err());
    let _server = builder().start().expect("it starts");
    assert_eq!(client.call("Second", "add", &add), Ok(json!(2)));
}
