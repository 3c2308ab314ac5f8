use witrpc::{Stream, wit_service};

#[derive(serde::Serialize)]
struct Tile(Vec<u8>);

#[wit_service]
trait Screen {
    fn paint(&self, tiles: impl Iterator<Item = Tile>) -> u64;
    async fn repaint(&self, tiles: impl Stream<Item = Tile>) -> u64;
}

fn main() {}
