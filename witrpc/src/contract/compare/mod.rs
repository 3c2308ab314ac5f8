//! Compares a client's contract with the server's.
//!
//! The rule, which the docs of [`Connection`](crate::Connection) explain too: the receiving side must
//! be able to read everything that the sending side may send, with the same meaning.
//!
//! - Methods are matched by name. A method that only one side has is no difference: the client learns
//!   of it by [`CallError::UnknownMethod`](crate::CallError::UnknownMethod) when it calls it.
//! - The same holds for events, whose arguments the server sends. The overflow rules of an event need
//!   not match.
//! - An argument or result that one side streams, the other must stream too.
//! - The arguments of a method are the same on both sides: number, order, names, shapes.
//! - The names of arguments, fields and variants count, as serde has them. The names of types do not,
//!   and a newtype equals the type it wraps.
//! - The side that reads an enum may know more variants. With postcard, which numbers them, they must
//!   come after all others.
//! - The fields of a struct are the same on both sides, and with postcard in the same order. With a
//!   codec that names fields, either side may have more. The side that reads must then skip fields
//!   that it does not know, and make a value without those that are missing (see
//!   [`lenience`](super::lenience)). Of a server that does not tell how it reads, `Option`s are taken
//!   to be optional.
//! - What cannot be traced is not compared. If the codec does not describe it, the service is refused
//!   instead, on both sides: see [`check`](super::check).
//!
//! The server's contract is untrusted. The comparison is bounded in depth, in work, and in the length
//! of its texts.

mod differences;
mod shapes;

#[cfg(all(test, feature = "json"))]
mod tests;

pub use differences::Differences;
use shapes::{Comparison, Side};

use crate::codec::Codec;
use crate::error::ContractDifference;

use super::lenience::Lenience;
use super::service_lenience::ServiceLenience;
use super::signature::{ArgumentShape, Contract, Signature};
use super::text::Shown;

/// The most differences of one method or event that are listed.
const MOST_DIFFERENCES: usize = 20;

/// The most parts that are compared, of all methods together. A contract that fits into a welcome
/// has fewer.
const MOST_STEPS: usize = 1 << 21;

/// How both sides read structs with other fields than their own, as far as that is known.
#[derive(Clone, Copy, Default)]
pub struct Readers<'r> {
    /// The client.
    pub ours: Option<&'r ServiceLenience>,
    /// The server.
    pub theirs: Option<&'r ServiceLenience>,
}

/// Returns the differences between the two contracts that could make calls fail.
pub fn compare(
    ours: &Contract,
    theirs: &Contract,
    readers: Readers<'_>,
    codec: Codec,
) -> Differences {
    let mut findings = Findings { list: Vec::new(), steps_left: MOST_STEPS };
    let methods = ours.methods.iter().enumerate().map(|(here, our)| {
        if let Some(there) = theirs.methods.iter().position(|their| their.name == our.name) {
            let readers = (
                readers.ours.and_then(|ours| ours.methods.get(here)),
                readers.theirs.and_then(|theirs| theirs.methods.get(there)),
            );
            compare_method(our, &theirs.methods[there], readers, codec, &mut findings);
        }
        findings.take()
    });
    let methods = methods.collect();
    let events = ours.events.iter().enumerate().map(|(here, our)| {
        if let Some(their) = theirs.events.iter().find(|their| their.name == our.name) {
            let arguments = (&our.arguments[..], &their.arguments[..]);
            let reader = readers.ours.and_then(|ours| ours.events.get(here));
            let sender = (Side::There, reader);
            compare_arguments(&our.name, arguments, sender, codec, &mut findings);
        }
        findings.take()
    });
    let events = events.collect();
    Differences { methods, events }
}

/// The differences found so far in one method or event, and how much may still be compared.
struct Findings {
    list: Vec<ContractDifference>,
    steps_left: usize,
}

impl Findings {
    /// Returns what has been found in a method or event, before the next one is compared.
    fn take(&mut self) -> Vec<ContractDifference> {
        std::mem::take(&mut self.list)
    }

    fn add(&mut self, method: &str, place: String, problem: String) {
        if self.list.len() < MOST_DIFFERENCES {
            self.list.push(ContractDifference { method: method.to_owned(), place, problem });
        }
    }
}

fn compare_method(
    our: &Signature,
    their: &Signature,
    (our_reader, their_reader): (Option<&Vec<Lenience>>, Option<&Vec<Lenience>>),
    codec: Codec,
    findings: &mut Findings,
) {
    let method = &*our.name;
    let both = (&our.arguments[..], &their.arguments[..]);
    if !compare_arguments(method, both, (Side::Here, their_reader), codec, findings) {
        return;
    }
    // Behind the arguments come the result and the error.
    let reader_of = |number| our_reader.and_then(|reader| reader.get(our.arguments.len() + number));
    if our.streams != their.streams {
        return findings.add(method, "the result".to_owned(), stream_beside(our.streams));
    }
    let place = if our.streams { "an item" } else { "the result" }.to_owned();
    let mut comparison = Comparison::new(method, place, (&our.result, &their.result), codec);
    comparison.run(Side::There, reader_of(0), findings);
    match (&our.error, &their.error) {
        (Some(a), Some(b)) => {
            let place = "the error".to_owned();
            let mut comparison = Comparison::new(method, place, (a, b), codec);
            comparison.run(Side::There, reader_of(1), findings);
        }
        (None, None) => {}
        (here, _) => {
            let (with, without) =
                if here.is_some() { ("here", "there") } else { ("there", "here") };
            let problem = format!("is a Result {with} and a plain value {without}");
            findings.add(method, "the result".to_owned(), problem);
        }
    }
}

/// Compares the arguments of a method or an event, which `sender` sends and the other side reads.
/// Returns `false` if even their number differs.
fn compare_arguments(
    method: &str,
    (ours, theirs): (&[ArgumentShape], &[ArgumentShape]),
    (sender, reader): (Side, Option<&Vec<Lenience>>),
    codec: Codec,
    findings: &mut Findings,
) -> bool {
    let (here, there) = (ours.len(), theirs.len());
    if here != there {
        let has = match sender {
            Side::Here => "takes",
            Side::There => "is emitted with",
        };
        let problem = format!("{has} {} here and {there} there", arguments(here));
        findings.add(method, String::new(), problem);
        return false;
    }
    for (number, (a, b)) in ours.iter().zip(theirs).enumerate() {
        let place = format!("argument `{}`", a.name);
        if a.name != b.name {
            let problem = format!("is `{}` here and `{}` there", a.name, Shown(&b.name));
            findings.add(method, format!("argument {}", number + 1), problem);
        } else if a.streams != b.streams {
            findings.add(method, place, stream_beside(a.streams));
        } else {
            let mut comparison = Comparison::new(method, place, (&a.shape, &b.shape), codec);
            comparison.run(sender, reader.and_then(|reader| reader.get(number)), findings);
        }
    }
    true
}

fn stream_beside(here: bool) -> String {
    let (with, without) = if here { ("here", "there") } else { ("there", "here") };
    format!("is a stream {with} and a plain value {without}")
}

fn arguments(count: usize) -> String {
    if count == 1 { "1 argument".to_owned() } else { format!("{count} arguments") }
}
