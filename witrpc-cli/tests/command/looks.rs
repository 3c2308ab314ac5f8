//! The subcommands that look into a server.

use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::fs::PermissionsExt;
use std::process::{Command, Stdio};

use serde_json::Value;
use witrpc::{Mmf, WitServer};

use super::doomed::Doomed;
use super::shop::Open;
use super::shop::old::{OldStall, ShopServer};
use super::{json, run, witrpc};

#[test]
fn a_list_shows_servers_and_their_services() {
    let open = Open::new();
    let listed = run(open.dir(), &["list"]).ok();
    let lines: Vec<_> = listed.lines().collect();
    assert_eq!(lines.len(), 2, "{listed}");
    for part in ["NAME", "PID", "UID", "CLIENTS", "SINCE", "SERVICES"] {
        assert!(lines[0].contains(part), "{listed}");
    }
    let pid = std::process::id().to_string();
    for part in ["shop", &*pid, "Shop, Clock"] {
        assert!(lines[1].contains(part), "{listed}");
    }
    let json: Value =
        serde_json::from_str(&run(open.dir(), &["list", "--json"]).ok()).expect("JSON");
    assert_eq!(json[0]["name"], "shop");
    assert_eq!(json[0]["pid"], std::process::id());
    assert_eq!(json[0]["services"], serde_json::json!(["Shop", "Clock"]));
    assert!(json[0]["since"].as_u64().is_some_and(|since| since > 1_700_000_000), "{json}");
    assert_eq!(open.server.metrics().refused_handshakes, 0, "a question is no refusal");
}

#[test]
fn a_server_that_does_not_answer_is_listed_and_named() {
    let open = Open::new();
    let dir = tempfile::TempDir::new_in(open.dir()).expect("there is room for a directory");
    let stopped = Doomed::serve(dir.path());
    stopped.stop();
    // The next one is asked all the same.
    let endpoint = Mmf::new("other").in_dir(dir.path());
    let other = WitServer::builder().listen(endpoint).service(ShopServer::new(OldStall)).start();
    let _other = other.expect("the server starts");
    let listed = run(dir.path(), &["list", "--timeout", "0.3"]);
    assert_eq!(listed.code, 0, "{}", listed.stderr);
    let row = listed.stdout.lines().find(|line| line.starts_with("shop "));
    assert!(row.is_some_and(|row| row.ends_with("(does not answer)")), "{}", listed.stdout);
    assert!(listed.stdout.contains("other "), "{}", listed.stdout);
    assert!(listed.stderr.starts_with("warning: \"shop\": "), "{}", listed.stderr);
    let listed = json(dir.path(), &["list", "--timeout", "0.3"]);
    let shop = &listed[1];
    assert_eq!((&listed[0]["name"], &shop["name"]), (&Value::from("other"), &Value::from("shop")));
    assert!(
        shop["problem"]
            .as_str()
            .is_some_and(|problem| problem.contains("0.3") || problem.contains("300ms")),
        "{shop}"
    );
    for arguments in [&["stats", "shop"][..], &["ping", "shop"], &["describe", "shop"]] {
        let arguments = [arguments, &["--timeout", "0.3"]].concat();
        let silent = run(dir.path(), &arguments).failed(2);
        assert!(silent.contains("(here: --timeout SECONDS)"), "{silent}");
    }
}

#[test]
fn a_server_that_does_not_let_the_command_in_is_listed_with_the_reason() {
    let open = Open::new();
    let listed = run(open.dir(), &["list", "--encrypt"]).ok();
    assert!(listed.contains("(not told)"), "{listed}");
    let listed = json(open.dir(), &["list", "--encrypt"]);
    assert_eq!(listed[0]["services"], Value::Null);
    let problem = listed[0]["problem"].as_str().expect("it has a reason");
    assert!(problem.ends_with("(here: leave out --encrypt)"), "{problem}");
    assert_eq!(json(open.dir(), &["list"])[0]["problem"], Value::Null);
}

