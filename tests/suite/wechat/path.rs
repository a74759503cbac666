//! The whole path over real HTTP: what subscribers have in the end, by the stand-in's own books.

use super::{
    account::{articles, empty_parcel, listing, message, picture},
    stage::{PUBLISHING, Stage, assert_clean},
};
use crate::behaviour::books::MemoryBooks;
use caishi::{
    deliver::{Commit, Confirmation, ErrorKind, Parcel, Retry, wechat::html},
    model::{Digest, MediaType},
};
use std::time::Duration;

#[tokio::test]
async fn an_article_goes_out_and_comes_down_again() {
    let stage = Stage::new("").await;
    let parcel = articles(&stage.books, &["正规客服不会要你共享屏幕"]);
    assert_eq!(stage.channel.preflight(&parcel), Vec::<String>::new());
    let prepared = stage.prepare(&parcel).await.unwrap();
    assert_eq!(prepared.notes, Vec::<String>::new(), "the platform changed nothing");
    assert_eq!(stage.account().drafts.len(), 1);

    let commit = stage.channel.commit(&parcel, &prepared, &stage.books).await.unwrap();
    let Commit::Accepted { remote_ref } = commit else { panic!("{commit:?}") };
    let confirm = || stage.channel.confirm(&parcel, &remote_ref, &stage.books);
    assert_eq!(confirm().await.unwrap(), Confirmation::Pending(Duration::from_secs(30)));
    assert_eq!(confirm().await.unwrap(), Confirmation::Pending(Duration::from_mins(2)));
    stage.shift(PUBLISHING);
    let Confirmation::Published(receipt) = confirm().await.unwrap() else { panic!() };
    assert!(receipt.url.as_ref().unwrap().contains("/wechat/s/"));

    let account = stage.account();
    assert_eq!((account.drafts.len(), account.publishes.len()), (0, 1));
    let article = &account.publishes[0].articles[0];
    let approved = stage.books_file(&parcel, 0).await;
    assert_eq!(html::visible_text(&article.content), html::visible_text(&approved));
    assert_eq!(article.digest, parcel.messages[0].digest_text);
    assert_eq!((stage.count("media/uploadimg"), account.materials.len()), (1, 1));

    let recalled = stage.channel.recall(&parcel, &receipt, &stage.books).await.unwrap();
    assert!(recalled.complete, "{}", recalled.detail);
    let deletions = stage.sandbox.books().deletions;
    assert_eq!((deletions.len(), deletions[0].index), (1, None), "all articles, once");
    let again = stage.channel.recall(&parcel, &receipt, &stage.books).await.unwrap();
    assert!(again.complete, "{}", again.detail);
    assert_clean(&stage);
}

impl Stage {
    async fn books_file(&self, parcel: &Parcel, message: usize) -> String {
        use caishi::deliver::Books as _;
        let content = parcel.messages[message].content.unwrap();
        String::from_utf8(self.books.file(&content).await.unwrap()).unwrap()
    }
}

/// Every other byte of the draft is the approved one.
#[tokio::test]
async fn only_the_slot_differs_from_what_was_approved() {
    let stage = Stage::new("").await;
    let parcel = articles(&stage.books, &["课"]);
    stage.prepare(&parcel).await.unwrap();
    let stored = stage.account().drafts[0].articles[0].content.clone();
    let approved = stage.books_file(&parcel, 0).await;
    let slot = format!("caishi-slot:{}", parcel.messages[0].pictures[0]);
    let (before, after) = approved.split_once(&slot).unwrap();
    let url = stored.strip_prefix(before).and_then(|rest| rest.strip_suffix(after));
    assert!(url.is_some_and(|url| url.starts_with("http")), "{stored}\n≠\n{approved}");
}

