//! One output of each sort, with what became of it since the bytes that were approved before.

use super::judged::Judged;
use crate::{
    console::{Desk, trouble::Trouble},
    model::{Digest, Listing, MediaType, OutputKind},
};
use serde::Serialize;
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// So many outputs of a sort are looked at to tell whether only numbers differ.
const PAIRS: usize = 400;

/// Digits of a digest in an address.
const SHORT: usize = 16;

/// What became of an output since the last approval.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
#[schema(as = OutputFate)]
pub enum Fate {
    /// The very bytes that were approved.
    Same,
    /// Other bytes.
    Changed,
    /// There was none, or nothing was approved before.
    New,
}

/// The approved output that one is compared with.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = OutputBefore)]
pub struct Before {
    /// Where it can be seen.
    pub href: String,
    /// Its digest.
    pub sha256: String,
    /// Its size.
    pub bytes: u64,
    /// How many pages a PDF has.
    pub pages: Option<usize>,
}

/// Where a finding's words stand in an output.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = OutputPlace)]
pub struct Place {
    /// The finding's number.
    pub finding: usize,
    /// The words.
    pub words: String,
    /// Where they begin, in characters of what is read.
    pub from: usize,
    /// Where they end.
    pub to: usize,
}

/// How the outputs of one sort fared.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = OutputFates)]
pub struct Fates {
    /// With the approved bytes.
    pub same: usize,
    /// With others.
    pub changed: usize,
    /// Those of them in which only the approval number and the lesson's number differ, as far as
    /// that was looked at: texts.
    pub only_number: usize,
    /// That there were not.
    pub new: usize,
}

/// Outputs that differ only in their branch, shown by one of them: the first that changed.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Specimen {
    /// The output, for people.
    pub label: String,
    /// The output: `article`, `screen`.
    pub output: String,
    /// The lesson; none for what is of the whole bank.
    pub lesson: Option<String>,
    /// Its title, where the submission has several.
    pub title: String,
    /// For whom, for people.
    pub audience: String,
    /// The screen profile or paper format.
    pub profile: String,
    /// Which of several sheets or pictures it is.
    pub part: String,
    /// The branch whose it is.
    pub branch: String,
    /// The media type.
    pub media_type: String,
    /// Where it can be seen.
    pub href: String,
    /// Its digest.
    pub sha256: String,
    /// Its size.
    pub bytes: u64,
    /// How many pages a PDF has, where that was counted.
    pub pages: Option<usize>,
    /// How many outputs are like it, this one included.
    pub alike: usize,
    /// The words of a text output.
    pub text: Option<String>,
    /// What became of it.
    pub fate: Fate,
    /// What became of all that are like it.
    pub fates: Fates,
    /// Of a text: whether the approval number and the lesson's number (课件编号) are all that
    /// differs, in all that are like it.
    pub only_number: bool,
    /// What it is compared with.
    pub before: Option<Before>,
    /// Where both can be seen together.
    pub changes: Option<String>,
    /// Where findings stand in it.
    pub places: Vec<Place>,
    /// Findings about its text whose words are not in it.
    pub absent: Vec<usize>,
    /// Of a picture or paper: findings about the words that it takes over.
    pub concerns: Vec<usize>,
    #[serde(skip)]
    pub(super) file: Listing,
    #[serde(skip)]
    pub(super) old_text: Option<String>,
    /// Those like it that changed, each pair once with how often: now and before.
    #[serde(skip)]
    pub(super) pairs: BTreeMap<(Digest, Digest), usize>,
}

/// Outputs that were approved before and are not in this submission.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = OutputGone)]
pub struct Gone {
    /// The output, for people.
    pub label: String,
    /// For whom, for people.
    pub audience: String,
    /// The screen profile or paper format.
    pub profile: String,
    /// The branches whose they were; empty for what carries none.
    pub branches: Vec<String>,
    /// How many files.
    pub count: usize,
    /// Where the first of them can be seen.
    pub href: String,
}

/// Pictures inside an article and archives are seen with what they belong to.
pub(super) fn is_shown(file: &Listing) -> bool {
    !file.path.contains("/article/") && file.media_type != MediaType::Zip
}

/// Whether its words can be read.
pub(super) fn is_text(file: &Listing) -> bool {
    matches!(file.media_type, MediaType::Html | MediaType::Text)
}

/// Where an output can be seen.
pub(super) fn address(manifest: &Digest, file: &Listing) -> String {
    format!("/console/outputs/{}/{}", short(manifest), short(&file.sha256))
}

/// Enough digits of a digest: unmistakable among manifests, and within one.
pub(super) fn short(digest: &Digest) -> String {
    digest.to_string()[..SHORT].to_owned()
}