#[test]
fn a_directory_without_servers_has_an_empty_list() {
    let dir = tempfile::TempDir::new().expect("there is room for a directory");
    assert_eq!(run(dir.path(), &["list"]).ok(), "no server runs\n");
    assert_eq!(run(dir.path(), &["list", "--json"]).ok(), "[]\n");
}

#[test]
fn a_description_is_rust_with_docs_and_types() {
    let open = Open::new();
    let add = run(open.dir(), &["describe", "shop", "Shop.add"]).ok();
    let expected = "    /// Adds two numbers.\n    ///\n    /// They must not be too large.\n    \
        #[wit(idempotent)]\n    fn add(&self, a: u64, b: u64) -> u64;\n";
    assert_eq!(add, expected);
    let order = run(open.dir(), &["describe", "shop", "Shop.order"]).ok();
    let expected = "    fn order(&self, order: Order) -> Result<u64, Refused>;\n\n\
        struct Order {\n    lines: Vec<Line>,\n    note: Option<String>,\n    express: bool,\n}\n\n\
        struct Line {\n    item: String,\n    count: u8,\n}\n\n\
        enum Refused {\n    SoldOut { item: String },\n    Closed,\n}\n";
    assert_eq!(order, expected);
    let whole = run(open.dir(), &["describe", "shop"]).ok();
    for part in [
        "/// Sells things.\ntrait Shop {\n",
        "    async fn later(&self, what: String) -> String;\n",
        "    fn count(&self, to: u32) -> impl Iterator<Item = u32>;\n",
        "    fn sum(&self, numbers: impl Iterator<Item = u64>) -> u64;\n",
        "    fn reverse(&self, bytes: [u8]) -> [u8];\n",
        "    /// Something was sold.\n    #[wit(event)]\n    fn sold(&self, item: String, count: u32);\n}\n",
        "trait Clock {\n    fn now(&self) -> u64;\n}\n",
    ] {
        assert!(whole.contains(part), "{part} in {whole}");
    }
    let one = run(open.dir(), &["describe", "shop", "Clock"]).ok();
    assert_eq!(one, "trait Clock {\n    fn now(&self) -> u64;\n}\n");
    for (member, said) in [
        ("Shop.nothing", "Shop has no \"nothing\": it has add, order,"),
        ("Bank", "does not serve \"Bank\": it serves Shop, Clock"),
    ] {
        let error = run(open.dir(), &["describe", "shop", member]).failed(64);
        assert!(error.contains(said), "{error}");
    }
}

#[test]
fn two_versions_are_compared_as_the_handshake_does() {
    let open = Open::new();
    let file = open.dir().join("shop.json");
    let file = file.to_str().expect("it is UTF-8");
    assert_eq!(run(open.dir(), &["describe", "shop", "--save", file]).ok(), "");
    assert_eq!(run(open.dir(), &["diff", file, "shop"]).ok(), "no difference\n");
    assert_eq!(run(open.dir(), &["diff", "shop", file]).ok(), "no difference\n");
    assert_eq!(run(open.dir(), &["diff", "shop", "shop"]).ok(), "no difference\n");

    let endpoint = Mmf::new("old").in_dir(open.dir());
    let old = WitServer::builder().listen(endpoint).service(ShopServer::new(OldStall)).start();
    let _old = old.expect("the server starts");
    let differ = run(open.dir(), &["diff", file, "old"]);
    assert_eq!((differ.code, &*differ.stderr), (1, ""));
    for part in [
        "Shop.add: argument `b` is u64 here and u32 there\n",
        "Shop.order: only on the first side\n",
        "Shop.close: only on the second side\n",
        "Clock: only on the first side\n",
    ] {
        assert!(differ.stdout.contains(part), "{part} in {}", differ.stdout);
    }

    let differ = json(open.dir(), &["diff", file, "old"]);
    let expected = serde_json::json!([{
        "service": "Shop", "member": "add", "place": "argument `b`", "problem": "is u64 here and u32 there",
    }]);
    assert_eq!(differ["differences"], expected);
    assert!(differ["only_first"].as_array().is_some_and(|all| all.contains(&"Clock".into())));
    assert_eq!(differ["only_second"], serde_json::json!(["Shop.close"]));

    let kept: Value = serde_json::from_slice(&fs::read(file).expect("it was saved")).expect("JSON");
    assert_eq!(json(open.dir(), &["describe", "shop"]), kept);
    for keep in [&["--save", file][..], &["--json"]] {
        let whole = run(open.dir(), &[&["describe", "shop", "Shop.add"], keep].concat()).failed(64);
        assert!(whole.contains("leave out the member"), "{whole}");
    }

    fs::write(file, "[{}]").expect("there is room for a file");
    let unread = run(open.dir(), &["diff", file, "shop"]).failed(2);
    assert!(unread.contains("it is no description of a service"), "{unread}");
    let missing = run(open.dir(), &["diff", "./missing", "shop"]).failed(2);
    assert!(missing.contains("No such file"), "{missing}");
}

