//! How posters were laid out, remembered beside the outputs so that the check need not lay them
//! out again.

use super::{BuildError, Request, Studio, index, plan};
use crate::{
    config::Config,
    model::{Audience, Digest, LayoutReport, LessonId, Library, OutputKind},
    render::{Scene, poster::design::Design, print},
};
use rayon::prelude::*;
use std::{
    collections::{BTreeMap, BTreeSet},
    fs, io,
    path::{Path, PathBuf},
    sync::{Mutex, MutexGuard, PoisonError},
};

/// A screen poster as it was laid out; or what paper shows of a lesson, of which only the colours
/// are known.
#[derive(Debug, Clone)]
pub struct LaidPoster {
    /// The lesson.
    pub lesson: LessonId,
    /// For whom.
    pub audience: Audience,
    /// What it is, for people: `屏幕海报 lobby-portrait`.
    pub what: String,
    /// What was measured. Boxes are left out.
    pub report: LayoutReport,
    /// Millimetres of one pixel.
    pub mm_per_px: Option<f32>,
    /// From how far it is read, in metres.
    pub distance_m: Option<f32>,
    /// How long it is shown, in seconds.
    pub dwell_s: Option<f32>,
}

/// The layouts of every poster that the request asks for: those of earlier builds as they are,
/// the others laid out now. What cannot be laid out is a failure of the build, not of this.
///
/// # Errors
/// [`BuildError`] where templates or fonts cannot be loaded, or the cache not written.
pub fn layouts(
    config: &Config,
    library: &Library,
    request: &Request,
) -> Result<Vec<LaidPoster>, BuildError> {
    let studio = Studio::load(config)?;
    let plan = plan::plan(config, library, request, &studio);
    let cache = Cache::load(&request.out);
    let mut laid = Vec::new();
    for group in &plan.groups {
        let measure = |lesson: &plan::ScreenLesson<'_>| -> Option<LaidPoster> {
            let report = match cache.get(lesson.key) {
                Some(report) => report,
                None => {
                    let stage = studio.stage().ok()?;
                    let design = Design::new(
                        &lesson.scene,
                        &stage,
                        studio.scale(),
                        lesson.text,
                        &group.profile,
                    );
                    let report = design.ok()?.report;
                    cache.remember(lesson.key, &report);
                    report
                }
            };
            let profile = &group.profile;
            Some(LaidPoster {
                lesson: lesson.scene.lesson.id.clone(),
                audience: group.audience,
                what: format!("屏幕海报 {}", profile.name),
                report,
                mm_per_px: Some(profile.mm_width / profile.width as f32),
                distance_m: Some(profile.distance_m),
                dwell_s: Some(profile.dwell_s),
            })
        };
        let posters: Vec<Option<LaidPoster>> = group.lessons.par_iter().map(measure).collect();
        laid.extend(posters.into_iter().flatten());
    }
    laid.extend(on_paper(config, library, request, &studio));
    cache.save(None).map_err(|source| BuildError::Write { path: cache.path.clone(), source })?;
    Ok(laid)
}

/// The colours of what is printed. Its layout is refused by the renderer where it is wrong.
fn on_paper(
    config: &Config,
    library: &Library,
    request: &Request,
    studio: &Studio,
) -> Vec<LaidPoster> {
    let Ok(stage) = studio.stage() else { return Vec::new() };
    let printed = [OutputKind::Print, OutputKind::Leaflet, OutputKind::Booth, OutputKind::Morning];
    let mut laid = Vec::new();
    for lesson in &library.lessons {
        for variant in lesson.variants.values() {
            let made =
                |kind: &OutputKind| request.wants_output(*kind) && variant.outputs.contains(kind);
            if !request.wants(&lesson.id, variant.audience) || !printed.iter().any(made) {
                continue;
            }
            let scene = Scene {
                bank: &config.bank,
                library,
                lesson,
                variant,
                branch: None,
                approval_number: None,
            };
            // A palette that does not exist is a failure of the build.
            let Ok(palette) = scene.palette(stage.palettes) else { continue };
            let (colours, large_colours) = print::colour_pairs(variant.audience, palette);
            laid.push(LaidPoster {
                lesson: lesson.id.clone(),
                audience: variant.audience,
                what: "印刷品".into(),
                report: LayoutReport { colours, large_colours, ..LayoutReport::default() },
                mm_per_px: None,
                distance_m: None,
                dwell_s: None,
            });
        }
    }
    laid
}

/// Layout reports by the key of everything their design was made from.
pub(super) struct Cache {
    path: PathBuf,
    state: Mutex<CacheState>,
}

#[derive(Default)]
struct CacheState {
    reports: BTreeMap<Digest, LayoutReport>,
    changed: bool,
}

impl Cache {
    /// Reads the cache of an output folder; one that cannot be read is empty.
    pub(super) fn load(out: &Path) -> Self {
        let path = index::state_file(out, "layouts.json");
        let text = fs::read_to_string(&path).unwrap_or_default();
        let reports = super::wire::layouts_from_json(&text);
        Self { path, state: Mutex::new(CacheState { reports, changed: false }) }
    }

    fn lock(&self) -> MutexGuard<'_, CacheState> {
        // Whole entries are left behind by a thread that panicked.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn get(&self, key: Digest) -> Option<LayoutReport> {
        self.lock().reports.get(&key).cloned()
    }

    pub(super) fn remember(&self, key: Digest, report: &LayoutReport) {
        let mut state = self.lock();
        let report = LayoutReport { boxes: Vec::new(), ..report.clone() };
        state.changed |= state.reports.insert(key, report.clone()).as_ref() != Some(&report);
    }

    /// Writes it where it changed; with `only`, what is no longer planned is forgotten.
    pub(super) fn save(&self, only: Option<&BTreeSet<Digest>>) -> io::Result<()> {
        let mut state = self.lock();
        if let Some(only) = only {
            let before = state.reports.len();
            state.reports.retain(|key, _| only.contains(key));
            state.changed |= state.reports.len() != before;
        }
        if !state.changed {
            return Ok(());
        }
        state.changed = false;
        let text = super::wire::layouts_to_json(&state.reports);
        index::write_file(&self.path, &[text.as_bytes()]).map(|_| ())
    }
}
