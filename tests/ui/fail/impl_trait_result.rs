use witrpc::wit_service;

#[wit_service]
trait Words {
    fn text(&self) -> impl AsRef<str>;
}

fn main() {}
