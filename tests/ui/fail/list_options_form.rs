use witrpc::wit_service;

#[wit_service(local = "attach")]
trait Terminal {
    fn write(&self, text: &str) -> usize;
}

#[wit_service(local())]
trait Screen {
    fn write(&self, text: &str) -> usize;
}

#[wit_service(types(Hash))]
trait State {
    fn at(&self, block: u64) -> u64;
}

#[wit_service(types)]
trait Chain {
    fn at(&self, block: u64) -> u64;
}

fn main() {}
