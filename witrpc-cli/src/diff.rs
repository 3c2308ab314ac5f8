//! `witrpc diff`.

use std::path::Path;

use serde_json::json;
use witrpc::dynamic::ServiceDescription;
use witrpc::{Codec, ContractDifference};

use crate::args::{Access, Diff};
use crate::describe;
use crate::failure::Failure;
use crate::output;
use crate::reach;
use crate::waiting::Waiting;

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
    let found = DiffFindings::of(&client, &server)?;
    if diff.json {
        found.write_json()?
    } else {
        found.write()?
    }
    match found.differences.is_empty() {
        true => Ok(()),
        // They are written already.
        false => Err(Failure::Own(String::new())),
    }
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
    let _waiting = Waiting::begin(format!("the server {name:?}"));
    let mut builder = reach::builder(name, access)?;
    if let (None, Some(codec)) = (access.codec, codec) {
        builder = builder.codec(codec);
    }
    let client = builder.connect()?;
    let described: Result<Vec<_>, _> =
        client.services().iter().map(|service| client.describe(service)).collect();
    Ok(described?)
}

/// What differs between two sides.
#[derive(Default)]
struct DiffFindings<'d> {
    /// By service.
    differences: Vec<(&'d str, ContractDifference)>,
    /// The services, and the methods and events as `Service.member`, that only one side has.
    only_first: Vec<String>,
    only_second: Vec<String>,
}

impl<'d> DiffFindings<'d> {
    fn of(
        client: &'d [ServiceDescription],
        server: &'d [ServiceDescription],
    ) -> Result<Self, Failure> {
        let (mut found, mut compared) = (Self::default(), 0);
        for ours in client {
            let Some(theirs) = of_service(server, ours.service()) else {
                found.only_first.push(ours.service().to_owned());
                continue;
            };
            compared += 1;
            found.compare(ours, theirs)?;
        }
        let only = server.iter().filter(|theirs| of_service(client, theirs.service()).is_none());
        found.only_second.extend(only.map(|theirs| theirs.service().to_owned()));
        match compared {
            0 => Err(Failure::NotRun("the two sides have no service in common".to_owned())),
            _ => Ok(found),
        }
    }

    fn compare(
        &mut self,
        ours: &'d ServiceDescription,
        theirs: &ServiceDescription,
    ) -> Result<(), Failure> {
        let service = ours.service();
        if ours.codec() != theirs.codec() {
            let (a, b) = (ours.codec(), theirs.codec());
            return Err(Failure::NotRun(format!(
                "{service} is described over {a} here and over {b} there: give --codec"
            )));
        }
        self.differences.extend(ours.differences(theirs).into_iter().map(|it| (service, it)));
        self.only_first.extend(only(ours, theirs));
        self.only_second.extend(only(theirs, ours));
        Ok(())
    }

    fn write(&self) -> Result<(), Failure> {
        for (service, difference) in &self.differences {
            let text = output::printable(&format!("{service}.{difference}"));
            output::line(output::on_stdout(output::RED, text))?;
        }
        for (side, all) in [("first", &self.only_first), ("second", &self.only_second)] {
            for name in all {
                output::line(format!("{}: only on the {side} side", output::printable(name)))?;
            }
        }
        match self.differences.is_empty() {
            true => output::line(output::on_stdout(output::GREEN, "no difference")),
            false => Ok(()),
        }
    }

    fn write_json(&self) -> Result<(), Failure> {
        let differences = self.differences.iter().map(|(service, it)| {
            json!({
                "service": service, "member": it.method, "place": it.place, "problem": it.problem,
            })
        });
        output::line(json!({
            "differences": differences.collect::<Vec<_>>(),
            "only_first": self.only_first, "only_second": self.only_second,
        }))
    }
}

fn of_service<'d>(side: &'d [ServiceDescription], service: &str) -> Option<&'d ServiceDescription> {
    side.iter().find(|it| it.service() == service)
}

/// Returns the methods and events that one side lacks.
fn only(has: &ServiceDescription, lacks: &ServiceDescription) -> Vec<String> {
    let is_lacking = |name: &str| lacks.members().all(|(known, _)| known != name);
    let only = has.members().filter(|(name, _)| is_lacking(name));
    only.map(|(name, _)| format!("{}.{name}", has.service())).collect()
}
