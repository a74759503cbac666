//! Stories of publishing: approved bytes go out once, at their hour, and nothing else does.

mod campaigns;
mod canary;
mod commands;
mod moves;
mod orders;
mod readers;
mod recall;
mod service;
pub mod town;
mod trouble;

use caishi::{
    model::DeliveryState,
    review::Standing,
    store::OccurrenceState,
    work::{Verdict, WorkError, clock, publish::Order},
};
use town::{MONDAY, Town};

const ALL_CONFIRMED: [&str; 3] = ["branches confirmed", "intranet confirmed", "wechat confirmed"];

#[tokio::test(flavor = "multi_thread")]
async fn the_weekly_lesson_goes_everywhere_once() {
    let town = Town::new().await;
    let review = town.submit().await;
    assert_eq!(review.lessons.len(), 1, "one lesson a week");
    assert!(review.number.contains("2026"), "{}", review.number);
    town.approve(&review).await;
    town.tick().await;
    assert_eq!(town.deliveries().await, [], "Monday has not come");

    town.set_clock("2026-11-30T00:00:05Z").await;
    town.tick().await;
    assert_eq!(town.states().await, ["branches ready", "intranet ready", "wechat ready"]);
    town.work().await;
    assert_eq!(town.states().await, ALL_CONFIRMED);
    let books = town.sandbox.books();
    assert_eq!(books.out().count(), 1, "one article: {books:?}");

    // Looking again, and working again, changes nothing.
    let before = town.deliveries().await;
    town.tick().await;
    town.work().await;
    assert_eq!(town.deliveries().await, before);
    assert_eq!(town.sandbox.books().out().count(), 1);
    assert!(matches!(town.publisher.store.verify_audit().await, Ok(Ok(rows)) if rows > 10));
    assert_eq!(town.publisher.alerts().await.unwrap(), []);

    // The branch finds one zip of its own, with its poster under a name it can read.
    let zip = walkdir::WalkDir::new(town.path("published"))
        .into_iter()
        .map(Result::unwrap)
        .find(|entry| entry.file_name() == "b001.zip")
        .expect("a zip for b001");
    let zip = zip::ZipArchive::new(std::fs::File::open(zip.path()).unwrap()).unwrap();
    let names: Vec<String> = zip.file_names().map(|name| name.unwrap().into_owned()).collect();
    assert!(names.iter().any(|name| name == "说明.txt"), "{names:?}");
    assert!(names.iter().any(|name| name.starts_with("屏幕/portrait-fhd/")), "{names:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_approves_their_own_bytes() {
    let town = Town::new().await;
    let review = town.submit().await;
    // The author holds the role, and is an administrator.
    let own = town.publisher.decide(&review, &town.author, Verdict::approved()).await;
    assert!(matches!(own, Err(WorkError::Refused(_))), "{own:?}");
    // Saying yes twice fills one step, and a co-reviewer of another department is none.
    town.publisher.decide(&review, &town.reviewer, Verdict::approved()).await.unwrap();
    let twice = town.publisher.decide(&review, &town.reviewer, Verdict::approved()).await;
    assert!(twice.is_err(), "{twice:?}");
    let mut stranger = town.co_reviewer.clone();
    stranger.department = Some("信息科技部".into());
    let other = town.publisher.decide(&review, &stranger, Verdict::approved()).await;
    assert!(matches!(other, Err(WorkError::Refused(_))), "{other:?}");
    let standing = town.publisher.standing(&review).await.unwrap();
    assert!(standing.iter().all(|one| matches!(one, Standing::Missing(_))), "{standing:?}");
    // Saying no needs a reason.
    let silent = town.publisher.decide(&review, &town.co_reviewer, Verdict::returned(" ")).await;
    assert!(matches!(silent, Err(WorkError::Refused(_))), "{silent:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn one_full_stop_after_approval_blocks_the_push() {
    let town = Town::new().await;
    let review = town.submit().await;
    town.approve(&review).await;
    let file = format!("lessons/{}/lesson.md", review.lessons[0]);
    town.edit(&file, "。\n", "！\n");
    town.set_clock("2026-11-30T00:00:05Z").await;
    town.tick().await;
    let occurrence = town.publisher.store.occurrences(None, 1).await.unwrap().remove(0);
    assert_eq!(occurrence.state, OccurrenceState::Blocked);
    let reason = &occurrence.reason;
    assert!(reason.contains(&file) && reason.contains('行') && reason.contains('！'), "{reason}");
    town.work().await;
    assert_eq!(town.states().await, [""; 0], "nothing went out");
    assert_eq!(town.sandbox.books().out().count(), 0);

    // The very same text again is what was approved.
    town.edit(&file, "！\n", "。\n");
    town.set_clock("2026-11-30T00:20:00Z").await;
    town.tick().await;
    town.work().await;
    assert_eq!(town.states().await, ALL_CONFIRMED);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_changed_for_one_channel_stops_that_channel_only() {
    let town = Town::new().await;
    let review = town.submit().await;
    town.approve(&review).await;
    let path = town.path("channels.toml");
    let text = std::fs::read_to_string(&path).unwrap();
    let text = text.replace("https://intranet.shancheng.example/hook", "https://other.example/x");
    std::fs::write(&path, text).unwrap();
    let changed = town.another().await;
    changed.store.shift_clock(jiff::SignedDuration::from_hours(70));
    caishi::work::service::look(&changed, "scheduler").await.unwrap();
    let occurrence = changed.store.occurrences(None, 1).await.unwrap().remove(0);
    assert_eq!(occurrence.state, OccurrenceState::Blocked);
    assert!(occurrence.reason.contains("[channel.intranet]"), "{}", occurrence.reason);
    assert_eq!(town.states().await, ["branches ready", "wechat ready"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_expired_approval_is_refused_when_the_slot_fires() {
    let town = Town::new().await;
    let review = town.submit().await;
    town.publisher
        .decide(&review, &town.reviewer, Verdict { valid_days: Some(1), ..Verdict::approved() })
        .await
        .unwrap();
    town.publisher.decide(&review, &town.co_reviewer, Verdict::approved()).await.unwrap();
    town.set_clock("2026-11-30T00:00:05Z").await;
    town.tick().await;
    town.work().await;
    let waiting =
        ["branches waiting-approval", "intranet waiting-approval", "wechat waiting-approval"];
    assert_eq!(town.states().await, waiting);
    let alerts = town.publisher.alerts().await.unwrap();
    assert_eq!(alerts.len(), 3, "{alerts:?}");
    assert!(alerts.iter().all(|alert| !alert.next_step.is_empty()));
    // The same person says yes again, for today, and it goes.
    town.publisher.decide(&review, &town.reviewer, Verdict::approved()).await.unwrap();
    town.work().await;
    assert_eq!(town.states().await, ALL_CONFIRMED);
}

#[tokio::test(flavor = "multi_thread")]
async fn another_rule_pack_needs_another_approval() {
    let town = Town::new().await;
    let review = town.submit().await;
    town.approve(&review).await;
    std::fs::create_dir_all(town.path("content/rules")).unwrap();
    std::fs::write(town.path("content/rules/bank.toml"), "version = \"2\"\n").unwrap();
    town.set_clock("2026-11-30T00:00:05Z").await;
    town.tick().await;
    let occurrence = town.publisher.store.occurrences(None, 1).await.unwrap().remove(0);
    assert_eq!(occurrence.state, OccurrenceState::Blocked);
    assert!(occurrence.reason.contains("规则包"), "{}", occurrence.reason);
    assert_eq!(town.states().await, [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_schedulers_and_three_workers_share_one_slot_list() {
    let town = Town::new().await;
    let review = town.submit().await;
    town.approve(&review).await;
    town.set_clock("2026-11-30T00:00:05Z").await;
    let others = [town.another().await, town.another().await];
    let look = |publisher: caishi::work::Publisher, name: &'static str| async move {
        caishi::work::service::look(&publisher, name).await
    };
    let (one, other) =
        tokio::join!(look(others[0].clone(), "one"), look(others[1].clone(), "other"));
    one.unwrap();
    other.unwrap();
    assert_eq!(town.publisher.store.occurrences(None, 9).await.unwrap().len(), 1);
    let mut workers = tokio::task::JoinSet::new();
    for (index, publisher) in [&town.publisher, &others[0], &others[1]].into_iter().enumerate() {
        let worker = caishi::work::worker::Worker::new(publisher.clone(), &format!("w{index}"));
        workers.spawn(async move { worker.drain().await.unwrap() });
    }
    let steps: usize = workers.join_all().await.into_iter().sum();
    assert!(steps >= 3, "{steps}");
    town.work().await;
    assert_eq!(town.states().await, ALL_CONFIRMED);
    assert_eq!(town.sandbox.books().out().count(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn recall_takes_down_and_says_what_stays() {
    let town = Town::new().await;
    let review = town.submit().await;
    town.approve(&review).await;
    town.set_clock("2026-11-30T00:00:05Z").await;
    town.tick().await;
    town.work().await;
    let lesson = review.lessons[0].as_str();
    let plan = town.publisher.recall_plan(lesson).await.unwrap();
    assert_eq!(plan.warnings(), Vec::<String>::new(), "one lesson a week: nothing else");
    let lines = town.publisher.recall(plan, "口号临时更换", "reviewer").await.unwrap();
    assert_eq!(lines.len(), 3);
    for line in &lines {
        match line.delivery.channel.as_str() {
            "intranet" => assert!(!line.complete && line.detail.contains("撤不回"), "{line:?}"),
            _ => assert_eq!(line.delivery.state, DeliveryState::Recalled, "{line:?}"),
        }
    }
    let deletions = town.sandbox.books().deletions;
    assert_eq!(deletions.len(), 1, "the article is gone: {deletions:?}");
    assert_eq!(deletions[0].path, "freepublish/delete");
    let unknown = town.publisher.recall_plan("nothing-of-that-name").await;
    assert!(matches!(unknown, Err(WorkError::Unknown(_))));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_kill_switch_stops_everything_and_lets_go_again() {
    let town = Town::new().await;
    let review = town.submit().await;
    town.approve(&review).await;
    town.set_clock("2026-11-30T00:00:05Z").await;
    town.tick().await;
    town.publisher.store.hold("operator", "重大事件").await.unwrap();
    town.work().await;
    assert_eq!(town.states().await, ["branches ready", "intranet ready", "wechat ready"]);
    town.publisher.store.release("operator").await.unwrap();
    town.work().await;
    assert_eq!(town.states().await, ALL_CONFIRMED);
}

#[tokio::test(flavor = "multi_thread")]
async fn publishing_the_same_twice_needs_a_word() {
    let town = Town::new().await;
    let review = town.submit().await;
    let content = town.read();
    let subject = town.publisher.subject(&content, "weekly").unwrap();
    let publish = async |again: bool| {
        let now = clock::this_second(town.publisher.store.now().await.unwrap());
        let lessons = &review.lessons;
        let order = Order { lessons, at: now, again, dry_run: false };
        town.publisher.publish(&content, &subject, &order, "author").await
    };
    let early = publish(false).await;
    assert!(
        matches!(&early, Err(WorkError::Refused(why)) if why.contains(&review.number)),
        "{early:?}"
    );
    town.approve(&review).await;
    publish(false).await.unwrap();
    town.work().await;
    assert_eq!(town.states().await, ALL_CONFIRMED);
    let second = publish(false).await;
    assert!(
        matches!(&second, Err(WorkError::Refused(why)) if why.contains("--again")),
        "{second:?}"
    );
    publish(true).await.unwrap();
    assert_eq!(town.deliveries().await.len(), 6);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slot_missed_by_a_day_waits_for_a_person() {
    let town = Town::new().await;
    let review = town.submit().await;
    town.approve(&review).await;
    town.tick().await;
    town.set_clock("2026-12-01T03:00:00Z").await;
    town.tick().await;
    let occurrence = town.publisher.store.occurrences(None, 1).await.unwrap().remove(0);
    assert_eq!(occurrence.state, OccurrenceState::Held, "{occurrence:?}");
    assert_eq!(occurrence.slot, MONDAY.parse().unwrap());
    town.work().await;
    assert_eq!(town.states().await, [""; 0]);
    let content = town.read();
    town.publisher.decide_slot(&content, &occurrence.id, true, "operator").await.unwrap();
    town.work().await;
    assert_eq!(town.states().await, ALL_CONFIRMED);
    let again = town.publisher.decide_slot(&content, &occurrence.id, false, "operator").await;
    assert!(matches!(again, Err(WorkError::Refused(_))), "{again:?}");
}
