use witrpc::wit_service;

#[wit_service]
trait Files {
    #[cfg(all())]
    fn first(&mut self) -> u64;
    #[cfg(any())]
    fn second(&mut self) -> u64;
    fn third(&self) -> u64;
}

fn calls(client: &FilesClient) {
    let _ = client.first();
    let _ = client.third();
}

fn main() {}
