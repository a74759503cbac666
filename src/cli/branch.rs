//! `caishi branch`: what runs at a branch.

use super::{
    Exit,
    serve::stop_on_signal,
    session::block_on,
    table::{moment, size},
};
use crate::{
    branch::{
        Stage,
        clock::{BranchClock, MachineWall},
        config::{BranchConfig, DEFAULT_FILE},
        confirm,
        enrol::{self, Enrolment},
        machine::{Machine, Urgency},
        report, screen,
    },
    packs::wire::ConfirmedWhat,
    render::fonts,
};
use anyhow::{Context as _, bail};
use clap::{Args, Subcommand};
use std::{net::SocketAddr, path::PathBuf, sync::Arc};
use tokio::{net::TcpListener, task::JoinHandle};
use tokio_util::sync::CancellationToken;
use url::Url;

/// Arguments of `caishi branch`.
#[derive(Debug, Args)]
pub struct BranchArguments {
    /// 网点的配置文件
    #[arg(long, global = true, value_name = "文件", default_value = DEFAULT_FILE)]
    branch_config: PathBuf,
    #[command(subcommand)]
    what: BranchCommand,
}

#[derive(Debug, Subcommand)]
enum BranchCommand {
    /// 用总行给的一次性登记码，把这台机器登记为某个网点的
    Enrol(EnrolArguments),
    /// 取一次件；平时只在夜间时段取，--now 立刻取全
    Pull(PullArguments),
    /// 常驻运行：取件、按时上屏、到期下架、回报
    Run(ScreenArguments),
    /// 只放屏幕：本机全屏播放的页面；取件由 pull 或 U 盘来
    Screen(ScreenArguments),
    /// 看状态：在放什么、缺什么、该撤什么、有什么不对
    Status,
    /// 回报：贴好了，或撤下了
    Confirm(ConfirmArguments),
    /// 看网点时钟；--reset 在校好机器时间之后，从机器时间重新开始
    Clock(ClockArguments),
}

#[derive(Debug, Args)]
struct EnrolArguments {
    /// 登记码，总行用 caishi packs code 发
    #[arg(value_name = "登记码")]
    code: String,
    /// 总行地址，如 https://caishi.bank.example
    #[arg(long, value_name = "地址")]
    server: Url,
    /// 总行用自签证书时，它的 PEM 证书文件
    #[arg(long, value_name = "文件")]
    ca: Option<PathBuf>,
    /// 这台机器叫什么，给总行的名单看
    #[arg(long, value_name = "名字", default_value = "网点机")]
    machine: String,
}

#[derive(Debug, Args)]
struct ScreenArguments {
    /// 屏幕页面的地址，只能是本机；用浏览器打开它，照页面说的放到屏幕上
    #[arg(long, value_name = "地址", default_value = "127.0.0.1:8788")]
    listen: SocketAddr,
}

#[derive(Debug, Args)]
struct PullArguments {
    /// 不等夜间时段，也不限速
    #[arg(long)]
    now: bool,
    /// 从这个文件夹取：U 盘、共享盘；里面要有 metadata 和 targets
    #[arg(long, value_name = "文件夹")]
    from: Option<PathBuf>,
}

#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
struct What {
    /// 贴好了
    #[arg(long)]
    posted: bool,
    /// 撤下了
    #[arg(long)]
    taken_down: bool,
}

#[derive(Debug, Args)]
struct ConfirmArguments {
    /// 哪一批：caishi branch status 列出的编号，写前几位就行
    #[arg(value_name = "编号")]
    key: String,
    #[command(flatten)]
    what: What,
    /// 只是其中一课
    #[arg(long, value_name = "课件")]
    lesson: Option<String>,
    /// 谁
    #[arg(long, value_name = "姓名")]
    by: String,
}

#[derive(Debug, Args)]
struct ClockArguments {
    /// 从机器时间重新开始：只在机器曾被误调到将来、海报因此都不放了时用
    #[arg(long)]
    reset: bool,
}

pub(super) fn run(arguments: &BranchArguments) -> anyhow::Result<Exit> {
    let config = &arguments.branch_config;
    let open = || Machine::open(config, Arc::new(MachineWall));
    match &arguments.what {
        BranchCommand::Enrol(own) => block_on(enrol(own, config.clone())),
        BranchCommand::Pull(own) => block_on(pull(own, &open()?)),
        BranchCommand::Run(own) => block_on(serve(own, &open()?)),
        BranchCommand::Screen(own) => block_on(screen(own, &open()?)),
        BranchCommand::Status => block_on(status(&open()?)),
        BranchCommand::Confirm(own) => queue(own, &open()?),
        BranchCommand::Clock(own) => clock(own, &BranchConfig::load(config)?),
    }
}

