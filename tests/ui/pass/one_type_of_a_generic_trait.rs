//! A generic trait is served for the types that its service names, or that are its defaults.

use std::collections::BTreeMap;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use witrpc::wit_service;

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
struct Digest([u8; 4]);

/// Its parameter is named in the signatures as itself and in other types.
#[wit_service(types(Hash = Digest))]
trait State<Hash>
where
    Hash: Ord,
{
    fn at(&self, block: Hash) -> Option<u64>;
    async fn all(&self, from: &Hash, to: Option<Hash>) -> BTreeMap<Hash, u64>;
    fn each(&self) -> impl Iterator<Item = (Hash, u64)>;
    #[wit(event)]
    fn finalized(&self, block: Hash);
}

struct Chain(StateEvents);

impl State<Digest> for Chain {
    fn at(&self, block: Digest) -> Option<u64> {
        let _ = self.0.finalized(block);
        Some(block.0[0].into())
    }

    async fn all(&self, from: &Digest, to: Option<Digest>) -> BTreeMap<Digest, u64> {
        [Some(*from), to].into_iter().flatten().map(|hash| (hash, hash.0[0].into())).collect()
    }

    fn each(&self) -> impl Iterator<Item = (Digest, u64)> {
        [(Digest([1; 4]), 1)].into_iter()
    }
}

/// Others may still implement it for other types.
impl State<String> for () {
    fn at(&self, _: String) -> Option<u64> {
        None
    }

    async fn all(&self, _: &String, _: Option<String>) -> BTreeMap<String, u64> {
        BTreeMap::new()
    }

    fn each(&self) -> impl Iterator<Item = (String, u64)> {
        [].into_iter()
    }
}

mod defaults {
    use super::*;

    /// Has the name that a generated parameter would have.
    #[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
    pub struct S(pub u8);

    #[wit_service]
    pub trait Cell<T = S>
    where
        T: Serialize + DeserializeOwned + Clone,
    {
        fn get(&self) -> T;
        fn swap(&self, value: T) -> Vec<T> {
            vec![self.get(), value]
        }
    }

    impl Cell for S {
        fn get(&self) -> S {
            self.clone()
        }
    }
}

fn main() {
    let server = StateServer::with_events(Chain);
    let client = StateClient::in_process_with(witrpc::WitServer::builder().service(server));
    let mut finalized = client.finalized().unwrap();
    let hash = Digest([7; 4]);
    assert_eq!(client.at(hash), Ok(Some(7)));
    assert_eq!(finalized.next().unwrap().unwrap().block, hash);
    assert_eq!(client.all(&hash, None), Ok(BTreeMap::from([(hash, 7)])));
    assert_eq!(client.each().unwrap().next(), Some(Ok((Digest([1; 4]), 1))));
    assert_eq!(State::at(&(), String::new()), None);

    use defaults::S;
    let client = defaults::CellClient::in_process(S(1));
    assert_eq!(client.swap(S(2)), Ok(vec![S(1), S(2)]));
}
