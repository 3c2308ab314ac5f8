use witrpc::wit_service;

#[wit_service]
pub trait Miner {
    #[wit(drop_on_disconnect)]
    fn dig(&self) -> u64;
    #[wit(drop_on_disconnect)]
    fn dig_on(&self) -> impl Iterator<Item = u64>;
    #[wit(drop_on_disconnect)]
    async fn wait(&self) -> u64;
}

fn main() {}
