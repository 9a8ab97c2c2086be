//! The program: a command in the terminal, or the window.

use std::path::PathBuf;
use std::process::ExitCode;

use outcrop::app::{self, Start};
use outcrop::cli::{self, Outcome};

fn main() -> ExitCode {
    match cli::run(std::env::args_os()) {
        Ok(Outcome::Done) => ExitCode::SUCCESS,
        Ok(Outcome::Window(path)) => open_window(path),
        Err(failure) => cli::report(&failure),
    }
}

fn open_window(path: Option<PathBuf>) -> ExitCode {
    match app::run(Start { path, session: None }) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("outcrop: the window cannot be opened: {error:#}");
            ExitCode::FAILURE
        }
    }
}
