//! The console before a big bank: pages of `caishi serve` on one core, 300 branches, 200 lessons and
//! 5,000 deliveries in the store.

use crate::{
    PACKAGE, backlog,
    backlog::Home,
    clock,
    packs::{Server, free_port, wait},
    table::{Goal, Table},
};
use anyhow::Context as _;
use caishi::model::Digest;
use std::{
    cell::Cell,
    fs,
    path::Path,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

const BRANCHES: usize = 300;
const LESSONS: usize = 200;
const DELIVERIES: usize = 5_000;
const CHANNELS: usize = 25;

/// Requests of each page.
const REQUESTS: usize = 100;

/// How often a lesson's files go out to every branch on one day.
const REPEATED: usize = 25;

const STATIC: &str = "/console/static/";

/// A page, its style sheet and its script.
const FIRST_PAINT: f64 = 100_000.0;

/// Pages whose addresses are known: all that people open every day. Not those that look at channels
/// or read the whole chain, which takes as long as it takes.
const PAGES: [&str; 24] = [
    "/console",
    "/console/week",
    "/console/week?view=month",
    "/console/campaigns",
    "/console/campaigns/edit",
    "/console/submit",
    "/console/jobs",
    "/console/recall",
    "/console/lessons",
    "/console/lessons/lesson-007",
    "/console/reviews",
    "/console/deliveries",
    "/console/branches",
    "/console/branches/tables",
    "/b/b123",
    "/b/b123/print",
    "/b/b123/events",
    "/console/hotlines",
    "/console/hotlines/antifraud",
    "/console/audit",
    "/console/audit/chain",
    "/console/settings",
    "/console/settings/people/all",
    "/console/account",
];

/// Pages that read all submissions or deliveries again after each change.
const READ_AGAIN: [&str; 4] =
    ["/console", "/console/lessons", "/console/lessons/lesson-007", "/console/reviews"];

const PASSWORD: &str = "four quiet rivers";
const TOKEN: &str = "a token of the benchmark, long enough";
const SECOND: &str = "another token of the benchmark, as long";

/// Measures every kind of page.
pub fn measure(quick: bool, table: &mut Table) -> anyhow::Result<()> {
    drop(rustls::crypto::ring::default_provider().install_default());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let deliveries = if quick { DELIVERIES / 10 } else { DELIVERIES };
    let filled = backlog::Backlog::fill(Home::Sqlite, deliveries, CHANNELS);
    let backlog = runtime.block_on(filled)?;
    let folder = backlog.folder.path();
    content(folder)?;
    let port = configure(folder)?;
    let review = submissions(folder)?;
    let server = serve(folder, port)?;
    runtime.block_on(drained(folder))?;
    table.section(&format!(
        "Console: {BRANCHES} branches, {LESSONS} lessons, {deliveries} deliveries, SQLite, the \
         service on one core, {REQUESTS} requests each"
    ));
    let client = reqwest::Client::builder()
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .build()?;
    runtime.block_on(pages(&client, folder, &server, &review, table))
}

async fn pages(
    client: &reqwest::Client,
    folder: &Path,
    server: &Server,
    review: &str,
    table: &mut Table,
) -> anyhow::Result<()> {
    let cookie = sign_in(client, folder, server).await?;
    let asked = Cell::new(0);
    let get = async |path: &str| {
        // Quick pages are no flood: every hundred requests come from an address of their own.
        asked.set(asked.get() + 1);
        let address = format!("198.51.100.{}", asked.get() / REQUESTS);
        let request = client.get(format!("{}{path}", server.url)).header("cookie", &cookie);
        let answer = request.header("x-forwarded-for", address).send().await?;
        let status = answer.status();
        let text = answer.text().await?;
        anyhow::ensure!(status.is_success(), "{path}: {status} {text}");
        Ok(text)
    };
    let mut assets = 0;
    for address in get("/console").await?.split('"').filter(|part| part.starts_with(STATIC)) {
        assets += get(address).await?.len();
    }
    let board = get("/console/deliveries").await?;
    let one = board.split('"').find(|part| part.starts_with("/console/deliveries/d"));
    let delivery = one.context("no delivery on the board")?.to_owned();
    let number: String = url::form_urlencoded::byte_serialize(review.as_bytes()).collect();
    let review = format!("/console/reviews/{number}");
    let compared = get(&review).await?.contains("和上次批准的不同");
    anyhow::ensure!(compared, "nothing to compare on {review}");
    // On the longest day there is, everything goes out; tomorrow the last one is there alone.
    let today = jiff::Timestamp::now().in_tz("Asia/Shanghai")?.date();
    let [busy, quiet] =
        [today, today.tomorrow()?].map(|day| format!("/console/audit?branch=b123&day={day}"));
    let mut ledger = ledger(folder).await?;
    let named = [
        (&*review, "/console/reviews/<number>"),
        (&*delivery, "/console/deliveries/<id>"),
        (&*busy, "/console/audit?day=<today>"),
        (&*quiet, "/console/audit?day=<tomorrow>"),
    ];
    let all = PAGES.map(|path| (path, path)).into_iter().chain(named);
    let again = READ_AGAIN.map(|path| (path, path)).into_iter().chain([named[2]]);
    let again = again.map(|page| (page, true));
    for ((path, name), is_disturbed) in all.map(|page| (page, false)).chain(again) {
        get(path).await?;
        let before = clock::tree_cpu(server.child.id());
        let (mut times, mut bytes) = (Vec::new(), 0);
        for _ in 0..REQUESTS {
            if is_disturbed {
                disturb(&mut ledger).await?;
            }
            let asked = Instant::now();
            bytes = get(path).await?.len();
            times.push(asked.elapsed());
        }
        let cpu = clock::tree_cpu(server.child.id()) - before;
        let after = if is_disturbed { ", after a change" } else { "" };
        let (told, goal) = judged(times, cpu, bytes + assets);
        table.goal(&format!("{name}{after}"), told, goal);
    }
    Ok(())
}

/// What is told of a page: its times, its share of the processor, its bytes.
fn judged(mut times: Vec<Duration>, cpu: f64, bytes: usize) -> (String, Goal) {
    times.sort_unstable();
    let at = |share: f64| times[((times.len() - 1) as f64 * share) as usize].as_secs_f64() * 1e3;
    let total = bytes as f64;
    let told = format!(
        "p50 {:.1} ms, p95 {:.1} ms, CPU {:.1} ms, {:.0} KB",
        at(0.5),
        at(0.95),
        1e3 * cpu / times.len() as f64,
        total / 1e3
    );
    let goal = Goal::of(at(0.95) <= 50.0 && total <= FIRST_PAINT, "< 50 ms, < 100 KB");
    (told, goal)
}

/// What the service takes for a change of all submissions and deliveries, so that it reads them
/// again: the end of the audit chain is another, and a delivery's state is younger.
async fn disturb(ledger: &mut sqlx::SqliteConnection) -> anyhow::Result<()> {
    for sql in [
        "UPDATE audit_head SET hash = lower(hex(randomblob(32)))",
        "UPDATE delivery SET changed_at = (SELECT max(changed_at) + 1 FROM delivery) \
         WHERE id = (SELECT id FROM delivery ORDER BY id LIMIT 1)",
    ] {
        sqlx::query(sql).execute(&mut *ledger).await?;
    }
    Ok(())
}

async fn ledger(folder: &Path) -> anyhow::Result<sqlx::SqliteConnection> {
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(folder.join("caishi.db"));
    Ok(sqlx::ConnectOptions::connect(&options).await?)
}

/// Somebody with every role, by an invitation of the command line.
async fn sign_in(
    client: &reqwest::Client,
    folder: &Path,
    server: &Server,
) -> anyhow::Result<String> {
    let invited = Command::new(env!("CARGO_BIN_EXE_caishi"))
        .args(["account", "invite", "all", "--as", "all"])
        .current_dir(folder)
        .env("CAISHI_TOKEN_ALL", TOKEN)
        .output()?;
    anyhow::ensure!(invited.status.success(), "{}", String::from_utf8_lossy(&invited.stderr));
    let link = String::from_utf8(invited.stdout)?;
    let request = client.post(link.trim()).header("origin", &server.url);
    let answer = request.form(&[("password", PASSWORD), ("again", PASSWORD)]).send().await?;
    let cookie = answer.headers().get("set-cookie").context("not signed in")?;
    Ok(cookie.to_str()?.split(';').next().unwrap_or_default().to_owned())
}

/// The demo's lessons over and over under other ids, and three hundred branches.
fn content(folder: &Path) -> anyhow::Result<()> {
    let from = Path::new(PACKAGE).join("content");
    let to = folder.join("content");
    for entry in walkdir::WalkDir::new(&from) {
        let entry = entry?;
        let target = to.join(entry.path().strip_prefix(&from)?);
        if entry.file_type().is_dir() {
            fs::create_dir_all(target)?;
        } else {
            fs::copy(entry.path(), target)?;
        }
    }
    let lessons = to.join("lessons");
    let mut originals: Vec<_> = fs::read_dir(&lessons)?
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<Result<_, _>>()?;
    originals.sort();
    for number in originals.len()..LESSONS {
        let original = &originals[number % originals.len()];
        let old = original.file_name().and_then(|name| name.to_str()).context("no name")?;
        let new = format!("lesson-{number:03}");
        let folder = lessons.join(&new);
        fs::create_dir(&folder)?;
        for entry in fs::read_dir(original)? {
            let entry = entry?;
            let target = folder.join(entry.file_name());
            match fs::read_to_string(entry.path()) {
                Ok(text) => {
                    fs::write(target, text.replace(&format!("id: {old}"), &format!("id: {new}")))?;
                }
                Err(_) => drop(fs::copy(entry.path(), target)?),
            }
        }
    }
    // The page of a lesson that is asked for is one of the copies.
    let last = format!("lesson-{:03}", LESSONS - 1);
    let named = lessons.join("lesson-007");
    fs::rename(lessons.join(&last), &named)?;
    for version in ["lesson.md", "lesson.elder.md", "lesson.student.md"] {
        let file = named.join(version);
        let text = fs::read_to_string(&file)?;
        fs::write(&file, text.replace(&format!("id: {last}"), "id: lesson-007"))?;
    }
    let mut branches = "id,name,district,tags,address,hotline,hours,gateway\n".to_owned();
    let mut screens = "branch,screen,profile,width,height,mm_width,distance_m,dwell_s\n".to_owned();
    for number in 1..=BRANCHES {
        branches += &format!(
            "b{number:03},第{number}支行,上梯区,community,梯坎大道{number}号,,周一至周五 9:00-17:00,\n"
        );
        screens += &format!("b{number:03},s1,portrait-fhd,1080,1920,535.7,3,15\n");
    }
    fs::write(to.join("branches.csv"), branches)?;
    fs::write(to.join("screens.csv"), screens)?;
    Ok(())
}

/// The ledger's configuration with a person, a schedule and an address.
fn configure(folder: &Path) -> anyhow::Result<u16> {
    let port = free_port()?;
    let file = folder.join("channels.toml");
    let digest = Digest::of(TOKEN.as_bytes());
    let second = Digest::of(SECOND.as_bytes());
    let text = fs::read_to_string(&file)?;
    let roles = "\"author\", \"reviewer\", \"publisher\", \"branch\", \"auditor\", \"operator\", \"administrator\"";
    let more = format!(
        "[server]\nlisten = \"127.0.0.1:{port}\"\n[schedule.weekly]\ncampaign = \"routine/weekly\"\n\
         rule = \"0 8 * * MON\"\nchannels = [\"f0\"]\nlessons_per_slot = 1\n[[people]]\nid = \"all\"\n\
         name = \"什么都管\"\nroles = [{roles}]\nbranch = \"b123\"\ntoken_env = \"CAISHI_TOKEN_ALL\"\n\
         token_sha256 = \"{digest}\"\n[[people]]\nid = \"second\"\nname = \"另一个人\"\n\
         roles = [\"reviewer\"]\ntoken_env = \"CAISHI_TOKEN_SECOND\"\ntoken_sha256 = \"{second}\"\n\
         [channel.look]\nkind = \"folder\"\nmode = \"publish\"\npath = \"published/look\"\n\
         outputs = [\"article\", \"screen\", \"print\", \"leaflet\", \"portal\", \"post\", \
         \"staff-card\"]\n[schedule.look]\nenabled = false\ncampaign = \"routine/weekly\"\n\
         rule = \"0 9 * * TUE\"\nchannels = [\"look\"]\nlessons_per_slot = 1\n"
    );
    fs::write(&file, format!("{text}{more}"))?;
    Ok(port)
}

/// A lesson for every audience and branch, approved and published over and over; and again with a
/// sentence more and something to find in it. The second number.
fn submissions(folder: &Path) -> anyhow::Result<String> {
    let (first, lesson) = submit(folder)?;
    caishi(folder, &["approve", &first, "--as", "second"])?;
    for _ in 0..REPEATED {
        caishi(folder, &["publish", "look", "--again", "--as", "all"])?;
        // A slot is a second.
        std::thread::sleep(Duration::from_millis(1_100));
    }
    let file = folder.join("content/lessons").join(lesson).join("lesson.md");
    let text = fs::read_to_string(&file)?;
    let more = "\n办**KYC**先问家人，是最**有效**的办法。\n\n## ";
    fs::write(&file, text.replacen("\n## ", more, 1))?;
    Ok(submit(folder)?.0)
}

/// The number and the lesson of a submission.
fn submit(folder: &Path) -> anyhow::Result<(String, String)> {
    let told = caishi(folder, &["submit", "look", "--as", "all", "--slots", "1"])?;
    let mut words = told.lines().next().unwrap_or_default().split('\u{3000}');
    let number = words.next().context("no number")?.to_owned();
    let lesson = words.nth(1).context("no lesson")?.to_owned();
    Ok((number, lesson))
}

fn caishi(folder: &Path, arguments: &[&str]) -> anyhow::Result<String> {
    let output = Command::new(env!("CARGO_BIN_EXE_caishi"))
        .args(arguments)
        .current_dir(folder)
        .env("CAISHI_TOKEN_ALL", TOKEN)
        .env("CAISHI_TOKEN_SECOND", SECOND)
        .output()?;
    let (told, faults) = (output.stdout, String::from_utf8_lossy(&output.stderr));
    anyhow::ensure!(output.status.success(), "caishi {}: {faults}", arguments.join(" "));
    Ok(String::from_utf8(told)?)
}

fn serve(folder: &Path, port: u16) -> anyhow::Result<Server> {
    let child = Command::new("taskset")
        .args(["-c", "0", env!("CARGO_BIN_EXE_caishi"), "serve"])
        .current_dir(folder)
        .stderr(Stdio::null())
        .spawn()
        .context("taskset, of util-linux")?;
    let server = Server { child, url: format!("http://127.0.0.1:{port}") };
    wait(port)?;
    Ok(server)
}

/// The service's own workers deliver everything first.
async fn drained(folder: &Path) -> anyhow::Result<()> {
    let mut ledger = ledger(folder).await?;
    let sql = "SELECT count(*) FROM delivery WHERE state NOT IN ('confirmed', 'dead')";
    for _ in 0..1_200 {
        let left: i64 = sqlx::query_scalar(sql).fetch_one(&mut ledger).await?;
        if left == 0 {
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(250)).await;
    }
    anyhow::bail!("the service did not deliver everything within five minutes")
}
