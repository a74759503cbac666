//! What people approve: the exact bytes that one channel will carry, and within which days.

use crate::model::{
    Audience, BranchId, CampaignId, ChannelId, Digest, LessonId, LessonKind, Listing, PersonId,
    Reached,
};
use jiff::civil::Date;
use std::collections::BTreeMap;

/// Everything one channel carries for one campaign and its lessons. Its canonical JSON (RFC 8785:
/// sorted keys, no floats) is hashed with SHA-256, and approvals are on that hash.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Manifest {
    /// The campaign edition.
    pub campaign: CampaignId,
    /// The approval number reserved at `submit`, which stands in the outputs' footers.
    pub number: String,
    /// The lessons and their revisions, sorted.
    pub lessons: Vec<LessonRevision>,
    /// The files, sorted by path. Pictures of articles are among them.
    pub files: Vec<Listing>,
    /// The messages made of those files, for channels that carry messages.
    pub messages: Vec<Message>,
    /// Digests of everything the files were made from, by name: `content/hotlines.toml`,
    /// `templates`, `fonts`, `bank`, `channel/<id>`. What changed since is named by comparing.
    pub inputs: BTreeMap<String, Digest>,
    /// The version of the rule pack that the texts were checked under.
    pub rule_pack: String,
    /// The channel.
    pub channel: ChannelId,
    /// Whom the channel reaches: account, groups, repository. Sorted.
    pub targets: Vec<String>,
    /// The days on which it may go out and stay out.
    pub window: Window,
    /// The branches that it goes to with everything, files that all of them share included;
    /// `None` for every branch, and for channels that know no branches.
    pub reached: Option<Reached>,
}

impl Manifest {
    /// Whether a branch has anything of it.
    #[must_use]
    pub fn goes_to(&self, branch: &BranchId) -> bool {
        self.reached.as_ref().is_none_or(|reached| reached.branches.contains(branch))
    }
}

/// The exact text of one lesson's variant.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct LessonRevision {
    /// The lesson.
    pub lesson: LessonId,
    /// The variant.
    pub audience: Audience,
    /// Its `version`.
    pub version: u32,
    /// The digest of its sources.
    pub digest: Digest,
    /// What sort of text it is: education and marketing never mix.
    pub kind: LessonKind,
    /// Every editor that the revision records; none of them may approve it.
    pub editors: Vec<PersonId>,
}

/// One message: what a WeChat article or a post consists of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// The lesson.
    pub lesson: LessonId,
    /// The variant.
    pub audience: Audience,
    /// The article's title.
    pub title: String,
    /// The author shown.
    pub author: String,
    /// The digest (摘要) shown in lists.
    pub digest_text: String,
    /// The address behind 阅读原文.
    pub source_url: String,
    /// `article.html`; picture slots are `caishi-slot:<sha256>`. `None` for picture messages.
    pub content: Option<Digest>,
    /// The plain text of a picture message or short post.
    pub text: Option<Digest>,
    /// The cover 2.35:1.
    pub cover_wide: Option<Digest>,
    /// The cover 1:1.
    pub cover_square: Option<Digest>,
    /// The pictures of the slots, or those of the picture message in order, first the cover.
    pub pictures: Vec<Digest>,
}

/// Days within which something may be public, both included.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Window {
    /// First day.
    pub from: Date,
    /// Last day.
    pub until: Date,
}

impl Window {
    /// The days that both have, where there are any.
    #[must_use]
    pub fn intersect(self, other: Self) -> Option<Self> {
        let both = Self { from: self.from.max(other.from), until: self.until.min(other.until) };
        (both.from <= both.until).then_some(both)
    }

    /// Whether the day lies within.
    #[must_use]
    pub fn contains(self, day: Date) -> bool {
        self.from <= day && day <= self.until
    }
}
