//! Campaigns: a series with editions, because names and lengths change every year.

use super::{CampaignId, LessonId, TopicId};
use jiff::civil::Date;

/// A series, one file under `campaigns/`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Campaign {
    /// The file's name.
    pub id: String,
    /// Its name.
    pub name: String,
    /// What it is.
    pub description: String,
    /// Its editions, oldest first.
    pub editions: Vec<Edition>,
}

/// One edition of a series.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edition {
    /// Series and edition.
    pub id: CampaignId,
    /// The name in that year.
    pub name: String,
    /// The slogan in that year.
    pub theme: String,
    /// First day.
    pub from: Date,
    /// Last day.
    pub until: Date,
    /// The lessons it shows; for a rotation, in this order.
    pub lessons: Vec<LessonId>,
    /// The topics it is about.
    pub topics: Vec<TopicId>,
    /// A palette that replaces the topics' own.
    pub palette: Option<String>,
    /// What is not certain about it.
    pub note: String,
}
