//! Admission of clients: reads their hello, and answers with what is served or why they are turned away.

use std::sync::atomic::Ordering::SeqCst;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering, fence};
use std::sync::{Arc, OnceLock, Weak};

use serde::Serialize;
use witrpc_transport::{Admission, Admitted, ClientInfo, NameChange, Session, Shutdown};

use crate::call::server::context::CallContext;
use crate::call::server::hook_call::Hooks;
use crate::call::server::session::ClientSession;
use crate::codec::Codec;
use crate::connection::handshake::{Hello, Refusal, SPOKEN, Welcome};
use crate::connection::registry::Registry;
use crate::contract;
use crate::contract::{Digest, ServiceDescriptor, ServiceNotes};
use crate::observe::counters::CounterRegistry;
use crate::observe::left_behind::{MAX_LEFT_BEHIND, MAX_LEFT_BEHIND_BYTES};
use crate::observe::method_meter::MethodMetrics;
use crate::pool::stop_reason::StopReason;
use crate::pool::{Clients, Pool, Served};
use crate::security::Guard;

use super::client_parts;
use super::end::end;
use super::farewell::{Farewell, MAX_WAITING};
use super::metered::MethodTable;
use super::metrics::Metrics;
use super::service_codecs::ServiceCodecs;
use super::sessions::Sessions;

/// The most characters of a reason to leave a codec out that a client receives.
const MOST_OF_REASON: usize = 4_000;

/// The part of one server that lets clients in.
pub struct ServerAdmission {
    services: Vec<&'static ServiceDescriptor>,
    /// Those of each service.
    codecs: Vec<ServiceCodecs>,
    guard: Arc<Guard>,
    farewell: Arc<Farewell>,
    counter_registry: Arc<CounterRegistry>,
    sessions: Sessions,
    closed: AtomicBool,
    refused: AtomicU64,
    /// Set when the transport lets no client in any more.
    failed: AtomicBool,
    /// The methods, if the server counts by method.
    methods: Option<Arc<MethodTable>>,
    /// Set once the server has started.
    pool: OnceLock<Weak<Pool>>,
}

impl ServerAdmission {
    pub fn new(
        services: Vec<&'static ServiceDescriptor>,
        codecs: Vec<ServiceCodecs>,
        guard: Arc<Guard>,
        hooks: Option<Arc<Hooks>>,
        counter_registry: Arc<CounterRegistry>,
        methods: Option<Arc<MethodTable>>,
    ) -> Self {
        let (sessions, closed, refused, failed, pool) = Default::default();
        let farewell = Farewell::new(hooks);
        Self {
            services,
            codecs,
            guard,
            farewell,
            counter_registry,
            sessions,
            closed,
            refused,
            failed,
            methods,
            pool,
        }
    }

    /// Connects the admission to the pool of a server that has started.
    pub fn leads_to(&self, pool: &Arc<Pool>) {
        let _ = self.pool.set(Arc::downgrade(pool));
        // The transport's threads were started first, and one may have failed by now.
        self.end_if_failed();
    }

    /// Returns the part that deals with what clients leave behind.
    pub fn farewell(&self) -> &Arc<Farewell> {
        &self.farewell
    }

    /// Returns the sessions of connected clients.
    pub fn sessions(&self) -> &Sessions {
        &self.sessions
    }

    /// Returns how many clients were turned away.
    pub fn refused(&self) -> u64 {
        self.refused.load(Ordering::Relaxed)
    }

    /// Returns what has been counted by method, if the server counts so.
    pub fn method_metrics(&self) -> Option<Vec<MethodMetrics>> {
        self.methods.as_ref().map(|table| table.metrics(&self.counter_registry))
    }

    /// Turns all clients away from now on.
    pub fn close(&self) {
        self.closed.store(true, Ordering::Relaxed);
    }

    fn pool(&self) -> Option<Arc<Pool>> {
        self.pool.get().and_then(Weak::upgrade)
    }

