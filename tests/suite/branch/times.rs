//! What comes up when, what comes down when, and that no clock revives it.

use super::town::{Branch, EIGHT, EVENING, HeadOffice, at, file, hours, names, playing, poster};
use caishi::{
    branch::{
        Stage,
        clock::{BranchClock, Wall as _},
    },
    model::Digest,
    packs::Release,
};
use jiff::{SignedDuration, Timestamp};
use std::{fs, sync::Arc, time::Duration};
use tokio_util::sync::CancellationToken;

/// A branch with an old pack that ends at ten, and a new one that begins at eight.
async fn town() -> (HeadOffice, Branch) {
    let mut office = HeadOffice::new(&["b001"]);
    office.release(1, "2026-11-23T00:00:00Z", &[("old.png", poster(1, 30_000))]);
    office.last().show_until = at("2026-11-30T02:00:00Z");
    office.release(2, EIGHT, &[("new.png", poster(2, 30_000))]);
    office.publish().await;
    let branch = Branch::new(&office, "b001");
    branch.pull(office.source()).await.unwrap();
    (office, branch)
}

/// When each change of a driven stage happens, by the branch's clock, and what plays then.
async fn changes(stage: &Stage, until: Timestamp) -> Vec<(Timestamp, Vec<String>)> {
    let stop = CancellationToken::new();
    let driving = tokio::spawn({
        let (stage, stop) = (stage.clone(), stop.clone());
        async move { stage.drive(stop).await }
    });
    let mut watch = stage.watch();
    let mut changes = Vec::new();
    let end = tokio::time::Instant::now()
        + Duration::try_from(stage.now().duration_until(until)).unwrap();
    while let Ok(Ok(())) = tokio::time::timeout_at(end, watch.changed()).await {
        changes.push((stage.now(), playing(stage)));
    }
    stop.cancel();
    driving.await.unwrap();
    changes
}

