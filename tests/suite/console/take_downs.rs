//! What is recalled in the console, all the way: the signed repository, the branches' machines that
//! pull from it, the branch's own page, and back to who has not taken down yet.

use super::{Browser, CHANNELS, Office, stage};
use crate::{branch::town::TestWall, publishing::town::MONDAY};
use caishi::{
    branch::{
        confirm,
        enrol::{Enrolment, enrol},
        gate::Gate,
        http::{HttpOffice, Patience},
        machine::{Machine, Urgency},
        report::Reporter,
    },
    model::{PackIndex, TakeDown},
    packs::{SigningKey, wire::ConfirmedWhat},
};
use jiff::SignedDuration;
use std::{path::Path, process::Command, sync::Arc, time::Duration};

/// A bank whose branches fetch their posters from a repository with keys of its own.
async fn monday(keys: &Path) -> Office {
    let made = Command::new(env!("CARGO_BIN_EXE_caishi"))
        .args(["keys", "init", keys.to_str().unwrap()])
        .output()
        .unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let keys = keys.display();
    let screens = format!(
        "[channel.screens]\nkind = \"packs\"\nmode = \"publish\"\npath = \"outbox\"\nkeys = \"{keys}\"\n\
         outputs = [\"screen\"]\naudiences = [\"general\"]\n\n[schedule.weekly]"
    );
    let channels = CHANNELS.replace("[schedule.weekly]", &screens);
    let channels = channels.replace("[\"branches\", \"intranet\"]", "[\"screens\"]");
    let office = Office::with(&channels).await;
    let review = office.town.submit().await;
    office.town.approve(&review).await;
    office.town.set_clock(MONDAY).await;
    office.town.tick().await;
    office.town.work().await;
    assert_eq!(office.town.states().await, ["screens confirmed"]);
    office
}

/// A machine that was enrolled with the code of the console's page.
struct Station {
    machine: Machine,
    wall: TestWall,
    _folder: tempfile::TempDir,
}

impl Station {
    async fn enrolled(office: &Office, desk: &Browser, branch: &str) -> Self {
        let page = desk.post(&format!("/console/branches/{branch}/code"), &[]).await.text;
        let (_, code) = page.split_once("id=\"code\">").unwrap_or_else(|| panic!("{page}"));
        let folder = tempfile::tempdir().unwrap();
        let enrolment = Enrolment {
            code: code.split_once('<').unwrap().0.to_owned(),
            server: format!("{}/packs", office.url).parse().unwrap(),
            authority: None,
            config: folder.path().join("branch.toml"),
            machine: "大堂".to_owned(),
            version: "0.1.0".to_owned(),
        };
        let (id, _) = enrol(&enrolment).await.unwrap();
        assert_eq!(id.as_str(), branch);
        let wall = TestWall::at(MONDAY);
        let machine = Machine::open(&enrolment.config, Arc::new(wall.clone())).unwrap();
        Self { machine, wall, _folder: folder }
    }

    /// What the machine knows after a pull at the ledger's own time.
    async fn pulls(&self, office: &Office) -> PackIndex {
        self.wall.set(office.town.publisher.store.now().await.unwrap());
        self.machine.pull(None, Urgency::Now).await.unwrap();
        self.machine.state.shown().unwrap().pack.unwrap()
    }

    /// Somebody at the machine says that something is down, and the signed report arrives.
    async fn says_down(&self, office: &Office, item: &TakeDown) {
        let Machine { config, state } = &self.machine;
        let lesson = item.lesson.as_ref().map(ToString::to_string);
        let now = office.town.publisher.store.now().await.unwrap();
        let what = ConfirmedWhat::TakenDown;
        confirm::queue(&state.root, item.key, lesson, what, "大堂经理", now).unwrap();
        let reporter = Reporter::new(SigningKey::load(&config.key).unwrap(), "0.1.0");
        let server = format!("{}/packs", office.url).parse().unwrap();
        let http = HttpOffice::new(&server, None, None, Patience::default()).unwrap();
        let gate = Gate::new(config.branch.as_str().as_bytes());
        let puller = self.machine.puller(None).await.unwrap();
        reporter.send(&puller, &http, &gate, None).await.unwrap();
        assert!(confirm::waiting(&state.root).is_empty(), "acknowledged");
    }
}

/// The list of who must take what down, as the head office sees it.
async fn standing(desk: &Browser) -> String {
    let page = desk.get("/console/branches").await.text;
    let (_, list) = page.split_once("要撤下的</h2>").unwrap();
    list.split_once("</section>").unwrap().0.to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_recall_reaches_the_machine_the_wall_and_the_list() {
    let folder = tempfile::tempdir().unwrap();
    let keys = folder.path().join("keys");
    let office = monday(&keys).await;
    let desk = office.browser("publisher").await;
    let first = Station::enrolled(&office, &desk, "b001").await;
    let second = Station::enrolled(&office, &desk, "b002").await;
    for machine in [&first, &second] {
        let index = machine.pulls(&office).await;
        assert_eq!((index.releases.len(), index.take_down.len()), (1, 0));
        assert!(!index.releases[0].entries.is_empty(), "it has its posters");
    }
    assert!(standing(&desk).await.contains("没有。"));

    // It hangs since Tuesday morning; then its numbers turn out to be wrong.
    office.town.move_clock(SignedDuration::from_hours(26));
    let desk = office.browser("publisher").await;
    stage::recall(&desk, "telecom-fraud").await;
    assert_eq!(office.town.states().await, ["screens recalled"]);
    let mut items: Vec<TakeDown> = Vec::new();
    for machine in [&first, &second] {
        let index = machine.pulls(&office).await;
        assert!(index.releases.is_empty(), "nothing of it plays any more");
        let [item] = &index.take_down[..] else { panic!("{:?}", index.take_down) };
        items.push(item.clone());
    }
    let list = standing(&desk).await;
    assert!(list.contains(&items[0].title) && list.contains(&items[0].reason), "{list}");
    assert!(list.contains("0/2 个网点已确认"), "{list}");
    assert!(list.contains("/b/b001\"") && list.contains("/b/b002\""), "{list}");

    // The first branch says so on its page: the same item, by key and lesson.
    let lobby = office.browser("branch").await;
    let page = lobby.get("/b/b001").await.text;
    assert!(page.contains(&items[0].title), "{page}");
    let (key, lesson) = (items[0].key.to_string(), items[0].lesson.clone());
    let lesson = lesson.map_or(String::new(), |lesson| lesson.to_string());
    let fields = [("key", key.as_str()), ("lesson", &lesson), ("what", "taken-down")];
    let done = lobby.post("/b/b001/confirm", &fields).await;
    assert_eq!(done.location(), "/b/b001?done=confirmed", "{}", done.text);
    let list = standing(&desk).await;
    assert!(list.contains("1/2 个网点已确认") && !list.contains("/b/b001\""), "{list}");

    // The second one at its machine, whose signed report says it.
    second.says_down(&office, &items[1]).await;
    // What machines report is seen within some seconds.
    let mut list = standing(&desk).await;
    for _ in 0..100 {
        if list.contains("都撤下了") {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
        list = standing(&desk).await;
    }
    assert!(list.contains("都撤下了") && list.contains("2/2 个网点已确认"), "{list}");
}
