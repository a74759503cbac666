//! The lessons that an edition can have: those it has, and of all others so many as fit a page.

use super::view::EditionView;
use crate::model::{Audience, Lesson, LessonId, Library};
use jiff::civil::Date;

/// So many that are not picked are listed at first, and so many more each time.
const LISTED: usize = 40;

/// A lesson that can be picked.
pub(super) struct Pick {
    pub(super) id: String,
    pub(super) title: String,
    /// How its general version stands; none where it has none.
    pub(super) state: Option<State>,
    /// Its place as it was typed; empty where it is not picked.
    pub(super) order: String,
}

/// For how long a lesson may be shown, until when its facts were looked after, and for whom it is.
pub(super) struct State {
    pub(super) from: Date,
    pub(super) until: Date,
    pub(super) facts: Option<Date>,
    pub(super) audiences: Vec<&'static str>,
}

/// What the form lists of the lessons.
pub(super) struct Picks {
    /// The picked ones in their order, then others that fit what is searched for.
    pub(super) rows: Vec<Pick>,
    /// How many that fit are not listed.
    pub(super) hidden: usize,
    /// How many of the others are listed when more are asked for.
    pub(super) more: usize,
    /// Whether there is anything to search in.
    pub(super) searched: bool,
    /// Whether nothing fits that is not picked.
    pub(super) nothing: bool,
}

impl Picks {
    /// What is picked stays listed, whatever is searched for: it must not get lost.
    pub(super) fn of(library: &Library, view: &EditionView) -> Self {
        let title = |id: &LessonId| super::super::titles(library, std::slice::from_ref(id));
        let place = |lesson: &Lesson| view.lessons.iter().position(|id| id == lesson.id.as_str());
        let mut picked: Vec<(usize, &Lesson)> =
            library.lessons.iter().filter_map(|it| Some((place(it)?, it))).collect();
        picked.sort_by_key(|(place, _)| *place);
        let others: Vec<&Lesson> =
            library.lessons.iter().filter(|lesson| place(lesson).is_none()).collect();
        let fitting: Vec<&Lesson> = others
            .iter()
            .filter(|lesson| fits(library, lesson, &title(&lesson.id), &view.find))
            .copied()
            .collect();
        let listed = view.listed.max(LISTED).min(fitting.len());
        let order = |place: usize| match view.orders.get(place) {
            Some(typed) => typed.clone(),
            None => (place + 1).to_string(),
        };
        let pick = |lesson: &Lesson, order: String| Pick {
            id: lesson.id.to_string(),
            title: title(&lesson.id),
            state: state(lesson),
            order,
        };
        let rows = picked.iter().map(|(place, lesson)| pick(lesson, order(*place)));
        let more = fitting.iter().take(listed).map(|lesson| pick(lesson, String::new()));
        Self {
            rows: rows.chain(more).collect(),
            hidden: fitting.len() - listed,
            more: listed + LISTED,
            searched: others.len() > LISTED || !view.find.trim().is_empty(),
            nothing: fitting.is_empty(),
        }
    }
}

/// Whether every word stands in a lesson's title, its id or the names of its topics.
fn fits(library: &Library, lesson: &Lesson, title: &str, words: &str) -> bool {
    let topics = lesson.variants.values().flat_map(|variant| &variant.topics);
    let topics = topics.filter_map(|topic| library.topic(topic));
    let topics: Vec<&str> = topics.map(|topic| topic.name.as_str()).collect();
    let own = format!("{title} {} {}", lesson.id, topics.join(" ")).to_lowercase();
    let mut words = words.split_whitespace().map(str::to_lowercase);
    words.all(|word| own.contains(&word))
}

fn state(lesson: &Lesson) -> Option<State> {
    let general = lesson.variants.get(&Audience::General)?;
    Some(State {
        from: general.valid_from,
        until: general.valid_until,
        facts: general.facts_review_by,
        audiences: lesson.variants.keys().map(|one| one.label()).collect(),
    })
}
