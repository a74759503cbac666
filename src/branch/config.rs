//! `branch.toml` → a checked configuration. Two lines are enough:
//!
//! ```toml
//! branch = "b001"
//! server = "https://caishi.bank.example"
//! ```
//!
//! Every fault is noted with its line, what was found and what was expected, all at once.

use super::{
    error::BranchError,
    pull::Wanted,
    service::Timetable,
    window::{LATEST_END, Window},
};
use crate::model::{BranchId, OutputKind, suggest};
use jiff::civil::Time;
use std::{
    cell::RefCell,
    fs,
    net::SocketAddr,
    path::{Path, PathBuf},
    time::Duration,
};
use toml::{
    Spanned,
    de::{DeTable, DeValue},
};
use url::Url;

/// The file's usual name.
pub const DEFAULT_FILE: &str = "branch.toml";

/// Where the repository and the head office are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// A server.
    Server {
        /// The head office.
        url: Url,
        /// Where the repository's files are, if elsewhere.
        mirror: Option<Url>,
    },
    /// A folder: a network share, a stick. Nothing is reported.
    Folder(PathBuf),
}

/// A checked `branch.toml`.
#[derive(Debug, Clone, PartialEq)]
pub struct BranchConfig {
    /// The branch.
    pub branch: BranchId,
    /// Where its packs come from.
    pub place: Place,
    /// Further certificates for TLS.
    pub authority: Option<PathBuf>,
    /// The private key.
    pub key: PathBuf,
    /// The state folder.
    pub state: PathBuf,
    /// What of a pack is fetched.
    pub wanted: Wanted,
    /// When.
    pub timetable: Timetable,
    /// Where the screens' pages are served.
    pub listen: SocketAddr,
}

impl BranchConfig {
    /// Reads the file.
    ///
    /// # Errors
    /// [`BranchError::Config`] with every fault.
    pub fn load(path: &Path) -> Result<Self, BranchError> {
        let text = fs::read_to_string(path).map_err(|error| BranchError::Config {
            path: path.to_owned(),
            faults: vec![format!(
                "读不了（{error}）；还没有登记的机器请先运行 caishi branch enrol <登记码> --server <总行地址>"
            )],
        })?;
        Self::parse(path, &text)
    }

    /// Checks the text of the file at `path`; relative paths in it begin at its folder.
    ///
    /// # Errors
    /// [`BranchError::Config`] with every fault.
    pub fn parse(path: &Path, text: &str) -> Result<Self, BranchError> {
        let wrong = |faults| BranchError::Config { path: path.to_owned(), faults };
        let parsed = DeTable::parse(text).map_err(|error| {
            let line = line(text, error.span().map_or(0, |span| span.start));
            wrong(vec![format!("第 {line} 行 不是 TOML：{}", error.message())])
        })?;
        let faults = RefCell::default();
        let top = Fields::new("", parsed.get_ref(), &faults);
        let folder = path.parent().unwrap_or(Path::new(""));
        let config = read(&top, folder);
        let mut faults: Vec<(usize, String)> = faults.into_inner();
        faults.sort();
        match config.filter(|_| faults.is_empty()) {
            Some(config) => Ok(config),
            None => {
                let shown =
                    faults.iter().map(|(at, what)| format!("第 {} 行 {what}", line(text, *at)));
                Err(wrong(shown.collect()))
            }
        }
    }
}