    /// Ends a server that has started and whose transport has failed. The start and the failure both call this,
    /// so that the later one finds both.
    fn end_if_failed(&self) {
        fence(SeqCst);
        if let Some(pool) = self.pool().filter(|_| self.failed.load(Ordering::Relaxed)) {
            end(&pool, self, Shutdown::Failed, StopReason::Failed);
        }
    }

    fn refuse(&self, refusal: &Refusal) -> Admitted {
        self.refused.fetch_add(1, Ordering::Relaxed);
        Admitted::Refusal(bytes(refusal))
    }

    fn read(&self, hello: &[u8], client_id: u64) -> Result<(Welcome, Codec), Refusal> {
        if self.closed.load(Ordering::Relaxed) {
            return Err(Refusal::ShuttingDown);
        }
        let hello = read_hello(hello)?;
        if self.counter_registry.left_behind.is_full() {
            return Err(Refusal::TooManyLeftBehind { max: MAX_LEFT_BEHIND });
        }
        if self.counter_registry.left_behind.holds_too_much() {
            return Err(Refusal::TooManyBytesLeftBehind { max: MAX_LEFT_BEHIND_BYTES });
        }
        if let Some(max) = self.pool().and_then(|pool| pool.too_many_left_behind()) {
            return Err(Refusal::TooManyThreadsLeftBehind { max: max.into() });
        }
        if self.farewell.is_full() {
            return Err(Refusal::TooManyCleanups { max: MAX_WAITING as u64 });
        }
        let index = self.find_service(&hello.service)?;
        let codec = self.codec_of(index, hello.codec)?;
        Ok((self.welcome(index, codec, hello.contract, client_id), codec))
    }

    /// Returns the number of a service.
    fn find_service(&self, asked: &str) -> Result<u8, Refusal> {
        let index = self.services.iter().position(|service| service.name == asked);
        let index = index.and_then(|index| u8::try_from(index).ok());
        index.ok_or_else(|| Refusal::UnknownService {
            asked: asked.to_owned(),
            serves: self.names(),
        })
    }

    fn names(&self) -> Vec<String> {
        self.services.iter().map(|service| service.name.to_owned()).collect()
    }

    /// Returns the codec of that number, if the service is served over it.
    fn codec_of(&self, service: u8, asked: u8) -> Result<Codec, Refusal> {
        let codecs = &self.codecs[usize::from(service)];
        let codec = Codec::from_number(asked);
        if let Some(codec) = codec.filter(|codec| codecs.serves().contains(codec)) {
            return Ok(codec);
        }
        let allowed = codecs.serves().iter().map(|codec| codec.number()).collect();
        Err(match codec.and_then(|codec| codecs.left_out(codec)) {
            Some(why) => {
                let reason = why.chars().take(MOST_OF_REASON).collect();
                Refusal::CodecLeftOut { asked, allowed, reason }
            }
            None => Refusal::CodecNotAllowed { asked, allowed },
        })
    }

    /// Tells the contract of a service to a client that has another one.
    fn welcome(&self, service: u8, codec: Codec, known: Digest, client_id: u64) -> Welcome {
        // Traced when the server was started.
        let traced = contract::traced(self.services[usize::from(service)], codec);
        let contract = (traced.digest != known).then(|| traced.bytes.clone());
        Welcome { services: self.names(), service, contract, client_id }
    }
}

impl Registry for ServerAdmission {
    fn find(
        &self,
        service: &str,
        contract: Digest,
        cx: &CallContext,
    ) -> Result<Welcome, Vec<String>> {
        let codec = ClientSession::of(cx.peer.session()).codec;
        // A client whose own types the codec carries asks for the reason: `codec_refusal`.
        let index = self.find_service(service).ok();
        let index = index.filter(|index| self.codec_of(*index, codec.number()).is_ok());
        let index = index.ok_or_else(|| self.names())?;
        Ok(self.welcome(index, codec, contract, cx.client_id()))
    }

    fn lenience(&self, service: &str, cx: &CallContext) -> Option<Vec<u8>> {
        let service = self.services.iter().find(|served| served.name == service)?;
        let codec = ClientSession::of(cx.peer.session()).codec;
        Some(bytes(&*contract::lenience(service, codec)))
    }

