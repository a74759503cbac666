//! What others would try: foreign forms, planted markup, leading people away, headers, floods.

use super::{Office, quoted};
use reqwest::Method;

#[tokio::test(flavor = "multi_thread")]
async fn a_form_of_another_site_does_nothing() {
    let office = Office::new().await;
    let browser = office.browser("administrator").await;
    let secret = browser.secret().await.unwrap();
    let path = "/console/settings/people";
    let fields = [("id", "eve"), ("name", "Eve"), ("roles", "administrator")];
    let with = |secret: &str| {
        let mut fields: Vec<(String, String)> =
            fields.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        fields.push(("form".to_owned(), secret.to_owned()));
        fields
    };
    let foreign: &[(&str, &[(&str, &str)])] = &[
        (&secret, &[("origin", "https://evil.example")]),
        (&secret, &[("origin", "null")]),
        (&secret, &[("sec-fetch-site", "cross-site")]),
        (&secret, &[("sec-fetch-site", "same-site")]),
        ("", &[]),
        ("0000", &[("origin", &office.url)]),
    ];
    for (secret, headers) in foreign {
        let fields = with(secret);
        let fields: Vec<(&str, &str)> =
            fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let answer = browser.send(Method::POST, path, headers, Some(&fields)).await;
        assert_eq!(answer.status, 403, "{headers:?}");
    }
    // Another person's secret is none.
    let other = office.browser("operator").await.secret().await.unwrap();
    let fields = with(&other);
    let fields: Vec<(&str, &str)> =
        fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    assert_eq!(browser.send(Method::POST, path, &[], Some(&fields)).await.status, 403);
    // Nor can somebody be signed in from elsewhere.
    let login = [("person", "administrator"), ("password", super::PASSWORD)];
    let headers = [("origin", "https://evil.example")];
    let answer =
        office.stranger().send(Method::POST, "/console/sign-in", &headers, Some(&login)).await;
    assert_eq!(answer.status, 403);
    let eve = caishi::model::PersonId::new("eve").unwrap();
    assert!(office.town.publisher.person(&eve).await.unwrap().is_none());
    assert_eq!(
        browser.post(path, &[("id", "eve"), ("name", "Eve"), ("roles", "author")]).await.status,
        303
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn every_page_forbids_what_it_does_not_need() {
    let office = Office::new().await;
    let browser = office.browser("administrator").await;
    for path in ["/console", "/console/settings", "/console/nothing", "/api/v1/me"] {
        let answer = browser.get(path).await;
        let policy = answer.header("content-security-policy");
        assert!(policy.contains("default-src 'none'") && policy.contains("frame-ancestors 'none'"));
        assert!(!policy.contains("unsafe"), "{policy}");
        assert_eq!(answer.header("x-content-type-options"), "nosniff");
        assert_eq!(answer.header("cache-control"), "no-store");
        for inline in [" style=\"", " onclick=", "<script>"] {
            assert!(!answer.text.contains(inline), "{path} has {inline}: {}", answer.text);
        }
    }
    let cookie = first_cookie(&office).await;
    assert!(cookie.contains("HttpOnly") && cookie.contains("SameSite=Lax"), "{cookie:?}");

    let secure =
        super::CHANNELS.to_owned() + "\n[console]\nurl = \"https://console.shancheng.example\"\n";
    let office = Office::with(&secure).await;
    let cookie = first_cookie(&office).await;
    assert!(cookie.starts_with("__Host-caishi=") && cookie.contains("; Secure"), "{cookie}");
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_is_led_away_and_no_header_is_split() {
    let office = Office::new().await;
    drop(office.browser("author").await);
    for back in [
        "https://evil.example/",
        "//evil.example",
        "/\\evil.example",
        "/console\\@evil.example",
        "javascript:alert(1)",
        "/console\r\nSet-Cookie: a=b",
        "/console%0d%0aSet-Cookie:a=b ",
        "/portal",
    ] {
        let browser = office.stranger();
        let form = [("person", "author"), ("password", super::PASSWORD), ("back", back)];
        let answer = browser.post("/console/sign-in", &form).await;
        assert_eq!(answer.status, 303);
        assert_eq!(answer.location(), "/console", "{back:?}");
        let back: String = url::form_urlencoded::byte_serialize(back.as_bytes()).collect();
        let answer = browser.get(&format!("/console/language/en?back={back}")).await;
        assert_eq!(answer.location(), "/console", "{back:?}");
    }
    let answer = office.stranger().get("/console/reviews/%0d%0aX-Evil:1").await;
    assert!(answer.headers.get("x-evil").is_none());
    assert_eq!(
        answer.location(),
        "/console/sign-in?back=%2Fconsole%2Freviews%2F%250d%250aX-Evil%3A1"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn markup_in_titles_names_and_remarks_stays_text() {
    const EVIL: &str = "<script>alert(1)</script>";
    const INERT: &str = "&#60;script&#62;alert(1)&#60;/script&#62;";
    let office = Office::new().await;
    let administrator = office.browser("administrator").await;
    let person = [("id", "eve"), ("name", EVIL), ("roles", "reviewer")];
    assert_eq!(administrator.post("/console/settings/people", &person).await.status, 303);
    let review = office.town.submit().await;
    let number = quoted(&review.number);
    let reviewer = office.browser("eve").await;
    let path = format!("lessons/{}/lesson.md", review.lessons[0]);
    let remark = [("path", path.as_str()), ("line", "1"), ("text", EVIL)];
    assert_eq!(
        reviewer.post(&format!("/console/reviews/{number}/remarks"), &remark).await.status,
        303
    );
    let pages = [
        (&administrator, "/console/settings".to_owned()),
        (&administrator, format!("/console/reviews/{number}")),
        (&reviewer, "/console".to_owned()),
        (&reviewer, format!("/console/lessons?q={}", quoted(EVIL))),
    ];
    for (browser, path) in pages {
        let page = browser.get(&path).await;
        assert_eq!(page.status, 200);
        assert!(!page.text.contains(EVIL), "{path}");
        assert!(page.text.contains(INERT), "{path}: {}", page.text);
    }
    // A title with markup in it is no script in the list either.
    office.town.edit(&path, "title: ", "title: \"<img src=x onerror=alert(1)>\" #");
    let author = office.browser("author").await;
    for path in ["/console/lessons".to_owned(), format!("/console/lessons/{}", review.lessons[0])] {
        // The folder is looked at every two seconds.
        tokio::time::sleep(std::time::Duration::from_millis(2100)).await;
        author.get(&path).await;
        tokio::time::sleep(std::time::Duration::from_millis(900)).await;
        let page = author.get(&path).await.text;
        assert!(!page.contains("<img src=x"), "{page}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn outputs_are_shown_where_they_can_do_nothing() {
    let office = Office::new().await;
    let review = office.town.submit().await;
    let browser = office.browser("reviewer").await;
    let page = browser.get(&format!("/console/reviews/{}", quoted(&review.number))).await.text;
    let mut seen = 0;
    for href in page.split("src=\"").skip(1).filter_map(|rest| rest.split_once('"')) {
        let path = href.0.replace("&amp;", "&");
        if !path.starts_with("/console/outputs/") {
            continue;
        }
        let answer = browser.get(&path).await;
        assert_eq!(answer.status, 200, "{path}");
        let policy = answer.header("content-security-policy");
        assert!(policy.contains("default-src 'none'"), "{path}: {policy}");
        if answer.header("content-type").starts_with("text/html") {
            assert!(policy.starts_with("sandbox;"), "{path}: {policy}");
            seen += 1;
        }
    }
    assert!(seen > 0, "{page}");
    // Only what a submission carries can be had, by people of reviews.
    let manifest = review.manifests[0].1;
    let stranger = "0".repeat(64);
    let path = format!("/console/outputs/{manifest}/{}", review.revision);
    assert_eq!(browser.get(&path).await.status, 404, "the frozen list is a blob, not an output");
    assert_eq!(browser.get(&format!("/console/outputs/{stranger}/{stranger}")).await.status, 404);
    assert_eq!(browser.get("/console/outputs/x/..%2F..%2Fetc%2Fpasswd").await.status, 404);
}

#[tokio::test(flavor = "multi_thread")]
async fn floods_and_giants_are_turned_away() {
    let office = Office::new().await;
    let browser = office.browser("reviewer").await;
    let giant = "x".repeat(300 * 1024);
    let answer = browser.post("/console/account/password", &[("current", &giant)]).await;
    assert_eq!(answer.status, 413);
    let form = [("person", "nobody"), ("password", "nothing at all")];
    let headers = [("x-forwarded-for", "203.0.113.9")];
    let mut turned_away = 0;
    for _ in 0..30 {
        let answer =
            office.stranger().send(Method::POST, "/console/sign-in", &headers, Some(&form)).await;
        turned_away += u32::from(answer.status == 429);
        if answer.status == 429 {
            assert!(answer.header("retry-after").parse::<u64>().unwrap() > 0);
        }
    }
    assert!(turned_away >= 5, "{turned_away}");
    // What the client says before the proxy does counts for nothing.
    let lines = [("x-forwarded-for", "192.0.2.1"), ("x-forwarded-for", "203.0.113.9")];
    let answer =
        office.stranger().send(Method::POST, "/console/sign-in", &lines, Some(&form)).await;
    assert_eq!(answer.status, 429);
    // Others are let in meanwhile.
    let headers = [("x-forwarded-for", "203.0.113.10")];
    let answer =
        office.stranger().send(Method::POST, "/console/sign-in", &headers, Some(&form)).await;
    assert_eq!(answer.status, 401);
}

/// What somebody's browser is given when they come in.
async fn first_cookie(office: &Office) -> String {
    let path = office.invitation("author").await;
    let fields = [("password", super::PASSWORD), ("again", super::PASSWORD)];
    let answer = office.stranger().post(&path, &fields).await;
    assert_eq!(answer.status, 303, "{}", answer.text);
    answer.header("set-cookie").to_owned()
}
