::core::compile_error! {
    "calls run at the same time, so a method cannot have the service to itself; write `&self`, and keep what changes in a field such as `state: Mutex<State>` or `count: AtomicU64`"
}
::core::compile_error! {
    "an argument needs a name of its own, which clients and the contract show; write `name: Type` and take it apart in the method"
}
::core::compile_error! {
    "a result cannot borrow from the other process; return the owned type, such as `String` for `&str` or `Vec<T>` for `&[T]`"
}
trait Calculator {
    fn add(&self, a: i64, b: &i64) -> i64;
    fn half(
        &mut self,
        _: (i64, i64),
    ) -> impl ::core::future::Future<Output = &i64> + ::core::marker::Send;
}
/** Serves a [`Calculator`]: give one to the builder of a `WitServer`, which answers the calls of every client with it.

 Clones serve the same.*/
#[must_use = "a service answers no call until it is given to a `WitServer`"]
#[allow(
    dead_code,
    deprecated,
    non_camel_case_types,
    non_snake_case,
    non_upper_case_globals,
    clippy::all,
    clippy::pedantic,
    clippy::nursery,
    clippy::restriction
)]
#[derive(::core::clone::Clone)]
struct CalculatorServer {
    service: ::std::sync::Arc<dyn ::witrpc::__private::v1::Service>,
}
#[allow(dead_code)]
impl CalculatorServer {
    /// Serves `service`.
    fn new<S>(service: S) -> Self
    where
        S: ::core::marker::Sized + ::core::marker::Send + ::core::marker::Sync + 'static,
    {
        Self::from_arc(::std::sync::Arc::new(service))
    }
    /// Serves what others have a hold of too, or a trait object: an `Arc<dyn .. + Send + Sync>`.
    fn from_arc<S>(service: ::std::sync::Arc<S>) -> Self
    where
        S: ?::core::marker::Sized + ::core::marker::Send + ::core::marker::Sync
            + 'static,
    {
        let _ = service;
        ::core::unreachable!()
    }
}
impl ::witrpc::__private::v1::IntoService for CalculatorServer {
    fn into_service(self) -> ::std::sync::Arc<dyn ::witrpc::__private::v1::Service> {
        self.service
    }
}
/** Calls a [`Calculator`] in another process. Its methods block the calling thread; [`CalculatorAsyncClient`] is the other kind of client.

 Clones share one connection.*/
#[allow(
    dead_code,
    deprecated,
    non_camel_case_types,
    non_snake_case,
    non_upper_case_globals,
    clippy::all,
    clippy::pedantic,
    clippy::nursery,
    clippy::restriction
)]
#[derive(::core::clone::Clone, ::core::fmt::Debug)]
struct CalculatorClient {
    connection: ::witrpc::Connection,
}
#[allow(unused_variables, dead_code, deprecated)]
impl CalculatorClient {
    /// Connects to the server at an endpoint, usually its name, with the defaults of
    /// [`builder`](Self::builder).
    ///
    /// # Errors
    ///
    /// No server has the name, or the server refuses this client.
    fn connect(
        endpoint: impl ::core::convert::Into<::witrpc::Endpoint>,
    ) -> ::core::result::Result<Self, ::witrpc::ConnectError> {
        ::witrpc::__private::v1::connect_blocking::<
            Self,
        >(::core::convert::Into::into(endpoint))
    }
    /// Prepares a connection to the server at an endpoint: codec, timeouts, waiting.
    fn builder(
        endpoint: impl ::core::convert::Into<::witrpc::Endpoint>,
    ) -> ::witrpc::ClientBuilder<Self, ::witrpc::__private::v1::Blocking> {
        ::witrpc::ClientBuilder::new(::core::convert::Into::into(endpoint))
    }
    /// Serves `service` within this process, for tests: calls are encoded and dispatched as
    /// between two processes.
    fn in_process<S>(service: S) -> Self
    where
        S: ::core::marker::Sized + ::core::marker::Send + ::core::marker::Sync + 'static,
    {
        ::witrpc::__private::v1::in_process::<
            Self,
        >(CalculatorServer::from_arc(::std::sync::Arc::new(service)))
    }
    /// Starts a server within this process, for tests, and returns a client of it. `server` is given
    /// the service, events and hooks included; it needs no place to listen at.
    ///
    /// # Panics
    ///
    /// When the server does not start, or does not accept the client, as one that asks for a token.
    fn in_process_with(server: ::witrpc::WitServerBuilder) -> Self {
        ::witrpc::__private::v1::in_process_with::<Self>(server)
    }
    /// Returns this client with `options` for each of its calls: a deadline, a token that cancels
    /// them. It shares the connection.
    #[must_use]
    fn with(&self, options: ::witrpc::CallOptions) -> Self {
        Self {
            connection: self.connection.with(options),
        }
    }
    /// Returns the connection, which says how it stands and can be closed.
    fn connection(&self) -> &::witrpc::Connection {
        &self.connection
    }
    /// Calls [`Calculator::add`].
    fn add(&self, a: i64, b: &i64) -> ::core::result::Result<i64, ::witrpc::CallError> {
        ::core::unreachable!()
    }
    /// Calls [`Calculator::half`].
    fn half(
        &self,
        _: <[(); {
            ::core::compile_error! {
                "calls run at the same time, so a method cannot have the service to itself; write `&self`, and keep what changes in a field such as `state: Mutex<State>` or `count: AtomicU64`"
            }
        }] as ::core::iter::IntoIterator>::Item,
    ) -> <[(); {
        ::core::compile_error! {
            "calls run at the same time, so a method cannot have the service to itself; write `&self`, and keep what changes in a field such as `state: Mutex<State>` or `count: AtomicU64`"
        }
    }] as ::core::iter::IntoIterator>::Item {
        ::core::unreachable!()
    }
}
impl ::witrpc::__private::v1::Client for CalculatorClient {
    const DESCRIPTOR: &'static ::witrpc::__private::v1::ServiceDescriptor = &::witrpc::__private::v1::ServiceDescriptor {
        name: "",
        docs: "",
        methods: &[],
        events: &[],
    };
    fn from_connection(connection: ::witrpc::Connection) -> Self {
        Self { connection }
    }
}
/** Calls a [`Calculator`] in another process. Its methods are futures, for any executor; [`CalculatorClient`] is the other kind of client.

 Clones share one connection.*/
