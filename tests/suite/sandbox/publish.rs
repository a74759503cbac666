//! Drafts and publishing: what a draft goes through until subscribers can read it, and after.

use super::{Desk, news, refused};
use caishi::sandbox::{Profile, SandboxOptions};
use jiff::SignedDuration;
use serde_json::json;

#[tokio::test]
async fn a_draft_is_published_and_consumed() {
    let desk = Desk::with(SandboxOptions { publish_seconds: 60.0, ..SandboxOptions::default() });
    let desk = desk.await;
    let media_id = desk.draft("不要共享屏幕", "<p>正文</p>").await;
    assert_eq!(desk.get("draft/count").await["total_count"], 1);
    let publish_id = desk.publish(&media_id).await;
    assert!(publish_id > i64::from(i32::MAX), "an id that does not fit 32 bits");

    let running = desk.post("freepublish/get", json!({ "publish_id": publish_id })).await;
    assert_eq!(running["publish_status"], 1);
    assert!(running["article_id"].is_null());
    assert_eq!(desk.get("draft/count").await["total_count"], 1, "still there while it runs");

    desk.sandbox.shift_clock(SignedDuration::from_secs(61));
    // Some clients keep the id as text.
    let done = desk.post("freepublish/get", json!({ "publish_id": publish_id.to_string() })).await;
    assert_eq!(done["publish_status"], 0);
    assert_eq!(done["article_detail"]["item"][0]["idx"], 1);
    let article_id = done["article_id"].as_str().unwrap();
    refused(&desk.post("draft/get", json!({ "media_id": media_id })).await, 40007);
    refused(&desk.post("freepublish/submit", json!({ "media_id": media_id })).await, 40007);

    let article = desk.post("freepublish/getarticle", json!({ "article_id": article_id })).await;
    assert_eq!(article["news_item"][0]["title"], "不要共享屏幕");
    assert_eq!(article["news_item"][0]["is_deleted"], false);
    let list =
        desk.post("freepublish/batchget", json!({ "offset": 0, "count": 20, "no_content": 1 }));
    let list = list.await;
    assert_eq!(
        (&list["total_count"], &list["item"][0]["article_id"]),
        (&json!(1), &json!(article_id))
    );
    assert!(list["item"][0]["content"]["news_item"][0]["content"].is_null());

    let books = desk.books();
    let out: Vec<_> = books.out().collect();
    assert_eq!(out.len(), 1);
    assert_eq!(out[0].articles[0].content, "<p>正文</p>");
    assert!(books.duplicates.is_empty() && books.limit_errors.is_empty());
}

#[tokio::test]
async fn a_submit_that_is_repeated_blindly_publishes_twice() {
    let desk = Desk::with(SandboxOptions { publish_seconds: 60.0, ..SandboxOptions::default() });
    let desk = desk.await;
    let media_id = desk.draft("重复", "<p>正文</p>").await;
    let (first, second) = (desk.publish(&media_id).await, desk.publish(&media_id).await);
    desk.published(first).await;
    let duplicates = desk.books().duplicates;
    assert_eq!(duplicates.len(), 1);
    assert_eq!(duplicates[0].references, [first, second]);
}

#[tokio::test]
async fn the_same_article_with_pictures_uploaded_anew_is_the_same_article() {
    let desk = Desk::open().await;
    for _ in 0..2 {
        let bytes = super::picture(image::ImageFormat::Png, 8, 8);
        let url = desk.upload("media/uploadimg", "", bytes).await["url"].clone();
        let content = format!("<p><img src=\"{}\"></p>", url.as_str().unwrap());
        let media_id = desk.draft("同一篇", &content).await;
        desk.publish(&media_id).await;
    }
    assert_eq!(desk.books().duplicates.len(), 1);
}

#[tokio::test]
async fn what_was_published_comes_down_by_a_number_that_counts_from_one() {
    let desk = Desk::open().await;
    let cover = desk.cover().await;
    let articles: Vec<_> =
        (1..=3).map(|number| news(&cover, &format!("第{number}篇"), "<p>正文</p>")).collect();
    let media_id = desk.post("draft/add", json!({ "articles": articles })).await;
    let media_id = media_id["media_id"].as_str().unwrap().to_owned();
    let publish_id = desk.publish(&media_id).await;
    let article_id = desk.published(publish_id).await["article_id"].clone();
    let delete = |index: i64| json!({ "article_id": article_id, "index": index });
    refused(&desk.post("freepublish/delete", delete(4)).await, 40114);
    refused(&desk.post("freepublish/delete", json!({ "article_id": "nothing" })).await, 53600);
    assert_eq!(desk.post("freepublish/delete", delete(2)).await["errcode"], 0);
    let deleted = || async {
        let article =
            desk.post("freepublish/getarticle", json!({ "article_id": article_id })).await;
        let items = article["news_item"].as_array().unwrap().clone();
        items.iter().map(|item| item["is_deleted"].as_bool().unwrap()).collect::<Vec<_>>()
    };
    assert_eq!(deleted().await, [false, true, false]);
    assert_eq!(desk.post("freepublish/delete", delete(0)).await["errcode"], 0);
    assert_eq!(deleted().await, [true, true, true], "0 takes down everything");
    let get = desk.post("freepublish/get", json!({ "publish_id": publish_id })).await;
    assert_eq!(get["publish_status"], 5);
    let deletions = desk.books().deletions;
    assert_eq!(
        deletions.iter().map(|deletion| deletion.index).collect::<Vec<_>>(),
        [Some(2), None]
    );
}

