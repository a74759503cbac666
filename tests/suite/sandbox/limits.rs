//! Every documented limit, from both sides, and every malformed call.

use super::{Desk, news, picture, refused};
use caishi::sandbox::Profile;
use image::ImageFormat;
use serde_json::{Value, json};

/// Changes one field of an article that is in order.
fn with(cover: &str, field: &str, value: Value) -> Value {
    let mut article = news(cover, "标题", "<p>正文</p>");
    article[field] = value;
    article
}

#[tokio::test]
async fn every_limit_of_an_article_holds_at_its_edge() {
    let desk = Desk::open().await;
    let cover = desk.cover().await;
    let chars = |count: usize| Value::from("字".repeat(count));
    let url = |length: usize| Value::from(format!("https://{}", "a".repeat(length - 8)));
    let content =
        |characters: usize| Value::from(format!("<p>{}</p>", "字".repeat(characters - 7)));
    let cases = [
        ("title", chars(32), 0),
        ("title", chars(33), 45003),
        ("title", "".into(), 40227),
        ("title", Value::Null, 40227),
        ("author", chars(16), 0),
        ("author", chars(17), 45110),
        ("digest", chars(128), 0),
        ("digest", chars(129), 45004),
        ("content", content(19_999), 0),
        ("content", content(20_000), 45002),
        ("content", "".into(), 44004),
        ("content", "<p>【违规内容】</p>".into(), 45166),
        ("content_source_url", url(1024), 0),
        ("content_source_url", url(1025), 45005),
        ("content_source_url", "ftp://example.cn".into(), 41039),
        ("thumb_media_id", "unknown".into(), 40007),
        ("thumb_media_id", Value::Null, 40007),
        ("pic_crop_235_1", "0.1945_0_1_0.5236".into(), 0),
        ("pic_crop_235_1", "0_0_1".into(), 53402),
        ("pic_crop_235_1", "0_0_1_1.2".into(), 53402),
        ("pic_crop_1_1", "0.5_0_0.5_1".into(), 53402),
        ("need_open_comment", 1.into(), 0),
        ("need_open_comment", 2.into(), 40097),
        ("article_type", "news".into(), 0),
        ("article_type", "poem".into(), 40097),
        (
            "cover_info",
            json!({ "crop_percent_list": [{ "ratio": "1_1", "x1": "0", "y1": "0", "x2": "1", "y2": "1" }] }),
            0,
        ),
        (
            "cover_info",
            json!({ "crop_percent_list": [{ "ratio": "4_3", "x1": "0", "y1": "0", "x2": "1", "y2": "1" }] }),
            53402,
        ),
    ];
    for (field, value, code) in cases {
        let article = with(&cover, field, value.clone());
        let reply = desk.post("draft/add", json!({ "articles": [article] })).await;
        let shown: String = value.to_string().chars().take(60).collect();
        assert_eq!(reply["errcode"].as_i64().unwrap_or(0), code, "{field} = {shown}: {reply}");
    }
    let limits: Vec<i64> =
        desk.books().limit_errors.iter().filter_map(|call| call.errcode).collect();
    assert!(limits.contains(&45003) && limits.contains(&45002) && !limits.contains(&40007));
}

#[tokio::test]
async fn a_draft_has_one_to_eight_articles() {
    let desk = Desk::open().await;
    let cover = desk.cover().await;
    for (count, code) in [(0, 44003), (1, 0), (8, 0), (9, 45008)] {
        let articles = vec![news(&cover, "标题", "<p>正文</p>"); count];
        let reply = desk.post("draft/add", json!({ "articles": articles })).await;
        assert_eq!(reply["errcode"].as_i64().unwrap_or(0), code, "{count} articles: {reply}");
    }
    refused(&desk.post("draft/add", json!({})).await, 44003);
}

#[tokio::test]
async fn a_digest_that_is_missing_is_the_beginning_of_the_text() {
    let desk = Desk::open().await;
    let cover = desk.cover().await;
    let mut article = news(&cover, "标题", &format!("<p>{}</p>", "字".repeat(80)));
    article["digest"] = "".into();
    let both = [json!([article]), json!([article, news(&cover, "二", "<p>文</p>")])];
    for (articles, length) in both.into_iter().zip([54, 0]) {
        let added = desk.post("draft/add", json!({ "articles": articles })).await;
        let draft = desk.post("draft/get", json!({ "media_id": added["media_id"] })).await;
        let digest = draft["news_item"][0]["digest"].as_str().unwrap();
        assert_eq!(digest.chars().count(), length, "only a single article has a digest");
    }
}

