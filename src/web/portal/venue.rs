//! What there is to read after login, in the phone's own browser: this week's lessons, whole
//! articles, posters, a quiz; everything can be saved.

use super::{Portal, is_for_guests, page};
use crate::{
    deliver::{LiveFile, LivePages},
    model::{Audience, BranchId, LessonId, MediaType, OutputKind},
};
use axum::{
    http::StatusCode,
    response::{IntoResponse, Response},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use sha2::{Digest as _, Sha256};
use std::{
    collections::{BTreeMap, HashMap},
    fmt::Write as _,
};

const STYLE: &str = "*{box-sizing:border-box}body{margin:0;background:#F7F5EF;color:#14201C;\
font:18px/1.7 -apple-system,'PingFang SC','Microsoft YaHei','Noto Sans CJK SC',sans-serif}\
header{padding:24px 20px;background:#0E3A4F;color:#F4EFE4}header p,h1{margin:0}h1{font-size:28px;\
line-height:1.4}main{max-width:560px;margin:0 auto;padding:8px 20px 32px}section{margin:20px 0;\
padding:16px 18px;background:#FFF}h2{margin:0 0 8px;font-size:21px;line-height:1.4}ul{margin:0;\
padding:0;list-style:none}li a{display:block;min-height:48px;padding:10px 0;border-top:1px solid #DDE4E4;\
color:#0E3A4F}footer{max-width:560px;margin:0 auto;padding:0 20px 32px;font-size:16px;color:#41545E}\
a:focus-visible{outline:3px solid #C8102E;outline-offset:2px}@media(prefers-color-scheme:dark){\
body{background:#0F171B;color:#EDF1F2}section{background:#1B262B}li a{color:#9CD3F0;border-color:#33444C}\
footer{color:#C3CDD1}}@media print{header,footer{background:none;color:#000}}";

/// What there is, lesson by lesson.
pub(super) async fn page(
    portal: &Portal,
    branch: &str,
    live: Option<&LivePages>,
    just_on: bool,
) -> Response {
    let Ok(branch) = BranchId::new(branch) else { return StatusCode::NOT_FOUND.into_response() };
    let bank = &portal.publisher.config.bank.name;
    let (title, english) = if just_on {
        ("可以上网了", "You are online.")
    } else {
        ("本周金融知识", "This week's money tips")
    };
    let mut body = format!(
        "<p>{}</p>",
        if just_on {
            "这一页可以关掉。想再看看，都在下面。"
        } else {
            "都可以存下来，回家慢慢看。"
        }
    );
    for (lesson, files) in lessons(live) {
        let title = match files.iter().find(|file| is_reading(file)) {
            Some(file) => portal.text(file).await.and_then(|html| title_of(&html)),
            None => None,
        };
        let title = title.unwrap_or_else(|| page::escaped(lesson.as_str()));
        let _ = write!(body, "<section>\n<h2>{title}</h2>\n<ul>\n");
        for (address, words) in links(&branch, lesson, &files) {
            let _ = writeln!(body, "<li><a href=\"{}\">{words}</a></li>", page::escaped(&address));
        }
        body.push_str("</ul>\n</section>\n");
    }
    let html = whole(bank, title, english, &body);
    let staff = staff_address(portal, branch.as_str(), None);
    page::answer(StatusCode::OK, page::with_staff_link(&html, staff.as_deref()))
}

/// The live lessons and their files, in the order of the listing.
fn lessons(live: Option<&LivePages>) -> BTreeMap<&LessonId, Vec<&LiveFile>> {
    let mut lessons: BTreeMap<&LessonId, Vec<&LiveFile>> = BTreeMap::new();
    for file in live.iter().flat_map(|live| &live.files) {
        if let Some(lesson) = &file.lesson {
            lessons.entry(lesson).or_default().push(file);
        }
    }
    lessons
}

/// The page before login, which can be read afterwards.
fn is_reading(file: &LiveFile) -> bool {
    file.output == OutputKind::Portal
        && file.media_type == MediaType::Html
        && file.profile.is_none()
        && file.audience == Audience::General
}

fn is_article(file: &LiveFile) -> bool {
    file.output == OutputKind::Article
        && file.media_type == MediaType::Html
        && !file.name.ends_with(".preview.html")
}

fn links(branch: &BranchId, lesson: &LessonId, files: &[&LiveFile]) -> Vec<(String, String)> {
    let at = |rest: &str| format!("/portal/{branch}/{rest}");
    let mut links = vec![(at(&format!("lesson/{lesson}")), "一分钟看懂".to_owned())];
    let has = |test: &dyn Fn(&LiveFile) -> bool| files.iter().any(|file| test(file));
    let elder = |file: &LiveFile| {
        file.output == OutputKind::Portal
            && file.audience == Audience::Elder
            && file.media_type == MediaType::Html
    };
    if has(&elder) {
        links.push((at(&format!("lesson/{lesson}?for=elder")), "大字版".to_owned()));
    }
    if has(&is_article) {
        links.push((at(&format!("lesson/{lesson}?for=article")), "全文".to_owned()));
    }
    if has(&|file| file.profile.as_deref() == Some("quiz")) {
        links.push((at(&format!("quiz/{lesson}")), "考考您".to_owned()));
    }
    let pictures = files.iter().filter(|file| is_for_guests(file) && shows(file, branch));
    for file in pictures {
        let kind = if file.media_type == MediaType::Pdf { "PDF" } else { "图片" };
        let words = format!("存下{}（{kind}，{}）", file.output.label(), file.audience.label());
        links.push((format!("/portal/file/{}?save", file.sha256), words));
    }
    links
}

/// Posters and paper of this branch or of none; an article's own pictures are not listed.
fn shows(file: &LiveFile, branch: &BranchId) -> bool {
    let is_paper = matches!(
        file.output,
        OutputKind::Newspic | OutputKind::Print | OutputKind::Leaflet | OutputKind::Screen
    );
    is_paper && file.branch.as_ref().is_none_or(|own| own == branch)
}

/// One lesson: the page of the branch without its form, the large-type one, or the whole article.
pub(super) async fn lesson(
    portal: &Portal,
    live: &LivePages,
    branch: &str,
    lesson: &LessonId,
    query: &HashMap<String, String>,
) -> Response {
    let wanted = query.get("for").map_or("", String::as_str);
    let of_lesson = || live.files.iter().filter(|file| file.lesson.as_ref() == Some(lesson));
    if wanted == "article" {
        let article = of_lesson()
            .filter(|file| is_article(file))
            .min_by_key(|file| file.audience != Audience::General);
        let Some(article) = article else { return StatusCode::NOT_FOUND.into_response() };
        return match portal.text(article).await {
            Some(html) => whole_article(portal, branch, &html),
            None => StatusCode::NOT_FOUND.into_response(),
        };
    }
    let audience = if wanted == "elder" { Audience::Elder } else { Audience::General };
    let is_page = |file: &&LiveFile| {
        file.output == OutputKind::Portal
            && file.media_type == MediaType::Html
            && file.profile.is_none()
    };
    let place = |file: &LiveFile| match &file.branch {
        Some(own) if own.as_str() == branch => 0,
        None => 1,
        Some(_) => 2,
    };
    let found = of_lesson()
        .filter(is_page)
        .filter(|file| place(file) < 2)
        .min_by_key(|file| (file.audience != audience, place(file)));
    let Some(found) = found else { return StatusCode::NOT_FOUND.into_response() };
    match portal.text(found).await {
        Some(html) => {
            let html = page::without_form(&html);
            let staff = staff_address(portal, branch, Some(lesson));
            page::answer(StatusCode::OK, page::with_staff_link(&html, staff.as_deref()))
        }
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

/// Where people of the branch confirm that a poster hangs or hangs no more; they sign in there.
/// `None` for the bank's own pages, which hang nowhere.
fn staff_address(portal: &Portal, branch: &str, lesson: Option<&LessonId>) -> Option<String> {
    let branch = BranchId::new(branch).ok().filter(|branch| branch.as_str() != super::BANK)?;
    let console = portal.publisher.config.console.url.as_deref().unwrap_or_default();
    let base = console.trim_end_matches('/');
    Some(match lesson {
        Some(lesson) => format!("{base}/b/{branch}/posted/{lesson}"),
        None => format!("{base}/b/{branch}"),
    })
}

/// The approved article, its pictures where they can be fetched, within a page.
fn whole_article(portal: &Portal, branch: &str, article: &str) -> Response {
    let article = article.replace("caishi-slot:", "/portal/file/");
    let bank = page::escaped(&portal.publisher.config.bank.name);
    let back = page::escaped(branch);
    let html = format!(
        "<!doctype html>\n<html lang=\"zh-CN\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; \
         style-src 'unsafe-inline'; img-src 'self' data:; base-uri 'none'\">\n\
         <meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\n\
         <title>{bank}</title>\n<style>body{{margin:0 auto;max-width:640px;background:#FFF}}\
         img{{max-width:100%}}</style>\n</head>\n<body>\n{article}\n\
         <p><a href=\"/portal/{back}/venue\">别的课</a></p>\n</body>\n</html>\n"
    );
    page::answer(StatusCode::OK, html)
}

/// The lesson's title, as the page's own title has it before the bank's name; escaped already.
fn title_of(html: &str) -> Option<String> {
    let (_, behind) = html.split_once("<title>")?;
    let (title, _) = behind.split_once("</title>")?;
    Some(title.rsplit_once(" · ").map_or(title, |(title, _)| title).to_owned())
}

fn whole(bank: &str, title: &str, english: &str, body: &str) -> String {
    let bank = page::escaped(bank);
    format!(
        "<!doctype html>\n<html lang=\"zh-CN\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; \
         style-src 'sha256-{}'; img-src 'self'; base-uri 'none'\">\n\
         <meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n<title>{title} · {bank}</title>\n\
         <style>{STYLE}</style>\n</head>\n<body>\n<header>\n<p>{bank}</p>\n<h1>{title}</h1>\n\
         <p lang=\"en\">{english}</p>\n</header>\n<main>\n{body}</main>\n\
         <footer><p>只数人次，不记您是谁：不用 Cookie，不存地址和手机。</p></footer>\n</body>\n</html>\n",
        STANDARD.encode(Sha256::digest(STYLE))
    )
}
