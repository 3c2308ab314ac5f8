//! `witrpc list`.

use std::io;
use std::sync::Mutex;
use std::thread;
use std::time::{Duration, SystemTime};

use serde_json::{Value, json};
use witrpc::dynamic::DynamicClientBuilder;
use witrpc::{ConnectError, ServerInfo, servers, servers_in};
use witrpc_rt::lock;

use crate::args::List;
use crate::failure;
use crate::failure::Failure;
use crate::output;
use crate::reach;
use crate::waiting::Waiting;

/// How many servers are asked at the same time: one that does not answer keeps only its thread.
const ASKED_AT_ONCE: usize = 16;

/// A server that was found.
struct Listed {
    name: String,
    /// What it has told, or why it has not.
    told: Result<ToldServer, String>,
}

struct ToldServer {
    info: ServerInfo,
    services: Result<Vec<String>, NotTold>,
}

/// Why a server has not told its services.
struct NotTold {
    problem: String,
    /// Whether the server does not let this command in, as it may.
    is_refusal: bool,
}

pub fn run(list: &List) -> Result<(), Failure> {
    let names = match &list.access.place.dir {
        Some(dir) => servers_in(dir)?,
        None => servers()?,
    };
    // The file of the token is read here, so that it is a failure of its own.
    let asked: Result<Vec<_>, Failure> = names
        .into_iter()
        .map(|name| reach::builder(&name, &list.access).map(|builder| (name, builder)))
        .collect();
    let waiting = Waiting::begin("servers that do not answer");
    let listed = ask_all(list, asked?)?;
    drop(waiting);
    for Listed { name, told } in &listed {
        let problem = match told {
            Err(problem) => problem,
            Ok(ToldServer { services: Err(why), .. }) if !why.is_refusal => &why.problem,
            Ok(_) => continue,
        };
        output::warn(format!("{name:?}: {problem}"));
    }
    if list.json { write_json(&listed) } else { write_table(&listed) }
}

/// Asks all servers, and returns what they have told in the order of their names.
fn ask_all(
    list: &List,
    servers: Vec<(String, DynamicClientBuilder)>,
) -> Result<Vec<Listed>, Failure> {
    let threads = servers.len().min(ASKED_AT_ONCE);
    let (left, listed) = (Mutex::new(servers.into_iter()), Mutex::new(Vec::new()));
    let ask_some = || {
        loop {
            let next = lock(&left).next();
            let Some((name, builder)) = next else { return };
            let told = ask(list, &name, builder);
            lock(&listed).extend(told.map(|told| Listed { name, told }));
        }
    };
    let started: io::Result<()> = thread::scope(|scope| {
        (0..threads).try_for_each(|_| witrpc_rt::spawn_scoped(scope, "list", ask_some).map(drop))
    });
    started.map_err(Failure::not_run)?;
    let mut listed = listed.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
    listed.sort_by(|one, other| one.name.cmp(&other.name));
    Ok(listed)
}

/// Asks one server; `None` if it has ended.
fn ask(
    list: &List,
    name: &str,
    builder: DynamicClientBuilder,
) -> Option<Result<ToldServer, String>> {
    let access = &list.access;
    match reach::endpoint(name, &access.place, access.timeout).server_info() {
        Ok(info) => {
            let services = builder.connect().map(|client| client.services().to_vec());
            let services = services.map_err(|error| NotTold {
                problem: failure::said(&error),
                is_refusal: is_refusal(&error),
            });
            Some(Ok(ToldServer { info, services }))
        }
        Err(ConnectError::NobodyServes { .. }) => None,
        Err(error) => Some(Err(failure::said(&error))),
    }
}

/// Returns whether a server does not let this command in by what it asks of its clients.
fn is_refusal(error: &ConnectError) -> bool {
    matches!(
        error,
        ConnectError::TokenRequired
            | ConnectError::TokenRejected
            | ConnectError::TokenUnexpected
            | ConnectError::EncryptionRequired
            | ConnectError::EncryptionUnavailable
            | ConnectError::NotAllowed { .. }
    )
}

fn write_json(listed: &[Listed]) -> Result<(), Failure> {
    let servers = listed.iter().map(|Listed { name, told }| match told {
        Ok(ToldServer { info, services }) => {
            let since =
                info.since.and_then(|since| since.duration_since(SystemTime::UNIX_EPOCH).ok());
            json!({
                "name": name, "pid": info.pid, "uid": info.uid, "socket": info.socket,
                "clients": info.metrics.connected_clients, "calls": info.metrics.calls,
                "since": since.map(|since| since.as_secs()), "services": services.as_ref().ok(),
                "problem": services.as_ref().err().map(|why| &why.problem),
            })
        }
        Err(problem) => json!({ "name": name, "problem": problem }),
    });
    output::line(Value::from(servers.collect::<Vec<_>>()))
}

fn write_table(listed: &[Listed]) -> Result<(), Failure> {
    if listed.is_empty() {
        return output::line("no server runs");
    }
    let mut table = output::table(&["NAME", "PID", "UID", "CLIENTS", "CALLS", "SINCE", "SERVICES"]);
    for Listed { name, told } in listed {
        let Ok(ToldServer { info, services }) = told else {
            table.add_row([name, "?", "?", "?", "?", "?", "(does not answer)"]);
            continue;
        };
        let since = info.since.and_then(|since| since.elapsed().ok()).map_or("?".to_owned(), ago);
        let services = services
            .as_ref()
            .map_or_else(|_| "(not told)".to_owned(), |all| output::printable(&all.join(", ")));
        table.add_row([
            name.clone(),
            info.pid.to_string(),
            info.uid.to_string(),
            info.metrics.connected_clients.to_string(),
            info.metrics.calls.to_string(),
            since,
            services,
        ]);
    }
    output::write_table(&table)
}

/// Returns a time that has passed, in its largest unit.
fn ago(time: Duration) -> String {
    match time.as_secs() {
        seconds @ 0..60 => format!("{seconds} s"),
        seconds @ 60..3600 => format!("{} min", seconds / 60),
        seconds @ 3600..86400 => format!("{} h", seconds / 3600),
        seconds => format!("{} d", seconds / 86400),
    }
}
