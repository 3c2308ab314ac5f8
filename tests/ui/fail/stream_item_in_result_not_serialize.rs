use std::io;
use witrpc::{Stream, wit_service};

struct Tile(Vec<u8>);

#[wit_service]
trait Renderer {
    fn render(&self, scene: &str) -> impl Iterator<Item = Result<Tile, String>>;
    fn lines(&self, path: &str) -> Result<impl Iterator<Item = String>, io::Error>;
    async fn follow(&self, path: &str) -> impl Stream<Item = io::Result<String>>;
}

fn main() {}
