//! Methods that are written without a receiver.

#[witrpc::wit_service(add_self)]
trait Broker {
    async fn spread(subject: String, text: &str) -> u32;
    fn seats() -> u32;
    fn clear(&self);
    #[wit(event)]
    fn cleared(times: u32);
    #[wit(local)]
    fn new() -> Self
    where
        Self: Sized;
}

struct Post;

impl Broker for Post {
    async fn spread(&self, subject: String, text: &str) -> u32 {
        (subject.len() + text.len()) as u32
    }

    fn seats(&self) -> u32 {
        3
    }

    fn clear(&self) {}

    fn new() -> Self {
        Self
    }
}

fn main() {
    let broker = BrokerClient::in_process(Post::new());
    assert_eq!(broker.spread("abc".to_owned(), "de"), Ok(5));
    assert_eq!((broker.seats(), broker.clear()), (Ok(3), Ok(())));
    let _ = |broker: BrokerClient| broker.cleared().unwrap().next().unwrap().unwrap().times;
}
