//! `witrpc describe`.

use std::fs;
use std::io;
use std::path::Path;

use serde_json::Value;
use witrpc::dynamic::{DynamicClient, ServiceDescription};

use crate::args::Describe;
use crate::failure::Failure;
use crate::output;
use crate::reach;
use crate::waiting::Waiting;

pub fn run(describe: &Describe) -> Result<(), Failure> {
    let waiting = Waiting::begin(format!("the server {:?}", describe.name));
    let client = reach::connect(&describe.name, &describe.access)?;
    let (services, member) = wanted(&client, describe.member.as_deref())?;
    let described: Result<Vec<_>, _> =
        services.iter().map(|service| client.describe(service)).collect();
    let described = described?;
    drop(waiting);
    if member.is_some() && (describe.json || describe.save.is_some()) {
        return Err(Failure::misuse(
            "a description is kept of whole services: leave out the member, or --json and --save",
        ));
    }
    if let Some(path) = &describe.save {
        let unsaved = |error: io::Error| Failure::NotRun(format!("{}: {error}", path.display()));
        return fs::write(path, kept(&described)?).map_err(unsaved);
    }
    if describe.json {
        return output::write(&kept(&described)?);
    }
    for (number, service) in described.iter().enumerate() {
        let text = match member {
            None => service.to_string(),
            Some(member) => service.signature(member).ok_or_else(|| {
                let has: Vec<_> = service.members().map(|(name, _)| name).collect();
                let (of, has) = (service.service(), has.join(", "));
                Failure::misuse(format!("{of} has no {member:?}: it has {has}"))
            })?,
        };
        let gap = if number == 0 { "" } else { "\n" };
        output::write(&format!("{gap}{}", dimmed(&text)))?;
    }
    Ok(())
}

/// Returns the services that are meant, and the member of a single one.
fn wanted<'a>(
    client: &DynamicClient,
    member: Option<&'a str>,
) -> Result<(Vec<String>, Option<&'a str>), Failure> {
    let Some(member) = member else { return Ok((client.services().to_vec(), None)) };
    let is_service = |name: &str| client.services().iter().any(|service| service == name);
    if is_service(member) {
        return Ok((vec![member.to_owned()], None));
    }
    match member.rsplit_once('.') {
        Some((service, name)) if is_service(service) => Ok((vec![service.to_owned()], Some(name))),
        _ => {
            let serves = client.services().join(", ");
            Err(Failure::misuse(format!(
                "the server does not serve {member:?}: it serves {serves}"
            )))
        }
    }
}

/// Returns the text with its docs in another colour, on a terminal.
fn dimmed(text: &str) -> String {
    let lines = text.lines().map(|line| match line.trim_start().starts_with("///") {
        true => output::on_stdout(output::DIM, line) + "\n",
        false => format!("{line}\n"),
    });
    lines.collect()
}

/// Returns descriptions as [`load`] reads them.
fn kept(described: &[ServiceDescription]) -> Result<String, Failure> {
    let all = described.iter().map(|service| serde_json::from_str::<Value>(&service.to_json()));
    let all = all.collect::<Result<Vec<_>, _>>().map_err(Failure::not_run)?;
    Ok(serde_json::to_string_pretty(&all).map_err(Failure::not_run)? + "\n")
}

/// Reads what `describe --save` wrote.
///
/// # Errors
///
/// The file cannot be read, or has no descriptions.
pub fn load(path: &Path) -> Result<Vec<ServiceDescription>, Failure> {
    let unread = |error: String| Failure::NotRun(format!("{}: {error}", path.display()));
    let text = fs::read_to_string(path).map_err(|error| unread(error.to_string()))?;
    let all: Vec<Value> = serde_json::from_str(&text).map_err(|error| unread(error.to_string()))?;
    all.iter()
        .map(|one| {
            ServiceDescription::from_json(&one.to_string()).map_err(|e| unread(e.to_string()))
        })
        .collect()
}
