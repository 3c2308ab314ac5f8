//! The exchange of sides that require nothing of each other: no token, and no encryption.
//!
//! They have no secret, so keys would protect nothing: whoever stands between the two could exchange keys with
//! both. Each side sends one word, and pieces cross as they are. A build without the feature `security` has only
//! this exchange, and so meets one that has the feature.

use witrpc_transport::{Keys, TAG_LEN};

/// The message of either side.
pub const OPEN: &[u8] = b"open";

/// Returns the keys, if the other side has sent the message of this exchange.
pub fn finish(message: &[u8]) -> Option<NoKeys> {
    (message == OPEN).then_some(NoKeys)
}

/// What stands for the keys where there are none: pieces stay as they are, and all tags are zero.
pub struct NoKeys;

const NO_TAG: [u8; TAG_LEN] = [0; TAG_LEN];

impl Keys for NoKeys {
    fn seal(&self, _number: u64, _piece: &mut [u8]) -> [u8; TAG_LEN] {
        NO_TAG
    }

    fn open(&self, _number: u64, _piece: &mut [u8], tag: [u8; TAG_LEN]) -> bool {
        tag == NO_TAG
    }
}

#[cfg(test)]
mod tests {
    use witrpc_transport::{Clearance, Initiator, Responder};

    use crate::security::{Credentials, Guard};

    use super::*;

    #[test]
    fn sides_that_require_nothing_meet_and_send_in_clear() {
        let (client, server) = (Credentials::default(), Guard::default());
        let begun = client.begin(b"prologue").unwrap();
        let response = server.respond(b"prologue", &begun.message).unwrap().unwrap();
        let keys = (begun.finish)(&response.message).unwrap();
        let mut piece = *b"hello";
        let tag = keys.seal(0, &mut piece);
        assert_eq!(&piece, b"hello");
        assert!(response.keys.open(0, &mut piece, tag));
        assert!(!response.keys.open(0, &mut piece, [1; TAG_LEN]));
        assert_eq!(response.clearance.identity(), Clearance::default().identity());
    }

    #[test]
    fn another_message_is_no_part_of_it() {
        for message in [&b""[..], b"ope", b"open ", &[7; 48]] {
            assert!(Guard::default().respond(b"", message).unwrap().is_none());
            let begun = Credentials::default().begin(b"").unwrap();
            assert!((begun.finish)(message).is_none());
        }
    }

    #[cfg(feature = "security")]
    #[test]
    fn a_side_that_requires_something_does_not_take_part() {
        use crate::security::{Accepted, AccessToken, TokenSource};

        let token = AccessToken::random();
        let guards = [
            Guard::new(Accepted::Fixed(token.clone().into()), false),
            Guard::new(Accepted::EveryClient, true),
        ];
        let clients =
            [TokenSource::Fixed(token).credentials(false), TokenSource::None.credentials(true)];
        for (guard, client) in guards.iter().zip(clients) {
            assert!(guard.respond(b"", OPEN).unwrap().is_none());
            let begun = client.unwrap().begin(b"").unwrap();
            assert_ne!(begun.message, OPEN);
            assert!((begun.finish)(OPEN).is_none());
        }
    }
}
