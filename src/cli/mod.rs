//! The command line: one file per subcommand or family of them, arguments → library call → print.
//!
//! Data goes to standard output, talk to standard error. Only this room and `main` print.

mod account;
mod audit;
mod branch;
mod build;
mod check;
mod decide;
mod deliveries;
mod findings;
mod finished;
mod keys;
mod new;
mod operate;
mod packs;
mod plan;
mod portal;
mod preview;
mod publish;
mod readers;
mod report;
mod serve;
mod session;
mod status;
mod submit;
mod table;

use clap::{Parser, Subcommand, ValueEnum};
use std::path::PathBuf;

/// How a command ended; the number is the process's exit code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// Done.
    Success = 0,
    /// Something in the content or the state of things is wrong, and was named.
    ContentFaults = 1,
    /// The command line or the configuration is wrong.
    Usage = 2,
}

/// How the log is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

/// 财识：一课写一次，文章、海报、上网认证页、短文一起出，审批过的原样发出去，只发一次。
#[derive(Debug, Parser)]
#[command(name = "caishi", version, disable_help_subcommand = true)]
pub struct Arguments {
    /// 配置文件
    #[arg(long, global = true, value_name = "文件", default_value = crate::config::DEFAULT_FILE)]
    config: PathBuf,
    /// 日志写成什么样：text 给人看，json 给机器收
    #[arg(long, global = true, value_name = "样式", default_value = "text")]
    pub log_format: LogFormat,
    /// 日志写多细：error warn info debug trace，或 caishi=debug 这样的规则
    #[arg(long, global = true, value_name = "级别", default_value = "warn")]
    pub log: String,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// 生成全部输出：文章、海报、印刷品、上网认证页、短文，以及总览页
    Build(build::BuildArguments),
    /// 检查：像合规人员一样看每一课，指出哪里不对、为什么、怎么改
    Check(check::CheckArguments),
    /// 说明一条规则：依据、怎么改、什么会报、什么不报
    Explain(check::ExplainArguments),
    /// 预览：边写边看一课的全部输出、检查结果、和批准的版本差在哪；只在本机
    Preview(preview::PreviewArguments),
    /// 新建
    New {
        #[command(subcommand)]
        what: NewCommand,
    },
    /// 看会发什么、发到哪、多大、用多少配额；什么都不发
    Plan(plan::PlanArguments),
    /// 送审：定稿、编号，交给审批人
    Submit(submit::SubmitArguments),
    /// 把送审的内容发给测试读者，在手机上看；不发布
    SendPreview(readers::PreviewArguments),
    /// 批准：签的是这些字节，改一个标点就作废
    Approve(decide::ApproveArguments),
    /// 退回
    Reject(decide::RejectArguments),
    /// 投放批准过的内容；--rehearse 在本机走一遍全程
    Publish(publish::PublishArguments),
    /// 看进展：每个渠道到哪一步了，哪些要人处理
    Status(status::StatusArguments),
    /// 看一件投递的每一步
    Show(deliveries::ShowArguments),
    /// 重发失败的投递
    Retry(deliveries::RetryArguments),
    /// 认定一件“结果不明”的投递
    Resolve(deliveries::ResolveArguments),
    /// 取消还没有发出的投递
    Cancel(deliveries::CancelArguments),
    /// 撤回一课或一个活动，说明哪些撤不回来
    Recall(deliveries::RecallArguments),
    /// 看阅读数：已送达的公众号文章有多少人读、分享
    Statistics(readers::StatisticsArguments),
    /// 看排期：将要的、发过的、错过的
    Slots(status::SlotsArguments),
    /// 停发（总开关）
    Hold(operate::HoldArguments),
    /// 恢复投放
    Release(operate::ReleaseArguments),
    /// 体检：数据库、时钟、磁盘、字体、每个渠道，各说下一步
    Doctor,
    /// 控制台的账号：发邀请、看谁能登录
    Account(account::AccountArguments),
    /// 审计记录：列出、验证、导出
    Audit(audit::AuditArguments),
    /// 备份台账和文件
    Backup(operate::BackupArguments),
    /// 恢复到空的部署里；恢复后是停发状态
    Restore(operate::BackupArguments),
    /// 海报包：网点各在放什么、谁没换上、还有什么没撤；给新机器发登记码
    Packs {
        #[command(subcommand)]
        what: packs::PacksCommand,
    },
    /// 上网认证页：DHCP 怎么设、有哪些网关、客人看了多少
    Portal {
        #[command(subcommand)]
        what: portal::PortalCommand,
    },
    /// 网点机器：登记、取件、常驻运行、看状态、回报张贴
    Branch(branch::BranchArguments),
    /// 海报包的签名密钥：生成、签 root、续期
    Keys {
        #[command(subcommand)]
        what: keys::KeysCommand,
    },
    /// 常驻运行：排期、投放、回调、健康检查、指标
    Serve(serve::ServeArguments),
    /// 只投放，不排期（Postgres 上可以多开）
    Worker(serve::ServeArguments),
    /// 本机模拟平台：像真的一样严，看得到订阅者看到的样子
    Sandbox(serve::SandboxArguments),
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
    let config = &arguments.config;
    match &arguments.command {
        Command::Build(own) => build::run(own, config),
        Command::Check(own) => check::run(own, config),
        Command::Explain(own) => check::explain(own),
        Command::Preview(own) => preview::run(own, config),
        Command::New { what: NewCommand::Lesson(lesson) } => new::run(lesson, config),
        Command::Plan(own) => plan::run(own, config),
        Command::Submit(own) => submit::run(own, config),
        Command::SendPreview(own) => readers::preview(own, config),
        Command::Approve(own) => decide::approve(own, config),
        Command::Reject(own) => decide::reject(own, config),
        Command::Publish(own) => publish::run(own, config),
        Command::Status(own) => status::status(own, config),
        Command::Show(own) => deliveries::show(own, config),
        Command::Retry(own) => deliveries::retry(own, config),
        Command::Resolve(own) => deliveries::resolve(own, config),
        Command::Cancel(own) => deliveries::cancel(own, config),
        Command::Recall(own) => deliveries::recall(own, config),
        Command::Statistics(own) => readers::statistics(own, config),
        Command::Slots(own) => status::slots(own, config),
        Command::Hold(own) => operate::hold(own, config),
        Command::Release(own) => operate::release(own, config),
        Command::Doctor => operate::doctor(config),
        Command::Account(own) => account::run(own, config),
        Command::Audit(own) => audit::run(own, config),
        Command::Backup(own) => operate::backup(own, config),
        Command::Restore(own) => operate::restore(own, config),
        Command::Packs { what } => packs::run(what, config),
        Command::Portal { what } => portal::run(what, config),
        Command::Branch(own) => branch::run(own),
        Command::Keys { what } => keys::run(what),
        Command::Serve(own) => serve::serve(own, config),
        Command::Worker(own) => serve::worker(own, config),
        Command::Sandbox(own) => serve::sandbox(own, config),
    }
}