#[test]
fn figures_are_by_method_where_the_server_counts_so() {
    let open = Open::with(|server| server.method_metrics(true));
    for _ in 0..3 {
        run(open.dir(), &["call", "shop", "Shop.add", "a=1", "b=2"]).ok();
        run(open.dir(), &["call", "shop", "Shop.later", "what=it"]).ok();
    }
    run(open.dir(), &["call", "shop", "Shop.fail"]).failed(3);
    let stats = run(open.dir(), &["stats", "shop"]).ok();
    let row = |method: &str| -> Vec<&str> {
        let found = stats.lines().find(|line| line.starts_with(method));
        found.unwrap_or_else(|| panic!("{method} in {stats}")).split_whitespace().collect()
    };
    assert_eq!(row("Shop.add ")[1..3], ["3", "0"]);
    assert_eq!(row("Shop.later ")[1..3], ["3", "0"]);
    assert_eq!(row("Shop.fail ")[1..3], ["1", "1"]);
    assert_eq!(row("Shop.sum ")[1..], ["0", "0", "-", "-"]);
    let json: Value =
        serde_json::from_str(&run(open.dir(), &["stats", "shop", "--json"]).ok()).expect("JSON");
    let add =
        json["methods"].as_array().and_then(|all| all.iter().find(|it| it["method"] == "add"));
    let add = add.expect("it is listed");
    assert_eq!((&add["calls"], &add["errors"]), (&Value::from(3), &Value::from(0)));
    assert!(add["p50_ns"].as_u64().is_some_and(|nanos| nanos > 0), "{add}");
    assert!(json["reserved_memory"].is_u64() && json["in_flight"].is_u64(), "{json}");

    let mut watch = witrpc(open.dir(), &["stats", "shop", "--json", "--watch", "0.01"]);
    let mut watch = watch.stdout(Stdio::piped()).spawn().expect("it starts");
    let lines = BufReader::new(watch.stdout.take().expect("it is piped")).lines();
    let seen = lines
        .take(2)
        .map(|line| serde_json::from_str::<Value>(&line.expect("it writes UTF-8")).expect("JSON"));
    let seen: Vec<_> = seen.collect();
    assert!(seen[0].get("calls_per_second").is_none() && seen[1]["calls_per_second"].is_f64());
    let later =
        seen[1]["methods"].as_array().and_then(|all| all.iter().find(|it| it["method"] == "add"));
    let later = later.expect("it is listed");
    assert_eq!(
        (&later["calls"], &later["p50_ns"]),
        (&Value::from(3), &Value::Null),
        "no call since"
    );
    assert!(watch.wait().expect("it ends").success(), "its reader has gone");

    let plain = Open::new();
    let stats = run(plain.dir(), &["stats", "shop"]).ok();
    assert!(stats.contains("does not count by method"), "{stats}");
}

