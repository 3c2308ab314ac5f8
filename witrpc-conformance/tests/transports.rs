//! Runs the suite over the transports of `witrpc`. The portable backend takes a promise, and runs it in
//! `tests/tests/conformance.rs`.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

use witrpc::{Endpoint, InProcess, Mmf, Socket};
use witrpc_conformance::{Limits, MeetingPlace, conformance_tests};

mod in_process {
    use super::*;

    conformance_tests!(|limits: Limits| {
        let place = InProcess::new().lanes(limits.lanes).max_clients(limits.max_clients);
        MeetingPlace::new(Endpoint::from(place.max_message_size(limits.max_message_size)))
    });
}

mod mmf {
    use super::*;

    conformance_tests!(|limits: Limits| MeetingPlace::new(Endpoint::from(shared_memory(limits))));
}

mod unix_socket {
    use super::*;

    conformance_tests!(|limits: Limits| MeetingPlace::new(Endpoint::from(socket(limits))));
}

/// A server of two endpoints, with its clients at the first.
mod socket_beside_in_process {
    use super::*;

    conformance_tests!(|limits: Limits| {
        MeetingPlace::new(Endpoint::from(socket(limits)))
            .also_listening(Endpoint::from(InProcess::new()))
    });
}

/// A server of three endpoints, with its clients at the last.
mod socket_behind_mmf {
    use super::*;

    conformance_tests!(|limits: Limits| {
        let socket = Endpoint::from(socket(limits));
        MeetingPlace::of_two(Endpoint::from(shared_memory(limits)), socket.clone())
            .also_listening(Endpoint::from(InProcess::new()))
            .also_listening(socket)
    });
}

fn socket(limits: Limits) -> Socket {
    let socket = Socket::at(scratch_path()).lanes(limits.lanes).max_clients(limits.max_clients);
    socket.max_message_size(limits.max_message_size)
}

fn shared_memory(limits: Limits) -> Mmf {
    let mmf = Mmf::unguessable().lanes(limits.lanes).max_clients(limits.max_clients);
    mmf.max_message_size(limits.max_message_size)
}

/// Returns a path that no other test uses. Its server removes the socket.
fn scratch_path() -> PathBuf {
    static LAST: AtomicU32 = AtomicU32::new(0);
    let number = LAST.fetch_add(1, Relaxed);
    std::env::temp_dir().join(format!("witrpc-suite-{}-{number}", std::process::id()))
}
