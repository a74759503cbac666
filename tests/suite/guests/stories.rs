//! From the Wi-Fi to the lesson and back: pages, counters, and what steps in.

use super::Lobby;
use crate::html::visible;
use jiff::{SignedDuration, civil::date};
use reqwest::{StatusCode, header};

const EPOCH: jiff::civil::Date = date(2020, 1, 1);

#[tokio::test(flavor = "multi_thread")]
async fn a_guest_gets_on_reads_and_is_only_counted() {
    let lobby = Lobby::open().await;
    let response = lobby.get("/portal/b002").await;
    let headers = response.headers().clone();
    let page = response.text().await.unwrap();
    assert_eq!(headers[header::CACHE_CONTROL], "no-store");
    let policy = headers[header::CONTENT_SECURITY_POLICY].to_str().unwrap();
    assert!(policy.contains("default-src 'none'") && policy.contains("frame-ancestors 'none'"));
    assert_eq!(page.matches("<form action=\"/portal/b002/welcome\" method=\"get\">").count(), 2);
    assert!(visible(&page).contains("大学坡支行") && visible(&page).contains("只数人次"));
    // The elder page where the bank said so; the bank's page where a branch is not known.
    assert!(lobby.text("/portal/b001").await.contains("font-size:24px"));
    assert!(!visible(&lobby.text("/portal/b999").await).contains("支行"));
    assert_eq!(lobby.get("/portal/B!").await.status(), StatusCode::NOT_FOUND);

    let welcome = lobby.text("/portal/b002/welcome").await;
    assert!(visible(&welcome).contains("可以上网了"));
    let venue = lobby.text("/portal/b002/venue").await;
    // People of the branch sign in on a page of the console, which is not here.
    assert!(venue.contains("href=\"/b/b002\" rel=\"nofollow\">网点人员确认"), "{venue}");
    let links = venue.split("href=\"").skip(1).filter_map(|part| part.split('"').next());
    let links: Vec<&str> = links.filter(|link| !link.starts_with("/b/")).collect();
    assert!(links.len() >= 4, "{links:?}");
    for link in &links {
        let response = lobby.get(&link.replace("&amp;", "&")).await;
        assert_eq!(response.status(), StatusCode::OK, "{link}");
        if link.ends_with("?save") {
            let disposition = response.headers()[header::CONTENT_DISPOSITION].to_str().unwrap();
            assert!(disposition.starts_with("attachment; filename=\""), "{disposition}");
        }
    }
    let lesson = links.iter().find(|link| link.contains("/lesson/")).unwrap();
    let page = lobby.text(lesson).await;
    assert!(!page.contains("<form"), "there is nothing to get past any more");
    assert!(page.contains("href=\"/b/b002/posted/"), "{page}");
    // A whole article shows its pictures from here.
    let article = lobby.text(&format!("{lesson}?for=article")).await;
    assert!(!article.contains("caishi-slot"), "pictures have addresses");
    for picture in article.split("src=\"").skip(1).filter_map(|part| part.split('"').next()) {
        if picture.starts_with('/') {
            assert_eq!(lobby.get(picture).await.status(), StatusCode::OK, "{picture}");
        }
    }

    // Nothing is written of anybody: branch, lesson, day, what, how often.
    lobby.counter.write().await;
    let store = &lobby.town.publisher.store;
    let hits = store.hits_since(EPOCH).await.unwrap();
    let of = |branch: &str, what: &str| {
        let is_it = |line: &&(String, String, String, String, i64)| {
            line.0 == branch && line.3 == what && line.2 == "2026-11-27"
        };
        hits.iter().filter(is_it).map(|line| line.4).sum::<i64>()
    };
    assert_eq!((of("b002", "view"), of("b002", "continue"), of("b002", "venue")), (1, 1, 1));
    assert_eq!(of("b001", "view"), 1);
    assert!(hits.iter().all(|line| line.0 != "b999"), "made-up branches are not counted: {hits:?}");
    // Again, and it adds up.
    lobby.text("/portal/b002").await;
    lobby.counter.write().await;
    let hits = store.hits_since(EPOCH).await.unwrap();
    assert!(hits.iter().any(|line| line.0 == "b002" && line.3 == "view" && line.4 == 2));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_quiz_works_without_script() {
    let lobby = Lobby::open().await;
    let venue = lobby.text("/portal/b002/venue").await;
    let quiz = venue.split("href=\"").filter_map(|part| part.split('"').next());
    let quiz = quiz.into_iter().find(|link| link.contains("/quiz/")).unwrap().to_owned();
    let page = lobby.text(&quiz).await;
    assert!(page.contains(&format!("<form action=\"{quiz}\" method=\"post\">")), "{page}");
    assert!(page.contains("type=\"radio\" name=\"q1\" value=\"A\"") && !page.contains("<script"));
    let body = "q1=B&q1=A&q99=A&q2=%3Cscript%3E&q2=b&name=%E7%8E%8B";
    let answer = lobby.client.post(format!("{}{quiz}", lobby.url)).body(body).send().await.unwrap();
    let answer = answer.text().await.unwrap();
    assert!(answer.contains("您选了 B。") && !answer.contains("您选了 A。"), "{answer}");
    assert!(!answer.contains("<script>") && !answer.contains("caishi-slot"), "{answer}");
    assert!(visible(&answer).contains("答案是"));
    lobby.counter.write().await;
    let answers = lobby.town.publisher.store.answers_since(EPOCH).await.unwrap();
    let counted: Vec<_> = answers.iter().map(|line| (line.3.as_str(), line.4)).collect();
    assert_eq!(counted, [("1B", 1)], "one choice of one question");
}

#[tokio::test(flavor = "multi_thread")]
async fn codes_on_posters_lead_to_the_lesson_or_to_what_is_there() {
    let lobby = Lobby::open().await;
    let to = |response: reqwest::Response| {
        response.headers()[header::LOCATION].to_str().unwrap().to_owned()
    };
    let venue = lobby.text("/portal/b002/venue").await;
    let lesson = ["telecom-fraud", "personal-info"]
        .into_iter()
        .find(|lesson| venue.contains(&format!("/lesson/{lesson}")))
        .unwrap();
    let path = to(lobby.get(&format!("/q/{lesson}/b002")).await);
    assert_eq!(path, format!("/portal/b002/lesson/{lesson}"));
    assert!(visible(&lobby.text(&path).await).contains("大学坡支行"));
    assert_eq!(to(lobby.get("/q/credit-record/b002").await), "/portal/b002/venue");
    let bank = to(lobby.get(&format!("/q/{lesson}")).await);
    assert!(!visible(&lobby.text(&bank).await).contains("大学坡支行"));
    assert_eq!(lobby.get("/q/A%0d%0aB/b002").await.status(), StatusCode::NOT_FOUND);
    // Addresses can be made up; what is counted cannot.
    lobby.get("/q/made-up/b002").await;
    lobby.get("/portal/b002/lesson/made-up").await;
    lobby.counter.write().await;
    let hits = lobby.town.publisher.store.hits_since(EPOCH).await.unwrap();
    let scans: Vec<_> = hits.iter().filter(|line| line.3 == "scan").collect();
    assert!(hits.iter().all(|line| line.1 == lesson), "{hits:?}");
    assert_eq!(scans.iter().map(|line| line.0.as_str()).collect::<Vec<_>>(), ["b002", "bank"]);
}

/// A guest always gets on: before anything was published, after it was recalled, after it expired.
#[tokio::test(flavor = "multi_thread")]
async fn what_goes_gives_way_to_what_may_be_shown() {
    let lobby = Lobby::empty().await;
    let plain = lobby.text("/portal/b002").await;
    assert!(plain.contains("<form action=\"/portal/b002/welcome\"") && plain.contains("继续上网"));
    assert!(visible(&lobby.text("/portal/b002/venue").await).contains("本周金融知识"));

    lobby.publish("evergreen").await;
    let evergreen = lobby.text("/portal/b002").await;
    assert!(evergreen.contains("青石坡支行") || visible(&evergreen).contains("大学坡支行"));
    let root = lobby.town.path("portal");
    let shown = |name: &str| std::fs::read_to_string(root.join("live").join(name)).unwrap();
    assert!(shown("b002/index.html").contains("继续上网"));
    assert!(
        root.join("live/b002/package.zip").exists() && root.join("live/bank/index.html").exists()
    );

    let review = lobby.publish("weekly").await;
    let weekly = lobby.text("/portal/b002").await;
    let number = |page: &str| page.contains(&review.number);
    assert!(number(&weekly) && !number(&evergreen));
    assert!(number(&shown("b002/index.html")), "and so do the files that gateways fetch");
    assert!(shown("b001/index.html").contains("font-size:24px"), "the elder page at b001");

    // Recalled: what may still be shown steps in.
    let plan = lobby.town.publisher.recall_plan("routine/weekly").await.unwrap();
    lobby.town.publisher.recall(plan, "号码有误", "operator").await.unwrap();
    lobby.town.work().await;
    lobby.tend().await;
    let after = lobby.text("/portal/b002").await;
    assert!(!number(&after) && after == evergreen);
    assert!(!number(&shown("b002/index.html")));

    // Years later the evergreen lesson is still there, and nothing else is.
    lobby.town.move_clock(SignedDuration::from_hours(24 * 800));
    lobby.tend().await;
    assert_eq!(lobby.text("/portal/b002").await, evergreen);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_expires_gives_way_to_the_week_before() {
    let lobby = Lobby::empty().await;
    let first = lobby.publish("weekly").await;
    lobby.town.edit("campaigns/routine.toml", "from = 2026-09-01", "from = 2026-11-01");
    lobby.town.edit("campaigns/routine.toml", "until = 2027-08-31", "until = 2026-12-06");
    lobby.town.set_clock("2026-11-30T02:00:00Z").await;
    let second = lobby.publish("weekly").await;
    assert_ne!(first.number, second.number);
    assert!(lobby.text("/portal/b002").await.contains(&second.number));
    lobby.town.set_clock("2026-12-06T15:59:00Z").await;
    lobby.tend().await;
    assert!(lobby.text("/portal/b002").await.contains(&second.number), "its last day");
    lobby.town.set_clock("2026-12-06T16:00:30Z").await;
    lobby.tend().await;
    assert!(lobby.text("/portal/b002").await.contains(&first.number), "rolled back");
}
