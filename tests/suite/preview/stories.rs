//! A day of an author: write, look, break, mend, compare.

use super::{CONFIG, Desk, Folder, digest_of, files};
use crate::publishing::town::{CHANNELS, Town};
use caishi::{
    build::{self, Request},
    config::Config,
    model::{Digest, LessonId},
    read,
};
use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
};

#[tokio::test(flavor = "multi_thread")]
async fn every_byte_that_is_shown_is_the_byte_that_is_built() {
    let desk = Desk::new().await;
    let config = Config::load(&desk.path("channels.toml")).unwrap();
    let out = desk.path("out");
    let reading = read::read_library(&config.content);
    let lesson = LessonId::new("telecom-fraud").unwrap();
    let request = Request { out: out.clone(), lessons: vec![lesson.clone()], ..Request::default() };
    let built = build::build(&config, &reading.library, &request, &|_, _| {}).unwrap();
    assert!(built.failures.is_empty());
    let built: BTreeMap<String, Digest> =
        built.listings.into_iter().map(|file| (file.path, file.sha256)).collect();

    let mut seen = BTreeSet::new();
    for audience in ["general", "elder", "student"] {
        for place in ["", "&branch=b001", "&branch=b002"] {
            let page = desk.finished(&format!("audience={audience}{place}")).await;
            for (path, sha256) in files(&page) {
                assert_eq!(
                    Some(&sha256),
                    built.get(&path).map(Digest::to_string).as_ref(),
                    "{path}"
                );
                if !seen.insert(path.clone()) {
                    continue;
                }
                let name = path.rsplit('/').next().unwrap();
                let answer = desk.get(&format!("/bytes/{sha256}/{name}")).await;
                let shown = answer.bytes().await.unwrap();
                assert!(shown == fs::read(out.join(&path)).unwrap(), "{path}");
            }
        }
    }
    let all: BTreeSet<String> = built.into_keys().collect();
    assert_eq!(seen, all, "every output of the lesson is shown");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_save_is_shown_texts_first_and_a_fault_keeps_the_last_good_outputs() {
    let desk = Desk::new().await;
    let before = desk.finished("audience=general").await;
    let mut events = desk.listen("audience=general").await;

    // Every picture but the posters' carries the headline, so all of it is made again.
    desk.edit("headline: 正规客服不会|要你[共享屏幕]", "headline: 真的客服不会|要你[共享屏幕]");
    let (told, kinds) = events.until(|event| event["kind"] == "text").await;
    assert_eq!(kinds, Vec::<String>::new(), "texts come first");
    assert!(told["pending"].as_u64().unwrap() > 0, "pictures are still to be made: {told}");
    let page = desk.text("/lesson/telecom-fraud?audience=general").await;
    let article = digest_of(&page, "/article.html");
    assert_ne!(article, digest_of(&before, "/article.html"));
    let shown = desk.text(&format!("/article/{article}?lesson=telecom-fraud")).await;
    assert!(shown.contains("真的客服不会"), "the new words are in the frame");
    let (_, kinds) = events.until(|event| event["kind"] == "compared").await;
    assert!(kinds.contains(&"checked".to_owned()) && kinds.contains(&"output".to_owned()));
    let page = desk.finished("audience=general").await;
    assert_ne!(
        digest_of(&page, "telecom-fraud.general.png"),
        digest_of(&before, "telecom-fraud.general.png")
    );

    desk.edit("priority: normal", "priorty: normal");
    events.until(|event| event["kind"] == "text" && event["is_broken"] == true).await;
    let broken = desk.text("/lesson/telecom-fraud?audience=general").await;
    assert!(broken.contains("这一课现在读不了：错误 1 处"), "a banner");
    assert!(broken.contains("lessons/telecom-fraud/lesson.md 第 14 行第 1 列"), "where");
    assert!(broken.contains("前言没有“priorty”这个键"), "what was expected");
    assert!(broken.contains("是不是想写 priority？"), "what to do");
    assert!(broken.contains("<mark class=\"error\">priorty</mark>: normal"), "beside the line");
    assert_eq!(digest_of(&broken, "/article.html"), article, "the last good bytes stay");

    desk.edit("priorty: normal", "priority: normal");
    events.until(|event| event["kind"] == "text" && event["is_broken"] == false).await;
    let mended = desk.finished("audience=general").await;
    assert!(!mended.contains("读不了"));
    assert_eq!(digest_of(&mended, "/article.html"), article);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_newer_save_ends_the_work_for_the_older_one() {
    let desk = Desk::new().await;
    desk.text("/lesson/telecom-fraud?audience=general").await;
    let mut events = desk.listen("audience=general").await;
    desk.edit("headline: 正规客服不会|要你[共享屏幕]", "headline: 真的客服不会|要你[共享屏幕]");
    let (older, _) = events.until(|event| event["kind"] == "text").await;
    // Its paper takes seconds.
    desk.edit("headline: 真的客服不会|要你[共享屏幕]", "headline: 好的客服不会|要你[共享屏幕]");
    let (done, _) = events.until(|event| event["kind"] == "compared").await;
    assert!(done["number"].as_u64() > older["number"].as_u64(), "{done} after {older}");
    let page = desk.finished("audience=general").await;
    assert!(page.contains("alt=\"好的客服不会要你共享屏幕\""), "the posters are the newer ones");
    assert!(!page.contains("上一次的") && !page.contains("正在生成"), "all of them");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_check_finds_stands_beside_its_line() {
    let desk = Desk::new().await;
    let mut events = desk.listen("audience=general").await;
    desk.edit("title: 对方让你共享屏幕？请立刻挂断", "title: 保证收益的理财");
    events.until(|event| event["kind"] == "checked").await;
    let page = desk.text("/lesson/telecom-fraud?audience=general").await;
    assert!(page.contains("<mark class=\"error\">保证收益</mark>"), "the words are marked");
    let line = page.split("id=\"L-lesson.md-5\"").nth(1).unwrap();
    let line = line.split("id=\"L-lesson.md-6\"").next().unwrap();
    for part in ["B201", "错误", "依据：《广告法》", "删去保证"] {
        assert!(line.contains(part), "{part} stands at line 5: {line}");
    }
    assert!(page.contains("href=\"#L-lesson.md-5\""), "a click leads there");
    let list = desk.text("/").await;
    let row = list.split("href=\"/lesson/telecom-fraud\"").nth(1).unwrap();
    let row = row.split("</tr>").next().unwrap();
    assert!(row.contains("错误 1"), "the list says so too: {row}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broken_registry_is_named_on_the_lesson_that_needs_it() {
    let desk = Desk::new().await;
    let before = desk.text("/lesson/telecom-fraud?audience=general").await;
    let mut events = desk.listen("audience=general").await;
    let path = desk.path("content/hotlines.toml");
    let text = fs::read_to_string(&path).unwrap();
    fs::write(&path, format!("= broken\n{text}")).unwrap();
    let page = desk.saved(&mut events, |page| page.contains("别的文件写错了")).await;
    assert!(page.contains("hotlines.toml 第 1 行"), "{page}");
    assert_eq!(digest_of(&page, "/article.html"), digest_of(&before, "/article.html"));
    fs::write(&path, text).unwrap();
    desk.saved(&mut events, |page| !page.contains("别的文件写错了")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn saving_by_renaming_and_replacing_the_whole_folder_are_noticed() {
    let desk = Desk::new().await;
    let mut events = desk.listen("audience=general").await;
    let text = fs::read_to_string(desk.lesson_file()).unwrap();

    let draft = desk.path("content/lessons/telecom-fraud/.lesson.md.swp");
    fs::write(&draft, text.replace("谁在电话里让你", "谁在电话里叫你")).unwrap();
    fs::rename(&draft, desk.lesson_file()).unwrap();
    desk.saved(&mut events, |page| page.contains("谁在电话里叫你")).await;

    // As a checkout of another branch does, or somebody who unpacks an archive.
    let (content, old) = (desk.path("content"), desk.path("content.old"));
    let copied = desk.path("content.new");
    crate::publishing::town::copy(&content, &copied);
    fs::write(
        copied.join("lessons/telecom-fraud/lesson.md"),
        text.replace("谁在电话里让你", "谁在电话里劝你"),
    )
    .unwrap();
    fs::rename(&content, &old).unwrap();
    fs::rename(&copied, &content).unwrap();
    desk.saved(&mut events, |page| page.contains("谁在电话里劝你")).await;
    // And what is saved in the new folder.
    desk.edit("谁在电话里劝你", "谁在电话里求你");
    desk.saved(&mut events, |page| page.contains("谁在电话里求你")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn templates_and_configuration_are_noticed_and_faults_in_them_keep_the_old_ones() {
    let config = format!("{CONFIG}\n[templates]\nfolder = \"mine\"\n");
    let desk = Desk::with(&config, |folder| {
        let palettes = include_str!("../../../templates/palettes.toml");
        fs::create_dir(folder.join("mine")).unwrap();
        fs::write(folder.join("mine/palettes.toml"), palettes).unwrap();
    })
    .await;
    let before = desk.text("/lesson/telecom-fraud?audience=general").await;
    assert!(before.contains("试看：内置模板"), "the built-in look can be compared");
    let mut events = desk.listen("audience=general").await;
    let palettes = desk.path("mine/palettes.toml");
    let text = fs::read_to_string(&palettes).unwrap();

    fs::write(&palettes, text.replace("#0E3A4F", "#103B50")).unwrap();
    let old = digest_of(&before, "portal/index.html");
    let page = desk.saved(&mut events, |page| digest_of(page, "portal/index.html") != old).await;
    let trial = desk.text("/lesson/telecom-fraud?audience=general&look=built-in").await;
    assert!(trial.contains("不是会发出去的字节"), "a trial says that it is one");
    assert_eq!(digest_of(&trial, "portal/index.html"), digest_of(&before, "portal/index.html"));

    fs::write(&palettes, text.replace("#0E3A4F", "blue")).unwrap();
    let faulty =
        desk.saved(&mut events, |page| page.contains("配置或模板写错了，还在用上一次的")).await;
    assert!(faulty.contains("应写成 #RRGGBB"));
    assert_eq!(digest_of(&faulty, "portal/index.html"), digest_of(&page, "portal/index.html"));

    fs::write(&palettes, &text).unwrap();
    events.until(|event| event["kind"] == "text").await;
    fs::write(desk.path("channels.toml"), config.replace("山城示范银行", "山城样板银行")).unwrap();
    events.until(|event| event["kind"] == "text").await;
    let renamed = desk.text("/lesson/telecom-fraud?audience=general").await;
    assert!(!renamed.contains("写错了"));
    assert_ne!(
        digest_of(&renamed, "sms.txt"),
        digest_of(&before, "sms.txt"),
        "the bank's new name"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_changed_since_the_approved_version_is_shown_to_the_byte() {
    let town = Town::with(CHANNELS).await;
    let review = town.submit().await;
    town.approve(&review).await;
    let desk = Desk::at(Folder::Of(town.folder.path().to_owned())).await;

    let same = desk.finished("audience=general").await;
    assert!(same.contains(&format!("上次批准：<strong>{}</strong>", review.number)), "{same}");
    assert!(same.contains("源文件没有改过"));
    let numbered = desk.finished("audience=general&number=approved").await;
    let approved = |name: &str| digest_of(&numbered, name);
    let article = desk.text(&format!("/bytes/{}/article.html", approved("/article.html"))).await;
    assert!(article.contains(&review.number), "the number is in the footer");
    assert!(row(&same, "/article.html").contains("与批准的一致"), "made under its number");
    assert!(row(&same, "telecom-fraud.general.png").contains("与批准的一致"));
    assert!(row(&same, "sms.txt").contains("没有批准过"), "no channel carries it");

    let mut events = desk.listen("audience=general").await;
    desk.edit("谁在电话里让你打开屏幕共享", "谁在电话里叫你打开屏幕共享");
    events.until(|event| event["kind"] == "compared").await;
    let changed = desk.finished("audience=general").await;
    assert!(row(&changed, "/article.html").contains("和批准的不同"));
    assert!(row(&changed, "telecom-fraud.general.png").contains("与批准的一致"));
    let removed = changed.split("class=\"removed\"").nth(1).unwrap();
    assert!(removed.split("</tr>").next().unwrap().contains("谁在电话里让你打开屏幕共享"));
    let added = changed.split("class=\"added\"").nth(1).unwrap();
    assert!(added.split("</tr>").next().unwrap().contains("谁在电话里叫你打开屏幕共享"));
}

/// A file's row of the table.
fn row<'a>(page: &'a str, name: &str) -> &'a str {
    let mut rows = page.split("<tr data-path=\"").skip(1);
    rows.find(|row| row.split('"').next().unwrap().ends_with(name)).unwrap_or_else(|| {
        panic!("no row of {name}");
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_ledger_it_works_and_makes_none() {
    let config = CHANNELS.replace("CAISHI_TEST_WEBHOOK", "CAISHI_A_SECRET_THAT_IS_NOT_THERE");
    let desk = Desk::with(&config, |_| {}).await;
    let page = desk.finished("audience=general").await;
    assert!(page.contains("还没有台账"), "it says so");
    let mut names: Vec<String> = fs::read_dir(desk.path(""))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    assert_eq!(names, ["channels.toml", "content"], "nothing is written");
}

#[tokio::test(flavor = "multi_thread")]
async fn frames_say_what_the_screen_and_the_paper_are() {
    let desk = Desk::new().await;
    let page = desk.finished("audience=elder&branch=b001&zoom=stand&mode=dark&size=huge").await;
    // A screen of 535.7 mm at 3 m, seen at half a metre: 89.3 mm, at 96 pixels an inch.
    assert!(page.contains("width=\"337\" height=\"600\""), "{page}");
    assert!(page.contains("1080 × 1920 像素，536 × 952 毫米 · 站 3 米看 · 放 15 秒"));
    assert!(page.contains("成品 210 × 297 毫米，四边各出血 3 毫米（整张 216 × 303），1 页"));
    assert!(page.contains("成品 297 × 210 毫米，四边各出血 3 毫米（整张 303 × 216），2 页"));
    let article = digest_of(&page, "/article.html");
    let plain = desk.text(&format!("/bytes/{article}/article.html")).await;
    let frame = format!("/article/{article}?lesson=telecom-fraud&audience=elder");
    let shown = desk.text(&format!("{frame}&mode=dark&size=huge")).await;
    assert!(shown.contains("class=\"dark\""));
    let sizes = |html: &str| -> Vec<f64> {
        let sizes = html.split("font-size:").skip(1);
        sizes.map(|rest| rest.split("px").next().unwrap().parse().unwrap()).collect()
    };
    let own = sizes(&plain);
    // The page around the article has two sizes of its own.
    let large = sizes(&shown).split_off(sizes(&shown).len() - own.len());
    assert!(!own.is_empty());
    for (own, large) in own.iter().zip(large) {
        assert!((large - own * 1.5).abs() < 0.06, "{own} became {large}");
    }
    let as_is = desk.text(&frame).await;
    let without_slots = |html: &str| html.matches("<p").count();
    assert!(without_slots(&as_is) >= without_slots(&plain));
    assert!(!as_is.contains("src=\"caishi-slot:"), "pictures have addresses");
}
