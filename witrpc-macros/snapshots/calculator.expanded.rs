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
#[must_use = "a service answers nobody until it is given to a `WitServer`"]
#[allow(dead_code, non_camel_case_types)]
#[derive(::core::clone::Clone)]
pub struct CalculatorServer {
    service: ::std::sync::Arc<dyn ::witrpc::__private::v1::Service>,
}
/** Calls a [`Calculator`] in another process. Its methods block the calling thread; [`CalculatorAsyncClient`] is the other kind of client.

 Clones share one connection.*/
#[allow(dead_code, non_camel_case_types)]
#[derive(::core::clone::Clone, ::core::fmt::Debug)]
pub struct CalculatorClient {
    connection: ::witrpc::Connection,
}
/** Calls a [`Calculator`] in another process. Its methods are futures, for any executor; [`CalculatorClient`] is the other kind of client.

 Clones share one connection.*/
#[allow(dead_code, non_camel_case_types)]
#[derive(::core::clone::Clone, ::core::fmt::Debug)]
pub struct CalculatorAsyncClient {
    connection: ::witrpc::Connection,
}
#[allow(
    dead_code,
    deprecated,
    non_camel_case_types,
    non_snake_case,
    non_upper_case_globals
)]
const _: () = {
    use ::witrpc::__private::v1 as __wit_v1;
    enum __wit_Methods {
        add,
        divide,
        lookup,
        mean,
        store,
    }
    struct __fn_add;
    impl __wit_v1::Message for __fn_add {
        type Arguments = (__wit_v1::Value<i64>, __wit_v1::Value<i64>);
        const NUMBER: ::core::primitive::u16 = __wit_Methods::add as _;
        const ARGUMENTS: Self::Arguments = (
            __wit_v1::value::<i64>("a"),
            __wit_v1::value::<i64>("b"),
        );
    }
    impl __wit_v1::Method for __fn_add {
        type Ok = i64;
        type Err = __wit_v1::NoAppError;
        const OK: __wit_v1::Value<Self::Ok> = __wit_v1::value::<i64>("result");
    }
    struct __fn_divide;
    impl __wit_v1::Message for __fn_divide {
        type Arguments = (__wit_v1::Value<i64>, __wit_v1::Value<i64>);
        const NUMBER: ::core::primitive::u16 = __wit_Methods::divide as _;
        const ARGUMENTS: Self::Arguments = (
            __wit_v1::value::<i64>("a"),
            __wit_v1::value::<i64>("b"),
        );
    }
    impl __wit_v1::Method for __fn_divide {
        type Ok = i64;
        type Err = DivideError;
        const OK: __wit_v1::Value<Self::Ok> = __wit_v1::value::<i64>("result");
        const ERR: __wit_v1::Error<Self::Err> = __wit_v1::error::<DivideError>();
    }
    struct __fn_lookup;
    impl __wit_v1::Message for __fn_lookup {
        type Arguments = (__wit_v1::Str,);
        const NUMBER: ::core::primitive::u16 = __wit_Methods::lookup as _;
        const ARGUMENTS: Self::Arguments = (__wit_v1::str("key"),);
    }
    impl __wit_v1::Method for __fn_lookup {
        type Ok = Option<String>;
        type Err = __wit_v1::NoAppError;
        const OK: __wit_v1::Value<Self::Ok> = __wit_v1::value::<
            Option<String>,
        >("result");
    }
    struct __fn_mean;
    impl __wit_v1::Message for __fn_mean {
        type Arguments = (__wit_v1::Raw<f64>,);
        const NUMBER: ::core::primitive::u16 = __wit_Methods::mean as _;
        const ARGUMENTS: Self::Arguments = (__wit_v1::raw::<f64>("samples"),);
    }
    impl __wit_v1::Method for __fn_mean {
        type Ok = f64;
        type Err = __wit_v1::NoAppError;
        const OK: __wit_v1::Value<Self::Ok> = __wit_v1::value::<f64>("result");
    }
    struct __fn_store;
    impl __wit_v1::Message for __fn_store {
        type Arguments = (__wit_v1::Path, __wit_v1::Value<Table>);
        const NUMBER: ::core::primitive::u16 = __wit_Methods::store as _;
        const ARGUMENTS: Self::Arguments = (
            __wit_v1::path("path"),
            __wit_v1::lent::<Table>("table"),
        );
    }
    impl __wit_v1::Method for __fn_store {
        type Ok = <io::Result<
            u64,
        > as __wit_v1::ResultType<{ __wit_v1::is_result!(io::Result < u64 >) }>>::Ok;
        type Err = <io::Result<
            u64,
        > as __wit_v1::ResultType<{ __wit_v1::is_result!(io::Result < u64 >) }>>::Err;
        const OK: __wit_v1::Value<Self::Ok> = __wit_v1::value::<Self::Ok>("result");
        const ERR: __wit_v1::Error<Self::Err> = __wit_v1::error::<Self::Err>();
    }
    impl CalculatorClient {
        /// Connects to the server at an endpoint, usually its name, with the defaults of
        /// [`builder`](Self::builder).
        ///
        /// # Errors
        ///
        /// When nobody serves there, or the server turns this client away.
        pub fn connect(
            endpoint: impl ::core::convert::Into<::witrpc::Endpoint>,
        ) -> ::core::result::Result<Self, ::witrpc::ConnectError> {
            __wit_v1::connect_blocking::<Self>(::core::convert::Into::into(endpoint))
        }
        /// Prepares a connection to the server at an endpoint: codec, timeouts, waiting.
        pub fn builder(
            endpoint: impl ::core::convert::Into<::witrpc::Endpoint>,
        ) -> ::witrpc::ClientBuilder<Self, __wit_v1::Blocking> {
            ::witrpc::ClientBuilder::new(::core::convert::Into::into(endpoint))
        }
        /// Serves `service` within this process, for tests: calls are encoded and dispatched as
        /// between two processes.
        pub fn in_process<S>(service: S) -> Self
        where
            S: ::core::marker::Sized + Calculator + ::core::marker::Send
                + ::core::marker::Sync + 'static,
        {
            __wit_v1::in_process::<Self>(CalculatorServer::new(service))
        }
        /// This client with `options` for each of its calls: a deadline, a token that cancels them. It
        /// shares the connection.
        #[must_use]
        pub fn with(&self, options: ::witrpc::CallOptions) -> Self {
            Self {
                connection: self.connection.with(options),
            }
        }
        /// The connection, which says how it stands and can be closed.
        pub fn connection(&self) -> &::witrpc::Connection {
            &self.connection
        }
        /// Adds.
        pub fn add(
            &self,
            a: i64,
            b: i64,
        ) -> ::core::result::Result<i64, ::witrpc::CallError> {
            __wit_v1::call::<__fn_add>(&self.connection, (&a, &b))
        }
        /// Calls [`Calculator::divide`].
        pub fn divide(
            &self,
            a: i64,
            b: i64,
        ) -> ::core::result::Result<i64, ::witrpc::CallError<DivideError>> {
            __wit_v1::call::<__fn_divide>(&self.connection, (&a, &b))
        }
        /// Calls [`Calculator::lookup`].
        pub fn lookup(
            &self,
            key: &str,
        ) -> ::core::result::Result<Option<String>, ::witrpc::CallError> {
            __wit_v1::call::<__fn_lookup>(&self.connection, (key,))
        }
        /// Calls [`Calculator::mean`].
        pub fn mean(
            &self,
            samples: &[f64],
        ) -> ::core::result::Result<f64, ::witrpc::CallError> {
            __wit_v1::call::<__fn_mean>(&self.connection, (samples,))
        }
        /// Calls [`Calculator::store`].
        pub fn store(
            &self,
            path: &Path,
            table: &Table,
        ) -> __wit_v1::AliasOutcome<
            io::Result<u64>,
            { __wit_v1::is_result!(io::Result < u64 >) },
        > {
            __wit_v1::call::<__fn_store>(&self.connection, (path, table))
        }
    }
    impl __wit_v1::Client for CalculatorClient {
        const DESCRIPTOR: &'static __wit_v1::ServiceDescriptor = &__wit_descriptor;
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
        /// When nobody serves there, or the server turns this client away.
        pub fn connect(
            endpoint: impl ::core::convert::Into<::witrpc::Endpoint>,
        ) -> impl ::core::future::Future<
            Output = ::core::result::Result<Self, ::witrpc::ConnectError>,
        > + ::core::marker::Send {
            __wit_v1::connect_async::<Self>(::core::convert::Into::into(endpoint))
        }
        /// Prepares a connection to the server at an endpoint: codec, timeouts, waiting.
        pub fn builder(
            endpoint: impl ::core::convert::Into<::witrpc::Endpoint>,
        ) -> ::witrpc::ClientBuilder<Self, __wit_v1::Async> {
            ::witrpc::ClientBuilder::new(::core::convert::Into::into(endpoint))
        }
        /// Serves `service` within this process, for tests: calls are encoded and dispatched as
        /// between two processes.
        pub fn in_process<S>(service: S) -> Self
        where
            S: ::core::marker::Sized + Calculator + ::core::marker::Send
                + ::core::marker::Sync + 'static,
        {
            __wit_v1::in_process::<Self>(CalculatorServer::new(service))
        }
        /// This client with `options` for each of its calls: a deadline, a token that cancels them. It
        /// shares the connection.
        #[must_use]
        pub fn with(&self, options: ::witrpc::CallOptions) -> Self {
            Self {
                connection: self.connection.with(options),
            }
        }
        /// The connection, which says how it stands and can be closed.
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
            async move {
                __wit_v1::ClientCall::of::<__fn_add>(&self.connection, (&a, &b))
                    .send()
                    .await
                    .outcome::<__fn_add>()
            }
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
                __wit_v1::ClientCall::of::<__fn_divide>(&self.connection, (&a, &b))
                    .send()
                    .await
                    .outcome::<__fn_divide>()
            }
        }
        /// Calls [`Calculator::lookup`].
        pub fn lookup<'call>(
            &'call self,
            key: &'call str,
        ) -> impl ::core::future::Future<
            Output = ::core::result::Result<Option<String>, ::witrpc::CallError>,
        > + ::core::marker::Send + 'call {
            async move {
                __wit_v1::ClientCall::of::<__fn_lookup>(&self.connection, (key,))
                    .send()
                    .await
                    .outcome::<__fn_lookup>()
            }
        }
        /// Calls [`Calculator::mean`].
        pub fn mean<'call>(
            &'call self,
            samples: &'call [f64],
        ) -> impl ::core::future::Future<
            Output = ::core::result::Result<f64, ::witrpc::CallError>,
        > + ::core::marker::Send + 'call {
            async move {
                __wit_v1::ClientCall::of::<__fn_mean>(&self.connection, (samples,))
                    .send()
                    .await
                    .outcome::<__fn_mean>()
            }
        }
        /// Calls [`Calculator::store`].
        pub fn store<'call>(
            &'call self,
            path: &'call Path,
            table: &'call Table,
        ) -> impl ::core::future::Future<
            Output = __wit_v1::AliasOutcome<
                io::Result<u64>,
                { __wit_v1::is_result!(io::Result < u64 >) },
            >,
        > + ::core::marker::Send + 'call {
            async move {
                let _ = __wit_v1::lent::<Table>;
                __wit_v1::ClientCall::of::<__fn_store>(&self.connection, (path, table))
                    .send()
                    .await
                    .outcome::<__fn_store>()
            }
        }
    }
    impl __wit_v1::Client for CalculatorAsyncClient {
        const DESCRIPTOR: &'static __wit_v1::ServiceDescriptor = &__wit_descriptor;
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
        /// Serves what others have a hold of too.
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
    impl __wit_v1::IntoService for CalculatorServer {
        fn into_service(self) -> ::std::sync::Arc<dyn __wit_v1::Service> {
            self.service
        }
    }
    struct __wit_Dispatch<__wit_S: ?::core::marker::Sized>(::std::sync::Arc<__wit_S>);
    impl<
        __wit_S: ?::core::marker::Sized + Calculator + ::core::marker::Send
            + ::core::marker::Sync + 'static,
    > __wit_v1::Service for __wit_Dispatch<__wit_S> {
        fn descriptor(&self) -> &'static __wit_v1::ServiceDescriptor {
            &__wit_descriptor
        }
        fn dispatch(&self, call: __wit_v1::ServerCall<'_>) {
            match call.method() {
                <__fn_add as __wit_v1::Message>::NUMBER => {
                    call.reply::<
                            __fn_add,
                        >(|(a, b), _| <__wit_S as Calculator>::add(&self.0, a, b))
                }
                <__fn_divide as __wit_v1::Message>::NUMBER => {
                    call.reply_result::<
                            __fn_divide,
                        >(|(a, b), _| <__wit_S as Calculator>::divide(&self.0, a, b))
                }
                <__fn_lookup as __wit_v1::Message>::NUMBER => {
                    let service = ::core::clone::Clone::clone(&self.0);
                    call.reply_async(
                        __fn_lookup,
                        move |arguments, _| async move {
                            let (key,) = arguments.read::<__fn_lookup>()?;
                            ::core::result::Result::Ok(
                                <__wit_S as Calculator>::lookup(&service, &key).await,
                            )
                        },
                    )
                }
                <__fn_mean as __wit_v1::Message>::NUMBER => {
                    call.reply::<
                            __fn_mean,
                        >(|(samples,), _| <__wit_S as Calculator>::mean(
                        &self.0,
                        &samples,
                    ))
                }
                <__fn_store as __wit_v1::Message>::NUMBER => {
                    let _ = __wit_v1::lent::<Table>;
                    let service = ::core::clone::Clone::clone(&self.0);
                    call.reply_async_result(
                        __fn_store,
                        move |arguments, context| async move {
                            let (path, table) = arguments.read::<__fn_store>()?;
                            ::core::result::Result::Ok(
                                __wit_v1::ResultType::<
                                    { __wit_v1::is_result!(io::Result < u64 >) },
                                >::into_result(
                                    <__wit_S as Calculator>::store(
                                            &service,
                                            &path,
                                            &table,
                                            &context,
                                        )
                                        .await,
                                ),
                            )
                        },
                    )
                }
                _ => call.unknown_method(),
            }
        }
    }
    static __wit_descriptor: __wit_v1::ServiceDescriptor = __wit_v1::ServiceDescriptor {
        name: "Calculator",
        docs: "Calculates.",
        methods: &[
            __wit_v1::MethodDescriptor::of::<__fn_add>("add", "Adds."),
            __wit_v1::MethodDescriptor::of::<__fn_divide>("divide", ""),
            __wit_v1::MethodDescriptor::of::<__fn_lookup>("lookup", "").asynchronous(),
            __wit_v1::MethodDescriptor::of::<__fn_mean>("mean", ""),
            __wit_v1::MethodDescriptor::of::<__fn_store>("store", "").asynchronous(),
        ],
        events: &[],
    };
};
const _: () = ::core::assert!(
    { ::witrpc::__private::v1::is_result!(i64) } == false,
    "`Calculator::add` returns a `Result` under another name: put `#[wit(result)]` on the method, so that its error reaches the client as `CallError::App`"
);
const _: () = ::core::assert!(
    { ::witrpc::__private::v1::is_result!(Option < String >) } == false,
    "`Calculator::lookup` returns a `Result` under another name: put `#[wit(result)]` on the method, so that its error reaches the client as `CallError::App`"
);
const _: () = ::core::assert!(
    { ::witrpc::__private::v1::is_result!(f64) } == false,
    "`Calculator::mean` returns a `Result` under another name: put `#[wit(result)]` on the method, so that its error reaches the client as `CallError::App`"
);
const _: () = ::core::assert!(
    { ::witrpc::__private::v1::is_result!(io::Result < u64 >) } == true,
    "`Calculator::store` does not return a `Result`, though the type is named so: write an alias of another name for it"
);
