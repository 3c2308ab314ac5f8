//! Nothing that `witrpc` shows contains a token: no logs through the crate `tracing`, at any level
//! and by any crate, no panic messages, no `Debug` or `Display`. This holds on both sides, for a
//! token that was accepted and for one that was refused. It runs with `--features tracing`.

use std::fmt::{Debug, Write as _};
use std::panic::{self, AssertUnwindSafe, PanicHookInfo};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Mutex, MutexGuard, PoisonError};

use tempfile::TempDir;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};
use witrpc::{
    AccessToken, AccessTokens, CallContext, CallError, ConnectError, Mmf, ServerHandle, WitServer,
    wit_service,
};

/// Everything that was shown so far, in one text.
static SHOWN: Mutex<String> = Mutex::new(String::new());

fn shown() -> MutexGuard<'static, String> {
    SHOWN.lock().unwrap_or_else(PoisonError::into_inner)
}

fn note(what: &str) {
    shown().push_str(&format!("{what}\n"));
}

/// Records every span and every event, of any crate and level.
struct Everything;

struct Fields<'a>(&'a mut String);

impl Visit for Fields<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        writeln!(self.0, "{field}={value:?}").expect("text grows");
    }
}

impl Subscriber for Everything {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, span: &Attributes<'_>) -> Id {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        let mut text = format!("{}\n", span.metadata().name());
        span.record(&mut Fields(&mut text));
        note(&text);
        Id::from_u64(NEXT.fetch_add(1, Relaxed))
    }

    fn record(&self, _: &Id, values: &Record<'_>) {
        let mut text = String::new();
        values.record(&mut Fields(&mut text));
        note(&text);
    }

    fn event(&self, event: &Event<'_>) {
        let mut text = format!("{}\n", event.metadata().target());
        event.record(&mut Fields(&mut text));
        note(&text);
    }

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

#[wit_service]
trait Vault {
    fn who(&self, #[wit(ctx)] cx: &CallContext) -> Option<String>;
    fn fall(&self, #[wit(ctx)] cx: &CallContext);
    fn fail(&self, #[wit(ctx)] cx: &CallContext) -> Result<u64, String>;
}

struct Cellar;

impl Vault for Cellar {
    fn who(&self, cx: &CallContext) -> Option<String> {
        cx.identity().map(str::to_owned)
    }

    fn fall(&self, cx: &CallContext) {
        panic!("it falls for {cx:?}");
    }

    fn fail(&self, cx: &CallContext) -> Result<u64, String> {
        Err(format!("it fails for {cx:?}"))
    }
}

/// Returns the bytes in every notation, cut so that a part of them is found too.
fn writings(secret: &[u8]) -> Vec<String> {
    let joined = |parts: &[u8], form: fn(&u8) -> String, between: &str| {
        parts.iter().map(form).collect::<Vec<_>>().join(between)
    };
    let of = |part: &[u8]| {
        [
            String::from_utf8_lossy(part).into_owned(),
            joined(part, |byte| format!("{byte:02x}"), ""),
            joined(part, |byte| format!("{byte:02X}"), ""),
            joined(part, |byte| format!("{byte}"), ", "),
            joined(part, |byte| format!("{byte:x}"), ", "),
        ]
    };
    secret.windows(6).flat_map(of).collect()
}

/// Connects a client, and makes calls that succeed, fail and panic.
fn visit(place: &Mmf, token: &AccessToken, encryption: bool) {
    let builder = VaultClient::builder(place.clone()).encryption(encryption);
    let builder = builder.access_token(token.clone());
    note(&format!("{builder:?}"));
    let client = builder.connect().unwrap();
    assert_eq!(client.who(), Ok(Some("ali".to_owned())));
    let fallen = client.fall().unwrap_err();
    let failed = client.fail().unwrap_err();
    assert!(matches!(fallen, CallError::Panicked { .. }), "{fallen}");
    assert!(matches!(failed, CallError::App(_)), "{failed}");
    note(&format!("{client:?} {:?} {fallen} {fallen:?} {failed} {failed:?}", client.connection()));
    let shown_by_panic = || -> () { panic!("{client:?} {token:?}") };
    panic::catch_unwind(AssertUnwindSafe(shown_by_panic)).unwrap_err();
}

/// Connects clients with the wrong token, with none, and with a provider that fails.
fn knock(place: &Mmf, token: &AccessToken, wrong: &AccessToken, encryption: bool) {
    let builder = || VaultClient::builder(place.clone()).encryption(encryption);
    let rejected = builder().access_token(wrong.clone()).connect().unwrap_err();
    assert!(matches!(rejected, ConnectError::TokenRejected), "{rejected}");
    let missing = builder().connect().unwrap_err();
    let kept = token.clone();
    let lost = builder()
        .access_token_from(move || Err(format!("{kept:?} has been lost").into()))
        .connect()
        .unwrap_err();
    assert!(matches!(lost, ConnectError::NoToken { .. }), "{lost}");
    note(&format!("{rejected} {rejected:?} {missing} {missing:?} {lost} {lost:?}"));
    // An `unwrap` of the user shows the text of the error.
    let unwrapped = || builder().access_token(wrong.clone()).connect().unwrap();
    panic::catch_unwind(AssertUnwindSafe(unwrapped)).unwrap_err();
}

fn watch(handle: &ServerHandle, tokens: &AccessTokens) {
    note(&format!("{handle:?} {:?} {:?} {tokens:#?}", handle.clients(), handle.metrics()));
}

#[test]
fn nothing_that_is_logged_or_shown_or_said_by_a_panic_tells_a_token() {
    tracing::subscriber::set_global_default(Everything).expect("it is the first");
    let reported = panic::take_hook();
    panic::set_hook(Box::new(move |info: &PanicHookInfo<'_>| {
        note(&info.to_string());
        reported(info);
    }));

    let (secret, guess) = (b"open-sesame-for-ali-baba", b"let-me-in-I-am-no-robber");
    let token = AccessToken::new(secret).unwrap();
    let wrong = AccessToken::new(guess).unwrap();
    for encryption in [false, true] {
        let dir = TempDir::new().unwrap();
        let place = Mmf::new("vault").in_dir(dir.path());
        let tokens = AccessTokens::new().allow("ali", token.clone()).unwrap();
        let provided = tokens.clone();
        let builder = WitServer::builder()
            .listen(place.clone())
            .service(VaultServer::new(Cellar))
            .encryption(encryption)
            .access_tokens_from(move || provided.clone());
        note(&format!("{builder:?}"));
        let server = builder.start().unwrap();
        visit(&place, &token, encryption);
        knock(&place, &token, &wrong, encryption);
        watch(&server.handle(), &tokens);
        note(&format!("{server:?}"));
    }

    let shown = shown().clone();
    // Everything that was expected has been shown.
    for heard in ["serve", "method=\"who\"", "it falls for", "it fails for", "has been lost", "ali"]
    {
        assert!(shown.contains(heard), "{heard} in {shown}");
    }
    for part in writings(secret).iter().chain(&writings(guess)) {
        assert!(!shown.contains(part), "{part} in {shown}");
    }
}
