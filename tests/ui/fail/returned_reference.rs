use witrpc::wit_service;

#[wit_service]
trait Words {
    fn longest(&self) -> &str;
    fn first(&self) -> Option<&str>;
}

struct MyWords(String);

impl Words for MyWords {
    fn longest(&self) -> &str {
        &self.0
    }
    fn first(&self) -> Option<&str> {
        Some(&self.0)
    }
}

fn main() {
    let words = WordsAsyncClient::in_process(MyWords(String::new()));
    let _ = async move { words.longest().await.unwrap().len() };
}
