//! A campaign for the branches with one tag: what the reviewer signs says so, and the other branch
//! sees nothing of it, neither in its folder nor on its page nor in what must come down.

use super::{CHANNELS, Office, quoted};
use crate::publishing::town::{MONDAY, Town};
use caishi::{
    model::{BranchId, ChannelId, Digest, Listing, MediaType, OutputKind},
    store::Review,
    work::{Verdict, WorkError, feeds, recall_steps::Effect, wire},
};
use jiff::Timestamp;
use std::{fs, path::Path};

const NEXT_MONDAY: &str = "2026-12-07T00:00:00Z";
const FOR_ALL: &str = "[[edition]]\nid = \"weekly\"\nname = ";
const FOR_CAMPUS: &str = "[[edition]]\nid = \"weekly\"\ntags = [\"campus\"]\nname = ";

/// With papers that all branches share.
fn channels() -> String {
    let neighbour = "\n[[people]]\nid = \"neighbour\"\nname = \"二号网点\"\nroles = [\"branch\"]\n\
                     branch = \"b002\"\n";
    let outputs =
        "outputs = [\"screen\", \"article\", \"post\", \"leaflet\", \"morning\", \"notice\"]";
    CHANNELS.replace("outputs = [\"screen\", \"article\", \"post\"]", outputs) + neighbour
}

/// Submits what a slot shows, signs it and lets the slot fire.
async fn goes_out(town: &Town, slot: &str) -> Review {
    let content = town.read();
    let subject = town.publisher.subject(&content, "weekly").unwrap();
    let at: Timestamp = slot.parse().unwrap();
    let outline = subject.outline(&content, &subject.lessons_at(at)).unwrap();
    let submitted = town.publisher.submit(&content, &outline, &town.author.id, &|_, _| {}).await;
    let review = submitted.unwrap().0;
    for step in &review.steps {
        let person = match &step.department {
            None => town.reviewer.clone(),
            department => {
                let department = department.clone();
                caishi::config::Person { department, ..town.co_reviewer.clone() }
            }
        };
        town.publisher.decide(&review, &person, Verdict::approved()).await.unwrap();
    }
    town.set_clock(slot).await;
    town.tick().await;
    town.work().await;
    review
}

fn names_below(folder: &Path) -> Vec<String> {
    let files = walkdir::WalkDir::new(folder).into_iter().map(Result::unwrap);
    let files = files.filter(|entry| entry.file_type().is_file());
    let name = |entry: walkdir::DirEntry| {
        entry.path().strip_prefix(folder).unwrap().to_string_lossy().into_owned()
    };
    files.map(name).collect()
}

/// What the channel of the branches carries of a submission.
fn carried(review: &Review) -> Digest {
    let branches = ChannelId::new("branches").unwrap();
    review.manifests.iter().find(|(id, _)| *id == branches).unwrap().1
}

#[tokio::test(flavor = "multi_thread")]
async fn a_narrowed_campaign_is_nowhere_else() {
    let town = Town::with(&channels()).await;
    let everybody = goes_out(&town, MONDAY).await;
    town.edit("campaigns/routine.toml", FOR_ALL, FOR_CAMPUS);
    let review = goes_out(&town, NEXT_MONDAY).await;
    let office = Office::of(town).await;
    what_is_signed_names_the_branch(&office, &everybody, &review).await;
    what_is_shared_lies_with_the_branch(&office.town.path("published"));
    pages_and_audit_know_it_at_one_branch(&office, &everybody, &review).await;
    it_comes_down_at_that_branch(&office, &review).await;
}

