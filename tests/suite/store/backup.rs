//! Backups, restores, clones, and an audit chain that shows what was changed.

use super::*;
use caishi::store::{DeliveryFilter, StoreError};
use std::{fs, io::Read as _};

/// Everything that a person could ask about.
async fn told(store: &Store) -> String {
    let deliveries = store.deliveries(&DeliveryFilter::default()).await.unwrap();
    let mut text = format!("{:?}\n", store.reviews(None).await.unwrap());
    for row in &deliveries {
        text += &format!("{row:?}\n{:?}\n", store.attempts(&row.id).await.unwrap());
    }
    text += &format!("{:?}\n", store.occurrences(None, 0).await.unwrap());
    for review in store.reviews(None).await.unwrap() {
        for (_, manifest) in review.manifests {
            text += &format!("{:?}\n", store.manifest(&manifest).await.unwrap());
            text += &format!("{:?}\n", store.approvals(&manifest).await.unwrap());
        }
    }
    text
}

#[test]
fn a_backup_fills_an_empty_place_of_either_kind_which_starts_held() {
    on_both(async |from| {
        let store = from.open().await;
        approved(&store, &["sent", "open"]).await;
        let sent = begin_sending(&store, "worker").await;
        store.advance(&sent, &to(DeliveryState::Confirmed)).await.unwrap();
        let poster = store.put_blob(b"poster").await.unwrap();
        let wechat = channel("wechat");
        store.lease_token(&wechat, "wx", "worker", LEASE).await.unwrap();
        store.store_token(&wechat, "wx", "worker", "canary-token", later(60)).await.unwrap();
        let before = told(&store).await;
        let file = from.folder.path().join("out/backup.zip");
        let bytes = store.backup(&file).await.unwrap();
        assert_eq!(bytes, fs::metadata(&file).unwrap().len());
        assert!(!unpacked(&file).contains("canary-token"));
        let error = store.backup(&file).await.unwrap_err().to_string();
        assert!(error.contains("已经存在"), "{error}");
        let original = store.deployment().await.unwrap();

        for place in [Some(Place::sqlite()), Place::postgres()].into_iter().flatten() {
            println!("from {} to {}", from.kind, place.kind);
            let (config, folder) = (place.config(), place.folder.path());
            let restored = Store::restore(&config, folder, &file).await.unwrap();
            assert_eq!((&restored.id, restored.generation), (&original.id, 2));
            let hold = restored.hold.unwrap();
            assert_eq!(hold.by, "system");
            assert!(hold.reason.contains("caishi release"), "{}", hold.reason);
            let copy = place.open().await;
            assert_eq!(copy.deployment().await.unwrap().hold.as_ref(), Some(&hold));
            assert_eq!(copy.blob(&poster).await.unwrap(), b"poster");
            assert_eq!(copy.token(&wechat, "wx").await.unwrap(), None);
            assert!(copy.verify_audit().await.unwrap().is_ok());
            is_the_same_but_for_what_may_have_gone_out(&copy, &before).await;
            assert_eq!(copy.claim("worker", LEASE).await.unwrap(), None);
            let again = Store::restore(&config, folder, &file).await.unwrap_err();
            assert!(matches!(again, StoreError::Conflict(_)), "{again}");
            copy.release("chen").await.unwrap();
            assert_eq!(place.open().await.deployment().await.unwrap().hold, None);
        }
        assert_eq!(told(&store).await, before);
    });
}

/// The open row may have been sent by the original since: it is looked up before anything else.
async fn is_the_same_but_for_what_may_have_gone_out(copy: &Store, before: &str) {
    for row in copy.deliveries(&DeliveryFilter::default()).await.unwrap() {
        match row.target.as_str() {
            "open" => assert_eq!(row.state, DeliveryState::Unknown),
            _ => assert!(before.contains(&format!("{row:?}")), "{row:?}"),
        }
    }
    let reviews = format!("{:?}", copy.reviews(None).await.unwrap());
    assert!(before.contains(&reviews), "{reviews}");
}

fn unpacked(file: &std::path::Path) -> String {
    let mut archive = zip::ZipArchive::new(fs::File::open(file).unwrap()).unwrap();
    let mut text = String::new();
    for index in 0..archive.len() {
        let mut bytes = Vec::new();
        archive.by_index(index).unwrap().read_to_end(&mut bytes).unwrap();
        text += &String::from_utf8_lossy(&bytes);
    }
    text
}

#[test]
fn what_is_no_backup_is_refused() {
    on_both(async |place| {
        let file = place.folder.path().join("notes.zip");
        fs::write(&file, "no zip").unwrap();
        let error = Store::restore(&place.config(), place.folder.path(), &file).await.unwrap_err();
        assert!(error.to_string().contains("不是可用的备份"), "{error}");
    });
}

