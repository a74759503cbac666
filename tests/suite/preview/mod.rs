//! The author's preview, as a browser sees it.

mod look;
mod refused;
mod stories;

use crate::publishing::town;
use caishi::preview::{Options, Preview};
use reqwest::{Client, Response, StatusCode};
use serde_json::Value;
use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};
use tempfile::TempDir;

/// However busy the machine, nothing takes longer.
const PATIENCE: Duration = Duration::from_mins(2);

const CONFIG: &str = r#"
[bank]
name = "山城示范银行"
base_url = "https://edu.shancheng.example"
hotline = "bank"
disclaimer = "本文为金融知识普及，不构成投资建议。"

[content]
folder = "content"
"#;

/// An author at work: a content folder of their own, and the preview of it.
pub struct Desk {
    folder: Folder,
    _preview: Preview,
    client: Client,
    origin: String,
}

/// Where the content is: a folder of the test's, or of somebody else's.
enum Folder {
    Own(TempDir),
    Of(PathBuf),
}

impl Folder {
    fn path(&self) -> &Path {
        match self {
            Self::Own(folder) => folder.path(),
            Self::Of(path) => path,
        }
    }
}

fn client() -> Client {
    let _ = rustls::crypto::ring::default_provider().install_default();
    Client::builder().no_proxy().build().unwrap()
}

fn options(config: &Path, lesson: Option<&str>) -> Options {
    Options {
        config: config.to_owned(),
        listen: "127.0.0.1:0".parse().unwrap(),
        lesson: lesson.map(str::to_owned),
        today: || jiff::civil::date(2026, 11, 27),
    }
}

impl Desk {
    /// In a small copy of the demo: two branches, a screen each.
    async fn new() -> Self {
        Self::with(CONFIG, |_| {}).await
    }

    /// With a configuration of its own, and further files.
    async fn with(config: &str, prepare: impl FnOnce(&Path)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        town::content(folder.path());
        fs::write(folder.path().join("channels.toml"), config).unwrap();
        prepare(folder.path());
        Self::at(Folder::Own(folder)).await
    }

    async fn at(folder: Folder) -> Self {
        let config = folder.path().join("channels.toml");
        let preview = Preview::start(options(&config, None)).await.unwrap();
        assert_eq!(preview.blind(), None, "saves are noticed");
        let origin = preview.url().trim_end_matches('/').to_owned();
        Self { folder, _preview: preview, client: client(), origin }
    }

    fn path(&self, below: &str) -> PathBuf {
        self.folder.path().join(below)
    }

    fn lesson_file(&self) -> PathBuf {
        self.path("content/lessons/telecom-fraud/lesson.md")
    }

    /// Replaces a text in the lesson, and saves.
    fn edit(&self, from: &str, to: &str) {
        let text = fs::read_to_string(self.lesson_file()).unwrap();
        assert!(text.contains(from), "the lesson has {from}");
        fs::write(self.lesson_file(), text.replacen(from, to, 1)).unwrap();
    }

    async fn get(&self, path: &str) -> Response {
        self.client.get(format!("{}{path}", self.origin)).send().await.unwrap()
    }

    async fn text(&self, path: &str) -> String {
        let answer = self.get(path).await;
        assert_eq!(answer.status(), StatusCode::OK, "{path}");
        answer.text().await.unwrap()
    }

    /// The events of a page, from now on.
    async fn listen(&self, query: &str) -> Events {
        let answer = self.get(&format!("/events?lesson=telecom-fraud&{query}")).await;
        let mut events = Events { answer, buffer: String::new(), before: 0 };
        let (name, number) = events.next().await;
        assert_eq!(name, "hello");
        events.before = number.as_u64().unwrap();
        events
    }

    /// The page of a view when everything of it is made and compared.
    async fn finished(&self, query: &str) -> String {
        let mut events = self.listen(query).await;
        let under_way = ["<progress", "正在问台账", "成品生成完再比字节"];
        loop {
            let page = self.text(&format!("/lesson/telecom-fraud?{query}")).await;
            if !under_way.iter().any(|words| page.contains(words)) {
                return page;
            }
            events.next().await;
        }
    }

    /// The general page when its texts are those of the last save, which `is_it` can tell. A save
    /// may be noticed twice.
    async fn saved(&self, events: &mut Events, is_it: impl Fn(&str) -> bool) -> String {
        loop {
            events.until(|event| event["kind"] == "text").await;
            let page = self.text("/lesson/telecom-fraud?audience=general").await;
            if is_it(&page) {
                return page;
            }
        }
    }
}

/// A page's event stream.
struct Events {
    answer: Response,
    buffer: String,
    /// The save that was the last one when the stream began.
    before: u64,
}

impl Events {
    /// The next event: its name and its data.
    async fn next(&mut self) -> (String, Value) {
        loop {
            if let Some((event, rest)) = self.buffer.split_once("\n\n") {
                let field = |name: &str| {
                    event.lines().find_map(|line| line.strip_prefix(name)).unwrap_or("").trim()
                };
                let name = field("event:").to_owned();
                let data = serde_json::from_str(field("data:")).unwrap_or(Value::Null);
                self.buffer = rest.to_owned();
                if !name.is_empty() {
                    return (name, data);
                }
                continue;
            }
            let chunk = tokio::time::timeout(PATIENCE, self.answer.chunk()).await;
            let chunk = chunk.expect("an event").unwrap().expect("the stream goes on");
            self.buffer.push_str(std::str::from_utf8(&chunk).unwrap());
        }
    }

    /// The next event of a later save that is `wanted`, and the kinds of those before it.
    async fn until(&mut self, wanted: impl Fn(&Value) -> bool) -> (Value, Vec<String>) {
        let mut before = Vec::new();
        loop {
            let (_, data) = self.next().await;
            if data["number"].as_u64() <= Some(self.before) {
                continue;
            }
            if wanted(&data) {
                return (data, before);
            }
            before.push(data["kind"].as_str().unwrap_or_default().to_owned());
        }
    }
}

/// Path and digest of every file of a page.
fn files(page: &str) -> Vec<(String, String)> {
    let rows = page.split("<tr data-path=\"").skip(1);
    rows.map(|row| {
        let (path, rest) = row.split_once("\" data-sha256=\"").unwrap();
        (path.to_owned(), rest[..64].to_owned())
    })
    .collect()
}

/// The digest of the file of that name.
fn digest_of(page: &str, name: &str) -> String {
    let files = files(page);
    let found = files.iter().find(|(path, _)| path.ends_with(name));
    found.unwrap_or_else(|| panic!("no {name} among {files:?}")).1.clone()
}