#[allow(
    dead_code,
    deprecated,
    non_camel_case_types,
    non_snake_case,
    non_upper_case_globals,
    clippy::all,
    clippy::pedantic,
    clippy::nursery,
    clippy::restriction
)]
#[derive(::core::clone::Clone, ::core::fmt::Debug)]
struct CalculatorAsyncClient {
    connection: ::witrpc::Connection,
}
#[allow(unused_variables, dead_code, deprecated)]
impl CalculatorAsyncClient {
    /// Connects to the server at an endpoint, usually its name, with the defaults of
    /// [`builder`](Self::builder).
    ///
    /// # Errors
    ///
    /// No server has the name, or the server refuses this client.
    fn connect(
        endpoint: impl ::core::convert::Into<::witrpc::Endpoint>,
    ) -> impl ::core::future::Future<
        Output = ::core::result::Result<Self, ::witrpc::ConnectError>,
    > + ::core::marker::Send {
        ::witrpc::__private::v1::connect_async::<
            Self,
        >(::core::convert::Into::into(endpoint))
    }
    /// Prepares a connection to the server at an endpoint: codec, timeouts, waiting.
    fn builder(
        endpoint: impl ::core::convert::Into<::witrpc::Endpoint>,
    ) -> ::witrpc::ClientBuilder<Self, ::witrpc::__private::v1::Async> {
        ::witrpc::ClientBuilder::new(::core::convert::Into::into(endpoint))
    }
    /// Serves `service` within this process, for tests: calls are encoded and dispatched as
    /// between two processes.
    fn in_process<S>(service: S) -> Self
    where
        S: ::core::marker::Sized + ::core::marker::Send + ::core::marker::Sync + 'static,
    {
        ::witrpc::__private::v1::in_process::<
            Self,
        >(CalculatorServer::from_arc(::std::sync::Arc::new(service)))
    }
    /// Starts a server within this process, for tests, and returns a client of it. `server` is given
    /// the service, events and hooks included; it needs no place to listen at.
    ///
    /// # Panics
    ///
    /// When the server does not start, or does not accept the client, as one that asks for a token.
    fn in_process_with(server: ::witrpc::WitServerBuilder) -> Self {
        ::witrpc::__private::v1::in_process_with::<Self>(server)
    }
    /// Returns this client with `options` for each of its calls: a deadline, a token that cancels
    /// them. It shares the connection.
    #[must_use]
    fn with(&self, options: ::witrpc::CallOptions) -> Self {
        Self {
            connection: self.connection.with(options),
        }
    }
    /// Returns the connection, which says how it stands and can be closed.
    fn connection(&self) -> &::witrpc::Connection {
        &self.connection
    }
    /// Calls [`Calculator::add`].
    fn add<'call>(
        &'call self,
        a: i64,
        b: &'call i64,
    ) -> impl ::core::future::Future<
        Output = ::core::result::Result<i64, ::witrpc::CallError>,
    > + ::core::marker::Send + 'call {
        async move { ::core::unreachable!() }
    }
    /// Calls [`Calculator::half`].
    fn half(
        &self,
        _: <[(); {
            ::core::compile_error! {
                "calls run at the same time, so a method cannot have the service to itself; write `&self`, and keep what changes in a field such as `state: Mutex<State>` or `count: AtomicU64`"
            }
        }] as ::core::iter::IntoIterator>::Item,
    ) -> <[(); {
        ::core::compile_error! {
            "calls run at the same time, so a method cannot have the service to itself; write `&self`, and keep what changes in a field such as `state: Mutex<State>` or `count: AtomicU64`"
        }
    }] as ::core::iter::IntoIterator>::Item {
        ::core::unreachable!()
    }
}
impl ::witrpc::__private::v1::Client for CalculatorAsyncClient {
    const DESCRIPTOR: &'static ::witrpc::__private::v1::ServiceDescriptor = &::witrpc::__private::v1::ServiceDescriptor {
        name: "",
        docs: "",
        methods: &[],
        events: &[],
    };
    fn from_connection(connection: ::witrpc::Connection) -> Self {
        Self { connection }
    }
}
