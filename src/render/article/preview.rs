//! The article as a page of its own, pictures inside, for people who look at it in a browser.

use super::{Article, tree::escape};
use crate::render::PictureSet;
use base64::{Engine as _, engine::general_purpose::STANDARD};

/// A phone-wide frame around the same content. Only the slots differ from what is sent; the first
/// rule is WeChat's own (`max-width` and `box-sizing` of everything).
pub(super) fn page(article: &Article, pictures: &PictureSet) -> String {
    let mut content = article.html.clone();
    for (digest, file) in &article.slots {
        let Some(picture) = pictures.get(file) else { continue };
        let data =
            format!("data:{};base64,{}", picture.media_type, STANDARD.encode(&picture.bytes));
        content = content.replace(&format!("caishi-slot:{digest}"), &data);
    }
    let mut page = String::with_capacity(content.len() + 2048);
    page.push_str("<!doctype html>\n<html lang=\"zh-CN\">\n<head>\n<meta charset=\"utf-8\">\n");
    page.push_str("<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\n");
    page.push_str("<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'; img-src data:\">\n");
    page.push_str("<title>");
    escape(&article.title, &mut page);
    page.push_str("</title>\n<style>*{box-sizing:border-box;max-width:100%}body{margin:0;background:#DDE1E2;font-family:-apple-system,'PingFang SC','Microsoft YaHei','Noto Sans CJK SC',sans-serif}main{max-width:390px;margin:0 auto;background:#FFF}header{padding:20px 16px 14px}h1{margin:0;font-size:22px;line-height:1.4}header p{margin:8px 0 0;font-size:15px;line-height:1.5;color:#576B95}</style>\n</head>\n<body>\n<main>\n<header><h1>");
    escape(&article.title, &mut page);
    page.push_str("</h1><p>");
    escape(&article.author, &mut page);
    page.push_str("</p></header>\n");
    page.push_str(&content);
    page.push_str("\n</main>\n</body>\n</html>\n");
    page
}
