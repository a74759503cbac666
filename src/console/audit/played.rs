//! What the players of a branch told, held against what was out.

use super::link::{Asking, Link};
use crate::{console::trouble::Trouble, store::Out, work::live::ShownThen};
use std::collections::BTreeSet;

/// What players told beyond what was out.
pub(super) struct Played<'t> {
    /// What had been replaced by then and a screen without a connection went on with: the digests
    /// of what it showed.
    went_on: Vec<(&'t Out, BTreeSet<String>)>,
    /// Screens and posters that no delivery of that day carries.
    pub(super) unexplained: Vec<String>,
}

impl Asking<'_> {
    /// Holds the players' word against what was out and what had been replaced.
    pub(super) async fn played<'t>(&self, then: &'t ShownThen) -> Result<Played<'t>, Trouble> {
        let mut open: BTreeSet<&str> =
            self.displays.iter().map(|display| display.sha256.as_str()).collect();
        for out in &then.shown {
            if open.is_empty() {
                break;
            }
            for sha256 in self.digests(out).await? {
                open.remove(sha256.as_str());
            }
        }
        let mut went_on = Vec::new();
        for out in &then.replaced {
            if open.is_empty() {
                break;
            }
            let mut shown = self.digests(out).await?;
            shown.retain(|sha256| open.remove(sha256.as_str()));
            if !shown.is_empty() {
                went_on.push((&**out, shown));
            }
        }
        let unexplained = self.displays.iter().filter(|one| open.contains(one.sha256.as_str()));
        let unexplained = unexplained.map(|one| format!("{} {}", one.screen, one.sha256));
        let unexplained: BTreeSet<String> = unexplained.collect();
        Ok(Played { went_on, unexplained: unexplained.into_iter().collect() })
    }

    /// Everything behind what screens went on with after it was replaced.
    pub(super) async fn went_on(&self, played: &Played<'_>) -> Result<Vec<Link>, Trouble> {
        let mut links = Vec::new();
        for (out, shown) in &played.went_on {
            let manifest = self.desk.manifest(&out.manifest).await?;
            let mut link = self.link(out, &manifest).await?;
            link.files.retain(|file| shown.contains(&file.sha256));
            link.replaced = true;
            links.push(link);
        }
        Ok(links)
    }

    /// The digests of what a branch was given of a delivery.
    async fn digests(&self, out: &Out) -> Result<BTreeSet<String>, Trouble> {
        let manifest = self.desk.manifest(&out.manifest).await?;
        Ok(self.files(out, &manifest).into_iter().map(|file| file.sha256).collect())
    }
}
