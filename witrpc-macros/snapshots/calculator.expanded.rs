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
#[allow(dead_code)]
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
            service: ::std::sync::Arc::new(__CalculatorDispatch(service)),
        }
    }
}
/** Calls a [`Calculator`] in another process. Its methods block the calling thread; [`CalculatorAsyncClient`] is the other flavour.

 Clones share one connection.*/
#[allow(dead_code, non_camel_case_types)]
#[derive(::core::clone::Clone, ::core::fmt::Debug)]
pub struct CalculatorClient {
    connection: ::witrpc::Connection,
}
#[allow(dead_code, deprecated, non_snake_case)]
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
        ::witrpc::__private::v1::connect_blocking::<
            Self,
        >(::core::convert::Into::into(endpoint))
    }
    /// Prepares a connection to the server at an endpoint: codec, timeouts, waiting.
    pub fn builder(
        endpoint: impl ::core::convert::Into<::witrpc::Endpoint>,
    ) -> ::witrpc::ClientBuilder<Self, ::witrpc::__private::v1::Blocking> {
        ::witrpc::ClientBuilder::new(::core::convert::Into::into(endpoint))
    }
    /// Serves `service` within this process, for tests: calls are encoded and dispatched as
    /// between two processes.
    pub fn in_process<S>(service: S) -> Self
    where
        S: ::core::marker::Sized + Calculator + ::core::marker::Send
            + ::core::marker::Sync + 'static,
    {
        ::witrpc::__private::v1::in_process::<Self>(CalculatorServer::new(service))
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
        ::witrpc::__private::v1::assert_travels::<i64>();
        ::witrpc::__private::v1::assert_travels::<i64>();
        ::witrpc::__private::v1::assert_travels::<i64>();
        let mut call = ::witrpc::__private::v1::ClientCall::new(
            &self.connection,
            __CalculatorMethod::add as ::core::primitive::u16,
        );
        call.value::<i64>("a", &a);
        call.value::<i64>("b", &b);
        call.block().value::<i64>()
    }
    /// Calls [`Calculator::divide`].
    pub fn divide(
        &self,
        a: i64,
        b: i64,
    ) -> ::core::result::Result<i64, ::witrpc::CallError<DivideError>> {
        ::witrpc::__private::v1::assert_travels::<i64>();
        ::witrpc::__private::v1::assert_travels::<i64>();
        ::witrpc::__private::v1::assert_travels::<i64>();
        ::witrpc::__private::v1::assert_wire::<DivideError>();
        let mut call = ::witrpc::__private::v1::ClientCall::new(
            &self.connection,
            __CalculatorMethod::divide as ::core::primitive::u16,
        );
        call.value::<i64>("a", &a);
        call.value::<i64>("b", &b);
        call.block().result::<i64, DivideError>()
    }
    /// Calls [`Calculator::lookup`].
    pub fn lookup(
        &self,
        key: &str,
    ) -> ::core::result::Result<Option<String>, ::witrpc::CallError> {
        ::witrpc::__private::v1::assert_travels::<Option<String>>();
        let mut call = ::witrpc::__private::v1::ClientCall::new(
            &self.connection,
            __CalculatorMethod::lookup as ::core::primitive::u16,
        );
        call.str("key", key);
        call.block().value::<Option<String>>()
    }
    /// Calls [`Calculator::mean`].
    pub fn mean(
        &self,
        samples: &[f64],
    ) -> ::core::result::Result<f64, ::witrpc::CallError> {
        ::witrpc::__private::v1::assert_raw::<f64>();
        ::witrpc::__private::v1::assert_travels::<f64>();
        let mut call = ::witrpc::__private::v1::ClientCall::new(
            &self.connection,
            __CalculatorMethod::mean as ::core::primitive::u16,
        );
        call.raw::<f64>("samples", samples);
        call.block().value::<f64>()
    }
    /// Calls [`Calculator::store`].
    pub fn store(
        &self,
        path: &Path,
        table: &Table,
    ) -> ::core::result::Result<
        <io::Result<
            u64,
        > as ::witrpc::__private::v1::ResultType<
            { ::witrpc::__private::v1::is_result!(io::Result < u64 >) },
        >>::Ok,
        ::witrpc::CallError<
            <io::Result<
                u64,
            > as ::witrpc::__private::v1::ResultType<
                { ::witrpc::__private::v1::is_result!(io::Result < u64 >) },
            >>::Err,
        >,
    > {
        ::witrpc::__private::v1::assert_travels::<Table>();
        ::witrpc::__private::v1::assert_lent::<Table>();
        ::witrpc::__private::v1::assert_travels::<
            <io::Result<
                u64,
            > as ::witrpc::__private::v1::ResultType<
                { ::witrpc::__private::v1::is_result!(io::Result < u64 >) },
            >>::Ok,
        >();
        ::witrpc::__private::v1::assert_wire::<
            <io::Result<
                u64,
            > as ::witrpc::__private::v1::ResultType<
                { ::witrpc::__private::v1::is_result!(io::Result < u64 >) },
            >>::Err,
        >();
        let mut call = ::witrpc::__private::v1::ClientCall::new(
            &self.connection,
            __CalculatorMethod::store as ::core::primitive::u16,
        );
        call.path("path", path);
        call.value::<Table>("table", table);
        call.block()
            .result::<
                <io::Result<
                    u64,
                > as ::witrpc::__private::v1::ResultType<
                    { ::witrpc::__private::v1::is_result!(io::Result < u64 >) },
                >>::Ok,
                <io::Result<
                    u64,
                > as ::witrpc::__private::v1::ResultType<
                    { ::witrpc::__private::v1::is_result!(io::Result < u64 >) },
                >>::Err,
            >()
    }
}
/** Calls a [`Calculator`] in another process. Its methods are futures, for any executor; [`CalculatorClient`] is the other flavour.

 Clones share one connection.*/
