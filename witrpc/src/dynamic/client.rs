//! The client of any service of one server.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use serde_json::Value;
use witrpc_rt::lock;
use witrpc_transport::WaitPolicy;

use crate::call::client::answer::Answered;
use crate::call::client::call::ClientCall;
use crate::codec::Codec;
use crate::connection::connect::ConnectPlan;
use crate::contract::{Digest, Signature};
use crate::error::{CallError, ConnectError};
use crate::observe::method_meter::MethodMetrics;
#[cfg(feature = "security")]
use crate::security::{AccessToken, TokenSource};
use crate::transport::Endpoint;

use super::description::ServiceDescription;
use super::error::DynamicError;
use super::events::DynamicEvents;
use super::message;
use super::message::Fitted;
use super::service;
use super::service::DynamicService;
use super::stream;
use super::stream::DynamicStream;
use super::upload;

/// A client of all services of a server, without their traits. Values are JSON, by the contract that the
/// server sends.
///
/// Each service that is used has a connection of its own, made at its first use, over the codec that suits
/// JSON best: JSON itself, MessagePack, then postcard, as far as the server allows. All calls block the
/// thread. Clones share the connections.
#[derive(Clone)]
pub struct DynamicClient(Arc<ClientState>);

struct ClientState {
    plan: ConnectPlan,
    serves: Vec<String>,
    services: Mutex<BTreeMap<String, Arc<DynamicService>>>,
}

/// The options by which a [`DynamicClient`] connects. [`DynamicClient::builder`] returns one.
#[must_use = "a builder does nothing until connect"]
#[derive(Debug)]
pub struct DynamicClientBuilder {
    plan: ConnectPlan,
}

impl DynamicClient {
    /// Connects to the server at an endpoint, usually its name, with the defaults of
    /// [`builder`](Self::builder).
    ///
    /// # Errors
    ///
    /// No server has the name, or the server refuses this client.
    pub fn connect(endpoint: impl Into<Endpoint>) -> Result<Self, ConnectError> {
        Self::builder(endpoint).connect()
    }

    /// Prepares a connection to the server at an endpoint.
    pub fn builder(endpoint: impl Into<Endpoint>) -> DynamicClientBuilder {
        DynamicClientBuilder { plan: ConnectPlan::new(endpoint.into()) }
    }

    /// Returns the names of the services that the server serves.
    #[must_use]
    pub fn services(&self) -> &[String] {
        &self.0.serves
    }

    /// Returns the methods and events of a service, with their docs.
    ///
    /// # Errors
    ///
    /// The server does not serve it, or cannot be reached any more.
    pub fn describe(&self, service: &str) -> Result<ServiceDescription, DynamicError> {
        let service = self.service(service)?;
        Ok(ServiceDescription::of(&service))
    }

    /// Calls a method. `arguments` is an object with the name of each argument, or an array in order.
    ///
    /// # Errors
    ///
    /// [`DynamicError::Call`] with [`CallError::App`] is the service's own error. A value that does not fit
    /// the contract is a [`DynamicError::Misfit`], and is not sent.
    pub fn call(
        &self,
        service: &str,
        method: &str,
        arguments: &Value,
    ) -> Result<Value, DynamicError> {
        let service = self.service(service)?;
        let (number, signature) = service.method(method)?;
        check(signature, false, false)?;
        let arguments = service.fit_arguments(number, arguments)?;
        let mut call = ClientCall::new(&service.connection, number);
        put(&arguments, &mut call);
        outcome(call.block(), signature)
    }

    /// Calls a method that returns a stream. An item that is a `Result` is `{"Ok": …}` or `{"Err": …}`.
    ///
    /// # Errors
    ///
    /// As [`call`](Self::call).
    pub fn open(
        &self,
        service: &str,
        method: &str,
        arguments: &Value,
    ) -> Result<DynamicStream, DynamicError> {
        let service = self.service(service)?;
        let (number, signature) = service.method(method)?;
        check(signature, true, false)?;
        let arguments = service.fit_arguments(number, arguments)?;
        stream::open(&service, number, &arguments)
    }

    /// Calls a method that takes a stream, and uploads these items to it.
    ///
    /// # Errors
    ///
    /// As [`call`](Self::call). An item that does not fit its shape, or is an error, ends the call:
    /// [`DynamicError::Upload`].
    pub fn upload(
        &self,
        service: &str,
        method: &str,
        arguments: &Value,
        items: impl Iterator<Item = Result<Value, String>>,
    ) -> Result<Value, DynamicError> {
        let service = self.service(service)?;
        let (number, signature) = service.method(method)?;
        check(signature, false, true)?;
        let arguments = service.fit_arguments(number, arguments)?;
        upload::upload(&service, (number, signature), &arguments, items)
    }

    /// Subscribes to an event. Each item is an object with the event's arguments.
    ///
    /// # Errors
    ///
    /// The server cannot be reached any more, or its connections have too few lanes.
    pub fn subscribe(&self, service: &str, event: &str) -> Result<DynamicEvents, DynamicError> {
        let service = self.service(service)?;
        let (number, _) = service.event(event)?;
        DynamicEvents::begin(&service, number)
    }

    /// Returns what the server has counted of each of its methods; `None` if it does not count by method. See
    /// [`WitServerBuilder::method_metrics`](crate::WitServerBuilder::method_metrics).
    ///
    /// # Errors
    ///
    /// The server cannot be reached any more, or its answer is malformed.
    pub fn method_metrics(&self) -> Result<Option<Vec<MethodMetrics>>, DynamicError> {
        let told = self.any_service()?.registry().method_metrics().map_err(CallError::of_app)?;
        let metrics = told.as_deref().map(postcard::from_bytes).transpose();
        metrics.map_err(|error| {
            let message = format!("its metrics by method cannot be decoded: {error}");
            CallError::Protocol { message }.into()
        })
    }

