//! For those who know WitRPC for .NET: its options, and ours.
//!
//! The .NET side is version 2.3.4 of the packages `OutWit.Communication.*` and `OutWit.InterProcess`,
//! as their [repository][net] has them; the files that the tables speak of are named below them. The
//! two do not talk to each other: the bytes, and the promises, are not the same.
//!
//! # The same service, twice
//!
//! ```csharp
//! public interface ICalculator { double Divide(double a, double b); }
//!
//! var server = WitServerBuilder.Build(options => {
//!     options.WithService(new Calculator());
//!     options.WithMemoryMappedFile("calc", size: 1_000_000);
//!     options.WithJson();
//! });
//! server.StartWaitingForConnection();
//!
//! var client = WitClientBuilder.Build(options => {
//!     options.WithMemoryMappedFile("calc");
//!     options.WithJson();
//! });
//! await client.ConnectAsync(TimeSpan.FromSeconds(5), CancellationToken.None);
//! var calculator = client.GetService<ICalculator>();
//! var quotient = calculator.Divide(1, 2);
//! ```
//!
//! ```
//! use std::time::Duration;
//! use witrpc::{Codec, Mmf, WitServer, wit_service};
//!
//! #[wit_service]
//! pub trait Calculator {
//!     fn divide(&self, a: f64, b: f64) -> Result<f64, String>;
//! }
//! # struct Desk;
//! # impl Calculator for Desk {
//! #     fn divide(&self, a: f64, b: f64) -> Result<f64, String> {
//! #         Ok(a / b)
//! #     }
//! # }
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # #[cfg(feature = "json")] {
//! # let place = Mmf::unguessable();
//! # let name = place.name();
//! let server = WitServer::builder()
//!     .listen(Mmf::new(name).size(1_000_000))
//!     .service(CalculatorServer::new(Desk))
//!     .start()?;
//!
//! let calculator = CalculatorClient::builder(name)
//!     .codec(Codec::Json)
//!     .wait_for_server(Duration::from_secs(5))
//!     .connect()?;
//! let quotient = calculator.divide(1.0, 2.0)?;
//! # assert_eq!(quotient, 0.5);
//! # }
//! # Ok(())
//! # }
//! ```
//!
//! # The service
//!
//! | .NET | Here |
//! | --- | --- |
//! | `interface ICalculator` | `#[wit_service] trait Calculator` |
//! | `Task<T> DivideAsync(..)` | `async fn divide(..) -> T`; whether a *client* blocks is the client's choice |
//! | a property | a method, or two |
//! | an exception of the service: `WitExceptionFault` with a status and a text | an error type of the method's own, back as [`CallError::App`](crate::CallError::App) |
//! | a proxy made at run time, by `Castle.Core`, or by a source generator | code made by the macro; a mistake is a compile error |
//!
//! # The server: `WitServerBuilderOptions`
//!
//! | .NET | Here | What differs |
//! | --- | --- | --- |
//! | `WithService(x)` | [`.service(XServer::new(x))`](crate::WitServerBuilder::service) | |
//! | `WithServices().AddService<I>(x)` | `.service(..)` again | |
//! | `WithMemoryMappedFile(name)` | [`.listen(name)`](crate::WitServerBuilder::listen) | a name is one user's own; in .NET the events and semaphores of a name are `Global\` |
//! | `WithMemoryMappedFile(name, size)` | [`Mmf::new(name).size(bytes)`](crate::Mmf::size) | 1 MiB unless given, in both. There one file serves both directions, and a message must fit; here it is a client's memory in both directions, and longer messages cross in segments |
//! | `WithJson()`, the default | [`Codec::Json`](crate::Codec) | the client alone chooses; the server speaks all codecs, unless [`.codecs(..)`](crate::WitServerBuilder::codecs) names them |
//! | `WithMemoryPack()`, `WithMessagePack()`, `WithProtoBuf()` | [`Codec::Postcard`](crate::Codec), the default | one binary codec; `&[T]` and `Vec<f64>` cross as raw memory beside either |
//! | `WithMessageSerializer(..)`, the envelope's | nothing | a call has no envelope |
//! | `WithTimeout(..)`, none unless given | [`call_timeout`](crate::ClientBuilder::call_timeout), the client's | 30 s unless given; a death is noticed without it |
//! | `WithDiscovery(..)`, over UDP | [`servers()`](crate::servers()) | the names served on this machine, by this user |
//! | `StartWaitingForConnection()` | [`.start()`](crate::WitServerBuilder::start) | a name in use is an error at once |
//! | `StopWaitingForConnection()` | [`stop_accepting()`](crate::WitServer::stop_accepting), or [`shutdown(deadline)`](crate::WitServer::shutdown) | the latter answers what has arrived |
//! | one client of a name at a time | [`max_clients`](crate::Mmf::max_clients), 64 | all at once, many calls of each in flight |
//!
//! # The client: `WitClientBuilderOptions`
//!
//! | .NET | Here | What differs |
//! | --- | --- | --- |
//! | `ConnectAsync(timeout, ..)`, a `bool` | [`connect()`](crate::ClientBuilder::connect), [`wait_for_server(..)`](crate::ClientBuilder::wait_for_server) | [`ConnectError`](crate::ConnectError) says why not |
//! | `GetService<I>()` | the client itself | `XClient` blocks, `XAsyncClient` does not |
//! | `WithTimeout(..)` | [`call_timeout(..)`](crate::ClientBuilder::call_timeout) | as above |
//! | `Disconnect()` | [`connection().disconnect()`](crate::Connection::disconnect), or dropping the last clone | |
//! | `ConnectionState`, `Disconnected` | [`connection().disconnect_reason()`](crate::Connection::disconnect_reason) | |
//!
//! # What there is no counterpart for
//!
//! Named pipes, TCP, WebSocket and REST: this crate never leaves the machine, though
//! [`transport`](crate::transport) is a seam for other ways to carry calls. Serializers of one's own.
//! Dependency injection and health checks are the application's.
//!
//! # What there is beside
//!
//! Linux: named maps of memory are for Windows alone in .NET. Pending calls that fail when the other
//! process dies. Messages that cannot overwrite each other. `in_process` clients for tests.
//!
//! # Where the left columns come from
//!
//! In the [repository][net], under `Communication/`: `OutWit.Communication.Server/WitServerBuilder.cs`
//! and `WitServerBuilderOptions.cs`, the same two of `OutWit.Communication.Client`,
//! `OutWit.Communication.Server.MMF/Utils/ServerMMFUtils.cs`, `MemoryMappedFileServerTransport.cs`,
//! `MemoryMappedFileServerTransportFactory.cs` and `README.md`,
//! `OutWit.Communication.Client/WitClient.cs`, and
//! `OutWit.Communication/Exceptions/WitExceptionFault.cs`. That named maps are for Windows is said by
//! .NET's own page of [`MemoryMappedFile.OpenExisting`][open].
//!
//! [net]: https://github.com/dmitrat/WitRPC
//! [open]: https://learn.microsoft.com/dotnet/api/system.io.memorymappedfiles.memorymappedfile.openexisting
