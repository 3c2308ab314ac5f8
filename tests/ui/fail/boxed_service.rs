use std::sync::Arc;

use witrpc::wit_service;

#[wit_service]
trait Store {
    fn read(&self, key: &str) -> u8;
}

fn main() {}

fn boxed(store: Box<dyn Store + Send + Sync>) {
    let _ = StoreServer::new(store);
}

fn shared(store: Arc<dyn Store + Send + Sync>) {
    let _ = StoreServer::new(store);
}
