//! `witrpc clean`.

use std::fs;
use std::fs::File;
use std::path::Path;
use std::time::{Duration, SystemTime};

use super::doomed::Doomed;
use super::run;
use super::shop::Open;

/// Returns all files below a directory.
fn files(dir: &Path) -> Vec<String> {
    let mut found = Vec::new();
    for entry in fs::read_dir(dir).expect("it is there").flatten() {
        match entry.path() {
            path if path.is_dir() => found.extend(files(&path)),
            path => found.push(path.display().to_string()),
        }
    }
    found
}

/// Makes the files of a directory as old as an hour.
fn age(dir: &Path) {
    for path in files(dir) {
        if let Ok(file) = File::options().write(true).open(path) {
            let hour = SystemTime::now() - Duration::from_secs(3600);
            file.set_modified(hour).expect("it is ours");
        }
    }
}

#[test]
fn only_what_an_old_dead_server_has_left_is_removed_and_only_when_asked() {
    let dir = tempfile::TempDir::new().expect("there is room for a directory");
    let nothing = "nothing is left of dead servers\n";
    assert_eq!(run(dir.path(), &["clean"]).ok(), nothing);
    let doomed = Doomed::serve(dir.path());
    age(dir.path());
    assert_eq!(run(dir.path(), &["clean", "--yes"]).ok(), nothing, "it is alive");
    doomed.kill();
    let left = files(dir.path());
    assert_eq!(left.len(), 2, "a socket and a lock: {left:?}");
    let json = serde_json::json!([
        { "kind": "name", "name": "shop", "path": dir.path().join("locks/shop"), "removed": false },
    ]);
    assert_eq!(run(dir.path(), &["clean", "--json"]).ok(), format!("{json}\n"));
    let would = run(dir.path(), &["clean"]).ok();
    assert!(would.starts_with("would remove the name \"shop\" of a dead server: "), "{would}");
    assert!(would.ends_with("nothing was removed: --yes removes it\n"), "{would}");
    assert_eq!(files(dir.path()), left);
    let removed = run(dir.path(), &["clean", "--yes"]).ok();
    assert!(removed.starts_with("removed the name \"shop\" of a dead server: "), "{removed}");
    assert_eq!(files(dir.path()), Vec::<String>::new());

    Doomed::serve(dir.path()).kill();
    assert_eq!(run(dir.path(), &["clean", "--yes"]).ok(), nothing, "it is too young");
    assert_eq!(files(dir.path()).len(), 2);
}

#[test]
fn a_living_server_and_files_of_others_stay() {
    let open = Open::new();
    let other = open.dir().join("notes.txt");
    fs::write(&other, "mine").expect("there is room for a file");
    age(open.dir());
    let before = files(open.dir());
    run(open.dir(), &["clean", "--yes"]).ok();
    assert_eq!(files(open.dir()), before);
}
