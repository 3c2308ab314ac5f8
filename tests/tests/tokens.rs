//! Who has no token, or the wrong one, does not get in, however often he tries.

use tempfile::TempDir;
use witrpc::{
    AccessToken, AccessTokens, CallContext, ConnectError, Mmf, WitServer, WitServerBuilder,
    wit_service,
};
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
