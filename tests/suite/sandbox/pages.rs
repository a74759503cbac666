//! What subscribers see, and that nothing an article brings can run.

use super::{Desk, news, picture};
use image::ImageFormat;
use serde_json::json;

#[tokio::test]
async fn an_article_is_shown_until_it_is_taken_down() {
    let desk = Desk::open().await;
    let url = desk.upload("media/uploadimg", "", picture(ImageFormat::Png, 8, 8)).await;
    let content = format!("<p>正文</p><p><img src=\"{}\"></p>", url["url"].as_str().unwrap());
    let media_id = desk.draft("不要<b>共享", &content).await;
    let front = desk.page("/").await;
    assert!(front.contains("还没有发出任何内容"));
    let draft = desk.page(&format!("/wechat/draft/{}/{media_id}", desk.app_id)).await;
    assert!(draft.contains("草稿预览") && draft.contains("<p>正文</p>"));

    let publish_id = desk.publish(&media_id).await;
    let get = desk.published(publish_id).await;
    let front = desk.page("/").await;
    assert!(front.contains("不要&lt;b&gt;共享") && !front.contains("不要<b>"), "titles are text");
    assert!(front.contains("left:-12.500%"), "the cover is cut as the crop says: {front}");
    let address = get["article_detail"]["item"][0]["article_url"].as_str().unwrap();
    let page = desk.page(address).await;
    assert!(page.contains("<p>正文</p>") && page.contains("山城示范银行"));
    assert!(page.contains("src=\"/wechat/mmbiz/mmbiz_png/"), "pictures come from this server");
    assert!(!page.contains("mmbiz.qpic.cn"), "and from nowhere else");

    let delete = json!({ "article_id": get["article_id"] });
    assert_eq!(desk.post("freepublish/delete", delete).await["errcode"], 0);
    for page in [desk.page(address).await, desk.page("/").await] {
        assert!(page.contains("该内容已被发布者删除") && !page.contains("<p>正文</p>"));
    }
    let gone = desk.client.get(desk.sandbox.url().join("wechat/s/unknown").unwrap());
    assert_eq!(gone.send().await.unwrap().status().as_u16(), 404);
}

#[tokio::test]
async fn several_articles_and_picture_messages_are_shown() {
    let desk = Desk::open().await;
    let cover = desk.cover().await;
    let articles = [news(&cover, "头条", "<p>一</p>"), news(&cover, "次条", "<p>二</p>")];
    let added = desk.post("draft/add", json!({ "articles": articles })).await;
    let draft = format!("/wechat/draft/{}/{}", desk.app_id, added["media_id"].as_str().unwrap());
    assert!(desk.page(&draft).await.contains("<p>一</p>"));
    assert!(desk.page(&format!("{draft}?article=2")).await.contains("<p>二</p>"));
    desk.publish(added["media_id"].as_str().unwrap()).await;
    let message = json!({ "articles": [{
        "article_type": "newspic",
        "title": "图片消息",
        "content": "三步\n看懂",
        "image_info": { "image_list": vec![json!({ "image_media_id": cover }); 5] },
    }] });
    let added = desk.post("draft/add", message).await;
    let publish_id = desk.publish(added["media_id"].as_str().unwrap()).await;
    let get = desk.published(publish_id).await;
    let front = desk.page("/").await;
    for shown in ["头条", "次条", "图片消息", "共 5 张图"] {
        assert!(front.contains(shown), "{shown}");
    }
    let address = get["article_detail"]["item"][0]["article_url"].as_str().unwrap();
    let page = desk.page(address).await;
    assert!(page.contains("三步\n看懂") && page.matches("<img").count() == 5);
}

#[tokio::test]
async fn pages_may_run_nothing_and_show_no_secret() {
    let desk = Desk::open().await;
    let media_id = desk.draft("标题", "<p onclick=\"x()\">a</p><script>x()</script>").await;
    let get = desk.published(desk.publish(&media_id).await).await;
    let address = get["article_detail"]["item"][0]["article_url"].as_str().unwrap();
    for path in ["/", address, "/style.css"] {
        let reply = desk.client.get(desk.sandbox.url().join(path).unwrap()).send().await.unwrap();
        let policy = reply.headers()["content-security-policy"].to_str().unwrap().to_owned();
        assert!(
            policy.contains("default-src 'none'") && !policy.contains("script-src"),
            "{policy}"
        );
        let page = reply.text().await.unwrap();
        assert!(!page.contains("<script") && !page.contains("onclick"));
        assert!(!page.contains(&desk.token) && !page.contains("access_token"));
        assert!(!page.contains("https://"), "nothing is fetched from elsewhere");
    }
}
