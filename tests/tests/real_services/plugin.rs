//! A command of a shell: types that contain themselves, text that is borrowed where it can be.

use std::borrow::Cow;

use arbitrary::Arbitrary;
use serde::{Deserialize, Serialize};
use witrpc::{Codec, wit_service};

use super::{Desk, over_each_codec, text};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Arbitrary)]
pub struct Signature {
    pub name: String,
    pub required: Vec<(String, Shape)>,
    pub named: Vec<Flag>,
    pub rest: Option<Box<Shape>>,
}
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Arbitrary)]
pub struct Flag {
    pub long: String,
    pub short: Option<char>,
    pub arg: Option<Shape>,
    pub required: bool,
}
/// A type of the shell's, which contains itself.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Arbitrary)]
pub enum Shape {
    Any,
    Int,
    List(Box<Shape>),
    Record(Box<[(String, Shape)]>),
    OneOf(Vec<Shape>),
}
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Arbitrary)]
pub struct Labeled {
    pub msg: String,
    pub labels: Box<Vec<(String, (usize, usize))>>,
    pub inner: Box<Vec<Labeled>>,
}
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Arbitrary)]
pub struct OwnedExample {
    #[arbitrary(with = text)]
    pub example: Cow<'static, str>,
    pub result: Option<i64>,
}

#[wit_service]
pub trait PluginCommand: Sync {
    fn name(&self) -> String;
    fn signature(&self) -> Signature;
    fn description(&self) -> String;
    fn extra_description(&self) -> Option<String>;
    fn search_terms(&self) -> Vec<String>;
    fn examples(&self) -> Vec<OwnedExample>;
    fn is_filter(&self) -> bool;
    fn run(&self, call: &Signature, input: Vec<i64>) -> Result<Vec<i64>, Labeled>;
    fn run_all(&self, input: impl Iterator<Item = i64>) -> Result<i64, Labeled>;
}

impl PluginCommand for Desk {
    fn name(&self) -> String {
        self.serve(())
    }

    fn signature(&self) -> Signature {
        self.serve(())
    }

    fn description(&self) -> String {
        self.serve(())
    }

    fn extra_description(&self) -> Option<String> {
        self.serve(())
    }

    fn search_terms(&self) -> Vec<String> {
        self.serve(())
    }

    fn examples(&self) -> Vec<OwnedExample> {
        self.serve(())
    }

    fn is_filter(&self) -> bool {
        self.serve(())
    }

    fn run(&self, call: &Signature, input: Vec<i64>) -> Result<Vec<i64>, Labeled> {
        self.serve((call.clone(), input))
    }

    fn run_all(&self, input: impl Iterator<Item = i64>) -> Result<i64, Labeled> {
        self.serve(input.collect::<Vec<_>>())
    }
}

#[test]
fn a_command_of_a_shell() {
    let desk = Desk::default();
    over_each_codec!(
        PluginCommandClient,
        PluginCommandServer::new(desk.clone()),
        quickest Codec::Postcard,
        unfit &[],
        |codec, client: &PluginCommandClient| {
            desk.plain(codec, |()| client.name());
            desk.plain(codec, |()| client.signature());
            desk.plain(codec, |()| client.description());
            desk.plain(codec, |()| client.extra_description());
            desk.plain(codec, |()| client.search_terms());
            desk.plain(codec, |()| client.examples());
            desk.plain(codec, |()| client.is_filter());
            desk.result(codec, |(call, input): (Signature, Vec<i64>)| client.run(&call, input));
            desk.result(codec, |input: Vec<i64>| client.run_all(input.into_iter()));
        }
    );
}