#[allow(dead_code, non_camel_case_types)]
#[derive(::core::clone::Clone, ::core::fmt::Debug)]
pub struct CalculatorAsyncClient {
    connection: ::witrpc::Connection,
}
#[allow(dead_code, deprecated, non_snake_case)]
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
        ::witrpc::__private::v1::connect_async::<
            Self,
        >(::core::convert::Into::into(endpoint))
    }
    /// Prepares a connection to the server at an endpoint: codec, timeouts, waiting.
    pub fn builder(
        endpoint: impl ::core::convert::Into<::witrpc::Endpoint>,
    ) -> ::witrpc::ClientBuilder<Self, ::witrpc::__private::v1::Async> {
        ::witrpc::ClientBuilder::new(::core::convert::Into::into(endpoint))
    }
    /// Serves `service` within this process, for tests: calls are encoded and dispatched as
    /// between two processes.
    pub fn in_process<S>(service: S) -> Self
    where
        S: ::core::marker::Sized + Calculator + ::core::marker::Send
            + ::core::marker::Sync + 'static,
    {
        ::witrpc::__private::v1::in_process::<Self>(CalculatorServer::new(service))
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
            ::witrpc::__private::v1::assert_travels::<i64>();
            ::witrpc::__private::v1::assert_travels::<i64>();
            ::witrpc::__private::v1::assert_travels::<i64>();
            let mut call = ::witrpc::__private::v1::ClientCall::new(
                &self.connection,
                __CalculatorMethod::add as ::core::primitive::u16,
            );
            call.value::<i64>("a", &a);
            call.value::<i64>("b", &b);
            call.send().await.value::<i64>()
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
            ::witrpc::__private::v1::assert_travels::<i64>();
            ::witrpc::__private::v1::assert_travels::<i64>();
            ::witrpc::__private::v1::assert_travels::<i64>();
            ::witrpc::__private::v1::assert_wire::<DivideError>();
            let mut call = ::witrpc::__private::v1::ClientCall::new(
                &self.connection,
                __CalculatorMethod::divide as ::core::primitive::u16,
            );
            call.value::<i64>("a", &a);
            call.value::<i64>("b", &b);
            call.send().await.result::<i64, DivideError>()
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
            ::witrpc::__private::v1::assert_travels::<Option<String>>();
            let mut call = ::witrpc::__private::v1::ClientCall::new(
                &self.connection,
                __CalculatorMethod::lookup as ::core::primitive::u16,
            );
            call.str("key", key);
            call.send().await.value::<Option<String>>()
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
            ::witrpc::__private::v1::assert_raw::<f64>();
            ::witrpc::__private::v1::assert_travels::<f64>();
            let mut call = ::witrpc::__private::v1::ClientCall::new(
                &self.connection,
                __CalculatorMethod::mean as ::core::primitive::u16,
            );
            call.raw::<f64>("samples", samples);
            call.send().await.value::<f64>()
        }
    }
    /// Calls [`Calculator::store`].
    pub fn store<'call>(
        &'call self,
        path: &'call Path,
        table: &'call Table,
    ) -> impl ::core::future::Future<
        Output = ::core::result::Result<
            <io::Result<
                u64,
            > as ::witrpc::__private::v1::ResultType<
                { ::witrpc::__private::v1::is_result!(io::Result < u64 >) },
            >>::Ok,
            ::witrpc::CallError<
                <io::Result<
                    u64,
                > as ::witrpc::__private::v1::ResultType<
                    { ::witrpc::__private::v1::is_result!(io::Result < u64 >) },
                >>::Err,
            >,
        >,
    > + ::core::marker::Send + 'call {
        async move {
            ::witrpc::__private::v1::assert_travels::<Table>();
            ::witrpc::__private::v1::assert_lent::<Table>();
            ::witrpc::__private::v1::assert_travels::<
                <io::Result<
                    u64,
                > as ::witrpc::__private::v1::ResultType<
                    { ::witrpc::__private::v1::is_result!(io::Result < u64 >) },
                >>::Ok,
            >();
            ::witrpc::__private::v1::assert_wire::<
                <io::Result<
                    u64,
                > as ::witrpc::__private::v1::ResultType<
                    { ::witrpc::__private::v1::is_result!(io::Result < u64 >) },
                >>::Err,
            >();
            let mut call = ::witrpc::__private::v1::ClientCall::new(
                &self.connection,
                __CalculatorMethod::store as ::core::primitive::u16,
            );
            call.path("path", path);
            call.value::<Table>("table", table);
            call.send()
                .await
                .result::<
                    <io::Result<
                        u64,
                    > as ::witrpc::__private::v1::ResultType<
                        { ::witrpc::__private::v1::is_result!(io::Result < u64 >) },
                    >>::Ok,
                    <io::Result<
                        u64,
                    > as ::witrpc::__private::v1::ResultType<
                        { ::witrpc::__private::v1::is_result!(io::Result < u64 >) },
                    >>::Err,
                >()
        }
    }
}
#[allow(dead_code, non_camel_case_types)]
enum __CalculatorMethod {
    add,
    divide,
    lookup,
    mean,
    store,
}
#[allow(non_camel_case_types)]
struct __CalculatorDispatch<S: ?::core::marker::Sized>(::std::sync::Arc<S>);
const _: () = {
    #[allow(non_upper_case_globals, deprecated)]
    static __wit_descriptor: ::witrpc::__private::v1::ServiceDescriptor = ::witrpc::__private::v1::ServiceDescriptor {
        name: "Calculator",
        docs: "Calculates.",
        methods: &[
            ::witrpc::__private::v1::MethodDescriptor {
                name: "add",
                docs: "Adds.",
                is_async: false,
                idempotent: false,
                arguments: &[
                    ::witrpc::__private::v1::ArgumentDescriptor {
                        name: "a",
                        kind: ::witrpc::__private::v1::ArgumentKind::Value,
                        shape: {
                            ::witrpc::__private::v1::assert_travels::<i64>();
                            ::witrpc::__private::v1::trace::<i64>
                        },
                    },
                    ::witrpc::__private::v1::ArgumentDescriptor {
                        name: "b",
                        kind: ::witrpc::__private::v1::ArgumentKind::Value,
                        shape: {
                            ::witrpc::__private::v1::assert_travels::<i64>();
                            ::witrpc::__private::v1::trace::<i64>
                        },
                    },
                ],
                streams: false,
                result: {
                    ::witrpc::__private::v1::assert_travels::<i64>();
                    ::witrpc::__private::v1::trace::<i64>
                },
                error: ::core::option::Option::None,
            },
            ::witrpc::__private::v1::MethodDescriptor {
                name: "divide",
                docs: "",
                is_async: false,
                idempotent: false,
                arguments: &[
                    ::witrpc::__private::v1::ArgumentDescriptor {
                        name: "a",
                        kind: ::witrpc::__private::v1::ArgumentKind::Value,
                        shape: {
                            ::witrpc::__private::v1::assert_travels::<i64>();
                            ::witrpc::__private::v1::trace::<i64>
                        },
                    },
                    ::witrpc::__private::v1::ArgumentDescriptor {
                        name: "b",
                        kind: ::witrpc::__private::v1::ArgumentKind::Value,
                        shape: {
                            ::witrpc::__private::v1::assert_travels::<i64>();
                            ::witrpc::__private::v1::trace::<i64>
                        },
                    },
                ],
                streams: false,
                result: {
                    ::witrpc::__private::v1::assert_travels::<i64>();
                    ::witrpc::__private::v1::trace::<i64>
                },
                error: ::core::option::Option::Some({
                    ::witrpc::__private::v1::assert_wire::<DivideError>();
                    ::witrpc::__private::v1::trace::<DivideError>
                }),
            },
            ::witrpc::__private::v1::MethodDescriptor {
                name: "lookup",
                docs: "",
                is_async: true,
                idempotent: false,
                arguments: &[
                    ::witrpc::__private::v1::ArgumentDescriptor {
                        name: "key",
                        kind: ::witrpc::__private::v1::ArgumentKind::Str,
                        shape: { ::witrpc::__private::v1::trace_str },
                    },
                ],
                streams: false,
                result: {
                    ::witrpc::__private::v1::assert_travels::<Option<String>>();
                    ::witrpc::__private::v1::trace::<Option<String>>
                },
                error: ::core::option::Option::None,
            },
            ::witrpc::__private::v1::MethodDescriptor {
                name: "mean",
                docs: "",
                is_async: false,
                idempotent: false,
                arguments: &[
                    ::witrpc::__private::v1::ArgumentDescriptor {
                        name: "samples",
                        kind: ::witrpc::__private::v1::ArgumentKind::Raw,
                        shape: {
                            ::witrpc::__private::v1::assert_raw::<f64>();
                            ::witrpc::__private::v1::trace_raw::<f64>
                        },
                    },
                ],
                streams: false,
                result: {
                    ::witrpc::__private::v1::assert_travels::<f64>();
                    ::witrpc::__private::v1::trace::<f64>
                },
                error: ::core::option::Option::None,
            },
            ::witrpc::__private::v1::MethodDescriptor {
                name: "store",
                docs: "",
                is_async: true,
                idempotent: false,
                arguments: &[
                    ::witrpc::__private::v1::ArgumentDescriptor {
                        name: "path",
                        kind: ::witrpc::__private::v1::ArgumentKind::Path,
                        shape: { ::witrpc::__private::v1::trace_path },
                    },
                    ::witrpc::__private::v1::ArgumentDescriptor {
                        name: "table",
                        kind: ::witrpc::__private::v1::ArgumentKind::Value,
                        shape: {
                            ::witrpc::__private::v1::assert_travels::<Table>();
                            ::witrpc::__private::v1::assert_lent::<Table>();
                            ::witrpc::__private::v1::trace::<Table>
                        },
                    },
                ],
                streams: false,
                result: {
                    ::witrpc::__private::v1::assert_travels::<
                        <io::Result<
                            u64,
                        > as ::witrpc::__private::v1::ResultType<
                            { ::witrpc::__private::v1::is_result!(io::Result < u64 >) },
                        >>::Ok,
                    >();
                    ::witrpc::__private::v1::trace::<
                        <io::Result<
                            u64,
                        > as ::witrpc::__private::v1::ResultType<
                            { ::witrpc::__private::v1::is_result!(io::Result < u64 >) },
                        >>::Ok,
                    >
                },
                error: ::core::option::Option::Some({
                    ::witrpc::__private::v1::assert_wire::<
                        <io::Result<
                            u64,
                        > as ::witrpc::__private::v1::ResultType<
                            { ::witrpc::__private::v1::is_result!(io::Result < u64 >) },
                        >>::Err,
                    >();
                    ::witrpc::__private::v1::trace::<
                        <io::Result<
                            u64,
                        > as ::witrpc::__private::v1::ResultType<
                            { ::witrpc::__private::v1::is_result!(io::Result < u64 >) },
                        >>::Err,
                    >
                }),
            },
        ],
        events: &[],
    };
    impl ::witrpc::__private::v1::IntoService for CalculatorServer {
        fn into_service(self) -> ::std::sync::Arc<dyn ::witrpc::__private::v1::Service> {
            self.service
        }
    }
    #[allow(non_upper_case_globals)]
    const __wit_number_add: ::core::primitive::u16 = __CalculatorMethod::add
        as ::core::primitive::u16;
    #[allow(non_upper_case_globals)]
    const __wit_number_divide: ::core::primitive::u16 = __CalculatorMethod::divide
        as ::core::primitive::u16;
    #[allow(non_upper_case_globals)]
    const __wit_number_lookup: ::core::primitive::u16 = __CalculatorMethod::lookup
        as ::core::primitive::u16;
    #[allow(non_upper_case_globals)]
    const __wit_number_mean: ::core::primitive::u16 = __CalculatorMethod::mean
        as ::core::primitive::u16;
    #[allow(non_upper_case_globals)]
    const __wit_number_store: ::core::primitive::u16 = __CalculatorMethod::store
        as ::core::primitive::u16;
    #[allow(deprecated, non_camel_case_types, non_snake_case)]
    impl<
        __wit_S: ?::core::marker::Sized + Calculator + ::core::marker::Send
            + ::core::marker::Sync + 'static,
    > ::witrpc::__private::v1::Service for __CalculatorDispatch<__wit_S> {
        fn descriptor(&self) -> &'static ::witrpc::__private::v1::ServiceDescriptor {
            &__wit_descriptor
        }
        fn dispatch(&self, call: ::witrpc::__private::v1::ServerCall<'_>) {
            match call.method() {
                __wit_number_add => {
                    ::witrpc::__private::v1::assert_travels::<i64>();
                    ::witrpc::__private::v1::assert_travels::<i64>();
                    ::witrpc::__private::v1::assert_travels::<i64>();
                    call.reply::<
                            i64,
                        >(|arguments, _| {
                        let a = arguments.value::<i64>("a")?;
                        let b = arguments.value::<i64>("b")?;
                        arguments.finish()?;
                        ::core::result::Result::Ok(
                            <__wit_S as Calculator>::add(&self.0, a, b),
                        )
                    })
                }
                __wit_number_divide => {
                    ::witrpc::__private::v1::assert_travels::<i64>();
                    ::witrpc::__private::v1::assert_travels::<i64>();
                    ::witrpc::__private::v1::assert_travels::<i64>();
                    ::witrpc::__private::v1::assert_wire::<DivideError>();
                    call.reply_result::<
                            i64,
                            DivideError,
                        >(|arguments, _| {
                        let a = arguments.value::<i64>("a")?;
                        let b = arguments.value::<i64>("b")?;
                        arguments.finish()?;
                        ::core::result::Result::Ok(
                            <__wit_S as Calculator>::divide(&self.0, a, b),
                        )
                    })
                }
                __wit_number_lookup => {
                    ::witrpc::__private::v1::assert_travels::<Option<String>>();
                    let service = ::core::clone::Clone::clone(&self.0);
                    call.reply_async::<
                            Option<String>,
                            _,
                        >(move |arguments, _| async move {
                        let mut arguments = arguments.open();
                        let key = arguments.str("key")?;
                        arguments.finish()?;
                        ::core::result::Result::Ok(
                            <__wit_S as Calculator>::lookup(&service, &key).await,
                        )
                    })
                }
                __wit_number_mean => {
                    ::witrpc::__private::v1::assert_raw::<f64>();
                    ::witrpc::__private::v1::assert_travels::<f64>();
                    call.reply::<
                            f64,
                        >(|arguments, _| {
                        let samples = arguments.raw::<f64>("samples")?;
                        arguments.finish()?;
                        ::core::result::Result::Ok(
                            <__wit_S as Calculator>::mean(&self.0, &samples),
                        )
                    })
                }
                __wit_number_store => {
                    ::witrpc::__private::v1::assert_travels::<Table>();
                    ::witrpc::__private::v1::assert_lent::<Table>();
                    ::witrpc::__private::v1::assert_travels::<
                        <io::Result<
                            u64,
                        > as ::witrpc::__private::v1::ResultType<
                            { ::witrpc::__private::v1::is_result!(io::Result < u64 >) },
                        >>::Ok,
                    >();
                    ::witrpc::__private::v1::assert_wire::<
                        <io::Result<
                            u64,
                        > as ::witrpc::__private::v1::ResultType<
                            { ::witrpc::__private::v1::is_result!(io::Result < u64 >) },
                        >>::Err,
                    >();
                    let service = ::core::clone::Clone::clone(&self.0);
                    call.reply_async_result::<
                            <io::Result<
                                u64,
                            > as ::witrpc::__private::v1::ResultType<
                                { ::witrpc::__private::v1::is_result!(io::Result < u64 >) },
                            >>::Ok,
                            <io::Result<
                                u64,
                            > as ::witrpc::__private::v1::ResultType<
                                { ::witrpc::__private::v1::is_result!(io::Result < u64 >) },
                            >>::Err,
                            _,
                        >(move |arguments, context| async move {
                        let mut arguments = arguments.open();
                        let path = arguments.path("path")?;
                        let table = arguments.value::<Table>("table")?;
                        arguments.finish()?;
                        ::core::result::Result::Ok(
                            <io::Result<
                                u64,
                            > as ::witrpc::__private::v1::ResultType<
                                { ::witrpc::__private::v1::is_result!(io::Result < u64 >) },
                            >>::into_result(
                                <__wit_S as Calculator>::store(
                                        &service,
                                        &path,
                                        &table,
                                        &context,
                                    )
                                    .await,
                            ),
                        )
                    })
                }
                _ => call.unknown_method(),
            }
        }
    }
    impl ::witrpc::__private::v1::Client for CalculatorClient {
        const DESCRIPTOR: &'static ::witrpc::__private::v1::ServiceDescriptor = &__wit_descriptor;
        fn from_connection(connection: ::witrpc::Connection) -> Self {
            Self { connection }
        }
    }
    impl ::witrpc::__private::v1::Client for CalculatorAsyncClient {
        const DESCRIPTOR: &'static ::witrpc::__private::v1::ServiceDescriptor = &__wit_descriptor;
        fn from_connection(connection: ::witrpc::Connection) -> Self {
            Self { connection }
        }
    }
};
const _: () = {
    const IS_RESULT: ::core::primitive::bool = {
        ::witrpc::__private::v1::is_result!(i64)
    };
    ::core::assert!(
        IS_RESULT == false,
        "`Calculator::add` returns a `Result` under another name: put `#[wit(result)]` on the method, so that its error reaches the client as `CallError::App`"
    );
};
const _: () = {
    const IS_RESULT: ::core::primitive::bool = {
        ::witrpc::__private::v1::is_result!(Option < String >)
    };
    ::core::assert!(
        IS_RESULT == false,
        "`Calculator::lookup` returns a `Result` under another name: put `#[wit(result)]` on the method, so that its error reaches the client as `CallError::App`"
    );
};
const _: () = {
    const IS_RESULT: ::core::primitive::bool = {
        ::witrpc::__private::v1::is_result!(f64)
    };
    ::core::assert!(
        IS_RESULT == false,
        "`Calculator::mean` returns a `Result` under another name: put `#[wit(result)]` on the method, so that its error reaches the client as `CallError::App`"
    );
};
const _: () = {
    const IS_RESULT: ::core::primitive::bool = {
        ::witrpc::__private::v1::is_result!(io::Result < u64 >)
    };
    ::core::assert!(
        IS_RESULT == true,
        "`Calculator::store` does not return a `Result`, though the type is named so: write an alias of another name for it"
    );
};
