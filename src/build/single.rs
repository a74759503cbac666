//! Outputs that are rendered one by one: articles, print, portal pages, short texts.

use super::{BuildError, Ledger, Request, Studio, plan::branch_key};
use crate::{
    model::{Artifact, Bank, Branch, Digest, Library, Listing, OutputKind},
    render::{
        Limits, PictureSet, RenderError, Scene, Stage, article, brief,
        portal::{self, PortalOptions},
        poster::{cover, newspic},
        print::{self, NoticeScene},
    },
};
use rayon::prelude::*;

/// One output, of one file or a few that belong together.
pub(super) struct Single<'a> {
    /// What it is, for people.
    pub what: String,
    /// Key of everything it is made from, and of nothing else: no two outputs share one.
    pub key: Digest,
    /// Its kind.
    pub output: OutputKind,
    /// What it is for; the notice is for no lesson.
    pub scene: Option<Scene<'a>>,
    /// Make its files, one part after the other.
    pub parts: Vec<Render<'a>>,
}

impl Single<'_> {
    fn render(&self, stage: &Stage<'_>) -> Result<Vec<Artifact>, RenderError> {
        let mut artifacts = Vec::new();
        for part in &self.parts {
            artifacts.extend(part(stage)?);
        }
        Ok(artifacts)
    }
}

pub(super) type Render<'a> =
    Box<dyn Fn(&Stage<'_>) -> Result<Vec<Artifact>, RenderError> + Sync + Send + 'a>;

/// How a part of a kind of output is made for a scene.
type Maker = fn(&Scene<'_>, &Stage<'_>, &Studio) -> Result<Vec<Artifact>, RenderError>;

/// The outputs of a lesson that carry no branch. Text that takes long to draw the pictures of has
/// them in a part of their own, so that a preview need not wait for them.
const OF_LESSON: &[(OutputKind, &[Maker])] = &[
    (OutputKind::Article, &[article_text, |scene, stage, _| cover::covers(scene, stage)]),
    (
        OutputKind::Newspic,
        &[|scene, stage, studio| newspic::pictures(scene, stage, studio.scale())],
    ),
    (OutputKind::Print, &[|scene, stage, _| print::posters(scene, stage)]),
    (OutputKind::Leaflet, &[|scene, stage, _| print::leaflet(scene, stage)]),
    (OutputKind::Portal, &[portal_page]),
    (OutputKind::Post, &[|scene, _, _| one(brief::post(scene, &Limits::default()))]),
    (OutputKind::Ticker, &[|scene, _, _| one(brief::ticker(scene, &Limits::default()))]),
    (OutputKind::Banner, &[|scene, _, _| one(brief::banner(scene, &Limits::default()))]),
    (OutputKind::Sms, &[|scene, _, _| one(brief::sms(scene, &Limits::default()))]),
    (OutputKind::StaffCard, &[|scene, _, _| one(brief::staff_card(scene, &Limits::default()))]),
    (OutputKind::Morning, &[|scene, stage, _| print::morning(scene, stage)]),
    (OutputKind::Booth, &[|scene, stage, _| print::booth(scene, stage)]),
];

/// The outputs that every branch gets its own of.
const OF_BRANCH: &[(OutputKind, &[Maker])] = &[
    (OutputKind::Portal, &[portal_page]),
    (OutputKind::Print, &[|scene, stage, _| print::posters(scene, stage)]),
];

/// The outputs whose footers show the approval number; the others are the same with and without.
pub(super) const SHOW_NUMBER: [OutputKind; 4] =
    [OutputKind::Article, OutputKind::Portal, OutputKind::Leaflet, OutputKind::Morning];

fn article_text(
    scene: &Scene<'_>,
    stage: &Stage<'_>,
    _: &Studio,
) -> Result<Vec<Artifact>, RenderError> {
    let pictures = PictureSet::build(scene, stage)?;
    article::artifacts(scene, stage, &pictures, &Limits::default())
}

fn portal_page(
    scene: &Scene<'_>,
    stage: &Stage<'_>,
    _: &Studio,
) -> Result<Vec<Artifact>, RenderError> {
    let options = PortalOptions::default();
    let page = portal::render(scene, stage, &options, &Limits::default())?;
    let mut artifacts = vec![page, portal::package(scene, stage, &options)?];
    if scene.branch.is_none() {
        artifacts.extend(portal::quiz(scene, stage)?);
    }
    Ok(artifacts)
}

fn one(artifact: Result<Artifact, RenderError>) -> Result<Vec<Artifact>, RenderError> {
    artifact.map(|artifact| vec![artifact])
}

/// The single outputs that the request asks for. A request for branches leaves out what carries
/// no branch.
pub(super) fn singles<'a>(
    library: &'a Library,
    request: &Request,
    scenes: &[(Scene<'a>, Digest)],
    bank: &'a Bank,
    base: Digest,
    studio: &'a Studio,
) -> Vec<Single<'a>> {
    let branches: Vec<&'a Branch> =
        library.branches.iter().filter(|branch| request.wants_branch(&branch.id)).collect();
    let mut singles = notices(bank, library, request, &branches, base);
    for (scene, key) in scenes {
        let wanted = |kind| request.wants_output(kind) && scene.variant.outputs.contains(&kind);
        if request.branches.is_empty() {
            let of_lesson = OF_LESSON.iter().filter(|(kind, _)| wanted(*kind));
            singles.extend(of_lesson.map(|(kind, make)| single(*scene, *key, *kind, make, studio)));
        }
        for (kind, make) in OF_BRANCH.iter().filter(|(kind, _)| wanted(*kind)) {
            singles.extend(branches.iter().map(|branch| {
                let scene = Scene { branch: Some(branch), ..*scene };
                single(scene, *key, *kind, make, studio)
            }));
        }
    }
    singles
}

/// The notice of complaint channels, for the bank and for every branch. It belongs to no lesson,
/// so a request for lessons or audiences leaves it out.
fn notices<'a>(
    bank: &'a Bank,
    library: &'a Library,
    request: &Request,
    branches: &[&'a Branch],
    base: Digest,
) -> Vec<Single<'a>> {
    let of_lessons = !request.lessons.is_empty() || !request.audiences.is_empty();
    if of_lessons || !request.wants_output(OutputKind::Notice) {
        return Vec::new();
    }
    let whole = request.branches.is_empty().then_some(None);
    let editions = whole.into_iter().chain(branches.iter().map(|branch| Some(*branch)));
    let notice = |branch: Option<&'a Branch>| {
        let scene = NoticeScene { bank, library, branch };
        let place = branch.map(branch_key);
        Single {
            what: format!("投诉电话公示 {}", branch.map_or("全行", |branch| branch.name.as_str())),
            key: Digest::of_fields([
                base.as_bytes().as_slice(),
                OutputKind::Notice.as_str().as_bytes(),
                place.as_ref().map_or(&[], |digest| digest.as_bytes()),
            ]),
            output: OutputKind::Notice,
            scene: None,
            parts: vec![Box::new(move |stage| print::notice(&scene, stage))],
        }
    };
    editions.map(notice).collect()
}