#[tokio::test]
async fn what_the_audit_refuses_stays_a_draft() {
    let desk = Desk::open().await;
    for (mark, status) in [("【审核不通过】", 4), ("【原创校验不通过】", 2), ("【发布失败】", 3)]
    {
        let media_id = desk.draft("标题", &format!("<p>{mark}</p>")).await;
        let publish_id = desk.publish(&media_id).await;
        let get = desk.published(publish_id).await;
        assert_eq!(get["publish_status"], status);
        assert_eq!(get["fail_idx"], json!([1]));
        assert!(get["article_id"].is_null());
        let draft = desk.post("draft/get", json!({ "media_id": media_id })).await;
        assert_eq!(draft["news_item"][0]["title"], "标题");
    }
    let media_id = desk.draft("【发布检查不通过】", "<p>正文</p>").await;
    refused(&desk.post("freepublish/submit", json!({ "media_id": media_id })).await, 53503);
    assert_eq!(desk.books().out().count(), 0);
}

#[tokio::test]
async fn a_draft_is_changed_article_by_article_counted_from_zero() {
    let desk = Desk::open().await;
    let media_id = desk.draft("旧标题", "<p>旧</p>").await;
    let cover = desk.cover().await;
    let update = |index: i64, title: &str| json!({ "media_id": media_id, "index": index, "articles": news(&cover, title, "<p>新</p>") });
    refused(&desk.post("draft/update", update(1, "新标题")).await, 40114);
    let long = "字".repeat(33);
    refused(&desk.post("draft/update", update(0, &long)).await, 45003);
    let listed =
        json!({ "media_id": media_id, "index": 0, "articles": [news(&cover, "新", "新")] });
    refused(&desk.post("draft/update", listed).await, 44003);
    assert_eq!(desk.post("draft/update", update(0, "新标题")).await["errcode"], 0);
    let draft = desk.post("draft/get", json!({ "media_id": media_id })).await;
    assert_eq!(draft["news_item"][0]["title"], "新标题");
    assert_eq!(desk.post("draft/delete", json!({ "media_id": media_id })).await["errcode"], 0);
    refused(&desk.post("draft/delete", json!({ "media_id": media_id })).await, 40007);
    let open = desk.client.post(desk.url("draft/switch"));
    let open = open.query(&[("access_token", desk.token.as_str()), ("checkonly", "1")]);
    assert_eq!(open.send().await.unwrap().json::<serde_json::Value>().await.unwrap()["is_open"], 1);
}

#[tokio::test]
async fn an_account_without_the_right_to_publish_is_told_so() {
    for profile in [
        Profile { publish_right: false, ..Profile::default() },
        Profile { verified: false, ..Profile::default() },
    ] {
        let desk = Desk::of(profile).await;
        let media_id = desk.draft("标题", "<p>正文</p>").await;
        for (path, body) in [
            ("freepublish/submit", json!({ "media_id": media_id })),
            ("freepublish/get", json!({ "publish_id": 1 })),
            ("freepublish/delete", json!({ "article_id": "a" })),
            ("freepublish/getarticle", json!({ "article_id": "a" })),
            ("freepublish/batchget", json!({ "offset": 0, "count": 1 })),
        ] {
            refused(&desk.post(path, body).await, 48001);
        }
    }
}

#[tokio::test]
async fn numbers_of_readers_come_the_next_day() {
    let mut desk = Desk::open().await;
    desk.sandbox.shift_clock(SignedDuration::from_hours(24 * 365));
    desk.renew().await;
    let media_id = desk.draft("标题", "<p>正文</p>").await;
    desk.publish(&media_id).await;
    let day = today(&desk);
    let body = |day: jiff::civil::Date| json!({ "begin_date": day.to_string(), "end_date": day.to_string() });
    let path = "datacube/getarticletotaldetail";
    refused(&desk.post(path, body(day)).await, 61501);
    refused(&desk.post(path, json!({ "begin_date": "20260101", "end_date": "x" })).await, 61500);
    desk.sandbox.shift_clock(SignedDuration::from_hours(24));
    desk.renew().await;
    let total = desk.post(path, body(day)).await;
    let item = &total["list"][0];
    assert_eq!(item["title"], "标题");
    assert!(item["msgid"].as_str().unwrap().ends_with("_1"));
    let read = item["detail_list"][0]["read_user"].as_u64().unwrap();
    assert!((1..=12).contains(&read), "no more readers than followers");
    assert_eq!(desk.post(path, body(day)).await, total, "the same each time");
    let reads = desk.post("datacube/getarticleread", body(day)).await;
    assert_eq!(reads["list"][0]["read_user"], read);
    refused(&desk.post("datacube/getarticlesummary", body(day)).await, 47009);
}

fn today(desk: &Desk) -> jiff::civil::Date {
    jiff::tz::offset(8).to_datetime(desk.books().now).date()
}