#[tokio::test(start_paused = true)]
async fn packs_switch_at_the_second_and_come_down_within_five() {
    let (mut office, branch) = town().await;
    // A third one that begins later and ends at noon, with an hour of its own.
    office.release(3, "2026-11-30T00:30:00Z", &[("third.png", poster(3, 30_000))]);
    office.last().show_until = at("2026-11-30T04:00:00Z");
    office.last().files[0].hours = Some(("09:00".parse().unwrap(), "11:00".parse().unwrap()));
    office.publish().await;
    branch.pull(office.source()).await.unwrap();
    let stage = branch.stage();
    assert_eq!(playing(&stage), ["old.png"]);
    let changes = changes(&stage, at("2026-11-30T06:00:00Z")).await;
    let expected: [(&str, &[&str]); 4] = [
        (EIGHT, &["new.png"]),
        ("2026-11-30T00:30:00Z", &[]),
        ("2026-11-30T01:00:00Z", &["third.png"]),
        ("2026-11-30T03:00:00Z", &[]),
    ];
    assert_eq!(changes.len(), expected.len(), "{changes:?}");
    for ((moment, shown), (due, names)) in changes.iter().zip(expected) {
        assert_eq!(shown, names, "at {due}");
        let late = at(due).duration_until(*moment);
        assert!((SignedDuration::ZERO..SignedDuration::from_secs(1)).contains(&late), "{late}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_has_run_out_comes_down_and_is_deleted_with_the_head_office_gone() {
    let mut office = HeadOffice::new(&["b001"]);
    office.release(1, "2026-11-23T00:00:00Z", &[("old.png", poster(1, 30_000))]);
    office.last().show_until = at(EIGHT);
    office.publish().await;
    let branch = Branch::new(&office, "b001");
    branch.pull(office.source()).await.unwrap();
    drop(office);
    let stage = branch.stage();
    let item = stage.playlist("s1").unwrap().items.remove(0);
    assert_eq!(item.remaining, Duration::from_hours(12));
    assert!(stage.poster(&item.sha256).is_some());
    let changes = changes(&stage, at(EIGHT) + hours(1)).await;
    assert_eq!(changes.len(), 1);
    let late = at(EIGHT).duration_until(changes[0].0);
    assert!((SignedDuration::ZERO..SignedDuration::from_secs(5)).contains(&late), "{late}");
    assert_eq!(stage.poster(&item.sha256), None);
    assert_eq!(names(&branch.disk.join("objects")), Vec::<String>::new(), "deleted");
    let idle = stage.idle();
    assert_eq!((idle.bank.as_str(), idle.hotline.as_str()), ("山城示范银行", "400-000-0000"));
}

#[tokio::test(start_paused = true)]
async fn a_clock_set_back_revives_nothing_not_even_after_a_reboot() {
    let (_office, branch) = town().await;
    let stage = branch.stage();
    // Nothing is deleted here, so that only the clock keeps the poster down.
    branch.wall.set(at(EIGHT) + hours(3));
    assert_eq!(playing(&stage), ["new.png"]);
    branch.wall.set(at(EVENING));
    assert_eq!(playing(&stage), ["new.png"], "in the same process");
    assert_eq!(branch.state().clock.now(), at(EVENING), "nothing was written down yet");
    branch.state().clock.save().unwrap();
    let stop = CancellationToken::new();
    stop.cancel();
    stage.drive(stop).await;
    drop(stage);

    for year in ["2026-11-29T12:00:00Z", "1970-01-01T00:00:00Z", "2026-11-30T02:59:00Z"] {
        branch.wall.set(at(year));
        let stage = branch.stage();
        assert_eq!(playing(&stage), ["new.png"], "after a reboot in {year}");
        assert!(stage.now() >= at(EIGHT) + hours(3));
        let behind = branch.state().clock.behind();
        assert!(behind >= SignedDuration::from_secs(60), "and it is said: {behind}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_moment_that_was_reached_is_written_down_before_the_screen_changes() {
    let (_office, branch) = town().await;
    let stage = branch.stage();
    let stop = CancellationToken::new();
    let driving = tokio::spawn({
        let (stage, stop) = (stage.clone(), stop.clone());
        async move { stage.drive(stop).await }
    });
    let mut watch = stage.watch();
    watch.changed().await.unwrap();
    let written = fs::read_to_string(branch.disk.join("clock")).unwrap();
    let written: Timestamp = written.split_once(' ').unwrap().0.parse().unwrap();
    assert!(written >= at(EIGHT), "{written}: no power cut brings the old one back");
    // The power goes: nothing is closed.
    driving.abort();
    drop(driving.await);
    drop(stage);
    branch.wall.set(at(EVENING));
    assert_eq!(branch.playing(), ["new.png"]);
}

#[tokio::test(start_paused = true)]
async fn an_operator_puts_a_clock_right_that_once_ran_ahead() {
    let (_office, branch) = town().await;
    branch.wall.set(at("2036-01-01T00:00:00Z"));
    let state = branch.state();
    state.clock.save().unwrap();
    let stage = Stage::open(Arc::clone(&state)).unwrap();
    assert_eq!(playing(&stage), Vec::<String>::new(), "everything has run out");
    branch.wall.set(at(EVENING));
    assert_eq!(playing(&stage), Vec::<String>::new(), "the clock does not go back by itself");
    // Another process: the operator's command.
    let other = BranchClock::open(&branch.disk, Arc::new(branch.wall.clone())).unwrap();
    other.reset().unwrap();
    state.clock.save().unwrap();
    let off = branch.wall.now().duration_until(stage.now()).abs();
    assert!(off < SignedDuration::from_secs(1), "the service follows: {off}");
    assert_eq!(branch.state().clock.behind(), SignedDuration::ZERO);
}

/// A takeover that begins now.
fn takeover(office: &mut HeadOffice, number: u64, until: &str) -> Digest {
    let bytes = poster(number, 20_000);
    let mut alarm = file("alarm.png", &bytes);
    alarm.alt = "紧急通知".to_owned();
    let path = format!("targets/{}.alarm.png", alarm.sha256);
    fs::write(office.folder.path().join(path), bytes).unwrap();
    let key = Digest::of(format!("takeover-{number}").as_bytes());
    let release = Release {
        key,
        takeover: true,
        // Of the same series, which must not end the ordinary releases of it.
        series: "routine".to_owned(),
        campaign: "emergency/scam".to_owned(),
        number: "2026-900".to_owned(),
        slot: office.now,
        activate_at: office.now,
        show_from: office.now,
        show_until: at(until),
        recalled: None,
        recalled_lessons: Vec::new(),
        swept: false,
        branches: None,
        files: vec![alarm],
    };
    office.catalogue.add(release, office.now);
    key
}

#[tokio::test(start_paused = true)]
async fn a_takeover_holds_the_screen_while_it_lasts_and_not_longer() {
    let (mut office, branch) = town().await;
    takeover(&mut office, 9, "2026-11-29T13:00:00Z");
    office.publish().await;
    branch.pull(office.source()).await.unwrap();
    let stage = branch.stage();
    assert_eq!(playing(&stage), ["alarm.png"]);
    assert!(stage.playlist("s1").unwrap().takeover);
    branch.wall.set(at("2026-11-29T13:00:00Z"));
    assert_eq!(playing(&stage), ["old.png"]);
    drop(stage);

    office.now = at("2026-11-29T13:00:00Z");
    let recalled = takeover(&mut office, 10, "2026-12-05T00:00:00Z");
    office.publish().await;
    branch.pull(office.source()).await.unwrap();
    assert_eq!(branch.playing(), ["alarm.png"]);
    assert!(office.catalogue.recall(&recalled, "误报", office.now));
    office.publish().await;
    branch.pull(office.source()).await.unwrap();
    assert_eq!(branch.playing(), ["old.png"], "taken back at once");
}

#[tokio::test(start_paused = true)]
async fn an_emergency_role_that_ran_out_says_nothing_and_ends_nothing() {
    let (mut office, branch) = town().await;
    takeover(&mut office, 9, "2026-12-20T00:00:00Z");
    office.publish().await;
    branch.pull(office.source()).await.unwrap();
    assert_eq!(branch.playing(), ["alarm.png"]);
    // A week later its key is out of reach; the other roles are signed again without it.
    office.keys.emergency = None;
    office.now = at(EVENING) + hours(24 * 7 + 1);
    office.publish().await;
    branch.wall.set(office.now);
    branch.pull(office.source()).await.unwrap();
    assert_eq!(branch.playing(), ["alarm.png"], "its own window ends it, not the role's");
    // A branch that did not know it does not begin with it either.
    let late = Branch::new(&office, "b001");
    late.wall.set(office.now);
    late.pull(office.source()).await.unwrap();
    assert_eq!(late.playing(), ["new.png"]);
}

#[tokio::test(start_paused = true)]
async fn a_recalled_release_comes_down_and_one_that_is_replaced_waits_for_the_next() {
    let (mut office, branch) = town().await;
    // The next one is published after the switch: the index no longer names the old one.
    branch.wall.set(at(EIGHT) + hours(1));
    office.now = at(EIGHT) + hours(1);
    assert_eq!(branch.playing(), ["new.png"]);
    office.release(3, "2026-11-30T00:30:00Z", &[("third.png", poster(3, 50_000))]);
    let third = office.last().files[0].sha256;
    office.publish().await;
    let path = office.folder.path().join(format!("targets/{third}.third.png"));
    let bytes = fs::read(&path).unwrap();
    fs::remove_file(&path).unwrap();
    branch.pull(office.source()).await.unwrap_err();
    assert_eq!(branch.playing(), ["new.png"], "until the third is whole");
    branch.pull(office.source()).await.unwrap_err();
    assert_eq!(branch.playing(), ["new.png"], "and it is not swept away meanwhile");
    let second = Digest::of(b"release-2");
    assert!(office.catalogue.recall(&second, "用错了话术", office.now));
    office.publish().await;
    branch.pull(office.source()).await.unwrap_err();
    assert_eq!(branch.playing(), Vec::<String>::new(), "recalled: rather nothing than that");
    fs::write(&path, bytes).unwrap();
    branch.pull(office.source()).await.unwrap();
    assert_eq!(branch.playing(), ["third.png"]);
}

#[tokio::test(start_paused = true)]
async fn a_file_that_rots_on_the_disk_is_not_shown_and_comes_again() {
    let (office, branch) = town().await;
    branch.wall.set(at(EIGHT) + hours(1));
    let stage = branch.stage();
    assert_eq!(playing(&stage), ["new.png"]);
    let digest = Digest::of(&poster(2, 30_000));
    let path = branch.disk.join("objects").join(digest.to_string());
    let mut bytes = fs::read(&path).unwrap();
    bytes[1000] ^= 1;
    fs::write(&path, &bytes).unwrap();
    assert_eq!(stage.poster(&digest), None);
    assert_eq!(playing(&stage), ["old.png"], "the one before is still here");
    drop(stage);
    branch.pull(office.source()).await.unwrap();
    assert_eq!(branch.playing(), ["new.png"]);
}
