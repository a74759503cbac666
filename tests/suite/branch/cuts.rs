//! A line that is cut, a process that is killed, a disk that is full: the old pack plays, and
//! hardly anything comes twice.

use super::{
    server::{Mischief, PIECE, Server},
    town::{Branch, EIGHT, HeadOffice, at, hours, poster},
};
use crate::servers::disk;
use async_trait::async_trait;
use caishi::{
    branch::BranchError,
    model::Digest,
    packs::{Body, FolderSource, Polled, Source, SourceError},
};
use futures_util::StreamExt as _;
use jiff::Timestamp;
use std::{
    fs, io,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::Arc,
    time::Duration,
};

const SIZE: usize = 300_000;
const OLD: [&str; 1] = ["old.png"];

/// What may come twice after a cut: 64 KiB and the piece that was cut.
const TWICE: u64 = 64 * 1024 + PIECE as u64;

async fn two_packs(now: Timestamp) -> (HeadOffice, Branch, Server) {
    let mut office = HeadOffice::new(&["b001"]);
    office.now = now;
    let before = (now - hours(2)).to_string();
    office.release(1, &before, &[("old.png", poster(1, 40_000))]);
    office.last().show_until = now + hours(200);
    office.publish().await;
    let branch = Branch::new(&office, "b001");
    branch.wall.set(now);
    let server = Server::over(office.folder.path()).await;
    branch.pull(server.office()).await.unwrap();
    let after = (now - hours(1)).to_string();
    let posters = [("new-1.png", poster(2, SIZE)), ("new-2.png", poster(3, SIZE))];
    office.release(2, &after, &posters);
    office.publish().await;
    (office, branch, server)
}

