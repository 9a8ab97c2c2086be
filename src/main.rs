//! The program: a command in the terminal, or the window.

use std::process::ExitCode;

use outcrop::cli::{self, Outcome};

fn main() -> ExitCode {
    match cli::run(std::env::args_os()) {
        Ok(Outcome::Done) => ExitCode::SUCCESS,
        Ok(Outcome::Window(files)) => open_window(files),
        Err(failure) => cli::report(&failure),
    }
}

fn open_window(files: Vec<std::path::PathBuf>) -> ExitCode {
    let names: Vec<String> = files.iter().map(|file| file.display().to_string()).collect();
    eprintln!("outcrop: this build has no window to show {} in", names.join(", "));
    ExitCode::FAILURE
}
