//! Screen posters: a design per lesson and profile, a strip per branch, and files that share their
//! compressed head.

use super::{
    BuildError, Ledger, Studio,
    piece::Made,
    plan::{ScreenGroup, ScreenLesson},
};
use crate::{
    model::{Branch, Digest, Listing, MediaType, OutputKind},
    render::{
        RenderError, Scene, Stage,
        poster::{
            design::Design,
            engine::Pixels,
            png::{File, Head},
            qr::QrCode,
            scale::Profile,
        },
    },
};
use rayon::prelude::*;

/// Makes the posters of every group. Groups come one after another, so that only one group's
/// heads are in memory; within a group, lessons and then branches are spread over the threads.
pub(super) fn make(
    groups: &[ScreenGroup<'_>],
    studio: &Studio,
    ledger: &Ledger<'_>,
) -> Result<(), BuildError> {
    for group in groups {
        if ledger.is_stuck() {
            break;
        }
        let stale = stale(group, ledger);
        if stale.iter().all(Vec::is_empty) {
            continue;
        }
        let stage = studio.stage()?;
        let ready: Vec<Option<Ready>> = group
            .lessons
            .par_iter()
            .zip(&stale)
            .map(|(lesson, branches)| {
                (!branches.is_empty()).then(|| prepare(lesson, group, studio, &stage, ledger))?
            })
            .collect();
        group.branches.par_iter().enumerate().for_each(|(index, (branch, key))| {
            let lessons: Vec<(&ScreenLesson<'_>, &Ready)> = group
                .lessons
                .iter()
                .zip(&ready)
                .zip(&stale)
                .filter(|(_, stale)| stale.binary_search(&index).is_ok())
                .filter_map(|((lesson, ready), _)| Some((lesson, ready.as_ref()?)))
                .collect();
            branch_posters(branch, *key, &lessons, &stage, ledger);
        });
    }
    Ok(())
}

/// A fitted design and its compressed head.
struct Ready {
    design: Design,
    head: Head,
}

/// For each lesson of the group, the indexes of the branches whose file is to be made.
fn stale(group: &ScreenGroup<'_>, ledger: &Ledger<'_>) -> Vec<Vec<usize>> {
    group
        .lessons
        .iter()
        .map(|lesson| {
            let keep = |(branch, key): &(&Branch, Digest)| {
                ledger.keep(&path(lesson, &group.profile.name, branch), poster_key(lesson, *key))
            };
            let fresh = group.branches.iter().map(keep);
            fresh.enumerate().filter(|(_, fresh)| !fresh).map(|(index, _)| index).collect()
        })
        .collect()
}

fn prepare(
    lesson: &ScreenLesson<'_>,
    group: &ScreenGroup<'_>,
    studio: &Studio,
    stage: &Stage<'_>,
    ledger: &Ledger<'_>,
) -> Option<Ready> {
    let made = Design::new(&lesson.scene, stage, studio.scale(), lesson.text, &group.profile)
        .and_then(|design| {
            ledger.layouts.remember(lesson.key, &design.report);
            let head = design.compressed_head(stage.fonts)?;
            Ok(Ready { design, head })
        });
    made.map_err(|error| {
        let what = format!(
            "{} {} 屏幕海报 {}",
            lesson.scene.lesson.id,
            group.audience.label(),
            group.profile.name
        );
        ledger.fail(what, error);
    })
    .ok()
}

fn branch_posters(
    branch: &Branch,
    branch_key: Digest,
    lessons: &[(&ScreenLesson<'_>, &Ready)],
    stage: &Stage<'_>,
    ledger: &Ledger<'_>,
) {
    // Lessons of one family share the strip but for the QR code.
    let mut drawn: Vec<(&Ready, Pixels)> = Vec::new();
    for (lesson, ready) in lessons {
        let poster = || -> Result<(), RenderError> {
            let shared = |(other, _): &(&Ready, Pixels)| other.design.shares_strip(&ready.design);
            let position = match drawn.iter().position(shared) {
                Some(position) => position,
                None => {
                    drawn.push((ready, ready.design.strip(stage, branch)?));
                    drawn.len() - 1
                }
            };
            // The code covers that of the lesson before.
            let strip = &mut drawn[position].1;
            let file = finish(lesson, ready, strip, branch)?;
            let listing = listing(lesson, &ready.design.profile.name, branch, &file);
            ledger.write(listing, poster_key(lesson, branch_key), &file.parts());
            ledger.settle(1);
            Ok(())
        }();
        if let Err(error) = poster {
            let what = format!("{} {} {}", lesson.scene.lesson.id, branch.id, branch.name);
            ledger.fail(what, error);
        }
    }
}

/// Draws the code into a strip and puts it below the head.
fn finish<'r>(
    lesson: &ScreenLesson<'_>,
    ready: &'r Ready,
    strip: &mut Pixels,
    branch: &Branch,
) -> Result<File<'r>, RenderError> {
    if ready.design.has_code() {
        let scene = Scene { branch: Some(branch), ..lesson.scene };
        ready.design.draw_code(strip, &QrCode::new(&scene.qr_address())?);
    }
    ready.head.finish(strip)
}

fn listing(lesson: &ScreenLesson<'_>, profile: &str, branch: &Branch, file: &File<'_>) -> Listing {
    Listing {
        path: path(lesson, profile, branch),
        lesson: Some(lesson.scene.lesson.id.clone()),
        output: OutputKind::Screen,
        audience: lesson.scene.variant.audience,
        profile: Some(profile.to_owned()),
        branch: Some(branch.id.clone()),
        media_type: MediaType::Png,
        bytes: file.len() as u64,
        sha256: file.digest(),
    }
}

/// One poster by itself, as [`make`] would write it.
pub(super) fn one(
    lesson: &ScreenLesson<'_>,
    profile: &Profile,
    branch: &Branch,
    studio: &Studio,
    stage: &Stage<'_>,
) -> Result<Made, RenderError> {
    let design = Design::new(&lesson.scene, stage, studio.scale(), lesson.text, profile)?;
    let head = design.compressed_head(stage.fonts)?;
    let ready = Ready { design, head };
    let mut strip = ready.design.strip(stage, branch)?;
    let file = finish(lesson, &ready, &mut strip, branch)?;
    let listing = listing(lesson, &profile.name, branch, &file);
    let layout = Some(ready.design.report.clone());
    Ok(Made { listing, bytes: file.parts().concat(), layout })
}

pub(super) fn poster_key(lesson: &ScreenLesson<'_>, branch: Digest) -> Digest {
    Digest::of_fields([lesson.key.as_bytes().as_slice(), branch.as_bytes()])
}

fn path(lesson: &ScreenLesson<'_>, profile: &str, branch: &Branch) -> String {
    format!(
        "branches/{}/screens/{profile}/{}.{}.png",
        branch.id, lesson.scene.lesson.id, lesson.scene.variant.audience
    )
}
