//! What a reviewer sees in the outputs themselves: where findings stand, what changed since the
//! bytes that were approved before; and that no text of a lesson can do anything there.
//!
//! Longer than 400 lines: every view of the same two submissions, which are made once for all.

use super::{Answer, Browser, Office, Program, quoted};
use caishi::{
    console::marks::{
        change::{self, Change},
        find::Folded,
        flow::Flow,
        pixels::{self, Area},
    },
    model::{Digest, Words},
    store::Review,
};
use image::{ImageFormat, Rgba, RgbaImage};
use serde_json::Value;
use std::io::Cursor;

/// Pages besides pictures and texts.
fn channels() -> String {
    super::CHANNELS
        .replace("\"screen\", \"article\", \"post\"", "\"screen\", \"article\", \"portal\"")
}

async fn dossier(program: &Program, review: &Review) -> Value {
    let answer = program.get(&format!("/api/v1/reviews/{}", quoted(&review.number))).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    serde_json::from_str(&answer.text).unwrap()
}

fn specimen<'a>(dossier: &'a Value, output: &str, profile: &str) -> &'a Value {
    let of = |one: &&Value| one["output"] == output && one["profile"] == profile;
    let found = dossier["specimens"].as_array().unwrap().iter().find(of);
    found.unwrap_or_else(|| panic!("{output} {profile}: {dossier}"))
}

fn numbers(list: &Value) -> Vec<u64> {
    list.as_array().unwrap().iter().filter_map(Value::as_u64).collect()
}

fn finding<'a>(dossier: &'a Value, code: &str, says: &str) -> &'a Value {
    let of = |one: &&Value| one["code"] == code && one["reason"].as_str().unwrap().contains(says);
    let found = dossier["findings"].as_array().unwrap().iter().find(of);
    found.unwrap_or_else(|| panic!("{code} {says}: {}", dossier["findings"]))
}

/// What may be looked at as a page can do nothing, whoever wrote it.
fn assert_inert(answer: &Answer) {
    assert_eq!(answer.status, 200, "{}", answer.text);
    let policy = answer.header("content-security-policy");
    assert!(policy.starts_with("sandbox; default-src 'none'") && !policy.contains("script"));
    for evil in ["<script", "<img src=x", "<svg/onload"] {
        assert!(!answer.text.contains(evil), "{evil}: {}", answer.text);
    }
}

/// The bytes that go out are those of the digest, with nothing in them that is ours.
async fn assert_plain(browser: &Browser, specimen: &Value) {
    let path = specimen["href"].as_str().unwrap();
    let cookies = browser.cookies.lock().unwrap().clone();
    let cookies: Vec<String> =
        cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
    let request = browser.client.get(format!("{}{path}", browser.url));
    let answer = request.header("cookie", cookies.join("; ")).send().await.unwrap();
    assert_eq!(answer.headers()["x-content-sha256"], specimen["sha256"].as_str().unwrap());
    let bytes = answer.bytes().await.unwrap();
    assert_eq!(Digest::of(&bytes).to_string(), specimen["sha256"].as_str().unwrap(), "{path}");
    assert!(!String::from_utf8_lossy(&bytes).contains("caishi-mark"));
}

fn body(office: &Office, review: &Review, paragraphs: &str) {
    let file = format!("lessons/{}/lesson.md", review.lessons[0]);
    office.town.edit(&file, "\n## ", &format!("\n{paragraphs}\n\n## "));
}

/// On the page: which numbers, a way to switch, the reasons.
fn assert_page(page: &str, href: &str, number: &Value) {
    assert!(page.contains(&format!("src=\"{href}?view=marked\"")), "{page}");
    assert!(page.contains("发出去的样子") && page.contains("原始字节"));
    assert!(page.contains(&format!("<li id=\"f{number}\">")) && page.contains("见于"));
}

