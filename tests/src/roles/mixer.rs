//! The role of a client that does a little of everything.

use std::thread;

use fastrand::Rng;
use futures_executor::block_on;
use witrpc::CallError;

use crate::basic::{BasicAsyncClient, BasicClient};
use crate::event_service::EventServiceClient;
use crate::fixture::Address;
use crate::process::Parent;
use crate::random_calls::errand;
use crate::shared_memory::{SharedMemoryClient, frame};
use crate::streams::StreamsClient;
use crate::watchdog::PATIENCE;

/// The longest message of a random call, in bytes.
const MOST: usize = 4_000;

/// How often each kind of work is done before the client reports it.
const ROUNDS: u32 = 1;

/// See [`Role::Mix`](super::Role::Mix). Reports that all kinds of work are under way.
pub(super) fn mix(parent: &Parent, address: &Address, seed: u64) {
    let client = BasicClient::builder(address.endpoint()).call_timeout(PATIENCE).connect();
    let client = client.expect("the client connects");
    let connection = client.connection();
    let streams: StreamsClient = connection.client().expect("it is served");
    let shared_memory: SharedMemoryClient = connection.client().expect("it is served");
    let event_service: EventServiceClient = connection.client().expect("it is served");
    let later: BasicAsyncClient = block_on(connection.client_async()).expect("it is served");
    let mut rng = Rng::with_seed(seed);
    let mut ticks = event_service.ticked().expect("the client subscribes");
    let mut works: [Box<dyn FnMut() -> Result<(), CallError> + Send>; 5] = [
        Box::new(move || errand(&client, &mut rng, MOST)),
        Box::new(move || block_on(later.lookup("word")).map(drop)),
        Box::new(|| {
            let taken = streams.endless()?.take(300).collect::<Result<Vec<_>, _>>()?;
            assert_eq!(streams.sum(taken.into_iter())?, 44_850);
            Ok(())
        }),
        Box::new(|| {
            assert_eq!(
                shared_memory.look(frame(&shared_memory, 10_000, seed))?,
                shared_memory.look_later(frame(&shared_memory, 10_000, seed))?
            );
            shared_memory.render(5_000, seed).map(drop)
        }),
        Box::new(move || {
            event_service.tick(0, 3, true)?;
            (0..3).for_each(|_| drop(ticks.next()));
            Ok(())
        }),
    ];
    thread::scope(|scope| {
        let (done, all_done) = std::sync::mpsc::channel();
        for work in &mut works {
            let done = done.clone();
            scope.spawn(move || {
                for round in 0.. {
                    work().expect("the server answers");
                    if round == ROUNDS {
                        done.send(()).expect("the main thread counts");
                    }
                }
            });
        }
        (0..5).for_each(|_| all_done.recv().expect("all work goes on"));
        parent.report(&());
        parent.outlive();
    });
}
