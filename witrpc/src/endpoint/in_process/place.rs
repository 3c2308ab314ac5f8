//! The place where a server and its clients meet.

use std::collections::HashMap;
use std::sync::{Arc, Condvar, LazyLock, Mutex, Weak};
use std::task::{Context, Wake, Waker};
use std::time::{Duration, Instant};

use witrpc_rt::{lock, wait};
use witrpc_transport::{ClientInfo, MAX_HELLO_LEN};

use crate::error::{BindError, ConnectError};
use crate::queue::client::ClientQueue;
use crate::queue::limits::Limits;
use crate::queue::outlet::MeetingPoint;
use crate::queue::server::ServerQueue;
use crate::queue::transferred_lease::TransferredLease;
use crate::rt::cancel_token::{CancelToken, TokenWatch};
use crate::transport::{BindConfig, ConnectConfig};

use super::joined::Joined;

/// The places that have names. A place is removed with its last reference.
static NAMED: LazyLock<Mutex<HashMap<String, Weak<InProcessPlace>>>> =
    LazyLock::new(Mutex::default);

/// A meeting place of at most one server at a time, and its clients.
pub struct InProcessPlace {
    name: Option<String>,
    server: Mutex<Weak<ServerQueue>>,
    /// Notified when a server has bound.
    bound: Condvar,
}

impl InProcessPlace {
    pub fn anonymous() -> Arc<Self> {
        Arc::new(Self::with_name(None))
    }

    pub fn named(name: String) -> Arc<Self> {
        let mut places = lock(&NAMED);
        if let Some(place) = places.get(&name).and_then(Weak::upgrade) {
            return place;
        }
        let place = Arc::new(Self::with_name(Some(name.clone())));
        places.insert(name, Arc::downgrade(&place));
        place
    }

    fn with_name(name: Option<String>) -> Self {
        Self { name, server: Mutex::default(), bound: Condvar::new() }
    }

    pub fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    /// Returns the name for an error message.
    fn label(&self) -> String {
        self.name.clone().unwrap_or_else(|| "(in-process)".to_owned())
    }

    pub fn bind(
        self: &Arc<Self>,
        config: BindConfig,
        limits: Limits,
    ) -> Result<Arc<ServerQueue>, BindError> {
        // Made before the lock is taken. If the name is in use, it is dropped after the lock, together with
        // what the user gave it.
        let new = ServerQueue::new(Arc::clone(self) as _, config, limits)?;
        let mut server = lock(&self.server);
        if server.upgrade().is_some_and(|server| server.is_serving()) {
            return Err(BindError::NameInUse { name: self.label(), path: None });
        }
        *server = Arc::downgrade(&new);
        drop(server);
        self.bound.notify_all();
        Ok(new)
    }

    pub fn connect(
        self: &Arc<Self>,
        config: &ConnectConfig,
    ) -> Result<Arc<ClientQueue>, ConnectError> {
        let ConnectConfig { hello, wait_for_server, until, cancel, credentials, .. } = config;
        if hello.len() > MAX_HELLO_LEN {
            let problem =
                format!("this client's hello has {} bytes, over {MAX_HELLO_LEN}", hello.len());
            return Err(ConnectError::Protocol { problem });
        }
        let left = until.map(|until| until.saturating_duration_since(Instant::now()));
        let time = left.map_or(*wait_for_server, |left| left.min(*wait_for_server));
        let mut given_up = cancel.as_ref().map(CancelToken::watch);
        if let Some(watch) = &mut given_up {
            let waker = Waker::from(Arc::new(LookAgain(Arc::clone(self))));
            // A later cancel finds the waker, and an earlier one is seen below.
            let _ = watch.poll(&Context::from_waker(&waker));
        }
        let Some(server) = self.wait_for(time, given_up.as_ref()) else {
            return Err(self.no_server(time));
        };
        let clearance = server.guard().check(credentials)?;
        let uid = witrpc_rt::user_id();
        let client = ClientInfo::new(std::process::id(), uid).cleared(clearance);
        let (welcome, joined) = server.admit(hello, client, |client, session| {
            Joined::new(client, session, server.limits(), &server)
        })?;
        let in_flight = Arc::clone(&joined.in_flight);
        Ok(Arc::new(ClientQueue::over(welcome, in_flight, Some(&TransferredLease))))
    }

    /// Returns the metrics of the server.
    pub fn report(&self) -> Result<Vec<u8>, ConnectError> {
        match self.wait_for(Duration::ZERO, None) {
            Some(server) => Ok(server.report()),
            None => Err(self.no_server(Duration::ZERO)),
        }
    }

    fn no_server(&self, waited: Duration) -> ConnectError {
        ConnectError::NobodyServes { name: self.label(), waited, places: Vec::new() }
    }

    /// Returns the server, now or once it has bound.
    fn wait_for(&self, time: Duration, given_up: Option<&TokenWatch>) -> Option<Arc<ServerQueue>> {
        let serving =
            |server: &Weak<ServerQueue>| server.upgrade().filter(|port| port.is_serving());
        let mut server = lock(&self.server);
        // A time too long for the clock has no end.
        let end = Instant::now().checked_add(time);
        loop {
            if let Some(port) = serving(&server) {
                return Some(port);
            }
            if given_up.is_some_and(TokenWatch::is_over) {
                return None;
            }
            let left = end.map(|end| end.saturating_duration_since(Instant::now()));
            if left == Some(Duration::ZERO) {
                return None;
            }
            server = wait(&self.bound, server, left);
        }
    }
}

/// Returns the names in this process that are served, sorted.
pub fn served_names() -> Vec<String> {
    let places: Vec<_> = lock(&NAMED).values().filter_map(Weak::upgrade).collect();
    let is_served = |place: &Arc<InProcessPlace>| place.wait_for(Duration::ZERO, None).is_some();
    let mut names: Vec<_> = places
        .iter()
        .filter(|place| is_served(place))
        .filter_map(|place| place.name.clone())
        .collect();
    names.sort();
    names
}

/// The waker that makes waiting clients check again whether to wait.
struct LookAgain(Arc<InProcessPlace>);

impl Wake for LookAgain {
    fn wake(self: Arc<Self>) {
        // The lock excludes the moment between a check and the sleep after it.
        drop(lock(&self.0.server));
        self.0.bound.notify_all();
    }
}

impl MeetingPoint for InProcessPlace {
    fn name(&self) -> &str {
        self.name.as_deref().unwrap_or_default()
    }
}

impl Drop for InProcessPlace {
    fn drop(&mut self) {
        let Some(name) = &self.name else { return };
        let mut places = lock(&NAMED);
        // A new place of the name may have been made between the end of this one and the lock.
        if places.get(name).is_some_and(|place| place.strong_count() == 0) {
            places.remove(name);
        }
    }
}
