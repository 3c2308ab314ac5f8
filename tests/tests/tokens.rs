//! A client without a token, or with the wrong one, is not admitted, however often it tries. No
//! token is visible in what crosses or in what is shown.

use std::sync::{Arc, Mutex};

use tempfile::TempDir;
use witrpc::{
    AccessToken, AccessTokens, CallContext, ConnectError, Mmf, WitServer, WitServerBuilder,
    wit_service,
};
use witrpc_tests::adversary::relay::relay;
use witrpc_tests::regions;
use witrpc_tests::watchdog::eventually;

#[wit_service]
trait Mirror {
    fn who_am_i(&self, #[wit(ctx)] cx: &CallContext) -> Option<String>;
}

struct Glass;

impl Mirror for Glass {
    fn who_am_i(&self, cx: &CallContext) -> Option<String> {
        cx.identity().map(str::to_owned)
    }
}

fn place(dir: &TempDir) -> Mmf {
    Mmf::new("mirror").in_dir(dir.path())
}

fn server(place: &Mmf) -> WitServerBuilder {
    WitServer::builder().listen(place.clone()).service(MirrorServer::new(Glass))
}

fn with(place: &Mmf, token: &AccessToken) -> Result<MirrorClient, ConnectError> {
    MirrorClient::builder(place.clone()).access_token(token.clone()).connect()
}

#[test]
fn each_token_has_its_identity() {
    let dir = TempDir::new().unwrap();
    let place = place(&dir);
    let tokens: Vec<_> = (0..AccessTokens::MAX_LEN).map(|_| AccessToken::random()).collect();
    let mut set = AccessTokens::new();
    for (number, token) in tokens.iter().enumerate() {
        set = set.allow(format!("client {number}"), token.clone()).unwrap();
    }
    let _server = server(&place).access_tokens(set).start().unwrap();
    for (number, token) in tokens.iter().enumerate() {
        let client = with(&place, token).unwrap();
        assert_eq!(client.who_am_i(), Ok(Some(format!("client {number}"))));
    }
}

#[test]
fn ten_thousand_wrong_tokens_get_nowhere_and_the_right_one_is_served_all_along() {
    let dir = TempDir::new().unwrap();
    let place = place(&dir);
    let token = AccessToken::random();
    let server = server(&place).access_token(token.clone()).start().unwrap();
    let client = with(&place, &token).unwrap();
    for round in 0..10_000 {
        let wrong = with(&place, &AccessToken::random()).unwrap_err();
        assert!(matches!(wrong, ConnectError::TokenRejected), "{wrong}");
        if round % 100 == 0 {
            assert_eq!(client.who_am_i(), Ok(None));
            assert_eq!(with(&place, &token).unwrap().who_am_i(), Ok(None));
        }
    }
    eventually("only one is left", || server.handle().clients().len() == 1);
}

/// All bytes that cross are checked: those on the socket, and the regions of both sides.
#[test]
fn a_token_crosses_nothing_in_clear() {
    for encryption in [false, true] {
        let (served, between) = (TempDir::new().unwrap(), TempDir::new().unwrap());
        let bytes: Vec<u8> = std::iter::repeat_with(|| fastrand::u8(..)).take(32).collect();
        let token = AccessToken::new(&bytes).unwrap();
        // Another name each time, because the regions of the connection before may still exist.
        let name = format!("an open name {:016x}", fastrand::u64(..));
        let tokens = AccessTokens::new().allow(name.as_str(), token.clone()).unwrap();
        let server = server(&place(&served)).access_tokens(tokens).encryption(encryption);
        let server = server.start().unwrap();
        let said = Arc::new(Mutex::new(Vec::new()));
        let heard = Arc::clone(&said);
        let (at, to) = (between.path().join("mirror"), served.path().join("mirror"));
        let relay = relay(&at, &to, move |_, _, bytes: &mut Vec<u8>| {
            heard.lock().unwrap().extend_from_slice(bytes);
            true
        });
        let builder = MirrorClient::builder(place(&between)).encryption(encryption);
        let client = builder.access_token(token.clone()).connect().unwrap();
        assert_eq!(client.who_am_i(), Ok(Some(name.clone())));

        // What is not secret is found there, so the search works.
        let said = said.lock().unwrap().clone();
        let over_the_socket = |wanted: &[u8]| said.windows(wanted.len()).any(|part| part == wanted);
        assert!(over_the_socket(b"WitRPC"));
        assert_eq!(regions::hold(name.as_bytes()), !encryption);
        let text = token.to_hex();
        for part in bytes.windows(6).chain(text.as_bytes().windows(12)) {
            assert!(!over_the_socket(part), "a part of the token went over the socket");
        }
        for part in bytes.chunks(8).chain(text.as_bytes().chunks(16)) {
            assert!(!regions::hold(part), "a part of the token stands in shared memory");
        }
        drop(client);
        drop(server);
        relay.join().unwrap();
    }
}

#[test]
fn nothing_that_is_shown_tells_a_token() {
    let dir = TempDir::new().unwrap();
    let place = place(&dir);
    let secret = b"open-sesame-open-sesame";
    let token = AccessToken::new(secret).unwrap();
    let tokens = AccessTokens::new().allow("ali", token.clone()).unwrap();
    let builder = server(&place).access_tokens(tokens.clone());
    let mut shown = vec![format!("{token:?} {tokens:#?} {builder:?}")];
    let server = builder.start().unwrap();
    let builder = MirrorClient::builder(place.clone()).access_token(token.clone());
    shown.push(format!("{builder:?}"));
    let client = builder.connect().unwrap();
    let handle = server.handle();
    shown.push(format!("{client:?} {:?} {server:?} {handle:?}", client.connection()));
    shown.push(format!("{:?} {:?}", client.who_am_i(), handle.clients()));
    // An error says that the server has another token.
    let other = AccessToken::new([secret.as_slice(), b"!"].concat()).unwrap();
    let rejected = with(&place, &other).unwrap_err();
    shown.push(format!("{rejected} {rejected:?}"));
    let short = AccessToken::new(&secret[..15]).unwrap_err();
    shown.push(format!("{short} {short:?}"));
    let twice = tokens.allow("baba", token.clone()).unwrap_err();
    shown.push(format!("{twice} {twice:?}"));
    let no_text = AccessToken::from_hex("open-sesame-open-sesame").unwrap_err();
    shown.push(format!("{no_text} {no_text:?}"));

    let shown = shown.join("\n");
    assert!(shown.contains("ali"), "identities are no secret: {shown}");
    let bytes = format!("{secret:?}");
    let parts = [&bytes[1..12], &token.to_hex()[..8], "sesame"].map(str::to_owned);
    for part in parts {
        assert!(!shown.contains(&part), "{part} in {shown}");
    }
}
