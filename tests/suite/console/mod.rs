//! The console, as the people who use it and those who would abuse it.

mod audit;
mod branches;
mod campaigns;
mod deliveries;
mod editions;
mod fuzz;
mod hotlines;
mod hotlines_again;
mod jobs;
mod languages;
mod live;
mod matrix;
mod oidc;
mod outputs;
mod overview;
mod own_tokens;
mod picks;
mod programs;
mod reach;
mod recalls;
mod replaced;
mod reviews;
mod safety;
mod sessions;
mod sheets;
mod signers;
mod stage;
mod take_downs;
mod things;
mod walk;

use crate::publishing::town::Town;
use caishi::{
    console::{self, Desk},
    model::PersonId,
    web,
};
use jiff::SignedDuration;
use reqwest::{Client, Method, StatusCode, header};
use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU32, Ordering},
    },
};
use tokio_util::sync::CancellationToken;

/// A bank with somebody in every role, named like the role.
pub const CHANNELS: &str = r#"
[bank]
name = "山城示范银行"
base_url = "https://edu.shancheng.example"
hotline = "bank"
disclaimer = "本文为金融知识普及，不构成投资建议。"

[channel.branches]
kind = "folder"
mode = "publish"
path = "published"
outputs = ["screen", "article", "post"]
audiences = ["general"]

[channel.intranet]
kind = "webhook"
sandbox = true
mode = "publish"
url = "https://intranet.shancheng.example/hook"
secret = { command = ["printf", "whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="] }
outputs = ["post"]
audiences = ["general"]

[schedule.weekly]
campaign = "routine/weekly"
rule = "0 8 * * MON"
channels = ["branches", "intranet"]

[[review.step]]
name = "消保审查"
role = "reviewer"

[[review.step]]
name = "业务会签"
role = "co-reviewer"
topic_department = true

[[people]]
id = "author"
name = "宣教岗甲"
roles = ["author"]

[[people]]
id = "reviewer"
name = "审查岗乙"
roles = ["reviewer"]

[[people]]
id = "co-reviewer"
name = "会签岗丙"
roles = ["co-reviewer"]
department = "运营管理部"

[[people]]
id = "co-reviewer-2"
name = "会签岗辛"
roles = ["co-reviewer"]
department = "信息科技部"

[[people]]
id = "committee"
name = "委员会秘书"
roles = ["committee"]

[[people]]
id = "publisher"
name = "投放岗丁"
roles = ["publisher"]

[[people]]
id = "branch"
name = "一号网点大堂经理"
roles = ["branch"]
branch = "b001"

[[people]]
id = "auditor"
name = "审计岗戊"
roles = ["auditor"]

[[people]]
id = "operator"
name = "运维岗己"
roles = ["operator"]

[[people]]
id = "administrator"
name = "管理员庚"
roles = ["administrator"]
"#;

/// Good enough for everybody here.
pub const PASSWORD: &str = "four quiet rivers";

/// A bank and its console on loopback.
pub struct Office {
    pub town: Town,
    pub desk: Desk,
    pub url: String,
    visitors: AtomicU32,
    stop: CancellationToken,
}

impl Drop for Office {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

impl Office {
    pub async fn new() -> Self {
        Self::with(CHANNELS).await
    }

    pub async fn with(channels: &str) -> Self {
        Self::of(Town::with(channels).await).await
    }

    /// On a port of the caller's choice.
    pub async fn at(channels: &str, port: u16) -> Self {
        Self::listening(Town::with(channels).await, port).await
    }

    pub async fn of(town: Town) -> Self {
        Self::listening(town, 0).await
    }

    /// The console of a town, with what else `caishi serve` answers.
    async fn listening(town: Town, port: u16) -> Self {
        let listener = tokio::net::TcpListener::bind(("127.0.0.1", port)).await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let desk = Desk::new(town.publisher.clone()).unwrap();
        let router = web::router(town.publisher.clone()).merge(console::router(&desk));
        let stop = CancellationToken::new();
        tokio::spawn(web::serve(listener, router, stop.clone()));
        let _ = rustls::crypto::ring::default_provider().install_default();
        Self { town, desk, url, visitors: AtomicU32::new(0), stop }
    }

    /// A browser that is signed in as somebody.
    pub async fn browser(&self, person: &str) -> Browser {
        let browser = self.stranger();
        let path = self.invitation(person).await;
        let answer = browser.post(&path, &[("password", PASSWORD), ("again", PASSWORD)]).await;
        assert_eq!(answer.status, 303, "{}", answer.text);
        browser
    }

