use witrpc::wit_service;

type Line = Result<String, String>;

#[wit_service]
trait Files {
    fn lines(&self, path: &str) -> impl Iterator<Item = Line>;
}

fn main() {}
