//! People at the console in a real browser: `tests/peers/console/walk.mjs` walks, this prepares the
//! bank and does what no browser can. Photographs are kept in `console` below `CAISHI_SHOTS`
//! (`.ci/run` says `target/ci-artefacts`), else in the target folder's `tmp/console-shots`;
//! `index.html` there shows them all.

use super::{CHANNELS, Office, stage};
use crate::servers::{postgres, program, skip_unless_required};
use caishi::console;
use serde_json::{Value, json};
use std::{env, fs, path::PathBuf, process::Stdio};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};

const PEOPLE: [&str; 8] = [
    "author",
    "reviewer",
    "co-reviewer",
    "publisher",
    "branch",
    "operator",
    "auditor",
    "administrator",
];

/// Where photographs are kept.
fn shots() -> PathBuf {
    let folder = env::var_os("CAISHI_SHOTS").map_or_else(
        || PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("console-shots"),
        |folder| PathBuf::from(folder).join("console"),
    );
    fs::create_dir_all(&folder).unwrap();
    folder
}

/// What the branches get: everything that there is for them.
pub fn channels() -> String {
    CHANNELS.replace(
        "outputs = [\"screen\", \"article\", \"post\"]",
        "outputs = [\"screen\", \"article\", \"post\", \"print\", \"morning\", \"booth\", \"notice\"]",
    )
}

/// The browser's peers: Node, Chromium, the folder of playwright-core and axe-core.
fn peers() -> Option<(PathBuf, PathBuf, PathBuf)> {
    let home = PathBuf::from(env::var("HOME").unwrap_or_default());
    let modules = home.join(".cache/caishi/node/console/node_modules");
    let found = program("node").zip(program("chromium"));
    let found = found.filter(|_| modules.join("playwright-core").is_dir());
    if found.is_none() {
        skip_unless_required("playwright", "没有 node、chromium 或 playwright-core（npm ci）");
    }
    found.map(|(node, chromium)| (node, chromium, modules))
}

/// One walk through an office; `manner` says which story and in what dress.
async fn walk(office: &Office, manner: Value) -> Value {
    let Some((node, chromium, modules)) = peers() else { return Value::Null };
    let mut want = manner;
    let mut invitations = serde_json::Map::new();
    for person in PEOPLE {
        let path = office.invitation(person).await;
        invitations.insert(person.to_owned(), format!("{}{path}", office.url).into());
    }
    let pages = console::rows(&office.desk).into_iter().filter(|row| row.method == "GET");
    want["routes"] = pages.map(|row| row.path).collect();
    want["invitations"] = invitations.into();
    want["url"] = office.url.as_str().into();
    want["shots"] = shots().to_str().unwrap().into();
    want["folder"] = office.town.folder.path().to_str().unwrap().into();
    want["lesson"] = "telecom-fraud".into();
    let mut child = tokio::process::Command::new(node)
        .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/peers/console/walk.mjs"))
        .env("CAISHI_NODE_MODULES", &modules)
        .env("CAISHI_CHROMIUM", chromium)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut input = child.stdin.take().unwrap();
    let mut output = BufReader::new(child.stdout.take().unwrap()).lines();
    input.write_all(format!("{want}\n").as_bytes()).await.unwrap();
    let mut told = String::new();
    while let Some(line) = output.next_line().await.unwrap() {
        match line.strip_prefix("@ ") {
            Some(order) => {
                stage::follow(office, order).await;
                input.write_all(b"done\n").await.unwrap();
            }
            None => told = line,
        }
    }
    judge(&told)
}

/// No fault, and pages were seen.
fn judge(told: &str) -> Value {
    let result: Value = serde_json::from_str(told).unwrap_or_default();
    let faults = result["faults"].as_array().cloned().unwrap_or_else(|| vec!["no result".into()]);
    let faults: Vec<String> =
        faults.iter().map(|fault| fault.as_str().unwrap_or_default().to_owned()).collect();
    assert!(faults.is_empty(), "{} faults:\n{}", faults.len(), faults.join("\n"));
    assert!(result["visited"].as_u64().is_some_and(|pages| pages > 40), "{result}");
    result
}

fn manner(story: &str, name: &str, (width, height): (u32, u32), scheme: &str) -> Value {
    json!({
        "story": story, "name": name, "width": width, "height": height, "scheme": scheme,
        "scripts": true, "further": {},
    })
}

const DESK: (u32, u32) = (1280, 900);
const PHONE: (u32, u32) = (390, 844);

/// With the ledger in a Postgres, where there is one.
#[tokio::test(flavor = "multi_thread")]
async fn everybody_walks_through_their_day_at_a_desk() {
    let channels = match postgres::shared() {
        Some(server) => {
            let database = format!("[database]\nurl = \"{}\"\n\n", server.database().url());
            channels().replacen("[channel.branches]", &(database + "[channel.branches]"), 1)
        }
        None => channels(),
    };
    let office = Office::with(&channels).await;
    walk(&office, manner("day", "day-desk", DESK, "light")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn everybody_walks_through_their_day_on_a_phone() {
    let office = Office::with(&channels()).await;
    walk(&office, manner("day", "day-phone", PHONE, "dark")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn everybody_walks_through_their_day_without_scripts() {
    let office = Office::with(&channels()).await;
    let mut manner = manner("day", "day-no-scripts", PHONE, "light");
    manner["scripts"] = false.into();
    walk(&office, manner).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_deed_is_done_with_the_keyboard_alone() {
    let office = Office::with(&channels()).await;
    walk(&office, manner("keys", "keyboard", DESK, "light")).await;
}

/// Every page of the table of routes, in every dress.
#[tokio::test(flavor = "multi_thread")]
async fn every_page_is_readable_in_both_languages_and_every_light() {
    if peers().is_none() {
        return;
    }
    let office = Office::with(&channels()).await;
    let further = stage::busy(&office).await;
    let mut manner = manner("pages", "pages", DESK, "light");
    manner["further"] = further;
    let result = walk(&office, manner).await;
    assert!(result["judged"].as_u64().is_some_and(|pages| pages > 45), "{result}");
}