#[test]
fn a_backup_taken_while_work_goes_on_is_of_one_moment() {
    on_both(async |place| {
        let store = place.open().await;
        let targets: Vec<String> = (0..60).map(|index| format!("b{index}")).collect();
        approved(&store, &targets.iter().map(String::as_str).collect::<Vec<_>>()).await;
        let worker = {
            let store = place.open().await;
            tokio::spawn(async move {
                while let Some(claim) = store.claim("worker", LEASE).await.unwrap() {
                    store.advance(&claim, &to(DeliveryState::NeedsHuman)).await.unwrap();
                }
            })
        };
        let file = place.folder.path().join("backup.zip");
        store.backup(&file).await.unwrap();
        worker.await.unwrap();
        let copy = Place::sqlite();
        Store::restore(&copy.config(), copy.folder.path(), &file).await.unwrap();
        let copy = copy.open().await;
        // Each change with its line and its audit row, or none of them.
        assert!(copy.verify_audit().await.unwrap().is_ok());
        for row in copy.deliveries(&DeliveryFilter::default()).await.unwrap() {
            let last = copy.attempts(&row.id).await.unwrap().pop();
            let state = last.map_or(DeliveryState::Ready, |line| line.to);
            assert_eq!(state, row.state, "{row:?}");
        }
    });
}

#[test]
fn a_cloned_database_with_another_blob_store_starts_held() {
    on_both(async |place| {
        let store = place.open().await;
        approved(&store, &["gh_demo"]).await;
        let mut config = place.config();
        config.blobs = BlobConfig::Folder { path: "other-blobs".into() };
        if place.kind == "sqlite" {
            // The file as somebody would copy it, from a backup or a snapshot of the machine.
            place.tamper("VACUUM INTO 'clone.db'").await;
            fs::rename("clone.db", place.folder.path().join("clone.db")).unwrap();
            config.database = "sqlite:clone.db".to_owned();
        }
        let clone = Store::open(&config, place.folder.path()).await.unwrap();
        let hold = clone.deployment().await.unwrap().hold.unwrap();
        assert_eq!(hold.by, "system");
        assert!(hold.reason.contains("没有这个部署的标记"), "{}", hold.reason);
        assert_eq!(clone.claim("worker", LEASE).await.unwrap(), None);
        clone.release("chen").await.unwrap();
        let clone = Store::open(&config, place.folder.path()).await.unwrap();
        assert!(clone.claim("worker", LEASE).await.unwrap().is_some());
    });
}

#[test]
fn a_new_database_on_somebody_elses_blobs_starts_held() {
    on_both(async |place| {
        let other = Place::sqlite();
        other.open().await;
        let mut config = place.config();
        config.blobs = BlobConfig::Folder { path: other.folder.path().join("blobs") };
        let store = Store::open(&config, place.folder.path()).await.unwrap();
        let hold = store.deployment().await.unwrap().hold.unwrap();
        assert!(hold.reason.contains("不是一对"), "{}", hold.reason);
    });
}

#[test]
fn whatever_is_changed_in_the_audit_chain_is_found() {
    let cases: [(&'static str, i64, &str); 7] = [
        ("UPDATE audit SET actor = 'nobody' WHERE seq = 3", 3, "本行被改过"),
        ("UPDATE audit SET became = '{}' WHERE seq = 4", 4, "本行被改过"),
        ("UPDATE audit SET at = at + 1 WHERE seq = 2", 2, "本行被改过"),
        ("DELETE FROM audit WHERE seq = 2", 3, "缺了第 2 行"),
        ("DELETE FROM audit WHERE seq = 1", 2, "缺了第 1 行"),
        ("DELETE FROM audit WHERE seq = 5", 5, "末尾应是第 5 行"),
        ("UPDATE audit_head SET hash = 'x'", 5, "末端的标记不符"),
    ];
    on_both(async |first| {
        for (sql, seq, reason) in cases {
            let place = match first.kind {
                "sqlite" => Place::sqlite(),
                _ => Place::postgres().unwrap(),
            };
            let store = place.open().await;
            approved(&store, &["gh_demo"]).await;
            assert_eq!(store.verify_audit().await.unwrap(), Ok(5));
            place.tamper(sql).await;
            let (found, why) = store.verify_audit().await.unwrap().unwrap_err();
            assert_eq!(found, seq, "{sql}: {why}");
            assert!(why.contains(reason), "{sql}: {why}");
        }
    });
}
