//! A client with the right token is admitted, and methods see its identity.

use std::sync::{Arc, Mutex};

use witrpc::{
    AccessToken, AccessTokens, CallContext, ConnectError, InProcess, WitServer, wit_service,
};

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

fn with(place: &InProcess, token: &AccessToken) -> Result<MirrorClient, ConnectError> {
    MirrorClient::builder(place.clone()).access_token(token.clone()).connect()
}

#[test]
fn each_token_has_its_identity_and_no_other_gets_in() {
    let (alice, bob) = (AccessToken::random(), AccessToken::random());
    let tokens = AccessTokens::new().allow("alice", alice.clone()).unwrap();
    let tokens = tokens.allow("bob", bob.clone()).unwrap();
    let place = InProcess::new();
    let server = WitServer::builder().listen(place.clone()).service(MirrorServer::new(Glass));
    let server = server.access_tokens(tokens).start().unwrap();

    assert_eq!(with(&place, &alice).unwrap().who_am_i().unwrap().as_deref(), Some("alice"));
    assert_eq!(with(&place, &bob).unwrap().who_am_i().unwrap().as_deref(), Some("bob"));
    let stranger = with(&place, &AccessToken::random()).unwrap_err();
    assert!(matches!(stranger, ConnectError::TokenRejected), "{stranger}");
    let refused = MirrorClient::connect(place).unwrap_err();
    assert!(matches!(refused, ConnectError::TokenRequired), "{refused}");
    assert!(server.handle().clients().is_empty());
}

#[test]
fn tokens_come_and_go_while_the_server_runs() {
    let valid = Arc::new(Mutex::new(AccessToken::random()));
    let place = InProcess::new();
    let provided = Arc::clone(&valid);
    let _server = WitServer::builder()
        .listen(place.clone())
        .service(MirrorServer::new(Glass))
        .access_tokens_from(move || provided.lock().unwrap().clone().into())
        .start()
        .unwrap();

    let wallet = Arc::clone(&valid);
    let fresh = move || Ok(wallet.lock().unwrap().clone());
    let first = valid.lock().unwrap().clone();
    let early = with(&place, &first).unwrap();
    *valid.lock().unwrap() = AccessToken::random();
    assert!(matches!(with(&place, &first), Err(ConnectError::TokenRejected)));
    let client = MirrorClient::builder(place.clone()).access_token_from(fresh).connect().unwrap();
    assert_eq!(client.who_am_i(), Ok(None), "the token has no name");
    assert_eq!(early.who_am_i(), Ok(None), "a client that was admitted stays admitted");
}

#[test]
fn both_sides_must_want_a_token_or_encryption() {
    let place = InProcess::new();
    let server = || WitServer::builder().listen(place.clone()).service(MirrorServer::new(Glass));
    let open = server().start().unwrap();
    let guarded = with(&place, &AccessToken::random()).unwrap_err();
    assert!(matches!(guarded, ConnectError::TokenUnexpected), "{guarded}");
    let secret = MirrorClient::builder(place.clone()).encryption(true).connect().unwrap_err();
    assert!(matches!(secret, ConnectError::EncryptionUnavailable), "{secret}");
    drop(open);
    let _encrypting = server().encryption(true).start().unwrap();
    let plain = MirrorClient::connect(place.clone()).unwrap_err();
    assert!(matches!(plain, ConnectError::EncryptionRequired), "{plain}");
    let both = MirrorClient::builder(place).encryption(true).connect().unwrap();
    assert_eq!(both.who_am_i(), Ok(None));
}
