//! The `#[wit_service]` attribute of `witrpc`; see its documentation there.
//!
//! The path of a trait through this crate: `parse` reads the tokens, `model` says what they
//! mean, `check` finds what cannot cross to another process, and `expand` writes the code.
//! All that a user may be told stands in `wording`.

#![forbid(unsafe_code)]

mod attributes;
mod check;
mod conditions;
mod crate_name;
mod expand;
mod hygiene;
mod instance;
mod links;
mod model;
mod options;
mod parse;
mod report;
#[cfg(test)]
mod snapshots;
mod spelling;
mod wording;

use proc_macro2::TokenStream;

use crate::model::Service;
use crate::report::Report;

/// Makes a service of a trait: a server and typed clients, blocking and async.
///
/// For `trait Calculator` there come to be `CalculatorServer`, `CalculatorClient` and
/// `CalculatorAsyncClient`, of the trait's own visibility. The trait itself comes out as written
/// but for two things: `async fn` (or `fn .. -> impl Future`) becomes `fn .. -> impl Future + Send`, and `#[wit(..)]` is
/// stripped. A trait of plain `fn` methods stays dyn-compatible.
///
/// A default body stays in the trait, for those that implement it. Clients have its method as any other.
/// They do not have the methods of a supertrait: with `extends(Health)` they reach these by `as_health`.
///
/// A trait that exists often becomes a service by one line, without a change to its methods:
///
/// ```text
/// #[wit_service(types(Hash = H256), local(VERSION, attach))]
/// pub trait State<Hash>: Sync {
///     const VERSION: u32;
///     fn at(&self, block: Option<&Hash>) -> io::Result<u64>;
///     fn attach(&mut self, quit: Box<dyn FnOnce()>);
/// }
/// ```
///
/// # Options of the service
///
/// - `add_self`: methods without a receiver get `&self`, as `tarpc` has it. The `impl` writes it.
/// - `extends(Trait, ..)`: these supertraits are services too. The server serves them with the service itself,
///   and `as_trait` of a client is a client of them over the same connection. What is generated of a
///   supertrait is found beside it, under the usual names: `path::Trait` has a `path::TraitClient`.
/// - `forward`: `&T`, `Box<T>` and `Arc<T>` implement the trait if `T` does, which may be a trait object. Without
///   it, what is behind an `Arc` is served by `XServer::from_arc`.
/// - `local(name, ..)`: clients do not have these methods, types and constants, as with `#[wit(local)]` on each.
/// - `name = ".."`: the service's name on the wire, instead of the trait's.
/// - `crate = path`: where the `witrpc` crate is found, when it is renamed or re-exported.
/// - `client = Name`, `async_client = Name`, `server = Name`, `events = Name`: what is generated is called
///   that.
/// - `types(T = Type, ..)`: a generic trait is served for these types. Defaults of parameters need not be named.
/// - `results`: any return type may be a `Result` under another name; the compiler finds which are.
///
/// # Options of a method, `#[wit(..)]`
///
/// - `drop_on_disconnect`: the future of an `async fn` is dropped when its client has gone. The
///   handlers of all other methods run on, and are told by `CallContext::cancelled`.
/// - `event`: the service emits it, and clients subscribe to it.
/// - `idempotent`: running it twice does what running it once does. A client that comes
///   back to a server makes such calls again, even if they may have run already.
/// - `item = Name`: what the struct of an event is called.
/// - `local`: clients do not have it. It stays in the trait as it is, and may have any form. A constant or a
///   type takes this option too.
/// - `overflow = ".."`: what becomes of an event that a client has no room for: `"oldest"` (the default) or
///   `"newest"` is dropped, or its emitter waits, as long as `"wait 100ms"` says.
/// - `rename = ".."`: the method's name on the wire.
/// - `result`: the return type is a `Result` under another name. It is needed for a name such as
///   `Outcome`: of a type that takes types, or whose name ends in `Result`, the compiler finds it.
///
/// # Options of an argument, `#[wit(..)]`
///
/// - `ctx`: a `&CallContext` that the server fills in; it is not on the wire and not in clients.
///
/// # Arguments and results
///
/// An argument is an owned type, `&T`, `&str`, `&Path`, `&OsStr`, `&CStr`, or `&[T]`, which crosses as raw
/// bytes, or an `Option<&T>`, which crosses as one of the owned type. What a type is counts, and not what it is
/// called. A method returns an owned type, or a `Result` of owned types whose error then reaches the client as
/// `CallError::App`. Owned types implement serde's `Serialize` and `Deserialize`. An `io::Result` may be
/// returned too: its error reaches the client as a `RemoteError`.
#[proc_macro_attribute]
pub fn wit_service(
    options: proc_macro::TokenStream,
    item: proc_macro::TokenStream,
) -> proc_macro::TokenStream {
    service(options.into(), item.into()).into()
}

fn service(options: TokenStream, item: TokenStream) -> TokenStream {
    let mut report = Report::default();
    let input = match parse::input(options, item, &mut report) {
        Ok(input) => input,
        Err(item) => return report.beside(item),
    };
    let mut service = Service::of(&input, &mut report);
    check::service(&mut service, &mut report);
    if report.is_empty() {
        expand::service(&service)
    } else if report.is_conditional() {
        service.leave_out_mistakes();
        expand::without_mistakes(&service, report)
    } else {
        expand::fallback(&service, report)
    }
}
