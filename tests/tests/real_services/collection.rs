//! A collection: an item type that is named as a stream's is, and streams both ways.

use arbitrary::Arbitrary;
use serde::{Deserialize, Serialize};
use witrpc::{CallError, Codec, wit_service};

use super::{Desk, over_each_codec};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Arbitrary)]
pub struct CallFailed;

pub type Item = String;

/// Keeps items.
#[wit_service]
pub trait Coll {
    async fn put(&self, key: u32, value: Item) -> Result<(), CallFailed>;
    async fn last(&self) -> Result<Option<Item>, CallFailed>;
    fn all(&self) -> impl Iterator<Item = Item>;
    fn put_all(&self, from: impl Iterator<Item = Item>) -> u64;
}

impl Coll for Desk {
    async fn put(&self, key: u32, value: Item) -> Result<(), CallFailed> {
        self.serve((key, value))
    }

    async fn last(&self) -> Result<Option<Item>, CallFailed> {
        self.serve(())
    }

    fn all(&self) -> impl Iterator<Item = Item> {
        self.serve::<_, Vec<Item>>(()).into_iter()
    }

    fn put_all(&self, from: impl Iterator<Item = Item>) -> u64 {
        self.serve(from.collect::<Vec<_>>())
    }
}

#[test]
fn a_collection_with_streams() {
    let desk = Desk::default();
    over_each_codec!(
        CollClient,
        CollServer::new(desk.clone()),
        quickest Codec::Postcard,
        unfit &[],
        |codec, client: &CollClient| {
            desk.result(codec, |(key, value)| client.put(key, value));
            desk.result(codec, |()| client.last());
            desk.plain(codec, |()| client.all()?.collect::<Result<Vec<_>, CallError>>());
            desk.plain(codec, |from: Vec<Item>| client.put_all(from.into_iter()));
        }
    );
}
