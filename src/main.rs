//! The `caishi` command.

use caishi::cli::{Arguments, Exit, LogFormat, run};
use clap::Parser;
use std::{io::IsTerminal as _, process::ExitCode};
use tracing_subscriber::EnvFilter;

fn main() -> ExitCode {
    leave_quietly_behind_a_closed_pipe();
    let arguments = Arguments::parse();
    if let Err(error) = log(&arguments) {
        eprintln!("错误：--log {}：{error}", arguments.log);
        return ExitCode::from(Exit::Usage as u8);
    }
    match run(&arguments) {
        Ok(exit) => ExitCode::from(exit as u8),
        Err(error) => {
            eprintln!("错误：{error:#}");
            ExitCode::from(Exit::Usage as u8)
        }
    }
}

/// `caishi check | head` ends as any tool does when its reader has gone, with the code a shell gives
/// to a broken pipe (128 + SIGPIPE): the standard library turns it into a panic.
fn leave_quietly_behind_a_closed_pipe() {
    let usual = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        let message = panic.payload_as_str().unwrap_or_default();
        if message.starts_with("failed printing to stdout") && message.contains("Broken pipe") {
            std::process::exit(141);
        }
        usual(panic);
    }));
}

/// The log goes to standard error, so that standard output holds data only.
fn log(arguments: &Arguments) -> Result<(), tracing_subscriber::filter::ParseError> {
    let filter: EnvFilter = arguments.log.parse()?;
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    match arguments.log_format {
        LogFormat::Text => builder.with_ansi(std::io::stderr().is_terminal()).init(),
        LogFormat::Json => builder.json().init(),
    }
    Ok(())
}
