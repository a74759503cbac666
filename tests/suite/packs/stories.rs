//! What branches see of what the head office does.

use super::{Town, branch};
use crate::behaviour::sample_file;
use caishi::{
    deliver::{Commit, Retry},
    model::{LessonId, PackIndex},
    packs::{Attack, Catalogue, PacksError, Reader, Standing},
};
use jiff::{SignedDuration, Timestamp, civil::time};
use std::fs;

fn hours(town: &Town, hours: i64) {
    town.books.advance(SignedDuration::from_hours(hours));
}

fn keys(index: &PackIndex) -> Vec<String> {
    index.releases.iter().map(|release| release.key.to_string()).collect()
}

#[tokio::test]
async fn a_branch_is_told_of_this_week_and_the_next_and_no_more() {
    let town = Town::new();
    let (first, second) = (town.week(1, 0), town.week(2, 24));
    let Commit::Done(receipt) = town.publish(&first).await else { panic!("done at once") };
    assert!(receipt.detail.contains("2 个网点") && receipt.detail.contains("08:00 换上"));
    let index = town.index("b001").await;
    assert_eq!(index.branch_name, "青石坡支行");
    let [release] = &index.releases[..] else { panic!("one release") };
    let local = release.activate_at.to_zoned(caishi::model::bank_zone());
    assert_eq!(local.time(), time(8, 0, 0, 0), "the next morning");
    assert!(release.activate_at > town.books.at());
    let [entry] = &release.entries[..] else { panic!("its own poster alone") };
    assert_eq!(entry.alt, "别共享屏幕");
    assert_eq!(entry.name, "screen-share-scam.screen.general.portrait-fhd.png");
    assert!(index.playlist("portrait-fhd", town.books.at(), |_| true).is_empty(), "not yet");
    let morning = release.activate_at;
    assert_eq!(index.playlist("portrait-fhd", morning, |_| true).len(), 1, "from 8:00:00 on");
    assert!(
        index.playlist("portrait-fhd", morning, |_| false).is_empty(),
        "not before it is whole"
    );

    town.publish(&second).await;
    let index = town.index("b001").await;
    assert_eq!(keys(&index), [first.key.digest().to_string(), second.key.digest().to_string()]);
    let later = index.releases[1].activate_at;
    let plays = |at: Timestamp| index.playlist("portrait-fhd", at, |_| true)[0].0.key;
    assert_eq!(plays(later - SignedDuration::from_secs(1)), *first.key.digest());
    assert_eq!(plays(later), *second.key.digest());
    let whole = |release: &caishi::model::PackRelease| release.key == *first.key.digest();
    let kept = index.playlist("portrait-fhd", later, whole)[0].0.key;
    assert_eq!(kept, *first.key.digest(), "the old one plays until the new one is whole");

    hours(&town, 48);
    town.publish(&town.week(3, 24)).await;
    let index = town.index("b001").await;
    assert_eq!(index.releases.len(), 2, "what was replaced is no more told of");
    assert_ne!(index.releases[0].key, *first.key.digest());
}

#[tokio::test]
async fn an_earlier_slot_does_not_replace_a_later_one() {
    let town = Town::new();
    town.publish(&town.week(2, 24)).await;
    let late = town.week(1, 0);
    let prepared = town.channel.prepare(&late, &town.books).await.unwrap();
    let error = town.channel.commit(&late, &prepared, &town.books).await.unwrap_err();
    assert_eq!(error.retry, Retry::Never);
    assert!(error.message.contains("更晚的一期"), "{error}");
}