#[test]
fn a_ping_stands_beside_what_the_machine_allows() {
    let open = Open::new();
    let pinged = run(open.dir(), &["ping", "shop", "--count", "50"]).ok();
    for row in ["call, polled", "floor, polled", "call, parked", "floor, parked"] {
        let found = pinged.lines().find(|line| line.starts_with(row));
        let found = found.unwrap_or_else(|| panic!("{row} in {pinged}"));
        assert_eq!(
            found[row.len()..].split_whitespace().count(),
            6,
            "three times with units: {found}"
        );
    }
    let pinged = json(open.dir(), &["ping", "shop", "--count", "50"]);
    for row in ["polled", "polled_floor", "parked", "parked_floor"] {
        assert!(pinged[row]["median_ns"].as_u64().is_some_and(|nanos| nanos > 0), "{pinged}");
    }
    assert!(pinged["slow"].is_array(), "{pinged}");
}

#[test]
fn a_ping_names_what_makes_it_slow() {
    let dir = tempfile::TempDir::new().expect("there is room for a directory");
    let server = Doomed::serve(dir.path());
    let reasons = || json(dir.path(), &["ping", "shop", "--count", "50"])["slow"].to_string();
    server.pin_to_one_processor();
    let online = fs::read_to_string("/proc/stat").expect("it is mounted");
    let online = online.lines().filter(|line| line.starts_with("cpu")).count() - 1;
    let pinned = format!("the server may use 1 of {online} processors");
    assert_eq!(reasons().contains(&pinned), online > 1, "{}", reasons());
    server.set_batch_policy();
    assert!(
        reasons().contains("under SCHED_OTHER and the server under SCHED_BATCH"),
        "{}",
        reasons()
    );
}

#[test]
fn the_doctor_says_what_to_do_about_what_is_wrong() {
    let dir = tempfile::TempDir::new().expect("there is room for a directory");
    let set_mode = |mode| {
        fs::set_permissions(dir.path(), fs::Permissions::from_mode(mode)).expect("it is ours");
    };
    set_mode(0o700);
    let well = run(dir.path(), &["doctor"]);
    for part in [
        "has mode 0700",
        "Linux",
        "sealed",
        "seccomp",
        "RLIMIT_NOFILE",
        "processes and threads",
        "control group",
    ] {
        assert!(well.stdout.contains(part), "{part} in {}", well.stdout);
    }
    let found = json(dir.path(), &["doctor"]);
    let mode = found[0]["found"].as_str().expect("the directory is first");
    assert!(mode.ends_with("has mode 0700"), "{found}");
    assert_eq!((&found[0]["status"], &found[0]["advice"]), (&"ok".into(), &Value::Null));
    let limited = |set: &str| {
        let script = format!("{set}; exec \"$0\" doctor --dir \"$1\"");
        let mut command = Command::new("sh");
        command.args(["-c", &script, env!("CARGO_BIN_EXE_witrpc")]).arg(dir.path());
        let limited = super::Ran::of(command.output().expect("it starts"));
        assert_eq!(limited.code, 1, "{}", limited.stdout);
        limited.stdout
    };
    let few = limited("ulimit -n 100");
    assert!(few.contains("→ raise it to 256 or more (ulimit -n, or LimitNOFILE= of"), "{few}");
    let short = limited("ulimit -f 10");
    assert!(short.contains("→ raise it to 67108864 or more (ulimit -f, or LimitFSIZE="), "{short}");
    set_mode(0o777);
    let ill = run(dir.path(), &["doctor"]);
    assert_eq!(ill.code, 1);
    let advice = format!("→ chmod 0755 {}", dir.path().display());
    assert!(ill.stdout.contains("wrong") && ill.stdout.contains(&advice), "{}", ill.stdout);
}
