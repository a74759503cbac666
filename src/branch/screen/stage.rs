//! The branch's stage, as its screens see it.

use super::source::{Card, ScreenSource, Showing};
use crate::{
    branch::{Stage, receipts::Displayed},
    model::{Digest, PackScreen},
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
}
