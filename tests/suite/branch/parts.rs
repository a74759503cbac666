//! The parts by themselves: the configuration, the night, the gate, the log.

use super::town::{at, hours};
use caishi::{
    branch::{
        BranchError,
        config::{BranchConfig, Place},
        gate::Gate,
        http::{HttpOffice, Patience},
        journal::{Journal, Level},
        window::{Pace, Window, phase},
    },
    model::{BranchId, Digest},
    packs::{Source as _, SourceError},
};
use jiff::SignedDuration;
use std::{fs, path::Path, time::Duration};
use tokio::time::Instant;

use super::server::{Mischief, Server};

fn parse(text: &str) -> Result<BranchConfig, BranchError> {
    BranchConfig::parse(Path::new("/etc/caishi/branch.toml"), text)
}

#[test]
fn two_lines_are_a_configuration() {
    let config = parse("branch = \"b001\"\nserver = \"https://caishi.bank.example\"\n").unwrap();
    assert_eq!(config.state, Path::new("/etc/caishi/state"));
    assert_eq!(config.timetable.bytes_per_s, 62_500);
    assert!(config.wanted.screens && config.wanted.people && config.timetable.catch_up);
    assert_eq!(config.timetable.poll, Duration::from_mins(15));
    assert_eq!(config.listen.to_string(), "127.0.0.1:8790");
    let folder = parse("branch = \"b001\"\nserver = \"usb\"\n").unwrap();
    assert_eq!(folder.place, Place::Folder("/etc/caishi/usb".into()));
    let all = "branch = \"b-1\"\nserver = \"http://10.0.0.1:8080/caishi/\"\nmirror = \"http://m/x\"\n\
               ca = \"ca.pem\"\nkey = \"/k\"\nstate = \"/s\"\n[pull]\nwindow = \"23:00-05:00\"\n\
               rate_kbps = 8\noutputs = [\"screen\", \"print\"]\ncatch_up = false\npoll = \"90s\"\n\
               [screen]\nlisten = \"[::1]:80\"\n";
    let config = parse(all).unwrap();
    assert!(!config.wanted.people && config.wanted.kinds.len() == 1);
    assert_eq!((config.timetable.bytes_per_s, config.timetable.poll.as_secs()), (1000, 90));
}

#[test]
fn every_fault_is_named_with_what_was_expected() {
    let text = "branch = \"B 1\"\nserver = \"ftp://x\"\nkey = 7\nkeys = \"x\"\n[pull]\n\
                window = \"00:30-08:00\"\nrate_kbps = \"500\"\noutputs = [\"screens\"]\n\
                catch_up = \"yes\"\npoll = \"1h\"\n[screen]\nlisten = \"0.0.0.0:80\"\n";
    let BranchError::Config { faults, .. } = parse(text).unwrap_err() else { panic!() };
    let expected = [
        ("第 1 行 branch", "网点代号"),
        ("第 2 行 server", "总行地址"),
        ("第 3 行 key", "私钥文件"),
        ("第 4 行 keys", "是不是想写 key"),
        ("第 6 行 [pull] window", "07:45"),
        ("第 7 行 [pull] rate_kbps", "整数"),
        ("第 8 行 [pull] outputs", "people"),
        ("第 9 行 [pull] catch_up", "true 或 false"),
        ("第 10 行 [pull] poll", "15m"),
        ("第 12 行 [screen] listen", "本机"),
    ];
    assert_eq!(faults.len(), expected.len(), "{faults:#?}");
    for (fault, (place, what)) in faults.iter().zip(expected) {
        assert!(fault.starts_with(place) && fault.contains(what), "{fault}: {place} {what}");
    }
    for (text, what) in [("", "server：没有写"), ("branch = ", "不是 TOML"), ("a\n=", "第 1 行")]
    {
        let error = parse(text).unwrap_err().to_string();
        assert!(error.contains(what), "{error}");
    }
    let missing = BranchConfig::load(Path::new("/nowhere/branch.toml")).unwrap_err();
    assert!(missing.to_string().contains("caishi branch enrol"), "{missing}");
}

#[test]
fn a_night_is_found_whether_it_runs_over_midnight_or_not() {
    let window = |from: &str, until: &str| Window {
        from: from.parse().unwrap(),
        until: until.parse().unwrap(),
    };
    let early = window("00:30", "06:30");
    // 2026-11-30 00:29 in Shanghai.
    let before = at("2026-11-29T16:29:59Z");
    assert_eq!(early.open_at(before), None);
    let night = early.after(before).unwrap();
    assert_eq!(night.from, at("2026-11-29T16:30:00Z"));
    assert_eq!(early.open_at(night.from), Some(night));
    assert_eq!(early.open_at(night.until), None, "half-open");
    assert_eq!(early.before(night.until), Some(night));
    let over = window("22:00", "05:00");
    let night = over.open_at(at("2026-11-29T20:59:59Z")).unwrap();
    assert_eq!((night.from, night.until), (at("2026-11-29T14:00:00Z"), at("2026-11-29T21:00:00Z")));
    assert_eq!(over.after(night.from).unwrap().from, night.from + hours(24));
}

