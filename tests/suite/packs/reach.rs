//! A release that goes to some branches only: for the others it is as if it had never been.

use super::{Town, branch};
use crate::behaviour::sample_file;
use caishi::{
    deliver::{Commit, Parcel},
    model::{Audience, Digest, LessonId, MediaType, OutputKind},
    packs::{BranchEntry, Catalogue, Release, ReleaseFile, target_file},
};
use jiff::{SignedDuration, Timestamp};
use proptest::{prelude::*, sample::subsequence, strategy::ValueTree as _};

const BRANCHES: [&str; 4] = ["b001", "b002", "b003", "b004"];

fn at(hours: i64) -> Timestamp {
    Timestamp::from_second(1_790_000_000 + hours * 3_600).unwrap()
}

fn file(series: usize, number: usize, lesson: usize, of: Option<&str>) -> ReleaseFile {
    let (output, media_type) = match of {
        Some(_) => (OutputKind::Screen, MediaType::Png),
        None => (OutputKind::Leaflet, MediaType::Pdf),
    };
    let text = format!("{series} {number} {lesson} {of:?}");
    ReleaseFile {
        name: format!("lesson-{lesson}.{output}.general"),
        sha256: Digest::of(text.as_bytes()),
        bytes: 10,
        media_type,
        output,
        lesson: Some(LessonId::new(&format!("lesson-{lesson}")).unwrap()),
        audience: Audience::General,
        profile: None,
        branch: of.map(branch),
        days: Vec::new(),
        hours: None,
        alt: format!("课 {lesson}"),
    }
}

prop_compose! {
    fn release()(
        series in 0_usize..3,
        number in 0_usize..1_000_000,
        slot in 0_i64..200,
        delay in 0_i64..20,
        length in 1_i64..300,
        takeover in prop::bool::weighted(0.2),
        recalled in prop::option::weighted(0.3, 0_i64..300),
        lesson_recalled in prop::option::weighted(0.3, 0_i64..300),
        narrowed in prop::option::of(subsequence(&BRANCHES[..], 0..4)),
        shared: bool,
    ) -> Release {
        let reach: Vec<&str> = narrowed.clone().unwrap_or_else(|| BRANCHES.to_vec());
        let of = reach.iter().copied().map(Some).chain(shared.then_some(None));
        let files = of.flat_map(|of| (0..2).map(move |lesson| file(series, number, lesson, of)));
        Release {
            key: Digest::of(number.to_string().as_bytes()),
            takeover,
            series: format!("series-{series}"),
            campaign: format!("series-{series}/{number}"),
            number: format!("{number} 号"),
            slot: at(slot),
            activate_at: at(slot + delay),
            show_from: at(slot),
            show_until: at(slot + length),
            recalled: recalled.map(|hours| (at(hours), "总行撤回".to_owned())),
            recalled_lessons: lesson_recalled
                .map(|hours| ("lesson-1".to_owned(), at(hours), "总行撤回".to_owned()))
                .into_iter()
                .collect(),
            swept: false,
            branches: narrowed.map(|branches| branches.into_iter().map(branch).collect()),
            files: files.collect(),
        }
    }
}

