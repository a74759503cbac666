//! What people order themselves: at a moment, on which day, and once more for what was missing.

use super::{
    ALL_CONFIRMED,
    town::{CHANNELS, MONDAY, Town},
};
use caishi::{
    model::LessonId,
    store::{Occurrence, OccurrenceState, Review},
    work::{Publisher, Verdict, WorkError, fire::Firing, history::History, publish::Order},
};
use jiff::{SignedDuration, Timestamp};
use std::sync::Arc;

async fn publish(
    town: &Town,
    publisher: &Publisher,
    review: &Review,
    at: Timestamp,
) -> Result<Firing, WorkError> {
    let content = town.read();
    let subject = publisher.subject(&content, "weekly").unwrap();
    let order = Order { lessons: &review.lessons, at, again: false, dry_run: false };
    publisher.publish(&content, &subject, &order, "author").await
}

/// A town whose campaign runs in the week of Monday 2026-11-30 only.
async fn one_week(channels: &str) -> (Town, Review) {
    let town = Town::with(channels).await;
    town.edit("campaigns/routine.toml", "from = 2026-09-01", "from = 2026-11-30");
    town.edit("campaigns/routine.toml", "until = 2027-08-31", "until = 2026-12-06");
    let review = town.submit().await;
    town.approve(&review).await;
    (town, review)
}

