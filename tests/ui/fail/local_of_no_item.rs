use witrpc::wit_service;

#[wit_service(local(attach, detach))]
trait Terminal {
    fn write(&self, text: &str) -> usize;
    fn attach(&mut self, quit: Box<dyn Fn()>);
}

fn main() {}
