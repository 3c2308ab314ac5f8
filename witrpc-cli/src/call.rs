//! `witrpc call` and `witrpc watch`.

use std::io::{Read, stdin};

use serde_json::{Map, StreamDeserializer, Value};
use witrpc::EventError;
use witrpc::dynamic::{DynamicError, MemberKind};

use crate::args::{Call, Watch};
use crate::failure::Failure;
use crate::output;
use crate::reach;

pub fn run(call: &Call) -> Result<(), Failure> {
    let (service, method) = reach::parts(&call.method)?;
    let client = reach::connect(&call.name, &call.access)?;
    let described = client.describe(service)?;
    let kind = described.members().find(|(name, _)| *name == method).map(|(_, kind)| kind);
    let uploads = kind == Some(MemberKind::Takes);
    let arguments = arguments(&call.arguments, uploads)?;
    match kind {
        Some(MemberKind::Event) => {
            Err(Failure::misuse(format!("{} is an event: use `witrpc watch`", call.method)))
        }
        Some(MemberKind::Returns) => {
            for item in client.open(service, method, &arguments)? {
                output::line(item?)?;
            }
            Ok(())
        }
        Some(MemberKind::Takes) => {
            let items = StreamDeserializer::new(serde_json::de::IoRead::new(stdin().lock()));
            let items = items.map(|item| item.map_err(|error| format!("is no JSON: {error}")));
            output::line(client.upload(service, method, &arguments, items)?)
        }
        // A method that is not there is told by the call, with those that are.
        _ => output::line(client.call(service, method, &arguments)?),
    }
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
    let client = reach::connect(&watch.name, &watch.access)?;
    for event in client.subscribe(service, event)? {
        match event {
            Ok(event) => output::line(event)?,
            Err(DynamicError::Event(EventError::Ended(error))) => {
                return Err(Failure::NotRun(format!("the events have ended: {error}")));
            }
            // Events are missing, and others follow.
            Err(error) => {
                eprintln!("{} {error}", output::on_stderr(output::YELLOW, "warning:"));
            }
        }
    }
    Ok(())
}
