use std::future::Future;
use std::pin::Pin;

use witrpc::wit_service;

// What `#[async_trait]` has made of `async fn read(&self, key: &str) -> u8`.
#[wit_service]
pub trait Store {
    fn read<'life0, 'life1, 'async_trait>(
        &'life0 self,
        key: &'life1 str,
    ) -> Pin<Box<dyn Future<Output = u8> + Send + 'async_trait>>
    where
        'life0: 'async_trait,
        'life1: 'async_trait,
        Self: 'async_trait;
}

struct Memory;

impl Store for Memory {
    fn read<'life0, 'life1, 'async_trait>(
        &'life0 self,
        key: &'life1 str,
    ) -> Pin<Box<dyn Future<Output = u8> + Send + 'async_trait>>
    where
        'life0: 'async_trait,
        'life1: 'async_trait,
        Self: 'async_trait,
    {
        Box::pin(async move { key.len() as u8 })
    }
}

fn main() {
    let _ = StoreClient::in_process(Memory).read("key");
}
