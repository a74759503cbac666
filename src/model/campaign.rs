//! Campaigns: a series with editions, because names and lengths change every year.

use super::{Audience, Branch, BranchId, CampaignId, ChannelId, LessonId, ScheduleEntry, TopicId};
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
    /// Where it goes, and for whom.
    pub reach: Reach,
    /// When its lessons go out, as far as its own file says; `channels.toml` may name others.
    pub schedules: Vec<ScheduleEntry>,
}

/// Where an edition goes and for whom; what is empty narrows nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reach {
    /// Only these channels, of those that would carry it.
    pub channels: Vec<ChannelId>,
    /// Only these audiences, of those that a channel carries.
    pub audiences: Vec<Audience>,
    /// Only branches of these districts.
    pub districts: Vec<String>,
    /// Only branches with one of these tags.
    pub tags: Vec<String>,
}

impl Reach {
    /// Whether it goes to every branch.
    #[must_use]
    pub fn is_everywhere(&self) -> bool {
        self.districts.is_empty() && self.tags.is_empty()
    }

    /// Whether what is made for that branch goes out.
    #[must_use]
    pub fn covers(&self, branch: &Branch) -> bool {
        let district = self.districts.is_empty() || self.districts.contains(&branch.district);
        let tag = self.tags.is_empty() || self.tags.iter().any(|tag| branch.tags.contains(tag));
        district && tag
    }
}

/// The branches that a narrowed edition goes to, as people approve them: those that it covered
/// when it was submitted. One that comes to fit later gets nothing until it is approved again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reached {
    /// The districts that were asked for.
    pub districts: Vec<String>,
    /// The tags that were asked for.
    pub tags: Vec<String>,
    /// The branches, sorted.
    pub branches: Vec<BranchId>,
}

impl Reached {
    /// Of these branches those that `reach` covers; `None` where it goes to every branch.
    #[must_use]
    pub fn of(reach: &Reach, branches: &[Branch]) -> Option<Self> {
        if reach.is_everywhere() {
            return None;
        }
        let covered = branches.iter().filter(|branch| reach.covers(branch));
        let mut branches: Vec<BranchId> = covered.map(|branch| branch.id.clone()).collect();
        branches.sort();
        Some(Self { districts: reach.districts.clone(), tags: reach.tags.clone(), branches })
    }

    /// For people, such as `只到 2 个网点（片区 江北；标签 community）`.
    #[must_use]
    pub fn words(&self) -> String {
        let why = [("片区", &self.districts), ("标签", &self.tags)];
        let why = why.iter().filter(|(_, names)| !names.is_empty());
        let why: Vec<String> =
            why.map(|(what, names)| format!("{what} {}", names.join("、"))).collect();
        format!("只到 {} 个网点（{}）", self.branches.len(), why.join("；"))
    }
}
