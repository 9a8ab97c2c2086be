//! The program: the command line, and the window if that is what was asked.

use std::process::ExitCode;

fn main() -> ExitCode {
    ExitCode::SUCCESS
}
