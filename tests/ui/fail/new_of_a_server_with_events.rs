use witrpc::wit_service;

#[wit_service]
trait Bell {
    fn ring(&self);
    #[wit(event)]
    fn rang(&self, times: u32);
}

struct Brass;

impl Bell for Brass {
    fn ring(&self) {}
}

fn main() {
    let _ = BellServer::new(Brass);
}
