//! A broker and its readers: two services in one program, and a struct that is named as its trait.

use std::sync::{Arc, Mutex};

use witrpc::Codec;

use super::{Desk, over_each_codec};

mod reader {
    use witrpc::wit_service;

    /// Has a reader do something.
    #[wit_service]
    pub trait Reader {
        /// The subjects that it reads.
        async fn subjects(&self) -> Vec<String>;
        /// Takes a text.
        async fn take(&self, subject: String, text: String);
    }
}

mod broker {
    use witrpc::wit_service;

    /// Passes texts on.
    #[wit_service]
    pub trait Broker {
        /// Spreads a text to those that read the subject.
        async fn spread(&self, subject: String, text: String);
    }
}

impl reader::Reader for Desk {
    async fn subjects(&self) -> Vec<String> {
        self.serve(())
    }

    async fn take(&self, subject: String, text: String) {
        self.serve((subject, text))
    }
}

/// Named as the trait, and as the trait's client would be.
#[derive(Clone, Default)]
struct Broker {
    readers: Arc<Mutex<Vec<reader::ReaderAsyncClient>>>,
}

impl broker::Broker for Broker {
    async fn spread(&self, subject: String, text: String) {
        let readers = self.readers.lock().expect("no call panics").clone();
        for reader in readers {
            reader.take(subject.clone(), text.clone()).await.expect("the reader is there");
        }
    }
}

#[test]
fn a_broker_and_its_readers() {
    let desk = Desk::default();
    over_each_codec!(
        reader::ReaderClient,
        reader::ReaderServer::new(desk.clone()),
        quickest Codec::Postcard,
        unfit &[],
        |codec, client: &reader::ReaderClient| {
            desk.plain(codec, |()| client.subjects());
            desk.plain(codec, |(subject, text)| client.take(subject, text));

            let broker = Broker::default();
            broker.readers.lock().unwrap().push(client.connection().client().unwrap());
            over_each_codec!(
                broker::BrokerClient,
                broker::BrokerServer::new(broker.clone()),
                quickest Codec::Postcard,
                unfit &[],
                |codec, broker: &broker::BrokerClient| {
                    desk.plain(codec, |(subject, text)| broker.spread(subject, text));
                }
            );
        }
    );
}
