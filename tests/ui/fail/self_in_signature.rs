use witrpc::wit_service;

#[wit_service]
trait Shape: Sized {
    fn merged(&self, other: Self) -> Option<Self>;
}

fn main() {}
