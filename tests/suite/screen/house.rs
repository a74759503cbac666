//! A branch with screens for the tests: what plays is said by the test, and its server can be
//! killed.

use super::pictures::Poster;
use caishi::{
    branch::{
        receipts::Displayed,
        screen::{Card, Faces, ScreenSource, Showing, serve},
    },
    model::{Digest, MediaType, PackScreen},
    render::fonts,
};
use jiff::{SignedDuration, Timestamp};
use std::{
    collections::BTreeMap,
    net::Ipv4Addr,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};
use tokio::{net::TcpListener, runtime::Runtime, sync::watch};
use tokio_util::sync::CancellationToken;

/// A branch.
pub struct House {
    inner: Mutex<Inner>,
    changes: watch::Sender<u64>,
    started: Instant,
}

#[derive(Default)]
struct Inner {
    card: Card,
    screens: Vec<PackScreen>,
    lists: BTreeMap<String, Vec<Listed>>,
    bytes: BTreeMap<Digest, Vec<u8>>,
    displayed: Vec<Displayed>,
    standing: Vec<(String, Option<Digest>)>,
}

#[derive(Clone)]
struct Listed {
    sha256: Digest,
    dwell_s: u32,
    until: Timestamp,
    takeover: bool,
}

/// 2026-11-27 09:30 in Chongqing.
const MORNING: i64 = 1_795_743_000_000;

impl House {
    pub fn new(screens: &[(&str, u32, u32)]) -> Arc<Self> {
        let screens = screens.iter().map(|(name, width, height)| PackScreen {
            screen: (*name).to_owned(),
            profile: format!("{width}x{height}"),
            width: *width,
            height: *height,
            dwell_s: 10,
        });
        let card = Card {
            bank: "山城示范银行".to_owned(),
            branch: "青石坡支行".to_owned(),
            hotline: "95XXX".to_owned(),
        };
        let inner = Inner { card, screens: screens.collect(), ..Inner::default() };
        let changes = watch::Sender::new(0);
        Arc::new(Self { inner: Mutex::new(inner), changes, started: Instant::now() })
    }

    /// Says what a screen plays: each poster with its dwell time and how long it may still stand.
    pub fn play(&self, screen: &str, posters: &[(&Poster, u32, Duration)]) {
        self.set(screen, posters, false);
    }

    /// Takes a screen over.
    pub fn take_over(&self, screen: &str, poster: &Poster) {
        self.set(screen, &[(poster, 10, Duration::from_hours(1))], true);
    }

    fn set(&self, screen: &str, posters: &[(&Poster, u32, Duration)], takeover: bool) {
        let now = self.now();
        let mut inner = self.inner.lock().unwrap();
        for (poster, ..) in posters {
            inner.bytes.insert(poster.sha256, poster.png.clone());
        }
        let listed = posters.iter().map(|(poster, dwell_s, left)| Listed {
            sha256: poster.sha256,
            dwell_s: *dwell_s,
            until: now + SignedDuration::try_from(*left).unwrap(),
            takeover,
        });
        inner.lists.insert(screen.to_owned(), listed.collect());
        drop(inner);
        self.changes.send_modify(|version| *version += 1);
    }

    /// Changes the words of the card.
    pub fn set_card(&self, bank: &str, branch: &str, hotline: &str) {
        let card = Card { bank: bank.into(), branch: branch.into(), hotline: hotline.into() };
        self.inner.lock().unwrap().card = card;
        self.changes.send_modify(|version| *version += 1);
    }

    /// Spoils the bytes of a poster.
    pub fn rot(&self, poster: &Poster) {
        let mut inner = self.inner.lock().unwrap();
        let bytes = inner.bytes.get_mut(&poster.sha256).unwrap();
        let last = bytes.len() - 1;
        bytes[last] ^= 1;
    }

    pub fn displayed(&self) -> Vec<Displayed> {
        self.inner.lock().unwrap().displayed.clone()
    }

    pub fn standing(&self) -> Vec<(String, Option<Digest>)> {
        self.inner.lock().unwrap().standing.clone()
    }
}

impl ScreenSource for House {
    fn now(&self) -> Timestamp {
        let passed = i64::try_from(self.started.elapsed().as_millis()).unwrap();
        Timestamp::from_millisecond(MORNING + passed).unwrap()
    }

    fn screens(&self) -> Vec<PackScreen> {
        self.inner.lock().unwrap().screens.clone()
    }

    fn card(&self) -> Card {
        self.inner.lock().unwrap().card.clone()
    }

    fn playlist(&self, screen: &str) -> Option<Vec<Showing>> {
        let now = self.now();
        let inner = self.inner.lock().unwrap();
        inner.screens.iter().find(|known| known.screen == screen)?;
        let listed = inner.lists.get(screen).cloned().unwrap_or_default().into_iter();
        let shown = listed.filter(|listed| now < listed.until).map(|listed| Showing {
            sha256: listed.sha256,
            media_type: MediaType::Png,
            alt: format!("海报 {}", &listed.sha256.to_string()[..6]),
            dwell_s: listed.dwell_s,
            remaining: now.duration_until(listed.until),
            takeover: listed.takeover,
        });
        Some(shown.collect())
    }

    fn poster(&self, sha256: &Digest) -> Option<Vec<u8>> {
        self.inner.lock().unwrap().bytes.get(sha256).cloned()
    }

    fn changes(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }

    fn displayed(&self, displayed: Displayed) {
        self.inner.lock().unwrap().displayed.push(displayed);
    }

    fn standing(&self, screen: &str, sha256: Option<Digest>) {
        self.inner.lock().unwrap().standing.push((screen.to_owned(), sha256));
    }
}

/// A house's server, in a runtime of its own so that it can be killed with all its connections.
pub struct Serving {
    runtime: Option<Runtime>,
    pub port: u16,
}

impl Serving {
    pub fn start(house: &Arc<House>) -> Self {
        Self::start_at(house, 0)
    }

    pub fn start_at(house: &Arc<House>, port: u16) -> Self {
        let runtime = Runtime::new().unwrap();
        let listener = runtime.block_on(TcpListener::bind((Ipv4Addr::LOCALHOST, port))).unwrap();
        let port = listener.local_addr().unwrap().port();
        let source: Arc<dyn ScreenSource> = Arc::clone(house) as _;
        let [regular, bold] = fonts::EMBEDDED;
        let faces = Faces { regular, bold };
        runtime.spawn(serve(listener, source, faces, CancellationToken::new()));
        Self { runtime: Some(runtime), port }
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    /// Ends it as a power cut would: nothing is said to anybody.
    pub fn kill(mut self) {
        self.runtime.take().unwrap().shutdown_timeout(Duration::from_secs(5));
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}