#[tokio::test]
async fn what_is_recalled_is_gone_and_must_come_down() {
    let town = Town::new();
    let parcel = town.week(1, 0);
    let Commit::Done(receipt) = town.publish(&parcel).await else { panic!("done at once") };
    let lesson = LessonId::new("screen-share-scam").unwrap();
    let recalled =
        town.channel.recall_lesson(&parcel, &receipt, &lesson, &town.books).await.unwrap();
    assert!(recalled.unwrap().complete);
    let index = town.index("b002").await;
    assert!(index.releases.is_empty(), "nothing of it is left");
    let [item] = &index.take_down[..] else { panic!("one thing to take down") };
    assert_eq!((item.title.as_str(), item.reason.as_str()), ("别共享屏幕", "总行撤回"));
    town.channel.recall(&parcel, &receipt, &town.books).await.unwrap();
    let targets = || fs::read_dir(town.folder.path().join("outbox/targets")).unwrap();
    let posters = targets()
        .filter(|file| file.as_ref().unwrap().file_name().to_string_lossy().ends_with(".png"));
    assert_eq!(posters.count(), 0, "the files are deleted");
    let prepared = town.channel.prepare(&parcel, &town.books).await.unwrap();
    let error = town.channel.commit(&parcel, &prepared, &town.books).await.unwrap_err();
    assert!(error.message.contains("已经撤回"), "{error}");
    hours(&town, 24 * 70);
    town.publish(&town.week(2, 0)).await;
    assert!(town.index("b002").await.take_down.is_empty(), "reminded for two months");
}

#[tokio::test]
async fn a_takeover_is_signed_by_its_own_role_and_ends_with_its_recall() {
    let town = Town::new();
    town.publish(&town.week(1, 0)).await;
    let settings = "path = \"outbox\"\nkeys = \"keys\"\ntakeover = true\n";
    let alarm = town.another("alarm", settings);
    let mut parcel = town.week(9, 0);
    parcel.campaign = caishi::model::CampaignId::new("alarm/flood").unwrap();
    parcel.files[0] = sample_file(&town.books, "alarm.png", b"an alarm");
    parcel.files[0].branch = Some(branch("b001"));
    parcel.files[0].profile = Some("portrait-fhd".to_owned());
    let prepared = alarm.prepare(&parcel, &town.books).await.unwrap();
    let Commit::Done(receipt) = alarm.commit(&parcel, &prepared, &town.books).await.unwrap() else {
        panic!("done at once")
    };
    let view = town.view().await;
    assert!(view.emergency.contains_key("emergency-b001.json"));
    assert!(!view.targets.contains_key("emergency-b001.json"), "another role's business");
    let index = town.index("b001").await;
    assert_eq!(index.releases.len(), 1, "the ordinary index is as it was");
    let root = town.key_root();
    let standing = Standing::read(&root, town.source()).await.unwrap().unwrap();
    let takeover = standing.catalogue.index(&branch("b001"), true, town.books.at()).unwrap();
    assert_eq!(takeover.playlist("portrait-fhd", town.books.at(), |_| true).len(), 1, "at once");
    alarm.recall(&parcel, &receipt, &town.books).await.unwrap();
    assert!(town.view().await.emergency.is_empty());
}

#[tokio::test]
async fn signatures_are_renewed_before_they_run_out() {
    let town = Town::new();
    assert_eq!(town.channel.tend(&town.books).await.unwrap(), None, "nothing is published");
    town.publish(&town.week(1, 0)).await;
    assert_eq!(town.channel.tend(&town.books).await.unwrap(), None, "nothing is due");
    let first = town.view().await;
    // Two months of a scheduler that looks twice a day, without a publication.
    for _ in 0..120 {
        hours(&town, 12);
        assert!(town.channel.tend(&town.books).await.unwrap().is_some());
        let view = town.view().await;
        assert!(view.expires.0 > town.books.at());
        assert!(view.emergency_expires.unwrap() > town.books.at());
    }
    let last = town.view().await;
    assert_eq!(last.versions.timestamp, first.versions.timestamp + 120);
    assert!(last.versions.targets > first.versions.targets, "also what changes seldom");
    let metadata = fs::read_dir(town.folder.path().join("outbox/metadata")).unwrap().count();
    // 48 snapshots, and what two months have of the others.
    assert!(metadata < 100, "old metadata is cleared away: {metadata}");
    // Then the head office dies.
    hours(&town, 25);
    let folder = tempfile::tempdir().unwrap();
    let error = town.reader(folder.path()).refresh(town.source(), town.books.at()).await;
    let error = error.unwrap_err();
    assert_eq!(error.attack(), Some(Attack::Freeze), "{error}");
    assert!(matches!(error, PacksError::Expired { ref role, .. } if role == "timestamp"));
}