/// Writes a half-width comma on the poster of a lesson.
fn widen_comma(office: &Office, review: &Review) {
    let path = office.town.path("content/lessons").join(review.lessons[0].as_str());
    let path = path.join("lesson.md");
    let text = std::fs::read_to_string(&path).unwrap();
    let (before, poster) = text.split_once("\n:::screen\n").unwrap();
    let poster = poster.replacen("，**", ",**", 1);
    std::fs::write(&path, format!("{before}\n:::screen\n{poster}")).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn findings_are_marked_where_they_stand() {
    let office = Office::with(&channels()).await;
    let program = office.program("reviewer", &["reviews.read"]).await;
    let review = office.town.submit().await;
    let paragraphs = "办**KYC**要先问家人，是最**有效**的办法。\n\n\
        <!-- lint-allow B204 reason=\"沿用去年口号\" until=2027-03-31 -->\n多问一句，就是最好的防线。";
    body(&office, &review, paragraphs);
    widen_comma(&office, &review);
    let review = office.town.submit().await;

    let read = dossier(&program, &review).await;
    let slogan = finding(&read, "B204", "是最有效的办法");
    let waived = finding(&read, "B204", "就是最好的防线");
    let comma = finding(&read, "E509", "应当是");
    assert!(slogan["waiver"].is_null() && !waived["waiver"].is_null());
    let article = specimen(&read, "article", "");
    let place = |finding: &Value| {
        let places = article["places"].as_array().unwrap().iter();
        places.filter(|place| place["finding"] == finding["number"]).count()
    };
    assert_eq!((place(slogan), place(waived), place(comma)), (1, 1, 0), "{article}");
    assert!(numbers(&article["absent"]).contains(&comma["number"].as_u64().unwrap()));
    let words = article["places"].as_array().unwrap().iter().map(|place| &place["words"]);
    assert!(words.clone().any(|words| words == "是最有效的办法"), "{article}");
    let shown = slogan["shown_in"].as_array().unwrap();
    assert!(shown.iter().any(|output| output == "微信文章 通用版"), "{slogan}");

    // In the article: the words across their mark-up, the rule, the way to the reason and back.
    let browser = office.browser("reviewer").await;
    let href = article["href"].as_str().unwrap();
    let view = browser.get(&format!("{href}?view=marked")).await;
    assert_inert(&view);
    let number = &slogan["number"];
    assert!(view.text.contains(&format!("<a href=\"#caishi-f{number}\">{number} B204</a>")));
    assert!(view.text.contains(&format!("id=\"caishi-f{number}\"")));
    assert!(view.text.contains("<mark class=\"caishi-mark\">有效</mark>"), "{}", view.text);
    assert!(view.text.contains("<mark class=\"caishi-mark caishi-waived\">就是最好的防线</mark>"));
    assert!(view.text.contains("B204 豁免</a>") && view.text.contains("沿用去年口号"));
    assert!(view.text.contains("没有在这份成品里找到对应的字"));
    assert!(view.text.contains("不是要发出去的字节"));
    assert_eq!(view.header("x-view-of-sha256"), article["sha256"].as_str().unwrap());
    assert_plain(&browser, article).await;
    let path = format!("{href}?view=marked");
    let headers = [("accept-language", "en")];
    let english = browser.send(reqwest::Method::GET, &path, &headers, None).await;
    assert!(english.text.contains("With findings marked"));

    let page = browser.get(&format!("/console/reviews/{}", quoted(&review.number))).await.text;
    assert_page(&page, href, number);

    // On the poster: a frame around the comma, drawn from a layout of the very bytes.
    let poster = specimen(&read, "screen", "portrait-fhd");
    assert_eq!(numbers(&poster["concerns"]), [comma["number"].as_u64().unwrap()]);
    let href = poster["href"].as_str().unwrap();
    let view = browser.get(&format!("{href}?view=marked")).await;
    assert_inert(&view);
    assert_eq!(view.text.matches("<rect class=\"f\"").count(), 1, "{}", view.text.len());
    assert!(view.text.contains(&format!("{} E509</text>", comma["number"])));
    assert_plain(&browser, poster).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn markup_in_a_lesson_stays_text_in_every_view() {
    const EVIL: &str =
        "\\<script\\>alert(1)\\</script\\>办**KYC**\"\\>\\<img src=x onerror=alert(1)\\>";
    let office = Office::with(&channels()).await;
    let program = office.program("reviewer", &["reviews.read"]).await;
    let first = office.town.submit().await;
    office.town.approve(&first).await;
    body(&office, &first, EVIL);
    let file = format!("lessons/{}/lesson.md", first.lessons[0]);
    office.town.edit(&file, "\ntitle: ", "\ntitle: \"<svg/onload=alert(1)>KYC怎么办\" #");
    let words = "“平台客服”说你误开了会员，要你装软件、开共享？先挂断。屏幕一共享，密码和验证码对方都看得见。";
    office.town.edit(&file, words, "\"\\>\\<img src=x onerror=alert(1)\\>别急,先问。");
    let review = office.town.submit().await;
    let read = dossier(&program, &review).await;
    let browser = office.browser("reviewer").await;
    let mut seen = 0;
    for one in read["specimens"].as_array().unwrap() {
        let href = one["href"].as_str().unwrap();
        let mut views = vec![format!("{href}?view=marked")];
        views.extend(one["changes"].as_str().map(str::to_owned));
        for view in views {
            let answer = browser.get(&view).await;
            assert_inert(&answer);
            seen += usize::from(answer.text.contains("alert(1)"));
        }
        assert_plain(&browser, one).await;
    }
    assert!(seen >= 4, "the words are there as words: {seen}");
    let page = browser.get(&format!("/console/reviews/{}", quoted(&review.number))).await.text;
    for evil in ["<script>alert", "<img src=x", "<svg/onload"] {
        assert!(!page.contains(evil), "{page}");
    }
    let post = specimen(&read, "post", "");
    // The source writes the characters otherwise, so the whole of them is marked.
    assert_eq!(post["places"].as_array().unwrap().len(), 1, "{post}");
    let inert = "<mark>&#34;&#62;&#60;img src=x onerror=alert(1)&#62;别急,先问。";
    assert!(page.contains(inert), "{page}");
}

/// What came and went, in an article and on a poster; and what is not compared.
async fn assert_changes(browser: &Browser, article: &Value, poster: &Value, post: &Value) {
    // In the article: the sentence that came, and the number that went.
    let view = browser.get(article["changes"].as_str().unwrap()).await;
    assert_inert(&view);
    assert!(view.text.contains("<ins class=\"caishi-ins\">多问一句，钱就稳一分"), "{}", view.text);
    assert!(view.text.contains("<del class=\"caishi-del\">") && view.text.contains("的样子"));
    // On the poster: before, after, how much and where.
    assert_eq!(poster["fate"], "changed");
    let view = browser.get(poster["changes"].as_str().unwrap()).await;
    assert_inert(&view);
    assert!(view.text.contains("的像素变了") && view.text.contains("以前的"));
    assert_eq!(
        view.text.matches("data:image/png;base64,").count(),
        3,
        "before, after, what changed"
    );
    // Nothing is compared with what no submission carries, nor one sort with another.
    let href = poster["href"].as_str().unwrap();
    let other = post["href"].as_str().unwrap().trim_start_matches("/console/outputs/").to_owned();
    for before in
        [String::new(), "x/y".into(), format!("{}/{}", "0".repeat(64), "0".repeat(64)), other]
    {
        let answer = browser.get(&format!("{href}?view=changes&before={before}")).await;
        assert_eq!(answer.status, 404, "{before}: {}", answer.text);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_output_says_what_became_of_the_approved_bytes() {
    let office = Office::with(&channels()).await;
    let program = office.program("reviewer", &["reviews.read"]).await;
    let first = office.town.submit().await;
    let read = dossier(&program, &first).await;
    assert_eq!(specimen(&read, "article", "")["fate"], "new", "nothing was approved before");
    office.town.approve(&first).await;
    body(&office, &first, "多问一句，钱就稳一分。");
    let file = format!("lessons/{}/lesson.md", first.lessons[0]);
    office.town.edit(&file, "先挂断。**", "马上挂断。**");
    // A branch has another screen now: a profile comes, and the branch leaves the old one.
    let screens = office.town.path("content/screens.csv");
    let text = std::fs::read_to_string(&screens).unwrap();
    let moved = "b002,s1,landscape-fhd,1920,1080,952.3,3,15";
    let lines: Vec<&str> =
        text.lines().map(|line| if line.starts_with("b002,") { moved } else { line }).collect();
    std::fs::write(&screens, format!("{}\n", lines.join("\n"))).unwrap();
    let second = office.town.submit().await;

    let read = dossier(&program, &second).await;
    assert_eq!(read["compared_with"], first.number);
    let post = specimen(&read, "post", "");
    assert_eq!((&post["fate"], &post["changes"]), (&"same".into(), &Value::Null), "{post}");
    assert_eq!(specimen(&read, "screen", "landscape-fhd")["fate"], "new");
    let (article, portal) = (specimen(&read, "article", ""), specimen(&read, "portal", ""));
    assert_eq!(article["fate"], "changed");
    assert_eq!(article["only_number"], false);
    let quiz = specimen(&read, "portal", "quiz");
    assert!(quiz["fate"] == "same" || quiz["only_number"] == true, "{quiz}");
    assert_eq!(portal["fates"]["changed"], portal["alike"], "{portal}");
    let gone = read["gone"].as_array().unwrap();
    assert_eq!(gone.len(), 1, "{gone:?}");
    assert_eq!(
        (&gone[0]["profile"], &gone[0]["branches"][0]),
        (&"portrait-fhd".into(), &"b002".into())
    );

    let browser = office.browser("reviewer").await;
    let page = browser.get(&format!("/console/reviews/{}", quoted(&second.number))).await.text;
    for words in
        ["和上次批准的一个字节不差", "和上次批准的不同", "＋ 新的", "− 没有了", "看改了哪里"]
    {
        assert!(page.contains(words), "{words}: {page}");
    }
    assert_changes(&browser, article, specimen(&read, "screen", "portrait-fhd"), post).await;
}

/// Passages as the check would have them, pages as renderers write them, and what is found.
#[test]
fn words_are_found_whatever_stands_between_them() {
    let cases: &[(&str, &str, [&str; 3], &[&str])] = &[
        ("as it is", "<p>先问家人，再转账。</p>", ["先", "问家人", "，再转账。"], &["问家人"]),
        (
            "entities",
            "<p>A&amp;B&nbsp;公司&lt;骗&gt;人</p>",
            ["", "A&B 公司<骗>", "人"],
            &["A&B\u{a0}公司<骗>"],
        ),
        (
            "over inline tags",
            "<p>是最<strong>有<span>效</span></strong>的办法</p>",
            ["是", "最有效的", "办法"],
            &["最有效的"],
        ),
        (
            "over lines and blocks",
            "<p>谁催您\n 当场</p><p>交钱</p>",
            ["", "谁催您当场交钱", ""],
            &["谁催您\n 当场\n交钱"],
        ),
        (
            "around a footnote",
            "<p>排在首位<sup>[1]</sup>。先给</p>",
            ["", "首位。先给", ""],
            &["首位[1]。先给"],
        ),
        (
            "the second of two",
            "<p>多存一点，放心。</p><p>骗子说：放心。</p>",
            ["骗子说：", "放心", "。"],
            &["放心"],
        ),
        ("both of two", "<h1>别急</h1><p>别急</p>", ["", "别急", ""], &["别急", "别急"]),
        ("short words of another sentence", "<p>我们放心地走</p>", ["骗子说：", "放心", "。"], &[]),
        ("not there", "<p>先问家人</p>", ["", "就是最好的防线", ""], &[]),
        (
            "not in a script, a style, a title",
            "<title>保本</title><script>保本</script><style>保本</style><p>好</p>",
            ["", "保本", ""],
            &[],
        ),
    ];
    for (name, html, [before, words, after], expected) in cases {
        let flow = Flow::of_page(html);
        let words =
            Words { before: (*before).into(), words: (*words).into(), after: (*after).into() };
        let found: Vec<String> = Folded::new(&flow)
            .find(&words)
            .into_iter()
            .map(|range| flow.text[range].to_owned())
            .collect();
        assert_eq!(found, *expected, "{name}");
    }
}

#[test]
fn places_are_told_apart_and_numbers_found() {
    let hotline = caishi::check::passage::REFERENCE;
    // The second of two is the second: its place is behind the first.
    let flow = Flow::of_page("<p>多存一点，放心。</p><p>骗子说：放心。</p>");
    let words =
        Words { before: "骗子说：".into(), words: "放心".into(), after: "。".into() };
    assert!(Folded::new(&flow).find(&words)[0].start > flow.text.find("放心").unwrap());
    // A telephone reference is the number that stands there; alone, what stands before leads to it.
    let flow = Flow::of_page("<p>受骗请拨<b>0000-96110</b>，马上。</p>");
    let find = |before: &str, words: &str| {
        let words = Words { before: before.into(), words: words.into(), after: String::new() };
        let found = Folded::new(&flow).find(&words);
        found.into_iter().map(|range| flow.text[range].to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(find("", &format!("请拨{hotline}，马上")), ["请拨0000-96110，马上"]);
    assert_eq!(find("受骗请拨", &hotline.to_string()), ["0000-96110"]);
    // A long paragraph of which an output shows a part is found sentence by sentence.
    let flow = Flow::of_page("<p>先停下来问一问家人。后面是别的话。</p>");
    let words = "先停下来问一问家人。再到柜台当面问一问。";
    let words = Words { words: words.into(), ..Words::default() };
    let found = Folded::new(&flow).find(&words);
    assert_eq!(found.len(), 1);
    assert_eq!(&flow.text[found[0].clone()], "先停下来问一问家人。");
}

#[test]
fn a_page_is_written_again_as_it_was_without_what_could_act() {
    let same = "<!doctype html><html lang=\"zh-CN\"><head><meta charset=\"utf-8\"><title>A &amp; B</title>\
        <style>p > a{color:red}</style></head><body><p>一<br>二 &lt;三&gt;</p><svg viewBox=\"0 0 1 1\">\
        <path d=\"M0 0\"/></svg></body></html>";
    // Names are written small; within drawings a browser knows how they are meant.
    assert_eq!(Flow::of_page(same).with(&[], "", ""), same.replace("viewBox", "viewbox"));
    let evil = "<p onclick=\"x()\">好<script>alert(1)</script><iframe src=\"//x\">保</iframe><img src=x \
        onerror=alert(1)>&lt;script&gt;</p><object data=x><p>内</p></object>";
    let written = Flow::of_page(evil).with(&[], "", "");
    assert_eq!(written, "<p>好<img src=\"x\">&lt;script&gt;</p>");
}

#[test]
fn words_that_came_and_went_are_told_in_whole_phrases() {
    let told = |old: &str, new: &str| -> String {
        let piece = |change: Change| match change {
            Change::Same(range) => new[range].to_owned(),
            Change::Added(range) => format!("+{}+", &new[range]),
            Change::Removed(text, _) => format!("-{text}-"),
        };
        change::compare(old, new).into_iter().map(piece).collect()
    };
    let cases = [
        ("先问家人。", "先问家人。", "先问家人。"),
        ("", "新的", "+新的+"),
        ("旧的", "", "-旧的-"),
        ("到期日是2026年。", "到期日是2027年。", "到期日是-2026-+2027+年。"),
        ("先问家人再转账", "先停下来再转账", "先-问家人-+停下来+再转账"),
        // What stayed by chance between two changes goes with them.
        ("张三的钱和李四的", "王五的钱和赵六的", "-张三-+王五+的钱和-李四-+赵六+的"),
        ("张三的李四去", "王五的赵六去", "-张三的李四-+王五的赵六+去"),
    ];
    for (old, new, expected) in cases {
        assert_eq!(told(old, new), expected, "{old} → {new}");
    }
    // Texts without anything in common end in time.
    let noise = |seed: u32| -> String {
        let next = |n: u32| char::from_u32(0x4E00 + (n * seed) % 20_000).unwrap();
        (1..20_000).map(next).collect()
    };
    let began = std::time::Instant::now();
    assert!(!change::compare(&noise(7919), &noise(104_729)).is_empty());
    assert!(began.elapsed().as_secs() < 8, "{:?}", began.elapsed());
}

fn png(picture: &RgbaImage) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    picture.write_to(&mut bytes, ImageFormat::Png).unwrap();
    bytes.into_inner()
}

#[test]
fn exactly_the_pixels_that_changed_are_marked() {
    let white = RgbaImage::from_pixel(640, 480, Rgba([255, 255, 255, 255]));
    let mut changed = white.clone();
    for (x, y) in (10..30).flat_map(|x| (5..9).map(move |y| (x, y))) {
        changed.put_pixel(x, y, Rgba([0, 0, 0, 255]));
    }
    changed.put_pixel(600, 400, Rgba([255, 255, 254, 255]));
    let compared = pixels::compare(&png(&white), &png(&changed)).unwrap();
    assert_eq!((compared.changed, compared.pixels), (81, 640 * 480));
    let areas =
        [Area { x: 10, y: 5, width: 20, height: 4 }, Area { x: 600, y: 400, width: 1, height: 1 }];
    assert_eq!(compared.areas, areas);
    let veil = image::load_from_memory(&compared.veil).unwrap().into_rgba8();
    for (x, y, pixel) in veil.enumerate_pixels() {
        let differs = changed.get_pixel(x, y) != white.get_pixel(x, y);
        assert_eq!(pixel.0[3] > 0, differs, "{x} {y}");
    }
    // The same, of other sizes, and no picture at all.
    let same = pixels::compare(&png(&white), &png(&white)).unwrap();
    assert!(same.areas.is_empty() && same.percent() == 0.0);
    let wider = RgbaImage::from_pixel(660, 480, Rgba([255, 255, 255, 255]));
    let compared = pixels::compare(&png(&white), &png(&wider)).unwrap();
    assert_eq!(compared.areas, [Area { x: 640, y: 0, width: 20, height: 480 }]);
    assert!(pixels::compare(b"no picture", &png(&white)).unwrap_err().contains("打不开"));
}
