//! Access tokens and encryption.

use futures_executor::block_on;
use witrpc::{AccessToken, AccessTokens, ConnectError};

use crate::MakePlace;
use crate::fixture::{Fixture, limits};
use crate::service::ProbeClient;

use super::{calls, events, streams};

/// A server that knows two tokens, and requires encryption or not.
fn guarded(make: MakePlace<'_>, tokens: &[AccessToken; 2], encrypts: bool) -> Fixture {
    let [first, second] = tokens.clone();
    let tokens = AccessTokens::new()
        .allow("first", first)
        .and_then(|tokens| tokens.allow("second", second))
        .expect("they differ");
    Fixture::with(make, limits(), |server| server.access_tokens(tokens).encryption(encrypts))
}

fn with_token(
    fixture: &Fixture,
    token: &AccessToken,
    encrypts: bool,
) -> Result<ProbeClient, ConnectError> {
    fixture.builder().access_token(token.clone()).encryption(encrypts).connect()
}

/// A client proves its token, and its handlers see the identity of that token.
pub fn tokens_are_proved_and_identities_told(make: MakePlace<'_>) {
    let tokens = [AccessToken::random(), AccessToken::random()];
    for encrypts in [false, true] {
        let fixture = guarded(make, &tokens, encrypts);
        for (token, identity) in tokens.iter().zip(["first", "second"]) {
            let client = with_token(&fixture, token, encrypts).expect("it is known");
            assert_eq!(client.identity(), Ok(Some(identity.to_owned())));
        }
        let refused = with_token(&fixture, &AccessToken::random(), encrypts).err();
        assert!(matches!(refused, Some(ConnectError::TokenRejected)), "{refused:?}");
        let none = fixture.builder().encryption(encrypts).connect().err();
        assert!(matches!(none, Some(ConnectError::TokenRequired)), "{none:?}");
    }
}

/// A client that requires something else than its server learns what.
pub fn each_difference_between_two_sides_is_told(make: MakePlace<'_>) {
    let tokens = [AccessToken::random(), AccessToken::random()];
    let open = Fixture::new(make, limits());
    let refused = with_token(&open, &tokens[0], false).err();
    assert!(matches!(refused, Some(ConnectError::TokenUnexpected)), "{refused:?}");
    let refused = open.builder().encryption(true).connect().err();
    assert!(matches!(refused, Some(ConnectError::EncryptionUnavailable)), "{refused:?}");
    assert_eq!(open.client().identity(), Ok(None));
    drop(open);
    let closed = guarded(make, &tokens, true);
    let refused = with_token(&closed, &tokens[0], false).err();
    assert!(matches!(refused, Some(ConnectError::EncryptionRequired)), "{refused:?}");
}

/// An encrypted connection carries calls of every size, streams, uploads and events.
pub fn an_encrypted_connection_carries_everything(make: MakePlace<'_>) {
    let tokens = [AccessToken::random(), AccessToken::random()];
    let fixture = guarded(make, &tokens, true);
    let client = with_token(&fixture, &tokens[0], true).expect("it is known");
    let later = fixture.later_builder().access_token(tokens[1].clone()).encryption(true);
    let later = block_on(later.connect()).expect("it is known");
    calls::echo_all(&client, &later);
    streams::read_all(&client, &later);
    streams::upload_all(&client, &later);
    events::emit_all(&client, &later);
}
