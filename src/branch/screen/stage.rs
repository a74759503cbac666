//! The branch's stage, as its screens see it.

use super::source::{Card, Confirm, PaperFile, PaperRelease, Papers, ScreenSource, Showing};
use crate::{
    branch::{Stage, confirm, receipts::Displayed},
    model::{Digest, MediaType, OutputKind, PackRelease, PackScreen},
};
use jiff::{SignedDuration, Timestamp};
use tokio::sync::watch;

impl ScreenSource for Stage {
    fn now(&self) -> Timestamp {
        Stage::now(self)
    }

    fn screens(&self) -> Vec<PackScreen> {
        Stage::screens(self)
    }

    fn card(&self) -> Card {
        let idle = self.idle();
        Card { bank: idle.bank, branch: idle.branch_name, hotline: idle.hotline }
    }

    fn playlist(&self, screen: &str) -> Option<Vec<Showing>> {
        let playlist = Stage::playlist(self, screen)?;
        let takeover = playlist.takeover;
        let showing = playlist.items.into_iter().map(|item| Showing {
            sha256: item.sha256,
            media_type: item.media_type,
            alt: item.alt,
            dwell_s: u32::try_from(item.dwell.as_secs()).unwrap_or(u32::MAX),
            remaining: SignedDuration::try_from(item.remaining).unwrap_or(SignedDuration::MAX),
            takeover,
        });
        Some(showing.collect())
    }

    fn poster(&self, sha256: &Digest) -> Option<Vec<u8>> {
        Stage::poster(self, sha256).map(|poster| poster.bytes)
    }

    fn changes(&self) -> watch::Receiver<u64> {
        self.watch()
    }

    fn displayed(&self, displayed: Displayed) {
        Stage::displayed(self, &displayed);
    }

    fn standing(&self, screen: &str, sha256: Option<Digest>) {
        Stage::standing(self, screen, sha256.as_ref());
    }
    fn papers(&self) -> Papers {
        let Some(pack) = self.shown().pack else { return Papers::default() };
        let releases = pack.releases.iter().filter_map(|release| self.paper_release(release));
        Papers {
            releases: releases.collect(),
            take_down: pack.take_down.clone(),
            confirmed: confirm::said(self.root())
                .into_iter()
                .map(|said| (said.key, said.lesson, said.what))
                .collect(),
        }
    }

    fn paper(&self, sha256: &Digest) -> Option<Vec<u8>> {
        self.objects().bytes(sha256)
    }

    fn confirm(&self, confirm: &Confirm) -> Result<(), String> {
        let Confirm { key, lesson, what, by } = confirm;
        confirm::queue(self.root(), *key, lesson.clone(), *what, by, Stage::now(self))
            .map(|_| ())
            .map_err(|error| error.to_string())
    }
}

impl Stage {
    /// The files of a release that are no posters and are here; `None` where there are none.
    fn paper_release(&self, release: &PackRelease) -> Option<PaperRelease> {
        let here = release.entries.iter().filter(|entry| {
            entry.output != OutputKind::Screen && self.objects().path(&entry.sha256).is_some()
        });
        let files: Vec<PaperFile> = here
            .map(|entry| PaperFile {
                sha256: entry.sha256,
                name: if entry.media_type == MediaType::Zip {
                    format!("{}.zip", release.campaign.replace('/', "-"))
                } else {
                    entry.name.clone()
                },
                media_type: entry.media_type,
                bytes: entry.bytes,
            })
            .collect();
        let mut titles: Vec<&str> = Vec::new();
        for entry in release.entries.iter().filter(|entry| entry.lesson.is_some()) {
            if !titles.contains(&entry.alt.as_str()) {
                titles.push(&entry.alt);
            }
        }
        let show_until = release.entries.iter().map(|entry| entry.show_until).min()?;
        (!files.is_empty()).then(|| PaperRelease {
            key: release.key,
            title: titles.join("、"),
            number: release.number.clone(),
            show_until,
            files,
        })
    }
}
