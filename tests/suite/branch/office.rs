//! A branch and the real head office: enrolment, pull, nudge, receipts and confirmations, by the
//! command and by the service.

use crate::packs::http::Office;
use caishi::{
    branch::{
        Stage,
        clock::MachineWall,
        machine::{Machine, Urgency},
        receipts::{Displayed, unacknowledged},
        service::Service,
    },
    model::BranchId,
};
use jiff::{SignedDuration, Timestamp};
use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
    sync::Arc,
    time::Duration,
};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

struct Box {
    folder: tempfile::TempDir,
}

impl Box {
    fn config(&self) -> PathBuf {
        self.folder.path().join("branch.toml")
    }

    /// `caishi branch …`, away from the runtime's threads.
    async fn caishi(&self, arguments: &[&str]) -> Output {
        let (config, arguments) =
            (self.config(), arguments.iter().map(|&a| a.to_owned()).collect::<Vec<_>>());
        tokio::task::spawn_blocking(move || {
            Command::new(env!("CARGO_BIN_EXE_caishi"))
                .arg("branch")
                .args(arguments)
                .arg("--branch-config")
                .arg(config)
                .output()
                .unwrap()
        })
        .await
        .unwrap()
    }

    async fn says(&self, arguments: &[&str]) -> String {
        let output = self.caishi(arguments).await;
        let said = [output.stdout, output.stderr].map(|text| String::from_utf8(text).unwrap());
        assert!(output.status.success(), "{arguments:?}: {}", said.concat());
        said.concat()
    }

    async fn fails(&self, arguments: &[&str]) -> String {
        let output = self.caishi(arguments).await;
        assert!(!output.status.success(), "{arguments:?}");
        String::from_utf8(output.stderr).unwrap()
    }
}

fn machine(config: &Path) -> Machine {
    Machine::open(config, Arc::new(MachineWall)).unwrap()
}

