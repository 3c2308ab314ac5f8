//! The service's side of made-up calls.

use std::any::Any;
use std::fmt::Debug;
use std::sync::{Arc, Mutex, MutexGuard};

use arbitrary::Arbitrary;
use witrpc::{CallError, Codec, EventError};

use super::made_up;

/// A service that keeps the arguments that arrive, and gives the answer that was laid out for them.
#[derive(Clone, Debug, Default)]
pub struct Desk(Arc<Mutex<MadeUpCall>>);

#[derive(Debug, Default)]
struct MadeUpCall {
    answer: Option<Box<dyn Any + Send>>,
    arrived: Option<Box<dyn Any + Send>>,
}

impl Desk {
    /// Takes the arguments of a call and returns its answer.
    pub fn serve<A: Send + 'static, R: 'static>(&self, arguments: A) -> R {
        let mut call = self.call();
        call.arrived = Some(Box::new(arguments));
        let answer = call.answer.take().expect("an answer is laid out for one call");
        *answer.downcast().expect("the answer is of the method's type")
    }

    /// Calls a method with made-up arguments, which is to return made-up values.
    pub fn plain<A, R, E: Debug>(&self, codec: Codec, call: impl Fn(A) -> Result<R, E>)
    where
        A: for<'a> Arbitrary<'a> + Clone + PartialEq + Debug + 'static,
        R: for<'a> Arbitrary<'a> + Clone + PartialEq + Debug + Send + 'static,
    {
        for (arguments, answer) in made_up::<(A, R)>() {
            self.call().answer = Some(Box::new(answer.clone()));
            match call(arguments.clone()) {
                Ok(back) => assert_eq!(back, answer, "over {codec}"),
                Err(error) => panic!("{error:?}, over {codec}: {arguments:?}, {answer:?}"),
            }
            let arrived = self.call().arrived.take().expect("the call arrived");
            let arrived = arrived.downcast::<A>().expect("the arguments are of the method's types");
            assert_eq!(*arrived, arguments, "over {codec}");
        }
    }

    /// Does the same for a method that returns a `Result`.
    pub fn result<A, T, E>(&self, codec: Codec, call: impl Fn(A) -> Result<T, CallError<E>>)
    where
        A: for<'a> Arbitrary<'a> + Clone + PartialEq + Debug + 'static,
        T: for<'a> Arbitrary<'a> + Clone + PartialEq + Debug + Send + 'static,
        E: for<'a> Arbitrary<'a> + Clone + PartialEq + Debug + Send + 'static,
    {
        self.plain(codec, |arguments| match call(arguments) {
            Ok(value) => Ok(Ok(value)),
            Err(CallError::App(error)) => Ok(Err(error)),
            Err(other) => Err(other),
        });
    }

    fn call(&self) -> MutexGuard<'_, MadeUpCall> {
        self.0.lock().expect("no call panics")
    }
}

/// Emits made-up events, each of which is to come as it was emitted.
pub fn events_come<A, T, E: Debug>(
    codec: Codec,
    emit: impl Fn(A) -> Result<usize, E>,
    mut events: impl Iterator<Item = Result<T, EventError>>,
    arguments: impl Fn(T) -> A,
) where
    A: for<'a> Arbitrary<'a> + Clone + PartialEq + Debug,
{
    for emitted in made_up::<A>() {
        assert_eq!(emit(emitted.clone()).expect("it can be encoded"), 1, "over {codec}");
        let came = events.next().expect("the connection stands").expect("no event is lost");
        assert_eq!(arguments(came), emitted, "over {codec}");
    }
}
