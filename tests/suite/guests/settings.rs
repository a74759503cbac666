//! What the `[server]` table makes of the pages, and what the doctor and a recall say of the portal.

use super::{CHANNELS, Lobby};
use caishi::{config::Config, deliver::LivePages, work::recall::RecallPlan};
use std::{collections::BTreeMap, fs, path::PathBuf};

/// The bank's configuration with another `[server]` table.
fn channels(server: &str) -> String {
    let (before, _) = CHANNELS.split_once("[server]").unwrap();
    format!("{before}[server]\n{server}\n")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_that_cannot_let_guests_on_says_so_to_the_gateway() {
    let lobby = Lobby::with(&channels("")).await;
    assert_eq!(lobby.get("/portal/b002/ready").await.status(), 503, "no opennds_key");
    let fas = lobby.get("/portal/b002/fas?fas=aGlkPWE=").await;
    let page = fas.text().await.unwrap();
    assert!(!page.contains("name=\"tok\"") && page.contains("大堂经理"), "{page}");
    let lobby = Lobby::empty().await;
    assert_eq!(lobby.text("/portal/b002/ready").await, "ready\n");
    assert_eq!(lobby.get("/portal/B%20002/ready").await.status(), 503, "no branch");
}

#[tokio::test(flavor = "multi_thread")]
async fn phones_that_cannot_be_told_apart_are_told_nothing() {
    let lobby = Lobby::with(&channels("session_minutes = 30")).await;
    assert_eq!(lobby.get("/portal/b002/api").await.status(), 404, "no sees_phones");
    assert_eq!(lobby.get("/portal/b002").await.status(), 200, "the page itself is there");
    let lobby = Lobby::empty().await;
    assert_eq!(lobby.get("/portal/b002/api").await.status(), 200);
    assert_eq!(lobby.get("/portal/B%20002/api").await.status(), 404, "no branch");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_button_leads_to_the_gateway_where_there_is_one() {
    let lobby = Lobby::with(&channels("gateway_url = \"http://status.client/\"")).await;
    let before = lobby.text("/portal/b002").await;
    assert!(before.contains("<form action=\"http://status.client\""), "{before}");
    lobby.publish("weekly").await;
    let page = lobby.text("/portal/b002").await;
    assert!(page.contains("action=\"http://status.client\""), "{page}");
    assert!(!page.contains("/portal/b002/welcome"), "{page}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_doctor_is_not_confused_by_links() {
    let lobby = Lobby::open().await;
    let root = lobby.town.path("portal");
    assert!(root.join("live").is_symlink(), "what guests see is a link");
    // Somebody made one where only files are, too.
    for folder in ["current", "generations"] {
        std::os::unix::fs::symlink("../live", root.join(folder).join("aside.json")).unwrap();
    }
    let publisher = &lobby.town.publisher;
    let now = publisher.store.now().await.unwrap();
    let report = publisher.doctor(None, now).await;
    let (_, findings) = report.iter().find(|(what, _)| what == "渠道 portal").unwrap();
    assert!(findings.iter().all(|finding| finding.ok), "{findings:?}");
    assert!(findings.iter().any(|one| one.what.contains("可以访问")), "{findings:?}");
    assert!(findings.iter().any(|one| one.what.contains("客人现在看到的是 routine")));
    let plan = publisher.recall_plan("weekly").await.unwrap();
    let lines = publisher.recall(plan, "号码有误", "operator").await.unwrap();
    assert!(lines[0].complete, "{lines:?}");
}

#[test]
fn a_second_portal_is_a_fault_of_the_configuration() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("channels.toml");
    let second = "\n[channel.annex]\nkind = \"portal\"\npath = \"annex\"\noutputs = [\"portal\"]\n";
    fs::write(&file, CHANNELS.to_owned() + second).unwrap();
    let error = Config::load(&file).unwrap_err().to_string();
    let line = CHANNELS.lines().position(|line| line == "[channel.portal]").unwrap() + 1;
    let kind = CHANNELS.lines().count() + 3;
    assert!(error.contains("channels.toml"), "{error}");
    assert!(error.contains(&format!("第 {kind} 行 [channel.annex] kind")), "{error}");
    assert!(error.contains(&format!("第 {line} 行的 [channel.portal] 已经是 portal")), "{error}");
    assert!(error.contains("kind = \"folder\""), "what to do: {error}");
    fs::write(&file, CHANNELS.to_owned() + &second.replace("\"portal\"\npath", "\"folder\"\npath"))
        .unwrap();
    Config::load(&file).unwrap();
}

/// Every file under the portal's blobs, with its bytes.
fn blobs(lobby: &Lobby) -> BTreeMap<PathBuf, Vec<u8>> {
    let files = walkdir::WalkDir::new(lobby.town.path("portal/blobs")).into_iter();
    let files = files.map(Result::unwrap).filter(|entry| entry.file_type().is_file());
    files.map(|entry| (entry.path().to_owned(), fs::read(entry.path()).unwrap())).collect()
}

async fn live(lobby: &Lobby) -> Option<LivePages> {
    let channel = lobby.town.publisher.channels.values().next().unwrap();
    channel.portal_pages().unwrap().live_pages().await.unwrap()
}

/// What is taken down comes down; what takes its place is whole, and is said before.
#[tokio::test(flavor = "multi_thread")]
async fn a_recall_says_what_steps_in_and_shows_nothing_that_is_not_whole() {
    let lobby = Lobby::empty().await;
    lobby.publish("evergreen").await;
    let evergreen = lobby.text("/portal/b002").await;
    let before = blobs(&lobby);
    lobby.publish("weekly").await;
    let first = live(&lobby).await.unwrap().key;
    let first_blobs: Vec<PathBuf> =
        blobs(&lobby).into_keys().filter(|path| !before.contains_key(path)).collect();
    lobby.town.set_clock("2026-11-30T02:00:00Z").await;
    lobby.publish("weekly").await;
    assert_ne!(live(&lobby).await.unwrap().key, first);
    let (_, said) = instead_of_live(&lobby).await;
    assert!(said.contains("认证页会换成 routine/weekly"), "the week before: {said}");

    // Pages of the week before are gone from the disk: the evergreen lesson steps in, whole.
    for path in &first_blobs {
        fs::remove_file(path).unwrap();
    }
    let (plan, said) = instead_of_live(&lobby).await;
    assert!(said.contains("认证页会换成 evergreen/portal"), "{said}");
    let lines = lobby.town.publisher.recall(plan, "号码有误", "operator").await.unwrap();
    assert!(lines[0].complete && lines[0].detail.contains("换成 evergreen/portal"), "{lines:?}");
    lobby.tend().await;
    assert_eq!(lobby.text("/portal/b002").await, evergreen);
    lobby.tend().await;
    assert_eq!(lobby.text("/portal/b002").await, evergreen, "nor does it come back by itself");
}

#[tokio::test(flavor = "multi_thread")]
async fn where_nothing_can_step_in_it_is_said_before_and_comes_down_all_the_same() {
    let lobby = Lobby::open().await;
    let (plan, said) = instead_of_live(&lobby).await;
    assert!(said.contains("没有别的页可换") && said.contains("先发布一次 evergreen"), "{said}");
    let lines = lobby.town.publisher.recall(plan, "号码有误", "operator").await.unwrap();
    assert!(lines[0].complete, "{lines:?}");
    lobby.tend().await;
    assert!(live(&lobby).await.is_none());
    let page = lobby.text("/portal/b002").await;
    assert!(page.contains("继续上网"), "a guest gets on all the same: {page}");
    assert!(!lobby.town.path("portal/live").exists());
}

/// The recall of what guests see now.
async fn instead_of_live(lobby: &Lobby) -> (RecallPlan, String) {
    let publisher = &lobby.town.publisher;
    let key = live(lobby).await.unwrap().key;
    let mut plan = publisher.recall_plan("weekly").await.unwrap();
    plan.deliveries.retain(|row| row.key.digest().to_string() == key);
    let steps = publisher.recall_steps(&plan).await.unwrap();
    (plan, steps[0].instead.clone().unwrap_or_default())
}
