pub trait Files {
    fn offsets(&self, path: &str) -> impl Iterator<Item = u64> + ::core::marker::Send;
    fn lines(
        &self,
        path: String,
        cx: &CallContext,
    ) -> impl ::core::future::Future<
        Output = Result<
            impl Stream<Item = Result<String, Problem>> + ::core::marker::Send,
            Problem,
        >,
    > + ::core::marker::Send;
    fn write(
        &self,
        path: &str,
        blocks: impl Iterator<Item = Vec<u8>> + ::core::marker::Send,
    ) -> Result<u64, Problem>;
    fn sum(
        &self,
        numbers: impl Stream<Item = u64> + ::core::marker::Send,
    ) -> impl ::core::future::Future<Output = u64> + ::core::marker::Send;
}
/** Serves a [`Files`]: give one to the builder of a `WitServer`, which answers the calls of every client with it.

 Clones serve the same.*/
#[must_use = "a service answers nobody until it is given to a `WitServer`"]
#[allow(dead_code, non_camel_case_types)]
#[derive(::core::clone::Clone)]
pub struct FilesServer {
    service: ::std::sync::Arc<dyn ::witrpc::__private::v1::Service>,
}
#[allow(dead_code)]
impl FilesServer {
    /// Serves `service`.
    pub fn new<S>(service: S) -> Self
    where
        S: ::core::marker::Sized + Files + ::core::marker::Send + ::core::marker::Sync
            + 'static,
    {
        Self::from_arc(::std::sync::Arc::new(service))
    }
    /// Serves what others have a hold of too.
    pub fn from_arc<S>(service: ::std::sync::Arc<S>) -> Self
    where
        S: ?::core::marker::Sized + Files + ::core::marker::Send + ::core::marker::Sync
            + 'static,
    {
        Self {
            service: ::std::sync::Arc::new(__FilesDispatch(service)),
        }
    }
}
/** Calls a [`Files`] in another process. Its methods block the calling thread; [`FilesAsyncClient`] is the other flavour.

 Clones share one connection.*/
