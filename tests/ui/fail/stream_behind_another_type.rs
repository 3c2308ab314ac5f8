use std::pin::Pin;

use witrpc::{Stream, wit_service};

pub type RpcResult<T> = Result<T, String>;

#[wit_service]
trait Pulse {
    #[wit(result)]
    fn beats(&self) -> RpcResult<impl Iterator<Item = u64>>;
    fn boxed(&self) -> Box<dyn Iterator<Item = u64> + Send>;
    fn pinned(&self) -> Pin<Box<dyn Stream<Item = u64> + Send>>;
}

fn main() {}
