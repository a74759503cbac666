//! The `caishi` command.

use caishi::cli::{Arguments, Exit, LogFormat, run};
use clap::Parser;
use std::{io::IsTerminal as _, process::ExitCode};
use tracing_subscriber::EnvFilter;

fn main() -> ExitCode {
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
