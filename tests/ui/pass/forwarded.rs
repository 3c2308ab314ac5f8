//! With `forward`, `&T`, `Box<T>` and `Arc<T>` are handlers as `T` is, of trait objects too.

use std::future::Future;
use std::sync::Arc;

use witrpc::{CallContext, wit_service};

#[wit_service(forward)]
trait Store: Send + Sync {
    fn read(&self, key: &str) -> u8;
    #[deprecated]
    fn read_in(&self, #[wit(ctx)] _: &CallContext, key: Option<&str>) -> Result<u8, String>;
    /// Its own body is the one that is called.
    fn double(&self, key: &str) -> u8 {
        2 * self.read(key)
    }
    #[wit(local)]
    fn name(&self) -> &str {
        "any"
    }
}

#[wit_service(forward, types(K = String))]
trait Feed<K: Send> {
    async fn first(&self, key: K) -> K {
        key
    }
    fn later(&self, key: K) -> impl Future<Output = K> + Send;
    fn all(&self) -> impl Iterator<Item = K>;
    fn count(&self, keys: impl Iterator<Item = K>) -> u64;
    #[cfg(any())]
    fn never(&self);
}

struct Memory(u8);

impl Store for Memory {
    fn read(&self, key: &str) -> u8 {
        self.0 + key.len() as u8
    }

    fn read_in(&self, _: &CallContext, key: Option<&str>) -> Result<u8, String> {
        Ok(self.read(key.ok_or("none")?))
    }

    fn double(&self, _: &str) -> u8 {
        0
    }
}

impl Feed<String> for Memory {
    async fn later(&self, key: String) -> String {
        key
    }

    fn all(&self) -> impl Iterator<Item = String> {
        (0..self.0).map(|number| number.to_string())
    }

    fn count(&self, keys: impl Iterator<Item = String>) -> u64 {
        keys.count() as u64
    }
}

fn read(store: impl Store, key: &str) -> u8 {
    store.read(key) + store.double(key)
}

fn main() {
    let memory = Memory(1);
    assert_eq!(read(&memory, "ab"), 3);
    assert_eq!(read(&memory as &dyn Store, "ab"), 3);
    let boxed: Box<dyn Store> = Box::new(Memory(1));
    assert_eq!(StoreClient::in_process(boxed).read("ab"), Ok(3));
    let shared: Arc<dyn Store> = Arc::new(Memory(1));
    let _ = StoreServer::new(Arc::clone(&shared));
    let client = StoreClient::in_process(Box::new(shared));
    assert_eq!(client.double("ab"), Ok(0));
    #[expect(deprecated)]
    let both = (client.read_in(Some("ab")), client.read_in(None).is_err());
    assert_eq!(both, (Ok(3), true));

    let client = FeedClient::in_process(Arc::new(Memory(2)));
    assert_eq!(client.first("a".to_owned()), Ok("a".to_owned()));
    assert_eq!(client.later("b".to_owned()), Ok("b".to_owned()));
    assert_eq!(client.all().unwrap().count(), 2);
    assert_eq!(client.count(["a".to_owned()].into_iter()), Ok(1));
}
