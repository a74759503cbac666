//! The Wi-Fi portal: guests who arrive at one core, and bytes per page by kind of gateway.

use crate::{
    PACKAGE, clock,
    packs::{Server, free_port, wait},
    table::{Goal, Table},
};
use anyhow::Context as _;
use std::{
    fs,
    io::{Cursor, Read as _},
    path::Path,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

/// Guests, and the time in which they come.
const GUESTS: u32 = 1_000;
const ARRIVING: Duration = Duration::from_secs(10);

/// Measures serving and sizes.
pub fn measure(quick: bool, table: &mut Table) -> anyhow::Result<()> {
    drop(rustls::crypto::ring::default_provider().install_default());
    let folder = tempfile::tempdir()?;
    publish(folder.path())?;
    let server = serve(folder.path())?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let guests = if quick { GUESTS / 10 } else { GUESTS };
    let arriving = if quick { ARRIVING / 10 } else { ARRIVING };
    table.section(&format!(
        "Portal: {guests} guests in {} s, each a connection of its own, the service on one core",
        arriving.as_secs()
    ));
    let page = format!("{}/portal/b002", server.url);
    let before = clock::tree_cpu(server.child.id());
    let mut times = runtime.block_on(arrive(&page, guests, arriving))?;
    let cpu = clock::tree_cpu(server.child.id()) - before;
    times.sort_unstable();
    let at = |share: f64| times[((times.len() - 1) as f64 * share) as usize].as_secs_f64() * 1e3;
    table.row("the page, p50", format!("{:.1} ms", at(0.5)));
    table.goal("  p99", format!("{:.1} ms", at(0.99)), Goal::below(at(0.99), 100.0, "< 100 ms"));
    table.row("  CPU of the service, each", format!("{:.0} µs", 1e6 * cpu / f64::from(guests)));
    sizes(folder.path(), table)
}

/// The demo's evergreen lesson in a portal of its own, by a rehearsal.
fn publish(folder: &Path) -> anyhow::Result<()> {
    let output = Command::new(env!("CARGO_BIN_EXE_caishi"))
        .args(["publish", "evergreen", "--rehearse", "--out"])
        .arg(folder.join("out"))
        .current_dir(PACKAGE)
        .output()?;
    anyhow::ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Ok(())
}

fn serve(folder: &Path) -> anyhow::Result<Server> {
    let port = free_port()?;
    let config = folder.join("channels.toml");
    let portal = folder.join("out/rehearsal/channels/portal");
    anyhow::ensure!(portal.join("live.json").exists(), "the rehearsal published no portal");
    let text = format!(
        "[bank]\nname = \"山城示范银行\"\nbase_url = \"https://edu.shancheng.example\"\n\
         hotline = \"bank\"\ndisclaimer = \"金融知识普及。\"\n[content]\nfolder = \"{PACKAGE}/content\"\n\
         [server]\nlisten = \"127.0.0.1:{port}\"\n[channel.portal]\nkind = \"portal\"\n\
         outputs = [\"portal\"]\npath = \"{}\"\n",
        portal.display()
    );
    fs::write(&config, text)?;
    let child = Command::new("taskset")
        .args(["-c", "0", env!("CARGO_BIN_EXE_caishi"), "--config"])
        .arg(&config)
        .arg("serve")
        .current_dir(folder)
        .stderr(Stdio::null())
        .spawn()
        .context("taskset, of util-linux")?;
    let server = Server { child, url: format!("http://127.0.0.1:{port}") };
    wait(port)?;
    Ok(server)
}

/// Guests one after the other, evenly; how long each waited for the whole page.
async fn arrive(url: &str, guests: u32, within: Duration) -> anyhow::Result<Vec<Duration>> {
    let begun = Instant::now();
    let mut visits = tokio::task::JoinSet::new();
    for guest in 0..guests {
        let url = url.to_owned();
        let due = within / guests * guest;
        visits.spawn(async move {
            tokio::time::sleep(due.saturating_sub(begun.elapsed())).await;
            // A client of its own is a connection of its own, as a phone has.
            let client = reqwest::Client::builder().no_proxy().build()?;
            let asked = Instant::now();
            let page = client.get(&url).send().await?.error_for_status()?.text().await?;
            anyhow::ensure!(page.contains("/portal/b002/welcome"), "not the page");
            Ok(asked.elapsed())
        });
    }
    let mut times = Vec::new();
    while let Some(time) = visits.join_next().await {
        times.push(time??);
    }
    Ok(times)
}

/// The pages of every kind of gateway that the demo's branches have.
fn sizes(folder: &Path, table: &mut Table) -> anyhow::Result<()> {
    table.section("Portal: bytes per page, lesson telecom-fraud, for everybody and for elders");
    let live = folder.join("out/rehearsal/channels/portal/live");
    for (branch, gateway, page) in [
        ("b001", "generic", "index.html"),
        ("b002", "openNDS", "theme_caishi.sh"),
        ("b003", "Comware", "logon.htm"),
        ("b005", "MikroTik", "login.html"),
    ] {
        for audience in ["general", "elder"] {
            let package = live.join(branch).join(format!("{audience}.zip"));
            let package = fs::read(&package).with_context(|| package.display().to_string())?;
            let packed = package.len();
            let mut zip = zip::ZipArchive::new(Cursor::new(package))?;
            let mut text = String::new();
            zip.by_name(page)?.read_to_string(&mut text)?;
            let what = format!("{gateway} {page}, {audience}");
            table.row(&what, format!("{} B, package {packed} B", text.len()));
        }
    }
    Ok(())
}
