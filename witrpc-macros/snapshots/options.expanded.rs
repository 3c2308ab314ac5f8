pub(crate) trait Calculator: Send + Sync {
    #[cfg(unix)]
    fn r#type(&self, r#fn: u8, cx: &CallContext) -> u8;
    #[deprecated]
    #[cfg_attr(windows, cfg(feature = "calc"), doc = "On Windows.")]
    fn outcome(&self) -> Outcome;
}
/** Serves a [`Calculator`]: give one to the builder of a `WitServer`, which answers the calls of every client with it.

 Clones serve the same.*/
#[must_use = "a service answers nobody until it is given to a `WitServer`"]
#[allow(dead_code, non_camel_case_types)]
#[derive(::core::clone::Clone)]
pub(crate) struct CalculatorServer {
    service: ::std::sync::Arc<dyn crate::vendored::__private::v1::Service>,
}
#[allow(dead_code)]
impl CalculatorServer {
    /// Serves `service`.
    pub(crate) fn new<S>(service: S) -> Self
    where
        S: ::core::marker::Sized + Calculator + ::core::marker::Send
            + ::core::marker::Sync + 'static,
    {
        Self::from_arc(::std::sync::Arc::new(service))
    }
    /// Serves what others have a hold of too.
    pub(crate) fn from_arc<S>(service: ::std::sync::Arc<S>) -> Self
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
pub(crate) struct CalculatorClient {
    connection: crate::vendored::Connection,
}
#[allow(dead_code, deprecated, non_snake_case)]
impl CalculatorClient {
    /// Connects to the server at an endpoint, usually its name, with the defaults of
    /// [`builder`](Self::builder).
    ///
    /// # Errors
    ///
    /// When nobody serves there, or the server turns this client away.
    pub(crate) fn connect(
        endpoint: impl ::core::convert::Into<crate::vendored::Endpoint>,
    ) -> ::core::result::Result<Self, crate::vendored::ConnectError> {
        crate::vendored::__private::v1::connect_blocking::<
            Self,
        >(::core::convert::Into::into(endpoint))
    }
    /// Prepares a connection to the server at an endpoint: codec, timeouts, waiting.
    pub(crate) fn builder(
        endpoint: impl ::core::convert::Into<crate::vendored::Endpoint>,
    ) -> crate::vendored::ClientBuilder<Self, crate::vendored::__private::v1::Blocking> {
        crate::vendored::ClientBuilder::new(::core::convert::Into::into(endpoint))
    }
    /// Serves `service` within this process, for tests: calls are encoded and dispatched as
    /// between two processes.
    pub(crate) fn in_process<S>(service: S) -> Self
    where
        S: ::core::marker::Sized + Calculator + ::core::marker::Send
            + ::core::marker::Sync + 'static,
    {
        crate::vendored::__private::v1::in_process::<
            Self,
        >(CalculatorServer::new(service))
    }
    /// This client with `options` for each of its calls: a deadline, a token that cancels them. It
    /// shares the connection.
    #[must_use]
    pub(crate) fn with(&self, options: crate::vendored::CallOptions) -> Self {
        Self {
            connection: self.connection.with(options),
        }
    }
    /// The connection, which says how it stands and can be closed.
    pub(crate) fn connection(&self) -> &crate::vendored::Connection {
        &self.connection
    }
    #[cfg(unix)]
    /// Calls [`Calculator::r#type`].
    pub(crate) fn r#type(
        &self,
        r#fn: u8,
    ) -> ::core::result::Result<u8, crate::vendored::CallError> {
        crate::vendored::__private::v1::assert_travels::<u8>();
        crate::vendored::__private::v1::assert_travels::<u8>();
        let mut call = crate::vendored::__private::v1::ClientCall::new(
            &self.connection,
            __CalculatorMethod::r#type as ::core::primitive::u16,
        );
        call.value::<u8>("fn", &r#fn);
        call.block().value::<u8>()
    }
    #[cfg_attr(windows, cfg(feature = "calc"))]
    /// Calls [`Calculator::outcome`].
    #[deprecated]
    #[cfg_attr(windows, doc = "On Windows.")]
    pub(crate) fn outcome(
        &self,
    ) -> ::core::result::Result<
        <Outcome as crate::vendored::__private::v1::ResultType<
            { crate::vendored::__private::v1::is_result!(Outcome) },
        >>::Ok,
        crate::vendored::CallError<
            <Outcome as crate::vendored::__private::v1::ResultType<
                { crate::vendored::__private::v1::is_result!(Outcome) },
            >>::Err,
        >,
    > {
        crate::vendored::__private::v1::assert_travels::<
            <Outcome as crate::vendored::__private::v1::ResultType<
                { crate::vendored::__private::v1::is_result!(Outcome) },
            >>::Ok,
        >();
        crate::vendored::__private::v1::assert_wire::<
            <Outcome as crate::vendored::__private::v1::ResultType<
                { crate::vendored::__private::v1::is_result!(Outcome) },
            >>::Err,
        >();
        let mut call = crate::vendored::__private::v1::ClientCall::new(
            &self.connection,
            __CalculatorMethod::outcome as ::core::primitive::u16,
        );
        call.block()
            .result::<
                <Outcome as crate::vendored::__private::v1::ResultType<
                    { crate::vendored::__private::v1::is_result!(Outcome) },
                >>::Ok,
                <Outcome as crate::vendored::__private::v1::ResultType<
                    { crate::vendored::__private::v1::is_result!(Outcome) },
                >>::Err,
            >()
    }
}
/** Calls a [`Calculator`] in another process. Its methods are futures, for any executor; [`CalculatorClient`] is the other flavour.

 Clones share one connection.*/
#[allow(dead_code, non_camel_case_types)]
#[derive(::core::clone::Clone, ::core::fmt::Debug)]
pub(crate) struct CalculatorAsyncClient {
    connection: crate::vendored::Connection,
}
#[allow(dead_code, deprecated, non_snake_case)]
impl CalculatorAsyncClient {
    /// Connects to the server at an endpoint, usually its name, with the defaults of
    /// [`builder`](Self::builder).
    ///
    /// # Errors
    ///
    /// When nobody serves there, or the server turns this client away.
    pub(crate) fn connect(
        endpoint: impl ::core::convert::Into<crate::vendored::Endpoint>,
    ) -> impl ::core::future::Future<
        Output = ::core::result::Result<Self, crate::vendored::ConnectError>,
    > + ::core::marker::Send {
        crate::vendored::__private::v1::connect_async::<
            Self,
        >(::core::convert::Into::into(endpoint))
    }
    /// Prepares a connection to the server at an endpoint: codec, timeouts, waiting.
    pub(crate) fn builder(
        endpoint: impl ::core::convert::Into<crate::vendored::Endpoint>,
    ) -> crate::vendored::ClientBuilder<Self, crate::vendored::__private::v1::Async> {
        crate::vendored::ClientBuilder::new(::core::convert::Into::into(endpoint))
    }
    /// Serves `service` within this process, for tests: calls are encoded and dispatched as
    /// between two processes.
    pub(crate) fn in_process<S>(service: S) -> Self
    where
        S: ::core::marker::Sized + Calculator + ::core::marker::Send
            + ::core::marker::Sync + 'static,
    {
        crate::vendored::__private::v1::in_process::<
            Self,
        >(CalculatorServer::new(service))
    }
    /// This client with `options` for each of its calls: a deadline, a token that cancels them. It
    /// shares the connection.
    #[must_use]
    pub(crate) fn with(&self, options: crate::vendored::CallOptions) -> Self {
        Self {
            connection: self.connection.with(options),
        }
    }
    /// The connection, which says how it stands and can be closed.
    pub(crate) fn connection(&self) -> &crate::vendored::Connection {
        &self.connection
    }
    #[cfg(unix)]
    /// Calls [`Calculator::r#type`].
    pub(crate) fn r#type<'call>(
        &'call self,
        r#fn: u8,
    ) -> impl ::core::future::Future<
        Output = ::core::result::Result<u8, crate::vendored::CallError>,
    > + ::core::marker::Send + 'call {
        async move {
            crate::vendored::__private::v1::assert_travels::<u8>();
            crate::vendored::__private::v1::assert_travels::<u8>();
            let mut call = crate::vendored::__private::v1::ClientCall::new(
                &self.connection,
                __CalculatorMethod::r#type as ::core::primitive::u16,
            );
            call.value::<u8>("fn", &r#fn);
            call.send().await.value::<u8>()
        }
    }
    #[cfg_attr(windows, cfg(feature = "calc"))]
    /// Calls [`Calculator::outcome`].
    #[deprecated]
    #[cfg_attr(windows, doc = "On Windows.")]
    pub(crate) fn outcome<'call>(
        &'call self,
    ) -> impl ::core::future::Future<
        Output = ::core::result::Result<
            <Outcome as crate::vendored::__private::v1::ResultType<
                { crate::vendored::__private::v1::is_result!(Outcome) },
            >>::Ok,
            crate::vendored::CallError<
                <Outcome as crate::vendored::__private::v1::ResultType<
                    { crate::vendored::__private::v1::is_result!(Outcome) },
                >>::Err,
            >,
        >,
    > + ::core::marker::Send + 'call {
        async move {
            crate::vendored::__private::v1::assert_travels::<
                <Outcome as crate::vendored::__private::v1::ResultType<
                    { crate::vendored::__private::v1::is_result!(Outcome) },
                >>::Ok,
            >();
            crate::vendored::__private::v1::assert_wire::<
                <Outcome as crate::vendored::__private::v1::ResultType<
                    { crate::vendored::__private::v1::is_result!(Outcome) },
                >>::Err,
            >();
            let mut call = crate::vendored::__private::v1::ClientCall::new(
                &self.connection,
                __CalculatorMethod::outcome as ::core::primitive::u16,
            );
            call.send()
                .await
                .result::<
                    <Outcome as crate::vendored::__private::v1::ResultType<
                        { crate::vendored::__private::v1::is_result!(Outcome) },
                    >>::Ok,
                    <Outcome as crate::vendored::__private::v1::ResultType<
                        { crate::vendored::__private::v1::is_result!(Outcome) },
                    >>::Err,
                >()
        }
    }
}
#[allow(dead_code, non_camel_case_types)]
enum __CalculatorMethod {
    #[cfg(unix)]
    r#type,
    #[cfg_attr(windows, cfg(feature = "calc"))]
    outcome,
}
#[allow(non_camel_case_types)]
struct __CalculatorDispatch<S: ?::core::marker::Sized>(::std::sync::Arc<S>);
const _: () = {
    #[allow(non_upper_case_globals, deprecated)]
    static __wit_descriptor: crate::vendored::__private::v1::ServiceDescriptor = crate::vendored::__private::v1::ServiceDescriptor {
        name: "calc",
        docs: "",
        methods: &[
            #[cfg(unix)]
            crate::vendored::__private::v1::MethodDescriptor {
                name: "type",
                docs: "",
                is_async: false,
                idempotent: true,
                arguments: &[
                    crate::vendored::__private::v1::ArgumentDescriptor {
                        name: "fn",
                        kind: crate::vendored::__private::v1::ArgumentKind::Value,
                        shape: {
                            crate::vendored::__private::v1::assert_travels::<u8>();
                            crate::vendored::__private::v1::trace::<u8>
                        },
                    },
                ],
                streams: false,
                result: {
                    crate::vendored::__private::v1::assert_travels::<u8>();
                    crate::vendored::__private::v1::trace::<u8>
                },
                error: ::core::option::Option::None,
            },
            #[cfg_attr(windows, cfg(feature = "calc"))]
            crate::vendored::__private::v1::MethodDescriptor {
                name: "outcome",
                docs: "",
                is_async: false,
                idempotent: false,
                arguments: &[],
                streams: false,
                result: {
                    crate::vendored::__private::v1::assert_travels::<
                        <Outcome as crate::vendored::__private::v1::ResultType<
                            { crate::vendored::__private::v1::is_result!(Outcome) },
                        >>::Ok,
                    >();
                    crate::vendored::__private::v1::trace::<
                        <Outcome as crate::vendored::__private::v1::ResultType<
                            { crate::vendored::__private::v1::is_result!(Outcome) },
                        >>::Ok,
                    >
                },
                error: ::core::option::Option::Some({
                    crate::vendored::__private::v1::assert_wire::<
                        <Outcome as crate::vendored::__private::v1::ResultType<
                            { crate::vendored::__private::v1::is_result!(Outcome) },
                        >>::Err,
                    >();
                    crate::vendored::__private::v1::trace::<
                        <Outcome as crate::vendored::__private::v1::ResultType<
                            { crate::vendored::__private::v1::is_result!(Outcome) },
                        >>::Err,
                    >
                }),
            },
        ],
        events: &[],
    };
    impl crate::vendored::__private::v1::IntoService for CalculatorServer {
        fn into_service(
            self,
        ) -> ::std::sync::Arc<dyn crate::vendored::__private::v1::Service> {
            self.service
        }
    }
    #[cfg(unix)]
    #[allow(non_upper_case_globals)]
    const __wit_number_type: ::core::primitive::u16 = __CalculatorMethod::r#type
        as ::core::primitive::u16;
    #[cfg_attr(windows, cfg(feature = "calc"))]
    #[allow(non_upper_case_globals)]
    const __wit_number_outcome: ::core::primitive::u16 = __CalculatorMethod::outcome
        as ::core::primitive::u16;
    #[allow(deprecated, non_camel_case_types, non_snake_case)]
    impl<
        __wit_S: ?::core::marker::Sized + Calculator + ::core::marker::Send
            + ::core::marker::Sync + 'static,
    > crate::vendored::__private::v1::Service for __CalculatorDispatch<__wit_S> {
        fn descriptor(
            &self,
        ) -> &'static crate::vendored::__private::v1::ServiceDescriptor {
            &__wit_descriptor
        }
        fn dispatch(&self, call: crate::vendored::__private::v1::ServerCall<'_>) {
            match call.method() {
                #[cfg(unix)]
                __wit_number_type => {
                    crate::vendored::__private::v1::assert_travels::<u8>();
                    crate::vendored::__private::v1::assert_travels::<u8>();
                    call.reply::<
                            u8,
                        >(|arguments, caller| {
                        let r#fn = arguments.value::<u8>("fn")?;
                        arguments.finish()?;
                        let context = caller.context();
                        ::core::result::Result::Ok(
                            <__wit_S as Calculator>::r#type(&self.0, r#fn, &context),
                        )
                    })
                }
                #[cfg_attr(windows, cfg(feature = "calc"))]
                __wit_number_outcome => {
                    crate::vendored::__private::v1::assert_travels::<
                        <Outcome as crate::vendored::__private::v1::ResultType<
                            { crate::vendored::__private::v1::is_result!(Outcome) },
                        >>::Ok,
                    >();
                    crate::vendored::__private::v1::assert_wire::<
                        <Outcome as crate::vendored::__private::v1::ResultType<
                            { crate::vendored::__private::v1::is_result!(Outcome) },
                        >>::Err,
                    >();
                    call.reply_result::<
                            <Outcome as crate::vendored::__private::v1::ResultType<
                                { crate::vendored::__private::v1::is_result!(Outcome) },
                            >>::Ok,
                            <Outcome as crate::vendored::__private::v1::ResultType<
                                { crate::vendored::__private::v1::is_result!(Outcome) },
                            >>::Err,
                        >(|arguments, _| {
                        arguments.finish()?;
                        ::core::result::Result::Ok(
                            <Outcome as crate::vendored::__private::v1::ResultType<
                                { crate::vendored::__private::v1::is_result!(Outcome) },
                            >>::into_result(<__wit_S as Calculator>::outcome(&self.0)),
                        )
                    })
                }
                _ => call.unknown_method(),
            }
        }
    }
    impl crate::vendored::__private::v1::Client for CalculatorClient {
        const DESCRIPTOR: &'static crate::vendored::__private::v1::ServiceDescriptor = &__wit_descriptor;
        fn from_connection(connection: crate::vendored::Connection) -> Self {
            Self { connection }
        }
    }
    impl crate::vendored::__private::v1::Client for CalculatorAsyncClient {
        const DESCRIPTOR: &'static crate::vendored::__private::v1::ServiceDescriptor = &__wit_descriptor;
        fn from_connection(connection: crate::vendored::Connection) -> Self {
            Self { connection }
        }
    }
};
#[cfg(unix)]
const _: () = {
    const IS_RESULT: ::core::primitive::bool = {
        crate::vendored::__private::v1::is_result!(u8)
    };
    ::core::assert!(
        IS_RESULT == false,
        "`Calculator::r#type` returns a `Result` under another name: put `#[wit(result)]` on the method, so that its error reaches the client as `CallError::App`"
    );
};
#[cfg_attr(windows, cfg(feature = "calc"))]
const _: () = {
    const IS_RESULT: ::core::primitive::bool = {
        crate::vendored::__private::v1::is_result!(Outcome)
    };
    ::core::assert!(
        IS_RESULT == true,
        "`Calculator::outcome` does not return a `Result`: remove `#[wit(result)]`"
    );
};
