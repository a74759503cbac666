//! `index.html`: everything that was made, to look at in a browser.
//!
//! One section a lesson, one column an audience. Where a poster exists for many branches, the
//! first branch of each profile stands for the others; `manifest.json` lists them all.

use crate::model::{Audience, Lesson, Library, Listing, MediaType, OutputKind, Variant};
use std::{collections::BTreeMap, fmt::Write as _, fs, path::Path};

const STYLE: &str = "\
*{box-sizing:border-box}body{margin:0;font:16px/1.6 system-ui,'PingFang SC','Microsoft YaHei',\
'Noto Sans CJK SC',sans-serif;background:#EEF1F1;color:#14201C}\
header{padding:32px 40px;background:#0E3A4F;color:#F4EFE4}h1{margin:0;font-size:28px}\
header p{margin:6px 0 0;color:#CFE0E2}nav{margin-top:14px;display:flex;flex-wrap:wrap;gap:8px 18px}\
nav a{color:#F4EFE4}section{padding:28px 40px;border-top:1px solid #CBD5D5}\
h2{margin:0 0 16px;font-size:22px}.columns{display:grid;grid-template-columns:repeat(auto-fit,\
minmax(330px,1fr));gap:28px}h3{margin:0 0 10px;font-size:17px}.hero{display:flex;gap:12px}\
.hero a{flex:0 1 auto}img{display:block;max-width:100%;height:auto;background:#fff}\
.hero img{height:420px;width:auto}dl{margin:14px 0 0}dt{font-size:13px;color:#41545E;margin-top:8px}\
dd{margin:0;white-space:pre-wrap}details{margin-top:12px}summary{cursor:pointer;min-height:32px}\
.grid{display:grid;grid-template-columns:repeat(auto-fill,minmax(150px,1fr));gap:12px;\
align-items:start}figure{margin:0}figcaption{font-size:13px;color:#41545E}\
.links{display:flex;flex-wrap:wrap;gap:6px 14px;margin-top:10px}a{color:#0E4A6B}\
@media(prefers-color-scheme:dark){body{background:#10191D;color:#E6ECEC}section{border-color:#2B3A40}\
dt,figcaption{color:#A9B8BC}a{color:#8FC8F0}}";

/// The gallery page. Short texts are read from `out`, where they have just been written.
#[must_use]
pub fn page(out: &Path, bank: &str, listings: &[&Listing], library: &Library) -> String {
    let lessons: Vec<&Lesson> = library
        .lessons
        .iter()
        .filter(|lesson| listings.iter().any(|line| line.lesson.as_ref() == Some(&lesson.id)))
        .collect();
    let mut html = format!(
        "<!doctype html>\n<html lang=\"zh-CN\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\n\
         <title>{0} · 总览</title>\n<style>{STYLE}</style>\n</head>\n<body>\n<header>\n\
         <h1>{0}</h1>\n<p>{1} 课，{2} 个文件。点图看原图；全部文件见 \
         <a href=\"manifest.json\" style=\"color:inherit\">manifest.json</a>。</p>\n<nav>",
        escape(bank),
        lessons.len(),
        listings.len()
    );
    for lesson in &lessons {
        let title = title(lesson);
        let _ = write!(html, "<a href=\"#{}\">{}</a>", lesson.id, escape(title));
    }
    html.push_str("</nav>\n</header>\n<main>\n");
    let of_library: Vec<&Listing> =
        listings.iter().copied().filter(|line| line.lesson.is_none()).collect();
    if !of_library.is_empty() {
        html.push_str("<section><h2>全行通用</h2>");
        links(&mut html, &of_library);
        html.push_str("</section>\n");
    }
    for lesson in lessons {
        section(&mut html, out, lesson, listings);
    }
    html.push_str("</main>\n</body>\n</html>\n");
    html
}

fn title(lesson: &Lesson) -> &str {
    lesson.variants.get(&Audience::General).map_or(lesson.id.as_str(), |v| v.title.value.as_str())
}

fn section(html: &mut String, out: &Path, lesson: &Lesson, listings: &[&Listing]) {
    let _ = write!(
        html,
        "<section id=\"{}\"><h2>{}</h2><div class=\"columns\">",
        lesson.id,
        escape(title(lesson))
    );
    for (audience, variant) in &lesson.variants {
        let own: Vec<&Listing> = listings
            .iter()
            .copied()
            .filter(|l| l.lesson.as_ref() == Some(&lesson.id) && l.audience == *audience)
            .collect();
        if !own.is_empty() {
            column(html, out, variant, &own);
        }
    }
    html.push_str("</div></section>\n");
}

fn column(html: &mut String, out: &Path, variant: &Variant, own: &[&Listing]) {
    let _ = write!(html, "<div><h3>{}</h3><div class=\"hero\">", variant.audience.label());
    // The first branch that has a profile stands for all of them.
    let mut screens: BTreeMap<&str, &Listing> = BTreeMap::new();
    for line in own.iter().filter(|line| line.output == OutputKind::Screen) {
        screens.entry(line.profile.as_deref().unwrap_or("")).or_insert(line);
    }
    let tall = screens.iter().find(|(profile, _)| profile.contains("portrait"));
    if let Some((_, line)) = tall.or_else(|| screens.iter().next()) {
        picture(html, line, &variant.headline.value.plain());
    }
    html.push_str("</div>");
    let files: Vec<&Listing> =
        own.iter().copied().filter(|line| line.branch.is_none() && is_document(line)).collect();
    links(html, &files);
    texts(html, out, own);
    if !screens.is_empty() {
        let _ = write!(
            html,
            "<details><summary>{} 种屏幕</summary><div class=\"grid\">",
            screens.len()
        );
        for (profile, line) in screens {
            html.push_str("<figure>");
            picture(html, line, profile);
            let _ = write!(html, "<figcaption>{}</figcaption></figure>", escape(profile));
        }
        html.push_str("</div></details>");
    }
    html.push_str("</div>");
}

fn is_document(line: &Listing) -> bool {
    let slot = line.path.contains("/article/");
    matches!(line.media_type, MediaType::Html | MediaType::Pdf | MediaType::Png) && !slot
}

fn picture(html: &mut String, line: &Listing, alt: &str) {
    let _ = write!(
        html,
        "<a href=\"{0}\"><img loading=\"lazy\" src=\"{0}\" alt=\"{1}\"></a>",
        escape(&line.path),
        escape(alt)
    );
}

fn links(html: &mut String, files: &[&Listing]) {
    html.push_str("<div class=\"links\">");
    for line in files {
        let name = line.path.rsplit('/').next().unwrap_or(&line.path);
        let _ = write!(
            html,
            "<a href=\"{}\">{} {}</a>",
            escape(&line.path),
            line.output.label(),
            escape(name)
        );
    }
    html.push_str("</div>");
}

fn texts(html: &mut String, out: &Path, own: &[&Listing]) {
    html.push_str("<dl>");
    for line in own.iter().filter(|line| line.media_type == MediaType::Text) {
        // The staff's texts are long; the gallery links to them.
        if line.output.is_for_staff() {
            continue;
        }
        let text = fs::read_to_string(out.join(&line.path)).unwrap_or_default();
        let _ = write!(html, "<dt>{}</dt><dd>{}</dd>", line.output.label(), escape(text.trim()));
    }
    html.push_str("</dl>");
    let staff: Vec<&Listing> = own
        .iter()
        .copied()
        .filter(|line| line.output.is_for_staff() && line.media_type == MediaType::Text)
        .collect();
    links(html, &staff);
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
