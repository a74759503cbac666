//! The `caishi` command.

use caishi::cli::{Arguments, Exit, run};
use clap::Parser;
use std::process::ExitCode;

fn main() -> ExitCode {
    match run(&Arguments::parse()) {
        Ok(exit) => ExitCode::from(exit as u8),
        Err(error) => {
            eprintln!("错误：{error:#}");
            ExitCode::from(Exit::Usage as u8)
        }
    }
}
