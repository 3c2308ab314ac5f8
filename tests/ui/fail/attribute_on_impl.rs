use witrpc::wit_service;

struct Calculator;

#[wit_service]
impl Calculator {
    fn add(&self, a: i64, b: i64) -> i64 {
        a + b
    }
}

fn main() {
    Calculator.add(1, 2);
}
