//! The questions of the window, answered in a terminal or a script.
//!
//! [`run`] reads the command line; every command is one file here and one line in [`COMMANDS`]. Results
//! go to the standard output or a file that is written whole or not at all; errors and progress go to
//! the standard error. This room knows no egui and opens no window: that is left to the caller.

mod agg;
mod axis;
mod bench;
mod failure;
mod info;
mod input;
#[cfg(feature = "libhdf5")]
mod libhdf5;
mod output;
mod plot;
mod progress;
mod render;
mod scene;

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Arg, ArgAction, ArgMatches, ValueHint, value_parser};

use crate::engine::forbid_cache_files;
pub use failure::Failure;

/// The flag that does without zone maps on disk.
const NO_CACHE: &str = "no-cache";

/// What is left to do once the command line was followed.
#[derive(Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Nothing.
    Done,
    /// Open the window, on this file if one is named.
    Window(Option<PathBuf>),
}

/// A command of the terminal.
pub struct CliCommand {
    /// What is typed after `outcrop`.
    pub name: &'static str,
    /// Whether the help passes it over.
    pub is_hidden: bool,
    /// Adds its description and arguments to a command line.
    arguments: fn(clap::Command) -> clap::Command,
    run: fn(&ArgMatches) -> Result<(), Failure>,
}

/// Every command.
pub static COMMANDS: &[CliCommand] = &[
    info::COMMAND,
    agg::COMMAND,
    plot::COMMAND,
    render::COMMAND,
    bench::COMMAND,
    #[cfg(feature = "libhdf5")]
    libhdf5::COMMAND,
];

/// The [`CliCommand`] `name`, whose arguments are the fields of `Arguments`.
const fn command<Arguments: clap::Args + Execute>(name: &'static str) -> CliCommand {
    CliCommand {
        name,
        is_hidden: false,
        arguments: |command| Arguments::augment_args(command),
        run: |matches| {
            Arguments::from_arg_matches(matches).map_err(|error| Failure::Usage(error.to_string()))?.execute()
        },
    }
}

/// What a command does with its arguments.
trait Execute {
    fn execute(self) -> Result<(), Failure>;
}

/// Does what the command line says.
///
/// # Errors
/// [`Failure`]; show it by [`report`]. A command line that cannot be understood ends the program here,
/// with its usage.
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> Result<Outcome, Failure> {
    let mut matches = command_line().get_matches_from(arguments);
    if is_without_cache(&matches) {
        forbid_cache_files();
    }
    if let Some((name, matches)) = matches.subcommand() {
        let command = COMMANDS.iter().find(|command| command.name == name);
        return match command {
            Some(command) => (command.run)(matches).map(|()| Outcome::Done),
            None => Err(Failure::Usage(format!("there is no command `{name}`"))),
        };
    }
    let file = matches.remove_one::<PathBuf>("file");
    // A session saved later must find the file whatever folder it is opened from.
    Ok(Outcome::Window(file.map(|file| std::path::absolute(&file).unwrap_or(file))))
}

/// Whether the flag was given, before or after a command.
fn is_without_cache(matches: &ArgMatches) -> bool {
    matches.get_flag(NO_CACHE) || matches.subcommand().is_some_and(|(_, matches)| matches.get_flag(NO_CACHE))
}

/// Tells the person what went wrong, and gives the exit code: 1 if it failed, 2 if what was typed makes
/// no sense.
pub fn report(failure: &Failure) -> ExitCode {
    if !matches!(failure, Failure::Hangup) {
        eprintln!("outcrop: {failure}");
    }
    ExitCode::from(failure.code())
}

fn command_line() -> clap::Command {
    let files = Arg::new("file")
        .value_name("FILE")
        .num_args(0..=1)
        .value_parser(value_parser!(PathBuf))
        .value_hint(ValueHint::FilePath)
        .help("A table (HDF5, Arrow) or a session to open in the window");
    let no_cache = Arg::new(NO_CACHE)
        .long(NO_CACHE)
        .action(ArgAction::SetTrue)
        .global(true)
        .help("Neither read nor keep zone maps and codes in the user's cache folder");
    let line = clap::Command::new("outcrop")
        .version(env!("CARGO_PKG_VERSION"))
        .about("Explore tables far larger than memory.\n\nWithout a command, opens the window.")
        .after_help("Exit codes: 0 done, 1 failed, 2 the command line makes no sense.")
        .args_conflicts_with_subcommands(true)
        .subcommand_precedence_over_arg(true)
        .arg(files)
        .arg(no_cache);
    COMMANDS.iter().fold(line, |line, command| {
        line.subcommand((command.arguments)(clap::Command::new(command.name)).hide(command.is_hidden))
    })
}
