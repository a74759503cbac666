//! The texts of a submission against those approved before, and where their facts come from.

use super::source::{self, Found, Said, Text};
use crate::{
    console::{Desk, trouble::Trouble},
    model::{Lesson, LessonId},
    store::Review,
    work::{Content, difference::read_revision},
};
use serde::Serialize;
use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};
use utoipa::ToSchema;

/// Where a fact comes from.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Claim {
    /// The lesson's title and audience.
    pub lesson: String,
    /// Its name in the text.
    pub name: String,
    /// The sentences of the texts that refer to it; none where no figure names it.
    pub said: Vec<Sentence>,
    /// Where the source is registered.
    pub registered: Sentence,
    /// Title and publisher.
    pub source: String,
    /// Published, and when somebody looked at it.
    pub dates: String,
    /// The address.
    pub url: Option<String>,
}

/// A sentence of a text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = ClaimSentence)]
pub struct Sentence {
    /// The file, under the content folder.
    pub path: String,
    /// Its line, from one.
    pub line: usize,
    /// Its words.
    pub text: String,
    /// Which of the page's texts it stands in, from one; 0 for none.
    #[serde(skip)]
    pub(super) tab: usize,
}

/// The figures of a text that name a claim: `:::stat{value="62.1%" source=victim-age}` and the
/// lines up to its end.
fn said(path: &str, text: &str, claim: &str) -> Vec<Sentence> {
    let names = |line: &str| {
        let line = line.trim_start();
        let inside = line.trim_start_matches(':').strip_prefix("stat{");
        let inside = inside.filter(|_| line.starts_with(":::"))?;
        let source = inside.split_once("source=")?.1.trim_start_matches('"');
        let name = source.split(['"', ' ', '}']).next()?;
        let value = inside.split_once("value=\"").and_then(|(_, value)| value.split_once('"'));
        (name == claim).then(|| value.map_or(String::new(), |(value, _)| value.to_owned()))
    };
    let mut sentences = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let Some(value) = names(line) else { continue };
        let label = text.lines().skip(index + 1).take_while(|line| !line.trim().starts_with(":::"));
        let label: String = label.map(str::trim).collect();
        let text = format!("{value} {}", spoken(&label)).trim().to_owned();
        sentences.push(Sentence { path: path.to_owned(), line: index + 1, text, tab: 0 });
    }
    sentences
}

/// Words without the marks of emphasis and footnotes.
fn spoken(text: &str) -> String {
    let mut pieces = text.split("[^");
    let mut words = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        words.push_str(piece.split_once(']').map_or(piece, |(_, rest)| rest));
    }
    words.replace("**", "")
}

/// Where a source is registered in the front matter of a text.
fn registered(path: &str, text: &str, claim: &str) -> Option<Sentence> {
    let names = |line: &str| {
        let name = line.split_once("claim:").map(|(_, rest)| rest.trim_start());
        name.is_some_and(|rest| rest.split([',', '}', ' ']).next() == Some(claim))
    };
    let line = text.lines().position(names)? + 1;
    Some(Sentence { path: path.to_owned(), line, text: claim.to_owned(), tab: 0 })
}

/// Where the facts of the lessons come from, each once.
pub(super) fn claims(content: &Content, review: &Review, texts: &[Text]) -> Vec<Claim> {
    let mut claims = Vec::new();
    for lesson in review.lessons.iter().filter_map(|id| content.library.lesson(id)) {
        for variant in lesson.variants.values() {
            for source in &variant.sources {
                let (said, registered) = places(lesson, &source.claim, texts);
                let day = |day: Option<jiff::civil::Date>| {
                    day.map_or("–".to_owned(), |day| day.to_string())
                };
                claims.push(Claim {
                    lesson: format!("{}（{}）", variant.title.value, variant.audience.label()),
                    name: source.claim.clone(),
                    said,
                    registered,
                    source: format!("{}，{}", source.title, source.publisher),
                    dates: format!("{} / {}", day(source.date), day(source.checked)),
                    url: source.url.clone().filter(|url| url.starts_with("https://")),
                });
            }
        }
    }
    // Variants inherit their sources: the same one is shown once.
    let mut seen = BTreeSet::new();
    claims.retain(|claim| seen.insert((claim.name.clone(), claim.source.clone())));
    claims
}

/// Where a lesson's texts refer to a claim, and where it is registered.
fn places(lesson: &Lesson, claim: &str, texts: &[Text]) -> (Vec<Sentence>, Sentence) {
    let (mut sentences, mut place) = (Vec::new(), None);
    for variant in lesson.variants.values() {
        let (path, text) = (variant.file.path.to_string_lossy(), &variant.file.text);
        for sentence in said(&path, text, claim) {
            if !sentences.contains(&sentence) {
                sentences.push(sentence);
            }
        }
        place = place.or_else(|| registered(&path, text, claim));
    }
    let unknown = || Sentence { path: String::new(), line: 0, text: claim.to_owned(), tab: 0 };
    let mut place = place.unwrap_or_else(unknown);
    for sentence in sentences.iter_mut().chain([&mut place]) {
        let tab = texts.iter().position(|text| text.path == sentence.path);
        sentence.tab = tab.map_or(0, |index| index + 1);
    }
    (sentences, place)
}

/// Every text of the lessons, compared with the submission before.
pub(super) async fn texts(
    desk: &Desk,
    review: &Review,
    previous: Option<&Review>,
    findings: &[Found],
    remarks: &[Said],
) -> Result<Vec<Text>, Trouble> {
    let store = &desk.publisher().store;
    let files = read_revision(store, &review.revision).await?;
    let before = match previous {
        Some(previous) => read_revision(store, &previous.revision).await?,
        None => BTreeMap::new(),
    };
    let of_lessons = |path: &str| {
        let own = |id: &LessonId| path.starts_with(&format!("lessons/{id}/"));
        Path::new(path).extension().is_some_and(|kind| kind == "md")
            && review.lessons.iter().any(own)
    };
    let mut texts = Vec::new();
    for (path, digest) in files.iter().filter(|(path, _)| of_lessons(path)) {
        let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
        let new = text(store.blob(digest).await?);
        let old = match before.get(path) {
            Some(old) => Some(text(store.blob(old).await?)),
            // A file that is new altogether is all added, where its lesson was approved before.
            None => previous
                .filter(|previous| {
                    previous.lessons.iter().any(|id| path.starts_with(&format!("lessons/{id}/")))
                })
                .map(|_| String::new()),
        };
        texts.push(source::lines(path, old.as_deref(), &new, findings, remarks));
    }
    Ok(texts)
}
