//! Values that are null beside `None`, which codecs with names write as null too.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use witrpc::{CallError, Codec, Endpoint, InProcess, Mmf, WitServer, wit_service};
use witrpc_tests::CODECS;

/// Returns a place in shared memory, and one in this process.
fn places() -> [Endpoint; 2] {
    [Mmf::unguessable().into(), InProcess::new().into()]
}

/// A type with a null value of its own, beside `None`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Setting {
    /// Is null.
    Nothing,
    /// Is not.
    Number(u8),
}

/// The error of a procedure call in JSON.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Refusal {
    /// The code.
    pub code: i32,
    /// More about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub data: Option<Value>,
}

/// Returns its argument.
#[wit_service]
pub trait Echo {
    /// A value, or none.
    fn value(&self, value: Option<Value>) -> Option<Value>;
    /// A setting, or none.
    fn setting(&self, setting: Option<Setting>) -> Option<Setting>;
    /// A list of them.
    fn list(&self, list: Vec<Option<Value>>) -> Vec<Option<Value>>;
    /// Fails with it.
    fn fail(&self, refusal: Refusal) -> Result<(), Refusal>;
    /// Returns the null value, which is not `None`.
    fn null(&self) -> Option<Value>;
}

struct Wall;

impl Echo for Wall {
    fn value(&self, value: Option<Value>) -> Option<Value> {
        value
    }

    fn setting(&self, setting: Option<Setting>) -> Option<Setting> {
        setting
    }

    fn list(&self, list: Vec<Option<Value>>) -> Vec<Option<Value>> {
        list
    }

    fn fail(&self, refusal: Refusal) -> Result<(), Refusal> {
        Err(refusal)
    }

    fn null(&self) -> Option<Value> {
        Some(Value::Null)
    }
}

#[test]
fn a_null_that_would_arrive_as_none_is_an_error_of_its_call() {
    for (place, codec) in
        places().into_iter().flat_map(|place| CODECS.map(|codec| (place.clone(), codec)))
    {
        let refused = |told: Result<(), CallError>, place: &str| match told {
            Err(CallError::Encode { message }) => {
                let words = format!("{codec} cannot encode it: {place} a Some that holds null");
                assert!(message.contains(&words), "{message}");
            }
            other => panic!("{other:?}"),
        };
        let builder = WitServer::builder().listen(place.clone());
        let _server = builder.service(EchoServer::new(Wall)).start().unwrap();
        let Ok(echo) = EchoClient::builder(place).codec(codec).connect() else {
            assert_eq!(codec, Codec::Postcard, "it does not carry any value");
            continue;
        };
        refused(echo.value(Some(Value::Null)).map(drop), "it is");
        refused(echo.setting(Some(Setting::Nothing)).map(drop), "it is");
        refused(echo.list(vec![None, Some(Value::Null)]).map(drop), "`[]` is");
        let null = Refusal { code: 1, data: Some(Value::Null) };
        let told = echo.fail(null).map_err(|error| error.map_app(|app| panic!("{app:?}")));
        refused(told, "`data` is");
        let answer = echo.null();
        assert!(
            matches!(&answer, Err(CallError::EncodeAnswer { message })
            if message.contains("a Some that holds null")),
            "{answer:?}"
        );

        let value = Some(json!({ "a": [null] }));
        assert_eq!(echo.value(value.clone()), Ok(value.clone()));
        assert_eq!(echo.value(None), Ok(None));
        assert_eq!(echo.setting(Some(Setting::Number(1))), Ok(Some(Setting::Number(1))));
        assert_eq!(echo.list(vec![None, value.clone()]), Ok(vec![None, value.clone()]));
        for data in [None, value] {
            let refusal = Refusal { code: 2, data };
            assert_eq!(echo.fail(refusal.clone()), Err(CallError::App(refusal)));
        }
    }
}
