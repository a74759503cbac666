//! What pages saw painted: checked, taken once, handed on.

use super::{
    source::ScreenSource,
    wire::{PageReport, Span},
};
use crate::{branch::receipts::Displayed, model::Digest};
use jiff::Timestamp;
use std::{
    collections::{HashMap, VecDeque},
    sync::{Mutex, PoisonError},
};

/// Pages whose last number is remembered. A screen has one page; others come from reloading.
const PAGES: usize = 256;
/// Posters that a screen was given lately: several packs of the largest size.
const GIVEN: usize = 512;
/// A page cannot know the future; its clock was set by ours and may have drifted a little.
const DRIFT_MS: i64 = 5_000;
/// A page that lost its server tells of more than a day, but not of more than this.
const LONGEST_MS: i64 = 31 * 24 * 3600 * 1000;
/// Longest name that a page gives itself.
const PAGE_NAME: usize = 64;

/// What was given to screens and what came back.
#[derive(Debug, Default)]
pub(super) struct Reports {
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    /// By screen, oldest first.
    given: HashMap<String, VecDeque<Digest>>,
    /// Page and last number, oldest first.
    pages: VecDeque<(String, u64)>,
}

/// Why a report is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum ReportFault {
    /// The screen is none of the branch's.
    #[error("没有这块屏")]
    Screen,
    /// Times that cannot be.
    #[error("报的起止时间不可能")]
    Times,
    /// A page without a usable name.
    #[error("页面没有报上自己的编号")]
    Page,
}

impl Reports {
    /// Remembers what a screen was given to show.
    pub(super) fn give(&self, screen: &str, posters: impl IntoIterator<Item = Digest>) {
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        let given = inner.given.entry(screen.to_owned()).or_default();
        for poster in posters {
            if !given.contains(&poster) {
                given.push_back(poster);
            }
        }
        while given.len() > GIVEN {
            given.pop_front();
        }
    }

    /// Takes a report; one that came before is taken as said. A poster that the screen was never
    /// given is left out: it was not ours, or it was given by a server before this one.
    pub(super) fn take(
        &self,
        source: &dyn ScreenSource,
        report: &PageReport,
    ) -> Result<(), ReportFault> {
        if report.page.is_empty() || report.page.len() > PAGE_NAME {
            return Err(ReportFault::Page);
        }
        if source.playlist(&report.screen).is_none() {
            return Err(ReportFault::Screen);
        }
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        let given = inner.given.get(&report.screen);
        let known = |hex: &str| {
            Digest::from_hex(hex).filter(|digest| given.is_some_and(|all| all.contains(digest)))
        };
        let standing = report.standing.as_deref().and_then(known);
        let now_ms = source.now().as_millisecond();
        let mut taken = Vec::new();
        for span in &report.spans {
            match known(&span.sha256) {
                Some(sha256) => taken.push(displayed(&report.screen, sha256, span, now_ms)?),
                None => tracing::warn!(
                    screen = report.screen,
                    sha256 = span.sha256,
                    "屏幕页面报了没有发给它的海报，没有收"
                ),
            }
        }
        if inner.is_new(&report.page, report.number) {
            taken.into_iter().for_each(|displayed| source.displayed(displayed));
            source.standing(&report.screen, standing);
        }
        Ok(())
    }
}

impl Inner {
    fn is_new(&mut self, page: &str, number: u64) -> bool {
        if let Some((_, last)) = self.pages.iter_mut().find(|(known, _)| known == page) {
            let new = number > *last;
            *last = number.max(*last);
            return new;
        }
        if self.pages.len() == PAGES {
            self.pages.pop_front();
        }
        self.pages.push_back((page.to_owned(), number));
        true
    }
}

fn displayed(
    screen: &str,
    sha256: Digest,
    span: &Span,
    now_ms: i64,
) -> Result<Displayed, ReportFault> {
    let length = span.until_ms.checked_sub(span.from_ms).ok_or(ReportFault::Times)?;
    let future = span.until_ms > now_ms.saturating_add(DRIFT_MS);
    let shown_ms = i64::try_from(span.shown_ms).map_err(|_| ReportFault::Times)?;
    if !(0..=LONGEST_MS).contains(&length) || future || shown_ms > length + 1 {
        return Err(ReportFault::Times);
    }
    let moment = |ms| Timestamp::from_millisecond(ms).map_err(|_| ReportFault::Times);
    Ok(Displayed {
        screen: screen.to_owned(),
        sha256,
        from: moment(span.from_ms)?,
        until: moment(span.until_ms)?,
        count: span.count,
        seconds: u32::try_from((shown_ms + 500) / 1000).unwrap_or(u32::MAX),
    })
}
