//! What must come down at a branch, thing by thing, what stays after a recall, and what is taken back.

use super::{Browser, CHANNELS, Office, hotlines::monday_of, stage};
use caishi::model::DeliveryState;
use std::io::Cursor;

const NEXT_MONDAY: &str = "2026-12-07T00:00:00Z";

/// A bank whose branches hang up the notice of complaint numbers beside their posters.
async fn monday() -> Office {
    let papers = "outputs = [\"screen\", \"print\", \"notice\"]";
    let channels = CHANNELS.replacen("outputs = [\"screen\", \"article\", \"post\"]", papers, 1);
    monday_of(Office::with(&channels).await).await
}

/// The bank's number is changed, approved and out again; the change's page.
async fn changed(office: &Office) -> String {
    let desk = office.browser("publisher").await;
    let fields = [
        ("number", "95123"),
        ("source", "总行公告"),
        ("verified_on", "2026-11-30"),
        ("verified_by", "投放岗丁"),
        ("was", "95XXX"),
        ("republish", "yes"),
    ];
    let answer = desk.post("/console/hotlines/bank", &fields).await;
    assert_eq!(answer.status, 303, "{}", answer.text);
    let publisher = &office.town.publisher;
    publisher.tend_hotline_changes().await.unwrap();
    let reviews = publisher.store.reviews(None).await.unwrap();
    let review = reviews.iter().find(|review| review.author.as_str() == "publisher").unwrap();
    office.town.approve(review).await;
    for _ in 0..3 {
        office.town.move_clock(jiff::SignedDuration::from_secs(11));
        publisher.tend_hotline_changes().await.unwrap();
        office.town.work().await;
    }
    office.town.move_clock(jiff::SignedDuration::from_mins(11));
    publisher.tend_hotline_changes().await.unwrap();
    answer.location().split_once('?').unwrap().0.to_owned()
}

/// What is between two texts.
fn between<'t>(text: &'t str, before: &str, after: &str) -> &'t str {
    let (_, rest) = text.split_once(before).unwrap_or_else(|| panic!("no {before} in {text}"));
    rest.split_once(after).unwrap_or_else(|| panic!("no {after} in {rest}")).0
}

fn take_down(page: &str) -> &str {
    between(page, "<section class=\"card take-down\"", "</section>")
}

async fn says(lobby: &Browser, place: &str, fields: [(&str, &str); 3]) {
    let answer = lobby.post(&format!("/b/b001/{place}"), &fields).await;
    assert_eq!(answer.status, 303, "{}", answer.text);
}

#[tokio::test(flavor = "multi_thread")]
async fn each_old_thing_is_told_from_the_new_one() {
    let office = monday().await;
    let old = office.town.deliveries().await;
    let old = old.iter().find(|one| one.channel.as_str() == "branches").unwrap();
    let (key, code) = (old.key.digest().to_string(), old.key.digest().to_string()[..8].to_owned());
    let change = changed(&office).await;
    let lobby = office.browser("branch").await;
    let page = lobby.get("/b/b001").await.text;
    let list = take_down(&page);
    assert!(list.contains("2 样"), "the posters and the notice: {list}");
    assert_eq!(list.matches("上面印的是旧号码 95XXX（现在是 95123）").count(), 2, "{list}");
    assert!(list.contains("投诉电话公示") && list.contains(&code), "{list}");
    assert!(list.contains("换成新的，新的批号"), "{list}");
    let picture = between(list, "/b/b001/small/", "\"");
    assert_eq!(lobby.get(&format!("/b/b001/small/{picture}")).await.status, 200);
    assert_eq!(lobby.get(&format!("/b/b001/file/{picture}")).await.status, 404, "not to be hung");
    let print = lobby.get("/b/b001/print").await.text;
    let paper = between(&print, "要撤下</h2>", "</section>");
    assert!(paper.contains("class=\"qr\"") && paper.contains("投诉电话公示"), "{paper}");
    assert!(paper.contains(&format!("/b/b001/confirm/{code}")), "{paper}");

    // One thing after the other; the head office waits for both.
    says(&lobby, "confirm", [("key", &key), ("lesson", "@notice"), ("what", "taken-down")]).await;
    let page = lobby.get("/b/b001").await.text;
    assert!(take_down(&page).contains("1 样") && page.contains("telecom-fraud"), "{page}");
    let desk = office.browser("publisher").await;
    assert!(desk.get("/console/branches").await.text.contains("0/2 个网点已确认"));
    let lesson = [("key", &*key), ("lesson", "telecom-fraud"), ("what", "taken-down")];
    says(&lobby, "confirm", lesson).await;
    assert!(lobby.get("/b/b001").await.text.contains("没有要撤下的"));
    assert!(desk.get("/console/branches").await.text.contains("1/2 个网点已确认"));

    // Pressed by mistake: it is taken back, once, and the chain keeps both.
    says(&lobby, "withdraw", lesson).await;
    assert!(take_down(&lobby.get("/b/b001").await.text).contains("1 样"));
    assert!(desk.get("/console/branches").await.text.contains("0/2 个网点已确认"));
    let again = lobby.post("/b/b001/withdraw", &lesson).await;
    assert_eq!(again.status, 409, "{}", again.text);
    let rows = office.town.publisher.store.trail("branch/b001", 10).await.unwrap();
    let actions: Vec<&str> = rows.iter().map(|row| row.action.as_str()).collect();
    assert!(actions.contains(&"branch.withdraw") && actions.contains(&"branch.confirm"));
    let bad = [("key", &*key), ("lesson", "@nothing"), ("what", "taken-down")];
    assert_eq!(lobby.post("/b/b001/confirm", &bad).await.status, 422);

    // The webhook's receiver takes nothing back: that is left to people, and nothing is green.
    let page = desk.get(&change).await.text;
    assert!(page.contains("件要人去撤") && !page.contains("banner done"), "{page}");
}

