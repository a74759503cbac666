//! Everybody's day in a real browser: `tests/peers/console/walk.mjs` walks, this prepares the bank and
//! does what no browser can. Photographs are kept in `target/console-shots` (CAISHI_SHOTS).

use super::{CHANNELS, Office};
use crate::{
    publishing::town::MONDAY,
    servers::{program, skip_unless_required},
};
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
        PathBuf::from,
    );
    fs::create_dir_all(&folder).unwrap();
    folder
}

async fn walk(width: u32, height: u32, scheme: &str, scripts: bool) {
    let home = PathBuf::from(env::var("HOME").unwrap_or_default());
    let modules = home.join(".cache/caishi/node/console/node_modules");
    let chromium = program("chromium");
    let (Some(node), Some(chromium), true) =
        (program("node"), chromium, modules.join("playwright-core").is_dir())
    else {
        skip_unless_required("playwright", "没有 node、chromium 或 playwright-core（npm ci）");
        return;
    };
    let channels = CHANNELS.replace(
        "outputs = [\"screen\", \"article\", \"post\"]",
        "outputs = [\"screen\", \"article\", \"post\", \"print\", \"morning\", \"booth\", \"notice\"]",
    );
    let office = Office::with(&channels).await;
    let mut invitations = serde_json::Map::new();
    for person in PEOPLE {
        let path = office.invitation(person).await;
        invitations.insert(person.to_owned(), format!("{}{path}", office.url).into());
    }
    let want = serde_json::json!({
        "url": office.url, "shots": shots(), "width": width, "height": height, "scheme": scheme,
        "scripts": scripts, "invitations": invitations, "lesson": "telecom-fraud",
    });
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
        match line.as_str() {
            "@ edit" => {
                office.town.edit("lessons/telecom-fraud/lesson.md", "version: 1", "version: 2");
                office.desk.content_changed();
            }
            "@ monday" => {
                office.town.set_clock(MONDAY).await;
                office.town.tick().await;
                office.town.work().await;
            }
            _ => {
                told = line;
                continue;
            }
        }
        input.write_all(b"done\n").await.unwrap();
    }
    judge(&told);
}

/// No fault, and everybody's pages were seen.
fn judge(told: &str) {
    let result: serde_json::Value = serde_json::from_str(told).unwrap_or_default();
    let faults = result["faults"].as_array().cloned().unwrap_or_else(|| vec!["no result".into()]);
    let faults: Vec<String> =
        faults.iter().map(|fault| fault.as_str().unwrap_or_default().to_owned()).collect();
    assert!(faults.is_empty(), "{} faults:\n{}", faults.len(), faults.join("\n"));
    assert!(result["visited"].as_u64().is_some_and(|pages| pages > 40), "{result}");
}

#[tokio::test(flavor = "multi_thread")]
async fn everybody_walks_through_their_day_at_a_desk() {
    walk(1280, 900, "light", true).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn everybody_walks_through_their_day_on_a_phone() {
    walk(390, 844, "dark", true).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn everybody_walks_through_their_day_without_scripts() {
    walk(390, 844, "light", false).await;
}