#[allow(dead_code, non_camel_case_types)]
#[derive(::core::clone::Clone, ::core::fmt::Debug)]
pub struct FilesClient {
    connection: ::witrpc::Connection,
}
#[allow(dead_code, deprecated, non_snake_case)]
impl FilesClient {
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
        S: ::core::marker::Sized + Files + ::core::marker::Send + ::core::marker::Sync
            + 'static,
    {
        ::witrpc::__private::v1::in_process::<Self>(FilesServer::new(service))
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
    /// Calls [`Files::offsets`].
    pub fn offsets(
        &self,
        path: &str,
    ) -> ::core::result::Result<::witrpc::BlockingStream<u64>, ::witrpc::CallError> {
        ::witrpc::__private::v1::assert_wire::<u64>();
        let mut call = ::witrpc::__private::v1::ClientCall::new(
            &self.connection,
            __FilesMethod::offsets as ::core::primitive::u16,
        );
        call.opens();
        call.str("path", path);
        let opened = call.block().value::<()>();
        opened.map(|()| call.blocking_values::<u64>())
    }
    /// Calls [`Files::lines`].
    pub fn lines(
        &self,
        path: String,
    ) -> ::core::result::Result<
        ::witrpc::BlockingStream<String, Problem>,
        ::witrpc::CallError<Problem>,
    > {
        ::witrpc::__private::v1::assert_travels::<String>();
        ::witrpc::__private::v1::assert_wire::<String>();
        ::witrpc::__private::v1::assert_wire::<Problem>();
        ::witrpc::__private::v1::assert_wire::<Problem>();
        let mut call = ::witrpc::__private::v1::ClientCall::new(
            &self.connection,
            __FilesMethod::lines as ::core::primitive::u16,
        );
        call.opens();
        call.value::<String>("path", &path);
        let opened = call.block().result::<(), Problem>();
        opened.map(|()| call.blocking_results::<String, Problem>())
    }
    /// Calls [`Files::write`].
    pub fn write(
        &self,
        path: &str,
        blocks: impl ::core::iter::Iterator<Item = Vec<u8>>,
    ) -> ::core::result::Result<u64, ::witrpc::CallError<Problem>> {
        ::witrpc::__private::v1::assert_wire::<Vec<u8>>();
        ::witrpc::__private::v1::assert_travels::<u64>();
        ::witrpc::__private::v1::assert_wire::<Problem>();
        let mut call = ::witrpc::__private::v1::ClientCall::new(
            &self.connection,
            __FilesMethod::write as ::core::primitive::u16,
        );
        call.opens();
        call.str("path", path);
        call.block_feeding::<Vec<u8>>(blocks).result::<u64, Problem>()
    }
    /// Calls [`Files::sum`].
    pub fn sum(
        &self,
        numbers: impl ::core::iter::Iterator<Item = u64>,
    ) -> ::core::result::Result<u64, ::witrpc::CallError> {
        ::witrpc::__private::v1::assert_wire::<u64>();
        ::witrpc::__private::v1::assert_travels::<u64>();
        let mut call = ::witrpc::__private::v1::ClientCall::new(
            &self.connection,
            __FilesMethod::sum as ::core::primitive::u16,
        );
        call.opens();
        call.block_feeding::<u64>(numbers).value::<u64>()
    }
}
/** Calls a [`Files`] in another process. Its methods are futures, for any executor; [`FilesClient`] is the other flavour.

 Clones share one connection.*/
#[allow(dead_code, non_camel_case_types)]
#[derive(::core::clone::Clone, ::core::fmt::Debug)]
pub struct FilesAsyncClient {
    connection: ::witrpc::Connection,
}
#[allow(dead_code, deprecated, non_snake_case)]
impl FilesAsyncClient {
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
        S: ::core::marker::Sized + Files + ::core::marker::Send + ::core::marker::Sync
            + 'static,
    {
        ::witrpc::__private::v1::in_process::<Self>(FilesServer::new(service))
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
    /// Calls [`Files::offsets`].
    pub fn offsets<'call>(
        &'call self,
        path: &'call str,
    ) -> impl ::core::future::Future<
        Output = ::core::result::Result<::witrpc::AsyncStream<u64>, ::witrpc::CallError>,
    > + ::core::marker::Send + 'call {
        async move {
            ::witrpc::__private::v1::assert_wire::<u64>();
            let mut call = ::witrpc::__private::v1::ClientCall::new(
                &self.connection,
                __FilesMethod::offsets as ::core::primitive::u16,
            );
            call.opens();
            call.str("path", path);
            let opened = call.send().await.value::<()>();
            opened.map(|()| call.async_values::<u64>())
        }
    }
    /// Calls [`Files::lines`].
    pub fn lines<'call>(
        &'call self,
        path: String,
    ) -> impl ::core::future::Future<
        Output = ::core::result::Result<
            ::witrpc::AsyncStream<String, Problem>,
            ::witrpc::CallError<Problem>,
        >,
    > + ::core::marker::Send + 'call {
        async move {
            ::witrpc::__private::v1::assert_travels::<String>();
            ::witrpc::__private::v1::assert_wire::<String>();
            ::witrpc::__private::v1::assert_wire::<Problem>();
            ::witrpc::__private::v1::assert_wire::<Problem>();
            let mut call = ::witrpc::__private::v1::ClientCall::new(
                &self.connection,
                __FilesMethod::lines as ::core::primitive::u16,
            );
            call.opens();
            call.value::<String>("path", &path);
            let opened = call.send().await.result::<(), Problem>();
            opened.map(|()| call.async_results::<String, Problem>())
        }
    }
    /// Calls [`Files::write`].
    pub fn write<'call>(
        &'call self,
        path: &'call str,
        blocks: impl ::witrpc::Stream<Item = Vec<u8>> + ::core::marker::Send + 'call,
    ) -> impl ::core::future::Future<
        Output = ::core::result::Result<u64, ::witrpc::CallError<Problem>>,
    > + ::core::marker::Send + 'call {
        async move {
            ::witrpc::__private::v1::assert_wire::<Vec<u8>>();
            ::witrpc::__private::v1::assert_travels::<u64>();
            ::witrpc::__private::v1::assert_wire::<Problem>();
            let mut call = ::witrpc::__private::v1::ClientCall::new(
                &self.connection,
                __FilesMethod::write as ::core::primitive::u16,
            );
            call.opens();
            call.str("path", path);
            call.send_feeding::<Vec<u8>>(blocks).await.result::<u64, Problem>()
        }
    }
    /// Calls [`Files::sum`].
    pub fn sum<'call>(
        &'call self,
        numbers: impl ::witrpc::Stream<Item = u64> + ::core::marker::Send + 'call,
    ) -> impl ::core::future::Future<
        Output = ::core::result::Result<u64, ::witrpc::CallError>,
    > + ::core::marker::Send + 'call {
        async move {
            ::witrpc::__private::v1::assert_wire::<u64>();
            ::witrpc::__private::v1::assert_travels::<u64>();
            let mut call = ::witrpc::__private::v1::ClientCall::new(
                &self.connection,
                __FilesMethod::sum as ::core::primitive::u16,
            );
            call.opens();
            call.send_feeding::<u64>(numbers).await.value::<u64>()
        }
    }
}
#[allow(dead_code, non_camel_case_types)]
enum __FilesMethod {
    offsets,
    lines,
    write,
    sum,
}
#[allow(non_camel_case_types)]
struct __FilesDispatch<S: ?::core::marker::Sized>(::std::sync::Arc<S>);
const _: () = {
    #[allow(non_upper_case_globals, deprecated)]
    static __wit_descriptor: ::witrpc::__private::v1::ServiceDescriptor = ::witrpc::__private::v1::ServiceDescriptor {
        name: "Files",
        docs: "",
        methods: &[
            ::witrpc::__private::v1::MethodDescriptor {
                name: "offsets",
                docs: "",
                is_async: false,
                idempotent: false,
                arguments: &[
                    ::witrpc::__private::v1::ArgumentDescriptor {
                        name: "path",
                        kind: ::witrpc::__private::v1::ArgumentKind::Str,
                        shape: { ::witrpc::__private::v1::trace_str },
                    },
                ],
                streams: true,
                result: {
                    ::witrpc::__private::v1::assert_wire::<u64>();
                    ::witrpc::__private::v1::trace::<u64>
                },
                error: ::core::option::Option::None,
            },
            ::witrpc::__private::v1::MethodDescriptor {
                name: "lines",
                docs: "",
                is_async: true,
                idempotent: false,
                arguments: &[
                    ::witrpc::__private::v1::ArgumentDescriptor {
                        name: "path",
                        kind: ::witrpc::__private::v1::ArgumentKind::Value,
                        shape: {
                            ::witrpc::__private::v1::assert_travels::<String>();
                            ::witrpc::__private::v1::trace::<String>
                        },
                    },
                ],
                streams: true,
                result: {
                    ::witrpc::__private::v1::assert_wire::<String>();
                    ::witrpc::__private::v1::assert_wire::<Problem>();
                    ::witrpc::__private::v1::trace_result::<String, Problem>
                },
                error: ::core::option::Option::Some({
                    ::witrpc::__private::v1::assert_wire::<Problem>();
                    ::witrpc::__private::v1::trace::<Problem>
                }),
            },
            ::witrpc::__private::v1::MethodDescriptor {
                name: "write",
                docs: "",
                is_async: false,
                idempotent: false,
                arguments: &[
                    ::witrpc::__private::v1::ArgumentDescriptor {
                        name: "path",
                        kind: ::witrpc::__private::v1::ArgumentKind::Str,
                        shape: { ::witrpc::__private::v1::trace_str },
                    },
                    ::witrpc::__private::v1::ArgumentDescriptor {
                        name: "blocks",
                        kind: ::witrpc::__private::v1::ArgumentKind::Iterator,
                        shape: {
                            ::witrpc::__private::v1::assert_wire::<Vec<u8>>();
                            ::witrpc::__private::v1::trace::<Vec<u8>>
                        },
                    },
                ],
                streams: false,
                result: {
                    ::witrpc::__private::v1::assert_travels::<u64>();
                    ::witrpc::__private::v1::trace::<u64>
                },
                error: ::core::option::Option::Some({
                    ::witrpc::__private::v1::assert_wire::<Problem>();
                    ::witrpc::__private::v1::trace::<Problem>
                }),
            },
            ::witrpc::__private::v1::MethodDescriptor {
                name: "sum",
                docs: "",
                is_async: true,
                idempotent: false,
                arguments: &[
                    ::witrpc::__private::v1::ArgumentDescriptor {
                        name: "numbers",
                        kind: ::witrpc::__private::v1::ArgumentKind::Stream,
                        shape: {
                            ::witrpc::__private::v1::assert_wire::<u64>();
                            ::witrpc::__private::v1::trace::<u64>
                        },
                    },
                ],
                streams: false,
                result: {
                    ::witrpc::__private::v1::assert_travels::<u64>();
                    ::witrpc::__private::v1::trace::<u64>
                },
                error: ::core::option::Option::None,
            },
        ],
        events: &[],
    };
    impl ::witrpc::__private::v1::IntoService for FilesServer {
        fn into_service(self) -> ::std::sync::Arc<dyn ::witrpc::__private::v1::Service> {
            self.service
        }
    }
    #[allow(non_upper_case_globals)]
    const __wit_number_offsets: ::core::primitive::u16 = __FilesMethod::offsets
        as ::core::primitive::u16;
    #[allow(non_upper_case_globals)]
    const __wit_number_lines: ::core::primitive::u16 = __FilesMethod::lines
        as ::core::primitive::u16;
    #[allow(non_upper_case_globals)]
    const __wit_number_write: ::core::primitive::u16 = __FilesMethod::write
        as ::core::primitive::u16;
    #[allow(non_upper_case_globals)]
    const __wit_number_sum: ::core::primitive::u16 = __FilesMethod::sum
        as ::core::primitive::u16;
    #[allow(deprecated, non_camel_case_types, non_snake_case)]
    impl<
        __wit_S: ?::core::marker::Sized + Files + ::core::marker::Send
            + ::core::marker::Sync + 'static,
    > ::witrpc::__private::v1::Service for __FilesDispatch<__wit_S> {
        fn descriptor(&self) -> &'static ::witrpc::__private::v1::ServiceDescriptor {
            &__wit_descriptor
        }
        fn dispatch(&self, call: ::witrpc::__private::v1::ServerCall<'_>) {
            match call.method() {
                __wit_number_offsets => {
                    ::witrpc::__private::v1::assert_wire::<u64>();
                    let call = call.on_server_threads();
                    let service = ::core::clone::Clone::clone(&self.0);
                    call.stream(
                        ::witrpc::__private::v1::encoding_of::<u64>(),
                        move |arguments, _, out| async move {
                            let mut arguments = arguments.open();
                            let path = arguments.str("path")?;
                            arguments.finish()?;
                            out.iterate(<__wit_S as Files>::offsets(&service, &path))
                                .await;
                            ::core::result::Result::Ok(())
                        },
                    )
                }
                __wit_number_lines => {
                    ::witrpc::__private::v1::assert_travels::<String>();
                    ::witrpc::__private::v1::assert_wire::<String>();
                    ::witrpc::__private::v1::assert_wire::<Problem>();
                    ::witrpc::__private::v1::assert_wire::<Problem>();
                    let service = ::core::clone::Clone::clone(&self.0);
                    call.stream(
                        ::witrpc::__private::v1::encoding_of_results::<
                            String,
                            Problem,
                        >(),
                        move |arguments, context, out| async move {
                            let mut arguments = arguments.open();
                            let path = arguments.value::<String>("path")?;
                            arguments.finish()?;
                            match <__wit_S as Files>::lines(&service, path, &context)
                                .await
                            {
                                ::core::result::Result::Ok(stream) => {
                                    out.forward(stream).await
                                }
                                ::core::result::Result::Err(error) => {
                                    out.refuse::<Problem>(&error)
                                }
                            }
                            ::core::result::Result::Ok(())
                        },
                    )
                }
                __wit_number_write => {
                    ::witrpc::__private::v1::assert_wire::<Vec<u8>>();
                    ::witrpc::__private::v1::assert_travels::<u64>();
                    ::witrpc::__private::v1::assert_wire::<Problem>();
                    let call = call.on_server_threads();
                    let ::core::option::Option::Some((call, feed)) = call
                        .feed::<Vec<u8>>() else { return };
                    let service = ::core::clone::Clone::clone(&self.0);
                    call.reply_async_result::<
                            u64,
                            Problem,
                            _,
                        >(move |arguments, _| async move {
                        let mut arguments = arguments.open();
                        let path = arguments.str("path")?;
                        let blocks = feed.iterator();
                        arguments.finish()?;
                        ::core::result::Result::Ok(
                            <__wit_S as Files>::write(&service, &path, blocks),
                        )
                    })
                }
                __wit_number_sum => {
                    ::witrpc::__private::v1::assert_wire::<u64>();
                    ::witrpc::__private::v1::assert_travels::<u64>();
                    let ::core::option::Option::Some((call, feed)) = call.feed::<u64>()
                    else { return };
                    let service = ::core::clone::Clone::clone(&self.0);
                    call.reply_async::<
                            u64,
                            _,
                        >(move |arguments, _| async move {
                        let mut arguments = arguments.open();
                        let numbers = feed.stream();
                        arguments.finish()?;
                        ::core::result::Result::Ok(
                            <__wit_S as Files>::sum(&service, numbers).await,
                        )
                    })
                }
                _ => call.unknown_method(),
            }
        }
    }
    impl ::witrpc::__private::v1::Client for FilesClient {
        const DESCRIPTOR: &'static ::witrpc::__private::v1::ServiceDescriptor = &__wit_descriptor;
        fn from_connection(connection: ::witrpc::Connection) -> Self {
            Self { connection }
        }
    }
    impl ::witrpc::__private::v1::Client for FilesAsyncClient {
        const DESCRIPTOR: &'static ::witrpc::__private::v1::ServiceDescriptor = &__wit_descriptor;
        fn from_connection(connection: ::witrpc::Connection) -> Self {
            Self { connection }
        }
    }
};
const _: () = {
    const IS_RESULT: ::core::primitive::bool = {
        ::witrpc::__private::v1::is_result!(u64)
    };
    ::core::assert!(
        IS_RESULT == false,
        "the items of `Files::offsets` are `Result`s under another name: put `#[wit(result)]` on the method, so that their errors reach the client as `CallError::App`"
    );
};
const _: () = {
    const IS_RESULT: ::core::primitive::bool = {
        ::witrpc::__private::v1::is_result!(u64)
    };
    ::core::assert!(
        IS_RESULT == false,
        "`Files::sum` returns a `Result` under another name: put `#[wit(result)]` on the method, so that its error reaches the client as `CallError::App`"
    );
};
