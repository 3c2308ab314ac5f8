//! `witrpc call` and `witrpc watch`.

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::os::unix::process::ExitStatusExt;
use std::process::Stdio;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use witrpc::AccessToken;
use witrpc::Mmf;
use witrpc::dynamic::DynamicClient;

use super::shop::Open;
use super::{run, run_with, witrpc};

#[test]
fn arguments_are_an_object_an_array_pairs_or_standard_input() {
    let open = Open::new();
    let call = |arguments: &[&str]| run(open.dir(), &[&["call", "shop"], arguments].concat()).ok();
    assert_eq!(call(&["Shop.add", r#"{"a": 1, "b": 2}"#]), "3\n");
    assert_eq!(call(&["Shop.add", "[1, 2]"]), "3\n");
    assert_eq!(call(&["Shop.add", "a=1", "b=2"]), "3\n");
    assert_eq!(call(&["Shop.later", "what=a word"]), "\"a word\"\n");
    assert_eq!(call(&["Shop.later", "what=\"7\""]), "\"7\"\n");
    assert_eq!(call(&["Clock.now"]), "12\n");
    assert_eq!(call(&["Shop.scale", r#"{"values": [1, 2.5], "by": 2}"#]), "[2.0,5.0]\n");
    assert_eq!(call(&["Shop.reverse", "bytes=[1, 2, 3]"]), "\"AwIB\"\n");
    assert_eq!(call(&["Shop.reverse", "bytes=AwIB"]), "\"AQID\"\n");
    let from_stdin =
        run_with(open.dir(), &["call", "shop", "Shop.add", "-"], r#"{"a": 5, "b": 6}"#);
    assert_eq!(from_stdin.ok(), "11\n");
}

#[test]
fn every_codec_carries_a_call() {
    let open = Open::new();
    for codec in ["json", "messagepack", "postcard"] {
        let order = r#"{"order": {"lines": [{"item": "nut", "count": 3}], "express": true}}"#;
        let ran = run(open.dir(), &["call", "shop", "Shop.order", order, "--codec", codec]);
        assert_eq!(ran.ok(), "3\n", "{codec}");
    }
}

#[test]
fn a_field_with_a_default_may_be_left_out_where_the_codec_has_names() {
    let open = Open::new();
    let order = r#"{"order": {"lines": [{"item": "nut", "count": 3}]}}"#;
    let call = |codec| run(open.dir(), &["call", "shop", "Shop.order", order, "--codec", codec]);
    assert_eq!(call("json").ok(), "3\n");
    assert_eq!(call("messagepack").ok(), "3\n");
    assert_eq!(call("postcard").failed(64), "error: `order.express` is missing\n");
}

#[test]
fn an_answer_that_cannot_be_written_is_that_of_a_method_that_ran() {
    let open = Open::new();
    let full = |arguments: &[&str]| {
        let full = fs::File::options().write(true).open("/dev/full").expect("the system has it");
        let ran = witrpc(open.dir(), arguments).stdout(full).output().expect("it starts");
        super::Ran::of(ran)
    };
    for call in [&["Shop.add", "a=1", "b=2"][..], &["Shop.count", "to=3"], &["Shop.sum"]] {
        let lost = full(&[&["call", "shop"], call].concat()).failed(3);
        assert!(lost.contains("No space left") && lost.contains("the method ran"), "{lost}");
    }
    full(&["list"]).failed(2);
}

#[test]
fn a_reader_of_errors_that_has_gone_changes_no_exit_code() {
    let open = Open::new();
    for (arguments, code) in [
        (&["call", "nowhere", "Shop.add"][..], 2),
        (&["call", "shop", "Shop.fail"], 3),
        (&["call", "shop", "add"], 64),
        (&["call"], 64),
    ] {
        let (reader, writer) = std::io::pipe().expect("there are descriptors left");
        drop(reader);
        let ended = witrpc(open.dir(), arguments).stderr(writer).status().expect("it starts");
        assert_eq!(ended.code(), Some(code), "{arguments:?}");
    }
}

#[test]
fn ctrl_c_cancels_the_call() {
    let open = Open::new();
    let mut child = witrpc(open.dir(), &["call", "shop", "Shop.hold"]).spawn().expect("it starts");
    open.held.await_begin();
    kill_process(Pid::from_child(&child), Signal::INT).expect("it runs");
    assert_eq!(child.wait().expect("it ends").signal(), Some(Signal::INT.as_raw()));
    open.held.await_cancelled();
}

#[test]
fn an_exit_code_says_how_far_a_call_came() {
    let open = Open::new();
    let call = |arguments: &[&str]| run(open.dir(), &[&["call", "shop"], arguments].concat());
    let unicorn = r#"{"order": {"lines": [{"item": "unicorn", "count": 1}]}}"#;
    let own = call(&["Shop.order", unicorn]).failed(1);
    assert_eq!(own, "error: {\"SoldOut\":{\"item\":\"unicorn\"}}\n");
    let none = run(open.dir(), &["call", "nowhere", "Shop.add", "a=1", "b=2"]).failed(2);
    assert!(none.contains("no server serves \"nowhere\""), "{none}");
    assert!(none.contains("`witrpc list` shows"), "{none}");
    let ran = call(&["Shop.fail"]).failed(3);
    assert!(ran.contains("the till is jammed"), "{ran}");
    for (arguments, said) in [
        (&["Shop.add", "a=1"][..], "`b` is missing"),
        (&["Shop.add", "a=1", "b=-2"], "`b` is -2, which u64 does not hold"),
        (&["Shop.add", "a=1", "c=2"], "`c` is not an argument: there are `a`, `b`"),
        (&["Shop.add", "a=1", "a=2"], "a is given twice"),
        (&["Shop.add", "1", "2"], "\"1\" is neither JSON nor NAME=VALUE"),
        (&["Shop.add", "{"], "the arguments are no JSON"),
        (&["Shop.subtract"], "Shop has no method \"subtract\": it has `add`,"),
        (&["Bank.add"], "the server does not serve \"Bank\": it serves `Shop`, `Clock`"),
        (&["add"], "\"add\" has no dot"),
        (&["Shop.sold"], "is an event: use `witrpc watch`"),
        (
            &["Shop.order", r#"{"order": {"lines": [{"item": "nut", "count": 300}]}}"#],
            "`order.lines[0].count` is 300, which u8 does not hold",
        ),
        (&["Shop.add", "--codec", "xml"], "invalid value 'xml'"),
    ] {
        let error = call(arguments).failed(64);
        assert!(error.contains(said), "{arguments:?}: {error}");
    }
}

#[test]
fn streams_are_lines_of_json() {
    let open = Open::new();
    assert_eq!(run(open.dir(), &["call", "shop", "Shop.count", "to=3"]).ok(), "1\n2\n3\n");
    for codec in ["json", "messagepack", "postcard"] {
        let call = |method: &str, given: &str, input: &str| {
            run_with(open.dir(), &["call", "shop", method, given, "--codec", codec], input)
        };
        assert_eq!(call("Shop.sum", "{}", "1\n2\n3\n").ok(), "6\n");
        assert_eq!(call("Shop.join", "by=, ", "\"a\"\n\"b\"\n").ok(), "\"a, b\"\n");
        // The method may have begun.
        let misfit = call("Shop.sum", "{}", "1\n\"x\"\n").failed(3);
        assert!(misfit.contains("`item[1]` is a text, where u64 is wanted"), "{misfit}");
        let misfit = call("Shop.join", "by=,", "\"a\" nonsense").failed(3);
        assert!(misfit.contains("`item[1]` is no JSON"), "{misfit}");
    }
}

#[test]
fn a_reader_that_goes_ends_a_stream_in_peace() {
    let open = Open::new();
    let mut command = witrpc(open.dir(), &["call", "shop", "Shop.count", "to=4000000000"]);
    let mut child =
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it starts");
    let mut lines = BufReader::new(child.stdout.take().expect("it is piped"));
    let mut first = String::new();
    lines.read_line(&mut first).expect("it writes lines");
    assert_eq!(first, "1\n");
    drop(lines);
    assert!(child.wait().expect("it ends").success());
    let mut said = String::new();
    child.stderr.take().expect("it is piped").read_to_string(&mut said).expect("it writes UTF-8");
    assert_eq!(said, "");
}

#[test]
fn events_are_written_as_they_come_until_the_server_ends() {
    let open = Open::new();
    let mut command = witrpc(open.dir(), &["watch", "shop", "Shop.sold"]);
    let mut child =
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it starts");
    let client = DynamicClient::connect(Mmf::new("shop").in_dir(open.dir())).expect("it serves");
    let sell = serde_json::json!({ "item": "nut", "count": 2 });
    // Nothing says when the command has subscribed, so something is sold until it has.
    let seen = AtomicBool::new(false);
    let first = thread::scope(|scope| {
        scope.spawn(|| {
            while !seen.load(Ordering::Relaxed) {
                client.call("Shop", "sell", &sell).expect("it sells");
                thread::sleep(Duration::from_millis(5));
            }
        });
        let mut first = String::new();
        let mut lines = BufReader::new(child.stdout.take().expect("it is piped"));
        let read = lines.read_line(&mut first);
        seen.store(true, Ordering::Relaxed);
        read.expect("it writes lines");
        child.stdout = Some(lines.into_inner());
        first
    });
    assert_eq!(first, "{\"count\":2,\"item\":\"nut\"}\n");
    drop(open.server);
    let ended = child.wait_with_output().expect("it ends");
    assert_eq!(ended.status.code(), Some(2));
    let said = String::from_utf8(ended.stderr).expect("it writes UTF-8");
    assert!(said.contains("the events have ended"), "{said}");
}

#[test]
fn a_server_with_a_token_tells_nothing_of_its_services_without_it() {
    let token = AccessToken::random();
    let open = Open::with_token(&token);
    let listed = run(open.dir(), &["list"]).ok();
    assert!(listed.contains("(not told)") && !listed.contains("Shop"), "{listed}");
    for arguments in [
        &["call", "shop", "Shop.add", "a=1", "b=2"][..],
        &["describe", "shop"],
        &["watch", "shop", "Shop.sold"],
        &["ping", "shop"],
    ] {
        let refused = run(open.dir(), arguments).failed(2);
        assert!(refused.contains("--token-file") && !refused.contains("Clock"), "{refused}");
    }
    let stats = run(open.dir(), &["stats", "shop"]).ok();
    assert!(stats.contains("--token-file") && !stats.contains("Shop"), "{stats}");

    let file = open.dir().join("token");
    fs::write(&file, format!("{}\n", *token.to_hex())).expect("there is room for a file");
    let file = file.to_str().expect("it is UTF-8");
    let call = ["call", "shop", "Shop.add", "a=1", "b=2", "--token-file", file];
    assert_eq!(run(open.dir(), &call).ok(), "3\n");
    let listed = run(open.dir(), &["list", "--token-file", file]).ok();
    assert!(listed.contains("Shop, Clock"), "{listed}");

    fs::write(file, "not hexadecimal").expect("there is room for a file");
    for arguments in
        [&call[..], &["list", "--token-file", file], &["stats", "shop", "--token-file", file]]
    {
        let unusable = run(open.dir(), arguments).failed(2);
        assert!(unusable.contains("the token in"), "{unusable}");
    }
}

#[test]
fn an_encrypted_connection_carries_calls_too() {
    let token = AccessToken::random();
    let open = Open::with(|server| server.access_token(token.clone()).encryption(true));
    let file = open.dir().join("token");
    fs::write(&file, &**token.to_hex()).expect("there is room for a file");
    let file = file.to_str().expect("it is UTF-8");
    let call = ["call", "shop", "Shop.add", "a=1", "b=2", "--token-file", file];
    let refused = run(open.dir(), &call).failed(2);
    assert!(refused.contains("(here: --encrypt)"), "{refused}");
    assert_eq!(run(open.dir(), &[&call[..], &["--encrypt"]].concat()).ok(), "3\n");
}
