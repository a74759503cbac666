//! The page for people at a branch: what hangs, what comes down, and who said so.

use super::town::{Branch, EIGHT, HeadOffice, file, hours, poster};
use caishi::{
    branch::{
        confirm,
        screen::{Faces, serve},
    },
    model::{MediaType, OutputKind},
    packs::wire::ConfirmedWhat,
    render::fonts,
};
use reqwest::{Client, StatusCode, header, redirect::Policy};
use std::{fs, sync::Arc};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

/// A branch with a zip of paper in this week's release, and one of last week to take down.
async fn branch() -> (HeadOffice, Branch) {
    let mut office = HeadOffice::new(&["b001"]);
    let old = office.release(1, "2026-11-23T00:00:00Z", &[("a.png", poster(1, 100))]);
    office.catalogue.recall(&old, "数字有误<b>", office.now);
    office.release(2, EIGHT, &[("b.png", poster(2, 100))]);
    let zip = poster(3, 3_000);
    let mut entry = file("pack.zip", &zip);
    entry.media_type = MediaType::Zip;
    entry.output = OutputKind::Print;
    entry.profile = None;
    fs::write(office.folder.path().join(format!("targets/{}.pack.zip", entry.sha256)), &zip)
        .unwrap();
    office.last().files.push(entry);
    office.publish().await;
    let branch = Branch::new(&office, "b001");
    branch.pull(office.source()).await.unwrap();
    branch.wall.shift(hours(13));
    (office, branch)
}

#[tokio::test]
async fn people_fetch_their_paper_and_say_what_is_up_and_down() {
    let (_office, branch) = branch().await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let origin = format!("http://{}", listener.local_addr().unwrap());
    let stop = CancellationToken::new();
    let [regular, bold] = fonts::EMBEDDED;
    let stage = Arc::new(branch.stage());
    tokio::spawn(serve(listener, stage, Faces { regular, bold }, stop.clone()));
    let _ = rustls::crypto::ring::default_provider().install_default();
    let client = Client::builder().no_proxy().redirect(Policy::none()).build().unwrap();
    let page = || async {
        client.get(format!("{origin}/paper")).send().await.unwrap().text().await.unwrap()
    };
    let text = page().await;
    assert!(text.contains("数字有误&lt;b&gt;"), "what must come down, and why, escaped");
    assert!(text.contains("都撤下了") && text.contains("都挂好了"));

    let link = text.split("href=\"/paper/").nth(1).unwrap().split('"').next().unwrap();
    let zip = client.get(format!("{origin}/paper/{link}")).send().await.unwrap();
    let name = zip.headers()[header::CONTENT_DISPOSITION].to_str().unwrap();
    assert_eq!(name, "attachment; filename*=UTF-8''routine-2.zip");
    assert_eq!(zip.bytes().await.unwrap().as_ref(), poster(3, 3_000));
    let other = client.get(format!("{origin}/paper/{}", "0".repeat(64))).send().await.unwrap();
    assert_eq!(other.status(), StatusCode::NOT_FOUND, "only what is paper");

    let key = text.split("name=\"key\" value=\"").nth(1).unwrap().split('"').next().unwrap();
    let say = |key: &str, by: &str, origin_said: &str| {
        let form = [("key", key), ("lesson", ""), ("what", "taken-down"), ("by", by)];
        let request = client.post(format!("{origin}/paper")).form(&form);
        request.header(header::ORIGIN, origin_said.to_owned()).send()
    };
    let elsewhere = say(key, "大堂经理", "http://evil.example").await.unwrap();
    assert_eq!(elsewhere.status(), StatusCode::FORBIDDEN, "another page's form");
    let unnamed = say(key, "  ", &origin).await.unwrap();
    assert_eq!(unnamed.status(), StatusCode::UNPROCESSABLE_ENTITY, "somebody must sign");
    let unknown = say(&"0".repeat(64), "大堂经理", &origin).await.unwrap();
    assert_eq!(unknown.status(), StatusCode::UNPROCESSABLE_ENTITY, "nothing of that key");
    assert_eq!(confirm::waiting(&branch.disk).len(), 0, "none of them was taken");

    let taken = say(key, "大堂经理", &origin).await.unwrap();
    assert_eq!(taken.status(), StatusCode::SEE_OTHER);
    let [confirmed] = &confirm::waiting(&branch.disk)[..] else { panic!("one waits") };
    assert_eq!((confirmed.by.as_str(), confirmed.what), ("大堂经理", ConfirmedWhat::TakenDown));
    confirm::acknowledge(&branch.disk, confirmed.number).unwrap();
    let text = page().await;
    assert!(text.contains("✓ 已撤下") && text.contains("都挂好了"), "{text}");
    stop.cancel();
}
