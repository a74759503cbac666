//! A head office for the tests.

use async_trait::async_trait;
use axum::body::Bytes;
use caishi::{
    model::{
        Audience, BranchId, Daypart, Digest, MediaType, OutputKind, PackEntry, PackIndex,
        PackRelease, PackScreen,
    },
    web::xmds::{Display, News, Registration, Standing, XmdsBackend},
};
use jiff::Timestamp;
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

pub const KEY: &str = "server-key";
pub const PLAYER: &str = "player-1";

/// Friday, half past nine in the morning.
pub fn now() -> Timestamp {
    at("2026-11-27T09:30:00+08:00")
}

pub fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

pub struct Office {
    pub index: Mutex<PackIndex>,
    pub files: BTreeMap<Digest, Bytes>,
    pub card: Option<Bytes>,
    pub news: Mutex<Vec<(Display, News)>>,
}

#[async_trait]
impl XmdsBackend for Office {
    async fn now(&self) -> anyhow::Result<Timestamp> {
        Ok(now())
    }

    async fn register(&self, registration: &Registration) -> anyhow::Result<Standing> {
        self.standing(&registration.server_key, &registration.hardware_key).await
    }

    async fn standing(&self, server_key: &str, hardware_key: &str) -> anyhow::Result<Standing> {
        Ok(match (server_key, hardware_key) {
            (KEY, PLAYER) => Standing::Ready(display()),
            (KEY, _) => Standing::Waiting,
            _ => Standing::WrongKey,
        })
    }

    async fn indexes(&self, _branch: &BranchId) -> anyhow::Result<Vec<PackIndex>> {
        Ok(vec![self.index.lock().unwrap().clone()])
    }

    async fn bytes(&self, sha256: &Digest) -> anyhow::Result<Option<Bytes>> {
        Ok(self.files.get(sha256).cloned())
    }

    async fn card(&self, _: &Display, _: u32, _: u32) -> anyhow::Result<Option<Bytes>> {
        Ok(self.card.clone())
    }

    async fn record(&self, display: &Display, news: News) -> anyhow::Result<()> {
        self.news.lock().unwrap().push((display.clone(), news));
        Ok(())
    }
}

pub fn display() -> Display {
    Display { branch: BranchId::new("b001").unwrap(), screen: "s1".to_owned() }
}

/// An office whose branch has one screen, with releases of these posters.
pub fn office(releases: Vec<PackRelease>, posters: &[Bytes], card: Option<Bytes>) -> Arc<Office> {
    let files = posters.iter().map(|bytes| (Digest::of(bytes), bytes.clone())).collect();
    let index = Mutex::new(index(releases));
    Arc::new(Office { index, files, card, news: Mutex::default() })
}

pub fn index(releases: Vec<PackRelease>) -> PackIndex {
    PackIndex {
        branch: BranchId::new("b001").unwrap(),
        branch_name: "青石坡支行".to_owned(),
        bank: "山城示范银行".to_owned(),
        hotline: "95XXX".to_owned(),
        screens: vec![PackScreen {
            screen: "s1".to_owned(),
            profile: "portrait-fhd".to_owned(),
            width: 1080,
            height: 1920,
            dwell_s: 15,
        }],
        releases,
        take_down: Vec::new(),
    }
}

pub fn release(name: &str, activate_at: &str, entries: Vec<PackEntry>) -> PackRelease {
    PackRelease {
        key: Digest::of(name.as_bytes()),
        series: name.split('/').next().unwrap().to_owned(),
        campaign: name.to_owned(),
        number: "渝2026-1".to_owned(),
        activate_at: at(activate_at),
        takeover: false,
        entries,
    }
}

pub fn entry(bytes: &[u8], from: &str, until: &str) -> PackEntry {
    PackEntry {
        name: "a.png".to_owned(),
        sha256: Digest::of(bytes),
        bytes: bytes.len() as u64,
        media_type: MediaType::Png,
        output: OutputKind::Screen,
        lesson: None,
        audience: Audience::General,
        profile: Some("portrait-fhd".to_owned()),
        tags: Vec::new(),
        show_from: at(from),
        show_until: at(until),
        daypart: Daypart::default(),
        alt: "先挂断 & 再核实".to_owned(),
    }
}

/// Bytes that are longer than one piece.
pub fn poster(seed: u8) -> Bytes {
    (0..120_000_u32).map(|n| (n.wrapping_mul(31) >> 3) as u8 ^ seed).collect::<Vec<u8>>().into()
}
