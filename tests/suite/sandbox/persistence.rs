//! What the platform remembers when it is started again.

use super::{APP, Desk, picture, refused};
use caishi::sandbox::{Sandbox, SandboxError, SandboxOptions};
use image::ImageFormat;
use jiff::SignedDuration;
use serde_json::json;
use std::{fs, path::Path};

fn kept(path: &Path) -> SandboxOptions {
    SandboxOptions {
        state: Some(path.to_owned()),
        publish_seconds: 600.0,
        ..SandboxOptions::default()
    }
}

#[tokio::test]
async fn everything_survives_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("deep/wechat.json");
    let desk = Desk::with(kept(&path)).await;
    desk.sandbox.shift_clock(SignedDuration::from_secs(100));
    let draft = desk.draft("还是草稿", "<p>一</p>").await;
    let running = desk.publish(&desk.draft("发布中", "<p>二</p>").await).await;
    let bytes = picture(ImageFormat::Png, 8, 8);
    let url = desk.upload("media/uploadimg", "", bytes.clone()).await;
    let before = desk.books();
    let token = desk.token.clone();
    let text = fs::read_to_string(&path).unwrap();
    assert!(!text.contains(&token), "the file holds no token");
    // Not stopped but dropped, as a process that is killed: what was answered is on disk.
    drop(desk);

    let desk = Desk { token, ..Desk::with(kept(&path)).await };
    let after = desk.books();
    assert_eq!(after.calls[..before.calls.len()], before.calls[..]);
    assert!(
        after.now.duration_since(before.now) < SignedDuration::from_secs(60),
        "its clock goes on"
    );
    let kept = desk.post("draft/get", json!({ "media_id": draft })).await;
    assert_eq!(kept["news_item"][0]["title"], "还是草稿", "old tokens and drafts are good");
    assert_eq!(desk.stable_token(false).await["access_token"], desk.token.as_str());
    let get = desk.post("freepublish/get", json!({ "publish_id": running })).await;
    assert_eq!(get["publish_status"], 1);
    assert_eq!(desk.published(running).await["publish_status"], 0, "jobs go on");
    let local = url["url"].as_str().unwrap().replace("http://mmbiz.qpic.cn/", "wechat/mmbiz/");
    let shown = desk.client.get(desk.sandbox.url().join(&local).unwrap()).send().await.unwrap();
    assert_eq!(shown.bytes().await.unwrap(), bytes);
}

#[tokio::test]
async fn a_restart_gives_out_no_number_twice() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state.json");
    let desk = Desk::with(kept(&path)).await;
    let first = desk.publish(&desk.draft("一", "<p>一</p>").await).await;
    desk.sandbox.stop().await;
    let desk = Desk::with(kept(&path)).await;
    let second = desk.publish(&desk.draft("二", "<p>二</p>").await).await;
    assert!(second > first);
    refused(&desk.get_with("draft/count", "99_x").await, 40001);
}

#[tokio::test]
async fn a_state_that_is_not_ours_is_named_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state.json");
    for text in ["not json", "{\"version\":1}"] {
        fs::write(&path, text).unwrap();
        let error = Sandbox::start(kept(&path)).await.unwrap_err();
        assert!(matches!(error, SandboxError::Format { .. }));
        assert!(error.to_string().contains("state.json"), "{error}");
        assert_eq!(fs::read_to_string(&path).unwrap(), text);
    }
    let wrong = SandboxOptions {
        accounts: [("gh_123".to_owned(), caishi::sandbox::Profile::default())].into(),
        ..SandboxOptions::default()
    };
    assert!(matches!(Sandbox::start(wrong).await, Err(SandboxError::AppId(_))));
    assert!(APP.starts_with("wx"));
}
