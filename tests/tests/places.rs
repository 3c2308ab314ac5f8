//! The directories of a user as a machine may have them: squatted, too open, too narrow. Each test
//! has its own `/run` and `/dev/shm`, in a mount namespace that ends with its program.

use std::process::{Command, Stdio};

use witrpc_tests::fixture::Address;
use witrpc_tests::process::Child;
use witrpc_tests::roles::{Role, ServedItself};
use witrpc_tests::skip::{lacking_namespaces, skipped};
use witrpc_tests::watchdog::{PATIENCE, Watchdog};

/// The user of the program.
const USER: &str = "4101";

/// Another user.
const OTHER: &str = "4102";

/// Makes the directories of a machine, runs `$PREPARE`, and then runs the program as the user. The
/// program is copied to where every user may run it.
const IN_NAMESPACE: &str = r#"
    set -e
    mount --make-rprivate /
    mount -t tmpfs -o mode=0755 none /run
    mount -t tmpfs -o mode=1777 none /dev/shm
    mkdir -p -m 755 /run/user
    mkdir -m 700 "/run/user/$USER_ID"
    chown "$USER_ID" "/run/user/$USER_ID"
    eval "$PREPARE"
    cp "$1" /run/peer
    chmod 755 /run/peer
    eval "$BEFORE"
    exec setpriv --reuid "$USER_ID" --regid "$USER_ID" --clear-groups $WRAP /run/peer
"#;

/// Returns the command that runs a script as root of a mount namespace, or `None` where that is not
/// allowed.
fn namespace() -> Option<Command> {
    let namespace = || {
        let mut command = Command::new("setpriv");
        command.args(["--pdeathsig", "KILL", "unshare", "--mount", "sh", "-c"]);
        command
    };
    let tried = namespace().args(["mount -t tmpfs none /run"]).stderr(Stdio::null()).status();
    if !tried.is_ok_and(|status| status.success()) {
        lacking_namespaces();
        return None;
    }
    Some(namespace())
}

/// Returns the outcomes of a program that serves and calls itself, where `prepare` has made the
/// directories. Its shell runs `before` last.
fn served_where(prepare: &str, before: &str) -> Option<ServedItself> {
    let mut command = namespace()?;
    command.args([IN_NAMESPACE, "sh"]);
    command.env("USER_ID", USER).env("OTHER", OTHER);
    command.env("PREPARE", prepare).env("BEFORE", before);
    let address = Address::Mmf { name: "calc".to_owned(), dir: None };
    Some(Child::start_under(command, &Role::ServeItself { address }).hear())
}

const SQUAT: &str = r#"
    mkdir -m 700 "/dev/shm/witrpc-$USER_ID"
    chown "$OTHER" "/dev/shm/witrpc-$USER_ID"
"#;

fn fine() -> ServedItself {
    ServedItself { served: Ok(()), called: Ok(42), asked: Ok(1) }
}

#[test]
fn a_user_whose_directory_is_squatted_or_in_an_open_parent_is_served_in_the_other() {
    let _watchdog = Watchdog::new(2 * PATIENCE);
    let squat_the_session = r#"
        mkdir -m 700 "/run/user/$USER_ID/witrpc"
        chown "$OTHER" "/run/user/$USER_ID/witrpc"
    "#;
    for prepare in [
        "",
        SQUAT,
        squat_the_session,
        "chmod 0777 /dev/shm",
        "mount -o remount,ro /dev/shm",
        "chmod 0770 \"/run/user/$USER_ID\"",
    ] {
        let Some(came) = served_where(prepare, "") else { return };
        assert_eq!(came, fine(), "{prepare}");
    }
}

#[test]
fn no_umask_keeps_a_user_out() {
    let _watchdog = Watchdog::new(2 * PATIENCE);
    for mask in ["0177", "0777", "0000"] {
        let Some(came) = served_where("", &format!("umask {mask}")) else { return };
        assert_eq!(came, fine(), "{mask}");
    }
    // Nor does a directory that an older server left under that mask.
    let narrow =
        r#"mkdir -m 600 "/dev/shm/witrpc-$USER_ID"; chown "$USER_ID" "/dev/shm/witrpc-$USER_ID""#;
    let Some(came) = served_where(narrow, "") else { return };
    assert_eq!(came, fine());
}

#[test]
fn where_no_place_is_left_each_is_named_with_its_reason() {
    let _watchdog = Watchdog::new(2 * PATIENCE);
    for (prepare, reason) in [
        (SQUAT, "\"/dev/shm/witrpc-4101\" belongs to user 4102, not to 4101"),
        ("chmod 0777 /dev/shm", "\"/dev/shm\", where a directory of names would be, has mode 0777"),
        ("chown \"$OTHER\" /dev/shm", "belongs to user 4102, neither to 4101 nor to root"),
    ] {
        let prepare = format!("{prepare}\nrmdir \"/run/user/$USER_ID\"");
        let Some(came) = served_where(&prepare, "") else { return };
        let (Err(served), Err(called), Err(asked)) = (came.served, came.called, came.asked) else {
            panic!("{prepare}: there is no place")
        };
        for words in [served, called, asked] {
            assert!(words.contains("\"/run/user/4101\" is missing"), "{words}");
            assert!(words.contains(reason), "{words}");
        }
    }
}

/// In a user namespace, the directories of the system belong to users that are not mapped.
#[test]
fn in_a_user_namespace_the_owner_is_told_and_not_the_sticky_bit() {
    let _watchdog = Watchdog::new(2 * PATIENCE);
    let apart = "unshare --user --map-root-user";
    let may_make_one =
        "setpriv --reuid \"$USER_ID\" --clear-groups unshare --user --map-root-user true";
    let Some(mut tried) = namespace() else { return };
    let tried = tried.arg(may_make_one).env("USER_ID", USER).stderr(Stdio::null()).status();
    if !tried.is_ok_and(|status| status.success()) {
        // This depends on a setting of the machine, also for root, and in CI.
        skipped("it takes the right to make user namespaces as any user");
        return;
    }
    let Some(came) = served_where("", &format!("WRAP='{apart}'")) else { return };
    let words = came.served.expect_err("no directory is this user's");
    assert!(words.contains("\"/dev/shm\"") && words.contains("user 65534"), "{words}");
    assert!(words.contains("user namespace") && words.contains("in_dir"), "{words}");
    assert!(!words.contains("sticky"), "{words}");
}
