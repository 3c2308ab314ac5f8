//! Everything a user may be told, in one table. Each sentence says what is wrong with the token it
//! stands under and what to write instead.

use std::fmt::Display;

// ---- what the attribute is on -------------------------------------------------------------

pub(crate) fn not_a_trait(found: &str) -> String {
    format!(
        "`#[wit_service]` goes on a trait, this is {found}; put it on the trait whose methods \
         cross to the other process, and implement that trait as usual"
    )
}

pub(crate) fn generic_trait(item: &syn::ItemTrait) -> String {
    let name = &item.ident;
    let parameters = item.generics.params.iter().map(|parameter| match parameter {
        syn::GenericParam::Type(parameter) => format!("`{}`", parameter.ident),
        syn::GenericParam::Lifetime(parameter) => format!("`{}`", parameter.lifetime),
        syn::GenericParam::Const(parameter) => format!("`{}`", parameter.ident),
    });
    let parameters = parameters.collect::<Vec<_>>().join(", ");
    let choice = item.generics.type_params().map(|parameter| format!("{} = ..", parameter.ident));
    let choice = choice.collect::<Vec<_>>().join(", ");
    let instead = if item.generics.type_params().count() == item.generics.params.len() {
        format!("say which types it is served for by `#[wit_service(types({choice}))]`, or ")
    } else {
        String::new()
    };
    format!(
        "a service has one fixed set of methods, so its trait cannot be generic; {instead}write \
         `trait {name} {{ .. }}` with concrete types in place of {parameters}"
    )
}

pub(crate) fn no_such_parameter(service: impl Display, name: impl Display) -> String {
    format!(
        "`{service}` has no type parameter `{name}`; remove it, or write the name as in the trait"
    )
}

pub(crate) fn no_supertrait(service: impl Display, path: impl Display) -> String {
    format!(
        "`{path}` is not written as a supertrait of `{service}`; write `trait {service}: {path}`, or remove \
         it here"
    )
}

pub(crate) fn taken_by_supertrait(name: impl Display) -> String {
    format!(
        "clients reach the service of a supertrait by a function `{name}`; give this one another name, and if \
         `{name}` is to stay its name on the wire add `#[wit(rename = \"{name}\")]`"
    )
}

pub(crate) fn not_forwarded(item: impl Display) -> String {
    format!(
        "what `forward` implements is made of `&self` alone, which `{item}` is not; give it a body in the \
         trait, move it out, or remove `forward`"
    )
}

pub(crate) fn no_such_item(service: impl Display, name: impl Display) -> String {
    format!(
        "`{service}` has no method, type or constant `{name}` that could be local; remove it, or write the \
         name as in the trait"
    )
}

pub(crate) const ASYNC_TRAIT: &str =
    "`#[wit_service]` takes `async fn` as it is; remove `#[async_trait]`, here and at the `impl`";

pub(crate) const SERDE_OPTION: &str = "serde's options say how a type is encoded, and stand on its fields; put them into a struct that the \
     method takes or returns";

pub(crate) const SERDE_OPTION_OF_METHOD: &str =
    "serde's options stand on types; a method's name on the wire is `#[wit(rename = \"..\")]`";

pub(crate) const UNSAFE_TRAIT: &str = "a service trait cannot be `unsafe`: a client in another process cannot vouch for anything; remove `unsafe`";

pub(crate) const AUTO_TRAIT: &str = "an `auto` trait has no methods to serve; remove `auto`";

pub(crate) const NOT_A_METHOD: &str = "a service trait holds methods only: a constant, type or macro cannot cross to another \
     process; put `#[wit(local)]` on a constant or type that is for those alone that implement the trait, or \
     move it out of the trait";

// ---- methods ------------------------------------------------------------------------------

pub(crate) fn receiver_missing(method: impl Display, others: usize) -> String {
    if others > 0 {
        return format!(
            "`{method}` and {others} more have no receiver; add `add_self` to `#[wit_service(..)]`, which \
             gives them all one, or write `&self` as their first argument"
        );
    }
    format!(
        "`{method}` has no receiver; write `&self` as its first argument, since it is called on \
         the service, or add `add_self` to `#[wit_service(..)]` for all methods"
    )
}

pub(crate) const RECEIVER_BY_VALUE: &str =
    "one service serves many calls, so a method cannot consume it; write `&self`";

