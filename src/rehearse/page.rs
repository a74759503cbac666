//! What a rehearsal leaves to look at: the stand-in's pages as files, and one page that leads to
//! everything.

use super::RehearseError;
use crate::{
    deliver::{Egress, egress},
    model::DeliveryState,
    store::Delivery,
    work::{Plan, Publisher, clock},
};
use std::{
    collections::{BTreeMap, VecDeque},
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
    time::Duration,
};
use url::Url;

/// More pages than any rehearsal has.
const MOST_PAGES: usize = 400;

const STYLE: &str = "\
*{box-sizing:border-box}body{margin:0;font:16px/1.7 system-ui,'PingFang SC','Microsoft YaHei',\
'Noto Sans CJK SC',sans-serif;background:#EEF1F1;color:#14201C}header{padding:32px 40px;\
background:#0E3A4F;color:#F4EFE4}h1{margin:0;font-size:28px}header p{margin:6px 0 0;color:#CFE0E2}\
main{max-width:1060px;margin:0 auto;padding:24px 20px 60px}section{background:#fff;border-radius:10px;\
padding:20px 24px;margin-top:20px}h2{margin:0 0 12px;font-size:20px}table{width:100%;\
border-collapse:collapse}th,td{text-align:left;padding:8px 12px 8px 0;border-top:1px solid #DDE4E4;\
vertical-align:top}th{border:0;font-size:14px;color:#41545E;font-weight:500}a{color:#0E4A6B}\
.done{color:#17633A;font-weight:600}.stuck{color:#A12622;font-weight:600}\
.links{display:flex;flex-wrap:wrap;gap:12px}.links a{display:block;padding:14px 18px;\
background:#E3ECEE;border-radius:8px;text-decoration:none;min-width:220px}\
@media(prefers-color-scheme:dark){body{background:#10191D;color:#E6ECEC}section{background:#18242A}\
th,td{border-color:#2B3A40}th{color:#A9B8BC}a{color:#8FC8F0}.links a{background:#22323A}\
.done{color:#7BD3A0}.stuck{color:#F0918D}}";

/// Fetches every page of the stand-in that its front page leads to, and what they show; writes
/// them flat into `folder/subscribers/`. The name of the front page's file.
///
/// # Errors
/// Where a page cannot be fetched or written.
pub async fn snapshot(base: &Url, folder: &Path) -> Result<PathBuf, RehearseError> {
    let client = egress::client(&Egress::LoopbackOnly, None, Duration::from_secs(10))
        .map_err(|error| RehearseError::Sandbox(error.to_string()))?;
    let mut waiting = VecDeque::from(["/".to_owned()]);
    let mut pages: BTreeMap<String, (String, Vec<u8>)> = BTreeMap::new();
    while let Some(path) = waiting.pop_front() {
        if pages.contains_key(&path) || pages.len() >= MOST_PAGES {
            continue;
        }
        let Ok(url) = base.join(&path) else { continue };
        let failed =
            |error: reqwest::Error| RehearseError::Sandbox(error.without_url().to_string());
        let answer = client.get(url).send().await.map_err(failed)?;
        if !answer.status().is_success() {
            continue;
        }
        let kind = answer
            .headers()
            .get("content-type")
            .and_then(|value| value.to_str().ok())
            .unwrap_or("")
            .to_owned();
        let body = answer.bytes().await.map_err(failed)?.to_vec();
        if kind.starts_with("text/html") {
            waiting.extend(links(&String::from_utf8_lossy(&body)));
        }
        pages.insert(path.clone(), (file_name(&path, &kind), body));
    }
    let target = folder.join("subscribers");
    let wrap = |source| RehearseError::Io { what: target.display().to_string(), source };
    fs::create_dir_all(&target).map_err(wrap)?;
    // Longer paths first, so that none is replaced inside another.
    let mut names: Vec<(&String, &String)> =
        pages.iter().map(|(path, (name, _))| (path, name)).collect();
    names.sort_by_key(|(path, _)| std::cmp::Reverse(path.len()));
    for (name, body) in pages.values() {
        let bytes = if Path::new(name).extension().is_some_and(|extension| extension == "html") {
            let mut html = String::from_utf8_lossy(body).into_owned();
            for (path, file) in &names {
                html = html.replace(&format!("=\"{path}\""), &format!("=\"{file}\""));
            }
            html.into_bytes()
        } else {
            body.clone()
        };
        fs::write(target.join(name), bytes).map_err(wrap)?;
    }
    Ok(PathBuf::from("subscribers/index.html"))
}