#[tokio::test]
async fn an_old_repository_is_refused_and_what_was_trusted_stays() {
    let town = Town::new();
    town.publish(&town.week(1, 0)).await;
    let old = town.folder.path().join("old");
    copy(&town.folder.path().join("outbox"), &old);
    town.publish(&town.week(2, 24)).await;
    let folder = tempfile::tempdir().unwrap();
    let reader = town.reader(folder.path());
    let view = reader.refresh(town.source(), town.books.at()).await.unwrap();
    let stale = std::sync::Arc::new(caishi::packs::FolderSource::new(&old));
    let error = reader.refresh(stale, town.books.at()).await.unwrap_err();
    assert_eq!(error.attack(), Some(Attack::Rollback), "{error}");
    assert_eq!(reader.trusted().await.unwrap(), Some(view.clone()), "from the disk alone");
    let again = Reader::open(folder.path()).unwrap();
    assert_eq!(again.refresh(town.source(), town.books.at()).await.unwrap(), view);
}

#[tokio::test]
async fn keys_are_replaced_by_a_root_that_enough_old_keys_signed() {
    let town = Town::new();
    town.publish(&town.week(1, 0)).await;
    let folder = tempfile::tempdir().unwrap();
    let reader = town.reader(folder.path());
    reader.refresh(town.source(), town.books.at()).await.unwrap();
    let keys = town.folder.path().join("keys");
    let caishi = |arguments: &[&str]| {
        let out = std::process::Command::new(env!("CARGO_BIN_EXE_caishi"))
            .args(["keys"])
            .args(arguments)
            .current_dir(&keys)
            .output()
            .unwrap();
        let text = String::from_utf8(out.stdout).unwrap();
        assert!(out.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&out.stderr));
        text.trim().to_owned()
    };
    // A new timestamp key; the root keys stay. Public keys are read off the private ones.
    fs::remove_file(keys.join("timestamp.der")).unwrap();
    let timestamp = caishi(&["generate", "timestamp.der"]);
    let public =
        |name: &str| caishi::packs::SigningKey::load(&keys.join(name)).unwrap().public_hex();
    let roots = [1, 2, 3].map(|number| public(&format!("offline/root-{number}.der")));
    let (targets, snapshot) = (public("targets.der"), public("snapshot.der"));
    caishi(&[
        "root",
        "--root",
        &roots[0],
        "--root",
        &roots[1],
        "--root",
        &roots[2],
        "--targets",
        &targets,
        "--snapshot",
        &snapshot,
        "--timestamp",
        &timestamp,
        "--after",
        "root.json",
        "--out",
        "2.root.json",
    ]);
    caishi(&["sign", "2.root.json", "--key", "offline/root-1.der"]);
    fs::copy(keys.join("root.json"), keys.join("1.root.json")).unwrap();
    fs::copy(keys.join("2.root.json"), keys.join("root.json")).unwrap();
    let settings = "path = \"outbox\"\nkeys = \"keys\"\n";
    let changed = town.another("screens", settings);
    let parcel = town.week(2, 24);
    let prepared = changed.prepare(&parcel, &town.books).await.unwrap();
    let error = changed.commit(&parcel, &prepared, &town.books).await.unwrap_err();
    assert!(error.message.contains("旧根密钥签名"), "one signature of two: {error}");

    caishi(&["sign", "2.root.json", "--key", "offline/root-3.der"]);
    fs::copy(keys.join("2.root.json"), keys.join("root.json")).unwrap();
    let changed = town.another("screens", settings);
    changed.commit(&parcel, &prepared, &town.books).await.unwrap();
    let view = reader.refresh(town.source(), town.books.at()).await.unwrap();
    assert_eq!(view.versions.root, 2, "a branch of the first root follows");
}

#[test]
fn a_catalogue_survives_its_file() {
    let catalogue =
        Catalogue::from_json(br#"{"bank":"b","hotline":"h","branches":{},"releases":[]}"#);
    let catalogue = catalogue.unwrap();
    assert_eq!(Catalogue::from_json(&catalogue.to_json().unwrap()).unwrap(), catalogue);
}

pub(super) fn copy(from: &std::path::Path, to: &std::path::Path) {
    for entry in walkdir::WalkDir::new(from) {
        let entry = entry.unwrap();
        let path = to.join(entry.path().strip_prefix(from).unwrap());
        if entry.file_type().is_dir() {
            fs::create_dir_all(path).unwrap();
        } else {
            fs::copy(entry.path(), path).unwrap();
        }
    }
}
