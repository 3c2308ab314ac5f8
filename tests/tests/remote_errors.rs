//! Errors of any type, which reach the client as a `RemoteError`.

use std::error::Error;
use std::fs;
use std::io::ErrorKind;

use anyhow::Context;
use futures_executor::block_on;
use witrpc::{CallError, Codec, InProcess, RemoteError, WitServer, wit_service};

type Outcome<T> = Result<T, RemoteError>;

#[wit_service]
trait Settings {
    /// Fails with errors of std.
    fn number(&self, path: &str) -> Result<u32, RemoteError>;
    /// Fails with an error of `anyhow`.
    async fn documented(&self, path: &str) -> Outcome<u32>;
}

struct Files;

impl Settings for Files {
    fn number(&self, path: &str) -> Result<u32, RemoteError> {
        Ok(fs::read_to_string(path)?.trim().parse()?)
    }

    async fn documented(&self, path: &str) -> Outcome<u32> {
        let read = || -> anyhow::Result<u32> {
            let text = fs::read_to_string(path).with_context(|| format!("cannot read {path}"))?;
            Ok(text.trim().parse()?)
        };
        read().map_err(RemoteError::new)
    }
}

/// A service that passes the errors of another on.
struct Proxy(SettingsClient, SettingsAsyncClient);

impl Settings for Proxy {
    fn number(&self, path: &str) -> Result<u32, RemoteError> {
        Ok(self.0.number(path)?)
    }

    async fn documented(&self, path: &str) -> Outcome<u32> {
        Ok(self.1.documented(path).await?)
    }
}

/// Returns the service's own error.
fn own<T>(outcome: Result<T, CallError<RemoteError>>) -> RemoteError {
    match outcome {
        Err(CallError::App(error)) => error,
        Err(other) => panic!("{other}"),
        Ok(_) => panic!("there is no such file"),
    }
}

fn each_codec(check: impl Fn(SettingsClient, SettingsAsyncClient)) {
    for codec in [Codec::Postcard, Codec::Json] {
        let place = InProcess::new();
        let server = WitServer::builder().listen(place.clone()).service(SettingsServer::new(Files));
        let _server = server.start().unwrap();
        let blocking = SettingsClient::builder(place.clone()).codec(codec).connect().unwrap();
        let asynchronous = SettingsAsyncClient::builder(place).codec(codec);
        check(blocking, block_on(asynchronous.connect()).unwrap());
    }
}

const MISSING: &str = "/no/such/file";
const NO_NUMBER: &str = env!("CARGO_MANIFEST_PATH");

#[test]
fn errors_of_std_arrive_with_kind_and_message() {
    each_codec(|client, _| {
        let missing = own(client.number(MISSING));
        assert_eq!(missing.kind(), ErrorKind::NotFound);
        let here = RemoteError::from(fs::read(MISSING).unwrap_err());
        assert_eq!(missing, here, "it arrives as it was made");
        let no_number = own(client.number(NO_NUMBER));
        assert_eq!(no_number.message(), "invalid digit found in string");
        assert_eq!(no_number.kind(), ErrorKind::Other);
    });
}

#[test]
fn errors_of_anyhow_arrive_with_their_sources() {
    each_codec(|_, client| {
        let missing = own(block_on(client.documented(MISSING)));
        assert_eq!(missing.message(), "cannot read /no/such/file");
        assert_eq!(missing.kind(), ErrorKind::NotFound);
        assert_eq!(missing.sources().count(), 1);
        assert_eq!(
            missing.to_string(),
            format!("{}: {}", missing.message(), missing.sources().next().unwrap())
        );
    });
}

#[test]
fn a_service_passes_on_what_another_failed_with() {
    each_codec(|blocking, asynchronous| {
        let service = || Proxy(blocking.clone(), asynchronous.clone());
        let proxy = SettingsClient::in_process(service());
        assert_eq!(own(proxy.number(MISSING)), own(blocking.number(MISSING)));
        let proxy = SettingsAsyncClient::in_process(service());
        let passed_on = own(block_on(proxy.documented(MISSING)));
        assert_eq!(passed_on, own(block_on(asynchronous.documented(MISSING))));
    });
}

#[test]
fn clients_hand_it_on_by_question_mark() {
    fn boxed(client: &SettingsClient) -> Result<u32, Box<dyn Error>> {
        Ok(client.number(MISSING)?)
    }
    fn with_anyhow(client: &SettingsClient) -> anyhow::Result<u32> {
        Ok(client.number(MISSING)?)
    }
    let client = SettingsClient::in_process(Files);
    let words = own(client.number(MISSING)).to_string();
    assert_eq!(boxed(&client).unwrap_err().to_string(), words);
    assert_eq!(with_anyhow(&client).unwrap_err().to_string(), words);
}

/// Processes of different builds compare this text.
#[test]
fn its_shape_in_the_contract_stays() {
    each_codec(|client, _| {
        let contract = client.connection().contract().to_string();
        let number = contract.lines().find(|line| line.starts_with("number("));
        let expected =
            "number(path: str) -> u32 or RemoteError { kind: str, message: str, sources: [str] }";
        assert_eq!(number, Some(expected));
    });
}
