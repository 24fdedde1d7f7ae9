//! Errors in lab files, with the real program: each is one line that names the file, the line and the key.

use std::fs;

use crate::support::load_client;

/// Runs `compare` on a lab. Returns the exit code and stderr, in which `FILE` replaces the file's name.
fn refused(lab: &str, flags: &[&str]) -> (Option<i32>, String) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("lab.toml");
    fs::write(&file, lab).unwrap();
    let output = load_client(["compare".as_ref(), file.as_os_str()])
        .args(flags)
        .output()
        .unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    (output.status.code(), said.replace(file.to_str().unwrap(), "FILE"))
}

const STRATEGY: &str = "[[strategy]]\nname = \"s\"\nmode = \"process\"\n";

#[test]
#[expect(clippy::too_many_lines, reason = "a table of errors, each with its whole text")]
fn what_is_wrong_in_a_lab_is_said_in_one_line_with_its_place() {
    let strategy = |rest: &str| format!("{STRATEGY}{rest}");
    let queued = |rest: &str| strategy(rest).replace("process", "enqueue");
    let event = |rest: &str| format!("[load]\nduration = \"10s\"\n{STRATEGY}[[event]]\n{rest}");
    for (lab, says) in [
        (
            "titel = \"x\"".to_owned(),
            "1: a lab has no key \"titel\"; the nearest is \"title\"",
        ),
        ("title = 3".to_owned(), "1: title must be a text in quotes"),
        (
            "\n[load]\ndurration = \"3s\"".to_owned(),
            "3: [load] has no key \"durration\"; the nearest is \"duration\"",
        ),
        ("[load]\nclients = 0".to_owned(), "2: clients = 0: must be at least 1"),
        (
            "[load]\narrival = \"posson\"".to_owned(),
            "2: arrival = \"posson\" is none of its values; the nearest is \"poisson\"",
        ),
        (
            "[load]\nrps = 3\nstages = \"1s:2\"".to_owned(),
            "2: rps cannot be used with stages",
        ),
        (
            "[load]\nrepeat = \"yes\"".to_owned(),
            "2: repeat is a switch: write repeat = true or repeat = false",
        ),
        (
            "[load]\nclients = [1, 2]".to_owned(),
            "2: clients takes one value, not a list",
        ),
        (
            "[load]\nmode = \"process\"".to_owned(),
            "2: mode belongs into each [[strategy]]: mode = \"process\" or \"enqueue\"",
        ),
        (
            "[service]\nworker = 2".to_owned(),
            "2: [service] has no key \"worker\"; the nearest is \"workers\"",
        ),
        (
            "[service]\nworkers = 70000".to_owned(),
            "2: workers = 70000: must be at most 65536",
        ),
        (
            "[[strategy]]\nmode = \"process\"".to_owned(),
            "1: a strategy needs name, like name = \"codel\"",
        ),
        (
            "[[strategy]]\nname = \"A b\"\nmode = \"process\"".to_owned(),
            "2: the name \"A b\" must be made of a to z, 0 to 9 and -",
        ),
        (
            "[[strategy]]\nname = \"s\"\nmode = \"queue\"".to_owned(),
            "3: mode = \"queue\" is none of its values; there are process, enqueue",
        ),
        (
            strategy(STRATEGY),
            "4: there are two strategies \"s\"; each needs a name of its own",
        ),
        (
            strategy("instances = 0"),
            "4: instances must be a whole number from 1 to 100",
        ),
        (
            strategy("instances = 3"),
            "1: s: instances = 3 is for mode = \"enqueue\": the service that has a call of Process also answers it",
        ),
        (
            queued("instances = 2"),
            "1: s: instances = 2 needs a queue that the services share: add queue = \"nats://HOST:PORT\", or give --nats \
             nats://HOST:PORT",
        ),
        (
            queued("instances = 2\nqueue = \"nats://localhost\""),
            "1: s: instances = 2 share the workers, and workers = 1 is too few: each instance needs one at least",
        ),
        (
            queued("instances = 2\nqueue = \"nats://localhost\"\nservice = { workers = 2, accept = \"none\" }"),
            "1: s: instances = 2 and accept contradict each other: one service accepts, and the others work; leave accept out",
        ),
        (
            queued(
                "instances = 2\nqueue = \"nats://localhost\"\nservice = { workers = 2 }\n[[event]]\nat = \"1s\"\nservice = { \
                 workers = 1 }",
            ),
            "7: instances = 2 share the workers, and workers = 1 is too few: each instance needs one at least",
        ),
        (
            queued("queue = \"bounded\"\nservice = { queue = \"unbounded\" }"),
            "4: queue stands here and in service; leave one of them out",
        ),
        (
            queued("queue = \"http://localhost\""),
            "4: queue = \"http://localhost\": must begin with nats:// or tls://",
        ),
        (
            strategy("service = { zebra = \"codel\", workers = 2 }"),
            "4: service has no key \"zebra\"; there are",
        ),
        (
            strategy("service = { line = \"shed\" }\n[service]\nworkers = 2\nclasses = \"strict\""),
            "7: s: line and classes contradict each other: with the line shed no call waits, so none comes first; leave one of \
             them out",
        ),
        (
            strategy("[strategy.service]\nline = \"lifo\"\ntarget-wait = \"1s\""),
            "6: s: line and target-wait contradict each other: this line does not look at how long calls wait; leave one of them \
             out",
        ),
        (
            event("at = \"10s\"\nservice = { workers = 2 }"),
            "6: at = \"10s\" is not before the end of the load, which lasts 10.0 s",
        ),
        (
            event("at = \"soon\"\nservice = { workers = 2 }"),
            "7: at = \"soon\": expected number at 0; write it as 250ms or 2s",
        ),
        (
            event("at = \"5s\"\nstrategies = [\"t\"]\nservice = { workers = 2 }"),
            "8: there is no strategy \"t\"; there are s",
        ),
        (
            event("at = \"5s\"\nservice = { queue = \"unbounded\" }"),
            "8: queue cannot change while a service runs; an event can change workers, service-time, fail-rate, fail-time",
        ),
        (
            event("at = \"5s\"\nservice = { workrs = 2 }"),
            "8: service has no key \"workrs\"; an event can change workers, service-time, fail-rate, fail-time",
        ),
        (
            event("at = \"5s\""),
            "6: an event needs to say what changes, like service = { workers = 2 }",
        ),
        (
            strategy("service = { fail-time = \"10ms\" }"),
            "4: s: fail-time has no effect, because no message fails: give --fail-rate too, or leave fail-time out",
        ),
        ("a = ".to_owned(), "1: this is no TOML: "),
        (
            "[load]\nclients = 1\nclients = 2".to_owned(),
            "3: this is no TOML: duplicate key",
        ),
    ] {
        let (code, said) = refused(&lab, &["--virtual-time", "-q"]);
        let line = format!("load-client: FILE:{says}");
        assert_eq!((code, said.lines().count()), (Some(2), 1), "{lab}\n{said}");
        let whole = ["there are", "TOML: ", "duplicate key"]
            .iter()
            .any(|open| says.ends_with(open));
        assert!(
            said.starts_with(&line) && (whole || said.trim_end() == line),
            "{lab}\n{said}\n{line}"
        );
    }
}