fn catalogue(releases: Vec<Release>) -> Catalogue {
    let entry = |id: &str| {
        let (name, hotline, tags) = (id.to_owned(), None, Vec::new());
        (id.to_owned(), BranchEntry { name, hotline, tags, screens: Vec::new() })
    };
    Catalogue {
        bank: "山城示范银行".to_owned(),
        hotline: "400-000-0000".to_owned(),
        branches: BRANCHES.into_iter().map(entry).collect(),
        releases,
        stays_empty: false,
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, ..ProptestConfig::default() })]

    /// A branch is told just what it would be told if what is not for it had never been published
    /// and the rest were for everybody: playlists, papers and what must come down. What it is told
    /// of is never swept away.
    #[test]
    fn every_branch_sees_only_what_goes_to_it(
        releases in prop::collection::vec(release(), 0..8),
        now in 0_i64..400,
    ) {
        let all = catalogue(releases);
        let now = at(now);
        prop_assert_eq!(&Catalogue::from_json(&all.to_json().unwrap()).unwrap(), &all);
        let mut swept = all.clone();
        let gone = swept.sweep(now);
        for id in BRANCHES.map(branch) {
            let mut own = all.clone();
            own.releases.retain(|release| release.goes_to(&id));
            own.releases.iter_mut().for_each(|release| release.branches = None);
            for takeover in [false, true] {
                let index = all.index(&id, takeover, now).unwrap();
                prop_assert_eq!(&own.index(&id, takeover, now).unwrap(), &index);
                for entry in index.releases.iter().flat_map(|release| &release.entries) {
                    prop_assert!(!gone.contains(&target_file(&entry.sha256, &entry.name)));
                }
                // Inside, it gets everything: its own and what is shared.
                for told in &index.releases {
                    let release = all.release(&told.key).unwrap();
                    let here = |file: &&ReleaseFile| {
                        file.branch.as_ref().is_none_or(|of| *of == id)
                            && (release.recalled_lessons.is_empty()
                                || file.lesson.as_ref().unwrap().as_str() != "lesson-1")
                    };
                    let count = release.files.iter().filter(here).count();
                    prop_assert_eq!(told.entries.len(), count);
                }
            }
        }
    }
}

#[test]
fn a_release_for_every_branch_is_written_as_before() {
    let runner = &mut proptest::test_runner::TestRunner::deterministic();
    let mut release = release().new_tree(runner).unwrap().current();
    release.branches = None;
    let text = serde_json::to_value(&release).unwrap();
    assert!(text.get("branches").is_none(), "{text}");
    assert_eq!(serde_json::from_value::<Release>(text).unwrap(), release);
}

/// A parcel for one branch alone, with a leaflet that its branches share.
fn narrowed(town: &Town, number: u32, hours: i64, to: &str) -> Parcel {
    let mut parcel = town.week(number, hours);
    let books = town.books.of_delivery(&format!("d-{number}"));
    let mut leaflet = sample_file(&books, "lessons/x/leaflet.pdf", format!("{number}").as_bytes());
    leaflet.output = OutputKind::Leaflet;
    leaflet.media_type = MediaType::Pdf;
    leaflet.branch = None;
    parcel.files.retain(|file| file.branch.as_ref().is_none_or(|own| own.as_str() == to));
    parcel.files.insert(0, leaflet);
    parcel.branches = Some(vec![branch(to)]);
    parcel
}

#[tokio::test]
async fn a_narrowed_week_replaces_and_is_recalled_where_it_went_and_nowhere_else() {
    let town = Town::new();
    let (week, own) = (town.week(1, 0), narrowed(&town, 2, 24, "b002"));
    town.publish(&week).await;
    let Commit::Done(receipt) = town.publish(&own).await else { panic!("done at once") };
    assert!(receipt.detail.contains("1 个网点"), "{}", receipt.detail);
    town.books.advance(SignedDuration::from_hours(72));
    let mut other = town.week(3, 0);
    other.campaign = caishi::model::CampaignId::new("rights-day/2027").unwrap();
    town.publish(&other).await;
    let playing = async |id: &str| {
        let index = town.index(id).await;
        let routine = index.releases.into_iter().filter(|release| release.series == "routine");
        routine.map(|release| release.key).collect::<Vec<_>>()
    };
    assert_eq!(playing("b001").await, [*week.key.digest()], "nothing took its place");
    assert_eq!(playing("b002").await, [*own.key.digest()]);
    let index = town.index("b002").await;
    let release = index.releases.iter().find(|release| release.key == *own.key.digest()).unwrap();
    assert_eq!(release.entries.len(), 2, "poster and leaflet");

    // A slot in between, for everybody, still comes for those who have nothing later.
    let late = town.week(4, -60);
    town.publish(&late).await;
    assert_eq!(playing("b001").await, [*late.key.digest()]);
    assert_eq!(playing("b002").await, [*own.key.digest()]);
    town.channel.recall(&own, &receipt, &town.books).await.unwrap();
    assert!(town.index("b001").await.take_down.is_empty(), "it was never there");
    let down = town.index("b002").await.take_down;
    assert_eq!((down.len(), down[0].key), (1, *own.key.digest()));
}
