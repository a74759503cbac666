//! The command line: one file per subcommand, arguments → library call → print.
//!
//! Data goes to standard output, talk to standard error. Only this room and `main` print.

mod build;
mod new;
mod report;

use clap::{Parser, Subcommand};
use std::path::PathBuf;

/// How a command ended; the number is the process's exit code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// Done.
    Success = 0,
    /// Something in the content is wrong, and was named.
    ContentFaults = 1,
    /// The command line or the configuration is wrong.
    Usage = 2,
}

/// 财识：一课写一次，文章、海报、上网认证页、短文一起出。
#[derive(Debug, Parser)]
#[command(name = "caishi", version, disable_help_subcommand = true)]
pub struct Arguments {
    /// 配置文件
    #[arg(long, global = true, value_name = "文件", default_value = crate::config::DEFAULT_FILE)]
    config: PathBuf,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// 生成全部输出：文章、海报、印刷品、上网认证页、短文，以及总览页
    Build(build::BuildArguments),
    /// 新建
    New {
        #[command(subcommand)]
        what: NewCommand,
    },
}

#[derive(Debug, Subcommand)]
enum NewCommand {
    /// 一课的样稿
    Lesson(new::LessonArguments),
}

/// Runs the command.
///
/// # Errors
/// What keeps it from running at all; faults in the content are printed and end in
/// [`Exit::ContentFaults`].
pub fn run(arguments: &Arguments) -> anyhow::Result<Exit> {
    match &arguments.command {
        Command::Build(build) => build::run(build, &arguments.config),
        Command::New { what: NewCommand::Lesson(lesson) } => new::run(lesson, &arguments.config),
    }
}
