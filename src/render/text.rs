//! What references in running text stand for, and text as plain characters.

use super::Scene;
use crate::model::{HotlineId, Inline, InlineKind, plain_text};

impl Scene<'_> {
    /// The number of a registry entry as shown in this scene: the branch's own number takes the
    /// place of the bank's.
    #[must_use]
    pub fn number(&self, id: &HotlineId) -> &str {
        let own = self.branch.and_then(|branch| branch.hotline.as_deref());
        match own {
            Some(number) if *id == self.bank.hotline => number,
            _ => self.library.hotline(id).map_or("", |hotline| hotline.number.as_str()),
        }
    }

    /// What a reference stands for.
    #[must_use]
    pub fn resolve(&self, reference: &InlineKind) -> String {
        match reference {
            InlineKind::Hotline(id) => self.number(id).to_owned(),
            InlineKind::BankName => self.bank.name.clone(),
            InlineKind::BranchName => {
                self.branch.map_or_else(|| self.bank.name.clone(), |branch| branch.name.clone())
            }
            _ => String::new(),
        }
    }

    /// The characters of running text, references resolved, without markup.
    #[must_use]
    pub fn plain(&self, inlines: &[Inline]) -> String {
        plain_text(inlines, &|reference| self.resolve(reference))
    }
}
