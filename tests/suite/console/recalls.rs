//! Somebody wants something taken down and does not know what it is called.

use super::{Browser, Office, deliveries::delivered, quoted};

/// What the page says to a typed name.
async fn told(browser: &Browser, typed: &str) -> (u16, String) {
    let answer = browser.get(&format!("/console/recall?name={}", quoted(typed))).await;
    let place = answer.headers.get("location").map(|place| place.to_str().unwrap().to_owned());
    match place {
        Some(place) => {
            let page = browser.get(&place).await;
            (page.status.as_u16(), page.text)
        }
        None => (answer.status.as_u16(), answer.text),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_title_a_number_and_a_slip_lead_to_what_is_meant() {
    let office = delivered().await;
    let publisher = office.browser("publisher").await;
    let lesson = office.town.publisher.store.occurrences(None, 1).await.unwrap().remove(0).lessons;
    let lesson = lesson[0].clone();
    let content = office.town.read();
    let variants = &content.library.lesson(&lesson).unwrap().variants;
    let title = variants[&caishi::model::Audience::General].title.value.clone();
    let sure = "name=\"confirm\"";

    let board = publisher.get("/console/deliveries").await.text;
    assert!(board.contains("href=\"/console/recall\""), "{board}");
    let (status, form) = told(&publisher, "").await;
    assert!(status == 200 && form.contains("<datalist") && form.contains(&title), "{form}");
    assert!(!form.contains(sure));

    // Its title, part of it, the approval number with other brackets, each lead there.
    let part: String = title.chars().take(6).collect();
    for typed in [title.as_str(), &format!("《{title}》"), &part] {
        let (status, page) = told(&publisher, typed).await;
        assert!(status == 200 && page.contains(sure), "{typed}: {page}");
        assert!(page.contains(&format!("name=\"name\" value=\"{lesson}\"")), "{typed}: {page}");
    }
    for typed in ["宣教审〔2026〕0001号", "宣教审[2026]0001号", "宣教审(2026) 0001号"]
    {
        let (status, page) = told(&publisher, typed).await;
        assert!(status == 200 && page.contains(sure), "{typed}: {page}");
        assert!(page.contains("name=\"name\" value=\"宣教审〔2026〕0001号\""), "{typed}: {page}");
        assert!(page.contains("它的每一件投递都撤"), "{typed}: {page}");
    }
    // What fits several is chosen from; a slip is understood.
    let edition = content.edition("routine/weekly").unwrap().name.clone();
    let (status, page) = told(&publisher, &edition).await;
    assert!(status == 200 && page.contains("name=\"name\" value=\"routine/weekly\""), "{page}");
    let (status, page) = told(&publisher, "weekl").await;
    assert!(status == 200, "{page}");
    assert!(page.contains("对得上好几样") && page.contains("recall?name=routine/weekly"), "{page}");
    let slip = format!("{lesson}s");
    let (status, page) = told(&publisher, &slip).await;
    assert!(status == 404 && page.contains(&format!("value=\"{slip}\"")), "{page}");
    assert!(page.contains("相近的列在下面") && page.contains(&title), "{page}");
    // The same when a form is sent, and for programs.
    let sent = publisher.post("/console/recall", &[("name", "")]).await;
    assert!(sent.text.contains("<datalist"), "{}", sent.text);
    let sent = publisher.post("/console/recall", &[("name", "没有的"), ("reason", "x")]).await;
    assert!(sent.status == 404 && sent.text.contains("value=\"没有的\""), "{}", sent.text);
    let program = office.program("publisher", &["recall"]).await;
    let plan = program.get(&format!("/api/v1/recall?name={}", quoted(&title))).await;
    assert!(plan.status == 200 && plan.text.contains(&format!("\"{lesson}\"")), "{}", plan.text);
    let near = program.get(&format!("/api/v1/recall?name={slip}")).await;
    assert!(near.status == 404 && near.text.contains(lesson.as_str()), "{}", near.text);
}

#[tokio::test(flavor = "multi_thread")]
async fn submitting_nothing_brings_the_page_back_as_it_was_sent() {
    let office = Office::new().await;
    let author = office.browser("author").await;
    let answer = author.post("/console/submit", &[("name", "weekly")]).await;
    assert_eq!(answer.status, 422, "{}", answer.text);
    assert!(answer.text.contains("没有选哪一次：至少勾一次"), "{}", answer.text);
    assert!(answer.text.contains("name=\"slot\""), "the slots are there: {}", answer.text);
    assert!(!answer.text.contains("\" checked> <span><strong"), "nothing is ticked by itself");
    let second = "2026-12-07T00:00:00Z";
    let fields = [("name", "weekly"), ("slot", second), ("slot", "soon")];
    let answer = author.post("/console/submit", &fields).await;
    assert_eq!(answer.status, 422, "{}", answer.text);
    assert!(answer.text.contains("“soon”不是时间"), "{}", answer.text);
    let ticked = format!("value=\"{second}\" checked");
    assert!(answer.text.contains(&ticked), "{}", answer.text);
    assert_eq!(answer.text.matches(" checked>").count(), 1, "{}", answer.text);
}
