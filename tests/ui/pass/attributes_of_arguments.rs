//! Arguments may have documentation and lints, as in the traits that jsonrpsee takes.

#![deny(warnings)]

use witrpc::wit_service;

#[wit_service]
trait Read {
    fn object(
        &self,
        /// The ID of the queried object.
        id: u64,
        #[allow(unused_variables)] depth: u8,
    ) -> u64 {
        id
    }
    async fn later(
        &self,
        /// The name.
        ///
        /// It may be empty.
        name: &str,
    ) -> usize;
    #[wit(event)]
    fn changed(
        &self,
        /// Which one.
        id: u64,
        #[allow(non_snake_case)] newId: u64,
    );
}

/// Lints of the trait count for all that is made of it.
#[allow(non_snake_case)]
#[wit_service]
trait Chain {
    fn getObject(&self, objectId: u8) -> u8;
    #[wit(event)]
    fn objectChanged(&self, newId: u8);
}

struct Store;

impl Read for Store {
    async fn later(&self, name: &str) -> usize {
        name.len()
    }
}

#[allow(non_snake_case)]
impl Chain for Store {
    fn getObject(&self, objectId: u8) -> u8 {
        objectId
    }
}

fn main() {
    let client = ReadClient::in_process(Store);
    assert_eq!(client.object(1, 2), Ok(1));
    assert_eq!(client.later("four"), Ok(4));
    assert_eq!(ChainClient::in_process(Store).getObject(3), Ok(3));
    let ids = |event: ReadChanged| (event.id, event.newId);
    let _ = ids;
    let id = |event: ChainObjectChanged| event.newId;
    let _ = id;
}
