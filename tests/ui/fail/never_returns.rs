use witrpc::wit_service;

#[wit_service]
trait Tasks {
    fn run(&self) -> !;
    fn name(&self) -> str;
}

fn main() {}