/// What goes to all has the bytes that it always had.
async fn what_is_signed_names_the_branch(office: &Office, everybody: &Review, review: &Review) {
    let publisher = &office.town.publisher;
    let (b001, b002) = (BranchId::new("b001").unwrap(), BranchId::new("b002").unwrap());
    let manifest = publisher.manifest(&carried(review)).await.unwrap();
    let reached = manifest.reached.clone().unwrap();
    assert!(matches!(&reached.branches[..], [only] if *only == b002), "{reached:?}");
    assert_eq!(reached.words(), "只到 1 个网点（标签 campus）");
    let text = publisher.store.manifest(&carried(everybody)).await.unwrap().unwrap();
    assert!(!text.contains("\"reach\""), "{text}");
    assert_eq!(wire::to_json(&wire::from_json(&text).unwrap()).unwrap().1, text);
    let text = publisher.store.manifest(&carried(review)).await.unwrap().unwrap();
    assert_eq!(wire::to_json(&wire::from_json(&text).unwrap()).unwrap(), (carried(review), text));
    assert!(manifest.files.iter().any(feeds::is_shared), "there is something to share");
    for file in &manifest.files {
        assert!(!feeds::is_given(&manifest, file, &b001), "{}", file.path);
    }
    let reviewer = office.browser("reviewer").await;
    let page = reviewer.get(&format!("/console/reviews/{}", quoted(&review.number))).await.text;
    assert!(page.contains("只到 1 个网点（标签 campus）") && page.contains("b002 大学坡支行"));
    assert!(
        page.contains("不分网点，收得到的都会看到：片区、标签对它不起作用"),
        "the webhook: {page}"
    );
    let old = format!("/console/reviews/{}", quoted(&everybody.number));
    assert!(reviewer.get(&old).await.text.contains("全部网点"));
}

fn what_is_shared_lies_with_the_branch(folder: &Path) {
    let pointer = fs::read_to_string(folder.join("current/routine.json")).unwrap();
    let pointer: serde_json::Value = serde_json::from_str(&pointer).unwrap();
    assert_eq!(pointer["current"]["branches"], serde_json::json!(["b002"]));
    let current = folder.join("releases/routine/current").canonicalize().unwrap();
    let names = names_below(&current);
    let elsewhere = |name: &&String| !name.contains("b002");
    assert_eq!(names.iter().find(elsewhere), None, "{names:?}");
    assert!(names.iter().any(|name| name.ends_with("leaflet.pdf")), "{names:?}");
}

/// The other branch still has last week's, and nothing of this.
async fn pages_and_audit_know_it_at_one_branch(
    office: &Office,
    everybody: &Review,
    review: &Review,
) {
    let publisher = &office.town.publisher;
    let lobby = office.browser("branch").await;
    let page = lobby.get("/b/b001").await.text;
    assert!(page.contains(&everybody.number) && !page.contains(&review.number), "{page}");
    let neighbour = office.browser("neighbour").await;
    let page = neighbour.get("/b/b002").await.text;
    assert!(page.contains(&review.number) && !page.contains(&everybody.number), "{page}");
    let manifest = publisher.manifest(&carried(review)).await.unwrap();
    let before = publisher.manifest(&carried(everybody)).await.unwrap();
    let b002 = BranchId::new("b002").unwrap();
    // Its own notice stands in for the one that all share.
    let given = |file: &&Listing| {
        feeds::is_given(&manifest, file, &b002)
            && file.media_type != MediaType::Zip
            && (file.branch.is_some() || file.output != OutputKind::Notice)
    };
    for file in manifest.files.iter().filter(given) {
        let path = |branch: &str| format!("/b/{branch}/file/{}", file.sha256);
        assert_eq!(neighbour.get(&path("b002")).await.status, 200, "{}", file.path);
        if !before.files.iter().any(|other| other.sha256 == file.sha256) {
            assert_eq!(lobby.get(&path("b001")).await.status, 404, "{}", file.path);
        }
    }
    let auditor = office.browser("auditor").await;
    let day = async |branch: &str| {
        auditor.get(&format!("/console/audit?branch={branch}&day=2026-12-07")).await.text
    };
    assert!(!day("b001").await.contains(&review.number), "the auditor is not told so either");
    assert!(day("b002").await.contains(&review.number));
    // What goes to others has not taken the place of what hangs here.
    let next = auditor.get("/console/audit?branch=b001&day=2026-12-08").await.text;
    assert!(next.contains(&everybody.number) && !next.contains("起由下一件代替"), "{next}");
    let next = auditor.get("/console/audit?branch=b002&day=2026-12-08").await.text;
    assert!(!next.contains(&everybody.number), "{next}");
}

