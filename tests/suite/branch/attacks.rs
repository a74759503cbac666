//! Whatever somebody between the branch and the head office does, or somebody with stolen keys:
//! it is refused for what it is, and the old pack plays on.

use super::{
    forge::{Forgery, vouch},
    server::{Mischief, Server},
    town::{Branch, EIGHT, HeadOffice, at, hours, names, poster},
};
use caishi::{
    branch::BranchError,
    model::Digest,
    packs::{Attack, PacksError, SourceError},
};
use serde_json::Value;
use std::{
    fs,
    time::{Duration, Instant},
};

/// What a case must end in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Refused {
    Attack(Attack),
    TooSlow,
    Elsewhere,
    Garbled,
    WrongBranch,
    NotForUs,
}

fn how(error: &BranchError) -> Option<Refused> {
    match error {
        BranchError::WrongBranch { .. } => Some(Refused::WrongBranch),
        BranchError::UnknownBranch(_) => Some(Refused::NotForUs),
        BranchError::Packs(PacksError::Index(_)) => Some(Refused::Garbled),
        BranchError::Packs(PacksError::Source(SourceError::Broken(_))) => Some(Refused::TooSlow),
        BranchError::Packs(PacksError::Source(SourceError::Refused(_))) => Some(Refused::Elsewhere),
        other => other.attack().map(Refused::Attack),
    }
}

/// A branch that plays its first pack, and a head office that has published the second.
struct Story {
    office: HeadOffice,
    branch: Branch,
    server: Server,
    /// The metadata as it was when only the first pack was there.
    before: Vec<(String, Vec<u8>)>,
}

const OLD: [&str; 1] = ["old.png"];
const NEW: [&str; 1] = ["new.png"];

impl Story {
    async fn begin() -> Self {
        let mut office = HeadOffice::new(&["b001", "b002"]);
        office.release(1, "2026-11-29T00:00:00Z", &[("old.png", poster(1, 40_000))]);
        office.publish().await;
        let branch = Branch::new(&office, "b001");
        let server = Server::over(office.folder.path()).await;
        branch.pull(server.office()).await.unwrap();
        assert_eq!(branch.playing(), OLD);
        let metadata = office.folder.path().join("metadata");
        let before = names(&metadata)
            .into_iter()
            .map(|name| (name.clone(), fs::read(metadata.join(name)).unwrap()))
            .collect();
        office.release(2, "2026-11-29T12:00:00Z", &[("new.png", poster(2, 200_000))]);
        office.publish().await;
        Self { office, branch, server, before }
    }

    fn metadata(&self, name: &str) -> Vec<u8> {
        fs::read(self.office.folder.path().join("metadata").join(name)).unwrap()
    }

    /// A file of the repository with one byte turned.
    fn turned(&self, path: &str) -> Mischief {
        let folder = self.office.folder.path().join(path);
        let mut bytes = fs::read(folder).unwrap();
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
        Mischief::Replace(bytes)
    }

    fn target(&self, name: &str) -> String {
        let folder = self.office.folder.path().join("targets");
        // The newest of that name.
        let metadata = self.office.folder.path().join("metadata");
        let all = names(&metadata).into_iter().map(|name| fs::read(metadata.join(name)).unwrap());
        let known: Vec<Value> = all.map(|bytes| serde_json::from_slice(&bytes).unwrap()).collect();
        let newest = known.iter().filter(|role| role["signed"]["targets"][name].is_object());
        let newest = newest.max_by_key(|role| role["signed"]["version"].as_u64()).unwrap();
        let digest = &newest["signed"]["targets"][name]["hashes"]["sha256"];
        let file = format!("{}.{name}", digest.as_str().unwrap());
        assert!(folder.join(&file).exists(), "{file}");
        format!("targets/{file}")
    }

    /// The index of the newest publication, changed.
    fn forged_index(&self, edit: impl FnOnce(&mut Value)) {
        let path = self.office.folder.path().join(self.target("pack-b001.json"));
        let mut index: Value = serde_json::from_slice(&fs::read(path).unwrap()).unwrap();
        edit(&mut index);
        let mut forgery = Forgery::of(&self.office);
        forgery.target("pack-b001.json", &serde_json::to_vec(&index).unwrap());
        forgery.publish();
    }
}

