//! `witrpc call` and `witrpc watch`.

use std::io::{IsTerminal, Read, stdin};

use serde_json::{Map, StreamDeserializer, Value};
use witrpc::EventError;
use witrpc::dynamic::{DynamicError, MemberKind};

use crate::args::{Call, Watch};
use crate::failure::Failure;
use crate::output;
use crate::reach;
use crate::waiting::Waiting;

pub fn run(call: &Call) -> Result<(), Failure> {
    let (service, method) = reach::parts(&call.method)?;
    let waiting = Waiting::begin(format!("the server {:?}", call.name));
    let client = reach::connect(&call.name, &call.access)?;
    let described = client.describe(service)?;
    let kind = described.members().find(|(name, _)| *name == method).map(|(_, kind)| kind);
    // A user who types is shown nothing in between.
    drop(waiting);
    let uploads = kind == Some(MemberKind::Takes);
    let arguments = arguments(&call.arguments, uploads)?;
    match kind {
        Some(MemberKind::Event) => {
            Err(Failure::misuse(format!("{} is an event: use `witrpc watch`", call.method)))
        }
        Some(MemberKind::Returns) => {
            let waiting = Waiting::begin(format!("the next item of {}", call.method));
            for item in client.open(service, method, &arguments)? {
                waiting.came();
                output::line(item?).map_err(Failure::after_a_run)?;
            }
            Ok(())
        }
        Some(MemberKind::Takes) => {
            let _waiting = for_items(&call.method);
            let items = StreamDeserializer::new(serde_json::de::IoRead::new(stdin().lock()));
            let items = items.map(|item| item.map_err(|error| format!("is no JSON: {error}")));
            answer(&client.upload(service, method, &arguments, items)?)
        }
        // A method that is not there is told by the call, with those that are.
        _ => {
            let waiting = Waiting::begin(format!("the answer of {}", call.method));
            let answered = client.call(service, method, &arguments)?;
            drop(waiting);
            answer(&answered)
        }
    }
}

/// Writes the answer of a method.
fn answer(answer: &Value) -> Result<(), Failure> {
    output::line(answer).map_err(Failure::after_a_run)
}

/// Says what is read from a terminal, or shows how long nothing has come from elsewhere.
fn for_items(method: &str) -> Option<Waiting> {
    if stdin().is_terminal() {
        output::complain(output::DIM, "reading", "the items as JSON, one a line: Ctrl-D ends them");
        return None;
    }
    Some(Waiting::begin(format!(
        "the end of the items on standard input, and the answer of {method}"
    )))
}

/// Reads the arguments as the user has given them.
fn arguments(given: &[String], uploads: bool) -> Result<Value, Failure> {
    let json = |text: &str| {
        serde_json::from_str(text)
            .map_err(|error| Failure::misuse(format!("the arguments are no JSON: {error}")))
    };
    match given {
        [] => Ok(Value::Object(Map::new())),
        [dash] if dash == "-" && uploads => Err(Failure::misuse(
            "standard input has the items of this method: give its arguments here",
        )),
        [dash] if dash == "-" => {
            if stdin().is_terminal() {
                output::complain(output::DIM, "reading", "the arguments as JSON: Ctrl-D ends them");
            }
            let mut text = String::new();
            let read = stdin().lock().read_to_string(&mut text);
            read.map_err(|error| Failure::misuse(format!("standard input: {error}")))?;
            json(&text)
        }
        [one] if one.trim_start().starts_with(['{', '[']) => json(one),
        pairs => {
            let mut named = Map::new();
            for pair in pairs {
                let (name, value) = pair.split_once('=').ok_or_else(|| {
                    let problem = "is neither JSON nor NAME=VALUE: see `witrpc call --help`";
                    Failure::misuse(format!("{pair:?} {problem}"))
                })?;
                let value = serde_json::from_str(value).unwrap_or_else(|_| Value::from(value));
                if named.insert(name.to_owned(), value).is_some() {
                    return Err(Failure::misuse(format!("{name} is given twice")));
                }
            }
            Ok(Value::Object(named))
        }
    }
}

pub fn watch(watch: &Watch) -> Result<(), Failure> {
    let (service, event) = reach::parts(&watch.event)?;
    let waiting = Waiting::begin(format!("the server {:?}", watch.name));
    let client = reach::connect(&watch.name, &watch.access)?;
    let events = client.subscribe(service, event)?;
    waiting.now_for(format!("the next {}", watch.event));
    for event in events {
        waiting.came();
        match event {
            Ok(event) => output::line(event)?,
            Err(DynamicError::Event(EventError::Ended(error))) => {
                return Err(Failure::NotRun(format!("the events have ended: {error}")));
            }
            // Events are missing, and others follow.
            Err(error) => output::warn(error),
        }
    }
    Ok(())
}
