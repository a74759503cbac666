//! How planned, scheduled and done are told apart: by word and by shape.

use crate::{
    model::DeliveryState,
    review::Standing,
    schedule::Verdict,
    store::{Occurrence, OccurrenceState},
    work::{
        clock::shanghai,
        slots::{ComingSlot, Readiness},
    },
};

/// A word, a shape and a tone, and what is to be said besides.
#[derive(Debug, Clone)]
pub(in super::super) struct Mark {
    /// The shape.
    pub(in super::super) shape: &'static str,
    /// The class of the tag.
    pub(in super::super) tone: &'static str,
    /// The word: Chinese, English.
    pub(in super::super) label: (&'static str, &'static str),
    /// What is said besides, in Chinese.
    pub(in super::super) detail: String,
    /// Its name for programs.
    pub(in super::super) name: &'static str,
}

fn make(
    (name, shape, tone): (&'static str, &'static str, &'static str),
    label: (&'static str, &'static str),
    detail: impl Into<String>,
) -> Mark {
    Mark { shape, tone, label, detail: detail.into(), name }
}

/// The mark of a slot that is to come.
pub(in super::super) fn mark(slot: &ComingSlot) -> Mark {
    match &slot.verdict {
        Verdict::Skip(reason) => {
            return make(("refused", "⊘", ""), ("不发", "Not sent"), reason);
        }
        Verdict::Hold(reason) => {
            return make(("will-hold", "！", "alarm"), ("到时等人", "Will wait"), reason);
        }
        Verdict::Fire => {}
    }
    let (standing, changed) = match &slot.readiness {
        Readiness::NotSubmitted => {
            let label = ("计划", "Planned");
            return make(("planned", "○", ""), label, "还没有送审，到点不会发");
        }
        Readiness::Faulty(faults) => {
            let label = ("排不成", "Faulty");
            return make(("faulty", "✕", "alarm"), label, faults.join("；"));
        }
        Readiness::Submitted { standing, changed, .. } => (standing, *changed),
    };
    if changed {
        let label = ("送审后有改动", "Changed");
        let detail = "现在的内容和送审时不一样，到点可能发不出：改回来，或重新送审";
        return make(("changed", "△", "alarm"), label, detail);
    }
    let said = standing.to_string();
    match standing {
        Standing::Approved { until } if *until < slot.due => {
            let label = ("到时过期", "Expires before");
            make(("expires", "◇", "wait"), label, format!("{said}，比这一次早：要重新签"))
        }
        Standing::Approved { .. } => {
            make(("scheduled", "◉", "good"), ("已排定", "Scheduled"), said)
        }
        Standing::Missing(_) => make(("submitted", "◔", "wait"), ("等签字", "Unsigned"), said),
        Standing::Rejected { .. } => make(("returned", "✕", "alarm"), ("被退回", "Returned"), said),
        Standing::Expired { .. } => {
            make(("expired", "◇", "alarm"), ("签字到期", "Approval expired"), said)
        }
    }
}

/// The mark of a slot that was decided, with how many deliveries are in which state.
pub(in super::super) fn mark_done(
    occurrence: &Occurrence,
    counts: &[(DeliveryState, u64)],
) -> Mark {
    let sums: Vec<String> =
        counts.iter().map(|(state, count)| format!("{} {count}", state.label())).collect();
    let mut detail = sums.join("，");
    if !occurrence.reason.is_empty() {
        let comma = if detail.is_empty() { "" } else { "；" };
        detail = format!("{detail}{comma}{}", occurrence.reason);
    }
    let any = |wanted: &[DeliveryState]| counts.iter().any(|(state, _)| wanted.contains(state));
    match occurrence.state {
        OccurrenceState::Held => make(("held", "！", "alarm"), ("等人决定", "Held"), detail),
        OccurrenceState::Blocked => {
            make(("blocked", "！", "alarm"), ("没有发全", "Blocked"), detail)
        }
        OccurrenceState::Skipped => make(("skipped", "⊘", ""), ("已跳过", "Skipped"), detail),
        OccurrenceState::Fired => {
            use DeliveryState::{Confirmed, Dead, Expired, NeedsHuman, Recalled, Unknown};
            if any(&[Unknown, NeedsHuman, Dead]) {
                make(("trouble", "！", "alarm"), ("要人处理", "Needs a person"), detail)
            } else if counts.iter().any(|(state, _)| !state.is_terminal()) {
                make(("under-way", "◑", ""), ("正在发", "Under way"), detail)
            } else if any(&[Expired]) && !any(&[Confirmed]) {
                make(("lapsed", "⌛", "wait"), ("没发就过期", "Lapsed"), detail)
            } else if any(&[Recalled]) && !any(&[Confirmed]) {
                make(("recalled", "↩", "wait"), ("已撤回", "Recalled"), detail)
            } else {
                make(("done", "✓", "good"), ("已发完", "Done"), detail)
            }
        }
    }
}

/// That a slot was moved, for people.
pub(super) fn moved(slot: &ComingSlot) -> Option<String> {
    let moved = slot.moved.as_ref()?;
    let from = shanghai(moved.slot).strftime("%m-%d %H:%M").to_string();
    Some(format!("{} 从 {from} 改到这里：{}", moved.by, moved.reason))
}