/// Same-site addresses that a page links to or shows.
fn links(html: &str) -> Vec<String> {
    let mut found = Vec::new();
    for attribute in ["href=\"/", "src=\"/"] {
        for rest in html.split(attribute).skip(1) {
            if let Some(end) = rest.find('"') {
                let path = format!("/{}", &rest[..end]);
                if !path.starts_with("//") && !path.contains('#') {
                    found.push(path.replace("&amp;", "&"));
                }
            }
        }
    }
    found
}

fn file_name(path: &str, kind: &str) -> String {
    let extension = match kind.split(';').next().unwrap_or("").trim() {
        "text/html" => "html",
        "image/png" => "png",
        "image/jpeg" => "jpg",
        "image/gif" => "gif",
        "image/svg+xml" => "svg",
        "text/css" => "css",
        "application/json" => "json",
        _ => "bin",
    };
    let flat: String = path
        .trim_matches('/')
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() || "-_".contains(c) { c } else { '_' })
        .collect();
    let stem = if flat.is_empty() { "index" } else { &flat };
    let stem = stem.strip_suffix(&format!("_{extension}")).unwrap_or(stem);
    format!("{stem}.{extension}")
}

/// Writes `folder/index.html`.
///
/// # Errors
/// Where it cannot be written.
pub fn write(
    folder: &Path,
    publisher: &Publisher,
    plan: &Plan,
    signed: &[(String, String)],
    deliveries: &[Delivery],
    snapshot: &Path,
) -> Result<PathBuf, RehearseError> {
    let mut html = format!(
        "<!doctype html>\n<html lang=\"zh-CN\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\n\
         <title>排练 · {bank}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n<header>\n\
         <h1>{bank} · 投放排练</h1>\n<p>{campaign}　{number}　没有任何内容离开这台电脑</p>\n\
         </header>\n<main>\n",
        bank = escape(&publisher.config.bank.name),
        campaign = escape(&plan.outline.edition.name),
        number = escape(&plan.number),
    );
    let _ = write!(
        html,
        "<section><h2>去看</h2><div class=\"links\"><a href=\"{}\">订阅者看到的公众号</a>",
        escape(&snapshot.to_string_lossy())
    );
    for entry in &publisher.config.channels {
        let own = folder.join("channels").join(entry.id.as_str());
        // The tree of real file names, where the channel keeps one.
        let series = &plan.outline.edition.id.series;
        let tree = own.join("releases").join(series).join("current");
        if tree.is_dir() {
            let _ = write!(
                html,
                "<a href=\"channels/{0}/releases/{series}/current/\">渠道 {0} 的文件夹</a>",
                entry.id
            );
        }
    }
    html.push_str(
        "</div></section>\n<section><h2>谁签的字</h2><table><tr><th>步骤</th><th>签字人</th></tr>",
    );
    for (name, step) in signed {
        let _ = write!(html, "<tr><td>{}</td><td>{}</td></tr>", escape(step), escape(name));
    }
    html.push_str(
        "</table></section>\n<section><h2>每个渠道的结果</h2><table><tr><th>渠道</th><th>结果</th>\
         <th>文件</th><th>大小</th><th>说明</th></tr>",
    );
    for delivery in deliveries {
        let channel = plan.channels.iter().find(|channel| channel.channel == delivery.channel);
        let (files, bytes) =
            channel.map_or((0, 0), |channel| (channel.manifest.files.len(), channel.bytes()));
        let class = if delivery.state == DeliveryState::Confirmed { "done" } else { "stuck" };
        let _ = write!(
            html,
            "<tr><td>{}</td><td class=\"{class}\" style=\"white-space:nowrap\">{}<br><small>{}</small></td><td>{files}</td>\
             <td style=\"white-space:nowrap\">{}</td><td>{} {}</td></tr>",
            delivery.channel,
            delivery.state.label(),
            clock::shanghai(delivery.changed_at).strftime("%H:%M:%S"),
            size(bytes),
            escape(&delivery.message),
            escape(&delivery.next_step)
        );
    }
    html.push_str("</table></section>\n</main>\n</body>\n</html>\n");
    let path = folder.join("index.html");
    fs::write(&path, html)
        .map_err(|source| RehearseError::Io { what: path.display().to_string(), source })?;
    Ok(path)
}

fn size(bytes: u64) -> String {
    match bytes as f64 {
        bytes if bytes < 1e6 => format!("{:.0} kB", bytes / 1e3),
        bytes => format!("{:.1} MB", bytes / 1e6),
    }
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
