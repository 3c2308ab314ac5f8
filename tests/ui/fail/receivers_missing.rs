use witrpc::wit_service;

#[wit_service]
trait Reader {
    async fn subjects() -> Vec<String>;
    async fn take(subject: String, text: String);
    #[wit(event)]
    fn taken(subject: String);
}

fn main() {}
