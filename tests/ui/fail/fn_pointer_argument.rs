use witrpc::wit_service;

#[wit_service]
trait Tasks {
    fn run(&self, task: fn(u8) -> u8);
}

fn main() {}