fn single<'a>(
    scene: Scene<'a>,
    variant_key: Digest,
    kind: OutputKind,
    makers: &'static [Maker],
    studio: &'a Studio,
) -> Single<'a> {
    let branch = scene.branch.map(branch_key);
    let number = scene.approval_number.filter(|_| SHOW_NUMBER.contains(&kind));
    let key = Digest::of_fields([
        variant_key.as_bytes().as_slice(),
        kind.as_str().as_bytes(),
        branch.as_ref().map_or(&[], |digest| digest.as_bytes()),
        number.unwrap_or_default().as_bytes(),
    ]);
    let place = scene.branch.map_or_else(String::new, |branch| format!(" {}", branch.name));
    let audience = scene.variant.audience.label();
    Single {
        what: format!("{} {audience} {}{place}", scene.lesson.id, kind.label()),
        key,
        output: kind,
        scene: Some(scene),
        parts: makers.iter().map(|make| part(*make, scene, studio)).collect(),
    }
}

fn part<'a>(make: Maker, scene: Scene<'a>, studio: &'a Studio) -> Render<'a> {
    Box::new(move |stage| make(&scene, stage, studio))
}

/// Renders what is not fresh.
pub(super) fn make(
    singles: &[Single<'_>],
    studio: &Studio,
    ledger: &Ledger<'_>,
) -> Result<(), BuildError> {
    let stale: Vec<&Single<'_>> =
        singles.iter().filter(|single| !ledger.keep_all(single.key)).collect();
    if stale.is_empty() {
        return Ok(());
    }
    let stage = studio.stage()?;
    stale.par_iter().for_each(|single| {
        if ledger.is_stuck() {
            return;
        }
        match single.render(&stage) {
            Ok(artifacts) => {
                for artifact in artifacts {
                    ledger.write(listing(&artifact), single.key, &[&artifact.bytes]);
                }
                ledger.settle(1);
            }
            Err(error) => ledger.fail(single.what.clone(), error),
        }
    });
    Ok(())
}

pub(super) fn listing(artifact: &Artifact) -> Listing {
    Listing {
        path: artifact.path.to_string_lossy().replace('\\', "/"),
        lesson: artifact.lesson.clone(),
        output: artifact.output,
        audience: artifact.audience,
        profile: artifact.profile.clone(),
        branch: artifact.branch.clone(),
        media_type: artifact.media_type,
        bytes: artifact.bytes.len() as u64,
        sha256: Digest::of(&artifact.bytes),
    }
}
