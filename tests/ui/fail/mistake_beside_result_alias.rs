use witrpc::wit_service;

type Outcome<T> = Result<T, String>;

#[wit_service]
trait Files {
    fn len(&self, name: &str) -> Outcome<u64>;
    fn clear(&mut self) -> Outcome<()>;
}

fn main() {
    let _ = |files: FilesClient| files.len("a").unwrap() + 1;
}
