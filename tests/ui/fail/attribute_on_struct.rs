use witrpc::wit_service;

#[wit_service]
struct Calculator {
    sum: i64,
}

fn main() {
    let _ = Calculator { sum: 0 }.sum;
}
