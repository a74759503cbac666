//! One behaviour suite that every channel passes; cases it cannot do are skipped by capability.
//!
//! A channel's own test file makes a [`Fixture`], which knows the far side, and calls [`run`].

pub mod books;
mod parcels;

pub use parcels::{parcel, sample_file, shanghai};

use async_trait::async_trait;
use books::{MemoryBooks, until_cut_off};
use caishi::{
    deliver::{
        Channel, Commit, Confirmation, Deduplication, DeliverError, ErrorKind, Parcel, Prepared,
        Probe, RecallAbility, Retry,
    },
    model::Receipt,
};
use jiff::SignedDuration;
use std::{collections::BTreeMap, error::Error, sync::Arc};

/// When the network is to fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cut {
    /// Before the far side has seen the irreversible call.
    Before,
    /// After the far side has done it, and before its answer arrives.
    After,
}

/// A channel and its far side, as the suite needs to know them.
#[async_trait]
pub trait Fixture: Send + Sync {
    /// The channel.
    fn channel(&self) -> Arc<dyn Channel>;

    /// Books of a new delivery, at a moment that the far side accepts.
    fn books(&self) -> MemoryBooks;

    /// A parcel that the channel takes; different numbers are different deliveries of different
    /// campaigns.
    fn parcel(&self, books: &MemoryBooks, number: u32) -> Parcel;

    /// Parcels that the far side would refuse, and what about.
    fn refused(&self, books: &MemoryBooks) -> Vec<(&'static str, Parcel)>;

    /// How often the far side shows the parcel, by its own account.
    async fn shown(&self, parcel: &Parcel) -> usize;

    /// How often the far side was made to do what costs: uploads, drafts.
    async fn costs(&self, books: &MemoryBooks) -> usize;

    /// Cuts the next irreversible call; `false` where the far side has no connection to cut.
    async fn cut_next(&self, cut: Cut) -> bool;

    /// Lets the far side finish what it does asynchronously.
    async fn settle(&self, _books: &MemoryBooks) {}

    /// Secrets of the configuration, which must show nowhere.
    fn canaries(&self) -> Vec<String>;
}

/// How a delivery ended, as `work` would record it.
#[derive(Debug)]
enum End {
    Out(Receipt),
    Unknown(String),
}

struct Suite<'f> {
    fixture: &'f dyn Fixture,
    channel: Arc<dyn Channel>,
    number: u32,
    /// Everything that was said, to look for secrets in.
    said: Vec<String>,
}

/// Runs every case that the channel can do.
pub async fn run(fixture: &dyn Fixture) {
    let channel = fixture.channel();
    let mut suite = Suite { fixture, channel, number: 0, said: Vec::new() };
    suite.the_same_delivery_twice_is_there_once().await;
    suite.preparing_again_costs_nothing().await;
    suite.cut_off_at_any_point_and_resumed_it_is_there_once().await;
    suite.a_cut_before_the_effect_leaves_nothing().await;
    suite.a_cut_after_the_effect_is_not_repeated().await;
    suite.what_was_never_sent_is_not_reported_as_published().await;
    suite.recalled_twice_it_is_gone_once().await;
    suite.what_the_far_side_refuses_is_refused_before();
    suite.broken_books_stop_before_anything_is_out().await;
    suite.a_worker_that_was_replaced_sends_nothing().await;
    suite.no_secret_shows().await;
}

