use witrpc::wit_service;

#[wit_service(forward, local(NAME, attach))]
trait Terminal {
    const NAME: &'static str;
    fn write(&self, text: &str) -> usize;
    fn attach(&mut self, quit: Box<dyn Fn()>);
}

fn main() {}
