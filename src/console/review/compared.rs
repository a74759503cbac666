//! The outputs of a submission against those of the one that was approved before it.

use super::{
    judged::Judged,
    specimens::{Before, Fate, Fates, Gone, Specimen, address, is_shown, short},
};
use crate::{
    console::{Desk, trouble::Trouble},
    model::{Audience, Digest, LessonId, Listing, Manifest, MediaType, OutputKind},
    store::Review,
    work::Content,
};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

/// The specimens, and what went away.
pub(super) struct Compared {
    pub specimens: Vec<Specimen>,
    pub gone: Vec<Gone>,
}

/// What outputs of one sort have in common.
type Sort<'a> = (OutputKind, Option<&'a LessonId>, Audience, Option<&'a str>, MediaType, &'a str);

/// A file, and the manifest that lists it.
type Listed<'a> = (Digest, &'a Listing);

fn sort(file: &Listing) -> Sort<'_> {
    let stem = file.path.rsplit('/').next().unwrap_or_default();
    let stem = stem.rsplit_once('.').map_or(stem, |(stem, _)| stem);
    // Outputs of several files number them: `leaflet-2`.
    let part = stem.rsplit_once('-').map_or("", |(_, part)| part);
    let part = if part.bytes().all(|byte| byte.is_ascii_digit()) { part } else { "" };
    let profile = file.profile.as_deref();
    (file.output, file.lesson.as_ref(), file.audience, profile, file.media_type, part)
}

/// The number of a sheet, where its format does not say it.
fn part(file: &Listing) -> String {
    let (.., profile, _, part) = sort(file);
    let is_said = profile.is_some_and(|profile| profile.ends_with(&format!("-{part}")));
    if is_said { String::new() } else { part.to_owned() }
}

/// Every file once, by its sort.
fn sorted<'a>(files: &[Listed<'a>]) -> BTreeMap<Sort<'a>, Vec<Listed<'a>>> {
    let mut sorts: BTreeMap<Sort<'a>, Vec<Listed<'a>>> = BTreeMap::new();
    let mut seen = BTreeSet::new();
    for (manifest, file) in files {
        if is_shown(file) && seen.insert(&file.path) {
            sorts.entry(sort(file)).or_default().push((*manifest, file));
        }
    }
    sorts
}

/// The outputs of a submission against those of the one before it.
pub(super) async fn compared(
    desk: &Desk,
    content: &Content,
    review: &Review,
    previous: Option<&Review>,
    judged: &Judged,
) -> Result<Compared, Trouble> {
    let (now, then) = (manifests(desk, Some(review)).await?, manifests(desk, previous).await?);
    let now: Vec<Listed<'_>> = listed(&now).collect();
    let own = |lesson: &LessonId| review.lessons.contains(lesson);
    let then = listed(&then).filter(|(_, file)| file.lesson.as_ref().is_none_or(own));
    let then: Vec<Listed<'_>> = then.collect();
    let (now, then) = (sorted(&now), sorted(&then));
    let mut specimens = Vec::new();
    for (sort, files) in &now {
        let earlier = then.get(sort).map(Vec::as_slice).unwrap_or_default();
        let mut specimen = one(files, earlier);
        if review.lessons.len() > 1 {
            specimen.title = title(content, &specimen.file);
        }
        let numbers = previous.map(|previous| (previous.number.as_str(), review.number.as_str()));
        specimen.look(desk, judged, numbers).await?;
        specimens.push(specimen);
    }
    Ok(Compared { specimens, gone: gone(&now, &then) })
}

async fn manifests(
    desk: &Desk,
    review: Option<&Review>,
) -> Result<Vec<(Digest, Arc<Manifest>)>, Trouble> {
    let mut manifests = Vec::new();
    for (_, hash) in review.into_iter().flat_map(|review| &review.manifests) {
        manifests.push((*hash, desk.manifest(hash).await?));
    }
    Ok(manifests)
}

fn listed(manifests: &[(Digest, Arc<Manifest>)]) -> impl Iterator<Item = Listed<'_>> {
    manifests.iter().flat_map(|(hash, manifest)| manifest.files.iter().map(|file| (*hash, file)))
}

