//! What the check says of a submission, of its sources and of its finished texts, and where in an
//! output each finding stands. It takes a moment and is the same all day, so it is kept.

use super::{
    dossier,
    source::{self, Found},
    specimens::{Place, is_shown, is_text},
};
use crate::{
    check::{
        RenderedText,
        words::{self, Sought},
    },
    console::{
        Desk,
        marks::{find::Folded, flow::Flow},
        trouble::Trouble,
    },
    model::{Audience, Digest, Finding, LessonId, Library, Listing, MediaType, OutputKind},
    store::Review,
    work::Content,
};
use std::{
    collections::BTreeMap,
    ops::Range,
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
};

/// What the check says of a submission.
#[derive(Debug)]
pub struct Judged {
    /// The findings, errors first, numbered from one.
    pub(super) findings: Vec<Found>,
    aims: Vec<Aim>,
    /// What was found in outputs that were looked through.
    seen: Mutex<BTreeMap<Digest, Arc<Marked>>>,
    /// Of what this was said, and on which day.
    pub(super) key: Digest,
}

/// What is to be looked for on a finding's account.
#[derive(Debug, Default)]
struct Aim {
    lesson: Option<LessonId>,
    audience: Option<Audience>,
    /// The sort of output, where it is one that was judged.
    output: Option<(OutputKind, MediaType, Option<String>)>,
    sought: Vec<Sought>,
}

/// Findings in an output.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Marked {
    /// Where they stand, in order.
    pub spots: Vec<Spot>,
    /// Those of this output's own text whose words are not in it.
    pub absent: Vec<usize>,
    /// The same places for programs.
    pub places: Vec<Place>,
}

/// A place in the words of an output.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Spot {
    /// The finding's number.
    pub finding: usize,
    /// Bytes of the output's words.
    pub range: Range<usize>,
}

/// How a finding concerns an output.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Concern {
    /// It is about the text that the output is made of.
    Own,
    /// It is about a text that others take over from.
    Perhaps,
    None,
}

impl Aim {
    fn concerns(&self, file: &Listing) -> Concern {
        if file.lesson.is_none() || file.lesson != self.lesson {
            return Concern::None;
        }
        let is_own = self.audience == Some(file.audience);
        match &self.output {
            Some((output, media_type, profile)) => {
                let is_it = *output == file.output
                    && *media_type == file.media_type
                    && *profile == file.profile;
                if is_own && is_it { Concern::Own } else { Concern::None }
            }
            None if is_own => Concern::Own,
            None if self.audience == Some(Audience::General) => Concern::Perhaps,
            None => Concern::None,
        }
    }
}

impl Judged {
    /// The finding of that number.
    pub(super) fn finding(&self, number: usize) -> Option<&Found> {
        self.findings.get(number.checked_sub(1)?)
    }

    /// Where findings stand in the words of an output.
    pub(super) fn marked(&self, file: &Listing, flow: &Flow) -> Marked {
        let folded = Folded::new(flow);
        let mut marked = Marked::default();
        for (index, aim) in self.aims.iter().enumerate() {
            let concern = aim.concerns(file);
            if concern == Concern::None {
                continue;
            }
            let finding = index + 1;
            let places = aim.sought.iter().flat_map(|sought| folded.find(&sought.words));
            let mut spots: Vec<Spot> = places.map(|range| Spot { finding, range }).collect();
            if spots.is_empty() && concern == Concern::Own {
                marked.absent.push(finding);
            }
            spots.sort_by_key(|spot| (spot.range.start, spot.range.end));
            spots.dedup();
            marked.spots.append(&mut spots);
        }
        marked.spots.sort_by_key(|spot| (spot.range.start, spot.finding));
        let characters = |to: usize| flow.text[..to].chars().count();
        let place = |spot: &Spot| Place {
            finding: spot.finding,
            words: flow.text[spot.range.clone()].to_owned(),
            from: characters(spot.range.start),
            to: characters(spot.range.end),
        };
        marked.places = marked.spots.iter().map(place).collect();
        marked
    }

    /// The findings whose words a picture or a sheet of paper takes over.
    pub(super) fn concerning(&self, file: &Listing) -> Vec<usize> {
        let feeds = |aim: &&Aim| aim.sought.iter().any(|one| words::feeds(one.place, file.output));
        let own = self.aims.iter().enumerate().filter(|(_, aim)| {
            aim.output.is_none() && aim.concerns(file) == Concern::Own && feeds(aim)
        });
        own.map(|(index, _)| index + 1).collect()
    }

    /// What was found in an output that is text.
    pub(super) async fn in_output(
        &self,
        desk: &Desk,
        file: &Listing,
    ) -> Result<Arc<Marked>, Trouble> {
        let known = || self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(marked) = known().get(&file.sha256) {
            return Ok(Arc::clone(marked));
        }
        let bytes = desk.publisher().store.blob(&file.sha256).await?;
        let marked = Arc::new(self.marked(file, &flow_of(file, &bytes)));
        known().insert(file.sha256, Arc::clone(&marked));
        Ok(marked)
    }
}

