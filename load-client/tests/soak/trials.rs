//! Which strategies, lines and limits are soaked, and what bounds each of them.

use foo_service::{config::Settings, enqueue::WhenFull};
use load_client::{
    compare::REAL,
    lab::{Lab, Strategy},
    scenario::Rpc,
};
use tower_admission::{
    limit::{self, LIMITS},
    line::{self, LINES},
};

use crate::{CLIENTS, SERVICE_TIME};

/// The number of callers that may wait, in the line of Process or for room on the queue.
const MAX_WAITING: u32 = 32;
/// Callers whose places went to newer ones, and whose tasks have not run since: they still count as in the system (arbitrary:
/// as many as arrive within three milliseconds, and a few more).
const DISPLACED: u64 = 8;
/// Limits that do not search: `fixed`, with any number.
const KNOWN: &str = "fixed";
/// Where the others begin to search: far above the one worker (arbitrary).
const START: u32 = 20;

/// A strategy, and the most that may ever be in its system; `None`: there is no such bound.
pub(crate) struct Trial {
    pub(crate) name: String,
    pub(crate) rpc: Rpc,
    pub(crate) settings: Settings,
    pub(crate) most_in_system: Option<u64>,
}

/// The strategies of the worked example, the other policies of the queue, and every line and limit of Process.
pub(crate) fn trials() -> Vec<Trial> {
    let queue = |settings: &Settings, when_full| Settings {
        when_full,
        max_waiting: MAX_WAITING,
        ..settings.clone()
    };
    let mut trials = Vec::new();
    for Strategy {
        name, rpc, settings, ..
    } in Lab::built_in().strategies(REAL).expect("it is compiled in")
    {
        let mut add = |name: &str, settings: Settings, most_in_system| {
            assert_eq!(settings.service_time, SERVICE_TIME);
            trials.push(Trial {
                name: name.to_owned(),
                rpc,
                settings,
                most_in_system,
            });
        };
        let on_the_queue = u64::from(settings.queue_capacity);
        let name = name.as_str();
        match name {
            "async-unbounded" => add(name, settings, None),
            "async-bounded" => {
                let (reject, wait) = (queue(&settings, WhenFull::Reject), queue(&settings, WhenFull::Wait));
                add(name, settings, Some(on_the_queue + 1));
                add("async, reject", reject, Some(on_the_queue + 1));
                add("async, wait", wait, Some(on_the_queue + 1 + u64::from(MAX_WAITING)));
            }
            "sync" => {
                // With every other line, and with every limit that searches.
                for line in LINES.iter().filter(|line| line.name != settings.line.name) {
                    let settings = Settings {
                        line: line::by_name(line.name).expect("of the list"),
                        max_waiting: MAX_WAITING,
                        ..settings.clone()
                    };
                    add(
                        &format!("line {}", line.name),
                        settings,
                        Some(u64::from(MAX_WAITING) + 1 + DISPLACED),
                    );
                }
                for limit in LIMITS.iter().filter(|limit| limit.name != KNOWN) {
                    let settings = Settings {
                        limit_kind: limit::by_name(limit.name).expect("of the list"),
                        concurrency_limit: Some(START),
                        line: line::by_name("auto").expect("of the list"),
                        max_waiting: MAX_WAITING,
                        ..settings.clone()
                    };
                    add(&format!("limit {}", limit.name), settings, Some(u64::from(CLIENTS)));
                }
                add(name, settings, Some(u64::from(CLIENTS)));
            }
            "sync-shed" => add(name, settings, Some(2)),
            // Unbounded as well, and at this load no different.
            "async-scaled" => {}
            other => panic!("{other} is new: what bounds its line?"),
        }
    }
    trials
}
