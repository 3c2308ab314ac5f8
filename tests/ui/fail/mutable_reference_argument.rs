use witrpc::wit_service;

#[wit_service]
trait Memory {
    fn fill(&self, buffer: &mut [u8]);
}

fn main() {}
