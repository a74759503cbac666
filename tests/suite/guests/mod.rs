//! What guests in a branch see of `caishi serve`, and what is counted of them.

mod api;
mod look;
mod opennds;
mod settings;
mod stories;

use crate::publishing::town::Town;
use caishi::{
    store::Review,
    web,
    work::{Verdict, publish::Order, service},
};
use reqwest::{Client, Response, header};
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

/// The configuration of a bank with a portal.
pub const CHANNELS: &str = r#"
[bank]
name = "山城示范银行"
base_url = "https://edu.shancheng.example"
hotline = "bank"
disclaimer = "本文为金融知识普及，不构成投资建议。"

[channel.portal]
kind = "portal"
path = "portal"
outputs = ["portal", "article", "newspic"]
audiences = ["general", "elder"]
branch_pages = { b001 = "elder" }

[schedule.weekly]
campaign = "routine/weekly"
rule = "0 8 * * MON"
channels = ["portal"]

[schedule.evergreen]
campaign = "evergreen/portal"
rule = "0 9 1 9 *"
channels = ["portal"]
enabled = false

[[review.step]]
name = "消保审查"
role = "reviewer"

[server]
opennds_key = { command = ["printf", "shared"] }
session_minutes = 30
sees_phones = true
"#;

/// A bank whose pages are out, and its service on loopback.
pub struct Lobby {
    pub town: Town,
    pub url: String,
    pub counter: Arc<web::Counter>,
    client: Client,
    stop: CancellationToken,
}

impl Drop for Lobby {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

impl Lobby {
    /// Nothing is published yet.
    pub async fn empty() -> Self {
        Self::with(CHANNELS).await
    }

    pub async fn with(channels: &str) -> Self {
        Self::with_files(channels, &[]).await
    }

    /// With further files in the town's folder.
    pub async fn with_files(channels: &str, files: &[(&str, &str)]) -> Self {
        let town = Town::with_files(channels, files).await;
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let stop = CancellationToken::new();
        let web::Service { router, counter, .. } = web::Service::new(town.publisher.clone());
        tokio::spawn(web::serve(listener, router, stop.clone()));
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = Client::builder()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .unwrap();
        Self { town, url, counter, client, stop }
    }

    /// The lesson of Monday is out.
    pub async fn open() -> Self {
        let lobby = Self::empty().await;
        lobby.publish("weekly").await;
        lobby
    }

    /// Submits, approves and publishes; the review.
    pub async fn publish(&self, schedule: &str) -> Review {
        let town = &self.town;
        let content = town.read();
        let subject = town.publisher.subject(&content, schedule).unwrap();
        let now = town.publisher.store.now().await.unwrap();
        let lessons = subject.lessons_at(now);
        let outline = subject.outline(&content, &lessons).unwrap();
        let submitted = town.publisher.submit(&content, &outline, &town.author.id, &|_, _| {});
        let review = submitted.await.unwrap().0;
        town.publisher.decide(&review, &town.reviewer, Verdict::approved()).await.unwrap();
        let order = Order { lessons: &review.lessons, at: now, again: false, dry_run: false };
        town.publisher.publish(&content, &subject, &order, "author").await.unwrap();
        town.work().await;
        let states = town.states().await;
        assert!(states.iter().all(|state| state == "portal confirmed"), "{states:?}");
        // What is live is looked at once a second.
        tokio::time::sleep(std::time::Duration::from_millis(1_100)).await;
        review
    }

    pub async fn get(&self, path: &str) -> Response {
        self.client.get(format!("{}{path}", self.url)).send().await.unwrap()
    }

    pub async fn text(&self, path: &str) -> String {
        let response = self.get(path).await;
        assert!(response.status().is_success(), "{path}: {}", response.status());
        assert_eq!(response.headers().get(header::SET_COOKIE), None, "{path}: no cookie");
        response.text().await.unwrap()
    }

    /// What the scheduler does from time to time, and then what guests see.
    pub async fn tend(&self) {
        service::tend(&self.town.publisher).await;
        tokio::time::sleep(std::time::Duration::from_millis(1_100)).await;
    }
}