pub(crate) const RECEIVER_MUTABLE: &str = "calls run at the same time, so a method cannot have the service to itself; write `&self`, and \
     keep what changes in a field such as `state: Mutex<State>` or `count: AtomicU64`";

pub(crate) const RECEIVER_TYPED: &str = "write the receiver as `&self`";

pub(crate) const GENERIC_METHOD: &str =
    "a method that crosses to another process cannot be generic; write the concrete types";

pub(crate) const METHOD_LIFETIME: &str = "an argument lives as long as its call and a result is owned, so there is nothing for a \
     lifetime parameter to say; remove it";

pub(crate) const METHOD_WHERE: &str =
    "a method that crosses to another process cannot have a `where` clause; remove it";

pub(crate) const CONST_METHOD: &str = "a call to another process cannot be `const`; remove `const`";

pub(crate) const UNSAFE_METHOD: &str = "a method cannot be `unsafe`: a client in another process cannot vouch for anything; remove \
     `unsafe`, and check the arguments in the method";

pub(crate) const EXTERN_METHOD: &str = "a service method has no ABI of its own; remove `extern`";

pub(crate) const VARIADIC_METHOD: &str =
    "a service method has a fixed number of arguments; take a `Vec` instead";

pub(crate) fn too_many_arguments(most: usize, found: usize) -> String {
    format!(
        "a method takes at most {most} arguments, this one has {found}; put some of them together \
         in a struct"
    )
}

pub(crate) fn reserved_name(name: impl Display) -> String {
    format!(
        "clients have a function `{name}` of their own; give this one another name, and if \
         `{name}` is to stay its name on the wire add `#[wit(rename = \"{name}\")]`"
    )
}

pub(crate) fn duplicate_wire_name(name: impl Display, first: impl Display) -> String {
    format!(
        "`{first}` already has the wire name \"{name}\"; give this one another with \
         `#[wit(rename = \"..\")]`"
    )
}

// ---- events -------------------------------------------------------------------------------

pub(crate) const EVENT_RESULT: &str =
    "an event has no answer, so it returns nothing; remove the return type, or make a method of it";

pub(crate) const EVENT_ASYNC: &str =
    "the service does not implement events, so they cannot be `async`; remove `async`";

pub(crate) const EVENT_BODY: &str = "an event has no body: the service emits it; end it with `;`";

pub(crate) const EVENT_CONTEXT: &str =
    "no call brings an event, so it has no context; remove this argument";

pub(crate) const EVENT_STREAM: &str =
    "an event is one value for each subscriber; emit it several times instead of a stream";

pub(crate) fn event_clash(event: impl Display, taken: &str, other: impl Display) -> String {
    format!(
        "clients get the functions `{event}` and `on_{event}` of this event, and `{taken}` is \
         taken by {other}; give one of the two another name"
    )
}

pub(crate) fn event_twice(event: impl Display) -> String {
    format!("there already is an event `{event}`; give this one another name, or remove it")
}

pub(crate) fn reserved_event(event: impl Display, what: &str) -> String {
    format!(
        "the event `{event}` would be called as {what} is in the generated code; give it another \
         name, and if `{event}` is to stay its name on the wire add `#[wit(rename = \"{event}\")]`"
    )
}

pub(crate) fn item_clash(service: impl Display, event: impl Display, item: impl Display) -> String {
    format!(
        "the event `{event}` of `{service}` gets a struct `{item}`, and the trait uses a type of that \
         name; give the struct another one with `#[wit(item = ..)]`"
    )
}

pub(crate) fn generated_twice(name: impl Display, what: &str, other: &str) -> String {
    format!("{what} and {other} cannot both be called `{name}`; give one of them another name")
}

pub(crate) fn generated_clash(name: impl Display, what: &str, option: &str) -> String {
    format!(
        "{what} would be called `{name}`, as a type that the trait uses is; give it another name with \
         `#[wit_service({option} = ..)]`"
    )
}

// ---- arguments ----------------------------------------------------------------------------

pub(crate) const PATTERN_ARGUMENT: &str = "an argument needs a name of its own, which clients and the contract show; write `name: Type` \
     and take it apart in the method";

pub(crate) const MUTABLE_BINDING: &str =
    "`mut` is the business of the `impl`; remove it from the trait";

pub(crate) const UNNAMED_ARGUMENT: &str =
    "an argument needs a name, which clients and the contract show; write one instead of `_`";

