//! Blobs in every kind of store: a folder, and real S3, WebDAV and SFTP servers.

use super::Place;
use crate::servers::{s3, sftp, webdav};
use caishi::{
    config::{BlobConfig, SecretReference},
    model::Digest,
    store::{Store, StoreError},
};
use std::path::PathBuf;

fn told(text: &str) -> SecretReference {
    SecretReference::Command(vec!["echo".into(), text.into()])
}

/// What is put is had again by another process; what was changed on the far side is noticed.
async fn keeps_blobs(kind: &str, blobs: BlobConfig) {
    let place = Place::sqlite();
    let mut config = place.config();
    config.blobs = blobs;
    let store = Store::open(&config, place.folder.path())
        .await
        .unwrap_or_else(|error| panic!("{kind}: {error}: {:?}", std::error::Error::source(&error)));
    let bytes: Vec<u8> = (0..300_000_u32).map(|number| (number % 251) as u8).collect();
    let digest = Digest::of(&bytes);
    assert!(!store.has_blob(&digest).await.unwrap(), "{kind}");
    assert_eq!(store.put_blob(&bytes).await.unwrap(), digest, "{kind}");
    assert_eq!(store.put_blob(&bytes).await.unwrap(), digest, "{kind}: again");
    let other = Store::open(&config, place.folder.path()).await.unwrap();
    assert!(other.has_blob(&digest).await.unwrap(), "{kind}");
    assert_eq!(other.blob(&digest).await.unwrap(), bytes, "{kind}");
    let absent = other.blob(&Digest::of(b"never put")).await;
    assert!(matches!(absent, Err(StoreError::NotFound(_) | StoreError::Blob { .. })), "{kind}");
    assert!(other.deployment().await.unwrap().hold.is_none(), "{kind}: it is the same deployment");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_keeps_blobs() {
    keeps_blobs("folder", BlobConfig::Folder { path: "文件 库".into() }).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn s3_keeps_blobs() {
    let Some(s3) = s3::s3() else { return };
    s3.make_bucket("ledger-blobs");
    let config = BlobConfig::S3 {
        endpoint: format!("http://{}", s3.address()),
        bucket: "ledger-blobs".into(),
        region: "us-east-1".into(),
        root: "/caishi/".into(),
        access_key: told("key"),
        secret_key: told("secret"),
    };
    keeps_blobs("s3", config).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn webdav_keeps_blobs() {
    let Some(webdav) = webdav::webdav() else { return };
    let _turn = webdav::TURN.lock().await;
    let config = BlobConfig::WebDav {
        endpoint: format!("http://{}", webdav.address()),
        root: "/ledger-blobs".into(),
        user: webdav::USER.into(),
        password: told(webdav::PASSWORD),
    };
    keeps_blobs("webdav", config).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn sftp_keeps_blobs() {
    let Some(sftp) = sftp::sftp() else { return };
    let config = BlobConfig::Sftp {
        endpoint: sftp.endpoint(),
        root: sftp.files.join("ledger-blobs").to_string_lossy().into_owned(),
        user: sftp.user.clone(),
        key: PathBuf::from(&sftp.key),
        known_hosts: "accept".into(),
    };
    keeps_blobs("sftp", config).await;
}
