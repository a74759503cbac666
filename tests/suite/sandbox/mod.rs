//! The stand-in of the WeChat platform, over real HTTP: it is as strict as its documents.

mod callbacks;
mod faults;
mod limits;
mod mass;
mod pages;
mod persistence;
mod publish;
mod sanitise;
mod tokens;

use caishi::sandbox::{Books, Profile, Sandbox, SandboxOptions};
use image::{DynamicImage, ImageFormat, RgbImage};
use jiff::SignedDuration;
use serde_json::{Value, json};
use std::{io::Cursor, time::Duration};

pub(super) const APP: &str = "wx0123456789abcdef";

/// Somebody who calls the platform as one account.
pub(super) struct Desk {
    pub sandbox: Sandbox,
    pub client: reqwest::Client,
    pub app_id: String,
    pub token: String,
}

impl Desk {
    /// A fresh platform that publishes at once, and a token.
    pub(super) async fn open() -> Self {
        Self::of(Profile::default()).await
    }

    /// An account that is not like the others. The platform's clock stands at eight in the
    /// morning, so that no quota's day or minute ends in the middle of a test.
    pub(super) async fn of(profile: Profile) -> Self {
        let accounts = [(APP.to_owned(), profile)].into();
        let options =
            SandboxOptions { publish_seconds: 0.0, accounts, ..SandboxOptions::default() };
        let mut desk = Self::with(options).await;
        let now = desk.books().now;
        let shanghai = jiff::tz::TimeZone::fixed(jiff::tz::offset(8));
        let morning = shanghai.to_datetime(now).date().tomorrow().unwrap().at(8, 0, 1, 0);
        let morning = shanghai.to_timestamp(morning).unwrap();
        desk.sandbox.shift_clock(morning.duration_since(now));
        desk.renew().await;
        desk
    }

    pub(super) async fn with(options: SandboxOptions) -> Self {
        let sandbox = Sandbox::start(options).await.unwrap();
        let mut desk =
            Self { sandbox, client: client(), app_id: APP.to_owned(), token: String::new() };
        desk.renew().await;
        desk
    }

    /// Fetches a token that is good now.
    pub(super) async fn renew(&mut self) {
        let reply = self.stable_token(false).await;
        reply["access_token"]
            .as_str()
            .unwrap_or_else(|| panic!("{reply}"))
            .clone_into(&mut self.token);
    }

    pub(super) fn url(&self, path: &str) -> String {
        let folder = if path.starts_with("datacube/") { "" } else { "cgi-bin/" };
        format!("{}wechat/{folder}{path}", self.sandbox.url())
    }

    pub(super) async fn stable_token(&self, force: bool) -> Value {
        let body = json!({
            "grant_type": "client_credential",
            "appid": self.app_id,
            "secret": format!("sandbox-{}", self.app_id),
            "force_refresh": force,
        });
        let request = self.client.post(self.url("stable_token")).body(body.to_string());
        request.send().await.unwrap().json().await.unwrap()
    }

    pub(super) async fn plain_token(&self) -> Value {
        let request = self.client.get(self.url("token")).query(&[
            ("grant_type", "client_credential"),
            ("appid", &self.app_id),
            ("secret", &format!("sandbox-{}", self.app_id)),
        ]);
        request.send().await.unwrap().json().await.unwrap()
    }

    pub(super) async fn get(&self, path: &str) -> Value {
        self.get_with(path, &self.token).await
    }

    pub(super) async fn get_with(&self, path: &str, token: &str) -> Value {
        let request = self.client.get(self.url(path)).query(&[("access_token", token)]);
        request.send().await.unwrap().json().await.unwrap()
    }

    pub(super) async fn post(&self, path: &str, body: Value) -> Value {
        self.post_text(path, body.to_string()).await
    }

    pub(super) async fn post_text(&self, path: &str, body: impl Into<reqwest::Body>) -> Value {
        self.try_post(path, body).await.unwrap()
    }

    pub(super) async fn try_post(
        &self,
        path: &str,
        body: impl Into<reqwest::Body>,
    ) -> Result<Value, reqwest::Error> {
        let request = self.client.post(self.url(path)).query(&[("access_token", &self.token)]);
        request.body(body).send().await?.json().await
    }