#[tokio::test(flavor = "multi_thread")]
async fn posted_by_mistake_is_taken_back() {
    let office = monday().await;
    let lobby = office.browser("branch").await;
    let page = lobby.get("/b/b001").await.text;
    let key = between(&page, "name=\"key\" value=\"", "\"").to_owned();
    says(&lobby, "confirm", [("key", &key), ("lesson", ""), ("what", "posted")]).await;
    let page = lobby.get("/b/b001").await.text;
    assert!(
        page.contains("弄错了，撤销（整期）") && !page.contains("class=\"main wide\""),
        "{page}"
    );
    says(&lobby, "withdraw", [("key", &key), ("lesson", ""), ("what", "posted")]).await;
    let page = lobby.get("/b/b001?done=withdrawn").await.text;
    assert!(page.contains("已撤销") && page.contains("class=\"main wide\""), "{page}");
    // It may be said again, and of the notice alone.
    says(&lobby, "confirm", [("key", &key), ("lesson", "@notice"), ("what", "posted")]).await;
    assert!(lobby.get("/b/b001").await.text.contains("弄错了，撤销"));
}

/// The folder says that nothing counts; so does everything else.
#[tokio::test(flavor = "multi_thread")]
async fn after_the_newest_was_recalled_the_one_before_does_not_come_back() {
    let mut office = monday().await;
    office.town.co_reviewer.id = caishi::model::PersonId::new("co-reviewer-2").unwrap();
    office.town.co_reviewer.department = Some("信息科技部".to_owned());
    let town = &office.town;
    let review = town.submit_for(NEXT_MONDAY).await;
    town.approve(&review).await;
    town.set_clock(NEXT_MONDAY).await;
    town.tick().await;
    town.work().await;
    let desk = office.browser("publisher").await;
    let page = office.browser("branch").await.get("/b/b001").await.text;
    assert!(page.contains("personal-info") && !page.contains("telecom-fraud"), "{page}");
    let result = stage::recall(&desk, "personal-info").await;
    let result = desk.get(&result).await.text;
    assert!(result.contains("当前没有内容"), "{result}");
    // The webhook keeps what it has: the job is done, and not green.
    assert!(result.contains("件没有净，要人去办") && !result.contains("banner done"), "{result}");
    let pointer = town.path("published/current/routine.json");
    assert!(std::fs::read_to_string(&pointer).unwrap().contains("\"current\": null"));

    let lobby = office.browser("branch").await;
    let page = lobby.get("/b/b001").await.text;
    assert!(page.contains("今天没有海报") && page.contains("现在没有材料"), "{page}");
    assert!(!page.contains("telecom-fraud"), "{page}");
    let live = town.publisher.live().await.unwrap();
    let shown = live.iter().filter(|one| one.out.channel.as_str() == "branches");
    assert_eq!(shown.count(), 0, "nothing can be seen there now");
    // What is published after that counts again.
    let states = town.deliveries().await;
    assert!(states.iter().any(|one| one.state == DeliveryState::Recalled));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_submission_for_a_slot_ahead_is_made_again_although_its_texts_changed() {
    let office = monday().await;
    let review = office.town.submit_for(NEXT_MONDAY).await;
    let file = "lessons/personal-info/lesson.md";
    let text = std::fs::read_to_string(office.town.path("content").join(file)).unwrap();
    std::fs::write(office.town.path("content").join(file), text + "\n").unwrap();
    office.desk.content_changed();
    let desk = office.browser("publisher").await;
    let fields = [
        ("number", "95123"),
        ("source", "总行公告"),
        ("verified_on", "2026-11-30"),
        ("verified_by", "投放岗丁"),
        ("was", "95XXX"),
    ];
    let page = desk.post("/console/hotlines/bank/preview", &fields).await.text;
    assert!(page.contains(&review.number) && page.contains("送审以后内容又改过"), "{page}");
    let answer = desk.post("/console/hotlines/bank", &fields).await;
    let change = answer.location().split_once('?').unwrap().0.to_owned();
    office.town.publisher.tend_hotline_changes().await.unwrap();
    let reviews = office.town.publisher.store.reviews(None).await.unwrap();
    let own = reviews.iter().filter(|review| review.author.as_str() == "publisher");
    let lessons: Vec<String> = own.map(|review| review.lessons[0].to_string()).collect();
    assert!(lessons.contains(&"personal-info".to_owned()), "{lessons:?}");
    let page = desk.get(&change).await.text;
    assert!(page.contains(&review.number) && page.contains("personal-info"), "{page}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_branch_finds_its_screens_in_the_zip_and_is_asked_about_old_days() {
    let office = monday().await;
    let lobby = office.browser("branch").await;
    let program = office.program("branch", &["branch.read", "branch.event"]).await;
    let publisher = &office.town.publisher;
    let content = office.town.read();
    let feeds = publisher.feeds(&content, &caishi::work::FeedCache::default()).await.unwrap();
    let id = caishi::model::BranchId::new("b001").unwrap();
    let screens = content.library.screens.iter().filter(|screen| screen.branch == id);
    let screens = screens.map(|screen| caishi::model::PackScreen {
        screen: screen.screen.clone(),
        profile: screen.profile.clone(),
        width: screen.width,
        height: screen.height,
        dwell_s: 15,
    });
    let given = publisher.given(&feeds, &id, screens.collect()).await.unwrap();
    let zip = publisher.given_zip(&given, "").await.unwrap();
    let mut zip = zip::ZipArchive::new(Cursor::new(zip)).unwrap();
    let names: Vec<String> =
        (0..zip.len()).map(|at| zip.by_index(at).unwrap().name().unwrap().into_owned()).collect();
    let profile = &given.screens[0].screen.profile;
    let folder = format!("屏幕/s1（{profile}）/01 ");
    assert!(names.iter().any(|name| name.starts_with(&folder)), "{names:?}");
    let page = lobby.get("/b/b001").await.text;
    assert!(page.contains(&format!("s1（{profile}）")), "{page}");

    for (day, is_doubted) in [("2010-01-01", true), ("2026-11-29", false)] {
        let event = serde_json::json!({
            "once": day, "day": day, "title": day, "staff": "3", "audience": "30",
            "priority_audience": "3", "leaflets": "20", "consultations": "2", "online": "0",
        });
        let answer = program.post("/api/v1/branches/b001/events", &event).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        let list = program.get("/api/v1/branches/b001/events").await.text;
        assert_eq!(list.contains(&format!("{day} 的活动，过了两个月才报")), is_doubted, "{list}");
    }
    let ahead = serde_json::json!({ "day": "2026-12-24", "title": "x" });
    let answer = program.post("/api/v1/branches/b001/events", &ahead).await;
    assert!(answer.text.contains("还没有到这一天"), "{}", answer.text);
}
