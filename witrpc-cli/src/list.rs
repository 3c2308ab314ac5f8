//! `witrpc list`.

use std::time::{Duration, SystemTime};

use serde_json::json;
use witrpc::{ServerInfo, servers, servers_in};

use crate::args::List;
use crate::failure::Failure;
use crate::output;
use crate::reach;

/// A server that was found.
struct Listed {
    name: String,
    info: ServerInfo,
    /// Its services; `None` if it does not tell them this command.
    services: Option<Vec<String>>,
}

pub fn run(list: &List) -> Result<(), Failure> {
    let place = &list.access.place;
    let names = match &place.dir {
        Some(dir) => servers_in(dir)?,
        None => servers()?,
    };
    let mut listed = Vec::new();
    for name in names {
        // A server may end in between, and one of another version is shown by its error.
        match reach::endpoint(&name, place).server_info() {
            Ok(info) => {
                let client = reach::connect(&name, &list.access);
                let services = client.ok().map(|client| client.services().to_vec());
                listed.push(Listed { name, info, services });
            }
            Err(error) => eprintln!("{} {error}", output::on_stderr(output::YELLOW, "warning:")),
        }
    }
    if list.json { write_json(&listed) } else { write_table(&listed) }
}

fn write_json(listed: &[Listed]) -> Result<(), Failure> {
    let servers = listed.iter().map(|Listed { name, info, services }| {
        let since = info.since.and_then(|since| since.duration_since(SystemTime::UNIX_EPOCH).ok());
        json!({
            "name": name, "pid": info.pid, "uid": info.uid, "socket": info.socket,
            "clients": info.metrics.connected_clients, "calls": info.metrics.calls,
            "since": since.map(|since| since.as_secs()), "services": services,
        })
    });
    output::line(serde_json::Value::from(servers.collect::<Vec<_>>()))
}

fn write_table(listed: &[Listed]) -> Result<(), Failure> {
    if listed.is_empty() {
        return output::line("no server runs");
    }
    let mut table = output::table(&["NAME", "PID", "UID", "CLIENTS", "CALLS", "SINCE", "SERVICES"]);
    for Listed { name, info, services } in listed {
        let since = info.since.and_then(|since| since.elapsed().ok()).map_or("?".to_owned(), ago);
        let services = services
            .as_ref()
            .map_or("(not told)".to_owned(), |all| output::printable(&all.join(", ")));
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
