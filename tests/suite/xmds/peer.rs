//! A Xibo player's own protocol client against our endpoint. It is a test peer from npm under the
//! AGPL: run, never linked or copied.

use super::{
    office::{at, poster},
    soap::{serve, standard},
};
use crate::servers::{program, skip_unless_required};
use axum::body::Bytes;
use caishi::{
    model::Digest,
    web::xmds::{Inventory, News, Played, PlayerStatus},
};
use serde_json::Value;
use std::{
    path::{Path, PathBuf},
    process::Command,
};

const PEER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/peers/xmds/play.mjs");

/// Where the gate has installed the peer.
fn peer() -> Result<(PathBuf, PathBuf), String> {
    let node = program("node").ok_or("没有 node：apt-get install nodejs npm")?;
    let home = std::env::var("HOME").unwrap_or_default();
    let folder = Path::new(&home).join(".cache/caishi/node/xmds");
    if folder.join("node_modules/@xiboplayer/xmds/package.json").is_file() {
        return Ok((node, folder));
    }
    Err(format!("{} 里没有 @xiboplayer/xmds：照 .ci/run 装", folder.display()))
}

/// One collection of the player; what it saw.
fn play(node: &Path, modules: &Path, url: &str, key: &str, player: &str) -> Value {
    let arguments = [PEER, &modules.to_string_lossy(), url, key, player];
    let output = Command::new(node).args(arguments).output().unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{errors}");
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {errors}"))
}

async fn collect(card: Option<Bytes>) -> Option<(Value, Vec<News>)> {
    let (node, modules) = match peer() {
        Ok(peer) => peer,
        Err(reason) => {
            skip_unless_required("xmds", &reason);
            return None;
        }
    };
    let office = standard(card);
    let endpoint = serve(&office).await;
    let url = endpoint.url.clone();
    let (waiting, seen) = tokio::task::spawn_blocking(move || {
        let play = |player| play(&node, &modules, &url, "server-key", player);
        (play("player-2"), play("player-1"))
    })
    .await
    .unwrap();
    assert_eq!(waiting["register"]["code"], "WAITING");
    let news = office.news.lock().unwrap().iter().map(|(_, news)| news.clone()).collect();
    Some((seen, news))
}

#[tokio::test]
async fn a_real_client_registers_downloads_schedules_and_reports() {
    let Some((seen, news)) = collect(None).await else { return };
    let register = &seen["register"];
    assert_eq!(register["code"], "READY", "{register}");
    assert_eq!(register["displayAttrs"]["timezone"], "Asia/Shanghai");
    for (name, value) in [("sizeX", "1080"), ("sizeY", "1920"), ("statsEnabled", "1")] {
        assert_eq!(register["settings"][name], value, "{name}");
    }
    let files = seen["files"].as_array().unwrap();
    let of =
        |kind: &str| -> Vec<&Value> { files.iter().filter(|file| file["type"] == kind).collect() };
    let (media, layouts, pages) = (of("media"), of("layout"), of("resource"));
    assert_eq!((media.len(), layouts.len(), pages.len()), (1, 2, 1), "{files:?}");
    for file in media.iter().chain(&layouts) {
        assert_eq!(file["gotMd5"], file["md5"], "{file}");
        assert_eq!(file["got"], file["size"], "{file}");
    }
    assert_eq!(media[0]["sha256"], Digest::of(&poster(7)).to_string());
    let page = pages[0]["page"].as_str().unwrap();
    assert!(page.contains("青石坡支行") && page.contains("95XXX"), "{page}");

    let schedule = &seen["schedule"];
    let events = schedule["layouts"].as_array().unwrap();
    assert_eq!(events.len(), 1, "{schedule}");
    // Half-open for us, up to and including for players.
    assert_eq!(events[0]["fromdt"], "2026-11-23 08:00:00");
    assert_eq!(events[0]["todt"], "2026-12-07 07:59:59");
    assert_eq!(events[0]["dependants"][0], media[0]["saveAs"]);
    let layout = |id: &Value| layouts.iter().find(|one| one["id"] == *id).unwrap();
    let shown = layout(&events[0]["file"])["text"].as_str().unwrap();
    assert!(shown.contains(&format!("<uri>{}</uri>", media[0]["saveAs"].as_str().unwrap())));
    assert!(layout(&schedule["default"])["text"].as_str().unwrap().contains("type=\"text\""));

    for told in ["stats", "log", "shot"] {
        assert_eq!(seen[told], true, "{told}");
    }
    for told in ["inventory", "status"] {
        assert_eq!(seen[told], "true", "{told}");
    }
    let sha256 = Digest::of(&poster(7));
    let (from, until) = (at("2026-11-27T09:30:00+08:00"), at("2026-11-27T09:30:15+08:00"));
    let standing = Some(sha256);
    let expected = vec![
        News::Inventory(Inventory { complete: vec![sha256], missing: Vec::new() }),
        // The line about a layout that nobody gave out is left out.
        News::Played(vec![Played { sha256, from, until, count: 1 }]),
        News::Status(PlayerStatus { standing, free_bytes: Some(1_000_000), device: "p1".into() }),
        News::Log(vec!["2026-11-27 09:30:00 Error 屏幕 & 网络".to_owned()]),
    ];
    assert_eq!(news, expected);
}

#[tokio::test]
async fn a_card_that_is_a_picture_is_the_default_layout() {
    let Some((seen, _)) = collect(Some(Bytes::from_static(b"a picture"))).await else { return };
    let files = seen["files"].as_array().unwrap();
    let sha256 = Digest::of(b"a picture").to_string();
    let picture = files.iter().find(|file| file["sha256"] == sha256).unwrap();
    let default = files
        .iter()
        .find(|file| file["type"] == "layout" && file["id"] == seen["schedule"]["default"]);
    let text = default.unwrap()["text"].as_str().unwrap();
    assert!(
        text.contains(&format!("<uri>{}</uri>", picture["saveAs"].as_str().unwrap())),
        "{text}"
    );
    assert!(files.iter().all(|file| file["type"] != "resource"));
}
