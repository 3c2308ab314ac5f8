use witrpc::wit_service;

#[wit_service]
trait Counter {
    #[serde(rename = "inc")]
    fn increase(&self, #[serde(default)] by: u32) -> u32;
}

fn main() {}
