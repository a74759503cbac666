//! Editions that people plan: tried before they are saved, saved where nobody else wrote, and kept
//! to the channels, audiences and branches that they name.

use super::town::{CHANNELS, Town};
use caishi::{
    model::{Audience, ChannelId, Edition, LessonId, Reach},
    work::{WorkError, campaigns::Draft},
};
use jiff::civil::date;
use std::fs;

fn draft(town: &Town, edition: &str) -> Draft {
    let content = town.read();
    let old = content.edition("rights-day/2027").unwrap();
    let id = caishi::model::CampaignId::new(&format!("rights-day/{edition}")).unwrap();
    let name = "2027年“3·15” \"教育\" 宣传\\n".to_owned();
    let lessons =
        vec![LessonId::new("personal-info").unwrap(), LessonId::new("telecom-fraud").unwrap()];
    let replaces = content.edition(&id.to_string()).ok().map(|edition| edition.id.clone());
    Draft {
        replaces,
        series_name: String::new(),
        description: String::new(),
        edition: Edition { id, name, lessons, ..old.clone() },
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_edition_is_changed_where_it_stands_and_nothing_else_is() {
    let town = Town::new().await;
    let publisher = &town.publisher;
    let file = town.path("content/campaigns/rights-day.toml");
    let before = fs::read_to_string(&file).unwrap();
    let (_, seen) = publisher.campaign_file("rights-day").unwrap();

    // What exists is replaced in its place.
    let content = town.read();
    publisher.save_campaign(&content, &draft(&town, "2027"), &seen, "author").await.unwrap();
    let after = fs::read_to_string(&file).unwrap();
    assert!(after.starts_with("# 3·15 消费者权益保护教育宣传"), "comments stay: {after}");
    assert!(after.contains("2026年3·15教育宣传"), "{after}");
    let content = town.read();
    let edition = content.edition("rights-day/2027").unwrap();
    assert_eq!(*edition, draft(&town, "2027").edition);

    // Whoever still has the old file in hand loses nothing and overwrites nothing.
    let stale = publisher.save_campaign(&content, &draft(&town, "2028"), &seen, "other").await;
    assert!(
        matches!(&stale, Err(WorkError::Refused(why)) if why.contains("被别人改过")),
        "{stale:?}"
    );
    assert_eq!(fs::read_to_string(&file).unwrap(), after);

    // A new one is added behind.
    let (_, seen) = publisher.campaign_file("rights-day").unwrap();
    publisher.save_campaign(&content, &draft(&town, "2028"), &seen, "author").await.unwrap();
    assert_eq!(town.read().library.campaigns.iter().map(|one| one.editions.len()).max(), Some(3));

    // The old text is kept, and the audit chain names it.
    let rows = publisher.store.audit_rows(1, 1000).await.unwrap();
    let saved: Vec<_> = rows.iter().filter(|row| row.action == "campaign.save").collect();
    assert_eq!(saved.len(), 2, "{saved:?}");
    let note: serde_json::Value = serde_json::from_str(&saved[0].after).unwrap();
    let digest = caishi::model::Digest::from_hex(note["before"].as_str().unwrap()).unwrap();
    assert_eq!(publisher.store.blob(&digest).await.unwrap(), before.as_bytes());
    let left: Vec<_> = fs::read_dir(town.path("content/campaigns")).unwrap().collect();
    assert_eq!(left.len(), 4, "no half-written file is left: {left:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_says_what_would_go_where_before_anything_is_saved() {
    let town = Town::new().await;
    let content = town.read();
    let file = town.path("content/campaigns/rights-day.toml");
    let before = fs::read_to_string(&file).unwrap();
    let mut plan_of = draft(&town, "2027");
    let plan = town.publisher.draft_plan(&content, &plan_of).await.unwrap();
    assert!(plan.is_sound(), "{plan:?}");
    let channels: Vec<&str> =
        plan.parts[0].channels.iter().map(|one| one.channel.as_str()).collect();
    assert_eq!(channels, ["wechat", "branches", "intranet"]);
    assert_eq!(plan.branches, (2, 2));

    // Kept to one channel.
    plan_of.edition.reach.channels = vec![ChannelId::new("wechat").unwrap()];
    let plan = town.publisher.draft_plan(&content, &plan_of).await.unwrap();
    assert_eq!(plan.parts[0].channels.len(), 1);
    // A channel or branches that there are not.
    plan_of.edition.reach.channels = vec![ChannelId::new("fax").unwrap()];
    plan_of.edition.reach.districts = vec!["没有的区".into()];
    let plan = town.publisher.draft_plan(&content, &plan_of).await.unwrap();
    let faults = plan.parts[0].faults.join("；");
    assert!(faults.contains("没有渠道“fax”") && faults.contains("没有一个网点"), "{faults}");
    // Lessons out of their time, and lessons that are not there.
    plan_of.edition.reach = Reach::default();
    (plan_of.edition.from, plan_of.edition.until) = (date(2031, 3, 9), date(2031, 3, 15));
    let plan = town.publisher.draft_plan(&content, &plan_of).await.unwrap();
    assert!(plan.parts[0].faults.join("").contains("不重叠"), "{plan:?}");
    plan_of.edition.lessons.push(LessonId::new("nothing").unwrap());
    let missing = town.publisher.draft_plan(&content, &plan_of).await;
    assert!(matches!(missing, Err(WorkError::Faults(_))), "{missing:?}");
    assert_eq!(fs::read_to_string(&file).unwrap(), before, "nothing was written");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_edition_reaches_only_the_branches_and_audiences_that_it_names() {
    let town = Town::with(CHANNELS).await;
    let content = town.read();
    let first = content.library.branches[0].clone();
    let reach = format!("districts = [\"{}\"]\naudiences = [\"general\"]\nname = ", first.district);
    town.edit(
        "campaigns/routine.toml",
        "[[edition]]\nid = \"weekly\"\nname = ",
        &format!("[[edition]]\nid = \"weekly\"\n{reach}"),
    );
    let content = town.read();
    let edition = content.edition("routine/weekly").unwrap();
    assert_eq!(edition.reach.audiences, [Audience::General]);
    let reached = content.library.branches.iter().filter(|branch| edition.reach.covers(branch));
    let reached: Vec<_> = reached.map(|branch| branch.id.clone()).collect();
    let subject = town.publisher.subject(&content, "weekly").unwrap();
    let outline = subject.outline(&content, &edition.lessons).unwrap();
    let plan = town.publisher.render(&content, &outline, "号", &|_, _| {}).unwrap();
    for channel in &plan.channels {
        for file in &channel.manifest.files {
            let within = file.branch.as_ref().is_none_or(|id| reached.contains(id));
            assert!(within, "{} {}", channel.channel, file.path);
        }
        assert!(channel.manifest.inputs.contains_key("campaign/branches"), "approvals hang on it");
    }
    town.edit("campaigns/routine.toml", "audiences = [\"general\"]", "audiences = [\"everybody\"]");
    let found = town.read().diagnostics;
    assert!(found.iter().any(|one| one.reason.contains("没有读者“everybody”")), "{found:?}");
}

/// Two schedules show the same campaign, over channels of their own.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_rendered_again_is_what_its_own_schedule_submitted() {
    let second = "[schedule.late]\ncampaign = \"routine/weekly\"\nrule = \"0 18 * * TUE\"\n\
                  channels = [\"branches\", \"intranet\"]\n\n[[review.step]]";
    let channels = CHANNELS
        .replace("channels = [\"wechat\", \"branches\", \"intranet\"]", "channels = [\"wechat\"]")
        .replacen("[[review.step]]", second, 1);
    let town = Town::with(&channels).await;
    let content = town.read();
    for (schedule, expected) in [("weekly", 1), ("late", 2)] {
        let subject = town.publisher.subject(&content, schedule).unwrap();
        let lessons = subject.lessons_at(super::town::MONDAY.parse().unwrap());
        let outline = subject.outline(&content, &lessons).unwrap();
        let submitted = town.publisher.submit(&content, &outline, &town.author.id, &|_, _| {});
        let review = submitted.await.unwrap().0;
        assert_eq!(review.manifests.len(), expected);
        let again = town.publisher.render_again(&review).await.unwrap();
        assert!(again.same > 0, "{schedule}: {again:?}");
        assert!(again.different.is_empty() && again.reasons.is_empty(), "{schedule}: {again:?}");
    }
}