#[tokio::test]
async fn a_picture_message_is_plain_text_and_up_to_twenty_pictures() {
    let desk = Desk::open().await;
    let picture = desk.cover().await;
    let message = |count: usize, content: &str| {
        let images = vec![json!({ "image_media_id": picture }); count];
        json!({ "articles": [{
            "article_type": "newspic",
            "title": "三步看懂",
            "content": content,
            "image_info": { "image_list": images },
        }] })
    };
    for (count, content, code) in [
        (1, "纯文字", 0),
        (20, "", 0),
        (0, "纯文字", 40007),
        (21, "纯文字", 45008),
        (1, "<b>粗</b>", 45166),
    ] {
        let reply = desk.post("draft/add", message(count, content)).await;
        assert_eq!(reply["errcode"].as_i64().unwrap_or(0), code, "{count} {content}: {reply}");
    }
    let texts = json!({ "articles": [{ "article_type": "newspic", "title": "题", "image_info": [picture] }] });
    refused(&desk.post("draft/add", texts).await, 40007);
}

#[tokio::test]
async fn an_account_may_have_longer_titles_or_no_comments() {
    let profile = Profile { title_limit: 64, comment_right: false, ..Profile::default() };
    let desk = Desk::of(profile).await;
    let cover = desk.cover().await;
    for (field, value, code) in [
        ("title", Value::from("字".repeat(64)), 0),
        ("title", Value::from("字".repeat(65)), 45003),
        ("need_open_comment", 1.into(), 88000),
        ("need_open_comment", 0.into(), 0),
    ] {
        let articles = json!({ "articles": [with(&cover, field, value)] });
        let reply = desk.post("draft/add", articles).await;
        assert_eq!(reply["errcode"].as_i64().unwrap_or(0), code, "{reply}");
    }
}

#[tokio::test]
async fn pictures_are_decoded_and_held_to_their_limits() {
    let desk = Desk::open().await;
    let (jpeg, png) = (picture(ImageFormat::Jpeg, 64, 64), picture(ImageFormat::Png, 64, 64));
    let gif = picture(ImageFormat::Gif, 16, 16);
    let large = picture(ImageFormat::Png, 640, 640);
    assert!(large.len() > 1 << 20);
    let broken = png[..png.len() / 2].to_vec();
    let thumb_too_large = picture(ImageFormat::Jpeg, 400, 400);
    assert!(thumb_too_large.len() > 64 << 10);
    let huge = [png.clone(), vec![0; 10 << 20]].concat();
    for (path, kind, bytes, code) in [
        ("media/uploadimg", "", &jpeg, 0),
        ("media/uploadimg", "", &png, 0),
        ("media/uploadimg", "", &gif, 40005),
        ("media/uploadimg", "", &broken, 40005),
        ("media/uploadimg", "", &b"<svg/>".to_vec(), 40005),
        ("media/uploadimg", "", &large, 40009),
        ("media/uploadimg", "", &Vec::new(), 44001),
        ("material/add_material", "image", &large, 0),
        ("material/add_material", "image", &gif, 0),
        ("material/add_material", "image", &broken, 40005),
        ("material/add_material", "image", &huge, 40009),
        ("material/add_material", "thumb", &jpeg, 0),
        ("material/add_material", "thumb", &png, 40005),
        ("material/add_material", "thumb", &thumb_too_large, 40012),
        ("material/add_material", "", &png, 40004),
    ] {
        let reply = desk.upload(path, kind, bytes.clone()).await;
        let code_seen = reply["errcode"].as_i64().unwrap_or(0);
        assert_eq!(code_seen, code, "{path} {kind} {} bytes: {reply}", bytes.len());
    }
}

