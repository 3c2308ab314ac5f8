use witrpc::wit_service;

#[wit_service]
trait Words {
    fn text(&self) -> impl Future<Output = String> + Send;
}

fn main() {}
