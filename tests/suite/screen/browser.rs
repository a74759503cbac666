//! A headless Chromium, driven over WebDriver, which is plain HTTP.

use crate::servers::{Server, ServerFolder, free_port, program, skip_unless_required};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use image::RgbImage;
use serde_json::{Value, json};
use std::{
    future::Future,
    sync::OnceLock,
    time::{Duration, Instant},
};

static DRIVER: OnceLock<Result<Server, String>> = OnceLock::new();
/// One browser at a time: they share the machine's two cores with its timing tests.
static TURN: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());

fn start() -> Result<Server, String> {
    let hint = "apt-get install chromium chromium-driver";
    program("chromium").ok_or(format!("没有 chromium：{hint}"))?;
    let driver = program("chromedriver").ok_or(format!("没有 chromedriver：{hint}"))?;
    let folder = ServerFolder::new("chromedriver");
    let port = free_port();
    Server::start(&driver, &[&format!("--port={port}")], &folder.path.join("log"), port)
}

/// A window of a fresh profile.
#[derive(Clone)]
pub struct Browser {
    client: reqwest::Client,
    session: String,
}

/// Runs a test in a browser, and closes it however the test ends. `reduced` asks for little motion.
pub async fn with_browser<F>(reduced: bool, test: impl FnOnce(Browser) -> F)
where
    F: Future<Output = ()> + Send + 'static,
{
    let driver = match DRIVER.get_or_init(start) {
        Ok(driver) => driver,
        Err(reason) => return skip_unless_required("chromium", reason),
    };
    let _turn = TURN.lock().await;
    let browser = Browser::open(driver.port, reduced).await;
    let ended = tokio::spawn(test(browser.clone())).await;
    let _ = browser.client.delete(&browser.session).send().await;
    if let Err(error) = ended {
        std::panic::resume_unwind(error.into_panic());
    }
}

impl Browser {
    async fn open(port: u16, reduced: bool) -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        let mut arguments = vec![
            "--headless=new",
            "--no-sandbox",
            "--disable-gpu",
            "--hide-scrollbars",
            // The browser's own errands are none of the page's.
            "--disable-background-networking",
            "--disable-component-update",
            "--no-first-run",
            // The browser ends when its driver does, however that ends.
            "--remote-debugging-pipe",
        ];
        if reduced {
            arguments.push("--force-prefers-reduced-motion");
        }
        let wanted = json!({ "capabilities": { "alwaysMatch": {
            "browserName": "chrome",
            "goog:chromeOptions": { "binary": program("chromium").unwrap(), "args": arguments },
            "goog:loggingPrefs": { "performance": "ALL", "browser": "ALL" },
        } } });
        let base = format!("http://127.0.0.1:{port}/session");
        let answer: Value =
            client.post(&base).json(&wanted).send().await.unwrap().json().await.unwrap();
        let id = answer["value"]["sessionId"].as_str().unwrap_or_else(|| panic!("{answer}"));
        Self { client, session: format!("{base}/{id}") }
    }

    async fn post(&self, path: &str, body: &Value) -> Value {
        let request = self.client.post(format!("{}{path}", self.session)).json(body);
        let answer: Value = request.send().await.unwrap().json().await.unwrap();
        let error = answer["value"].get("error");
        assert!(error.is_none(), "{path}: {answer}");
        answer["value"].clone()
    }

    /// A command of the developer tools' protocol.
    pub async fn command(&self, command: &str, parameters: Value) -> Value {
        self.post("/goog/cdp/execute", &json!({ "cmd": command, "params": parameters })).await
    }

    /// Makes the page so many pixels large.
    pub async fn resize(&self, width: u32, height: u32) {
        let size =
            json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": false });
        self.command("Emulation.setDeviceMetricsOverride", size).await;
    }

    pub async fn open_page(&self, url: &str) {
        self.post("/url", &json!({ "url": url })).await;
    }

    /// Runs a function's body in the page.
    pub async fn run(&self, body: &str) -> Value {
        self.post("/execute/sync", &json!({ "script": body, "args": [] })).await
    }

    /// What is to be seen, and when that was asked for and had.
    pub async fn look(&self) -> RgbImage {
        let answer = self.command("Page.captureScreenshot", json!({ "format": "png" })).await;
        let png = STANDARD.decode(answer["data"].as_str().unwrap()).unwrap();
        image::load_from_memory(&png).unwrap().to_rgb8()
    }

    /// Waits until an expression is true, and says how long that took.
    #[track_caller]
    pub fn until<'a>(
        &'a self,
        expression: &'a str,
        at_most: Duration,
    ) -> impl Future<Output = Duration> + 'a {
        let place = std::panic::Location::caller();
        async move {
            let started = Instant::now();
            let body = format!("return Boolean({expression})");
            while self.run(&body).await != Value::Bool(true) {
                assert!(
                    started.elapsed() < at_most,
                    "{place}: not within {at_most:?}: {expression}"
                );
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            started.elapsed()
        }
    }

    /// The addresses of all requests since the last call.
    pub async fn requests(&self) -> Vec<String> {
        let lines = self.post("/se/log", &json!({ "type": "performance" })).await;
        let events =
            lines.as_array().unwrap().iter().map(|line| {
                serde_json::from_str::<Value>(line["message"].as_str().unwrap()).unwrap()
            });
        events
            .filter(|event| event["message"]["method"] == "Network.requestWillBeSent")
            .map(|event| {
                let url = &event["message"]["params"]["request"]["url"];
                url.as_str().unwrap().to_owned()
            })
            .collect()
    }

    /// Presses a key where the focus is; WebDriver's code points for those that write nothing.
    pub async fn press(&self, key: &str) {
        let keys = json!({ "actions": [{ "type": "key", "id": "keyboard", "actions": [
            { "type": "keyDown", "value": key }, { "type": "keyUp", "value": key },
        ] }] });
        self.post("/actions", &keys).await;
    }

    /// What the page said to the console, errors of the content policy among it.
    pub async fn console(&self) -> Vec<String> {
        let lines = self.post("/se/log", &json!({ "type": "browser" })).await;
        let lines = lines.as_array().unwrap().iter();
        lines.map(|line| line["message"].as_str().unwrap().to_owned()).collect()
    }
}

/// A poster stands there alone: decoded, and its fade has ended.
pub const SETTLED: &str = "document.querySelectorAll('.layer.shown').length === 1 && \
     document.querySelector('.layer.front img').complete && \
     getComputedStyle(document.querySelector('.layer.front')).opacity === '1'";

/// The card stands there.
pub const CARD: &str = "document.querySelectorAll('.layer.shown').length === 0";

/// Keeps a picture for people to look at.
pub fn keep(name: &str, image: &RgbImage) {
    keep_in("screens", name, image);
}

/// As [`keep`], in a folder of that name.
pub fn keep_in(folder: &str, name: &str, image: &RgbImage) {
    let folder = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join(folder);
    std::fs::create_dir_all(&folder).unwrap();
    image.save(folder.join(format!("{name}.png"))).unwrap();
}
