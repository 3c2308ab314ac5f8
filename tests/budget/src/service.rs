//! The service whose calls are counted.

use std::sync::Arc;

use witrpc::{Mmf, Shared, WaitPolicy, WitServer, wit_service};

use crate::calls::SEALED;
use crate::marks::Marks;

/// The number in all messages: how long it is encoded depends on its value.
pub(crate) const NUMBER: u64 = 7;

/// Items of a stream before those that are counted. In the time that they take, both sides get used to a
/// stream that is quick.
pub(crate) const PRELUDE: u64 = 50_000;

/// One method a row.
#[wit_service]
pub(crate) trait Counted {
    fn add(&self, a: u64, b: u64) -> u64;
    fn text(&self, text: &str) -> String;
    fn bytes(&self, bytes: &[u8]) -> u64;
    fn lease(&self, bytes: Shared<[u8]>) -> u64;
    fn items(&self, end: u64) -> impl Iterator<Item = u64>;
    fn emit(&self, events: u64);

    #[wit(event)]
    fn told(&self, number: u64);
}

struct Handlers {
    marks: Arc<Marks>,
    events: CountedEvents,
}

impl Counted for Handlers {
    fn add(&self, a: u64, b: u64) -> u64 {
        self.marks.pass();
        a + b
    }

    fn text(&self, text: &str) -> String {
        self.marks.pass();
        text.to_owned()
    }

    fn bytes(&self, bytes: &[u8]) -> u64 {
        self.marks.pass();
        bytes.len() as u64
    }

    fn lease(&self, bytes: Shared<[u8]>) -> u64 {
        self.marks.pass();
        bytes.len() as u64
    }

    fn items(&self, end: u64) -> impl Iterator<Item = u64> {
        (0..PRELUDE + end).map(|item| {
            if item >= PRELUDE {
                self.marks.pass();
            }
            NUMBER
        })
    }

    fn emit(&self, events: u64) {
        for _ in 0..events {
            self.marks.pass();
            self.events.told(NUMBER).expect("a number can be encoded");
        }
    }
}

/// Starts a server of the service, for a row.
pub(crate) fn serve(name: &str, row: &str) -> Result<WitServer, witrpc::BindError> {
    let marks = Arc::new(Marks::default());
    let service = CountedServer::with_events(|events| Handlers { marks, events });
    let builder = WitServer::builder().listen(Mmf::new(name)).wait(WaitPolicy::Spin);
    builder.encryption(row == SEALED).service(service).start()
}