async fn enrol(arguments: &EnrolArguments, config: PathBuf) -> anyhow::Result<Exit> {
    let (branch, name) = enrol::enrol(&Enrolment {
        code: arguments.code.clone(),
        server: arguments.server.clone(),
        authority: arguments.ca.clone(),
        config: config.clone(),
        machine: arguments.machine.clone(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
    })
    .await?;
    println!("已登记为 {branch} {name}，配置在 {}", config.display());
    println!("下一步：caishi branch pull --now 取第一份海报，然后 caishi branch run 常驻运行");
    Ok(Exit::Success)
}

async fn pull(arguments: &PullArguments, machine: &Machine) -> anyhow::Result<Exit> {
    let urgency = if arguments.now { Urgency::Now } else { Urgency::AsScheduled };
    let pulled = machine.pull(arguments.from.as_deref(), urgency).await?;
    println!(
        "海报仓库第 {} 版；取到 {} 个文件，{}",
        pulled.version,
        pulled.files,
        size(pulled.bytes)
    );
    if pulled.waiting > 0 {
        println!("还有 {} 个文件等夜间时段；现在就要：caishi branch pull --now", pulled.waiting);
    }
    Ok(Exit::Success)
}

async fn serve(arguments: &ScreenArguments, machine: &Machine) -> anyhow::Result<Exit> {
    let stop = stop_on_signal();
    let stage = Stage::open(Arc::clone(&machine.state))?;
    let pages = pages(arguments, &stage, &stop).await?;
    let (service, _lock) = machine.service(Some(stage), env!("CARGO_PKG_VERSION")).await?;
    eprintln!("网点 {} 正在运行，按 Ctrl+C 停", machine.config.branch);
    service.run(stop).await;
    pages.await??;
    eprintln!("已停：回执和时间都记下了");
    Ok(Exit::Success)
}

async fn screen(arguments: &ScreenArguments, machine: &Machine) -> anyhow::Result<Exit> {
    let stop = stop_on_signal();
    let stage = Stage::open(Arc::clone(&machine.state))?;
    let pages = pages(arguments, &stage, &stop).await?;
    stage.drive(stop).await;
    pages.await??;
    Ok(Exit::Success)
}

/// Serves the screens' pages beside whatever else runs.
async fn pages(
    arguments: &ScreenArguments,
    stage: &Stage,
    stop: &CancellationToken,
) -> anyhow::Result<JoinHandle<Result<(), screen::ScreenError>>> {
    let listener = TcpListener::bind(arguments.listen)
        .await
        .with_context(|| format!("监听不了 {}，请用 --listen 换一个", arguments.listen))?;
    let [regular, bold] = fonts::EMBEDDED;
    let faces = screen::Faces { regular, bold };
    let serve = screen::serve(listener, Arc::new(stage.clone()), faces, stop.clone());
    eprintln!("屏幕页面：http://{}/", arguments.listen);
    Ok(tokio::spawn(serve))
}

async fn status(machine: &Machine) -> anyhow::Result<Exit> {
    let puller = machine.puller(None).await?;
    let status = report::status(&puller, env!("CARGO_PKG_VERSION"), None)?;
    let shown = machine.state.shown()?;
    println!("网点 {}　{}", machine.config.branch, moment(status.at));
    match status.expires {
        Some(expires) => {
            println!("海报仓库第 {} 版，签名到 {} 有效", status.timestamp_version, moment(expires));
        }
        None => println!("还没有取过；请运行 caishi branch pull --now"),
    }
    let releases = [&shown.pack, &shown.emergency].into_iter().flatten();
    for release in releases.flat_map(|index| &index.releases) {
        let key = release.key.to_string();
        let state = match (status.playing.contains(&key), status.staged.contains(&key)) {
            (true, _) => "在放",
            (_, true) => "取全了，等时间",
            _ if release.activate_at > status.at => "还没取全",
            _ => "没有在放",
        };
        println!("{}　{}　{}　{state}", &key[..8], release.campaign, moment(release.activate_at));
    }
    for (screen, standing) in &status.screens {
        println!("屏幕 {screen}　{}", standing.as_deref().map_or("待机画面", |key| &key[..8]));
    }
    for down in shown.pack.iter().flat_map(|index| &index.take_down) {
        println!("要撤　{}　{}　{}", &down.key.to_string()[..8], down.title, down.reason);
    }
    let (files, bytes) = status.missing;
    if files > 0 {
        println!("还差 {files} 个文件，{}", size(bytes));
    }
    for alarm in &status.alarms {
        println!("警报　{alarm}");
    }
    Ok(if status.alarms.is_empty() { Exit::Success } else { Exit::ContentFaults })
}

fn queue(arguments: &ConfirmArguments, machine: &Machine) -> anyhow::Result<Exit> {
    let shown = machine.state.shown()?;
    let indexes = || [&shown.pack, &shown.emergency].into_iter().flatten();
    let releases = indexes().flat_map(|index| index.releases.iter().map(|release| release.key));
    let down = indexes().flat_map(|index| index.take_down.iter().map(|down| down.key));
    let wanted = arguments.key.to_ascii_lowercase();
    let mut found: Vec<_> =
        releases.chain(down).filter(|key| key.to_string().starts_with(&wanted)).collect();
    found.sort_unstable();
    found.dedup();
    let [key] = found[..] else {
        bail!(
            "有 {} 批的编号以“{}”开头；请照 caishi branch status 列出的写，写长一些",
            found.len(),
            arguments.key
        );
    };
    let what = if arguments.what.posted { ConfirmedWhat::Posted } else { ConfirmedWhat::TakenDown };
    let now = machine.state.clock.now();
    let lesson = arguments.lesson.clone();
    let number = confirm::queue(&machine.state.root, key, lesson, what, &arguments.by, now)?;
    println!("记下了，第 {number} 条；下次连上总行时报上去");
    Ok(Exit::Success)
}

fn clock(arguments: &ClockArguments, config: &BranchConfig) -> anyhow::Result<Exit> {
    let clock = BranchClock::open(&config.state, Arc::new(MachineWall))
        .context("网点的状态文件夹打不开")?;
    if arguments.reset {
        println!("从机器时间重新开始：{}；常驻的服务一分钟内跟上", moment(clock.reset()?));
        return Ok(Exit::Success);
    }
    let behind = clock.behind().as_secs();
    println!("网点时间 {}", moment(clock.now()));
    if behind > 0 {
        println!(
            "机器时钟慢了 {behind} 秒；请先校时。机器曾被误调到将来的，校好后运行 caishi branch clock --reset"
        );
        return Ok(Exit::ContentFaults);
    }
    Ok(Exit::Success)
}