#[test]
fn branches_spread_over_the_night_and_all_have_time_enough() {
    let window = Window { from: "00:30".parse().unwrap(), until: "06:30".parse().unwrap() };
    let night = window.after(at("2026-11-29T12:00:00Z")).unwrap();
    let release = Digest::of(b"release");
    let mut quarters = [0; 4];
    for number in 0..400 {
        let branch = BranchId::new(&format!("b{number}")).unwrap();
        let begin = night.begin(&branch, &release, 60_000_000, 62_500);
        assert!(begin >= night.from);
        let left = begin.duration_until(night.until);
        assert!(left >= SignedDuration::from_secs(60_000_000 / 62_500 * 3 / 2), "{left}");
        let part = phase(&branch, &release);
        assert!((0.0..1.0).contains(&part));
        quarters[(part * 4.0) as usize] += 1;
        let next = phase(&branch, &Digest::of(b"next"));
        assert!((part - next).abs() > f64::EPSILON, "another place each time");
        // What can never be enough begins at once.
        assert_eq!(night.begin(&branch, &release, u64::MAX / 8, 1), night.from);
    }
    assert!(quarters.iter().all(|count| (60..=140).contains(count)), "{quarters:?}");
}

#[tokio::test(start_paused = true)]
async fn a_rate_is_kept_over_many_pieces() {
    let mut pace = Pace::new(1000);
    let began = Instant::now();
    for _ in 0..100 {
        pace.spend(700).await;
    }
    let took = began.elapsed().as_secs_f64();
    assert!((68.0..71.0).contains(&took), "{took}");
    tokio::time::sleep(Duration::from_hours(1)).await;
    let began = Instant::now();
    pace.spend(3000).await;
    assert!(began.elapsed() >= Duration::from_secs(2), "an hour's rest is no credit");
}

#[tokio::test(start_paused = true)]
async fn a_gate_lets_one_request_a_minute_through_and_opens_again() {
    let gate = Gate::new(b"b001");
    let failing = || async { Err::<(), _>(SourceError::Broken("refused".to_owned())) };
    gate.pass(failing()).await.unwrap_err();
    let mut gaps = Vec::new();
    for _ in 0..40 {
        let began = Instant::now();
        gate.pass(failing()).await.unwrap_err();
        gaps.push(began.elapsed().as_secs());
    }
    assert!(gaps.iter().all(|gap| (60..=60 + 15 * 60).contains(gap)), "{gaps:?}");
    let late = &gaps[10..];
    assert!(late.iter().max().unwrap() - late.iter().min().unwrap() > 300, "jitter: {late:?}");
    gate.pass(async { Ok(()) }).await.unwrap();
    let began = Instant::now();
    gate.pass(async { Ok(()) }).await.unwrap();
    assert_eq!(began.elapsed(), Duration::ZERO, "open again");
    let busy = SourceError::Busy(Duration::from_hours(2));
    gate.pass(async { Err::<(), _>(busy) }).await.unwrap_err();
    let began = Instant::now();
    gate.pass(async { Ok(()) }).await.unwrap();
    assert!(began.elapsed() >= Duration::from_hours(2), "Retry-After is kept to");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_idle_poll_is_one_small_answer_and_retry_after_is_heard() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir_all(folder.path().join("metadata")).unwrap();
    fs::write(folder.path().join("metadata/timestamp.json"), b"{}").unwrap();
    let server = Server::over(folder.path()).await;
    let office = server.office();
    let caishi::packs::Polled::Changed { tag } = office.poll(None).await.unwrap() else { panic!() };
    let again = office.poll(tag.as_deref()).await.unwrap();
    assert_eq!(again, caishi::packs::Polled::Unchanged);
    assert_eq!(server.requests("304 "), 1);
    server.on("timestamp.json", Mischief::Busy(77));
    let busy = office.poll(tag.as_deref()).await.unwrap_err();
    assert_eq!(busy, SourceError::Busy(Duration::from_secs(77)));
    let nobody = "http://127.0.0.1:9".parse().unwrap();
    let office = HttpOffice::new(&nobody, None, None, Patience::default()).unwrap();
    assert!(matches!(office.poll(None).await, Err(SourceError::Broken(_))));
    let wrong = folder.path().join("metadata/timestamp.json");
    let error = HttpOffice::new(&nobody, None, Some(&wrong), Patience::default()).unwrap_err();
    assert!(error.to_string().contains("PEM"), "{error}");
}

#[test]
fn a_log_stays_small_and_does_not_repeat_itself() {
    let folder = tempfile::tempdir().unwrap();
    let journal = Journal::open(folder.path(), "run");
    let mut now = at("2026-11-30T00:00:00Z");
    for _ in 0..72 * 60 {
        journal.write(now, Level::Warning, "总行连不上");
        journal.write(now, Level::Warning, "另一件事");
        now += SignedDuration::from_mins(1);
    }
    let path = folder.path().join("log/run.log");
    let text = fs::read_to_string(&path).unwrap();
    assert_eq!(text.lines().count(), 2 * 72, "once an hour each");
    assert!(text.contains("（此前又有 59 次）"), "{text}");
    for number in 0..20_000 {
        journal.write(now, Level::Note, &format!("第 {number} 件不一样的事，说得长一些好占地方"));
    }
    let lengths: u64 = ["log/run.log", "log/run.log.1"]
        .iter()
        .map(|name| fs::metadata(folder.path().join(name)).unwrap().len())
        .sum();
    assert!(lengths <= 2 * Journal::LIMIT, "{lengths}");
}
