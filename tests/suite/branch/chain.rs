//! Receipts: a chain without gaps, whatever happens to the process, and reports that count once.

use super::town::{Branch, HeadOffice, at, hours};
use caishi::{
    branch::{
        confirm,
        receipts::{Displayed, Receipts, acknowledge, unacknowledged},
    },
    model::{BranchId, Digest},
    packs::wire::{ConfirmedWhat, ReceiptLine, chain_start, read_chain},
};
use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;
use std::{collections::BTreeMap, fs, path::Path};

fn b001() -> BranchId {
    BranchId::new("b001").unwrap()
}

fn shown(screen: u8, poster: u8, from: Timestamp, seconds: u32) -> Displayed {
    Displayed {
        screen: format!("s{screen}"),
        sha256: Digest::of(&[poster]),
        from,
        until: from + SignedDuration::from_secs(seconds.into()),
        count: 1,
        seconds,
    }
}

/// What happens to a branch's receipts.
#[derive(Debug, Clone)]
enum Event {
    Show {
        screen: u8,
        poster: u8,
        seconds: u32,
    },
    Settle,
    /// The process ends, or is killed after it has settled.
    Restart,
    /// The power goes in the middle of a line.
    TornLine,
    /// The head office takes what it is told; or its answer is lost.
    Report {
        answer_arrives: bool,
    },
}

fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        6 => (0..3_u8, 0..5_u8, 1..4000_u32)
            .prop_map(|(screen, poster, seconds)| Event::Show { screen, poster, seconds }),
        3 => Just(Event::Settle),
        1 => Just(Event::Restart),
        1 => Just(Event::TornLine),
        2 => any::<bool>().prop_map(|answer_arrives| Event::Report { answer_arrives }),
    ]
}

/// The head office's side: it takes lines that follow on, once.
#[derive(Debug)]
struct Ledger {
    head: (u64, Digest),
    lines: Vec<ReceiptLine>,
}

impl Ledger {
    fn take(&mut self, lines: &[String]) {
        for (line, digest) in read_chain(lines, self.head.0, self.head.1).unwrap() {
            self.head = (line.seq, digest);
            self.lines.push(line);
        }
    }
}

fn append_torn(state: &Path) {
    let folder = state.join("receipts");
    let last = super::town::names(&folder).into_iter().rfind(|name| name.ends_with("jsonl"));
    let path = folder.join(last.unwrap_or_else(|| "000000000001.jsonl".to_owned()));
    let mut bytes = fs::read(&path).unwrap_or_default();
    bytes.extend_from_slice(b"{\"seq\":9,\"prev\":\"00");
    fs::write(path, bytes).unwrap();
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, ..ProptestConfig::default() })]
    #[test]
    fn every_second_on_a_screen_is_counted_once_in_one_chain(
        events in prop::collection::vec(event(), 1..60),
    ) {
        let folder = tempfile::tempdir().unwrap();
        let state = folder.path();
        let mut ledger = Ledger { head: (0, chain_start()), lines: Vec::new() };
        let mut receipts = Receipts::open(state, &b001()).unwrap();
        let mut now = at("2026-11-30T00:00:00Z");
        let mut expected: BTreeMap<(String, String), u64> = BTreeMap::new();
        for event in events {
            match event {
                Event::Show { screen, poster, seconds } => {
                    let shown = shown(screen, poster, now, seconds);
                    let key = (shown.screen.clone(), shown.sha256.to_string());
                    *expected.entry(key).or_default() += u64::from(seconds);
                    receipts.add(&shown, false);
                    now += SignedDuration::from_secs(seconds.into());
                }
                Event::Settle => receipts.settle(now).unwrap(),
                Event::Restart => {
                    receipts.settle(now).unwrap();
                    receipts = Receipts::open(state, &b001()).unwrap();
                }
                Event::TornLine => {
                    receipts.settle(now).unwrap();
                    append_torn(state);
                    let before = unacknowledged(state, usize::MAX);
                    receipts = Receipts::open(state, &b001()).unwrap();
                    prop_assert_eq!(before, unacknowledged(state, usize::MAX));
                }
                Event::Report { answer_arrives } => {
                    ledger.take(&unacknowledged(state, 2000));
                    if answer_arrives {
                        acknowledge(state, ledger.head.0).unwrap();
                    }
                }
            }
        }
        receipts.close_all().unwrap();
        ledger.take(&unacknowledged(state, usize::MAX));
        let mut counted: BTreeMap<(String, String), u64> = BTreeMap::new();
        for line in &ledger.lines {
            *counted.entry((line.screen.clone(), line.sha256.clone())).or_default() +=
                u64::from(line.seconds);
        }
        prop_assert_eq!(counted, expected);
        prop_assert!(ledger.lines.iter().zip(1..).all(|(line, seq)| line.seq == seq));
    }
}

