use witrpc::wit_service;

use std::fmt::Display;

#[wit_service]
trait Words {
    fn print(&self, text: &dyn Display, title: Box<dyn Display>);
}

fn main() {}
