//! What the platform makes of an article's HTML: draft/get tells.

use super::{Desk, news, picture};
use crate::demo::{demo, files};
use caishi::{
    build::{Request, build},
    model::OutputKind,
};
use image::ImageFormat;
use serde_json::json;
use std::fs;

#[tokio::test]
async fn what_the_editor_does_not_keep_is_gone() {
    let desk = Desk::open().await;
    let url = desk.upload("media/uploadimg", "", picture(ImageFormat::Png, 8, 8)).await;
    let url = url["url"].as_str().unwrap();
    let own = format!("<p><img src=\"{url}\" alt=\"图\"></p>");
    let secure = url.replace("http://", "https://");
    let secure = format!("<p><img src=\"{secure}\"></p>");
    let back = format!("<p style=\"background:url({url})\">文</p>");
    let cases: &[(&str, &str)] = &[
        // Kept as it is.
        ("<section style=\"color:#0B2230;margin:0 8px\">文</section>", "="),
        ("<p style=\"position:relative;display:flex\">文</p>", "="),
        ("<table><tbody><tr><td colspan=\"2\">格</td></tr></tbody></table>", "="),
        ("<p class=\"note\">文</p>", "="),
        ("<a href=\"https://mp.weixin.qq.com/s/abc\">另一篇</a>", "="),
        (&own, "="),
        (&secure, "="),
        (&back, "="),
        ("<ul><li>一</li><li>二</li></ul>", "="),
        // Changed.
        (
            "<ul>\n<li>一</li> <li>二</li></ul>",
            "<ul><li><br></li><li>一</li><li><br></li><li>二</li></ul>",
        ),
        // Gone with all that is in it.
        ("<p>a</p><script>alert(1)</script>", "<p>a</p>"),
        ("<style>p{color:red}</style><p>a</p>", "<p>a</p>"),
        ("<iframe src=\"https://example.cn\"></iframe><p>a</p>", "<p>a</p>"),
        ("<p>a</p><!-- b -->", "<p>a</p>"),
        // The element is gone, its text stays.
        ("<form action=\"/x\"><p>a</p></form>", "<p>a</p>"),
        ("<p><input type=\"checkbox\" checked>做到了</p>", "<p>做到了</p>"),
        ("<button onclick=\"x()\">按</button>", "按"),
        // Attributes.
        ("<p id=\"one\" onclick=\"x()\">a</p>", "<p>a</p>"),
        ("<img src=\"https://example.cn/a.png\" alt=\"图\">", "<img alt=\"图\">"),
        ("<img src=\"data:image/png;base64,AAAA\">", "<img>"),
        ("<img src=\"http://mmbiz.qpic.cn/mmbiz_png/of-somebody-else/0\">", "<img>"),
        ("<a href=\"https://example.cn\">外链</a>", "<a>外链</a>"),
        ("<a href=\"javascript:alert(1)\">a</a>", "<a>a</a>"),
        ("<a href=\"https://mp.weixin.qq.com.example.cn/\">a</a>", "<a>a</a>"),
        ("<a href=\"#note\">注</a>", "<a>注</a>"),
        // Styles.
        ("<p style=\"position:fixed;color:red\">a</p>", "<p style=\"color:red\">a</p>"),
        ("<p style=\"POSITION : absolute ;top:0\">a</p>", "<p>a</p>"),
        ("<p style=\"--x:1;color:var(--x)\">a</p>", "<p>a</p>"),
        (
            "<p style=\"background:url(https://example.cn/a.png);color:red\">a</p>",
            "<p style=\"color:red\">a</p>",
        ),
        ("<p style=\"background:u\\72l(https://example.cn/a.png)\">a</p>", "<p>a</p>"),
        ("<p style=\"width:expression(alert(1))\">a</p>", "<p>a</p>"),
        ("<p style=\"white-space:pre-wrap;color:red\">a</p>", "<p style=\"color:red\">a</p>"),
        (
            "<p style=\"font-family:'a;b';transform:rotate(3deg)\">a</p>",
            "<p style=\"font-family:'a;b'\">a</p>",
        ),
    ];
    let cover = desk.cover().await;
    for (sent, kept) in cases {
        let added =
            desk.post("draft/add", json!({ "articles": [news(&cover, "标题", sent)] })).await;
        let draft = desk.post("draft/get", json!({ "media_id": added["media_id"] })).await;
        let kept = if *kept == "=" { sent } else { kept };
        assert_eq!(draft["news_item"][0]["content"], *kept, "sent {sent}");
    }
}