#[tokio::test]
async fn an_uploaded_picture_is_answered_as_text_and_can_be_looked_at() {
    let desk = Desk::open().await;
    let bytes = picture(ImageFormat::Png, 9, 9);
    let part = reqwest::multipart::Part::bytes(bytes.clone()).file_name("a.png");
    let form = reqwest::multipart::Form::new().part("media", part);
    let request = desk.client.post(desk.url("media/uploadimg")).multipart(form);
    let reply = request.query(&[("access_token", &desk.token)]).send().await.unwrap();
    assert_eq!(reply.headers()["content-type"], "text/plain");
    let reply: Value = serde_json::from_str(&reply.text().await.unwrap()).unwrap();
    let url = reply["url"].as_str().unwrap();
    assert!(url.starts_with("http://mmbiz.qpic.cn/mmbiz_png/"), "{url}: http, not https");
    let path = url.split('?').next().unwrap().replace("http://mmbiz.qpic.cn/", "wechat/mmbiz/");
    let picture = desk.client.get(desk.sandbox.url().join(&path).unwrap()).send().await.unwrap();
    assert_eq!(picture.headers()["content-type"], "image/png");
    assert_eq!(picture.bytes().await.unwrap(), bytes);

    // A part without a file name is no file.
    let form =
        reqwest::multipart::Form::new().part("media", reqwest::multipart::Part::bytes(bytes));
    let request = desk.client.post(desk.url("media/uploadimg")).multipart(form);
    let reply = request.query(&[("access_token", &desk.token)]).send().await.unwrap();
    refused(&serde_json::from_str(&reply.text().await.unwrap()).unwrap(), 41005);
    refused(&desk.post("media/uploadimg", json!({})).await, 41005);
}

#[tokio::test]
async fn material_must_be_there_when_it_is_named() {
    let desk = Desk::open().await;
    let cover = desk.cover().await;
    assert_eq!(desk.get("material/get_materialcount").await["image_count"], 1);
    let deleted = desk.post("material/del_material", json!({ "media_id": cover })).await;
    assert_eq!(deleted["errcode"], 0);
    refused(&desk.post("material/del_material", json!({ "media_id": cover })).await, 40007);
    let draft = json!({ "articles": [news(&cover, "标题", "<p>正文</p>")] });
    refused(&desk.post("draft/add", draft).await, 40007);
}

#[tokio::test]
async fn a_malformed_call_is_refused_by_its_code() {
    let desk = Desk::open().await;
    refused(&desk.get("draft/add").await, 43002);
    refused(&desk.post("draft/count", json!({})).await, 43001);
    refused(&desk.post_text("draft/add", "").await, 44002);
    refused(&desk.post_text("draft/add", "{\"articles\":").await, 47001);
    refused(&desk.post_text("draft/add", "[]").await, 47001);
    refused(&desk.post("draft/nothing", json!({})).await, 40066);
    refused(&desk.post("draft/batchget", json!({ "offset": 0, "count": 21 })).await, 40097);
    refused(&desk.post("freepublish/get", json!({ "publish_id": 1 })).await, 53502);
    refused(&desk.post("freepublish/getarticle", json!({ "article_id": "a" })).await, 53600);
}

#[tokio::test]
async fn daily_quotas_are_counted_told_and_cleared_ten_times_a_month() {
    let desk = Desk::open().await;
    let get = || desk.post("freepublish/get", json!({ "publish_id": 1 }));
    for _ in 0..100 {
        refused(&get().await, 53502);
    }
    refused(&get().await, 45009);
    let quota =
        || desk.post("openapi/quota/get", json!({ "cgi_path": "/cgi-bin/freepublish/get" }));
    let told = quota().await;
    assert_eq!(told["quota"], json!({ "daily_limit": 100, "used": 100, "remain": 0 }));

    refused(&desk.post("clear_quota", json!({ "appid": "wxffffffffffffffff" })).await, 40013);
    for _ in 0..10 {
        assert_eq!(desk.post("clear_quota", json!({ "appid": desk.app_id })).await["errcode"], 0);
    }
    refused(&desk.post("clear_quota", json!({ "appid": desk.app_id })).await, 48006);
    assert_eq!(quota().await["quota"]["used"], 0);
    refused(&get().await, 53502);
    let delete = || desk.post("freepublish/delete", json!({ "article_id": "a" }));
    for _ in 0..10 {
        refused(&delete().await, 53600);
    }
    refused(&delete().await, 45009);
}

#[tokio::test]
async fn a_refusal_can_be_looked_up_by_its_rid() {
    let desk = Desk::open().await;
    let reply = desk.post("freepublish/get", json!({ "publish_id": 1 })).await;
    let rid = reply["errmsg"].as_str().unwrap().split(" rid: ").nth(1).unwrap().to_owned();
    let told = desk.post("openapi/rid/get", json!({ "rid": rid })).await;
    assert!(told["request"]["request_url"].as_str().unwrap().contains("freepublish/get"));
    assert!(!told.to_string().contains(&desk.token), "the token is not told");
    refused(&desk.post("openapi/rid/get", json!({ "rid": "0-0-0" })).await, 76003);
    assert_eq!(desk.get("get_api_domain_ip").await["ip_list"], json!(["127.0.0.1"]));
}