    pub(super) async fn upload(&self, path: &str, kind: &str, bytes: Vec<u8>) -> Value {
        let part = reqwest::multipart::Part::bytes(bytes).file_name("picture.bin");
        let form = reqwest::multipart::Form::new().part("media", part);
        let request = self.client.post(self.url(path)).multipart(form);
        let request = request.query(&[("access_token", self.token.as_str()), ("type", kind)]);
        serde_json::from_str(&request.send().await.unwrap().text().await.unwrap()).unwrap()
    }

    /// A permanent picture.
    pub(super) async fn cover(&self) -> String {
        let reply =
            self.upload("material/add_material", "image", picture(ImageFormat::Png, 47, 20)).await;
        reply["media_id"].as_str().unwrap().to_owned()
    }

    /// A draft with one article.
    pub(super) async fn draft(&self, title: &str, content: &str) -> String {
        let cover = self.cover().await;
        let reply = self.post("draft/add", json!({ "articles": [news(&cover, title, content)] }));
        let reply = reply.await;
        reply["media_id"].as_str().unwrap_or_else(|| panic!("{reply}")).to_owned()
    }

    /// Submits a draft for publishing; the `publish_id`.
    pub(super) async fn publish(&self, media_id: &str) -> i64 {
        let reply = self.post("freepublish/submit", json!({ "media_id": media_id })).await;
        assert_eq!(reply["errcode"], 0, "{reply}");
        reply["publish_id"].as_i64().unwrap()
    }

    /// Asks until a job has ended: its `freepublish/get`.
    pub(super) async fn published(&self, publish_id: i64) -> Value {
        self.sandbox.shift_clock(SignedDuration::from_secs(700));
        let reply = self.post("freepublish/get", json!({ "publish_id": publish_id })).await;
        assert_ne!(reply["publish_status"], 1, "{reply}");
        reply
    }

    pub(super) async fn page(&self, path: &str) -> String {
        let url = self.sandbox.url().join(path).unwrap();
        self.client.get(url).send().await.unwrap().text().await.unwrap()
    }

    pub(super) fn books(&self) -> Books {
        self.sandbox.books()
    }

    /// Waits until the books say so: callbacks arrive when they arrive.
    pub(super) async fn until(&self, what: &str, said: impl Fn(&Books) -> bool) -> Books {
        for _ in 0..600 {
            let books = self.books();
            if said(&books) {
                return books;
            }
            tokio::time::sleep(Duration::from_millis(25)).await;
        }
        panic!("the books never said: {what}\n{:#?}", self.books().callbacks);
    }
}

/// A client that goes through no proxy and keeps no connection that was cut.
pub(super) fn client() -> reqwest::Client {
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder().no_proxy().build().unwrap()
}

pub(super) fn news(cover: &str, title: &str, content: &str) -> Value {
    json!({
        "title": title,
        "author": "山城示范银行",
        "digest": "三句话看懂",
        "content": content,
        "thumb_media_id": cover,
        "need_open_comment": 0,
        "only_fans_can_comment": 0,
        "pic_crop_235_1": "0.1_0_0.9_1",
        "pic_crop_1_1": "0.1945_0_1_0.5236",
    })
}

/// A picture of noise, which does not compress.
pub(super) fn picture(format: ImageFormat, width: u32, height: u32) -> Vec<u8> {
    let mut state = 1_u32;
    let pixels = RgbImage::from_fn(width, height, |_, _| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let [a, b, c, _] = state.to_be_bytes();
        image::Rgb([a, b, c])
    });
    let mut bytes = Cursor::new(Vec::new());
    DynamicImage::ImageRgb8(pixels).write_to(&mut bytes, format).unwrap();
    bytes.into_inner()
}

#[track_caller]
pub(super) fn refused(reply: &Value, code: i64) {
    assert_eq!(reply["errcode"], code, "{reply}");
    let message = reply["errmsg"].as_str().unwrap();
    assert!(message.contains(" rid: "), "every refusal names its request: {message}");
}
