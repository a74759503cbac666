//! The demo library keeps what it promises: eight lessons in three variants, within their limits.

use crate::demo::demo;
use caishi::{
    model::{
        Audience, Block, BlockKind, Directive, HotlineKind, Inline, PosterText, Variant,
        count_words,
    },
    render::Scene,
};

/// The text of the article: the file without front matter, directive lines and channel texts.
fn body(variant: &Variant) -> String {
    let text = &variant.file.text;
    let start = text[3..].find("\n---").unwrap() + 3 + "\n---".len();
    let tiers =
        ["screen", "poster", "portal", "leaflet", "ticker", "sms", "post", "staff", "banner"];
    let mut body = String::new();
    for line in text[start..].lines() {
        let name = line.trim_start_matches(':').split('{').next().unwrap_or("");
        if line.starts_with(":::") && tiers.contains(&name) {
            break;
        }
        if !line.starts_with(":::") {
            body.push_str(&line.replace("{{hotline:", "").replace("}}", ""));
            body.push('\n');
        }
    }
    body
}

fn words(scene: &Scene<'_>, inlines: &[Inline]) -> usize {
    count_words(&scene.plain(inlines))
}

fn poster_words(scene: &Scene<'_>, text: &PosterText) -> usize {
    let lead = text.lead.iter().map(|l| words(scene, &l.plain) + words(scene, &l.imperative));
    let lines = text.lines.iter().chain(&text.cue).map(|line| words(scene, line));
    let steps = text.steps.iter().map(|step| {
        count_words(&step.word) + words(scene, &step.sentence) + usize::from(step.hotline.is_some())
    });
    let turns = text.dialogue.iter().map(|turn| words(scene, &turn.content));
    lead.chain(lines).chain(steps).chain(turns).sum()
}

fn quiz(blocks: &[Block]) -> usize {
    let questions = blocks.iter().map(|block| match &block.kind {
        BlockKind::Directive(Directive::Quiz(questions)) => questions.len(),
        _ => 0,
    });
    questions.sum()
}

fn at_most(limit: usize, found: usize, what: &str) {
    assert!(found > 0 && found <= limit, "{what}: {found} of {limit}");
}

#[test]
fn eight_lessons_in_three_variants_within_their_limits() {
    let demo = demo();
    assert_eq!(demo.library.lessons.len(), 8);
    for scene in demo.scenes() {
        let (variant, tiers) = (scene.variant, &scene.variant.tiers);
        let name = format!("{} {}", scene.lesson.id, variant.audience);
        assert_eq!(scene.lesson.variants.len(), Audience::ALL.len(), "{name}");
        let (least, most) = match variant.audience {
            Audience::General => (800, 1500),
            Audience::Elder => (450, 1000),
            Audience::Student => (550, 1100),
        };
        let found = count_words(&body(variant));
        assert!((least..=most).contains(&found), "{name}: {found} 字 of text");
        at_most(32, variant.title.value.chars().count(), &format!("{name} title"));
        at_most(128, variant.digest_text.value.chars().count(), &format!("{name} digest"));
        at_most(12, count_words(&variant.headline.value.plain()), &format!("{name} headline"));
        at_most(5, variant.qr_label.chars().count(), &format!("{name} qr_label"));
        let tier = |text: &Option<PosterText>| poster_words(&scene, text.as_ref().unwrap());
        at_most(45, tier(&tiers.screen), &format!("{name} screen"));
        at_most(120, tier(&tiers.poster), &format!("{name} poster"));
        at_most(300, tier(&tiers.portal), &format!("{name} portal"));
        assert_eq!(quiz(&variant.body), 3, "{name} quiz");
        assert!(!variant.sources.is_empty(), "{name} sources");
        assert!(variant.facts_review_by.is_some(), "{name} facts_review_by");
        assert!(tiers.staff.is_some() && tiers.banner.is_some(), "{name} staff, banner");
        let sorted = variant.hotlines.windows(2).all(|pair| {
            let kind = |id| demo.library.hotline(id).map(|line| line.kind);
            kind(&pair[0]) <= kind(&pair[1])
        });
        assert!(sorted, "{name}: emergency, advice, bank, regulator");
    }
}

/// Numbers are references: no lesson types one (rule A108), so that one change reaches them all.
#[test]
fn no_lesson_types_a_telephone_number() {
    let demo = demo();
    for scene in demo.scenes() {
        for hotline in &demo.library.hotlines {
            for (index, _) in scene.variant.file.text.match_indices(hotline.number.as_str()) {
                let around = &scene.variant.file.text[index.saturating_sub(1)..];
                let digits: String =
                    around.chars().skip(1).take_while(char::is_ascii_alphanumeric).collect();
                assert_ne!(digits, hotline.number, "{}", scene.variant.file.path.display());
            }
        }
    }
}

#[test]
fn registries_and_network_are_complete() {
    let library = &demo().library;
    assert_eq!((library.topics.len(), library.branches.len()), (8, 12));
    let series: Vec<&str> = library.campaigns.iter().map(|c| c.id.as_str()).collect();
    assert_eq!(series, ["evergreen", "rights-day", "routine", "sept-edu"]);
    assert!(library.campaigns.iter().all(|campaign| !campaign.editions.is_empty()));
    for kind in [HotlineKind::Emergency, HotlineKind::Bank, HotlineKind::Regulator] {
        assert!(library.hotlines.iter().any(|hotline| hotline.kind == kind));
    }
    for branch in &library.branches {
        assert!(library.screens.iter().any(|screen| screen.branch == branch.id), "{}", branch.id);
    }
    for lesson in &library.lessons {
        for asset in lesson.assets.by_file.values() {
            let told = [&asset.alt, &asset.author, &asset.licence, &asset.source];
            assert!(told.iter().all(|text| !text.is_empty()), "{}", asset.path.display());
        }
    }
}
