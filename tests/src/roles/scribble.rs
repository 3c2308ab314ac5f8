//! The roles of peers that break every rule.

use std::time::Duration;

use fastrand::Rng;

use crate::adversary::mischief::Guest;
use crate::adversary::scribbler::{Scribble, Scribbler};
use crate::basic::Bench;
use crate::fixture::{Address, FixtureConfig};
use crate::process::Parent;

/// Writes between two calls of a random kind.
const MOST_WRITES: u32 = 8;

/// A client that scribbles, and connects again whenever the server has ended its connection.
struct ScribblingClient<'a> {
    address: &'a Address,
    plan: &'a FixtureConfig,
    client: Option<(Guest, Scribbler)>,
}

impl ScribblingClient<'_> {
    /// Returns its scribbler, after it has connected again if needed.
    fn scribbler(&mut self) -> &Scribbler {
        while self.client.as_ref().is_none_or(|(guest, _)| !guest.is_connected()) {
            // The regions of the old connection go first.
            self.client = None;
            // The server may not have released the last connection yet.
            let guest = Guest::connect(self.address, self.plan).ok();
            self.client = guest.map(|guest| (guest, Scribbler::new()));
        }
        &self.client.as_ref().expect("connected above").1
    }

    fn call(&mut self, rng: &mut Rng) {
        if let Some((guest, _)) = &mut self.client {
            guest.call(rng);
        }
    }
}

/// See [`Role::Scribble`](super::Role::Scribble). Reports each chosen write by its number, and then,
/// for each line that it hears, how many random ones it has made.
pub(super) fn client(
    parent: &Parent,
    address: &Address,
    plan: &FixtureConfig,
    seed: u64,
    words: u64,
) {
    let mut rng = Rng::with_seed(seed);
    let mut client = ScribblingClient { address, plan, client: None };
    let mut made = 0_u64;
    for scribble in Scribble::chosen(words) {
        client.scribbler().write(scribble);
        client.call(&mut rng);
        made += 1;
        parent.report(&made);
    }
    made = 0;
    loop {
        for _ in 0..rng.u32(1..=MOST_WRITES) {
            client.scribbler().write_at_random(&mut rng);
            made += 1;
        }
        client.call(&mut rng);
        if let Some(()) = parent.hear_if_said() {
            parent.report(&made);
        }
    }
}

/// See [`Role::ServeScribbling`](super::Role::ServeScribbling). Reports that it serves, then every
/// write that it is told to make; `None` has it write at random from there on.
pub(super) fn server(parent: &Parent, address: &Address, plan: &FixtureConfig, seed: u64) {
    let bench = Default::default();
    let _server = plan.start(address, &std::sync::Arc::<Bench>::clone(&bench));
    let _server = _server.expect("the name is free");
    parent.report(&());
    while let Some(scribble) = parent.hear::<Option<Scribble>>() {
        Scribbler::new().write(scribble);
        parent.report(&());
    }
    let mut rng = Rng::with_seed(seed);
    loop {
        // Clients come and go.
        let scribbler = Scribbler::new();
        for _ in 0..rng.u32(1..=MOST_WRITES) {
            scribbler.write_at_random(&mut rng);
        }
        std::thread::sleep(Duration::from_micros(rng.u64(..500)));
    }
}
