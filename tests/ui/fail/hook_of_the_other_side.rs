use witrpc::{ClientHook, WitServer};

struct Log;

impl ClientHook for Log {}

fn main() {
    let _ = WitServer::builder().listen("counter").hook(Log);
}
