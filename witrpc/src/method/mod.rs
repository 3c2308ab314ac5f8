//! A method, as generated code declares it once for its client, its server and its contract.
//!
//! A [`Message`] is what crosses one way: the arguments of a method or an event. A [`Method`] also
//! has an answer, a [`StreamMethod`] items behind it. Each constant of theirs holds functions for
//! one type, made where that type's bounds are asked for. Nothing else asks for them again, so a
//! type that lacks one is one error for the user.

mod answer;
mod argument;
mod debug_probe;
mod describe;
mod items;
mod lent;
mod list;
mod result_probe;
mod upload_item;

use crate::error::CallError;

pub use answer::{AnswerOf, alias, answer, answer_or_error};
pub use argument::{Error, Raw, Str, Uploaded, Value, iterator, raw, str, stream, value};
pub use debug_probe::{DebugProbe, NotDebug};
pub use items::ReadItems;
pub use items::{
    AliasItems, ItemErr, ItemOk, ItemTypes, ItemsOf, Made, ResultItems, ValueItems, items,
    items_of_alias, items_of_results,
};
pub use lent::{
    Borrowed, Lendable, LentType, Optional, Owned, emitted, emitted_lent, lend, lent, optional,
};
pub use list::ArgumentList;
pub use result_probe::{IoProbe, NotIoResult, NotResult, Probe, ResultType, result};
pub use upload_item::UploadItem;

/// The content of one request or one event.
pub trait Message {
    /// The forms of the arguments, in order.
    type Args: ArgumentList;

    /// Its place among the methods or the events of its service.
    const NUMBER: u16;

    /// The forms of the arguments, in order.
    const ARGS: Self::Args;
}

/// The arguments of a message as the sender lends them.
pub type LentTo<'a, M> = <<M as Message>::Args as ArgumentList>::Lent<'a>;

/// The arguments of a message as the receiver has them.
pub type TakenBy<'a, M> = <<M as Message>::Args as ArgumentList>::Taken<'a>;

/// A method of a service.
pub trait Method: Message {
    /// The value that it answers with; `()` if it returns a stream.
    type Ok: 'static;

    /// Its own error, which reaches the client as `CallError::App`.
    type Err: 'static;

    /// The forms of value and error.
    const ANSWER: AnswerOf<Self>;

    /// The form of the value.
    #[doc(hidden)]
    const OK: Value<Self::Ok> = Self::ANSWER.ok;

    /// The form of its own error, if it has one.
    #[doc(hidden)]
    const ERR: Error<Self::Err> = Self::ANSWER.err;

    /// Whether its future is dropped when its client goes.
    const DROP_ON_DISCONNECT: bool = false;
}

/// Returns the form of the own error of a method that has answered with one.
///
/// # Panics
///
/// Panics if the method declares no error.
#[inline]
pub fn error_of<M: Method>() -> Value<M::Err> {
    M::ERR.expect("generated code says how the method's own error crosses")
}

/// A method that returns a stream.
pub trait StreamMethod: Method {
    /// The types of the items.
    type Items: ItemTypes<Made: Send>;

    /// The form of the items.
    const ITEMS: ItemsOf<Self>;
}

/// A method that takes a stream.
pub trait UploadMethod: Method {
    /// An item.
    type Item: UploadItem;
}

/// An event of a service, as its subscribers have it.
pub trait EventItem: Message + Sized + Send + 'static {
    /// Makes it from the arguments that it was emitted with.
    fn of(taken: TakenBy<'_, Self>) -> Self;
}

/// The outcome of a method whose return type may be a `Result` under another name.
pub type AliasOutcome<R, const KIND: u8> =
    Result<<R as ResultType<KIND>>::Ok, CallError<<R as ResultType<KIND>>::Err>>;
