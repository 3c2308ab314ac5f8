use witrpc::wit_service;

mod search {
    #[derive(serde::Serialize, serde::Deserialize)]
    pub struct Result {
        pub hits: u64,
    }
}

#[wit_service]
trait Search {
    fn find(&self, text: &str) -> search::Result;
}

fn main() {}