#[tokio::test(flavor = "multi_thread")]
async fn wherever_the_line_is_cut_the_old_pack_plays_and_the_rest_comes_once() {
    let piece = PIECE as u64;
    let poster_cuts = [0, 1, piece - 1, piece, piece + 1, 4 * piece, SIZE as u64 - 1];
    let small_cuts = [0, 1, 50, 200];
    let mut cuts: Vec<(&str, u64)> = Vec::new();
    for path in ["timestamp.json", "2.snapshot.json", "2.targets.json", "pack-b001.json"] {
        cuts.extend(small_cuts.map(|cut| (path, cut)));
    }
    for path in ["new-1.png", "new-2.png"] {
        cuts.extend(poster_cuts.map(|cut| (path, cut)));
    }
    for (path, cut) in cuts {
        let (_office, branch, server) = two_packs(at(EIGHT)).await;
        server.on(path, Mischief::CutOnce(cut));
        let error = branch.pull(server.office()).await.expect_err(path);
        assert!(error.is_unreachable(), "{path} after {cut}: {error}");
        assert_eq!(branch.playing(), OLD, "{path} after {cut}");
        branch.pull(server.office()).await.unwrap();
        assert_eq!(branch.playing(), ["new-1.png", "new-2.png"], "{path} after {cut}");
        let sent = server.sent("new-");
        assert!(sent <= 2 * SIZE as u64 + TWICE, "{path} after {cut}: {sent} bytes");
        assert_eq!(server.requests("pack-b001.json"), if path.starts_with("pack") { 3 } else { 2 });
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_line_cut_a_hundred_times_brings_every_byte_once() {
    let (_office, branch, server) = two_packs(at(EIGHT)).await;
    let mut pulls = 0;
    for number in 0_u64.. {
        server.on("new-", Mischief::CutOnce(number * 7919 % 9000));
        pulls += 1;
        if branch.pull(server.office()).await.is_ok() {
            break;
        }
        assert_eq!(branch.playing(), OLD);
        assert!(pulls < 400, "it never ends");
    }
    assert!(pulls > 50, "{pulls}");
    assert_eq!(server.sent("new-"), 2 * SIZE as u64, "not one byte twice");
    assert_eq!(branch.playing().len(), 2);
}

/// `caishi branch pull --now`, by itself.
fn process(branch: &Branch, server: &Server) -> Child {
    let config = branch.disk.join("branch.toml");
    let text = format!("branch = \"b001\"\nserver = \"{}\"\nstate = \".\"\n", server.url);
    fs::write(&config, text).unwrap();
    Command::new(env!("CARGO_BIN_EXE_caishi"))
        .args(["branch", "pull", "--now", "--branch-config"])
        .arg(config)
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_killed_anywhere_leaves_the_old_pack_playing() {
    let size = SIZE as u64;
    // Killed as soon as so many bytes of what is named were sent.
    let points = [
        ("timestamp.json", 1),
        ("2.targets.json", 1),
        ("pack-b001.json", 1),
        ("new-", PIECE as u64),
        ("new-", size / 2),
        ("new-", size - 1),
        ("new-", size + size / 3),
        // All but the last piece: with that one it would be whole before the kill.
        ("new-", 2 * size - 6000),
    ];
    for (path, bytes) in points {
        let (_office, branch, server) = two_packs(Timestamp::now()).await;
        let known = server.sent(path);
        server.on("new-", Mischief::Slow(Duration::from_millis(30)));
        server.on(path, Mischief::Slow(Duration::from_millis(30)));
        let mut child = process(&branch, &server);
        while server.sent(path) < known + bytes {
            if let Some(status) = child.try_wait().unwrap() {
                let mut said = String::new();
                io::Read::read_to_string(&mut child.stderr.take().unwrap(), &mut said).unwrap();
                panic!("{path} {bytes}: it ended by itself, {status}: {said}");
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        child.kill().unwrap();
        child.wait().unwrap();
        assert_eq!(branch.playing(), OLD, "{path} {bytes}");

        server.behave();
        let status = process(&branch, &server).wait().unwrap();
        assert!(status.success(), "{path} {bytes}");
        assert_eq!(branch.playing().len(), 2, "{path} {bytes}");
        let sent = server.sent("new-");
        println!("killed at {path} {bytes}: {} bytes twice", sent - 2 * size);
        assert!(sent <= 2 * size + TWICE, "{path} {bytes}: {sent}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn two_processes_do_not_pull_at_once() {
    let (_office, branch, server) = two_packs(Timestamp::now()).await;
    server.on("new-", Mischief::Slow(Duration::from_millis(50)));
    let mut first = process(&branch, &server);
    while server.sent("new-") == 0 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let second = process(&branch, &server).wait_with_output().unwrap();
    let said = String::from_utf8(second.stderr).unwrap();
    assert!(!second.status.success() && said.contains("另一个 caishi 正在取件"), "{said}");
    assert!(first.wait().unwrap().success());
    assert_eq!(branch.playing().len(), 2);
}

/// A folder from which files come whole, while something else fills the disk.
#[derive(Debug)]
struct Filling {
    folder: FolderSource,
    filler: PathBuf,
}

#[async_trait]
impl Source for Filling {
    async fn metadata(&self, name: &str, limit: u64) -> Result<Option<Vec<u8>>, SourceError> {
        self.folder.metadata(name, limit).await
    }

    async fn poll(&self, tag: Option<&str>) -> Result<Polled, SourceError> {
        self.folder.poll(tag).await
    }

    async fn target(&self, file: &str, offset: u64) -> Result<Body, SourceError> {
        let body = self.folder.target(file, offset).await?;
        let filler = self.filler.clone();
        let fills = file.ends_with("new-2.png");
        let mut pieces = 0;
        let stream = body.stream.inspect(move |_| {
            pieces += 1;
            if fills && pieces == 2 {
                let mut file = fs::File::create(&filler).unwrap();
                while io::Write::write_all(&mut file, &[7; 4096]).is_ok() {}
                while io::Write::write_all(&mut file, &[7; 16]).is_ok() {}
            }
        });
        Ok(Body { start: body.start, stream: stream.boxed() })
    }
}

#[test]
fn a_full_disk_keeps_the_old_pack_playing() {
    match disk::here() {
        Some(disk) => tokio::runtime::Runtime::new().unwrap().block_on(on_a_small_disk(&disk)),
        None => {
            disk::run_again("branch::cuts::a_full_disk_keeps_the_old_pack_playing", "8m");
        }
    }
}

async fn on_a_small_disk(disk: &Path) {
    let (mut office, other, _server) = two_packs(at(EIGHT)).await;
    let branch = Branch::on(disk, &office, "b001", other.wall.clone());
    // First only the old pack, as it was.
    let second = office.catalogue.releases.pop().unwrap();
    office.publish().await;
    branch.pull(office.source()).await.unwrap();
    assert_eq!(branch.playing(), OLD);
    office.catalogue.releases.push(second);
    office.publish().await;

    let filler = disk.join("filler");
    let folder = FolderSource::new(office.folder.path());
    let filling = Arc::new(Filling { folder, filler: filler.clone() });
    let error = branch.pull(filling).await.unwrap_err();
    let full = |error: &BranchError| match error {
        BranchError::File { source, .. } => source.kind() == io::ErrorKind::StorageFull,
        _ => false,
    };
    assert!(full(&error), "{error}");
    assert!(error.to_string().contains("磁盘满了"), "{error}");
    assert_eq!(branch.playing(), OLD, "on a disk with no byte left");

    // What would leave no room for anything else is not even begun.
    fs::write(&filler, vec![7; 4 << 20]).unwrap();
    let error = branch.pull(office.source()).await.unwrap_err();
    assert!(full(&error) && error.to_string().contains("还需"), "{error}");
    fs::remove_file(&filler).unwrap();
    branch.pull(office.source()).await.unwrap();
    assert_eq!(branch.playing().len(), 2);
    let new = Digest::of(&poster(3, SIZE));
    assert!(branch.state().objects.path(&new).is_some());
}
