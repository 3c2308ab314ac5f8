//! The roles of peers that break every rule.

use std::time::Duration;

use fastrand::Rng;
use witrpc::CallError;

use crate::process::Parent;
use crate::scribbler::{Scribble, Scribbler};
use crate::site::{Address, Plan};
use crate::workshop::{Bench, WorkshopClient, bytes_of};

/// How long a call may take of which nothing is expected any more.
const MOMENT: Duration = Duration::from_millis(2);

/// Writes between two calls of a random kind.
const MOST_WRITES: u32 = 8;

/// A client that scribbles, and begins anew whenever it has been thrown out.
struct Vandal<'a> {
    address: &'a Address,
    client: Option<(WorkshopClient, Scribbler)>,
}

impl Vandal<'_> {
    /// What it has now, connected again if need be.
    fn scribbler(&mut self) -> &Scribbler {
        while self.client.as_ref().is_none_or(|(client, _)| !client.connection().is_connected()) {
            // The regions of the old connection go first.
            self.client = None;
            let builder = WorkshopClient::builder(self.address.endpoint()).call_timeout(MOMENT);
            // It may be early, before the server has let go of the last connection.
            self.client = builder.connect().ok().map(|client| (client, Scribbler::new()));
        }
        &self.client.as_ref().expect("connected above").1
    }

    /// Makes a call of which anything may come.
    fn call(&self, rng: &mut Rng) {
        let Some((client, _)) = &self.client else { return };
        let _: Result<(), CallError> = match rng.u8(..4) {
            0 => client.add(1, 2).map(drop),
            1 => client.echo(bytes_of(rng.usize(..3_000), 1)).map(drop),
            2 => client.digest(&bytes_of(rng.usize(..100_000), 2)).map(drop),
            _ => client.make(rng.u64(..100_000), 3).map(drop),
        };
    }
}

/// See [`Role::Scribble`](super::Role::Scribble). Reports how many chosen writes it has made, and
/// then, for each line that it hears, how many random ones.
pub(super) fn client(parent: &Parent, address: &Address, seed: u64, words: u64) {
    let mut rng = Rng::with_seed(seed);
    let mut vandal = Vandal { address, client: None };
    let mut made = 0_u64;
    for scribble in Scribble::chosen(words) {
        vandal.scribbler().write(scribble);
        vandal.call(&mut rng);
        made += 1;
    }
    parent.report(&made);
    made = 0;
    loop {
        for _ in 0..rng.u32(1..=MOST_WRITES) {
            vandal.scribbler().write_at_random(&mut rng);
            made += 1;
        }
        vandal.call(&mut rng);
        if let Some(()) = parent.hear_if_said() {
            parent.report(&made);
        }
    }
}

/// See [`Role::ServeScribbling`](super::Role::ServeScribbling). Reports that it serves, then every
/// write that it is told to make; `None` has it write at random from there on.
pub(super) fn server(parent: &Parent, address: &Address, plan: &Plan, seed: u64) {
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
