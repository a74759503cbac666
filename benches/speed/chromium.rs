//! A headless Chromium, driven over the DevTools protocol through two pipes: no driver, no port.

use anyhow::{Context as _, bail};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Value, json};
use std::{
    io::{BufRead as _, BufReader, Write as _},
    os::unix::process::CommandExt as _,
    path::PathBuf,
    process::{Child, ChildStdin, Command, Stdio},
    sync::mpsc::{Receiver, channel},
    thread,
    time::Duration,
};
use tempfile::TempDir;

/// No single step takes longer on a working browser.
const PATIENCE: Duration = Duration::from_mins(1);

const FLAGS: [&str; 13] = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-extensions",
    "--hide-scrollbars",
    "--mute-audio",
    "--remote-debugging-pipe",
    "about:blank",
];

/// Where Chromium is installed, if it is.
pub fn find() -> Option<PathBuf> {
    let folders = std::env::var_os("PATH")?;
    let names = ["chromium", "chromium-browser", "google-chrome"];
    let mut candidates =
        std::env::split_paths(&folders).flat_map(|folder| names.map(|name| folder.join(name)));
    candidates.find(|program| program.is_file())
}

/// A running browser with one open page; ended when dropped.
pub struct Browser {
    child: Child,
    input: ChildStdin,
    answers: Receiver<Vec<u8>>,
    session: Option<String>,
    last_id: u64,
    _profile: TempDir,
}

impl Browser {
    /// Starts it with an empty profile and opens a page.
    pub fn start(program: &std::path::Path) -> anyhow::Result<Self> {
        let profile = tempfile::tempdir()?;
        // DevTools speaks on the descriptors 3 and 4. The shell puts the pipes there and becomes
        // the browser.
        let mut child = Command::new("sh")
            .args(["-c", r#"exec "$@" 3<&0 4>&1 </dev/null >/dev/null 2>/dev/null"#, "sh"])
            .arg(program)
            .arg(format!("--user-data-dir={}", profile.path().display()))
            .args(FLAGS)
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let input = child.stdin.take().context("no pipe to the browser")?;
        let output = child.stdout.take().context("no pipe from the browser")?;
        let (sender, answers) = channel();
        thread::spawn(move || {
            let mut output = BufReader::new(output);
            let mut message = Vec::new();
            while output.read_until(0, &mut message).is_ok_and(|length| length > 0) {
                message.pop();
                if sender.send(std::mem::take(&mut message)).is_err() {
                    break;
                }
            }
        });
        let mut browser =
            Self { child, input, answers, session: None, last_id: 0, _profile: profile };
        browser.open_page()?;
        Ok(browser)
    }

    fn open_page(&mut self) -> anyhow::Result<()> {
        let target = self.call("Target.createTarget", &json!({"url": "about:blank"}))?;
        let attach = json!({"targetId": target["targetId"], "flatten": true});
        let session = self.call("Target.attachToTarget", &attach)?;
        self.session = session["sessionId"].as_str().map(str::to_owned);
        self.call("Page.enable", &json!({}))?;
        Ok(())
    }

    /// Name and version.
    pub fn version(&mut self) -> anyhow::Result<String> {
        let session = self.session.take();
        let version = self.call("Browser.getVersion", &json!({}));
        self.session = session;
        Ok(version?["product"].as_str().unwrap_or("Chromium").to_owned())
    }

    /// The process whose descendants are the whole browser.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// The page's size in pixels.
    pub fn resize(&mut self, width: u32, height: u32) -> anyhow::Result<()> {
        let size =
            json!({"width": width, "height": height, "deviceScaleFactor": 1, "mobile": false});
        self.call("Emulation.setDeviceMetricsOverride", &size).map(drop)
    }

    /// Runs a script, and waits for its promise.
    pub fn evaluate(&mut self, script: &str) -> anyhow::Result<Value> {
        let arguments = json!({"expression": script, "awaitPromise": true, "returnByValue": true});
        let mut answer = self.call("Runtime.evaluate", &arguments)?;
        if let Some(exception) = answer.get("exceptionDetails") {
            bail!("the page's script failed: {exception}");
        }
        Ok(answer["result"]["value"].take())
    }

    /// The page as PNG.
    pub fn screenshot(&mut self, fast: bool) -> anyhow::Result<Vec<u8>> {
        let arguments = json!({"format": "png", "optimizeForSpeed": fast});
        let answer = self.call("Page.captureScreenshot", &arguments)?;
        Ok(STANDARD.decode(answer["data"].as_str().context("no picture")?)?)
    }

    fn call(&mut self, method: &str, params: &Value) -> anyhow::Result<Value> {
        self.last_id += 1;
        let mut message = json!({"id": self.last_id, "method": method, "params": params});
        if let Some(session) = &self.session {
            message["sessionId"] = json!(session);
        }
        let mut bytes = serde_json::to_vec(&message)?;
        bytes.push(0);
        self.input.write_all(&bytes)?;
        loop {
            let answer = self.answers.recv_timeout(PATIENCE);
            let answer = answer.with_context(|| format!("{method} was not answered"))?;
            let mut answer: Value = serde_json::from_slice(&answer)?;
            // Everything else that arrives is news about the page.
            if answer["id"].as_u64() == Some(self.last_id) {
                if let Some(error) = answer.get("error") {
                    bail!("{method}: {error}");
                }
                return Ok(answer["result"].take());
            }
        }
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        self.session = None;
        // Asked to leave, it takes its helpers along; killed, it may not.
        let asked = self.call("Browser.close", &json!({})).is_ok();
        for _ in 0..100 {
            if asked && matches!(self.child.try_wait(), Ok(Some(_))) {
                return;
            }
            thread::sleep(Duration::from_millis(50));
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