#[tokio::test]
async fn drawings_stay_without_what_refers() {
    let desk = Desk::open().await;
    let sent = "<svg viewBox=\"0 0 9 9\" width=\"9\" id=\"a\" class=\"b\" onload=\"x()\">\
                <defs><linearGradient id=\"g\"></linearGradient></defs>\
                <path d=\"M0 0h9\" fill=\"url(#g)\" stroke=\"#0B2230\"></path>\
                <use href=\"#a\"></use><script>alert(1)</script>\
                <foreignObject><p>x</p></foreignObject></svg>";
    let media_id = desk.draft("标题", sent).await;
    let draft = desk.post("draft/get", json!({ "media_id": media_id })).await;
    let kept = draft["news_item"][0]["content"].as_str().unwrap();
    assert!(kept.starts_with("<svg viewBox=\"0 0 9 9\" width=\"9\">"), "{kept}");
    assert!(kept.contains("<path d=\"M0 0h9\" stroke=\"#0B2230\">"), "{kept}");
    for gone in ["defs", "url(", "use", "script", "foreignObject", "onload", "class", "id="] {
        assert!(!kept.contains(gone), "{gone} in {kept}");
    }
}

#[tokio::test]
async fn text_that_was_escaped_is_stored_as_it_was_typed() {
    let desk = Desk::open().await;
    let cover = desk.cover().await;
    let body = json!({ "articles": [news(&cover, "@", "<p>a\\u0041 \"b\"</p>")] }).to_string();
    let body = body.replace('@', "\\u94b1");
    let added = desk.post_text("draft/add", body).await;
    let draft = desk.post("draft/get", json!({ "media_id": added["media_id"] })).await;
    assert_eq!(draft["news_item"][0]["title"], "\\u94b1", "readers see six characters, no 钱");
    assert_eq!(
        draft["news_item"][0]["content"], "<p>a\\u0041 \"b\"</p>",
        "other escapes are JSON's"
    );
}

#[tokio::test]
async fn every_article_of_the_library_survives_as_it_was_sent() {
    let out = tempfile::tempdir().unwrap();
    let request = Request {
        out: out.path().to_owned(),
        outputs: [OutputKind::Article].into(),
        ..Request::default()
    };
    build(&demo().config, &demo().library, &request, &|_, _| {}).unwrap();
    let desk = Desk::open().await;
    let cover = desk.cover().await;
    let all = files(out.path());
    let articles: Vec<&String> =
        all.iter().filter(|path| path.ends_with("/article.html")).collect();
    assert!(articles.len() >= 24, "eight lessons in three variants");
    for path in articles {
        let mut sent = fs::read_to_string(out.path().join(path)).unwrap();
        let folder = path.replace("article.html", "article/");
        for picture in all.iter().filter(|path| path.starts_with(&folder)) {
            let bytes = fs::read(out.path().join(picture)).unwrap();
            let url = desk.upload("media/uploadimg", "", bytes).await["url"].clone();
            let sha256 = picture[folder.len()..].split('.').next().unwrap();
            sent = sent.replace(&format!("caishi-slot:{sha256}"), url.as_str().unwrap());
        }
        let added =
            desk.post("draft/add", json!({ "articles": [news(&cover, "标题", &sent)] })).await;
        let draft = desk.post("draft/get", json!({ "media_id": added["media_id"] })).await;
        let kept = draft["news_item"][0]["content"].as_str().unwrap_or_else(|| panic!("{added}"));
        assert_eq!(kept, sent, "{path}");
    }
    assert_eq!(desk.books().limit_errors, Vec::new());
}