type Case = (&'static str, Refused, Box<dyn Fn(&mut Story)>);

fn case(name: &'static str, refused: Refused, attack: impl Fn(&mut Story) + 'static) -> Case {
    (name, refused, Box::new(attack))
}

fn cases() -> Vec<Case> {
    use Attack::{MixAndMatch, Tampered};
    let mut cases = Vec::new();
    let mut add = |name, attack, work: fn(&mut Story)| {
        cases.push(case(name, Refused::Attack(attack), work));
    };
    add("a byte of the timestamp is turned", Tampered, |story| {
        let turned = story.turned("metadata/timestamp.json");
        story.server.on("timestamp.json", turned);
    });
    add("a byte of the snapshot is turned", MixAndMatch, |story| {
        let turned = story.turned("metadata/2.snapshot.json");
        story.server.on("2.snapshot.json", turned);
    });
    add("a byte of the targets is turned", MixAndMatch, |story| {
        let turned = story.turned("metadata/2.targets.json");
        story.server.on("2.targets.json", turned);
    });
    add("a byte of the index is turned", Tampered, |story| {
        let turned = story.turned(&story.target("pack-b001.json"));
        story.server.on("pack-b001.json", turned);
    });
    add("a byte of the poster is turned", Tampered, |story| {
        let mut bytes = poster(2, 200_000);
        bytes[100_000] ^= 1;
        story.server.on("new.png", Mischief::Replace(bytes));
    });
    add("another poster of the same length", Tampered, |story| {
        story.server.on("new.png", Mischief::Replace(poster(3, 200_000)));
    });
    add("the timestamp of a stranger's key", Tampered, |story| {
        let stranger = HeadOffice::new(&["b001"]);
        let real = std::mem::replace(&mut story.office.keys, stranger.keys);
        Forgery::of(&story.office).publish();
        story.office.keys = real;
    });
    add("the signatures of a timestamp are gone", Tampered, |story| {
        let mut timestamp: Value =
            serde_json::from_slice(&story.metadata("timestamp.json")).unwrap();
        timestamp["signatures"] = Value::Array(Vec::new());
        let bytes = serde_json::to_vec(&timestamp).unwrap();
        story.server.on("timestamp.json", Mischief::Replace(bytes));
    });
    cases
}

fn cases_of_metadata() -> Vec<Case> {
    use Attack::{EndlessData, Freeze, MixAndMatch};
    let mut cases = Vec::new();
    let mut add = |name, attack, work: fn(&mut Story)| {
        cases.push(case(name, Refused::Attack(attack), work));
    };
    add("the signatures run out", Freeze, |story| {
        story.branch.wall.shift(hours(25));
    });
    add("targets of another publication under the same name", MixAndMatch, |story| {
        let metadata = story.office.folder.path().join("metadata");
        let timestamp = story.metadata("timestamp.json");
        let mut forgery = Forgery::of(&story.office);
        forgery.targets["signed"]["expires"] = "2026-12-24T00:00:00Z".into();
        forgery.publish();
        let other = story.metadata("3.targets.json");
        fs::write(metadata.join("timestamp.json"), timestamp).unwrap();
        let mut forgery = Forgery::of(&story.office);
        forgery.targets["signed"]["expires"] = "2026-12-25T00:00:00Z".into();
        forgery.publish();
        story.server.on("3.targets.json", Mischief::Replace(other));
    });
    add("a snapshot that is nowhere", MixAndMatch, |story| {
        let metadata = story.office.folder.path().join("metadata/2.snapshot.json");
        fs::remove_file(metadata).unwrap();
    });
    for (name, path) in [
        ("a timestamp without end", "timestamp.json"),
        ("a snapshot without end", "2.snapshot.json"),
        ("targets without end", "2.targets.json"),
        ("an index without end", "pack-b001.json"),
        ("a poster without end", "new.png"),
    ] {
        cases.push(case(name, Refused::Attack(EndlessData), move |story| {
            story.server.on(path, Mischief::Endless);
        }));
    }
    cases
}

fn more_cases() -> Vec<Case> {
    use Attack::{EndlessData, Rollback};
    let mut cases = vec![
        case("an index longer than may be", Refused::Attack(EndlessData), |story| {
            let mut forgery = Forgery::of(&story.office);
            forgery.named("pack-b001.json", &Digest::of(b""), 5 << 20);
            forgery.publish();
        }),
        case("targets larger than may be", Refused::Attack(EndlessData), |story| {
            let mut forgery = Forgery::of(&story.office);
            forgery.targets["signed"]["padding"] = "x".repeat(9 << 20).into();
            forgery.publish();
        }),
        case("a snapshot that forgets what was listed", Refused::Attack(Rollback), |story| {
            let mut forgery = Forgery::of(&story.office);
            let meta = forgery.snapshot["signed"]["meta"].as_object_mut().unwrap();
            meta.remove("emergency.json").unwrap();
            forgery.publish();
        }),
        case("the index of another branch", Refused::WrongBranch, |story| {
            let path = story.office.folder.path().join(story.target("pack-b002.json"));
            let mut forgery = Forgery::of(&story.office);
            forgery.target("pack-b001.json", &fs::read(path).unwrap());
            forgery.publish();
        }),
        case("no index for this branch", Refused::NotForUs, |story| {
            let mut forgery = Forgery::of(&story.office);
            forgery.targets["signed"]["targets"].as_object_mut().unwrap().remove("pack-b001.json");
            forgery.publish();
        }),
        case("an index that is no JSON", Refused::Garbled, |story| {
            let mut forgery = Forgery::of(&story.office);
            forgery.target("pack-b001.json", b"<html>login</html>");
            forgery.publish();
        }),
        case("everything is somewhere else", Refused::Elsewhere, |story| {
            let elsewhere = "http://127.0.0.2:9/packs/metadata/timestamp.json".to_owned();
            story.server.on("timestamp.json", Mischief::Redirect(elsewhere));
        }),
    ];
    for name in
        ["../../../etc/cron.d/x", "a/b.png", "a\\b.png", ".png", "A.png", "a..png", "", "a\0"]
    {
        cases.push(case("a name that leads somewhere", Refused::Garbled, move |story| {
            story.forged_index(|index| index["releases"][0]["entries"][0]["name"] = name.into());
        }));
    }
    for path in ["timestamp.json", "2.targets.json", "pack-b001.json", "new.png"] {
        cases.push(case("a byte now and then", Refused::TooSlow, move |story| {
            story.server.on(path, Mischief::Drip);
        }));
    }
    cases
}

#[tokio::test(flavor = "multi_thread")]
async fn every_attack_is_refused_for_what_it_is_and_the_old_pack_plays_on() {
    let (mut tried, mut wrong) = (0, Vec::new());
    for (name, refused, attack) in
        cases().into_iter().chain(cases_of_metadata()).chain(more_cases())
    {
        let mut story = Story::begin().await;
        attack(&mut story);
        let began = Instant::now();
        let pulled = story.branch.pull(story.server.office()).await;
        tried += 1;
        let Some(error) = pulled.err() else {
            wrong.push(format!("{name}: it was taken"));
            continue;
        };
        if how(&error) != Some(refused) {
            wrong.push(format!("{name}: not {refused:?} but {error}"));
        }
        let took = began.elapsed();
        if took > Duration::from_secs(8) {
            wrong.push(format!("{name}: took {took:?}"));
        }
        let shown = names(&story.branch.disk.join("objects"));
        if story.branch.playing() != OLD || shown != [Digest::of(&poster(1, 40_000)).to_string()] {
            wrong.push(format!("{name}: the old pack does not play on"));
        }
        if name.contains("is turned") || name.contains("end") || name.contains("now and then") {
            // The line is clean again: nothing is left that keeps the new pack away.
            story.server.behave();
            let again = story.branch.pull(story.server.office()).await;
            if again.is_err() || story.branch.playing() != NEW {
                wrong.push(format!("{name}: and afterwards {again:?}"));
            }
        }
    }
    assert_eq!(wrong, Vec::<String>::new());
    assert!(tried > 30, "{tried}");
}

/// Whoever stands between can say at any time that there is no newer root; so a root that is never
/// whole is no root, and costs no more than the largest that there may be.
#[tokio::test(flavor = "multi_thread")]
async fn a_root_without_end_is_no_root_and_is_hung_up_on() {
    let story = Story::begin().await;
    let root = story.office.folder.path().join("metadata/2.root.json");
    fs::write(root, b"{}").unwrap();
    story.server.on("2.root.json", Mischief::Endless);
    let began = Instant::now();
    story.branch.pull(story.server.office()).await.unwrap();
    assert!(began.elapsed() < Duration::from_secs(3), "{:?}", began.elapsed());
    assert_eq!(story.branch.playing(), NEW);
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_older_than_what_is_trusted_is_taken() {
    let story = Story::begin().await;
    story.branch.pull(story.server.office()).await.unwrap();
    assert_eq!(story.branch.playing(), NEW);
    let old = |name: &str| &story.before.iter().find(|(own, _)| own == name).unwrap().1;
    let rolled_back = async |what: &str| {
        let error = story.branch.pull(story.server.office()).await.expect_err(what);
        assert_eq!(error.attack(), Some(Attack::Rollback), "{what}: {error}");
        assert_eq!(story.branch.playing(), NEW, "{what}");
    };
    let now = story.metadata("timestamp.json");
    let timestamp = story.office.folder.path().join("metadata/timestamp.json");
    fs::write(&timestamp, old("timestamp.json")).unwrap();
    rolled_back("the timestamp").await;

    // The timestamp is new, and what it vouches for is old: somebody has its key.
    fs::write(&timestamp, &now).unwrap();
    let mut forgery = Forgery::of(&story.office);
    forgery.timestamp["signed"]["meta"]["snapshot.json"] = vouch(1, old("1.snapshot.json"));
    forgery.publish_timestamp();
    rolled_back("the snapshot").await;

    fs::write(&timestamp, &now).unwrap();
    let mut forgery = Forgery::of(&story.office);
    forgery.snapshot["signed"]["meta"]["targets.json"] = vouch(1, old("1.targets.json"));
    forgery.publish_snapshot();
    rolled_back("the targets").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_poster_is_put_aside_and_not_asked_for_for_ever() {
    let story = Story::begin().await;
    let wrong = poster(3, 200_000);
    story.server.on("new.png", Mischief::Replace(wrong.clone()));
    let puller = story.branch.puller(story.server.office()).await;
    puller.refresh().await.unwrap();
    for _ in 0..6 {
        let missing = puller.missing().unwrap();
        let entries: Vec<_> = missing.pack.into_iter().map(|(_, entry)| entry).collect();
        drop(puller.fetch(&entries, None).await);
        puller.settle().unwrap();
    }
    assert_eq!(story.server.requests("new.png"), 3, "three times, then somebody must look");
    let aside = story.branch.disk.join("quarantine");
    let kept: Vec<Vec<u8>> =
        names(&aside).iter().map(|name| fs::read(aside.join(name)).unwrap()).collect();
    assert_eq!(kept, [wrong], "for whoever looks into it");
    assert_eq!(story.branch.playing(), OLD);
}

#[tokio::test(flavor = "multi_thread")]
async fn signatures_that_run_out_stop_fetching_not_playing() {
    let mut story = Story::begin().await;
    story.office.last().activate_at = at(EIGHT);
    let puller = story.branch.puller(story.server.office()).await;
    puller.refresh().await.unwrap();
    story.branch.wall.shift(hours(25));
    let missing = puller.missing().unwrap();
    let entries: Vec<_> = missing.pack.into_iter().map(|(_, entry)| entry).collect();
    let error = puller.fetch(&entries, None).await.unwrap_err();
    assert_eq!(error.attack(), Some(Attack::Freeze), "{error}");
    assert_eq!(story.server.requests("new.png"), 0);
    assert_eq!(story.branch.playing(), OLD, "still in its own window");
}
