//! Jobs: what was submitted for publishing or mass sending, until it is out or refused.

use super::article::Article;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// By which way an article goes out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Way {
    /// `freepublish`: it has an address, and nobody is told.
    Publish,
    /// `message/mass`: every recipient gets it.
    Mass,
}

/// Something that was submitted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dispatch {
    /// By which way.
    pub way: Way,
    /// The `publish_id` or `msg_id`.
    pub id: i64,
    /// The `msg_data_id`.
    pub data_id: i64,
    /// The draft it was made of.
    pub media_id: String,
    /// When it was submitted.
    pub submitted_at: Timestamp,
    /// When its end is known.
    pub due_at: Timestamp,
    /// As `freepublish/get` counts: 0 out, 1 running, 2 refused as copied, 3 failed, 4 refused by
    /// the audit, 5 taken down by the account, 6 taken down by the platform.
    pub status: u8,
    /// The name of what was published; empty until it is out.
    pub article_id: String,
    /// The articles as they were when it was submitted.
    pub articles: Vec<Article>,
    /// `send success`, `err(20004)`; empty while it runs and for what was published.
    pub outcome: String,
    /// Whom it went to: `all`, `tag:2`, `openid:3`.
    pub range: String,
    /// How many it went to.
    pub recipients: usize,
    /// The `clientmsgid`, or the digest that the platform made in its stead.
    pub key: String,
}

/// Marks in title or content that make the platform refuse: what a rehearsal needs to see how a
/// refusal goes.
const MARKS: &[(&str, u8, &str)] = &[
    ("【原创校验不通过】", 2, "err(30003)"),
    ("【发布失败】", 3, "send fail"),
    ("【审核不通过】", 4, "err(20004)"),
    ("【平台封禁】", 6, "err(21000)"),
];

impl Dispatch {
    /// Whether its end is not known yet.
    #[must_use]
    pub fn is_running(&self) -> bool {
        self.status == 1
    }

    /// Whether it came out, even if it was taken down later.
    #[must_use]
    pub fn went_out(&self) -> bool {
        matches!(self.status, 0 | 5 | 6)
    }

    /// The articles that the platform refused, from 1.
    #[must_use]
    pub fn failed_indices(&self) -> Vec<usize> {
        let failed = |(index, article): (usize, &Article)| refusal(article).map(|_| index + 1);
        self.articles.iter().enumerate().filter_map(failed).collect()
    }

    /// The end: out, unless an article bears a mark.
    pub(super) fn finish(&mut self) {
        let refused = self.articles.iter().find_map(refusal);
        let (status, outcome) = refused.unwrap_or((0, "send success"));
        match self.way {
            Way::Publish => self.status = status,
            Way::Mass => {
                self.status = if refused.is_some() { 3 } else { 0 };
                outcome.clone_into(&mut self.outcome);
            }
        }
        if self.status == 6 {
            self.articles.iter_mut().for_each(|article| article.is_deleted = true);
        }
    }

    /// Takes down one article, from 1, or all.
    pub(super) fn delete(&mut self, index: Option<usize>) {
        match index {
            Some(index) => {
                if let Some(article) = self.articles.get_mut(index.saturating_sub(1)) {
                    article.is_deleted = true;
                }
            }
            None => self.articles.iter_mut().for_each(|article| article.is_deleted = true),
        }
        if self.articles.iter().all(|article| article.is_deleted) {
            self.status = 5;
        }
    }
}

fn refusal(article: &Article) -> Option<(u8, &'static str)> {
    let marked = |mark: &str| article.title.contains(mark) || article.content.contains(mark);
    MARKS.iter().find(|(mark, ..)| marked(mark)).map(|(_, status, outcome)| (*status, *outcome))
}
