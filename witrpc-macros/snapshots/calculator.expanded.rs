/// Calculates.
pub trait Calculator {
    /// Adds.
    fn add(&self, a: i64, b: i64) -> i64;
    fn divide(&self, a: i64, b: i64) -> Result<i64, DivideError>;
    fn lookup(
        &self,
        key: &str,
    ) -> impl ::core::future::Future<Output = Option<String>> + ::core::marker::Send;
    fn mean(&self, samples: &[f64]) -> f64;
    fn store(
        &self,
        path: &Path,
        table: &Table,
        cx: &CallContext,
    ) -> impl ::core::future::Future<Output = io::Result<u64>> + ::core::marker::Send;
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
pub struct CalculatorServer {
    service: ::std::sync::Arc<dyn ::witrpc::__private::v1::Service>,
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
pub struct CalculatorClient {
    connection: ::witrpc::Connection,
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
pub struct CalculatorAsyncClient {
    connection: ::witrpc::Connection,
}
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
const _: () = {
    use ::witrpc::__private::v1 as __wit;
    #[allow(unused_imports)]
    use __wit::NotResult as _;
    enum __wit_Methods {
        add,
        divide,
        lookup,
        mean,
        store,
    }
    struct __fn_add;
    impl __wit::Message for __fn_add {
        type Args = (__wit::Value<i64>, __wit::Value<i64>);
        const NUMBER: ::core::primitive::u16 = __wit_Methods::add as _;
        const ARGS: Self::Args = (__wit::value::<i64>("a"), __wit::value::<i64>("b"));
    }
    impl __wit::Method for __fn_add {
        type Ok = i64;
        type Err = __wit::NoAppError;
        const ANSWER: __wit::AnswerOf<Self> = __wit::answer::<i64>();
    }
    struct __fn_divide;
    impl __wit::Message for __fn_divide {
        type Args = (__wit::Value<i64>, __wit::Value<i64>);
        const NUMBER: ::core::primitive::u16 = __wit_Methods::divide as _;
        const ARGS: Self::Args = (__wit::value::<i64>("a"), __wit::value::<i64>("b"));
    }
    impl __wit::Method for __fn_divide {
        type Ok = i64;
        type Err = DivideError;
        const ANSWER: __wit::AnswerOf<Self> = __wit::answer_or_error::<
            i64,
            DivideError,
        >();
    }
    struct __fn_lookup;
    impl __wit::Message for __fn_lookup {
        type Args = (__wit::Str,);
        const NUMBER: ::core::primitive::u16 = __wit_Methods::lookup as _;
        const ARGS: Self::Args = (__wit::str("key"),);
    }
    impl __wit::Method for __fn_lookup {
        type Ok = Option<String>;
        type Err = __wit::NoAppError;
        const ANSWER: __wit::AnswerOf<Self> = __wit::answer::<Option<String>>();
    }
    struct __fn_mean;
    impl __wit::Message for __fn_mean {
        type Args = (__wit::Raw<f64>,);
        const NUMBER: ::core::primitive::u16 = __wit_Methods::mean as _;
        const ARGS: Self::Args = (__wit::raw::<f64>("samples"),);
    }
    impl __wit::Method for __fn_mean {
        type Ok = f64;
        type Err = __wit::NoAppError;
        const ANSWER: __wit::AnswerOf<Self> = __wit::answer::<f64>();
    }
    const __is_res_store: __wit::u8 = __wit::result_kind!(io::Result < u64 >);
    struct __fn_store;
    impl __wit::Message for __fn_store {
        type Args = (__wit::Borrowed<Path>, __wit::Borrowed<Table>);
        const NUMBER: ::core::primitive::u16 = __wit_Methods::store as _;
        const ARGS: Self::Args = (
            __wit::lent::<Path>("path"),
            __wit::lent::<Table>("table"),
        );
    }
    impl __wit::Method for __fn_store {
        type Ok = <io::Result<u64> as __wit::ResultType<__is_res_store>>::Ok;
        type Err = <io::Result<u64> as __wit::ResultType<__is_res_store>>::Err;
        const ANSWER: __wit::AnswerOf<Self> = __wit::alias::<
            io::Result<u64>,
            __is_res_store,
        >();
    }
    impl CalculatorClient {
        /// Connects to the server at an endpoint, usually its name, with the defaults of
        /// [`builder`](Self::builder).
        ///
        /// # Errors
        ///
        /// No server has the name, or the server refuses this client.
        pub fn connect(
            endpoint: impl ::core::convert::Into<::witrpc::Endpoint>,
        ) -> ::core::result::Result<Self, ::witrpc::ConnectError> {
            __wit::connect_blocking::<Self>(::core::convert::Into::into(endpoint))
        }
        /// Prepares a connection to the server at an endpoint: codec, timeouts, waiting.
        pub fn builder(
            endpoint: impl ::core::convert::Into<::witrpc::Endpoint>,
        ) -> ::witrpc::ClientBuilder<Self, __wit::Blocking> {
            ::witrpc::ClientBuilder::new(::core::convert::Into::into(endpoint))
        }
        /// Serves `service` within this process, for tests: calls are encoded and dispatched as
        /// between two processes.
        pub fn in_process<S>(service: S) -> Self
        where
            S: ::core::marker::Sized + Calculator + ::core::marker::Send
                + ::core::marker::Sync + 'static,
        {
            __wit::in_process::<
                Self,
            >(CalculatorServer::from_arc(::std::sync::Arc::new(service)))
        }
        /// Starts a server within this process, for tests, and returns a client of it. `server` is given
        /// the service, events and hooks included; it needs no place to listen at.
        ///
        /// # Panics
        ///
        /// When the server does not start, or does not accept the client, as one that asks for a token.
        pub fn in_process_with(server: ::witrpc::WitServerBuilder) -> Self {
            __wit::in_process_with::<Self>(server)
        }
        /// Returns this client with `options` for each of its calls: a deadline, a token that cancels
        /// them. It shares the connection.
        #[must_use]
        pub fn with(&self, options: ::witrpc::CallOptions) -> Self {
            Self {
                connection: self.connection.with(options),
            }
        }
        /// Returns the connection, which says how it stands and can be closed.
        pub fn connection(&self) -> &::witrpc::Connection {
            &self.connection
        }
        /// Adds.
        pub fn add(
            &self,
            a: i64,
            b: i64,
        ) -> ::core::result::Result<i64, ::witrpc::CallError> {
            __wit::call_blocking::<__fn_add>(&self.connection, (&a, &b))
        }
        /// Calls [`Calculator::divide`].
        pub fn divide(
            &self,
            a: i64,
            b: i64,
        ) -> ::core::result::Result<i64, ::witrpc::CallError<DivideError>> {
            __wit::call_blocking::<__fn_divide>(&self.connection, (&a, &b))
        }
        /// Calls [`Calculator::lookup`].
        pub fn lookup(
            &self,
            key: &str,
        ) -> ::core::result::Result<Option<String>, ::witrpc::CallError> {
            __wit::call_blocking::<__fn_lookup>(&self.connection, (key,))
        }
        /// Calls [`Calculator::mean`].
        pub fn mean(
            &self,
            samples: &[f64],
        ) -> ::core::result::Result<f64, ::witrpc::CallError> {
            __wit::call_blocking::<__fn_mean>(&self.connection, (samples,))
        }
        /// Calls [`Calculator::store`].
        pub fn store(
            &self,
            path: &Path,
            table: &Table,
        ) -> __wit::AliasOutcome<io::Result<u64>, __is_res_store> {
            __wit::call_blocking::<__fn_store>(&self.connection, (path, table))
        }
    }
    impl __wit::Client for CalculatorClient {
        const DESCRIPTOR: &'static __wit::ServiceDescriptor = &__wit_descriptor;
        fn from_connection(connection: ::witrpc::Connection) -> Self {
            Self { connection }
        }
    }
    impl CalculatorAsyncClient {
        /// Connects to the server at an endpoint, usually its name, with the defaults of
        /// [`builder`](Self::builder).
        ///
        /// # Errors
        ///
        /// No server has the name, or the server refuses this client.
        pub fn connect(
            endpoint: impl ::core::convert::Into<::witrpc::Endpoint>,
        ) -> impl ::core::future::Future<
            Output = ::core::result::Result<Self, ::witrpc::ConnectError>,
        > + ::core::marker::Send {
            __wit::connect_async::<Self>(::core::convert::Into::into(endpoint))
        }
        /// Prepares a connection to the server at an endpoint: codec, timeouts, waiting.
        pub fn builder(
            endpoint: impl ::core::convert::Into<::witrpc::Endpoint>,
        ) -> ::witrpc::ClientBuilder<Self, __wit::Async> {
            ::witrpc::ClientBuilder::new(::core::convert::Into::into(endpoint))
        }
        /// Serves `service` within this process, for tests: calls are encoded and dispatched as
        /// between two processes.
        pub fn in_process<S>(service: S) -> Self
        where
            S: ::core::marker::Sized + Calculator + ::core::marker::Send
                + ::core::marker::Sync + 'static,
        {
            __wit::in_process::<
                Self,
            >(CalculatorServer::from_arc(::std::sync::Arc::new(service)))
        }
        /// Starts a server within this process, for tests, and returns a client of it. `server` is given
        /// the service, events and hooks included; it needs no place to listen at.
        ///
        /// # Panics
        ///
        /// When the server does not start, or does not accept the client, as one that asks for a token.
        pub fn in_process_with(server: ::witrpc::WitServerBuilder) -> Self {
            __wit::in_process_with::<Self>(server)
        }
        /// Returns this client with `options` for each of its calls: a deadline, a token that cancels
        /// them. It shares the connection.
        #[must_use]
        pub fn with(&self, options: ::witrpc::CallOptions) -> Self {
            Self {
                connection: self.connection.with(options),
            }
        }
        /// Returns the connection, which says how it stands and can be closed.
        pub fn connection(&self) -> &::witrpc::Connection {
            &self.connection
        }
        /// Adds.
        pub fn add<'call>(
            &'call self,
            a: i64,
            b: i64,
        ) -> impl ::core::future::Future<
            Output = ::core::result::Result<i64, ::witrpc::CallError>,
        > + ::core::marker::Send + 'call {
            async move { __wit::call_async!(__fn_add, & self.connection, (& a, & b,)) }
        }
        /// Calls [`Calculator::divide`].
        pub fn divide<'call>(
            &'call self,
            a: i64,
            b: i64,
        ) -> impl ::core::future::Future<
            Output = ::core::result::Result<i64, ::witrpc::CallError<DivideError>>,
        > + ::core::marker::Send + 'call {
            async move {
                __wit::call_async!(__fn_divide, & self.connection, (& a, & b,))
            }
        }
        /// Calls [`Calculator::lookup`].
        pub fn lookup<'call>(
            &'call self,
            key: &'call str,
        ) -> impl ::core::future::Future<
            Output = ::core::result::Result<Option<String>, ::witrpc::CallError>,
        > + ::core::marker::Send + 'call {
            async move { __wit::call_async!(__fn_lookup, & self.connection, (key,)) }
        }
        /// Calls [`Calculator::mean`].
        pub fn mean<'call>(
            &'call self,
            samples: &'call [f64],
        ) -> impl ::core::future::Future<
            Output = ::core::result::Result<f64, ::witrpc::CallError>,
        > + ::core::marker::Send + 'call {
            async move { __wit::call_async!(__fn_mean, & self.connection, (samples,)) }
        }
        /// Calls [`Calculator::store`].
        pub fn store<'call>(
            &'call self,
            path: &'call Path,
            table: &'call Table,
        ) -> impl ::core::future::Future<
            Output = __wit::AliasOutcome<io::Result<u64>, __is_res_store>,
        > + ::core::marker::Send + 'call {
            async move {
                let _ = __wit::lent::<Table>;
                __wit::call_async!(__fn_store, & self.connection, (path, table,))
            }
        }
    }
    impl __wit::Client for CalculatorAsyncClient {
        const DESCRIPTOR: &'static __wit::ServiceDescriptor = &__wit_descriptor;
        fn from_connection(connection: ::witrpc::Connection) -> Self {
            Self { connection }
        }
    }
    impl CalculatorServer {
        /// Serves `service`.
        pub fn new<S>(service: S) -> Self
        where
            S: ::core::marker::Sized + Calculator + ::core::marker::Send
                + ::core::marker::Sync + 'static,
        {
            Self::from_arc(::std::sync::Arc::new(service))
        }
        /// Serves what others have a hold of too, or a trait object: an `Arc<dyn .. + Send + Sync>`.
        pub fn from_arc<S>(service: ::std::sync::Arc<S>) -> Self
        where
            S: ?::core::marker::Sized + Calculator + ::core::marker::Send
                + ::core::marker::Sync + 'static,
        {
            Self {
                service: ::std::sync::Arc::new(__wit_Dispatch(service)),
            }
        }
    }
    impl __wit::IntoService for CalculatorServer {
        fn into_service(self) -> ::std::sync::Arc<dyn __wit::Service> {
            self.service
        }
    }
    struct __wit_Dispatch<__wit_S: ?::core::marker::Sized>(::std::sync::Arc<__wit_S>);
    impl<
        __wit_S: ?::core::marker::Sized + Calculator + ::core::marker::Send
            + ::core::marker::Sync + 'static,
    > __wit::Service for __wit_Dispatch<__wit_S> {
        fn descriptor(&self) -> &'static __wit::ServiceDescriptor {
            &__wit_descriptor
        }
        fn dispatch(&self, call: __wit::ServerCall<'_>) {
            match call.method() {
                <__fn_add as __wit::Message>::NUMBER => {
                    call.reply::<__fn_add>(|(a, b), _| Calculator::add(&*self.0, a, b))
                }
                <__fn_divide as __wit::Message>::NUMBER => {
                    call.reply_result::<
                            __fn_divide,
                        >(|(a, b), _| Calculator::divide(&*self.0, a, b))
                }
                <__fn_lookup as __wit::Message>::NUMBER => {
                    let (call, service) = call.of::<__fn_lookup, _>(&self.0);
                    call.reply_async(move |arguments, _| async move {
                        let (key,) = arguments.read::<__fn_lookup>()?;
                        __wit::Ok(Calculator::lookup(&*service, &key).await)
                    })
                }
                <__fn_mean as __wit::Message>::NUMBER => {
                    call.reply::<
                            __fn_mean,
                        >(|(samples,), _| Calculator::mean(&*self.0, &samples))
                }
                <__fn_store as __wit::Message>::NUMBER => {
                    let _ = __wit::lent::<Table>;
                    let (call, service) = call.of::<__fn_store, _>(&self.0);
                    call.reply_async_result(move |arguments, cx| async move {
                        let (path, table) = arguments.read::<__fn_store>()?;
                        let returned = Calculator::store(&*service, &path, &table, &cx);
                        __wit::Ok(__wit::result::<__is_res_store, _>(returned.await))
                    })
                }
                _ => call.unknown_method(),
            }
        }
    }
    static __wit_descriptor: __wit::ServiceDescriptor = __wit::ServiceDescriptor {
        name: "Calculator",
        docs: "Calculates.",
        methods: &[
            __wit::MethodDescriptor::of::<__fn_add>("add", "Adds."),
            __wit::MethodDescriptor::of::<__fn_divide>("divide", ""),
            __wit::MethodDescriptor::of::<__fn_lookup>("lookup", "").asynchronous(),
            __wit::MethodDescriptor::of::<__fn_mean>("mean", ""),
            __wit::MethodDescriptor::of::<__fn_store>("store", "").asynchronous(),
        ],
        events: &[],
    };
};
