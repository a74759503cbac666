//! Outputs that are rendered one by one: articles, print, portal pages, short texts.

use super::{BuildError, Ledger, Request, Studio, plan::Plan};
use crate::{
    model::{Artifact, Digest, Library, Listing},
    render::{RenderError, Scene, Stage},
};
use rayon::prelude::*;

/// One output, of one file or a few that belong together.
pub(super) struct Single<'a> {
    /// What it is, for people.
    pub what: String,
    /// Key of everything it is made from.
    pub key: Digest,
    /// The files it makes.
    pub paths: Vec<String>,
    /// Makes them.
    pub render: Box<dyn Fn(&Stage<'_>) -> Result<Vec<Artifact>, RenderError> + Sync + Send + 'a>,
}

/// The single outputs that the request asks for.
pub(super) fn singles<'a>(
    _library: &'a Library,
    _request: &Request,
    _scenes: &[(Scene<'a>, Digest)],
    _base: Digest,
) -> Vec<Single<'a>> {
    Vec::new()
}

/// Renders what is not fresh.
pub(super) fn make(
    plan: &Plan<'_>,
    studio: &Studio,
    ledger: &Ledger<'_>,
) -> Result<(), BuildError> {
    let stale: Vec<&Single<'_>> = plan
        .singles
        .iter()
        .filter(|single| {
            // Every path is asked, so that each fresh one is listed.
            single.paths.iter().filter(|path| !ledger.keep(path, single.key)).count() > 0
        })
        .collect();
    if stale.is_empty() {
        return Ok(());
    }
    let stage = studio.stage()?;
    stale.par_iter().for_each(|single| {
        if ledger.is_stuck() {
            return;
        }
        match (single.render)(&stage) {
            Ok(artifacts) => {
                for artifact in artifacts {
                    let listing = listing(&artifact);
                    ledger.write(listing, single.key, &[&artifact.bytes]);
                }
            }
            Err(error) => ledger.fail(single.what.clone(), error),
        }
    });
    Ok(())
}

fn listing(artifact: &Artifact) -> Listing {
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
