//! Versions of a type that differ by fields: what either side can read of the other is let through, and
//! the rest is refused by method.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use witrpc::{CallError, Codec, Endpoint, InProcess, Mmf, WitServer, wit_service};

/// Declares a version of a service with its own settings, and a server that returns what it was given
/// last.
macro_rules! version {
    ($version:ident: $($item:item)*) => {
        /// A version of the service.
        pub mod $version {
            use std::sync::Mutex;

            #[allow(unused_imports, reason = "not every version needs all of them")]
            use super::{Deserialize, Serialize, seconds, wit_service};

            $($item)*

            /// Keeps settings.
            #[wit_service(name = "Conf")]
            pub trait Conf {
                /// Keeps these.
                fn set(&self, all: Settings);
                /// Returns the last.
                fn get(&self) -> Settings;
                /// Returns whether one is known.
                fn knows(&self, key: String) -> bool;
            }

            /// Keeps the last settings.
            pub struct Desk(pub Mutex<Settings>);

            impl Conf for Desk {
                fn set(&self, all: Settings) {
                    *self.0.lock().unwrap() = all;
                }

                fn get(&self) -> Settings {
                    self.0.lock().unwrap().clone()
                }

                fn knows(&self, key: String) -> bool {
                    key == "most"
                }
            }
        }
    };
}

/// Writes and reads an optional number in a way of its own, which makes serde ask for the field.
pub mod seconds {
    use super::{Deserialize, Serialize};

    /// As a number.
    pub fn serialize<S: serde::Serializer>(time: &Option<u64>, to: S) -> Result<S::Ok, S::Error> {
        time.serialize(to)
    }

    /// From a number.
    pub fn deserialize<'de, D: serde::Deserializer<'de>>(from: D) -> Result<Option<u64>, D::Error> {
        Option::deserialize(from)
    }
}

version! { first:
    /// The first version.
    #[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
    pub struct Settings {
        /// The upper limit.
        pub most: u32,
        /// More of it, in a struct variant of a list.
        pub rules: Vec<Rule>,
    }

    /// A rule.
    #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
    pub enum Rule {
        /// None.
        Free,
        /// For a name.
        Named {
            /// The name.
            name: String,
        },
    }
}

version! { lenient:
    /// Has gained fields that may be missing.
    #[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
    pub struct Settings {
        /// The upper limit.
        pub most: u32,
        /// Has a default.
        #[serde(default)]
        pub least: u32,
        /// Is optional.
        pub note: Option<String>,
        /// More of it, in a struct variant of a list.
        pub rules: Vec<Rule>,
    }

    /// A rule.
    #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
    pub enum Rule {
        /// None.
        Free,
        /// For a name.
        Named {
            /// The name.
            name: String,
            /// Has a default.
            #[serde(default = "one")]
            times: u32,
        },
    }

    fn one() -> u32 {
        1
    }
}

version! { required:
    /// Has gained a field that must be there.
    #[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
    pub struct Settings {
        /// The upper limit.
        pub most: u32,
        /// Has no default.
        pub least: u32,
        /// More of it.
        pub rules: Vec<super::first::Rule>,
    }
}

version! { by_module:
    /// Has gained an option that must be there.
    #[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
    pub struct Settings {
        /// The upper limit.
        pub most: u32,
        /// Is read by a module, so serde asks for it.
        #[serde(with = "seconds")]
        pub until: Option<u64>,
        /// More of it.
        pub rules: Vec<super::first::Rule>,
    }
}

version! { denying:
    /// Takes no fields that it does not know.
    #[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
    #[serde(deny_unknown_fields)]
    pub struct Settings {
        /// The upper limit.
        pub most: u32,
        /// More of it.
        pub rules: Vec<super::first::Rule>,
    }
}

fn places() -> [Endpoint; 2] {
    [Mmf::unguessable().into(), InProcess::new().into()]
}

/// Reads another version's value as the codecs do that name fields.
fn read_as<T: DeserializeOwned>(value: &impl Serialize) -> T {
    serde_json::from_str(&serde_json::to_string(value).unwrap()).unwrap()
}

/// Serves one version at each place, and shows it to a client of another.
macro_rules! meet {
    ($server:ident, $client:ident, $codec:expr, |$conf:ident| $test:block) => {
        for place in places() {
            let desk = $server::Desk(Default::default());
            let service = $server::ConfServer::new(desk);
            let builder = WitServer::builder().listen(place.clone());
            let _server = builder.service(service).start().unwrap();
            let $conf = $client::ConfClient::builder(place).codec($codec).connect().unwrap();
            assert_eq!($conf.knows("most".to_owned()), Ok(true));
            $test
        }
    };
}

fn differences(connection: &witrpc::Connection) -> Vec<String> {
    connection.differences().iter().map(ToString::to_string).collect()
}

fn refusal(difference: &str) -> CallError {
    CallError::ContractMismatch { difference: difference.to_owned() }
}

fn named(name: &str) -> first::Rule {
    first::Rule::Named { name: name.to_owned() }
}