fn read(top: &Fields<'_>, folder: &Path) -> Option<BranchConfig> {
    let branch =
        top.required("branch", "网点代号，例如 \"b001\"", |text| BranchId::new(text).ok());
    let place = top.required(
        "server",
        "总行地址，例如 \"https://caishi.bank.example\"；也可以写一个文件夹，例如 \"/mnt/share/packs\"",
        |text| place(text, folder),
    );
    let mirror = top.text(
        "mirror",
        "http:// 或 https:// 开头的地址，指到有 metadata 和 targets 的那一层",
        url,
    );
    let path = |text: &str| (!text.is_empty()).then(|| folder.join(text));
    let authority = top.text("ca", "PEM 证书文件的路径", path);
    let key = top.text("key", "私钥文件的路径", path);
    let state = top.text("state", "文件夹的路径", path);
    let pull = top.table("pull");
    let (wanted, timetable) = pull_table(pull.as_ref())?;
    let screen = top.table("screen");
    let listen = screen.as_ref().and_then(|screen| {
        let loopback = |text: &str| {
            text.parse().ok().filter(|address: &SocketAddr| address.ip().is_loopback())
        };
        let listen = screen.text("listen", "本机的地址和端口，例如 \"127.0.0.1:8790\"", loopback);
        screen.finish();
        listen
    });
    top.finish();
    let place = match place? {
        Place::Server { url, .. } => Place::Server { url, mirror },
        folder @ Place::Folder(_) => folder,
    };
    Some(BranchConfig {
        branch: branch?,
        place,
        authority,
        key: key.unwrap_or_else(|| folder.join("branch.der")),
        state: state.unwrap_or_else(|| folder.join("state")),
        wanted,
        timetable,
        listen: listen.unwrap_or(SocketAddr::from(([127, 0, 0, 1], 8790))),
    })
}

fn pull_table(table: Option<&Fields<'_>>) -> Option<(Wanted, Timetable)> {
    let mut timetable = Timetable {
        window: window("00:30-06:30")?,
        bytes_per_s: 500 * 1000 / 8,
        catch_up: true,
        poll: Duration::from_mins(15),
    };
    let mut wanted = Wanted::default();
    let Some(table) = table else { return Some((wanted, timetable)) };
    let night = "北京时间的一段，例如 \"00:30-06:30\"，可以跨午夜，须在 07:45 前结束";
    timetable.window = table.text("window", night, window).unwrap_or(timetable.window);
    let rate = table.number("rate_kbps", "每秒千比特数，8 到 1000000 的整数", 8, 1_000_000);
    timetable.bytes_per_s = rate.map_or(timetable.bytes_per_s, |rate| rate * 1000 / 8);
    timetable.catch_up = table.flag("catch_up").unwrap_or(timetable.catch_up);
    let span = "一段时间，从 \"1m\" 到 \"15m\"：总行的紧急通知最迟要在 15 分钟内看到";
    timetable.poll = table.text("poll", span, poll).unwrap_or(timetable.poll);
    let known: Vec<&str> = OutputKind::ALL.iter().map(|kind| kind.as_str()).collect();
    let expected =
        format!("列表，可写 screen（屏幕）、people（给人的压缩包）、{}", known.join("、"));
    let outputs = table.list("outputs", &expected, |text| {
        (matches!(text, "screen" | "people") || OutputKind::from_name(text).is_some())
            .then(|| text.to_owned())
    });
    if let Some(outputs) = outputs {
        let has = |name: &str| outputs.iter().any(|output| output == name);
        let kinds = outputs.iter().filter_map(|output| OutputKind::from_name(output));
        wanted = Wanted {
            screens: has("screen"),
            people: has("people"),
            kinds: kinds.filter(|kind| *kind != OutputKind::Screen).collect(),
        };
    }
    table.finish();
    Some((wanted, timetable))
}

fn place(text: &str, folder: &Path) -> Option<Place> {
    if text.contains("://") {
        return url(text).map(|url| Place::Server { url, mirror: None });
    }
    (!text.is_empty()).then(|| Place::Folder(folder.join(text)))
}

/// An address without a password in it: it would stand in logs.
fn url(text: &str) -> Option<Url> {
    let url = Url::parse(text).ok()?;
    let plain = url.password().is_none() && url.query().is_none() && url.fragment().is_none();
    (plain && matches!(url.scheme(), "http" | "https") && url.has_host()).then_some(url)
}

