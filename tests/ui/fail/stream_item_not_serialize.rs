use witrpc::wit_service;

struct Tile(Vec<u8>);

#[wit_service]
trait Renderer {
    fn render(&self, scene: &str) -> impl Iterator<Item = Tile>;
}

fn main() {}
