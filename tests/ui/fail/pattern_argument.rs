use witrpc::wit_service;

#[wit_service]
trait Points {
    fn add(&self, (x, y): (i64, i64)) -> i64;
    fn half(&self, mut x: i64) -> i64;
}

fn main() {}
