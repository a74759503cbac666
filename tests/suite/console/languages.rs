//! Two languages: the switch leads back, and Chinese words in an English page say what they are.

use super::Office;
use caishi::console::foreign::marked;
use reqwest::Method;

#[test]
fn chinese_words_say_so_and_nothing_else_is_touched() {
    const CASES: [(&str, &str); 14] = [
        ("<p>Nothing here</p>", "<p>Nothing here</p>"),
        ("<p>防诈骗</p>", "<p><span lang=\"zh-CN\">防诈骗</span></p>"),
        ("<p> 11-30 周一 08:00 </p>", "<p> <span lang=\"zh-CN\">11-30 周一 08:00</span> </p>"),
        (
            "<li>Signed by 审查岗乙（消保）。 until Monday</li>",
            "<li>Signed by <span lang=\"zh-CN\">审查岗乙（消保）。</span> until Monday</li>",
        ),
        (
            "<p>A<b>“存款</b>保险”: B</p>",
            "<p>A<b><span lang=\"zh-CN\">“存款</span></b><span lang=\"zh-CN\">保险”</span>: B</p>",
        ),
        // A start tag says it where no element fits inside.
        ("<option value=\"x\">甲</option>", "<option value=\"x\" lang=\"zh-CN\">甲</option>"),
        ("<title>课 · Caishi</title>", "<title lang=\"zh-CN\">课 · Caishi</title>"),
        ("<textarea name=\"a\">写</textarea>", "<textarea name=\"a\" lang=\"zh-CN\">写</textarea>"),
        // What says it already, to its very end.
        (
            "<a lang=\"zh-CN\"><a>中</a>文</a>字",
            "<a lang=\"zh-CN\"><a>中</a>文</a><span lang=\"zh-CN\">字</span>",
        ),
        ("<i lang=\"zh\">中<b>文</b></i>", "<i lang=\"zh\">中<b>文</b></i>"),
        // No words.
        ("<script>let a = \"中\";</script>", "<script>let a = \"中\";</script>"),
        ("<img alt=\"a > 中\">", "<img alt=\"a > 中\">"),
        ("<p>：，</p>", "<p>：，</p>"),
        ("<p>&#60;甲&#62;</p>", "<p><span lang=\"zh-CN\">&#60;甲&#62;</span></p>"),
    ];
    for (page, expected) in CASES {
        assert_eq!(marked(page), expected);
    }
    for torn in ["<", "<p", "</", "中<a title=\"", "</p></p>中"] {
        assert!(marked(torn).replace(" lang=\"zh-CN\"", "").contains(torn.trim_matches('中')));
    }
}

proptest::proptest! {
    /// Whatever people wrote, the words stay the words.
    #[test]
    fn no_word_is_lost(words in proptest::collection::vec("[ a-z中文，。：&;]{0,8}", 0..12)) {
        let page: String = words.iter().map(|one| format!("<p>{one}</p>")).collect();
        let without = marked(&page).replace("<span lang=\"zh-CN\">", "").replace("</span>", "");
        proptest::prop_assert_eq!(without, page);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_switch_leads_back_to_what_was_looked_at() {
    let office = Office::new().await;
    let publisher = office.browser("publisher").await;
    let page = publisher.get("/console/week?from=2026-12-07&done=saved").await.text;
    let back = "/console/language/en?back=/console/week%3Ffrom%3D2026-12-07\"";
    assert!(page.contains(back), "{page}");

    // A refused form stands at an address of its own; the page that it was on is meant.
    let review = office.town.submit().await;
    let reviewer = office.browser("reviewer").await;
    let place = format!("/console/reviews/{}", super::quoted(&review.number));
    let referer = format!("{}{place}?text=1", reviewer.url);
    let secret = reviewer.secret().await.unwrap();
    let fields = [("form", secret.as_str()), ("decision", "return"), ("shown", "0")];
    let headers = [("origin", reviewer.url.as_str()), ("referer", &referer)];
    let decision = format!("{place}/decision");
    let answer = reviewer.send(Method::POST, &decision, &headers, Some(&fields)).await;
    assert_eq!(answer.status, 422, "{}", answer.text);
    let back = answer.text.split_once("/console/language/en?back=").unwrap().1;
    let back = back.split_once('"').unwrap().0;
    let answer = reviewer.get(&format!("/console/language/en?back={back}")).await;
    assert_eq!(answer.location(), format!("{place}?text=1"));
    let english = reviewer.get(&place).await.text;
    assert!(english.contains("<html lang=\"en\">"));
    assert!(english.contains("<span lang=\"zh-CN\">消保审查</span>"), "{english}");
}
