//! `caishi preview`

use super::{Exit, serve::stop_on_signal, session::block_on};
use crate::preview::{Options, Preview};
use clap::Args;
use std::{net::SocketAddr, path::Path};

/// Arguments of `caishi preview`.
#[derive(Debug, Args)]
pub struct PreviewArguments {
    /// 先打开这一课；不写就列出全部
    #[arg(value_name = "课件")]
    lesson: Option<String>,
    /// 监听地址，只能是本机；端口写 0，系统挑一个空的
    #[arg(long, value_name = "地址", default_value = "127.0.0.1:8786")]
    listen: SocketAddr,
}

pub(super) fn run(arguments: &PreviewArguments, config: &Path) -> anyhow::Result<Exit> {
    block_on(async {
        let preview = Preview::start(Options {
            config: config.to_owned(),
            listen: arguments.listen,
            lesson: arguments.lesson.clone(),
            today,
        })
        .await?;
        println!("{}", preview.url());
        eprintln!("请用浏览器打开上面的地址；保存文件，页面就更新。只有本机看得到，按 Ctrl+C 停。");
        if let Some(reason) = preview.blind() {
            eprintln!("注意：{reason}");
        }
        stop_on_signal().cancelled().await;
        preview.stop().await?;
        Ok(Exit::Success)
    })
}

/// Today in Asia/Shanghai, for which lessons are checked.
fn today() -> jiff::civil::Date {
    crate::work::clock::shanghai(jiff::Timestamp::now()).date()
}
