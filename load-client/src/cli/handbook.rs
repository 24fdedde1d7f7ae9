//! Completion scripts for shells and pages for `man`, made from the flags themselves.

use std::{io, path::Path};

use clap::{Arg, Command, CommandFactory};
use clap_complete::Shell;

use super::Cli;

/// The completion script of a shell.
pub fn completions(shell: Shell) -> Vec<u8> {
    let mut command = Cli::command();
    let name = command.get_name().to_owned();
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut command, &name, &mut script);
    if shell != Shell::Bash {
        return script;
    }
    // clap_complete looks up a command under one spelling of a name with a hyphen and stores it under another (clap
    // issue 6421, in 4.6.11). Without this change, the flags of commands would never be completed.
    let script = String::from_utf8(script).expect("names and flags are text");
    let (filed, looked_up) = (name.replace('-', "__subcmd__"), name.replace('-', "__"));
    script.replace(&filed, &looked_up).into_bytes()
}

/// The manual page of the program, without those of its commands, in roff.
pub fn manual() -> Vec<u8> {
    let mut page = Vec::new();
    let rendered = clap_mangen::Man::new(documented()).render(&mut page);
    rendered.expect("writes to memory do not fail");
    page
}

/// Writes the manual pages of the program and of each of its commands into a folder that is there.
///
/// # Errors
///
/// If a file cannot be written.
pub fn write_manuals(folder: &Path) -> io::Result<()> {
    clap_mangen::generate_to(documented(), folder)
}

/// The command line without clap's own `help`, whose page would say nothing useful. The help texts include the other names
/// of flags, because the manual pages would leave them out.
fn documented() -> Command {
    let program = Cli::command().disable_help_subcommand(true);
    program.mut_subcommands(|command| command.mut_args(with_aliases))
}

fn with_aliases(arg: Arg) -> Arg {
    let aliases = arg.get_visible_aliases().unwrap_or_default();
    if aliases.is_empty() {
        return arg;
    }
    let help = arg.get_help().map(ToString::to_string).unwrap_or_default();
    let help = format!("{help} [aliases: --{}]", aliases.join(", --"));
    arg.help(help)
}
