//! The approved page with its form put right, and the two pages that stand in for it.

use axum::{
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use sha2::{Digest as _, Sha256};

/// Where a page's form leads.
pub(super) struct Form {
    pub(super) action: String,
    pub(super) fields: Vec<(&'static str, String)>,
}

/// How the renderer writes the form (`render::portal`, its default address).
const WRITTEN: &str = "<form action=\"/continue\" method=\"get\">";

impl Form {
    pub(super) fn to(action: String) -> Self {
        Self { action, fields: Vec::new() }
    }

    fn html(&self) -> String {
        let mut html = format!("<form action=\"{}\" method=\"get\">", escaped(&self.action));
        for (name, value) in &self.fields {
            let value = escaped(value);
            html.push_str(&format!("<input type=\"hidden\" name=\"{name}\" value=\"{value}\">"));
        }
        html
    }
}

/// The approved page; nothing but the address of its form is changed.
pub(super) fn before(html: &str, bank: &str, form: &Form) -> Response {
    if !html.contains(WRITTEN) {
        tracing::error!("认证页里没有 {WRITTEN}：改过的模板请保留它；先给客人不带课文的页");
        return plain(bank, form);
    }
    answer(StatusCode::OK, html.replace(WRITTEN, &form.html()))
}

/// An approved page without its forms: there is nothing to get past any more.
pub(super) fn without_form(html: &str) -> String {
    let mut kept = String::with_capacity(html.len());
    let mut rest = html;
    while let Some((before, after)) = rest.split_once(WRITTEN) {
        kept.push_str(before);
        rest = after.split_once("</form>").map_or("", |(_, behind)| behind);
    }
    kept.push_str(rest);
    // What is said about getting on goes with it.
    match kept.split_once("<p class=\"note\">") {
        Some((before, after)) => {
            let behind = after.split_once("</p>").map_or("", |(_, behind)| behind);
            format!("{before}{behind}")
        }
        None => kept,
    }
}

const STAFF_STYLE: &str = ".staff{text-align:center}.staff a{display:inline-block;\
min-height:48px;padding:12px 20px;font-size:14px;color:inherit}@media print{.staff{display:none}}";

/// A page with a way for the branch's own people at its very end: whoever scanned the customers'
/// code gets to confirming. Everything approved stays as it is; the page's policy learns the one
/// style that is added.
pub(super) fn with_staff_link(html: &str, address: Option<&str>) -> String {
    let (Some(address), Some((before, behind))) = (address, html.rsplit_once("</body>")) else {
        return html.to_owned();
    };
    let known = format!("style-src 'sha256-{}' ", STANDARD.encode(Sha256::digest(STAFF_STYLE)));
    let before = if before.contains("style-src 'sha256-") {
        before.replacen("style-src ", &known, 1)
    } else {
        before.to_owned()
    };
    let link = format!(
        "<style>{STAFF_STYLE}</style>\n<nav class=\"staff\" aria-label=\"网点人员\">\
         <a href=\"{}\" rel=\"nofollow\">网点人员确认</a></nav>\n",
        escaped(address)
    );
    format!("{before}{link}</body>{behind}")
}

const PLAIN_STYLE: &str = "*{box-sizing:border-box}body{margin:0 auto;max-width:520px;\
padding:32px 20px;background:#FFF;color:#14201C;font:18px/1.7 sans-serif}h1{font-size:26px}\
button{width:100%;min-height:56px;border:0;background:#14201C;color:#FFF;font:inherit;\
font-weight:bold}button:focus-visible{outline:3px solid #C8102E;outline-offset:2px}\
@media(prefers-color-scheme:dark){body{background:#0F171B;color:#EDF1F2}\
button{background:#EDF1F2;color:#0F171B}}";

/// Where nothing may be shown, a guest still gets on.
pub(super) fn plain(bank: &str, form: &Form) -> Response {
    let words = "<p>不用登录，不记您是谁。<br><span lang=\"en\">Free Wi-Fi. No sign-in.</span></p>";
    let button = "<button type=\"submit\">继续上网 <span lang=\"en\">Continue</span></button>";
    let body = format!("{words}{}{button}</form>", form.html());
    answer(StatusCode::OK, whole(bank, "欢迎使用 Wi-Fi", &body))
}

/// A page that says what to do, in the guest's words.
pub(super) fn refused(bank: &str, what: &str) -> Response {
    let body = format!("<p>{}</p>", escaped(what));
    answer(StatusCode::BAD_REQUEST, whole(bank, "没有连上", &body))
}

fn whole(bank: &str, title: &str, body: &str) -> String {
    let bank = escaped(bank);
    format!(
        "<!doctype html>\n<html lang=\"zh-CN\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; \
         style-src 'sha256-{}'; base-uri 'none'; form-action *\">\n\
         <meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n\
         <title>{title} · {bank}</title>\n<style>{PLAIN_STYLE}</style>\n</head>\n\
         <body>\n<main>\n<p>{bank}</p>\n<h1>{title}</h1>\n{body}\n</main>\n</body>\n</html>\n",
        STANDARD.encode(Sha256::digest(PLAIN_STYLE))
    )
}

/// A page with its own policy as a header, too, where frames can be refused as well.
pub(super) fn answer(status: StatusCode, html: String) -> Response {
    const MARK: &str = "http-equiv=\"Content-Security-Policy\" content=\"";
    let policy = html.split_once(MARK).and_then(|(_, behind)| behind.split_once('"'));
    let policy = policy.map_or("default-src 'none'", |(policy, _)| policy);
    let headers = [
        (header::CONTENT_TYPE, "text/html; charset=utf-8".to_owned()),
        (header::CACHE_CONTROL, "no-store".to_owned()),
        (header::CONTENT_SECURITY_POLICY, format!("{policy}; frame-ancestors 'none'")),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff".to_owned()),
        (header::REFERRER_POLICY, "no-referrer".to_owned()),
    ];
    (status, headers, html).into_response()
}

/// Text for content and double-quoted attributes.
pub(super) fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            _ => out.push(character),
        }
    }
    out
}
