//! What a test of a service needs: a context without a client, a server without a place, and services behind
//! pointers.

use std::sync::Arc;
use std::sync::atomic::AtomicU32;
use std::sync::atomic::Ordering::Relaxed;

use futures_executor::block_on;
use witrpc::{
    CallContext, CallOptions, CancelToken, Codec, Rejection, ServedCall, ServerHook, WitServer,
    wit_service,
};

#[wit_service]
trait Bell {
    /// Rings until its caller has enough, and returns how often it has.
    fn ring(&self, times: u32, #[wit(ctx)] cx: &CallContext) -> u32;
    #[wit(event)]
    fn rang(&self, times: u32);
}

struct Brass(Option<BellEvents>);

impl Bell for Brass {
    fn ring(&self, times: u32, cx: &CallContext) -> u32 {
        let rang = (0..times).take_while(|_| !cx.cancelled()).count() as u32;
        if let Some(events) = &self.0 {
            events.rang(rang).expect("the subscriber has room");
        }
        rang
    }
}

#[test]
fn a_method_with_a_context_is_called_without_a_server() {
    let token = CancelToken::new();
    let cx = CallContext::for_tests(CallOptions::new().cancelled_by(&token));
    assert_eq!(Brass(None).ring(3, &cx), 3);
    token.cancel();
    assert_eq!(Brass(None).ring(3, &cx), 0);
}

/// Rejects calls from the second on.
struct Once(Arc<AtomicU32>);

impl ServerHook for Once {
    fn before(&self, _: &ServedCall<'_>) -> Result<(), Rejection> {
        match self.0.fetch_add(1, Relaxed) {
            0 => Ok(()),
            _ => Err(Rejection::new("once is enough")),
        }
    }
}

#[test]
fn a_server_in_this_process_has_events_hooks_and_codecs() {
    for codec in [Codec::Postcard, Codec::Json] {
        let calls = Arc::new(AtomicU32::new(0));
        let service = BellServer::with_events(|events| Brass(Some(events)));
        let server = WitServer::builder().codecs([codec]).hook(Once(Arc::clone(&calls)));
        let client = BellClient::in_process_with(server.service(service));
        let mut rang = client.rang().unwrap();
        assert_eq!(client.ring(2,), Ok(2));
        assert_eq!(rang.next().unwrap().unwrap().times, 2);
        assert!(client.ring(2).unwrap_err().to_string().contains("once is enough"));
        assert_eq!(calls.load(Relaxed), 2);
    }
}

#[wit_service]
trait Counter {
    fn count(&self) -> u32;
}

struct Fixed(u32);

impl Counter for Fixed {
    fn count(&self) -> u32 {
        self.0
    }
}

#[test]
fn one_server_in_this_process_has_several_services() {
    let bell = BellServer::with_events(|events| Brass(Some(events)));
    let both = WitServer::builder().service(CounterServer::new(Fixed(7))).service(bell);
    let counter = CounterAsyncClient::in_process_with(both);
    assert_eq!(block_on(counter.count()), Ok(7));
    let bell: BellClient = counter.connection().client().unwrap();
    assert_eq!(bell.ring(1), Ok(1));
}

#[test]
fn services_behind_pointers_are_served() {
    let boxed: Box<dyn Counter + Send + Sync> = Box::new(Fixed(1));
    let boxed: Arc<dyn Counter + Send + Sync> = boxed.into();
    let shared: Arc<dyn Counter + Send + Sync> = Arc::new(Fixed(2));
    let server = |service: CounterServer| WitServer::builder().service(service);
    let client = CounterClient::in_process_with(server(CounterServer::from_arc(boxed)));
    assert_eq!(client.count(), Ok(1));
    let client = CounterClient::in_process_with(server(CounterServer::from_arc(shared)));
    assert_eq!(client.count(), Ok(2));
}