impl Specimen {
    /// Reads what a glance at it needs: the words of a text, the pages of a PDF that changed.
    pub(super) async fn look(
        &mut self,
        desk: &Desk,
        judged: &Judged,
        numbers: Option<(&str, &str)>,
    ) -> Result<(), Trouble> {
        let file = self.file.clone();
        if is_text(&file) {
            let marked = judged.in_output(desk, &file).await?;
            self.absent.clone_from(&marked.absent);
            self.places.clone_from(&marked.places);
        } else {
            self.concerns = judged.concerning(&file);
        }
        if file.media_type == MediaType::Text {
            self.text = Some(text(desk, &file.sha256).await?);
        }
        let Some(old) = self.before.as_ref().and_then(|old| Digest::from_hex(&old.sha256)) else {
            return Ok(());
        };
        if self.fate == Fate::Same {
            return Ok(());
        }
        if file.media_type == MediaType::Pdf {
            self.pages = Some(pages(desk, &file.sha256).await?);
            let pages = pages(desk, &old).await?;
            self.before.as_mut().map(|before| before.pages.insert(pages));
        } else if let (true, Some((old_number, number))) = (is_text(&file), numbers) {
            if self.text.is_some() {
                self.old_text = Some(text(desk, &old).await?);
            }
            let shown = (file.sha256, old);
            if only_number(desk, shown, (number, old_number)).await? {
                for (pair, times) in std::mem::take(&mut self.pairs).into_iter().take(PAIRS) {
                    if only_number(desk, pair, (number, old_number)).await? {
                        self.fates.only_number += times;
                    }
                }
                self.only_number = self.fates.only_number == self.fates.changed;
            }
        }
        Ok(())
    }

    /// Whether more than its numbers changed.
    pub(super) fn is_rewritten(&self) -> bool {
        self.fate == Fate::Changed && !self.only_number
    }

    /// How it is looked at first: findings marked, where there are some, else what changed.
    pub(super) fn first_look(&self) -> String {
        match &self.changes {
            _ if !self.places.is_empty() => format!("{}?view=marked", self.href),
            Some(changes) if self.is_rewritten() => changes.clone(),
            _ => format!("{}?view=look", self.href),
        }
    }

    /// Whether the places of its letters can be told, though it is a picture.
    pub(super) fn is_laid(&self) -> bool {
        use OutputKind::{Article, Newspic, Print, Screen};
        self.file.media_type == MediaType::Png
            && matches!(self.file.output, Article | Newspic | Print | Screen)
    }

    /// Whether it and all that are like it have the approved bytes.
    pub(super) fn is_unchanged(&self) -> bool {
        self.fates.same == self.alike
    }

    /// Its findings with a place in it, each once, in the order of the places.
    pub(super) fn found(&self) -> Vec<usize> {
        let mut found = Vec::new();
        for place in &self.places {
            if !found.contains(&place.finding) {
                found.push(place.finding);
            }
        }
        found
    }
}

/// Whether two texts, now and before, are the same but for their numbers, which are given likewise.
async fn only_number(
    desk: &Desk,
    (now, before): (Digest, Digest),
    (number, old_number): (&str, &str),
) -> Result<bool, Trouble> {
    let key = Digest::of_fields([before.as_bytes().as_slice(), now.as_bytes(), b"numbers"]);
    if let Some(only) = desk.past().count(&key) {
        return Ok(only == 1);
    }
    let was = unnumbered(&text(desk, &before).await?, old_number);
    let only = was == unnumbered(&text(desk, &now).await?, number);
    desk.past().keep_count(key, usize::from(only));
    Ok(only)
}

/// A text without its approval number, and without the lesson's number in its foot: id, version,
/// digest of the manuscript.
fn unnumbered(text: &str, number: &str) -> String {
    const LESSON: &str = "课件编号 ";
    let text = text.replace(number, "");
    let mut pieces = text.split(LESSON);
    let mut kept = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        let is_number = |c: char| c.is_ascii_alphanumeric() || c == '-';
        kept.push_str(LESSON);
        kept.push_str(piece.trim_start_matches(is_number));
    }
    kept
}

async fn text(desk: &Desk, digest: &Digest) -> Result<String, Trouble> {
    let bytes = desk.publisher().store.blob(digest).await?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// How many pages a PDF of ours has: each has its trim.
async fn pages(desk: &Desk, digest: &Digest) -> Result<usize, Trouble> {
    if let Some(pages) = desk.past().count(digest) {
        return Ok(pages);
    }
    let bytes = desk.publisher().store.blob(digest).await?;
    let mark: &[u8] = b"/TrimBox[";
    let pages = bytes.windows(mark.len()).filter(|window| *window == mark).count();
    desk.past().keep_count(*digest, pages);
    Ok(pages)
}
