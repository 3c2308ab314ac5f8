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
/** Calls a [`Files`] in another process. Its methods block the calling thread; [`FilesAsyncClient`] is the other kind of client.

 Clones share one connection.*/
#[allow(dead_code, non_camel_case_types)]
#[derive(::core::clone::Clone, ::core::fmt::Debug)]
pub struct FilesClient {
    connection: ::witrpc::Connection,
}
/** Calls a [`Files`] in another process. Its methods are futures, for any executor; [`FilesClient`] is the other kind of client.

 Clones share one connection.*/
#[allow(dead_code, non_camel_case_types)]
#[derive(::core::clone::Clone, ::core::fmt::Debug)]
pub struct FilesAsyncClient {
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
        offsets,
        lines,
        write,
        sum,
    }
    struct __fn_offsets;
    impl __wit_v1::Message for __fn_offsets {
        type Arguments = (__wit_v1::Str,);
        const NUMBER: ::core::primitive::u16 = __wit_Methods::offsets as _;
        const ARGUMENTS: Self::Arguments = (__wit_v1::str("path"),);
    }
    impl __wit_v1::Method for __fn_offsets {
        type Ok = ();
        type Err = __wit_v1::NoAppError;
        const OK: __wit_v1::Value<Self::Ok> = __wit_v1::value::<()>("result");
    }
    impl __wit_v1::StreamMethod for __fn_offsets {
        type Made = u64;
        type Item = u64;
        type ItemErr = __wit_v1::NoAppError;
        const ITEMS: __wit_v1::Items<Self::Made, Self::Item, Self::ItemErr> = __wit_v1::items::<
            u64,
        >();
    }
    struct __fn_lines;
    impl __wit_v1::Message for __fn_lines {
        type Arguments = (__wit_v1::Value<String>,);
        const NUMBER: ::core::primitive::u16 = __wit_Methods::lines as _;
        const ARGUMENTS: Self::Arguments = (__wit_v1::value::<String>("path"),);
    }
    impl __wit_v1::Method for __fn_lines {
        type Ok = ();
        type Err = Problem;
        const OK: __wit_v1::Value<Self::Ok> = __wit_v1::value::<()>("result");
        const ERR: __wit_v1::Error<Self::Err> = __wit_v1::error::<Problem>();
    }
    impl __wit_v1::StreamMethod for __fn_lines {
        type Made = ::core::result::Result<String, Problem>;
        type Item = String;
        type ItemErr = Problem;
        const ITEMS: __wit_v1::Items<Self::Made, Self::Item, Self::ItemErr> = __wit_v1::items_of_results::<
            String,
            Problem,
        >();
    }
    struct __fn_write;
    impl __wit_v1::Message for __fn_write {
        type Arguments = (__wit_v1::Str, __wit_v1::Fed<Vec<u8>>);
        const NUMBER: ::core::primitive::u16 = __wit_Methods::write as _;
        const ARGUMENTS: Self::Arguments = (
            __wit_v1::str("path"),
            __wit_v1::iterator::<Vec<u8>>("blocks"),
        );
    }
    impl __wit_v1::Method for __fn_write {
        type Ok = u64;
        type Err = Problem;
        const OK: __wit_v1::Value<Self::Ok> = __wit_v1::value::<u64>("result");
        const ERR: __wit_v1::Error<Self::Err> = __wit_v1::error::<Problem>();
    }
    struct __fn_sum;
    impl __wit_v1::Message for __fn_sum {
        type Arguments = (__wit_v1::Fed<u64>,);
        const NUMBER: ::core::primitive::u16 = __wit_Methods::sum as _;
        const ARGUMENTS: Self::Arguments = (__wit_v1::stream::<u64>("numbers"),);
    }
    impl __wit_v1::Method for __fn_sum {
        type Ok = u64;
        type Err = __wit_v1::NoAppError;
        const OK: __wit_v1::Value<Self::Ok> = __wit_v1::value::<u64>("result");
    }
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
            S: ::core::marker::Sized + Files + ::core::marker::Send
                + ::core::marker::Sync + 'static,
        {
            __wit_v1::in_process::<Self>(FilesServer::new(service))
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
            let mut call = __wit_v1::ClientCall::opening::<
                __fn_offsets,
            >(&self.connection, (path,));
            let opened = call.block().outcome::<__fn_offsets>();
            opened.map(|()| call.blocking_stream::<__fn_offsets>())
        }
        /// Calls [`Files::lines`].
        pub fn lines(
            &self,
            path: String,
        ) -> ::core::result::Result<
            ::witrpc::BlockingStream<String, Problem>,
            ::witrpc::CallError<Problem>,
        > {
            let mut call = __wit_v1::ClientCall::opening::<
                __fn_lines,
            >(&self.connection, (&path,));
            let opened = call.block().outcome::<__fn_lines>();
            opened.map(|()| call.blocking_stream::<__fn_lines>())
        }
        /// Calls [`Files::write`].
        pub fn write(
            &self,
            path: &str,
            blocks: impl ::core::iter::Iterator<Item = Vec<u8>>,
        ) -> ::core::result::Result<u64, ::witrpc::CallError<Problem>> {
            let _ = __wit_v1::iterator::<Vec<u8>>;
            __wit_v1::ClientCall::opening::<__fn_write>(&self.connection, (path, ()))
                .block_feeding::<Vec<u8>>(blocks)
                .outcome::<__fn_write>()
        }
        /// Calls [`Files::sum`].
        pub fn sum(
            &self,
            numbers: impl ::core::iter::Iterator<Item = u64>,
        ) -> ::core::result::Result<u64, ::witrpc::CallError> {
            let _ = __wit_v1::stream::<u64>;
            __wit_v1::ClientCall::opening::<__fn_sum>(&self.connection, ((),))
                .block_feeding::<u64>(numbers)
                .outcome::<__fn_sum>()
        }
    }
    impl __wit_v1::Client for FilesClient {
        const DESCRIPTOR: &'static __wit_v1::ServiceDescriptor = &__wit_descriptor;
        fn from_connection(connection: ::witrpc::Connection) -> Self {
            Self { connection }
        }
    }
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
            S: ::core::marker::Sized + Files + ::core::marker::Send
                + ::core::marker::Sync + 'static,
        {
            __wit_v1::in_process::<Self>(FilesServer::new(service))
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
            Output = ::core::result::Result<
                ::witrpc::AsyncStream<u64>,
                ::witrpc::CallError,
            >,
        > + ::core::marker::Send + 'call {
            async move {
                let mut call = __wit_v1::ClientCall::opening::<
                    __fn_offsets,
                >(&self.connection, (path,));
                let opened = call.send().await.outcome::<__fn_offsets>();
                opened.map(|()| call.async_stream::<__fn_offsets>())
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
                let mut call = __wit_v1::ClientCall::opening::<
                    __fn_lines,
                >(&self.connection, (&path,));
                let opened = call.send().await.outcome::<__fn_lines>();
                opened.map(|()| call.async_stream::<__fn_lines>())
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
                let _ = __wit_v1::iterator::<Vec<u8>>;
                __wit_v1::ClientCall::opening::<__fn_write>(&self.connection, (path, ()))
                    .send_feeding::<Vec<u8>>(blocks)
                    .await
                    .outcome::<__fn_write>()
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
                let _ = __wit_v1::stream::<u64>;
                __wit_v1::ClientCall::opening::<__fn_sum>(&self.connection, ((),))
                    .send_feeding::<u64>(numbers)
                    .await
                    .outcome::<__fn_sum>()
            }
        }
    }
    impl __wit_v1::Client for FilesAsyncClient {
        const DESCRIPTOR: &'static __wit_v1::ServiceDescriptor = &__wit_descriptor;
        fn from_connection(connection: ::witrpc::Connection) -> Self {
            Self { connection }
        }
    }
    impl FilesServer {
        /// Serves `service`.
        pub fn new<S>(service: S) -> Self
        where
            S: ::core::marker::Sized + Files + ::core::marker::Send
                + ::core::marker::Sync + 'static,
        {
            Self::from_arc(::std::sync::Arc::new(service))
        }
        /// Serves what others have a hold of too.
        pub fn from_arc<S>(service: ::std::sync::Arc<S>) -> Self
        where
            S: ?::core::marker::Sized + Files + ::core::marker::Send
                + ::core::marker::Sync + 'static,
        {
            Self {
                service: ::std::sync::Arc::new(__wit_Dispatch(service)),
            }
        }
    }
    impl __wit_v1::IntoService for FilesServer {
        fn into_service(self) -> ::std::sync::Arc<dyn __wit_v1::Service> {
            self.service
        }
    }
    struct __wit_Dispatch<__wit_S: ?::core::marker::Sized>(::std::sync::Arc<__wit_S>);
    impl<
        __wit_S: ?::core::marker::Sized + Files + ::core::marker::Send
            + ::core::marker::Sync + 'static,
    > __wit_v1::Service for __wit_Dispatch<__wit_S> {
        fn descriptor(&self) -> &'static __wit_v1::ServiceDescriptor {
            &__wit_descriptor
        }
        fn dispatch(&self, call: __wit_v1::ServerCall<'_>) {
            match call.method() {
                <__fn_offsets as __wit_v1::Message>::NUMBER => {
                    let call = call.on_server_threads();
                    let service = ::core::clone::Clone::clone(&self.0);
                    call.stream(
                        __fn_offsets,
                        move |arguments, _, out| async move {
                            let (path,) = arguments.read::<__fn_offsets>()?;
                            out.iterate(<__wit_S as Files>::offsets(&service, &path))
                                .await;
                            ::core::result::Result::Ok(())
                        },
                    )
                }
                <__fn_lines as __wit_v1::Message>::NUMBER => {
                    let service = ::core::clone::Clone::clone(&self.0);
                    call.stream(
                        __fn_lines,
                        move |arguments, context, out| async move {
                            let (path,) = arguments.read::<__fn_lines>()?;
                            match <__wit_S as Files>::lines(&service, path, &context)
                                .await
                            {
                                ::core::result::Result::Ok(stream) => {
                                    out.forward(stream).await
                                }
                                ::core::result::Result::Err(error) => {
                                    out.refuse::<__fn_lines>(&error)
                                }
                            }
                            ::core::result::Result::Ok(())
                        },
                    )
                }
                <__fn_write as __wit_v1::Message>::NUMBER => {
                    let _ = __wit_v1::iterator::<Vec<u8>>;
                    let call = call.on_server_threads();
                    let ::core::option::Option::Some((call, feed)) = call
                        .feed::<Vec<u8>>() else { return };
                    let service = ::core::clone::Clone::clone(&self.0);
                    call.reply_async_result(
                        __fn_write,
                        move |arguments, _| async move {
                            let (path, ()) = arguments.read::<__fn_write>()?;
                            ::core::result::Result::Ok(
                                <__wit_S as Files>::write(&service, &path, feed.iterator()),
                            )
                        },
                    )
                }
                <__fn_sum as __wit_v1::Message>::NUMBER => {
                    let _ = __wit_v1::stream::<u64>;
                    let ::core::option::Option::Some((call, feed)) = call.feed::<u64>()
                    else { return };
                    let service = ::core::clone::Clone::clone(&self.0);
                    call.reply_async(
                        __fn_sum,
                        move |arguments, _| async move {
                            let ((),) = arguments.read::<__fn_sum>()?;
                            ::core::result::Result::Ok(
                                <__wit_S as Files>::sum(&service, feed.stream()).await,
                            )
                        },
                    )
                }
                _ => call.unknown_method(),
            }
        }
    }
    static __wit_descriptor: __wit_v1::ServiceDescriptor = __wit_v1::ServiceDescriptor {
        name: "Files",
        docs: "",
        methods: &[
            __wit_v1::MethodDescriptor::of_stream::<__fn_offsets>("offsets", ""),
            __wit_v1::MethodDescriptor::of_stream::<__fn_lines>("lines", "")
                .asynchronous(),
            __wit_v1::MethodDescriptor::of::<__fn_write>("write", ""),
            __wit_v1::MethodDescriptor::of::<__fn_sum>("sum", "").asynchronous(),
        ],
        events: &[],
    };
};
const _: () = ::core::assert!(
    { ::witrpc::__private::v1::is_result!(u64) } == false,
    "the items of `Files::offsets` are `Result`s under another name: put `#[wit(result)]` on the method, so that their errors reach the client as `CallError::App`"
);
const _: () = ::core::assert!(
    { ::witrpc::__private::v1::is_result!(u64) } == false,
    "`Files::sum` returns a `Result` under another name: put `#[wit(result)]` on the method, so that its error reaches the client as `CallError::App`"
);