#[test]
fn what_flags_and_lab_say_together_can_be_wrong_too() {
    let halved = "[load]\nduration = \"10s\"\n[[event]]\nat = \"5s\"\nservice = { workers = 2 }";
    for (flags, says) in [
        (
            vec!["-z", "4s"],
            "FILE:3: at = \"5s\" is not before the end of the load, which lasts 4.00 s",
        ),
        (
            vec!["--strategy", "synk"],
            "FILE: there is no strategy \"synk\"; there are async-unbounded, async-scaled, async-bounded, sync, sync-shed; the \
             nearest is \"sync\"",
        ),
        (vec!["--strategy", "sync", "--queue-capacity", "3"], ""),
    ] {
        let (code, said) = refused(halved, &[&flags[..], &["--virtual-time", "-q"]].concat());
        let expected = if says.is_empty() { Some(0) } else { Some(2) };
        assert_eq!(code, expected, "{said}");
        assert!(
            says.is_empty() || said.trim_end() == format!("load-client: {says}"),
            "{said}"
        );
    }
    let (code, said) = refused(halved, &["--target", "a=http://127.0.0.1:1", "--mode", "enqueue"]);
    assert_eq!(code, Some(2));
    assert!(said.contains("a --target cannot be changed from here"), "{said}");
    let classes = format!("[service]\nclasses = \"strict\"\n{STRATEGY}");
    let contradict = "and classes contradict each other: with the line shed no call waits, so none comes first; leave one of them out";
    let (code, said) = refused(&classes, &["--line", "shed", "--virtual-time"]);
    assert_eq!(code, Some(2));
    assert_eq!(said.trim_end(), format!("load-client: FILE:2: s: line {contradict}"));
    let flags = ["--line", "shed", "--max-waiting", "3", "--virtual-time"];
    let (code, said) = refused(STRATEGY, &flags);
    assert_eq!(code, Some(2));
    assert!(
        said.starts_with("load-client: FILE: s: line and max-waiting contradict each other"),
        "{said}"
    );
    let missing = load_client(["compare", "/nowhere/lab.toml"]).output().unwrap();
    let said = String::from_utf8_lossy(&missing.stderr).into_owned();
    assert_eq!(missing.status.code(), Some(2));
    assert_eq!(
        said.trim_end(),
        "load-client: cannot read /nowhere/lab.toml: No such file or directory (os error 2)"
    );
}
