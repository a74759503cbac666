//! Locked, missing, wrong, restarted: what people are told, and that nothing is lost.

use super::*;
use crate::servers::{
    disk,
    postgres::{self, Server},
};
use caishi::{
    config::SecretReference,
    store::{DeliveryFilter, StoreError},
};
use sqlx::{ConnectOptions as _, Executor as _, sqlite::SqliteConnectOptions};
use std::{fs, path::Path};

/// The whole chain, as the edge prints it.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        text += &format!(": {error}");
        source = error.source();
    }
    text
}

#[tokio::test(flavor = "multi_thread")]
async fn a_locked_database_is_waited_for_and_then_named() {
    let place = Place::sqlite();
    let store = place.open().await;
    approved(&store, &["gh_demo"]).await;
    let mut other =
        SqliteConnectOptions::new().filename(place.sqlite_file()).connect().await.unwrap();

    // A short lock only costs time.
    other.execute("BEGIN IMMEDIATE").await.unwrap();
    let claims = {
        let store = store.clone();
        tokio::spawn(async move { store.claim("worker", LEASE).await })
    };
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert!(!claims.is_finished());
    // Reading goes on meanwhile.
    assert_eq!(store.deliveries(&DeliveryFilter::default()).await.unwrap().len(), 1);
    other.execute("COMMIT").await.unwrap();
    assert!(claims.await.unwrap().unwrap().is_some());

    // One that does not end is said in words, with the next step.
    other.execute("BEGIN IMMEDIATE").await.unwrap();
    let error = store.audit("chen", "note", "x", "y").await.unwrap_err();
    assert!(matches!(error, StoreError::Unavailable { .. }), "{error:?}");
    assert!(error.to_string().contains("写审计记录没有成功：数据库被另一个进程锁住"), "{error}");
    other.execute("ROLLBACK").await.unwrap();
    store.audit("chen", "note", "x", "y").await.unwrap();
    assert!(store.verify_audit().await.unwrap().is_ok());
}

#[test]
fn a_full_disk_loses_nothing_and_says_so() {
    match disk::here() {
        Some(disk) => {
            tokio::runtime::Runtime::new().unwrap().block_on(on_a_small_disk(&disk));
        }
        None => disk::run_again("store::trouble::a_full_disk_loses_nothing_and_says_so", "2m"),
    }
}

async fn on_a_small_disk(disk: &Path) {
    let place = Place::sqlite();
    let config = StorageConfig {
        database: format!("sqlite:{}/caishi.db", disk.display()),
        ..place.config()
    };
    let store = Store::open(&config, place.folder.path()).await.unwrap();
    approved(&store, &["gh_demo"]).await;
    let filler = disk.join("filler");
    let mut size = 2 << 20;
    while fs::write(&filler, vec![0; size]).is_err() {
        size -= 4096;
    }
    let big = "大".repeat(50_000);
    let error = store.audit("chen", "note", "x", &big).await.unwrap_err();
    assert!(error.to_string().contains("磁盘已满"), "{}", chain(&error));
    fs::remove_file(&filler).unwrap();
    store.audit("chen", "note", "x", &big).await.unwrap();
    assert_eq!(store.verify_audit().await.unwrap(), Ok(6));
    assert!(store.claim("worker", LEASE).await.unwrap().is_some());
}

#[tokio::test]
async fn a_new_file_may_be_made_by_several_processes_at_once() {
    let place = Place::sqlite();
    let (one, two, three) = tokio::join!(place.open(), place.open(), place.open());
    let ids = [one.deployment().await, two.deployment().await, three.deployment().await];
    let ids = ids.map(|deployment| deployment.unwrap());
    assert_eq!(ids[0], ids[1]);
    assert_eq!(ids[0], ids[2]);
    assert_eq!(ids[0].hold, None);
}

#[tokio::test]
async fn what_cannot_be_opened_says_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("notes.db"), "这不是数据库，只是一些文字。".repeat(40)).unwrap();
    fs::write(folder.path().join("file"), "").unwrap();
    let cases = [
        ("sqlite:notes.db", "不是 SQLite 文件"),
        ("sqlite:file/caishi.db", "建不了数据库文件"),
        ("mysql://localhost/x", "不认识“mysql:”"),
        ("caishi.db", "地址写错了"),
        ("postgres://caishi@127.0.0.1:9/x", "连不上数据库"),
    ];
    for (database, expected) in cases {
        let config = StorageConfig {
            database: database.to_owned(),
            database_password: None,
            blobs: BlobConfig::Folder { path: "blobs".into() },
        };
        let error = Store::open(&config, folder.path()).await.unwrap_err();
        assert!(error.to_string().contains(expected), "{database}: {}", chain(&error));
    }
}

#[tokio::test]
async fn the_password_comes_from_its_reference_and_is_never_told() {
    let Some(server) = postgres::shared() else { return };
    let place = Place::postgres().unwrap();
    let database = server.database();
    let file = place.folder.path().join("password");
    let open = |password: &str| {
        fs::write(&file, password).unwrap();
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
        }
        let config = StorageConfig {
            database: database.url_of("guarded"),
            database_password: Some(SecretReference::File("password".into())),
            ..place.config()
        };
        let folder = place.folder.path().to_owned();
        async move { Store::open(&config, &folder).await }
    };
    let store = open(postgres::GUARDED_PASSWORD).await.unwrap();
    assert!(!format!("{store:?}").contains("canary"));
    let error = open("canary-wrong").await.unwrap_err();
    assert!(error.to_string().contains("不接受这个用户或密码"), "{}", chain(&error));
    assert!(!format!("{error:?}{}", chain(&error)).contains("canary"), "{error:?}");
    let missing = StorageConfig {
        database: format!("{}missing", database.url()),
        database_password: None,
        ..place.config()
    };
    let error = Store::open(&missing, place.folder.path()).await.unwrap_err();
    assert!(error.to_string().contains("没有这个库"), "{}", chain(&error));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_restarts_in_the_middle_costs_a_repetition_and_nothing_else() {
    if postgres::shared().is_none() {
        return;
    }
    let server = Server::start(false).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let place = Place { kind: "postgres", database: server.database().url(), folder };
    let store = place.open().await;
    approved(&store, &["gh_demo"]).await;
    let sending = begin_sending(&store, "worker").await;
    server.stop();
    let error = store.advance(&sending, &to(DeliveryState::Confirmed)).await.unwrap_err();
    assert!(matches!(error, StoreError::Unavailable { .. }), "{}", chain(&error));
    server.start_again();
    // The same call again: the row is as it was, and still ours.
    let claim = store.advance(&sending, &to(DeliveryState::Confirmed)).await.unwrap();
    assert_eq!(claim.delivery.state, DeliveryState::Confirmed);
    assert!(store.verify_audit().await.unwrap().is_ok());
}