async fn it_comes_down_at_that_branch(office: &Office, review: &Review) {
    let publisher = &office.town.publisher;
    let deliveries = office.town.deliveries().await;
    let delivery = deliveries.iter().find(|row| row.manifest == carried(review)).unwrap();
    let plan = publisher.recall_plan(&delivery.id).await.unwrap();
    assert_eq!(publisher.recall_steps(&plan).await.unwrap()[0].effect, Effect::TakeDown);
    publisher.recall(plan, "数字写错", "operator").await.unwrap();
    let lobby = office.browser("branch").await;
    assert!(lobby.get("/b/b001").await.text.contains("没有要撤下的"));
    let neighbour = office.browser("neighbour").await;
    assert!(!neighbour.get("/b/b002").await.text.contains("没有要撤下的"));
    let page = office.browser("publisher").await.get("/console/branches").await.text;
    assert!(page.contains("0/1 个网点已确认"), "{page}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_branch_that_joins_later_waits_for_another_approval() {
    let town = Town::with(&channels()).await;
    town.edit("campaigns/routine.toml", FOR_ALL, FOR_CAMPUS);
    let review = town.submit().await;
    town.approve(&review).await;
    town.edit("branches.csv", "上梯区,community", "上梯区,campus");
    town.set_clock(MONDAY).await;
    town.tick().await;
    let told = town.publisher.store.occurrences(None, 1).await.unwrap().remove(0);
    assert!(told.reason.contains("活动发到哪些网点 改过"), "{}", told.reason);
    assert!(town.states().await.iter().all(|state| !state.starts_with("branches")));
}

#[tokio::test(flavor = "multi_thread")]
async fn channels_without_branches_say_what_they_make_of_it() {
    let portal = "\n[channel.portal]\nkind = \"portal\"\npath = \"portal\"\n\
                  outputs = [\"portal\"]\naudiences = [\"general\"]\n";
    let town = Town::with(&(channels() + portal)).await;
    let content = town.read();
    let edition = content.edition("routine/weekly").unwrap().clone();
    let subject = town.publisher.subject(&content, "weekly").unwrap();
    let outline = subject.outline(&content, &edition.lessons).unwrap();
    assert_eq!(outline.warnings(), [""; 0], "a campaign for everybody");
    town.edit("campaigns/routine.toml", FOR_ALL, FOR_CAMPUS);
    let content = town.read();

    // The schedule has no portal: it is planned, and what the webhook does is said.
    let subject = town.publisher.subject(&content, "weekly").unwrap();
    let outline = subject.outline(&content, &edition.lessons).unwrap();
    let warnings = outline.warnings();
    assert!(
        matches!(&warnings[..], [one] if one.contains("渠道 intranet 不分网点")),
        "{warnings:?}"
    );
    // The campaign by itself leaves the portal out, which shows one thing everywhere, and says so.
    let subject = town.publisher.subject(&content, "routine/weekly").unwrap();
    let outline = subject.outline(&content, &edition.lessons).unwrap();
    assert!(outline.channels.iter().all(|channel| channel.entry.kind != "portal"));
    let warnings = outline.warnings();
    assert!(warnings.len() == 2 && warnings[0].contains("不走它"), "{warnings:?}");
    // Named, it is refused.
    town.edit(
        "campaigns/routine.toml",
        "tags = [",
        "channels = [\"branches\", \"portal\"]\ntags = [",
    );
    let content = town.read();
    let subject = town.publisher.subject(&content, "routine/weekly").unwrap();
    let Err(WorkError::Faults(faults)) = subject.outline(&content, &edition.lessons) else {
        panic!("it was planned")
    };
    assert!(faults[0].contains("渠道 portal 的认证页全行同放一期"), "{faults:?}");
    // Nobody at all is a fault.
    town.edit("campaigns/routine.toml", "\"campus\"", "\"harbour\"");
    let content = town.read();
    let subject = town.publisher.subject(&content, "weekly").unwrap();
    let Err(WorkError::Faults(faults)) = subject.outline(&content, &edition.lessons) else {
        panic!("it was planned")
    };
    assert!(matches!(&faults[..], [one] if one.contains("没有一个网点符合")), "{faults:?}");
}