/// The words of an output that is text.
pub(super) fn flow_of(file: &Listing, bytes: &[u8]) -> Flow {
    let text = String::from_utf8_lossy(bytes);
    if file.media_type == MediaType::Html { Flow::of_page(&text) } else { Flow::of_text(&text) }
}

/// What the check says of a submission today.
pub(super) async fn judged(
    desk: &Desk,
    review: &Review,
    content: &Content,
) -> Result<Arc<Judged>, Trouble> {
    let publisher = desk.publisher();
    let today = publisher.today().await?.to_string();
    let shown = dossier::shown(review);
    let key = Digest::of_fields([
        review.revision.as_bytes().as_slice(),
        shown.as_bytes(),
        today.as_bytes(),
    ]);
    if let Some(judged) = desk.past().judged(&key) {
        return Ok(judged);
    }
    let files = texts(desk, review).await?;
    let mut rendered = Vec::new();
    for file in &files {
        let bytes = publisher.store.blob(&file.sha256).await?;
        let Some(lesson) = file.lesson.clone() else { continue };
        rendered.push(RenderedText {
            path: PathBuf::from(&file.path),
            lesson,
            audience: file.audience,
            output: file.output,
            media_type: file.media_type,
            text: String::from_utf8_lossy(&bytes).into_owned(),
        });
    }
    let mut findings = publisher.check(content, &review.lessons).await?;
    findings.extend(publisher.check_outputs(content, &rendered).await?);
    let judged = Arc::new(Judged::new(desk, key, &findings, &files, &content.library));
    desk.past().keep_judged(key, Arc::clone(&judged));
    Ok(judged)
}

/// The finished texts that carry no branch, each once. Branches' pages differ from them in name and
/// number only.
async fn texts(desk: &Desk, review: &Review) -> Result<Vec<Listing>, Trouble> {
    let mut files: BTreeMap<String, Listing> = BTreeMap::new();
    for (_, hash) in &review.manifests {
        let manifest = desk.manifest(hash).await?;
        let own = manifest.files.iter().filter(|file| {
            is_shown(file) && is_text(file) && file.branch.is_none() && file.lesson.is_some()
        });
        files.extend(own.map(|file| (file.path.clone(), file.clone())));
    }
    Ok(files.into_values().collect())
}

impl Judged {
    fn new(
        desk: &Desk,
        key: Digest,
        findings: &[Finding],
        files: &[Listing],
        library: &Library,
    ) -> Self {
        let mut pairs: Vec<(Found, Aim)> =
            findings.iter().map(source::found).zip(aims(desk, findings, files, library)).collect();
        let grave = |(one, _): &(Found, Aim)| {
            (one.waiver.is_some(), one.severity != "error", one.severity != "warning")
        };
        pairs.sort_by_key(grave);
        let (mut findings, aims): (Vec<Found>, Vec<Aim>) = pairs.into_iter().unzip();
        for (index, found) in findings.iter_mut().enumerate() {
            found.number = index + 1;
        }
        Self { findings, aims, seen: Mutex::default(), key }
    }
}

fn aims(desk: &Desk, findings: &[Finding], files: &[Listing], library: &Library) -> Vec<Aim> {
    let mut aims: Vec<Aim> = findings.iter().map(|finding| of_output(finding, files)).collect();
    let bank = &desk.publisher().config.bank;
    for lesson in &library.lessons {
        for variant in lesson.variants.values() {
            let own = |finding: &Finding| finding.diagnostic.file.path == variant.file.path;
            let about: Vec<usize> =
                (0..findings.len()).filter(|index| own(&findings[*index])).collect();
            if about.is_empty() {
                continue;
            }
            let spans: Vec<_> =
                about.iter().map(|index| findings[*index].diagnostic.span).collect();
            let sought = words::sought(variant, bank, &spans);
            for (index, sought) in about.into_iter().zip(sought) {
                aims[index] = Aim {
                    lesson: Some(lesson.id.clone()),
                    audience: Some(variant.audience),
                    output: None,
                    sought,
                };
            }
        }
    }
    aims
}

/// A finding about a finished text; nothing to be looked for where it is about none.
fn of_output(finding: &Finding, files: &[Listing]) -> Aim {
    let path = finding.diagnostic.file.path.to_string_lossy();
    let Some(file) = files.iter().find(|file| file.path == path) else { return Aim::default() };
    let sought = finding
        .words
        .clone()
        .map(|words| Sought { place: crate::check::passage::Place::Body, words });
    Aim {
        lesson: file.lesson.clone(),
        audience: Some(file.audience),
        output: Some((file.output, file.media_type, file.profile.clone())),
        sought: sought.into_iter().collect(),
    }
}
