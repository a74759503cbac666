//! Poster packs: publishing for few and many branches, and serving them beside nginx.

use crate::{
    PACKAGE, clock, machine,
    table::{Goal, Table},
};
use anyhow::Context as _;
use caishi::{
    model::{Audience, BranchId, Digest, MediaType, OutputKind},
    packs::{
        BranchEntry, Catalogue, FolderSource, KeySet, Publication, Release, ReleaseFile, Standing,
        publish, target_file,
    },
};
use jiff::{SignedDuration, Timestamp};
use reqwest::{StatusCode, header};
use serde::{Deserialize, Serialize};
use std::{
    fs,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

/// The first argument by which the benchmark starts itself.
const HIDDEN: &str = "--run-packs";
/// Posters of one branch.
const POSTERS: usize = 10;
/// How many ask at a time.
const CLIENTS: usize = 16;
/// The size of the file that is pulled.
const PULLED: usize = 5_000_000;

/// What a publication took.
#[derive(Debug, Serialize, Deserialize)]
struct Outcome {
    first_s: f64,
    next_s: f64,
    cpu_s: f64,
    peak_mb: f64,
    timestamp: usize,
    targets: usize,
    index: usize,
}

/// Publishes for so many branches in this process, if the arguments ask for it.
pub fn perform(arguments: &[String]) -> Option<anyhow::Result<()>> {
    let [hidden, branches, keys, ..] = arguments else { return None };
    (hidden == HIDDEN).then_some(())?;
    Some(runtime().and_then(|runtime| {
        let branches = branches.parse().context("a number of branches")?;
        let outcome = runtime.block_on(published(branches, Path::new(keys)))?;
        println!("{}", serde_json::to_string(&outcome)?);
        Ok(())
    }))
}

/// Measures publishing and serving.
pub fn measure(quick: bool, table: &mut Table) -> anyhow::Result<()> {
    let keys = tempfile::tempdir()?;
    let keys = keys.path().join("keys");
    let mut init = Command::new(env!("CARGO_BIN_EXE_caishi"));
    anyhow::ensure!(init.args(["keys", "init"]).arg(&keys).output()?.status.success(), "keys");
    for branches in if quick { vec![300] } else { vec![300, 3_000] } {
        table.section(&format!("Packs: publishing {POSTERS} posters each for {branches} branches"));
        let output = Command::new(std::env::current_exe()?)
            .arg(HIDDEN)
            .arg(branches.to_string())
            .arg(&keys)
            .stderr(Stdio::inherit())
            .output()?;
        let outcome: Outcome = serde_json::from_slice(&output.stdout).context("its answer")?;
        table.row("the first time", format!("{:.2} s", outcome.first_s));
        table.row("  again, over what stands", format!("{:.2} s", outcome.next_s));
        table.row("  CPU of both", format!("{:.2} s", outcome.cpu_s));
        table.goal(
            "  peak memory",
            format!("{:.0} MB", outcome.peak_mb),
            Goal::below(outcome.peak_mb, 400.0, "< 400 MB"),
        );
        let (timestamp, targets) = (outcome.timestamp, outcome.targets / 1000);
        table.row(
            "  timestamp.json, targets.json, one index",
            format!("{timestamp} B, {targets} kB, {} kB", outcome.index / 1000),
        );
    }
    serve(quick, &keys, table)
}

fn runtime() -> anyhow::Result<tokio::runtime::Runtime> {
    Ok(tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?)
}

fn catalogue(branches: usize, week: i64, now: Timestamp) -> Catalogue {
    let ids: Vec<String> = (0..branches).map(|number| format!("b{number:04}")).collect();
    let entry = |id: &String| {
        let name = format!("{id} 支行");
        BranchEntry { name, hotline: None, tags: Vec::new(), screens: Vec::new() }
    };
    let file = |id: &String, poster: usize| ReleaseFile {
        name: format!("lesson-{poster}.screen.general.portrait-fhd.png"),
        sha256: Digest::of(format!("{id} {poster} {week}").as_bytes()),
        bytes: 250_000,
        media_type: MediaType::Png,
        output: OutputKind::Screen,
        lesson: None,
        audience: Audience::General,
        profile: Some("portrait-fhd".to_owned()),
        branch: BranchId::new(id).ok(),
        days: Vec::new(),
        hours: None,
        alt: "对方让你共享屏幕？请立刻挂断".to_owned(),
    };
    let posters = |id| (0..POSTERS).map(move |poster| file(id, poster));
    Catalogue {
        stays_empty: false,
        bank: "山城示范银行".to_owned(),
        hotline: "400-000-0000".to_owned(),
        branches: ids.iter().map(|id| (id.clone(), entry(id))).collect(),
        releases: vec![Release {
            key: Digest::of(&week.to_le_bytes()),
            takeover: false,
            series: "routine".to_owned(),
            campaign: "routine/weekly".to_owned(),
            number: "宣教审〔2026〕1号".to_owned(),
            slot: now,
            activate_at: now,
            show_from: now,
            show_until: now.saturating_add(SignedDuration::from_hours(168)).unwrap_or(now),
            recalled: None,
            recalled_lessons: Vec::new(),
            swept: false,
            branches: None,
            files: ids.iter().flat_map(posters).collect(),
        }],
    }
}

async fn published(branches: usize, keys: &Path) -> anyhow::Result<Outcome> {
    let root = fs::read(keys.join("root.json"))?;
    let keys = KeySet::load(keys)?;
    let now = Timestamp::now();
    let folder = tempfile::tempdir()?;
    let begun = Instant::now();
    let first = publish(&root, &keys, None, &catalogue(branches, 1, now), now).await?;
    write(folder.path(), &first)?;
    let first_s = begun.elapsed().as_secs_f64();
    let begun = Instant::now();
    let source = Arc::new(FolderSource::new(folder.path()));
    let standing = Standing::read(&root, source).await?;
    let next = catalogue(branches, 2, now);
    let next = publish(&root, &keys, standing.as_ref(), &next, now).await?;
    write(folder.path(), &next)?;
    let size = |end: &str| {
        let file = next.files.iter().find(|(path, _)| path.ends_with(end));
        file.map_or(0, |(_, bytes)| bytes.len())
    };
    Ok(Outcome {
        first_s,
        next_s: begun.elapsed().as_secs_f64(),
        cpu_s: clock::process_cpu(),
        peak_mb: machine::peak_mb(),
        timestamp: size("timestamp.json"),
        targets: size(".targets.json"),
        index: size("pack-b0000.json"),
    })
}

fn write(folder: &Path, publication: &Publication) -> anyhow::Result<()> {
    for part in ["metadata", "targets"] {
        fs::create_dir_all(folder.join(part))?;
    }
    for (path, bytes) in &publication.files {
        fs::write(folder.join(path), bytes)?;
    }
    Ok(())
}

/// A server of the tree; ended when dropped.
pub struct Server {
    /// Its process.
    pub child: Child,
    /// Where it answers.
    pub url: String,
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

fn serve(quick: bool, keys: &Path, table: &mut Table) -> anyhow::Result<()> {
    // Two providers are compiled in, and reqwest chooses none by itself; one may be there already.
    drop(rustls::crypto::ring::default_provider().install_default());
    let runtime = runtime()?;
    let folder = tempfile::tempdir()?;
    let tree = folder.path().join("tree");
    let now = Timestamp::now();
    let root = fs::read(keys.join("root.json"))?;
    let set = KeySet::load(keys)?;
    let catalogue = catalogue(300, 1, now);
    let published = publish(&root, &set, None, &catalogue, now);
    write(&tree, &runtime.block_on(published)?)?;
    let poster: Vec<u8> = (0..PULLED).map(|at| (at * 31 % 251) as u8).collect();
    let file = target_file(&Digest::of(&poster), "poster.png");
    fs::write(tree.join("targets").join(&file), &poster)?;
    let seconds = Duration::from_secs(if quick { 2 } else { 6 });
    let ours = ours(folder.path(), keys)?;
    let mut servers = vec![("caishi serve", ours)];
    match nginx(folder.path())? {
        Some(nginx) => servers.push(("nginx", nginx)),
        None => table.section("Packs: nginx is not installed, so it is left out"),
    }
    for (name, server) in &servers {
        table.section(&format!("Packs: served by {name}, {CLIENTS} clients on this machine"));
        let poll = format!("{}/metadata/timestamp.json", server.url);
        let (asked, cpu, bytes) = runtime.block_on(polls(&poll, server.child.id(), seconds))?;
        let rate = asked as f64 / seconds.as_secs_f64();
        table.row("idle polls (304)", format!("{rate:.0} /s"));
        table.row("  CPU of the server, each", format!("{:.0} µs", 1e6 * cpu / asked as f64));
        table.row("  headers of the answer", format!("{bytes} B"));
        let pull = format!("{}/targets/{file}", server.url);
        let (asked, cpu) = runtime.block_on(pulls(&pull, server.child.id(), seconds))?;
        let rate = asked as f64 / seconds.as_secs_f64();
        table.row("pulls of 5 MB", format!("{rate:.0} /s"));
        table.row("  CPU of the server, each", format!("{:.1} ms", 1e3 * cpu / asked as f64));
    }
    Ok(())
}

fn ours(folder: &Path, keys: &Path) -> anyhow::Result<Server> {
    let port = free_port()?;
    let content = Path::new(PACKAGE).join("content");
    let config = folder.join("channels.toml");
    let text = format!(
        "[bank]\nname = \"山城示范银行\"\nbase_url = \"https://edu.shancheng.example\"\n\
         hotline = \"bank\"\ndisclaimer = \"金融知识普及。\"\n[content]\nfolder = \"{}\"\n\
         [server]\nlisten = \"127.0.0.1:{port}\"\n[channel.screens]\nkind = \"packs\"\n\
         outputs = [\"screen\"]\npath = \"tree\"\nkeys = \"{}\"\n",
        content.display(),
        keys.display()
    );
    fs::write(&config, text)?;
    let child = Command::new(env!("CARGO_BIN_EXE_caishi"))
        .args(["--config".as_ref(), config.as_os_str(), "serve".as_ref()])
        .current_dir(folder)
        .stderr(Stdio::null())
        .spawn()?;
    let server = Server { child, url: format!("http://127.0.0.1:{port}/packs") };
    wait(port)?;
    Ok(server)
}

fn nginx(folder: &Path) -> anyhow::Result<Option<Server>> {
    let program = ["/usr/sbin/nginx", "/usr/bin/nginx"].map(PathBuf::from);
    let Some(program) = program.into_iter().find(|program| program.exists()) else {
        return Ok(None);
    };
    let port = free_port()?;
    let config = folder.join("nginx.conf");
    let shown = folder.display();
    fs::write(
        &config,
        format!(
            "user root; daemon off; master_process off; pid {shown}/pid; error_log {shown}/error;\n\
             events {{ worker_connections 512; }}\nhttp {{ access_log off; sendfile on;\n\
             client_body_temp_path {shown}/b; proxy_temp_path {shown}/p; fastcgi_temp_path {shown}/f;\n\
             uwsgi_temp_path {shown}/u; scgi_temp_path {shown}/s;\n\
             server {{ listen 127.0.0.1:{port}; root {shown}/tree; }} }}\n"
        ),
    )?;
    // One process: killed, it leaves no workers behind.
    let mut nginx = Command::new(program);
    let child = nginx.arg("-c").arg(&config).stdout(Stdio::null()).stderr(Stdio::null()).spawn()?;
    let server = Server { child, url: format!("http://127.0.0.1:{port}") };
    wait(port)?;
    Ok(Some(server))
}

/// A port that nobody listens on just now.
pub fn free_port() -> anyhow::Result<u16> {
    Ok(std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}

/// Waits until somebody listens.
pub fn wait(port: u16) -> anyhow::Result<()> {
    for _ in 0..200 {
        if std::net::TcpStream::connect(("127.0.0.1", port)).is_ok() {
            return Ok(());
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    anyhow::bail!("nobody listens on {port}")
}

/// Conditional requests for so long: how many, the server's CPU seconds, the answer's headers.
async fn polls(url: &str, server: u32, length: Duration) -> anyhow::Result<(u64, f64, usize)> {
    let client = reqwest::Client::new();
    let first = client.get(url).send().await?.error_for_status()?;
    let tag = first.headers().get(header::ETAG).context("an entity tag")?.clone();
    let answer = client.get(url).header(header::IF_NONE_MATCH, &tag).send().await?;
    anyhow::ensure!(answer.status() == StatusCode::NOT_MODIFIED, "{}", answer.status());
    // `name: value\r\n` each, and the status line.
    let headers =
        answer.headers().iter().map(|(n, v)| n.as_str().len() + v.len() + 4).sum::<usize>();
    let (asked, cpu) = hammer(server, length, |asked| {
        let (client, url, tag) = (client.clone(), url.to_owned(), tag.clone());
        async move {
            let answer = client.get(&url).header(header::IF_NONE_MATCH, &tag).send().await?;
            anyhow::ensure!(answer.status() == StatusCode::NOT_MODIFIED);
            asked.fetch_add(1, Ordering::Relaxed);
            Ok(())
        }
    })
    .await?;
    Ok((asked, cpu, headers + "HTTP/1.1 304 Not Modified\r\n\r\n".len()))
}

/// Whole pulls for so long: how many, and the server's CPU seconds.
async fn pulls(url: &str, server: u32, length: Duration) -> anyhow::Result<(u64, f64)> {
    let client = reqwest::Client::new();
    hammer(server, length, |asked| {
        let (client, url) = (client.clone(), url.to_owned());
        async move {
            let mut answer = client.get(&url).send().await?.error_for_status()?;
            let mut bytes = 0;
            while let Some(part) = answer.chunk().await? {
                bytes += part.len();
            }
            anyhow::ensure!(bytes == PULLED, "{bytes} bytes");
            asked.fetch_add(1, Ordering::Relaxed);
            Ok(())
        }
    })
    .await
}

async fn hammer<F: Future<Output = anyhow::Result<()>> + Send>(
    server: u32,
    length: Duration,
    ask: impl Fn(Arc<AtomicU64>) -> F,
) -> anyhow::Result<(u64, f64)> {
    let asked = Arc::new(AtomicU64::new(0));
    let (end, before) = (Instant::now() + length, clock::tree_cpu(server));
    let clients = (0..CLIENTS).map(|_| async {
        while Instant::now() < end {
            ask(Arc::clone(&asked)).await?;
        }
        anyhow::Ok(())
    });
    futures_util::future::try_join_all(clients).await?;
    Ok((asked.load(Ordering::Relaxed), clock::tree_cpu(server) - before))
}
