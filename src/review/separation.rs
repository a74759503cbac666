//! Education and marketing never mix: a campaign carries one or the other.

use crate::model::{LessonId, LessonKind};
use std::collections::BTreeSet;

/// A campaign that mixes them.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "教育宣传和营销不能放在一次活动里：{} 是营销，{} 不是；把营销的课件移到另一个活动",
    listed(.marketing),
    listed(.others)
)]
pub struct Mixed {
    /// The marketing lessons, sorted.
    pub marketing: Vec<LessonId>,
    /// The others, sorted.
    pub others: Vec<LessonId>,
}

fn listed(lessons: &[LessonId]) -> String {
    lessons.iter().map(LessonId::as_str).collect::<Vec<_>>().join("、")
}

/// Checks the kinds of everything that goes out together: of a campaign's lessons at `submit`, and
/// of a manifest's revisions again when a slot fires.
///
/// # Errors
/// [`Mixed`] names both sides. A lesson whose variants differ stands on both.
pub fn separation<'a>(
    kinds: impl IntoIterator<Item = (&'a LessonId, LessonKind)>,
) -> Result<(), Mixed> {
    let (mut marketing, mut others) = (BTreeSet::new(), BTreeSet::new());
    for (lesson, kind) in kinds {
        match kind {
            LessonKind::Marketing => marketing.insert(lesson.clone()),
            LessonKind::Education | LessonKind::Notice | LessonKind::Training => {
                others.insert(lesson.clone())
            }
        };
    }
    if marketing.is_empty() || others.is_empty() {
        return Ok(());
    }
    Err(Mixed { marketing: marketing.into_iter().collect(), others: others.into_iter().collect() })
}
