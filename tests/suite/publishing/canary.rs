//! A secret that is used stays out of everything that is written or shown.

use super::town::{CHANNELS, Town};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use caishi::model::DeliveryState;
use std::{fs, os::unix::fs::PermissionsExt as _, path::Path};

const CANARY: &str = "canary-7f3a91c0-never-to-be-seen";

/// Every file below `folder` whose bytes hold one of the needles.
fn holding(folder: &Path, needles: &[String], except: &str) -> Vec<String> {
    walkdir::WalkDir::new(folder)
        .into_iter()
        .map(Result::unwrap)
        .filter(|entry| entry.file_type().is_file() && entry.file_name() != except)
        .filter(|entry| {
            let bytes = fs::read(entry.path()).unwrap();
            needles
                .iter()
                .any(|needle| bytes.windows(needle.len()).any(|window| window == needle.as_bytes()))
        })
        .map(|entry| entry.path().display().to_string())
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_secret_is_in_no_database_log_error_backup_or_page() {
    let town = Town::with(CHANNELS).await;
    let encoded = STANDARD.encode(CANARY);
    let key = town.path("webhook.key");
    fs::write(&key, format!("whsec_{encoded}\n")).unwrap();
    fs::set_permissions(&key, fs::Permissions::from_mode(0o600)).unwrap();
    // The webhook goes to the stand-in with a secret of its own, which the stand-in refuses: the
    // secret is used, and an error is written about it.
    let address = town.sandbox.url().join("webhook/intranet").unwrap();
    let text = CHANNELS
        .replace("[channel.intranet]\nkind = \"webhook\"\nsandbox = true\n", "[channel.intranet]\nkind = \"webhook\"\nallow = [\"127.0.0.0/8\"]\nallow_http = true\n")
        .replace("https://intranet.shancheng.example/hook", address.as_str())
        .replace("{ env = \"CAISHI_TEST_WEBHOOK\" }", "{ file = \"webhook.key\" }");
    fs::write(town.path("channels.toml"), text).unwrap();
    let publisher = town.another().await;
    let mut town = town;
    town.publisher = publisher;
    let review = town.submit().await;
    town.approve(&review).await;
    town.set_clock("2026-11-30T00:00:05Z").await;
    town.tick().await;
    town.work().await;
    let deliveries = town.deliveries().await;
    let intranet = deliveries.iter().find(|row| row.channel.as_str() == "intranet").unwrap();
    assert_ne!(intranet.state, DeliveryState::Confirmed, "{intranet:?}");
    assert!(!town.sandbox.webhooks().refused().is_empty(), "the secret was used");

    // Neither the secret, nor its forms, nor the platform's token that a worker was given.
    let mut needles = vec![CANARY.to_owned(), encoded];
    needles.extend(std::iter::once("sandbox-wx5a0d0000demo0001".to_owned()));
    town.publisher.store.backup(&town.path("backup.zip")).await.unwrap();
    let unpacked = town.path("unpacked");
    let mut zip = zip::ZipArchive::new(fs::File::open(town.path("backup.zip")).unwrap()).unwrap();
    zip.extract(&unpacked).unwrap();
    assert_eq!(holding(town.folder.path(), &needles, "webhook.key"), Vec::<String>::new());
    let page = reqwest::get(town.sandbox.url()).await.unwrap().text().await.unwrap();
    let shown = [
        page,
        format!("{:?}", town.publisher),
        format!("{deliveries:?}"),
        format!("{:?}", town.publisher.store.audit_rows(1, 500).await.unwrap()),
        format!("{:?}", town.publisher.alerts().await.unwrap()),
    ];
    for text in shown {
        for needle in &needles {
            assert!(!text.contains(needle.as_str()), "{needle} in {text}");
        }
    }
}