fn title(content: &Content, file: &Listing) -> String {
    let lesson = file.lesson.as_ref().and_then(|id| content.library.lesson(id));
    let variant = lesson.and_then(|lesson| {
        lesson.variants.get(&file.audience).or_else(|| lesson.variants.values().next())
    });
    variant.map_or_else(String::new, |variant| variant.title.value.clone())
}

/// The one that is shown of a sort: the first that changed, else the first.
fn one(files: &[Listed<'_>], earlier: &[Listed<'_>]) -> Specimen {
    let by_branch: BTreeMap<_, &Listed<'_>> =
        earlier.iter().rev().map(|one| (&one.1.branch, one)).collect();
    // A branch that is new is compared with the first of those that there were.
    let counterpart = |file: &Listing| by_branch.get(&file.branch).copied().or(earlier.first());
    let fate = |file: &Listing| match counterpart(file) {
        Some((_, old)) if old.sha256 == file.sha256 => Fate::Same,
        Some(_) => Fate::Changed,
        None => Fate::New,
    };
    let mut fates = Fates::default();
    let mut pairs: BTreeMap<(Digest, Digest), usize> = BTreeMap::new();
    let mut shown = &files[0];
    for listed in files {
        match counterpart(listed.1) {
            Some((_, old)) if old.sha256 == listed.1.sha256 => fates.same += 1,
            Some((_, old)) => {
                fates.changed += 1;
                *pairs.entry((listed.1.sha256, old.sha256)).or_default() += 1;
                if fates.changed == 1 {
                    shown = listed;
                }
            }
            None => fates.new += 1,
        }
    }
    let (manifest, file) = shown;
    let href = address(manifest, file);
    let before = counterpart(file);
    let changes = before.filter(|(_, old)| old.sha256 != file.sha256).map(|(hash, old)| {
        format!("{href}?view=changes&before={}/{}", short(hash), short(&old.sha256))
    });
    Specimen {
        label: file.output.label().to_owned(),
        output: file.output.as_str().to_owned(),
        lesson: file.lesson.as_ref().map(ToString::to_string),
        title: String::new(),
        audience: file.audience.label().to_owned(),
        profile: file.profile.clone().unwrap_or_default(),
        part: part(file),
        branch: file.branch.as_ref().map(ToString::to_string).unwrap_or_default(),
        media_type: file.media_type.as_str().to_owned(),
        href,
        sha256: file.sha256.to_string(),
        bytes: file.bytes,
        pages: None,
        alike: files.len(),
        text: None,
        fate: fate(file),
        fates,
        only_number: false,
        before: before.map(earlier_one),
        changes,
        places: Vec::new(),
        absent: Vec::new(),
        concerns: Vec::new(),
        file: (*file).clone(),
        old_text: None,
        pairs,
    }
}

fn earlier_one((manifest, file): &Listed<'_>) -> Before {
    Before {
        href: address(manifest, file),
        sha256: file.sha256.to_string(),
        bytes: file.bytes,
        pages: None,
    }
}

/// What was approved before and is not in this submission, by its sort.
fn gone(
    now: &BTreeMap<Sort<'_>, Vec<Listed<'_>>>,
    then: &BTreeMap<Sort<'_>, Vec<Listed<'_>>>,
) -> Vec<Gone> {
    let mut gone = Vec::new();
    for (sort, files) in then {
        let kept: BTreeSet<_> =
            now.get(sort).into_iter().flatten().map(|(_, file)| &file.branch).collect();
        let left: Vec<&Listed<'_>> =
            files.iter().filter(|(_, file)| !kept.contains(&file.branch)).collect();
        let Some((manifest, first)) = left.first() else { continue };
        let branches = left.iter().filter_map(|(_, file)| file.branch.as_ref());
        gone.push(Gone {
            label: first.output.label().to_owned(),
            audience: first.audience.label().to_owned(),
            profile: first.profile.clone().unwrap_or_default(),
            branches: branches.map(ToString::to_string).collect(),
            count: left.len(),
            href: address(manifest, first),
        });
    }
    gone
}
