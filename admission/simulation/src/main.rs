//! Prints the tables of docs/overload.md: `regret [SEEDS]`, `cells [SEEDS]` (as CSV), `scripts`, `searches`, `classes`, and
//! `picture` as SVG.

use std::{env, process::ExitCode};

use admission_simulation::{
    picture,
    regret::{self, Deadlines},
    scenario::Late,
    scripts, searches,
};

/// What deadlines mean, in words.
const DEADLINES: [(Deadlines, &str); 4] = [
    (Deadlines::OnTheWire(Late::Stops), "Work stops at the deadline"),
    (Deadlines::OnTheWire(Late::GoesOn), "Work goes on after the deadline"),
    (Deadlines::TargetTold, "No deadlines on the wire"),
    (Deadlines::TargetUntold, "No deadlines on the wire, and no target"),
];

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let seeds = arguments.get(1).map_or(Some(3), |seeds| seeds.parse().ok());
    match (arguments.first().map(String::as_str), seeds) {
        (Some("regret"), Some(seeds)) => {
            for (deadlines, words) in DEADLINES {
                println!(
                    "{words}, {seeds} seeds:\n\n{}",
                    regret::draw(regret::lines(), deadlines, seeds).table()
                );
            }
            let searching = regret::draw(regret::searching(), DEADLINES[0].0, 1);
            println!(
                "Limits that search, 1 seed; work stops at the deadline:\n\n{}",
                searching.table()
            );
        }
        (Some("cells"), Some(seeds)) => {
            print!("{}", regret::draw(regret::lines(), DEADLINES[0].0, seeds).cells().csv());
        }
        (Some("scripts"), Some(_)) => {
            let (table, _) = scripts::table(&scripts::policies());
            println!("{}\n{table}", scripts::legend());
        }
        (Some("searches"), Some(_)) => println!("{}", searches::table()),
        (Some("classes"), Some(_)) => println!("{}", searches::classes_table()),
        (Some("picture"), Some(_)) => print!("{}", picture::svg()),
        _ => {
            eprintln!("usage: admission-simulation regret|cells|scripts|searches|classes|picture [SEEDS]");
            return ExitCode::from(2);
        }
    }
    ExitCode::SUCCESS
}
