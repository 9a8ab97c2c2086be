//! The program.

fn main() -> anyhow::Result<()> {
    let path = std::env::args_os().nth(1).map(Into::into);
    outcrop::app::run(outcrop::app::Start { path, session: None })
}