#[test]
fn a_kill_between_the_lines_and_the_spans_counts_nothing_twice() {
    let folder = tempfile::tempdir().unwrap();
    let state = folder.path();
    let now = at("2026-11-30T00:00:00Z");
    let mut receipts = Receipts::open(state, &b001()).unwrap();
    receipts.add(&shown(1, 1, now, 60), false);
    receipts.settle(now).unwrap();
    let open = fs::read(state.join("receipts/open.json")).unwrap();
    receipts.close_all().unwrap();
    assert_eq!(unacknowledged(state, usize::MAX).len(), 1);
    // The line was written; the kill came before the spans were.
    fs::write(state.join("receipts/open.json"), open).unwrap();
    let mut receipts = Receipts::open(state, &b001()).unwrap();
    receipts.close_all().unwrap();
    assert_eq!(unacknowledged(state, usize::MAX).len(), 1);
}

#[test]
fn months_without_a_head_office_fill_no_disk_and_break_no_chain() {
    let folder = tempfile::tempdir().unwrap();
    let state = folder.path();
    let mut receipts = Receipts::open(state, &b001()).unwrap();
    let mut now = at("2026-06-01T00:00:00Z");
    let mut seconds = 0_u64;
    // Eight screens, thirty posters of each week, a year; they are told every three hours.
    for step in 0..365 * 8_u32 {
        let week = u8::try_from(step / 56).unwrap();
        for screen in 0..8 {
            for number in 0..30_u8 {
                let mut shown = shown(screen, 0, now, 300);
                shown.sha256 = Digest::of(&[week, number]);
                receipts.add(&shown, false);
                seconds += 300;
            }
        }
        now += hours(3);
        receipts.settle(now).unwrap();
    }
    let files = fs::read_dir(state.join("receipts")).unwrap();
    let bytes: u64 = files.map(|file| file.unwrap().metadata().unwrap().len()).sum();
    println!("a year of eight screens without a head office: {bytes} bytes");
    assert!(bytes < 16 << 20, "{bytes}");
    // It is back: everything arrives, report by report, and is forgotten then.
    let mut ledger = Ledger { head: (0, chain_start()), lines: Vec::new() };
    for _ in 0..200 {
        ledger.take(&unacknowledged(state, 256 << 10));
        acknowledge(state, ledger.head.0).unwrap();
        receipts.add(&shown(0, 0, now, 1), false);
        receipts.settle(now).unwrap();
    }
    receipts.close_all().unwrap();
    ledger.take(&unacknowledged(state, usize::MAX));
    let counted: u64 = ledger.lines.iter().map(|line| u64::from(line.seconds)).sum();
    assert_eq!(counted, seconds + 200);
    let left = super::town::names(&state.join("receipts"));
    let segments = left.iter().filter(|name| name.ends_with("jsonl")).count();
    assert!(segments <= 4, "{left:?}");
}

#[tokio::test]
async fn confirmations_are_numbered_and_kept_until_they_are_acknowledged() {
    let office = HeadOffice::new(&["b001"]);
    let branch = Branch::new(&office, "b001");
    let key = Digest::of(b"release");
    let queue = |by: &str| {
        let what = ConfirmedWhat::TakenDown;
        confirm::queue(&branch.disk, key, None, what, by, at("2026-11-30T00:00:00Z")).unwrap()
    };
    assert_eq!([queue("张"), queue("李")], [1, 2]);
    confirm::acknowledge(&branch.disk, 1).unwrap();
    assert_eq!(queue("王"), 3);
    confirm::acknowledge(&branch.disk, 3).unwrap();
    confirm::acknowledge(&branch.disk, 1).unwrap();
    assert_eq!(confirm::waiting(&branch.disk), []);
    assert_eq!(queue("赵"), 4, "numbers are never used again");
    let waiting = confirm::waiting(&branch.disk);
    assert_eq!(waiting.iter().map(|one| one.by.as_str()).collect::<Vec<_>>(), ["赵"]);
}