pub(crate) const CONDITIONAL_ARGUMENT: &str = "both processes must agree on the arguments, so one cannot be conditional; put the `#[cfg]` on \
     the method, or make the argument an `Option`";

pub(crate) const TWO_CONTEXTS: &str =
    "a method has at most one `#[wit(ctx)]` argument; remove this one";

pub(crate) const NOT_A_CONTEXT: &str =
    "an argument with `#[wit(ctx)]` is the call's context; write its type as `&CallContext`";

// ---- types, of arguments and results ------------------------------------------------------

pub(crate) const SELF_TYPE: &str = "the client does not know the type that implements the service, so `Self` cannot be part of a \
     signature; write the concrete type";

pub(crate) const IMPL_ARGUMENT: &str =
    "another process cannot be handed an `impl Trait`; write the concrete type";

pub(crate) const IMPL_RESULT: &str =
    "another process cannot hand out an `impl Trait`; write the concrete type";

pub(crate) const IMPL_FUTURE: &str =
    "write the method as `async fn` with the future's output as its return type";

pub(crate) const STREAM_WITHOUT_ITEM: &str =
    "a stream says what its items are; write `impl Iterator<Item = T>` or `impl Stream<Item = T>`";

pub(crate) const STREAM_IN_STREAM: &str = "the items of a stream are values, and cannot be streams themselves; send an item that says which \
     of the inner streams it belongs to, or make a method of the inner stream";

pub(crate) const STREAM_INSIDE: &str = "a stream stands by itself, as an argument, as what a method returns, or as the first type of \
     `Result<.., ..>`; it cannot be part of another type";

pub(crate) const STREAM_BOUND: &str = "a stream that crosses to another process has no other traits; write `impl Iterator<Item = T>` or \
     `impl Stream<Item = T>`";

pub(crate) const BOXED_STREAM: &str = "a stream is written `impl Stream<Item = T>` or `impl Iterator<Item = T>`; what a method returns as one \
     may well be boxed";

pub(crate) const STREAM_RESULT_ALIAS: &str = "beside a stream the `Result` must be spelled with both types, since nothing can be asked about an \
     `impl Trait`; write `Result<impl .., E>`";

pub(crate) const STREAM_IN_AND_OUT: &str = "a method takes a stream or returns one, not both; return what the stream comes to, or make a \
     method for each direction";

pub(crate) const TWO_STREAMS: &str =
    "a method takes at most one stream; make it one whose items are an `enum` of both";

pub(crate) const DYN_TYPE: &str = "a trait object cannot cross to another process; write a concrete type, for instance an enum of \
     the cases there are, or `#[wit(local)]` on a method that clients need not have";

pub(crate) const DYN_ERROR: &str = "an error that is a trait object cannot cross to another process; write `witrpc::RemoteError`, which `?` \
     makes of every error, and of a boxed one `RemoteError::new`";

pub(crate) const RAW_POINTER: &str =
    "a pointer means nothing in another process; send the value it points to";

pub(crate) const FN_POINTER: &str =
    "a function pointer means nothing in another process; send an enum that says what to do";

pub(crate) const MUTABLE_REFERENCE: &str = "the other process cannot change the caller's value; take it by value or by `&`, and return \
     what has changed";

pub(crate) const STATIC_ARGUMENT: &str =
    "what is lent to a method is gone after the call; remove `'static`";

pub(crate) const NESTED_REFERENCE: &str = "a reference cannot cross inside another type; write the owned type, such as `String` for \
     `&str` or `Vec<T>` for `&[T]`";

pub(crate) const NESTED_LIFETIME: &str = "a type that borrows cannot cross to another process; write a type that owns its data, such as \
     `Cow<'static, str>` or `String`";

pub(crate) const RETURNED_REFERENCE: &str = "a result cannot borrow from the other process; return the owned type, such as `String` for \
     `&str` or `Vec<T>` for `&[T]`";

pub(crate) const UNSIZED_SLICE: &str =
    "a slice has no size of its own; write `&[T]`, or `Vec<T>` to hand it over";

pub(crate) const UNSIZED_STR: &str =
    "`str` has no size of its own; write `&str`, or `String` to hand it over";

pub(crate) const UNSIZED_RESULT: &str =
    "a result must be owned; return `Vec<T>` for a slice, `String` for a `str`";

