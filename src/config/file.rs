//! The text of `channels.toml` → [`Config`]: parsed, then checked, every fault collected.

use super::{
    Config, ConfigError, channel, console, people, review, schedule, storage,
    table::{Faults, Table},
};
use crate::model::{Bank, HotlineId};
use std::path::{Path, PathBuf};
use toml::de::DeTable;

/// Looks up an environment variable.
pub type Environment<'a> = &'a dyn Fn(&str) -> Option<String>;

/// Parses and checks the text; `path` is for messages and for the folder that paths lie below.
pub(super) fn read(
    text: &str,
    path: &Path,
    environment: Environment<'_>,
) -> Result<Config, ConfigError> {
    let (root, errors) = DeTable::parse_recoverable(text);
    if !errors.is_empty() {
        let reason = errors.iter().map(|error| syntax(text, error)).collect::<Vec<_>>().join("；");
        return Err(ConfigError::Syntax { path: path.to_owned(), reason });
    }
    let faults = Faults::new(text);
    let invalid = |faults| ConfigError::Invalid { path: path.to_owned(), faults };
    // The channels' own keys are handed over as they are. It is the same text: it parses again.
    let plain: toml::Table = toml::from_str(text).map_err(|error| ConfigError::Syntax {
        path: path.to_owned(),
        reason: error.message().to_owned(),
    })?;
    let config = {
        let table = Table::new("", root.get_ref(), 0, &faults);
        let folder = path.parent().unwrap_or(Path::new(""));
        let config = check(&table, &plain, folder, environment);
        table.finish();
        config
    };
    match (config, faults.into_list()) {
        (Some(config), faults) if faults.is_empty() => Ok(config),
        (_, faults) => Err(invalid(faults)),
    }
}

fn check(
    root: &Table<'_>,
    plain: &toml::Table,
    folder: &Path,
    environment: Environment<'_>,
) -> Option<Config> {
    let bank = bank(root);
    let content = folder_of(root, "content", folder);
    let existing = |key| {
        let path: Option<PathBuf> = folder_of(root, key, folder);
        if let Some(path) = path.as_ref().filter(|path| !path.is_dir()) {
            root.fault(
                key,
                format!("[{key}] folder 没有文件夹 {}；建好它，或改路径", path.display()),
            );
        }
        path
    };
    let fonts = existing("fonts");
    let templates = existing("templates");
    let channels = channel::read(root, plain);
    let schedules = schedule::read(root, &channels);
    let review = review::read(root);
    let people = people::read(root);
    let storage = storage::read(root, environment);
    let server = storage::read_server(root);
    let console = console::read(root);
    Some(Config {
        folder: folder.to_owned(),
        bank: bank?,
        content: content.unwrap_or_else(|| folder.join("content")),
        fonts,
        templates,
        channels: channels.entries,
        schedules,
        review,
        people,
        storage,
        server,
        console,
    })
}

fn bank(root: &Table<'_>) -> Option<Bank> {
    let Some(table) = root.table("bank") else {
        if !root.has("bank") {
            root.fault("bank", "没有 [bank]；写上 name、base_url、hotline 和 disclaimer");
        }
        return None;
    };
    let name = table.required_parsed("name", "写银行的名字，1 到 16 个字", |name| {
        let length = name.chars().count();
        if length <= 16 {
            Ok(name.to_owned())
        } else {
            Err(format!("有 {length} 个字，至多 16 个；用简称"))
        }
    });
    let base_url =
        table.required_parsed("base_url", "写 https:// 开头的网址，二维码以此开头", base_url);
    let hotline =
        table.required_parsed("hotline", "写 hotlines.toml 里本行客服的代号", |text| {
            HotlineId::new(text).map_err(|error| error.to_string())
        });
    let disclaimer = table.required("disclaimer", "写每份材料末尾的声明");
    table.finish();
    Some(Bank { name: name?, base_url: base_url?, hotline: hotline?, disclaimer: disclaimer? })
}

fn base_url(text: &str) -> Result<String, String> {
    let text = text.trim_end_matches('/');
    if !text.starts_with("https://") || text.contains(['?', '#', ' ']) {
        return Err(format!("“{text}”应以 https:// 开头，不带 ?、# 和空格"));
    }
    if text.len() > 60 {
        return Err(format!("有 {} 个字符，二维码会太密；请用 60 个以内的网址", text.len()));
    }
    Ok(text.to_owned())
}

fn folder_of(root: &Table<'_>, key: &'static str, folder: &Path) -> Option<PathBuf> {
    let table = root.table(key)?;
    let path = table.parsed("folder", |text| {
        if text.is_empty() {
            Err("是空的；写文件夹的路径".into())
        } else {
            Ok(folder.join(text))
        }
    });
    table.finish();
    path
}

/// Says where the text is no TOML. What stands behind the equals sign is not shown: it may be a
/// secret that was typed there.
fn syntax(text: &str, error: &toml::de::Error) -> String {
    let at = error.span().map_or(0, |span| span.start).min(text.len());
    let line = Faults::new(text).line(at);
    let shown = text.lines().nth(line - 1).unwrap_or_default();
    let shown: String =
        shown.split('=').next().unwrap_or_default().trim().chars().take(60).collect();
    let help = if error.message().contains("duplicate") {
        "同一个键或表写了两次，删掉其中一个"
    } else {
        "不是合格的 TOML；写成 键 = \"值\"，文字用英文双引号，列表用方括号，引号和括号要成对"
    };
    format!("第 {line} 行（{shown}）{help}")
}