#[tokio::test]
async fn eight_articles_are_one_message_and_pictures_go_up_once() {
    let stage = Stage::new("").await;
    let titles = ["一", "二", "三", "四", "五", "六", "七", "八"];
    let parcel = articles(&stage.books, &titles);
    stage.deliver(&parcel).await.unwrap();
    let account = stage.account();
    assert_eq!(account.publishes.len(), 1);
    let out: Vec<_> = account.publishes[0].articles.iter().map(|one| one.title.as_str()).collect();
    assert_eq!(out, titles);
    assert_eq!((stage.count("media/uploadimg"), stage.count("material/add_material")), (8, 1));

    // Another week, another bundle: the pictures are there.
    let other = stage.books.of_delivery("d-2");
    let mut next = articles(&stage.books, &["九", "二"]);
    next.messages[0].pictures = parcel.messages[0].pictures.clone();
    next.delivery = "d-2".into();
    stage.deliver_with(&next, &other).await.unwrap();
    assert_eq!((stage.count("media/uploadimg"), stage.count("material/add_material")), (8, 1));
    assert_eq!(stage.account().publishes.len(), 2);
    assert!(stage.sandbox.books().limit_errors.is_empty());
}

fn picture_message(books: &MemoryBooks, pictures: u32) -> Parcel {
    let mut parcel = empty_parcel();
    let mut message = message("四步自救");
    for number in 0..pictures {
        let bytes = picture(108, 144 + number, false, image::ImageFormat::Png);
        parcel.files.push(listing(&format!("{number}.png"), MediaType::Png, &bytes));
        message.pictures.push(books.add_file(&bytes));
    }
    let text = "第一步 挂断\n第二步 冷静";
    parcel.files.push(listing("text.txt", MediaType::Text, text.as_bytes()));
    message.text = Some(books.add_file(text.as_bytes()));
    parcel.messages.push(message);
    parcel
}

#[tokio::test]
async fn a_picture_message_keeps_its_order() {
    let stage = Stage::new("").await;
    let parcel = picture_message(&stage.books, 20);
    let receipt = stage.deliver(&parcel).await.unwrap();
    assert!(receipt.url.is_some());
    let account = stage.account();
    let article = &account.publishes[0].articles[0];
    assert_eq!(article.content, "第一步 挂断\n第二步 冷静");
    let digests: Vec<String> = article
        .images
        .iter()
        .map(|id| {
            let found = account.materials.iter().find(|material| material.media_id == *id);
            found.unwrap().sha256.clone()
        })
        .collect();
    let approved: Vec<_> = parcel.messages[0].pictures.iter().map(Digest::to_string).collect();
    assert_eq!(digests, approved);
    assert_clean(&stage);
}

#[tokio::test]
async fn what_the_platform_takes_out_is_told() {
    let stage = Stage::new("").await;
    let mut parcel = articles(&stage.books, &["课"]);
    let html = "<section id=\"top\" style=\"position:absolute;color:red\"><p>看 \
                <a href=\"https://bank.example/\">官网</a></p><script>alert(1)</script></section>";
    parcel.files.push(listing("x.html", MediaType::Html, html.as_bytes()));
    parcel.messages[0].content = Some(stage.books.add_file(html.as_bytes()));
    parcel.messages[0].pictures.clear();
    let notes = stage.prepare(&parcel).await.unwrap().notes.join("\n");
    for lost in ["<section> 的属性 id", "样式 position", "标签 <script>", "<a> 的属性 href"]
    {
        assert!(notes.contains(&format!("平台删掉了{lost}")), "{notes}");
    }
    // What was done to the pictures is told too.
    let big = picture(1000, 1000, true, image::ImageFormat::Png);
    let mut parcel = articles(&stage.books, &["大图"]);
    let html = format!("<p>图</p><img src=\"caishi-slot:{}\">", Digest::of(&big));
    parcel.files.push(listing("big.png", MediaType::Png, &big));
    parcel.files.push(listing("big.html", MediaType::Html, html.as_bytes()));
    parcel.messages[0].pictures = vec![stage.books.add_file(&big)];
    parcel.messages[0].content = Some(stage.books.add_file(html.as_bytes()));
    let other = stage.books.of_delivery("d-2");
    let notes = stage.channel.prepare(&parcel, &other).await.unwrap().notes;
    assert!(notes.iter().any(|note| note.contains("转为 JPEG")), "{notes:?}");
    assert_clean(&stage);
}