    /// The path of an invitation.
    pub async fn invitation(&self, person: &str) -> String {
        let id = PersonId::new(person).unwrap();
        // Stories move the clock by days before somebody comes in.
        let life = SignedDuration::from_hours(24 * 7);
        let invited = console::invite(&self.town.publisher, &id, life, "administrator").await;
        let (url, _) = invited.unwrap();
        url.split_once("/console/").map(|(_, rest)| format!("/console/{rest}")).unwrap()
    }

    /// A browser of nobody.
    pub fn stranger(&self) -> Browser {
        // Everybody has an address of their own, as behind the bank's proxy.
        let number = self.visitors.fetch_add(1, Ordering::Relaxed);
        let address = format!("198.51.{}.{}", number / 256, number % 256);
        let headers = [("x-forwarded-for".parse().unwrap(), address.parse().unwrap())];
        let client = Client::builder()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .default_headers(headers.into_iter().collect())
            .build()
            .unwrap();
        Browser { url: self.url.clone(), client, cookies: Arc::default() }
    }

    /// A program with a token of somebody's.
    pub async fn program(&self, person: &str, scopes: &[&str]) -> Program {
        let secret = format!("caishi_test_{person}_{}", scopes.join("_"));
        let scopes: Vec<String> = scopes.iter().map(|&scope| scope.to_owned()).collect();
        let digest = caishi::model::Digest::of(secret.as_bytes());
        let store = &self.town.publisher.store;
        let id = PersonId::new(person).unwrap();
        let life = SignedDuration::from_hours(1);
        store.add_api_token(&digest, &id, "测试", &scopes, life, "administrator").await.unwrap();
        Program { url: self.url.clone(), client: self.stranger().client, secret }
    }
}

/// What came back.
#[derive(Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: header::HeaderMap,
    pub text: String,
}

impl Answer {
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// Where it leads.
    pub fn location(&self) -> &str {
        self.header("location")
    }

    async fn of(response: reqwest::Response) -> Self {
        let (status, headers) = (response.status(), response.headers().clone());
        Self { status, headers, text: response.text().await.unwrap() }
    }
}

/// A browser: it keeps cookies, and follows nothing by itself.
#[derive(Clone)]
pub struct Browser {
    pub url: String,
    pub client: Client,
    pub cookies: Arc<Mutex<BTreeMap<String, String>>>,
}

impl Browser {
    pub async fn get(&self, path: &str) -> Answer {
        self.send(Method::GET, path, &[], None).await
    }

    /// Sends a form as one of our pages would: with the session's own secret.
    pub async fn post(&self, path: &str, fields: &[(&str, &str)]) -> Answer {
        let secret = self.secret().await;
        let mut fields = fields.to_vec();
        if let Some(secret) = &secret {
            fields.push(("form", secret));
        }
        self.send(Method::POST, path, &[("origin", &self.url)], Some(&fields)).await
    }

    /// What every form of this browser carries.
    pub async fn secret(&self) -> Option<String> {
        if self.cookies.lock().unwrap().is_empty() {
            return None;
        }
        let page = self.get("/console/account").await.text;
        let (_, rest) = page.split_once("name=\"form\" value=\"")?;
        Some(rest.split_once('"')?.0.to_owned())
    }

    pub async fn send(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        fields: Option<&[(&str, &str)]>,
    ) -> Answer {
        let mut request = self.client.request(method, format!("{}{path}", self.url));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let cookies: Vec<String> = self
            .cookies
            .lock()
            .unwrap()
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        if !cookies.is_empty() {
            request = request.header(header::COOKIE, cookies.join("; "));
        }
        if let Some(fields) = fields {
            request = request.form(fields);
        }
        let response = request.send().await.unwrap();
        for value in response.headers().get_all(header::SET_COOKIE) {
            let (pair, attributes) = value.to_str().unwrap().split_once(';').unwrap();
            let (name, value) = pair.split_once('=').unwrap();
            if attributes.contains("Max-Age=0") {
                self.cookies.lock().unwrap().remove(name);
            } else {
                self.cookies.lock().unwrap().insert(name.to_owned(), value.to_owned());
            }
        }
        Answer::of(response).await
    }
}

/// A program with a token.
pub struct Program {
    pub url: String,
    pub client: Client,
    pub secret: String,
}

impl Program {
    pub async fn get(&self, path: &str) -> Answer {
        let request = self.client.get(format!("{}{path}", self.url));
        Answer::of(request.bearer_auth(&self.secret).send().await.unwrap()).await
    }

    pub async fn post(&self, path: &str, body: &serde_json::Value) -> Answer {
        let request = self.client.post(format!("{}{path}", self.url)).json(body);
        Answer::of(request.bearer_auth(&self.secret).send().await.unwrap()).await
    }
}

/// A number in a path.
pub fn quoted(number: &str) -> String {
    url::form_urlencoded::byte_serialize(number.as_bytes()).collect()
}