fn refused(answer: Result<Firing, WorkError>) -> String {
    match answer {
        Err(WorkError::Refused(why)) => why,
        other => panic!("{other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_day_that_counts_is_the_one_it_goes_out_on() {
    let (town, review) = one_week(CHANNELS).await;
    let at = |text: &str| text.parse::<Timestamp>().unwrap();
    // Today, Friday, is too early; the Monday after it is too late, and that is said today.
    let early = refused(publish(&town, &town.publisher, &review, at("2026-11-27T02:00:00Z")).await);
    assert!(early.contains("2026-11-27 不在投放日期 2026-11-30 至 2026-12-06 内"), "{early}");
    let late = refused(publish(&town, &town.publisher, &review, at("2026-12-06T16:30:00Z")).await);
    assert!(late.contains("2026-12-07 不在投放日期"), "{late}");
    // The last minute of Sunday is not.
    publish(&town, &town.publisher, &review, at("2026-12-06T15:59:00Z")).await.unwrap();
    town.work().await;
    assert_eq!(town.states().await, ["branches ready", "intranet ready", "wechat ready"]);
    town.set_clock("2026-12-06T15:59:05Z").await;
    town.worker("worker").drain().await.unwrap();
    let states = town.states().await;
    assert!(states.iter().all(|state| !state.ends_with("ready")), "it was sent: {states:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn days_are_counted_in_the_zone_of_the_schedule() {
    let channels = CHANNELS.replace(
        "rule = \"0 8 * * MON\"",
        "rule = \"0 8 * * MON\"\ntime_zone = \"America/New_York\"",
    );
    let (town, review) = one_week(&channels).await;
    // Eleven in the morning of Monday in Shanghai is still Sunday evening in New York.
    let monday = "2026-11-30T03:00:00Z".parse().unwrap();
    let why = refused(publish(&town, &town.publisher, &review, monday).await);
    assert!(why.contains("2026-11-29 不在投放日期"), "{why}");
    let monday = "2026-11-30T05:00:00Z".parse().unwrap();
    let firing = publish(&town, &town.publisher, &review, monday).await.unwrap();
    // The last day ends at midnight there.
    let end: Timestamp = "2026-12-07T05:00:00Z".parse().unwrap();
    assert!(firing.deliveries.iter().all(|delivery| delivery.expires_at == end), "{firing:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_blocked_of_an_order_is_made_up_for_and_nothing_goes_twice() {
    let town = Town::new().await;
    let review = town.submit().await;
    town.approve(&review).await;
    // Another hand changes the webhook's address before it is published.
    let path = town.path("channels.toml");
    let text = std::fs::read_to_string(&path).unwrap();
    let other = text.replace("https://intranet.shancheng.example/hook", "https://other.example/x");
    std::fs::write(&path, other).unwrap();
    let changed = town.another().await;
    let now = caishi::work::clock::this_second(changed.store.now().await.unwrap());
    let firing = publish(&town, &changed, &review, now).await.unwrap();
    let id = firing.occurrence.id;
    assert!(id.starts_with("publish-weekly@"), "{id}");
    assert_eq!(firing.blocked.len(), 1);
    town.work().await;
    assert_eq!(town.states().await, ["branches confirmed", "wechat confirmed"]);

    // Still changed: nothing to make up for, and why is said.
    let content = town.read();
    let run = async |publisher: &Publisher| -> Result<Occurrence, WorkError> {
        publisher.decide_slot(&content, &id, true, "operator").await
    };
    let still = run(&changed).await;
    assert!(
        matches!(&still, Err(WorkError::Refused(why)) if why.contains("[channel.intranet]")),
        "{still:?}"
    );
    // Changed back: the missing channel goes, the others do not go again.
    let occurrence = run(&town.publisher).await.unwrap();
    assert_eq!(occurrence.state, OccurrenceState::Fired, "{occurrence:?}");
    town.work().await;
    assert_eq!(town.states().await, ALL_CONFIRMED);
    assert_eq!(town.sandbox.books().out().count(), 1);
    assert_eq!(town.sandbox.webhooks().received().len(), 1);
    assert!(matches!(run(&town.publisher).await, Err(WorkError::Refused(_))), "it is decided");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_whose_campaign_goes_over_every_channel_can_be_made_up_for_too() {
    let town = Town::new().await;
    let content = town.read();
    let subject = town.publisher.subject(&content, "routine/weekly").unwrap();
    let lessons = vec![LessonId::new("telecom-fraud").unwrap()];
    let outline = subject.outline(&content, &lessons).unwrap();
    let author = &town.author.id;
    let submitted = town.publisher.submit(&content, &outline, author, &|_, _| {}).await;
    let review = submitted.unwrap().0;
    // One channel's manifest has only one of the two signatures.
    for person in [&town.reviewer, &town.co_reviewer] {
        let mut part = review.clone();
        if person.id == town.co_reviewer.id {
            part.manifests.retain(|(channel, _)| channel.as_str() != "wechat");
        }
        town.publisher.decide(&part, person, Verdict::approved()).await.unwrap();
    }
    let at = caishi::work::clock::this_second(town.publisher.store.now().await.unwrap());
    let order = Order { lessons: &lessons, at, again: false, dry_run: false };
    let firing = town.publisher.publish(&content, &subject, &order, "author").await.unwrap();
    let (channel, why) = &firing.blocked[0];
    assert_eq!(channel.as_str(), "wechat");
    assert!(why[0].contains(&review.number), "{why:?}");
    assert!(firing.occurrence.reason.contains("渠道 wechat 没有发"), "{firing:?}");
    let id = firing.occurrence.id;
    assert!(id.starts_with("publish-routine-weekly@"), "{id}");
    let mut rest = review.clone();
    rest.manifests.retain(|(channel, _)| channel.as_str() == "wechat");
    town.publisher.decide(&rest, &town.co_reviewer, Verdict::approved()).await.unwrap();
    town.publisher.decide_slot(&content, &id, true, "operator").await.unwrap();
    town.work().await;
    assert_eq!(town.states().await, ALL_CONFIRMED);
}

/// What a process has caught up with is what one that has just begun reads.
async fn history_of(town: &Town, process: &Publisher) -> Arc<History> {
    let history = process.history().await.unwrap();
    let fresh = town.another().await.history().await.unwrap();
    assert_eq!(format!("{history:?}"), format!("{fresh:?}"));
    history
}

#[tokio::test(flavor = "multi_thread")]
async fn what_another_process_wrote_is_seen_at_once() {
    let town = Town::with(CHANNELS).await;
    let other = town.another().await;
    let waiting = async || -> Vec<String> {
        let waiting = other.waiting_reviews().await.unwrap();
        waiting.into_iter().map(|(review, _)| review.number).collect()
    };
    assert_eq!(waiting().await, Vec::<String>::new());
    assert_eq!(other.history().await.unwrap().len(), 0);
    let review = town.submit().await;
    assert_eq!(waiting().await, std::slice::from_ref(&review.number));
    town.approve(&review).await;
    assert_eq!(waiting().await, Vec::<String>::new());

    // Only what changes is read: other deliveries, other states of them.
    town.set_clock(MONDAY).await;
    town.tick().await;
    let history = history_of(&town, &other).await;
    assert_eq!(history.len(), ALL_CONFIRMED.len());
    town.work().await;
    let rows = town.deliveries().await;
    let branches = &rows.iter().find(|one| one.channel.as_str() == "branches").unwrap().id;
    assert_eq!(history.out_at(branches), None, "as it was read");
    let history = history_of(&town, &other).await;
    let monday: Timestamp = MONDAY.parse().unwrap();
    assert!(history.out_at(branches).is_some_and(|at| at >= monday));
    assert_eq!(history.recalled_at(branches), None);
    let plan = town.publisher.recall_plan(branches).await.unwrap();
    town.publisher.recall(plan, "有错", "tester").await.unwrap();
    let history = history_of(&town, &other).await;
    assert!(history.recalled_at(branches) > history.out_at(branches));
    // With a clock that was set back a change is older than what is known.
    town.move_clock(SignedDuration::from_hours(-9));
    let intranet = &rows.iter().find(|one| one.channel.as_str() == "intranet").unwrap().id;
    let wechat = &rows.iter().find(|one| one.channel.as_str() == "wechat").unwrap().id;
    let plan = town.publisher.recall_plan(wechat).await.unwrap();
    town.publisher.recall(plan, "有错", "tester").await.unwrap();
    let history = history_of(&town, &other).await;
    let back = history.recalled_at(wechat).unwrap();
    assert!(back < monday && history.out_at(intranet).is_some());
}