#[tokio::test]
async fn content_that_cannot_go_is_refused_before_the_first_call() {
    let stage = Stage::new("").await;
    let mut parcel = articles(
        &stage.books,
        &["超过三十二个字的标题会被平台拒绝所以在发送之前就要说清楚请改短一些"],
    );
    let html = format!("<p>{}</p><img src=\"https://x.example/a.png\">", "长".repeat(20_000));
    parcel.files.push(listing("x.html", MediaType::Html, html.as_bytes()));
    parcel.messages[0].content = Some(stage.books.add_file(html.as_bytes()));
    let error = stage.prepare(&parcel).await.unwrap_err();
    assert_eq!((error.kind, error.retry), (ErrorKind::Content, Retry::Never));
    for fault in ["的标题有", "要少于 20000", "平台以外的图片"] {
        assert!(error.message.contains(fault), "{}", error.message);
    }
    assert_eq!(stage.sandbox.books().calls.len(), 0);
    let mut parcel = articles(&stage.books, &["坏图"]);
    let broken = stage.books.add_file(b"\x89PNG\r\n\x1a\n broken");
    parcel.files.push(listing("b.png", MediaType::Png, b"\x89PNG\r\n\x1a\n broken"));
    parcel.messages[0].cover_wide = Some(broken);
    let error = stage.prepare(&parcel).await.unwrap_err();
    assert!(error.message.contains("封面"), "{}", error.message);
    assert_eq!(stage.sandbox.books().calls.len(), 0);
}

/// One step below, at and above every limit: what pre-flight lets through, the platform takes.
#[tokio::test]
async fn what_preflight_lets_through_the_platform_takes() {
    let stage = Stage::new("").await;
    let mut cases: Vec<(&str, usize, bool)> = Vec::new();
    for (what, limit) in [("title", 32), ("author", 16), ("digest", 128), ("url", 1024)] {
        cases.extend([(what, limit - 1, true), (what, limit, true), (what, limit + 1, false)]);
    }
    cases.extend([("content", 19_999, true), ("content", 20_000, false), ("articles", 8, true)]);
    cases.extend([("articles", 9, false), ("pictures", 20, true), ("pictures", 21, false)]);
    for (number, (what, size, fits)) in cases.into_iter().enumerate() {
        let books = stage.books.of_delivery(&format!("d-{number}"));
        let mut parcel = match what {
            "articles" => articles(&books, &vec!["课"; size]),
            "pictures" => picture_message(&books, size as u32),
            _ => articles(&books, &["课"]),
        };
        let message = &mut parcel.messages[0];
        match what {
            "title" => message.title = "题".repeat(size),
            "author" => message.author = "行".repeat(size),
            "digest" => message.digest_text = "要".repeat(size),
            "url" => message.source_url = format!("https://a.example/{}", "q".repeat(size - 18)),
            "content" => {
                let picture = format!("<img src=\"caishi-slot:{}\">", message.pictures[0]);
                let tags = picture.len() - 76 + 200 + "<p></p>".len();
                let html = format!("<p>{}</p>{picture}", "字".repeat(size - tags));
                message.content = Some(books.add_file(html.as_bytes()));
                parcel.files.push(listing("x.html", MediaType::Html, html.as_bytes()));
            }
            _ => {}
        }
        parcel.delivery = format!("d-{number}");
        let calls = stage.sandbox.books().calls.len();
        match stage.channel.prepare(&parcel, &books).await {
            Ok(_) => assert!(fits, "{what} {size} is over the limit and was sent"),
            Err(error) => {
                assert!(!fits, "{what} {size}: {error}");
                assert_eq!(error.kind, ErrorKind::Content, "{what} {size}");
                assert_eq!(stage.sandbox.books().calls.len(), calls, "{what} {size}: no call");
            }
        }
    }
    assert_clean(&stage);
}