    /// Makes a call that runs no method of the user's, and returns how long it took. The first one connects.
    ///
    /// # Errors
    ///
    /// The server cannot be reached any more.
    pub fn ping(&self) -> Result<Duration, DynamicError> {
        let registry = self.any_service()?.registry();
        let began = Instant::now();
        match registry.find("", Digest::default()) {
            // No service has that name, as every server knows.
            Ok(_) | Err(CallError::App(_)) => Ok(began.elapsed()),
            Err(error) => Err(error.without_app().of_app().into()),
        }
    }

    fn any_service(&self) -> Result<Arc<DynamicService>, DynamicError> {
        let connected = lock(&self.0.services).values().next().cloned();
        match (connected.filter(|it| it.connection.is_connected()), self.0.serves.first()) {
            (Some(service), _) => Ok(service),
            (None, Some(name)) => self.service(name),
            (None, None) => {
                let problem = "the server serves nothing".to_owned();
                Err(DynamicError::Connect { problem })
            }
        }
    }

    fn service(&self, name: &str) -> Result<Arc<DynamicService>, DynamicError> {
        if !self.0.serves.iter().any(|served| served == name) {
            let (asked, serves) = (name.to_owned(), self.0.serves.clone());
            return Err(DynamicError::UnknownService { asked, serves });
        }
        let mut services = lock(&self.0.services);
        if let Some(known) = services.get(name).filter(|known| known.connection.is_connected()) {
            return Ok(Arc::clone(known));
        }
        let connected = Arc::new(DynamicService::connect(&self.0.plan, name)?);
        services.insert(name.to_owned(), Arc::clone(&connected));
        Ok(connected)
    }
}

impl fmt::Debug for DynamicClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DynamicClient").field("serves", &self.0.serves).finish_non_exhaustive()
    }
}

impl DynamicClientBuilder {
    /// Sets how values become bytes. By default, the first that the server allows of JSON, MessagePack and
    /// postcard.
    pub fn codec(mut self, codec: Codec) -> Self {
        self.plan.codec = Some(codec);
        self
    }

    /// Sets how long a call may take. The default is 30 s; `None` waits as long as the server lives.
    pub fn call_timeout(mut self, timeout: impl Into<Option<Duration>>) -> Self {
        self.plan.call_timeout = timeout.into();
        self
    }

    /// Sets how long connecting may take as a whole.
    pub fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.plan.connect_timeout = Some(timeout);
        self
    }

    /// Sets how long to wait for a server that does not serve yet; by default not at all.
    pub fn wait_for_server(mut self, time: Duration) -> Self {
        self.plan.wait_for_server = time;
        self
    }

    /// Sets how callers wait for answers.
    pub fn wait(mut self, policy: WaitPolicy) -> Self {
        self.plan.wait = policy;
        self
    }

    /// Sets the token that the client proves to the server.
    #[cfg(feature = "security")]
    pub fn access_token(mut self, token: AccessToken) -> Self {
        self.plan.token = TokenSource::Fixed(token);
        self
    }

    /// Sets whether to encrypt everything that crosses. The server must ask for it too.
    #[cfg(feature = "security")]
    pub fn encryption(mut self, encryption: bool) -> Self {
        self.plan.encryption = encryption;
        self
    }

    /// Connects, and blocks the thread meanwhile.
    ///
    /// # Errors
    ///
    /// No server has the name, or the server refuses this client.
    pub fn connect(self) -> Result<DynamicClient, ConnectError> {
        let (plan, services) = (self.plan, Mutex::default());
        let serves = service::services(&plan)?;
        Ok(DynamicClient(Arc::new(ClientState { plan, serves, services })))
    }
}

/// Adds arguments to a call.
pub fn put<'a>(arguments: &'a [Fitted], call: &mut ClientCall<'a>) {
    call.note(|to| arguments.iter().try_for_each(|argument| argument.put(to)));
}

/// Reads the outcome of a call.
pub fn outcome(answered: Answered<'_>, signature: &Signature) -> Result<Value, DynamicError> {
    let answer = answered.0.map_err(CallError::of_app)?;
    if !answer.is_error() {
        return Ok(message::read_only(&signature.result, answer.decoder(), "result")?);
    }
    match &signature.error {
        Some(shape) => {
            let error = message::read_only(shape, answer.decoder(), "error")?;
            Err(CallError::App(error).into())
        }
        None => Err(no_error_of_its_own()),
    }
}

#[cold]
pub fn no_error_of_its_own() -> DynamicError {
    let message = "it answered with an error where the method has none".to_owned();
    CallError::Protocol { message }.into()
}

/// Checks that a method streams as it is called.
fn check(signature: &Signature, returns: bool, takes: bool) -> Result<(), DynamicError> {
    let uploads = signature.arguments.iter().any(|argument| argument.streams);
    let (takes_words, instead) = match (signature.streams, uploads) {
        (streams, uploads) if (streams, uploads) == (returns, takes) => return Ok(()),
        (true, _) => ("returns a stream", "open"),
        (false, true) => ("takes a stream", "upload"),
        (false, false) => ("has no stream", "call"),
    };
    let method = signature.name.to_string();
    Err(DynamicError::Streams { method, takes: takes_words, instead })
}