    fn codec_refusal(&self, service: &str, cx: &CallContext) -> Option<Vec<u8>> {
        let codec = ClientSession::of(cx.peer.session()).codec;
        let index = self.find_service(service).ok()?;
        self.codec_of(index, codec.number()).err().map(|refusal| bytes(&refusal))
    }

    fn notes(&self, service: &str) -> Option<Vec<u8>> {
        let service = self.services.iter().find(|served| served.name == service)?;
        Some(ServiceNotes::of(service).to_bytes())
    }

    fn method_metrics(&self) -> Option<Vec<u8>> {
        ServerAdmission::method_metrics(self).map(|metrics| bytes(&metrics))
    }
}

/// Reads the version by itself first: what follows it may differ in another version.
fn read_hello(hello: &[u8]) -> Result<Hello, Refusal> {
    let unreadable = |error: postcard::Error| Refusal::BadHello(error.to_string());
    let (version, _) = postcard::take_from_bytes::<u32>(hello).map_err(unreadable)?;
    if !SPOKEN.speaks(version) {
        return Err(Refusal::VersionMismatch { theirs: SPOKEN.newest });
    }
    let (hello, rest) = postcard::take_from_bytes(hello).map_err(unreadable)?;
    if rest.is_empty() {
        Ok(hello)
    } else {
        Err(Refusal::BadHello(format!("{} bytes too many", rest.len())))
    }
}

impl Admission for ServerAdmission {
    fn admit(&self, hello: &[u8], client: &ClientInfo) -> Admitted {
        if client.clearance().is_none() && !self.guard.is_open() {
            return self.refuse(&Refusal::NotChecked);
        }
        // If the machine has refused a thread, it may have one now.
        self.farewell.serve();
        match self.read(hello, client.id) {
            Ok((welcome, codec)) => {
                self.farewell.joined(client);
                let session = client_parts::begin(codec, Arc::clone(&self.counter_registry));
                if !self.sessions.join(client, &session) {
                    self.farewell.say_left(client);
                    return self.refuse(&Refusal::ShuttingDown);
                }
                Admitted::Welcome { welcome: bytes(&welcome), session }
            }
            // A client that names no service only asks which there are.
            Err(refusal) if refusal.is_answer() => Admitted::Refusal(bytes(&refusal)),
            Err(refusal) => self.refuse(&refusal),
        }
    }

    fn report(&self) -> Vec<u8> {
        self.pool().map(|pool| Metrics::of(&pool, self).to_report()).unwrap_or_default()
    }

    fn left(&self, client: &ClientInfo, session: &Session) {
        // Otherwise the end of the server has taken it out, and does all that follows.
        if !self.sessions.leave(client.id) {
            return;
        }
        self.farewell.part(client, client_parts::leave(session));
        if let Some(pool) = self.pool() {
            pool.shares_grew();
        }
    }

    fn name_changed(&self, change: NameChange) {
        self.farewell.name_changed(change);
    }

    fn failed(&self) {
        self.close();
        self.failed.store(true, Ordering::Relaxed);
        self.end_if_failed();
    }
}

impl Clients for ServerAdmission {
    fn look_up(&self, served: &mut [Served]) -> u64 {
        self.sessions.look_up(served)
    }

    fn is_connected(&self, client: u64) -> bool {
        self.sessions.is_connected(client)
    }

    fn thread_ends(&self) {
        self.farewell.take_over();
    }
}

fn bytes(message: &impl Serialize) -> Vec<u8> {
    postcard::to_allocvec(message).expect("strings and numbers always encode")
}

#[cfg(test)]
mod tests {
    use crate::security::{Accepted, AccessToken, TokenSource};

    use super::*;

    static CALCULATOR: ServiceDescriptor =
        ServiceDescriptor { name: "Calculator", docs: "", methods: &[], events: &[] };

