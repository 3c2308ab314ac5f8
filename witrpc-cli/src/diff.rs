//! `witrpc diff`.

use std::path::Path;

use witrpc::dynamic::ServiceDescription;
use witrpc::{Codec, WaitPolicy};

use crate::args::{Access, Diff};
use crate::describe;
use crate::failure::Failure;
use crate::output;
use crate::reach;

pub fn run(diff: &Diff) -> Result<(), Failure> {
    // A file says over which codec its shapes are, and shapes of another codec differ by nature.
    let files = [&diff.client, &diff.server].map(|side| file(side));
    let [client_file, server_file] = files;
    let (client_file, server_file) = (client_file?, server_file?);
    let known = client_file.as_ref().or(server_file.as_ref());
    let codec = known.and_then(|all| all.first()).map(ServiceDescription::codec);
    let client = or_served(client_file, &diff.client, &diff.access, codec)?;
    let codec = client.first().map(ServiceDescription::codec);
    let server = or_served(server_file, &diff.server, &diff.access, codec)?;
    compare(&client, &server)
}

/// Returns what a file holds; `None` if it is the name of a server.
fn file(side: &str) -> Result<Option<Vec<ServiceDescription>>, Failure> {
    let path = Path::new(side);
    if side.contains('/') || path.is_file() {
        return describe::load(path).map(Some);
    }
    Ok(None)
}

fn or_served(
    file: Option<Vec<ServiceDescription>>,
    name: &str,
    access: &Access,
    codec: Option<Codec>,
) -> Result<Vec<ServiceDescription>, Failure> {
    if let Some(described) = file {
        return Ok(described);
    }
    let codec = access.codec.map(|name| name.codec()).or(codec);
    let client = reach::connect_with(name, access, codec, WaitPolicy::Adaptive)?;
    let described: Result<Vec<_>, _> =
        client.services().iter().map(|service| client.describe(service)).collect();
    Ok(described?)
}

fn compare(client: &[ServiceDescription], server: &[ServiceDescription]) -> Result<(), Failure> {
    let (mut differ, mut compared) = (0, 0);
    for ours in client {
        let Some(theirs) = server.iter().find(|it| it.service() == ours.service()) else {
            output::line(format!("{}: only on the first side", ours.service()))?;
            continue;
        };
        compared += 1;
        if ours.codec() != theirs.codec() {
            let (a, b) = (ours.codec(), theirs.codec());
            return Err(Failure::NotRun(format!(
                "{} is described over {a} here and over {b} there: give --codec",
                ours.service()
            )));
        }
        for difference in ours.differences(theirs) {
            differ += 1;
            let text = format!("{}.{difference}", ours.service());
            output::line(output::on_stdout(output::RED, output::printable(&text)))?;
        }
        only(ours, theirs, "first")?;
        only(theirs, ours, "second")?;
    }
    for theirs in server.iter().filter(|it| client.iter().all(|c| c.service() != it.service())) {
        output::line(format!("{}: only on the second side", theirs.service()))?;
    }
    match (differ, compared) {
        (0, 0) => Err(Failure::NotRun("the two sides have no service in common".to_owned())),
        (0, _) => output::line(output::on_stdout(output::GREEN, "no difference")),
        // They are written already.
        (_, _) => Err(Failure::Own(String::new())),
    }
}

/// Writes the methods and events that one side lacks.
fn only(has: &ServiceDescription, lacks: &ServiceDescription, side: &str) -> Result<(), Failure> {
    for (name, _) in has.members().filter(|(name, _)| lacks.members().all(|(n, _)| n != *name)) {
        output::line(format!("{}.{name}: only on the {side} side", has.service()))?;
    }
    Ok(())
}
