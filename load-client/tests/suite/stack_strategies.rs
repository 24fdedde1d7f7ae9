//! The Docker stack, its dashboards and the help name the strategies of the worked example.

use std::{collections::BTreeSet, fs};

use crate::support::{load_client, workspace};
use load_client::lab::Lab;

/// The service of the Docker stack that runs with default settings.
const UNTUNED: &str = "sync-auto";

/// The service of the Docker stack whose instances share a queue.
const SHARED: &str = "async-durable";

/// The names of strategies in a file: each stands between the text `before` and the character `after`.
fn names(file: &str, before: &str, after: char) -> BTreeSet<String> {
    let text = fs::read_to_string(workspace().join(file)).unwrap();
    let parts = text.match_indices(before).map(|(at, _)| &text[at + before.len()..]);
    let names = parts.filter_map(|rest| Some(rest.split_once(after)?.0.trim().to_owned()));
    names
        .filter(|name| !name.is_empty() && name.chars().all(|c| c.is_ascii_lowercase() || c == '-'))
        .collect()
}

#[test]
fn stack_and_dashboards_have_the_strategies_of_the_worked_example_and_one_that_is_not_tuned() {
    let lab = Lab::built_in().strategies(load_client::compare::REAL).unwrap();
    let lab: BTreeSet<String> = lab.into_iter().map(|strategy| strategy.name).collect();
    assert_eq!(lab.len(), 5);
    let stack: BTreeSet<String> = lab.iter().cloned().chain([UNTUNED.to_owned()]).collect();
    // The shared queue is in a profile of its own, and Prometheus finds its services by their names.
    let services: BTreeSet<String> = stack.iter().cloned().chain([SHARED.to_owned()]).collect();
    assert_eq!(names("docker-compose.yml", "LOAD_URL: \"http://", ':'), services);
    assert_eq!(names("grafana/boards/strategies.py", "\n    \"", '"'), services);
    assert_eq!(names("prometheus/targets/foo-service.yml", "strategy: ", '}'), stack);
    assert_eq!(names("prometheus/targets/load-client.yml", "strategy: ", '}'), stack);
    let help = load_client(["compare", "--help"]).output().unwrap();
    let help = String::from_utf8(help.stdout).unwrap();
    let help = help.split_whitespace().collect::<Vec<_>>().join(" ");
    for name in &lab {
        assert!(help.contains(name), "{name} is not in the help of --strategy");
    }
}
