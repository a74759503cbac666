//! Everything that was read from the content folder.

use super::{
    Asset, AssetSet, Branch, BranchId, Calendar, Campaign, CampaignId, Edition, Facts, Hotline,
    HotlineId, HotlineSet, Lesson, LessonId, RulePack, Screen, TopicId,
};

/// The content folder, read and checked for what reading can check.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Library {
    /// Lessons, sorted by id.
    pub lessons: Vec<Lesson>,
    /// Topics, in the file's order.
    pub topics: Vec<Topic>,
    /// Numbers, in the file's order.
    pub hotlines: Vec<Hotline>,
    /// Named lists of numbers.
    pub hotline_sets: Vec<HotlineSet>,
    /// Campaign series, sorted by id.
    pub campaigns: Vec<Campaign>,
    /// Branches, in the file's order.
    pub branches: Vec<Branch>,
    /// Screens, in the file's order.
    pub screens: Vec<Screen>,
    /// Holidays, make-up workdays and blackouts; empty where there is no `calendar.toml`.
    pub calendar: Calendar,
    /// Pictures of `content/assets/`.
    pub assets: AssetSet,
    /// Facts with dates.
    pub facts: Facts,
    /// What the bank changes about the check's rules.
    pub rules: RulePack,
}

impl Library {
    /// The lesson of that id.
    #[must_use]
    pub fn lesson(&self, id: &LessonId) -> Option<&Lesson> {
        self.lessons.iter().find(|lesson| lesson.id == *id)
    }

    /// The topic of that id.
    #[must_use]
    pub fn topic(&self, id: &TopicId) -> Option<&Topic> {
        self.topics.iter().find(|topic| topic.id == *id)
    }

    /// The number of that id.
    #[must_use]
    pub fn hotline(&self, id: &HotlineId) -> Option<&Hotline> {
        self.hotlines.iter().find(|hotline| hotline.id == *id)
    }

    /// The branch of that id.
    #[must_use]
    pub fn branch(&self, id: &BranchId) -> Option<&Branch> {
        self.branches.iter().find(|branch| branch.id == *id)
    }

    /// The campaign edition of that id.
    #[must_use]
    pub fn edition(&self, id: &CampaignId) -> Option<&Edition> {
        self.campaigns
            .iter()
            .flat_map(|campaign| &campaign.editions)
            .find(|edition| edition.id == *id)
    }

    /// A picture by file name: the lesson's own folder first, then the shared one.
    #[must_use]
    pub fn asset<'a>(&'a self, lesson: &'a Lesson, file: &str) -> Option<&'a Asset> {
        lesson.assets.get(file).or_else(|| self.assets.get(file))
    }
}

/// A subject of lessons, a row of `topics.toml`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Topic {
    /// Its identifier.
    pub id: TopicId,
    /// Its name.
    pub name: String,
    /// The poster's corner tag of 4–5 字.
    pub tag: String,
    /// The palette of its posters.
    pub palette: String,
    /// The department that co-reviews it.
    pub department: String,
}
