//! Runs the suite for transports over the portable backend.

use witrpc::{Endpoint, Mmf};
use witrpc_conformance::{Limits, MeetingPlace, conformance_tests};
use witrpc_tests::PORTABLE;

conformance_tests!(|limits: Limits| {
    let mmf = Mmf::unguessable().lanes(limits.lanes).max_clients(limits.max_clients);
    let mmf = mmf.max_message_size(limits.max_message_size).backend(PORTABLE);
    MeetingPlace::new(Endpoint::from(mmf))
});
