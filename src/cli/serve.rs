//! `caishi serve`, `worker` and `sandbox`: what runs until it is told to stop.

use super::{
    Exit,
    session::{self, SANDBOX_ADDRESS, Session, block_on, worker_name},
};
use crate::{
    config::Config,
    console::{self, Desk},
    rehearse::hooks,
    sandbox::{Fault, Sandbox, SandboxOptions},
    web,
    work::{service, worker::Worker},
};
use anyhow::Context as _;
use clap::Args;
use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
};
use tokio::net::TcpListener;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// Arguments of `caishi serve` and `caishi worker`.
#[derive(Debug, Args)]
pub struct ServeArguments {
    /// 同时发几件
    #[arg(long, value_name = "个数", default_value_t = 2, value_parser = clap::value_parser!(u8).range(1..=64))]
    workers: u8,
}

/// Arguments of `caishi sandbox`.
#[derive(Debug, Args)]
pub struct SandboxArguments {
    /// 监听地址，只能是本机
    #[arg(long, value_name = "地址", default_value = SANDBOX_ADDRESS)]
    listen: SocketAddr,
    /// 状态存在这个文件里，重启后还在；不写就不存
    #[arg(long, value_name = "文件")]
    state: Option<PathBuf>,
    /// 注入故障，如 freepublish/submit#1=cut-after，可写多次
    #[arg(long, value_name = "规则")]
    fault: Vec<Fault>,
}

pub(super) fn serve(arguments: &ServeArguments, config: &Path) -> anyhow::Result<Exit> {
    block_on(async {
        let session = Session::open(config).await?;
        let publisher = session.publisher.clone();
        let server = &session.config.server;
        let stop = stop_on_signal();
        let tasks = TaskTracker::new();
        let listener = TcpListener::bind(server.listen)
            .await
            .with_context(|| format!("监听不了 {}，请改 [server] listen", server.listen))?;
        let address = listener.local_addr()?;
        let web::Service { router, guests, counter } = web::Service::new(publisher.clone());
        if let Some(tls) = &server.tls {
            let listener = web::TlsListener::bind(tls, &session.config.folder).await?;
            tasks.spawn(web::serve_tls(listener, guests, stop.clone()));
        }
        let router = router.merge(console::router(&Desk::new(publisher.clone())?));
        tasks.spawn(web::serve(listener, router, stop.clone()));
        let stand_in = session::sandbox_address()?;
        tasks.spawn(hooks::keep_registered(publisher.clone(), stand_in, address, stop.clone()));
        if let Some(address) = server.metrics {
            let recorder = web::Recorder::install()?;
            let listener = TcpListener::bind(address)
                .await
                .with_context(|| format!("监听不了 {address}，请改 [server] metrics"))?;
            let router = recorder.router(publisher.clone());
            tasks.spawn(web::serve(listener, router, stop.clone()));
        }
        let actor = format!("scheduler-{}", std::process::id());
        tasks.spawn(service::schedule(publisher.clone(), actor, stop.clone()));
        tasks.spawn(service::mend_hotlines(publisher.clone(), stop.clone()));
        spawn_workers(&tasks, &session, arguments.workers, &stop);
        tasks.close();
        eprintln!("正在运行：{address}，控制台在 http://{address}/console，按 Ctrl+C 停");
        tasks.wait().await;
        counter.write().await;
        eprintln!("已停：手上的投递都做完了");
        Ok(Exit::Success)
    })
}

pub(super) fn worker(arguments: &ServeArguments, config: &Path) -> anyhow::Result<Exit> {
    block_on(async {
        let session = Session::open(config).await?;
        let stop = stop_on_signal();
        let tasks = TaskTracker::new();
        spawn_workers(&tasks, &session, arguments.workers, &stop);
        tasks.close();
        eprintln!("{} 个工作进程在等投递，按 Ctrl+C 停", arguments.workers);
        tasks.wait().await;
        Ok(Exit::Success)
    })
}

fn spawn_workers(tasks: &TaskTracker, session: &Session, count: u8, stop: &CancellationToken) {
    for number in 0..count {
        let worker = Worker::new(session.publisher.clone(), &worker_name(number.into()));
        tasks.spawn(service::work(worker, stop.clone()));
    }
}

pub(super) fn sandbox(arguments: &SandboxArguments, config: &Path) -> anyhow::Result<Exit> {
    block_on(async {
        let config = Config::load(config)?;
        let sandbox = Sandbox::start(SandboxOptions {
            listen: arguments.listen,
            state: arguments.state.clone(),
            faults: arguments.fault.clone(),
            bank: config.bank.name.clone(),
            ..SandboxOptions::default()
        })
        .await?;
        println!("模拟平台：{}（订阅者看到的样子也在这里），按 Ctrl+C 停", sandbox.url());
        stop_on_signal().cancelled().await;
        sandbox.stop().await;
        Ok(Exit::Success)
    })
}

/// A token that is cancelled by Ctrl+C or SIGTERM.
pub(super) fn stop_on_signal() -> CancellationToken {
    let stop = CancellationToken::new();
    let cancel = stop.clone();
    tokio::spawn(async move {
        let interrupt = tokio::signal::ctrl_c();
        #[cfg(unix)]
        {
            use tokio::signal::unix::{SignalKind, signal};
            match signal(SignalKind::terminate()) {
                Ok(mut terminate) => tokio::select! {
                    _ = interrupt => {}
                    _ = terminate.recv() => {}
                },
                Err(_) => drop(interrupt.await),
            }
        }
        #[cfg(not(unix))]
        drop(interrupt.await);
        cancel.cancel();
    });
    stop
}