impl Suite<'_> {
    fn next(&mut self) -> (Parcel, MemoryBooks) {
        self.number += 1;
        let books = self.fixture.books().of_delivery(&format!("d-{}", self.number));
        (self.fixture.parcel(&books, self.number), books)
    }

    /// An error is in Chinese, says what to do, and is kept to look for secrets in.
    #[track_caller]
    fn hear(&mut self, error: &DeliverError) {
        let chinese = |text: &str| text.chars().any(|c| ('\u{4e00}'..='\u{9fff}').contains(&c));
        assert!(chinese(&error.message), "a message in Chinese: {error:?}");
        assert!(chinese(&error.next_step), "a next step in Chinese: {error:?}");
        self.said.push(format!("{error:?} {error}"));
        let mut cause = error.source();
        while let Some(current) = cause {
            self.said.push(format!("{current:?} {current}"));
            cause = current.source();
        }
    }

    /// Waits for the last word of what was accepted.
    async fn confirmed(&mut self, parcel: &Parcel, remote_ref: &str, books: &MemoryBooks) -> End {
        for _ in 0..20 {
            self.fixture.settle(books).await;
            match self.channel.confirm(parcel, remote_ref, books).await {
                Ok(Confirmation::Published(receipt)) => return End::Out(receipt),
                Ok(Confirmation::Failed { code, reason }) => panic!("failed: {code} {reason}"),
                Ok(Confirmation::Pending(wait)) => {
                    books.advance(SignedDuration::try_from(wait).unwrap());
                }
                Err(error) => {
                    self.hear(&error);
                    books.advance(SignedDuration::from_mins(1));
                }
            }
        }
        panic!("no last word after twenty questions")
    }

    /// What `work` does with a commit whose end nobody saw.
    async fn resolve(&mut self, parcel: &Parcel, prepared: &Prepared, books: &MemoryBooks) -> End {
        for _ in 0..5 {
            let channel = Arc::clone(&self.channel);
            match channel.probe(parcel, prepared, books).await {
                Ok(Probe::Published(receipt)) => return End::Out(receipt),
                Ok(Probe::Accepted { remote_ref }) => {
                    return self.confirmed(parcel, &remote_ref, books).await;
                }
                Ok(Probe::Unknown(reason)) => return End::Unknown(reason),
                Ok(Probe::NotPublished) => match channel.commit(parcel, prepared, books).await {
                    Ok(commit) => return self.end_of(parcel, commit, books).await,
                    Err(error) => self.hear(&error),
                },
                Err(error) => self.hear(&error),
            }
            books.advance(SignedDuration::from_mins(2));
        }
        panic!("still unresolved after five attempts")
    }

    async fn end_of(&mut self, parcel: &Parcel, commit: Commit, books: &MemoryBooks) -> End {
        match commit {
            Commit::Done(receipt) => End::Out(receipt),
            Commit::Accepted { remote_ref } => self.confirmed(parcel, &remote_ref, books).await,
        }
    }

    async fn deliver(&mut self, parcel: &Parcel, books: &MemoryBooks) -> (Prepared, Receipt) {
        assert_eq!(self.channel.preflight(parcel), Vec::<String>::new());
        let prepared = self.channel.prepare(parcel, books).await.unwrap();
        let commit = self.channel.commit(parcel, &prepared, books).await.unwrap();
        match self.end_of(parcel, commit, books).await {
            End::Out(receipt) => {
                self.said.push(format!("{prepared:?} {receipt:?}"));
                (prepared, receipt)
            }
            End::Unknown(reason) => panic!("unknown without a fault: {reason}"),
        }
    }

    async fn the_same_delivery_twice_is_there_once(&mut self) {
        let (parcel, books) = self.next();
        assert_eq!(self.fixture.shown(&parcel).await, 0, "not there yet");
        let (prepared, _) = self.deliver(&parcel, &books).await;
        assert_eq!(self.fixture.shown(&parcel).await, 1, "there once");
        if self.channel.capability().deduplication == Deduplication::None {
            return;
        }
        match self.channel.commit(&parcel, &prepared, &books).await {
            Ok(commit) => {
                self.end_of(&parcel, commit, &books).await;
            }
            Err(error) => self.hear(&error),
        }
        self.fixture.settle(&books).await;
        assert_eq!(self.fixture.shown(&parcel).await, 1, "there once after two commits");
    }

    async fn preparing_again_costs_nothing(&mut self) {
        let (parcel, books) = self.next();
        let first = self.channel.prepare(&parcel, &books).await.unwrap();
        let costs = self.fixture.costs(&books).await;
        let again = self.channel.prepare(&parcel, &books).await.unwrap();
        assert_eq!(again.reference, first.reference, "the same draft");
        assert_eq!(self.fixture.costs(&books).await, costs, "nothing is uploaded twice");
    }

    /// The labelled points of a whole delivery, and how often each is passed.
    async fn points(&mut self) -> BTreeMap<&'static str, usize> {
        let (parcel, books) = self.next();
        let before = books.points().len();
        self.deliver(&parcel, &books).await;
        let mut points = BTreeMap::new();
        for point in books.points().split_off(before) {
            *points.entry(point).or_default() += 1;
        }
        assert!(!points.is_empty(), "the channel labels its points");
        points
    }

    async fn cut_off_at_any_point_and_resumed_it_is_there_once(&mut self) {
        for (point, times) in self.points().await {
            for nth in [1, times.div_ceil(2)] {
                self.cut_off_at(point, nth).await;
            }
        }
    }

    /// Prepares, waiting as long as it is told: for the lease of a process that died.
    async fn prepared(&mut self, parcel: &Parcel, books: &MemoryBooks) -> Prepared {
        for _ in 0..20 {
            match self.channel.prepare(parcel, books).await {
                Ok(prepared) => return prepared,
                Err(error) => {
                    self.hear(&error);
                    let Retry::After(pause) = error.retry else { panic!("{error:?}") };
                    books.advance(SignedDuration::try_from(pause).unwrap());
                }
            }
        }
        panic!("told to wait twenty times")
    }

    async fn cut_off_at(&mut self, point: &'static str, nth: usize) {
        let (parcel, books) = self.next();
        let channel = Arc::clone(&self.channel);
        books.cut_at(point, nth);
        let prepared = match until_cut_off(channel.prepare(&parcel, &books)).await {
            Ok(prepared) => prepared.unwrap(),
            // A new process prepares again.
            Err(_) => self.prepared(&parcel, &books).await,
        };
        let end = match until_cut_off(channel.commit(&parcel, &prepared, &books)).await {
            Ok(commit) => self.end_of(&parcel, commit.unwrap(), &books).await,
            // A new process finds `sending` without an end.
            Err(_) => self.resolve(&parcel, &prepared, &books).await,
        };
        self.fixture.settle(&books).await;
        let shown = self.fixture.shown(&parcel).await;
        match end {
            End::Out(_) => assert_eq!(shown, 1, "cut off at {point}, {nth}"),
            End::Unknown(reason) => {
                assert!(!reason.is_empty() && shown <= 1, "cut off at {point}, {nth}: {reason}");
            }
        }
    }

    async fn a_cut_before_the_effect_leaves_nothing(&mut self) {
        let (parcel, books) = self.next();
        let prepared = self.channel.prepare(&parcel, &books).await.unwrap();
        if !self.fixture.cut_next(Cut::Before).await {
            return;
        }
        let error = self.channel.commit(&parcel, &prepared, &books).await.unwrap_err();
        self.hear(&error);
        assert_eq!(self.fixture.shown(&parcel).await, 0, "nothing is there");
        assert!(
            matches!(error.retry, Retry::Ask | Retry::After(_)),
            "a cut connection is worth another look: {error:?}"
        );
        match self.resolve(&parcel, &prepared, &books).await {
            End::Out(_) => assert_eq!(self.fixture.shown(&parcel).await, 1, "there once"),
            End::Unknown(_) => assert_eq!(self.fixture.shown(&parcel).await, 0, "not sent again"),
        }
    }

    async fn a_cut_after_the_effect_is_not_repeated(&mut self) {
        let (parcel, books) = self.next();
        let prepared = self.channel.prepare(&parcel, &books).await.unwrap();
        if !self.fixture.cut_next(Cut::After).await {
            return;
        }
        let error = self.channel.commit(&parcel, &prepared, &books).await.unwrap_err();
        self.hear(&error);
        assert_eq!(error.retry, Retry::Ask, "nobody saw the end: {error:?}");
        self.resolve(&parcel, &prepared, &books).await;
        self.fixture.settle(&books).await;
        assert_eq!(self.fixture.shown(&parcel).await, 1, "there once, whatever was seen of it");
    }

    async fn what_was_never_sent_is_not_reported_as_published(&mut self) {
        let (parcel, books) = self.next();
        let prepared = self.channel.prepare(&parcel, &books).await.unwrap();
        let probe = self.channel.probe(&parcel, &prepared, &books).await.unwrap();
        assert!(matches!(probe, Probe::NotPublished | Probe::Unknown(_)), "{probe:?}");
    }

    async fn recalled_twice_it_is_gone_once(&mut self) {
        let (parcel, books) = self.next();
        let (_, receipt) = self.deliver(&parcel, &books).await;
        let ability = self.channel.capability().recall;
        for _ in 0..2 {
            let recalled = self.channel.recall(&parcel, &receipt, &books).await.unwrap();
            assert!(!recalled.detail.is_empty(), "what was taken down is said");
            assert_eq!(recalled.complete, !matches!(ability, RecallAbility::None(_)));
        }
        let expected = usize::from(matches!(ability, RecallAbility::None(_)));
        assert_eq!(self.fixture.shown(&parcel).await, expected, "{ability:?}");
    }

    fn what_the_far_side_refuses_is_refused_before(&mut self) {
        let (_, books) = self.next();
        let refused = self.fixture.refused(&books);
        assert!(!refused.is_empty(), "every far side refuses something");
        for (what, parcel) in refused {
            let faults = self.channel.preflight(&parcel);
            assert!(!faults.is_empty(), "{what} is let through");
            self.said.extend(faults);
        }
    }

    async fn broken_books_stop_before_anything_is_out(&mut self) {
        let (parcel, books) = self.next();
        let prepared = self.channel.prepare(&parcel, &books).await.unwrap();
        books.break_storage(true);
        let error = self.channel.commit(&parcel, &prepared, &books).await.unwrap_err();
        books.break_storage(false);
        self.hear(&error);
        assert_eq!(error.kind, ErrorKind::Storage);
        assert!(matches!(error.retry, Retry::After(_)), "{error:?}");
        assert_eq!(self.fixture.shown(&parcel).await, 0, "nothing is out");
    }

    async fn a_worker_that_was_replaced_sends_nothing(&mut self) {
        let (parcel, books) = self.next();
        let prepared = self.channel.prepare(&parcel, &books).await.unwrap();
        books.fence(true);
        let error = self.channel.commit(&parcel, &prepared, &books).await.unwrap_err();
        books.fence(false);
        self.hear(&error);
        assert_eq!((error.kind, error.retry), (ErrorKind::Fenced, Retry::Never));
        assert_eq!(self.fixture.shown(&parcel).await, 0, "nothing is out");
    }

    async fn no_secret_shows(&mut self) {
        let (_, books) = self.next();
        let findings = self.channel.check(&books).await;
        assert!(findings.iter().all(|finding| finding.ok), "{findings:?}");
        self.said.push(format!("{:?} {findings:?} {}", self.channel, books.dump()));
        self.said.push(format!("{:?}", self.channel.targets()));
        let canaries = self.fixture.canaries();
        for text in &self.said {
            for canary in &canaries {
                assert!(!text.contains(canary.as_str()), "a secret shows in {text}");
            }
        }
    }
}