pub(crate) const NEVER_RETURNS: &str = "a call must be answered; return `()`";

pub(crate) fn machine_sized_element(element: &str, fixed: &str) -> String {
    format!(
        "`{element}` differs from machine to machine, so its raw bytes are not a contract; write \
         `&[{fixed}]`, or take a `Vec<{element}>`"
    )
}

pub(crate) fn machine_sized_share(
    element: &str,
    fixed: &str,
    (before, behind): (&str, &str),
) -> String {
    format!(
        "`{element}` differs from machine to machine, so its raw bytes are not a contract; write \
         `{before}{fixed}{behind}`"
    )
}

/// Becomes the message of a const assertion, so it is about the method as a whole.
pub(crate) fn hidden_result(service: impl Display, method: impl Display) -> String {
    format!(
        "`{service}::{method}` returns a `Result` under another name: put `#[wit(result)]` on the \
         method, or `results` into `#[wit_service(..)]`, so that its error reaches the client as \
         `CallError::App`"
    )
}

/// Returns the same text about the items of a stream.
pub(crate) fn hidden_result_of_items(service: impl Display, method: impl Display) -> String {
    format!(
        "the items of `{service}::{method}` are `Result`s under another name: put `#[wit(result)]` \
         on the method, or `results` into `#[wit_service(..)]`, so that their errors reach the \
         client as `CallError::App`"
    )
}

/// Returns the text about a method that is marked.
pub(crate) fn no_result(service: impl Display, method: impl Display) -> String {
    format!("`{service}::{method}` does not return a `Result`: remove `#[wit(result)]`")
}

/// Returns the same text about the items of a stream.
pub(crate) fn no_result_of_items(service: impl Display, method: impl Display) -> String {
    format!("the items of `{service}::{method}` are no `Result`s: remove `#[wit(result)]`")
}

// ---- options ------------------------------------------------------------------------------

pub(crate) fn unknown_option(option: impl Display, place: &str, allowed: &str) -> String {
    format!("unknown option `{option}`; {place} takes {allowed}")
}

pub(crate) fn repeated_option(option: impl Display, place: &str, allowed: &str) -> String {
    format!("`{option}` is given twice; {place} takes each of {allowed} once, remove one")
}

pub(crate) fn misplaced_option(
    option: impl Display,
    belongs: &str,
    write: &str,
    place: &str,
    allowed: &str,
) -> String {
    format!("`{option}` belongs on {belongs}, as {write}; {place} takes {allowed}")
}

pub(crate) fn flag_with_value(option: impl Display) -> String {
    format!("`{option}` takes no value; write `{option}` alone")
}

pub(crate) fn option_form(option: impl Display, form: &str) -> String {
    format!("write the option `{option}` as `{form}`")
}

pub(crate) fn empty_text(form: &str) -> String {
    format!("a text that is empty says nothing; write `{form}` with one, or remove it")
}

pub(crate) fn not_for_events(option: impl Display) -> String {
    format!("`{option}` is an option of calls, not of events; remove it")
}

pub(crate) const OVERFLOW_WITHOUT_EVENT: &str = "`overflow` says what becomes of events that a client has no room for; add `event`, or remove it";

pub(crate) const ITEM_WITHOUT_EVENT: &str =
    "`item` names the struct that subscribers get of an event; add `event`, or remove it";

pub(crate) const DROP_OF_BLOCKING: &str = "nothing can end a method that blocks its thread, so `drop_on_disconnect` is for an `async fn` alone; \
     make it one, or remove the option and ask `CallContext::cancelled` now and then";

pub(crate) const OVERFLOW_FORM: &str = "write `overflow = \"oldest\"` to drop the oldest events when a client has no room, \"newest\" to drop \
     the new ones, or \"wait 100ms\" (`us`, `ms` or `s`) to make the emitter wait for at most that time";

pub(crate) fn no_options(place: &str, allowed: &str) -> String {
    format!("write `#[wit(..)]` with an option in the brackets; {place} takes {allowed}")
}

pub(crate) const NO_OPTIONS_HERE: &str = "nothing here takes options; remove `#[wit(..)]`";

pub(crate) const LOCAL_BESIDE_OTHERS: &str = "a local method is no part of the service, so no other option means anything; remove the others";

pub(crate) const TRAIT_OPTIONS: &str =
    "the options of a service go in the attribute itself; write `#[wit_service(..)]`";
