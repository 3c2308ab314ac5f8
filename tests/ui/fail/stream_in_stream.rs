use witrpc::wit_service;

#[wit_service]
trait Numbers {
    fn tables(&self) -> impl Iterator<Item = impl Iterator<Item = u64>>;
}

fn main() {}
