use witrpc::wit_service;

#[wit_service]
trait Points {
    fn half(&self, _: i64) -> i64;
}

struct MyPoints;

impl Points for MyPoints {
    fn half(&self, x: i64) -> i64 {
        x / 2
    }
}

fn main() {
    let points = PointsClient::in_process(MyPoints);
    let _: i64 = points.half(1).unwrap();
}