async fn enrolled() -> (Office, Box) {
    let office = Office::open().await;
    office.town.publish(&office.town.week(1, -36)).await;
    let b001 = BranchId::new("b001").unwrap();
    let (code, _) = office.publisher.enrol_code(&b001, "author-a").await.unwrap();
    let own = Box { folder: tempfile::tempdir().unwrap() };
    let said = own.says(&["enrol", &code, "--server", &office.url]).await;
    assert!(said.contains("已登记为 b001") && said.contains("caishi branch pull"), "{said}");
    (office, own)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_box_is_enrolled_pulls_says_how_it_stands_and_what_was_taken_down() {
    let (office, own) = enrolled().await;
    let status = own.caishi(&["status"]).await;
    assert!(String::from_utf8(status.stdout).unwrap().contains("caishi branch pull --now"));
    let said = own.says(&["pull", "--now"]).await;
    assert!(said.contains("取到 1 个文件"), "{said}");
    let status = String::from_utf8(own.caishi(&["status"]).await.stdout).unwrap();
    assert!(status.contains("routine/weekly") && status.contains("在放"), "{status}");
    let key = status.lines().find(|line| line.contains("routine/weekly")).unwrap();
    let key: String = key.chars().take(8).collect();
    own.says(&["confirm", &key, "--posted", "--by", "大堂经理"]).await;
    let error = own.fails(&["confirm", "zzzz", "--taken-down", "--by", "x"]).await;
    assert!(error.contains("caishi branch status"), "{error}");
    assert!(own.says(&["clock"]).await.contains("网点时间"));

    // A stick: the head office's folder, carried to a machine whose line is dead.
    let text = fs::read_to_string(own.config()).unwrap();
    fs::write(own.config(), text.replace(&office.url, "http://127.0.0.1:9")).unwrap();
    office.town.publish(&office.town.week(2, -12)).await;
    let error = own.fails(&["pull", "--now"]).await;
    assert!(error.contains("连不上"), "{error}");
    let stick = office.town.folder.path().join("outbox");
    let said = own.says(&["pull", "--from", stick.to_str().unwrap()]).await;
    assert!(said.contains("第 2 版"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_code_that_does_not_fit_the_root_or_the_branch_is_refused() {
    let (office, own) = enrolled().await;
    let b002 = BranchId::new("b002").unwrap();
    let (code, _) = office.publisher.enrol_code(&b002, "author-a").await.unwrap();
    let error = own.fails(&["enrol", &code, "--server", &office.url]).await;
    assert!(error.contains("写的是网点 b001"), "{error}");
    let other = Box { folder: tempfile::tempdir().unwrap() };
    let error = other.fails(&["enrol", "b002-abc", "--server", &office.url]).await;
    assert!(error.contains("不完整"), "{error}");
    let wrong = format!("{}0", &code[..code.len() - 1]);
    let wrong = if wrong == code { format!("{}1", &code[..code.len() - 1]) } else { wrong };
    let error = other.fails(&["enrol", &wrong, "--server", &office.url]).await;
    assert!(error.contains("登记码不对"), "{error}");
    assert!(!other.config().exists(), "nothing is configured");
    let error = other.fails(&["pull"]).await;
    assert!(error.contains("caishi branch enrol"), "{error}");
    other.says(&["enrol", &code, "--server", &office.url]).await;
}

fn run(service: Service) -> (JoinHandle<()>, CancellationToken) {
    let stop = CancellationToken::new();
    let token = stop.clone();
    (tokio::spawn(async move { service.run(token).await }), stop)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_service_hears_a_nudge_and_its_reports_count_once() {
    let (office, own) = enrolled().await;
    let machine = machine(&own.config());
    machine.pull(None, Urgency::Now).await.unwrap();
    own.says(&["confirm", "", "--posted", "--by", "大堂经理"]).await;
    let stage = Stage::open(Arc::clone(&machine.state)).unwrap();
    let (service, lock) = machine.service(Some(stage.clone()), "0.1.0").await.unwrap();
    assert!(machine.service(None, "0.1.0").await.is_err(), "one service a machine");
    let (running, stop) = run(service);
    let playing = stage.playlist("s1").unwrap().items;
    let from = Timestamp::now() - SignedDuration::from_hours(7);
    stage.displayed(&Displayed {
        screen: "s1".to_owned(),
        sha256: playing[0].sha256,
        from,
        until: from + SignedDuration::from_secs(90),
        count: 6,
        seconds: 90,
    });
    stage.standing("s1", Some(&playing[0].sha256));
    // The line for nudges stands; then something is published.
    tokio::time::sleep(Duration::from_secs(3)).await;
    let published = std::time::Instant::now();
    office.town.publish(&office.town.week(2, -12)).await;
    let known = |version: u64| {
        let status = machine.state.shelf.stamp();
        status.is_some()
            && machine
                .state
                .shown()
                .unwrap()
                .pack
                .is_some_and(|pack| u64::try_from(pack.releases.len()).unwrap() >= version)
    };
    while !known(2) {
        assert!(published.elapsed() < Duration::from_mins(1), "no nudge was heard");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    println!("a nudge was followed after {:?}", published.elapsed());
    stop.cancel();
    running.await.unwrap();

    // Receipts became lines at the end; the next service tells them.
    assert_eq!(unacknowledged(&machine.state.root, usize::MAX).len(), 1);
    drop((stage, lock));
    let (service, _lock) = machine.service(None, "0.1.0").await.unwrap();
    let (running, stop) = run(service);
    let began = std::time::Instant::now();
    while !unacknowledged(&machine.state.root, usize::MAX).is_empty() {
        assert!(began.elapsed() < Duration::from_mins(1), "no report arrived");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    stop.cancel();
    running.await.unwrap();
    let store = &office.publisher.store;
    let b001 = BranchId::new("b001").unwrap();
    let all = store.displays(&b001, Timestamp::UNIX_EPOCH, Timestamp::MAX).await.unwrap();
    assert_eq!(all.len(), 1);
    let standings = office.publisher.branch_standings(None).await.unwrap();
    let status = standings[0].status.clone().unwrap();
    assert_eq!(status.screens, [("s1".to_owned(), Some(playing[0].sha256.to_string()))]);
    assert!(status.timestamp_version >= 2);
}
