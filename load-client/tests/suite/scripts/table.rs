//! The table of docs/overload.md of every policy by every script, over the whole stack. `scripts/bench scripts` measures it
//! with the release program; it takes minutes, so the test that does so is ignored otherwise.

use std::{
    env,
    fmt::Write,
    fs,
    path::{Path, PathBuf},
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

use super::{POLICIES, SCRIPTS, Script};

const BEGIN: &str = "<!-- measured: scripts -->\n";
const END: &str = "<!-- end -->";

/// The policies at the top of the list that must pass every script: the limit and the line `auto`, told the workers or not.
const AUTO: usize = 2;

fn page() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/overload.md")
}

/// The text of the page with another table.
fn with_table(page: &str, table: &str) -> String {
    let (before, rest) = page.split_once(BEGIN).expect("the page has the mark");
    let (_, after) = rest.split_once(END).expect("the page has the end of the table");
    format!("{before}{BEGIN}{table}{END}{after}")
}

fn head() -> String {
    let heads = SCRIPTS.map(|script| format!("{} ({})", script.lab, script.bound));
    format!(
        "| limit · line | {} |\n|---|{}\n",
        heads.join(" | "),
        "--:|".repeat(SCRIPTS.len())
    )
}

/// Every script's figure of every policy, one policy after the other; `None` where the program refuses the two together.
fn figures() -> Vec<Option<f64>> {
    let cells: Vec<(usize, usize)> = (0..POLICIES.len())
        .flat_map(|policy| (0..SCRIPTS.len()).map(move |script| (policy, script)))
        .collect();
    let (next, figures) = (AtomicUsize::new(0), Mutex::new(vec![None; cells.len()]));
    thread::scope(|scope| {
        for _ in 0..thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(|| {
                while let Some((place, (policy, script))) =
                    cells.iter().enumerate().nth(next.fetch_add(1, Ordering::Relaxed))
                {
                    let (script, (name, flags)) = (&SCRIPTS[*script], POLICIES[*policy]);
                    let figure = script.takes(flags).then(|| script.of(flags));
                    eprintln!(
                        "{} of {}: {name}, script {}: {figure:.3?}",
                        place + 1,
                        cells.len(),
                        script.lab
                    );
                    figures.lock().unwrap()[place] = figure;
                }
            });
        }
    });
    figures.into_inner().unwrap()
}

/// A figure as the table has it: in bold type if it is outside its bound.
fn cell(script: &Script, figure: Option<f64>) -> String {
    match figure {
        Some(figure) if script.holds(figure) => format!("{figure:.2}"),
        Some(figure) => format!("**{figure:.2}**"),
        None => "–".to_owned(),
    }
}

#[test]
#[ignore = "takes minutes: `scripts/bench scripts` runs it, with the release program"]
fn every_policy_by_every_script() {
    let figures = figures();
    let mut table = head();
    for ((name, _), row) in POLICIES.iter().zip(figures.chunks(SCRIPTS.len())) {
        let cells: Vec<String> = SCRIPTS
            .iter()
            .zip(row)
            .map(|(script, figure)| cell(script, *figure))
            .collect();
        writeln!(table, "| {name} | {} |", cells.join(" | ")).unwrap();
    }
    println!("{table}");
    if env::var_os("UPDATE_RESULTS").is_some() {
        let text = fs::read_to_string(page()).unwrap();
        fs::write(page(), with_table(&text, &table)).unwrap();
    }
    let of_auto = figures[..AUTO * SCRIPTS.len()].iter().zip(SCRIPTS.iter().cycle());
    let failed: Vec<&str> = of_auto
        .filter(|(figure, script)| figure.is_none_or(|figure| !script.holds(figure)))
        .map(|(_, script)| script.lab)
        .collect();
    assert_eq!(failed, [""; 0], "auto passes every script");
}

#[test]
fn the_table_has_every_policy_and_every_script_and_auto_passes_all() {
    let text = fs::read_to_string(page()).unwrap();
    let (_, rest) = text.split_once(BEGIN).expect("the page has the mark");
    let (table, _) = rest.split_once(END).expect("the page has the end of the table");
    assert!(
        table.starts_with(&head()),
        "measure it anew: UPDATE_RESULTS=1 scripts/bench scripts"
    );
    let rows: Vec<&str> = table.lines().skip(2).collect();
    assert_eq!(rows.len(), POLICIES.len());
    for (place, ((name, _), row)) in POLICIES.iter().zip(rows).enumerate() {
        assert!(row.starts_with(&format!("| {name} | ")), "{name}: {row}");
        assert!(place >= AUTO || !row.contains("**"), "auto passes every script: {row}");
    }
}
