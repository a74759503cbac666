//! `caishi portal`: how the gateways and DHCP servers are set, and what guests did.

use super::{
    Exit,
    session::{Session, block_on},
    table::Table,
};
use crate::{config::Config, model::BranchId, render::portal::GENERIC};
use anyhow::Context as _;
use clap::{Args, Subcommand};
use jiff::civil::Date;
use std::{collections::BTreeMap, path::Path};

/// What of the portal.
#[derive(Debug, Subcommand)]
pub enum PortalCommand {
    /// 打印 DHCP 的 option 114（RFC 8910），手机连上就知道认证页在哪：dnsmasq、ISC、Kea、MikroTik、Comware
    Dhcp(DhcpArguments),
    /// 看客人看了多少、上网多少、答题选了什么：只有次数，没有人
    Guests(GuestsArguments),
    /// 看有哪些网关种类，各要什么
    Gateways,
}

/// Arguments of `caishi portal dhcp`.
#[derive(Debug, Args)]
pub struct DhcpArguments {
    /// 网点代号；不写就是全行共用的一页
    #[arg(value_name = "网点", default_value = "bank", value_parser = branch)]
    branch: String,
}

fn branch(text: &str) -> Result<String, String> {
    BranchId::new(text).map(|id| id.to_string()).map_err(|error| error.to_string())
}

/// Arguments of `caishi portal guests`.
#[derive(Debug, Args)]
pub struct GuestsArguments {
    /// 从哪一天起，如 2026-11-01；不写就是最近 30 天
    #[arg(long, value_name = "日期")]
    since: Option<Date>,
}

pub(super) fn run(command: &PortalCommand, config: &Path) -> anyhow::Result<Exit> {
    match command {
        PortalCommand::Dhcp(own) => dhcp(own, config),
        PortalCommand::Guests(own) => guests(own, config),
        PortalCommand::Gateways => gateways(config),
    }
}

fn dhcp(arguments: &DhcpArguments, config: &Path) -> anyhow::Result<Exit> {
    let config = Config::load(config)?;
    let base = &config.bank.base_url;
    if !base.starts_with("https://") {
        anyhow::bail!(
            "[bank] base_url 是 {base}：手机只认 https:// 的地址（RFC 8908 §4.1），请先改"
        );
    }
    let address = format!("{base}/portal/{}/api", arguments.branch);
    print!("{}", snippets(&address));
    if !config.server.sees_phones {
        eprintln!(
            "先别用：[server] 里没有 sees_phones = true。手机和 caishi serve 之间有地址转换或代理时，\
             分不清是哪部手机，接口不答；没有，再写上。"
        );
    }
    if config.server.gateway_url.is_none() {
        eprintln!("[server] 里没有 gateway_url：手机从这里打开的页，按钮不会请网关放行。");
    }
    if config.server.tls.is_none() {
        eprintln!("[server] 里没有 tls：请写 tls、certificate、key，这个地址要用 TLS 打得开。");
    }
    Ok(Exit::Success)
}

/// RFC 8910 §2.1: option 114 is the address as text, without a final zero.
fn snippets(address: &str) -> String {
    format!(
        "# dnsmasq\n\
         dhcp-option=114,{address}\n\
         dhcp-option=option6:103,{address}\n\n\
         # ISC dhcpd\n\
         option captive-portal code 114 = text;\n\
         option captive-portal \"{address}\";\n\n\
         # Kea 2.x（Dhcp4 的 option-data 里加一项）\n\
         {{ \"name\": \"v4-captive-portal\", \"data\": \"{address}\" }}\n\n\
         # MikroTik RouterOS 7\n\
         /ip dhcp-server option add code=114 name=captive-portal value=\"s'{address}'\"\n\
         /ip dhcp-server network set [find where address=客人网段] dhcp-option=captive-portal\n\n\
         # H3C / HPE Comware（在 dhcp server ip-pool 里）\n\
         option 114 ascii {address}\n"
    )
}

fn guests(arguments: &GuestsArguments, config: &Path) -> anyhow::Result<Exit> {
    block_on(async {
        let session = Session::open(config).await?;
        let store = &session.publisher.store;
        let zone = jiff::tz::TimeZone::get("Asia/Shanghai").unwrap_or(jiff::tz::TimeZone::UTC);
        let today = store.now().await?.to_zoned(zone).date();
        let month = jiff::Span::new().days(30);
        let since = arguments.since.unwrap_or_else(|| today.saturating_sub(month));
        let mut rows: BTreeMap<(String, String), BTreeMap<String, i64>> = BTreeMap::new();
        for (branch, lesson, _, what, count) in store.hits_since(since).await? {
            *rows.entry((branch, lesson)).or_default().entry(what).or_default() += count;
        }
        let mut chosen: BTreeMap<(String, String), BTreeMap<String, i64>> = BTreeMap::new();
        for (branch, lesson, _, what, count) in store.answers_since(since).await? {
            *chosen.entry((branch, lesson)).or_default().entry(what).or_default() += count;
        }
        if rows.is_empty() && chosen.is_empty() {
            println!(
                "{since} 起还没有客人看过。认证页从 caishi serve 的 /portal/网点 来，才数得到"
            );
            return Ok(Exit::Success);
        }
        let mut table =
            Table::new(["网点", "课", "看到", "上网", "上网后再看", "读课", "扫码", "答题"]);
        for (key, counts) in &rows {
            let of = |what: &str| counts.get(what).copied().unwrap_or_default().to_string();
            let answers = chosen.remove(key).map_or_else(|| "—".to_owned(), |all| letters(&all));
            let (branch, lesson) = key.clone();
            let [view, on, venue, read, scan] =
                ["view", "continue", "venue", "read", "scan"].map(of);
            table.row([branch, lesson, view, on, venue, read, scan, answers]);
        }
        for ((branch, lesson), all) in &chosen {
            let none = || "0".to_owned();
            let row = [none(), none(), none(), none(), none()];
            let [view, on, venue, read, scan] = row;
            table.row([branch.clone(), lesson.clone(), view, on, venue, read, scan, letters(all)]);
        }
        print!("{table}");
        println!("{since} 至 {today}，只有次数：不存 Cookie、地址和手机");
        Ok(Exit::Success)
    })
}

/// `1B×12 1A×3`
fn letters(all: &BTreeMap<String, i64>) -> String {
    all.iter().map(|(what, count)| format!("{what}×{count}")).collect::<Vec<_>>().join(" ")
}

fn gateways(config: &Path) -> anyhow::Result<Exit> {
    let config = Config::load(config)?;
    let templates =
        crate::render::Templates::new(&without_data(config.read_templates()?)).context("读模板")?;
    let mut table = Table::new(["代号", "网关", "文件", "核对于"]);
    for name in templates.flavours() {
        let Some(flavour) = templates.flavour(name) else { continue };
        let files: Vec<&str> = flavour.files.iter().map(|file| file.name.as_str()).collect();
        let shown =
            if name == GENERIC { format!("{name}（不写就是它）") } else { name.to_owned() };
        table.row([shown, flavour.name.clone(), files.join(" "), flavour.verified_on.clone()]);
    }
    print!("{table}");
    println!("写在 content/branches.csv 的 gateway 列；加一种：docs/portal.md");
    Ok(Exit::Success)
}

/// Palettes and the type scale stand in the same folder and are no templates.
fn without_data(mut overrides: BTreeMap<String, String>) -> BTreeMap<String, String> {
    overrides.remove("palettes.toml");
    overrides.remove("poster/scale.toml");
    overrides
}