fn window(text: &str) -> Option<Window> {
    let (from, until) = text.split_once('-')?;
    let time = |text: &str| -> Option<Time> { text.trim().parse().ok() };
    let window = Window { from: time(from)?, until: time(until)? };
    (window.from != window.until && window.until <= LATEST_END).then_some(window)
}

fn poll(text: &str) -> Option<Duration> {
    let (number, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    let number: u64 = number.parse().ok()?;
    let seconds = match unit {
        "s" => number,
        "m" => number.checked_mul(60)?,
        _ => return None,
    };
    (60..=900).contains(&seconds).then(|| Duration::from_secs(seconds))
}

fn line(text: &str, at: usize) -> usize {
    text.bytes().take(at).filter(|byte| *byte == b'\n').count() + 1
}

/// The keys of a table; each is asked for with what was expected.
struct Fields<'t> {
    name: &'t str,
    table: &'t DeTable<'t>,
    faults: &'t RefCell<Vec<(usize, String)>>,
    asked: RefCell<Vec<&'static str>>,
}

impl<'t> Fields<'t> {
    fn new(
        name: &'t str,
        table: &'t DeTable<'t>,
        faults: &'t RefCell<Vec<(usize, String)>>,
    ) -> Self {
        Self { name, table, faults, asked: RefCell::default() }
    }

    fn fault(&self, at: usize, key: &str, what: &str) {
        let place = if self.name.is_empty() { String::new() } else { format!("[{}] ", self.name) };
        self.faults.borrow_mut().push((at, format!("{place}{key}：{what}")));
    }

    fn value<T>(
        &self,
        key: &'static str,
        expected: &str,
        take: impl FnOnce(&'t DeValue<'t>) -> Option<T>,
    ) -> Option<T> {
        self.asked.borrow_mut().push(key);
        let value: &'t Spanned<DeValue<'t>> = self.table.get(key)?;
        let taken = take(value.get_ref());
        if taken.is_none() {
            self.fault(value.span().start, key, &format!("应为{expected}"));
        }
        taken
    }

    fn text<T>(
        &self,
        key: &'static str,
        expected: &str,
        take: impl FnOnce(&str) -> Option<T>,
    ) -> Option<T> {
        self.value(key, expected, |value| take(value.as_str()?.trim()))
    }

    fn required<T>(
        &self,
        key: &'static str,
        expected: &str,
        take: impl FnOnce(&str) -> Option<T>,
    ) -> Option<T> {
        if !self.table.contains_key(key) {
            self.fault(0, key, &format!("没有写；应为{expected}"));
        }
        self.text(key, expected, take)
    }

    fn flag(&self, key: &'static str) -> Option<bool> {
        self.value(key, " true 或 false，不带引号", DeValue::as_bool)
    }

    fn number(&self, key: &'static str, expected: &str, from: u64, to: u64) -> Option<u64> {
        self.value(key, expected, |value| {
            let number = value.as_integer()?.as_str().parse().ok()?;
            (from..=to).contains(&number).then_some(number)
        })
    }

    fn list<T>(
        &self,
        key: &'static str,
        expected: &str,
        take: impl Fn(&str) -> Option<T>,
    ) -> Option<Vec<T>> {
        self.value(key, expected, |value| {
            let items = value.as_array()?.iter();
            items.map(|item| take(item.get_ref().as_str()?)).collect()
        })
    }

    fn table(&self, key: &'static str) -> Option<Fields<'t>> {
        let expected = format!("表，写成 [{key}]，下面一行一个键");
        let table = self.value(key, &expected, DeValue::as_table)?;
        Some(Fields::new(key, table, self.faults))
    }

    /// Refuses keys nobody asked for.
    fn finish(&self) {
        let asked = self.asked.borrow();
        for (key, value) in self.table {
            let key: &str = key.get_ref();
            if !asked.contains(&key) {
                let what = suggest::known(key, asked.iter().copied());
                self.fault(value.span().start, key, &format!("没有这个键；{what}"));
            }
        }
    }
}
