//! `foo-service dead-letters`: lists the dead letters of a shared queue, and queues them again.

use std::{
    io::{self, Write},
    process::ExitCode,
};

use clap::{Args, Subcommand};
use foo_service::{
    config::Settings,
    enqueue::{Backing, DeadLetter, DeadLetters},
};

/// What to do with dead letters. The flags may stand before the action or after it.
#[derive(Debug, Args)]
#[command(mut_args(|flag| flag.global(true)))]
pub(crate) struct DeadLettersArgs {
    #[command(subcommand)]
    action: Action,
    #[command(flatten)]
    settings: Settings,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Print all dead letters, oldest first: number, deliveries, bytes, id and reason
    List,
    /// Queue dead letters again, and remove them here
    Retry {
        /// Numbers of the letters, as `list` prints them
        #[arg(required_unless_present = "all", conflicts_with = "all", value_name = "NUMBER")]
        numbers: Vec<u64>,
        /// All of them
        #[arg(long)]
        all: bool,
    },
}

/// Lists or retries the dead letters, as `args` say. The error is a text for the operator.
pub(crate) async fn run(args: &DeadLettersArgs) -> Result<ExitCode, String> {
    args.settings.check()?;
    let Backing::Nats(queue) = args.settings.backing() else {
        return Err("only a shared queue has dead letters: name it with --queue nats://HOST:PORT".to_owned());
    };
    let letters = DeadLetters::open(queue).await?;
    let mut out = io::stdout();
    match &args.action {
        Action::List => {
            for letter in letters.list().await? {
                // If the reader of standard output has gone, there is nothing more to do.
                let _ = writeln!(out, "{}", line(&letter));
            }
        }
        Action::Retry { numbers, all } => {
            let numbers = if *all {
                letters.list().await?.into_iter().map(|letter| letter.number).collect()
            } else {
                numbers.clone()
            };
            for number in numbers {
                letters.retry(number).await?;
                let _ = writeln!(out, "{number}: queued again");
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn line(letter: &DeadLetter) -> String {
    let id = letter
        .id
        .as_deref()
        .map_or_else(|| "-".to_owned(), |id| format!("{id:?}"));
    format!(
        "{}\t{} deliveries\t{} bytes\t{id}\t{}",
        letter.number, letter.deliveries, letter.bytes, letter.reason
    )
}