#[test]
fn a_field_that_may_be_missing_is_added() {
    meet!(first, lenient, Codec::Json, |conf| {
        assert_eq!(differences(conf.connection()), [""; 0]);
        let rules =
            vec![lenient::Rule::Free, lenient::Rule::Named { name: "a".to_owned(), times: 7 }];
        let sent = lenient::Settings { most: 9, least: 3, note: Some("but".to_owned()), rules };
        assert_eq!(conf.set(sent.clone()), Ok(()));
        // The server has kept what it knows of it.
        let kept: first::Settings = read_as(&sent);
        assert_eq!(kept.rules, [first::Rule::Free, named("a")]);
        assert_eq!(conf.get(), Ok(read_as(&kept)));
    });
}

#[test]
fn a_field_that_may_be_missing_is_left_out() {
    meet!(lenient, first, Codec::Json, |conf| {
        assert_eq!(differences(conf.connection()), [""; 0]);
        let sent = first::Settings { most: 9, rules: vec![named("a"), first::Rule::Free] };
        assert_eq!(conf.set(sent.clone()), Ok(()));
        assert_eq!(conf.get(), Ok(sent));
    });
}

#[test]
fn a_field_that_must_be_there_refuses_the_side_that_reads_it() {
    meet!(first, required, Codec::Json, |conf| {
        let refused = "get: the result: `least` is only here";
        assert_eq!(differences(conf.connection()), [refused]);
        assert_eq!(conf.set(required::Settings { most: 9, least: 3, rules: vec![] }), Ok(()));
        assert_eq!(conf.get(), Err(refusal(refused)));
    });
    meet!(required, first, Codec::Json, |conf| {
        let refused = "set: argument `all`: `least` is only there";
        assert_eq!(differences(conf.connection()), [refused]);
        assert_eq!(conf.set(first::Settings::default()), Err(refusal(refused)));
        assert_eq!(conf.get(), Ok(first::Settings::default()));
    });
}

#[test]
fn an_option_that_serde_asks_for_must_be_there() {
    meet!(first, by_module, Codec::Json, |conf| {
        let refused = "get: the result: `until` is only here";
        assert_eq!(differences(conf.connection()), [refused]);
        let sent = by_module::Settings { most: 9, until: Some(3), rules: vec![] };
        assert_eq!(conf.set(sent), Ok(()));
        assert_eq!(conf.get(), Err(refusal(refused)));
    });
    meet!(by_module, first, Codec::Json, |conf| {
        let refused = "set: argument `all`: `until` is only there";
        assert_eq!(differences(conf.connection()), [refused]);
        assert_eq!(conf.set(first::Settings::default()), Err(refusal(refused)));
        assert_eq!(conf.get(), Ok(first::Settings::default()));
    });
}

#[test]
fn a_struct_that_denies_unknown_fields_is_not_sent_any() {
    meet!(denying, lenient, Codec::Json, |conf| {
        let refused = [
            "set: argument `all`: `least` is only here",
            "set: argument `all`: `note` is only here",
        ];
        assert_eq!(differences(conf.connection()), refused);
        assert_eq!(conf.set(lenient::Settings::default()), Err(refusal(&refused.join("; "))));
        assert_eq!(conf.get(), Ok(lenient::Settings::default()));
    });
    meet!(lenient, denying, Codec::Json, |conf| {
        let refused =
            ["get: the result: `least` is only there", "get: the result: `note` is only there"];
        assert_eq!(differences(conf.connection()), refused);
        assert_eq!(conf.set(denying::Settings::default()), Ok(()));
        assert_eq!(conf.get(), Err(refusal(&refused.join("; "))));
    });
}

#[test]
fn a_codec_without_names_takes_no_other_fields() {
    meet!(first, lenient, Codec::Postcard, |conf| {
        let differences = differences(conf.connection());
        let methods = differences.iter().map(|difference| difference.split(':').next().unwrap());
        assert_eq!(methods.collect::<Vec<_>>(), ["set", "set", "set", "get", "get", "get"]);
        assert!(matches!(conf.get(), Err(CallError::ContractMismatch { .. })));
    });
}

#[test]
fn a_further_client_over_a_connection_asks_too() {
    /// Is there for the connection.
    #[wit_service]
    pub trait Beside {
        /// Does nothing.
        fn nothing(&self);
    }

    struct Idle;

    impl Beside for Idle {
        fn nothing(&self) {}
    }

    for place in places() {
        let conf = required::ConfServer::new(required::Desk(Default::default()));
        let builder = WitServer::builder().listen(place.clone()).service(conf);
        let _server = builder.service(BesideServer::new(Idle)).start().unwrap();
        let beside = BesideClient::builder(place).codec(Codec::Json).connect().unwrap();
        let refused = "set: argument `all`: `least` is only there";
        let conf: first::ConfClient = beside.connection().client().unwrap();
        assert_eq!(differences(conf.connection()), [refused]);
        let later = beside.connection().client_async::<lenient::ConfAsyncClient>();
        let later = futures_executor::block_on(later).unwrap();
        assert_eq!(differences(later.connection()), [""; 0]);
        assert_eq!(futures_executor::block_on(later.get()), Ok(lenient::Settings::default()));
    }
}