    fn answer_to(door: &ServerAdmission, hello: &[u8]) -> Result<(Welcome, Session), Refusal> {
        match door.admit(hello, &ClientInfo::new(2, 3)).into_result() {
            Ok((welcome, session)) => Ok((postcard::from_bytes(&welcome).unwrap(), session)),
            Err(refusal) => Err(postcard::from_bytes(&refusal).unwrap()),
        }
    }

    fn hello(version: u32, service: &str, codec: u8) -> Vec<u8> {
        let contract = contract::traced(&CALCULATOR, Codec::Postcard).digest;
        bytes(&Hello { version, service: service.to_owned(), codec, contract })
    }

    fn door() -> ServerAdmission {
        ServerAdmission::new(
            vec![&CALCULATOR],
            vec![ServiceCodecs::exactly([Codec::Postcard])],
            Arc::default(),
            None,
            Arc::default(),
            None,
        )
    }

    #[test]
    fn a_client_is_told_what_is_served() {
        let (welcome, session) =
            answer_to(&door(), &hello(SPOKEN.newest, "Calculator", 0)).unwrap();
        assert_eq!(welcome.service, 0);
        assert_eq!(welcome.services, ["Calculator"]);
        assert_eq!(welcome.contract, None, "the client has the same");
        assert_eq!(ClientSession::of(&session).codec, Codec::Postcard);
    }

    #[test]
    fn a_client_of_something_else_is_answered_with_what_there_is() {
        let unknown = answer_to(&door(), &hello(SPOKEN.newest, "Weather", 0)).unwrap_err();
        assert!(
            matches!(&unknown, Refusal::UnknownService { asked, serves }
                if asked == "Weather" && serves == &["Calculator"]),
            "{unknown:?}"
        );
        for codec in [1, 77] {
            let refusal =
                answer_to(&door(), &hello(SPOKEN.newest, "Calculator", codec)).unwrap_err();
            assert!(
                matches!(&refusal, Refusal::CodecNotAllowed { asked, allowed }
                    if *asked == codec && allowed == &[0]),
                "{refusal:?}"
            );
        }
    }

    #[test]
    fn another_version_is_told_ours_whatever_follows() {
        let mut strange = postcard::to_allocvec(&(SPOKEN.newest + 1)).unwrap();
        strange.extend([0xff; 40]);
        let refusal = answer_to(&door(), &strange).unwrap_err();
        assert!(
            matches!(refusal, Refusal::VersionMismatch { theirs } if theirs == SPOKEN.newest),
            "{refusal:?}"
        );
    }

    #[test]
    fn garbage_is_refused() {
        let whole = hello(SPOKEN.newest, "Calculator", 0);
        let mut longer = whole.clone();
        longer.push(0);
        for garbage in [&b""[..], &[0xff; 16], &whole[..5], &longer] {
            let refusal = answer_to(&door(), garbage).unwrap_err();
            assert!(matches!(refusal, Refusal::BadHello(_)), "{refusal:?}");
        }
    }

    #[test]
    fn a_client_that_the_guard_has_not_seen_is_turned_away() {
        let token = AccessToken::random();
        let guard = Arc::new(Guard::new(Accepted::Fixed(token.clone().into()), false));
        let services = vec![&CALCULATOR];
        let codecs = vec![ServiceCodecs::exactly([Codec::Postcard])];
        let door =
            ServerAdmission::new(services, codecs, Arc::clone(&guard), None, Arc::default(), None);
        let hello = hello(SPOKEN.newest, "Calculator", 0);
        let refusal = answer_to(&door, &hello).unwrap_err();
        assert!(matches!(refusal, Refusal::NotChecked), "{refusal:?}");
        let credentials = TokenSource::Fixed(token).credentials(false).unwrap();
        let client = ClientInfo::new(2, 3).cleared(guard.check(&credentials).unwrap());
        assert!(matches!(door.admit(&hello, &client), Admitted::Welcome { .. }));
    }

    #[test]
    fn a_closed_door_stays_closed() {
        let door = door();
        door.close();
        let refusal = answer_to(&door, &hello(SPOKEN.newest, "Calculator", 0)).unwrap_err();
        assert!(matches!(refusal, Refusal::ShuttingDown), "{refusal:?}");
    }
}
