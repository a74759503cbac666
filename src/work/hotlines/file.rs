//! Whether `hotlines.toml` says what a change says: looked at before anything is made again or
//! taken down, each time.
//!
//! A change is noted before the file is written. A process that was killed in between left the old
//! number there: it is written now. Where the file says a third number, somebody edited it: nothing
//! goes on until a person decides which of them is right.

use super::{
    edit,
    plan::{ChangePlan, plan_of},
};
use crate::{
    model::Digest,
    read,
    store::{ChangeNote, HotlineChange},
    work::{Publisher, WorkError, content_file},
};

/// What is to be done about the file.
pub(super) enum Standing {
    /// It holds the new number.
    Holds,
    /// It does not yet, and was just changed by somebody: look again.
    Later,
    /// A later change of the number took over; says which.
    Over(String),
    /// A person has to decide: why, and the number that the file says.
    Stuck(String, Option<String>),
}

impl Publisher {
    /// How the file stands to a change; where a killed process did not write it, that is done now.
    ///
    /// # Errors
    /// The ledger's, and where the file cannot be read.
    pub(super) async fn file_of_change(
        &self,
        change: &HotlineChange,
        plan: &ChangePlan,
    ) -> Result<Standing, WorkError> {
        let path = self.config.content.join("hotlines.toml");
        let bytes = content_file::bytes_of(&path)?.unwrap_or_default();
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let library = read::read_hotlines(&text).library;
        let Some(current) = library.hotline(&change.hotline).map(|one| one.number.clone()) else {
            let why = format!(
                "content/hotlines.toml 里读不到 {}：文件没有了，或写错了（caishi check 会说哪一行）。改好文件再试一次",
                change.hotline
            );
            return Ok(Standing::Stuck(why, None));
        };
        let values = plan.values();
        if plan.written || values.is_empty() {
            if current == plan.becomes {
                return Ok(Standing::Holds);
            }
            return self.another_number(change, plan, current).await;
        }
        let is_known = current == plan.was || plan.over.as_ref() == Some(&current);
        if current != plan.becomes && !is_known {
            return self.another_number(change, plan, current).await;
        }
        let new = match edit::edited(&text, &change.hotline, &values) {
            Ok(new) => new,
            Err(error) => return Ok(Standing::Stuck(error.to_string(), Some(current))),
        };
        if new == text {
            return Ok(Standing::Holds);
        }
        self.store.put_blob(&bytes).await?;
        self.store.put_blob(new.as_bytes()).await?;
        match content_file::replace_where(&path, Some(&Digest::of(&bytes)), new.as_bytes()) {
            Ok(false) => Ok(Standing::Later),
            Ok(true) => {
                let subject = format!("hotline/{}", change.hotline);
                let note = serde_json::json!({
                    "change": change.id, "number": plan.becomes,
                    "file": Digest::of(new.as_bytes()).to_string(),
                });
                self.store.audit("system", "hotline.written", &subject, &note.to_string()).await?;
                Ok(Standing::Holds)
            }
            Err(error) => {
                let why =
                    format!("content/hotlines.toml 写不进去：{}；处理好再试一次", why(&error));
                Ok(Standing::Stuck(why, Some(current)))
            }
        }
    }

    /// What it means that the file says a number that this change does not know.
    async fn another_number(
        &self,
        change: &HotlineChange,
        plan: &ChangePlan,
        current: String,
    ) -> Result<Standing, WorkError> {
        if let Some(latest) = self.store.latest_hotline_change(&change.hotline).await?
            && latest.id != change.id
            && latest.at >= change.at
            && plan_of(&latest)?.ended.is_none()
        {
            let becomes = plan_of(&latest)?.becomes;
            return Ok(Standing::Over(format!(
                "{} 后来又改成了 {becomes}（变更 {}）：由那一次接着办",
                change.hotline, latest.id
            )));
        }
        let why = format!(
            "content/hotlines.toml 里 {} 现在是 {current}，不是这次要改成的 {}：有人直接改过文件。\
             停在这里，没有再生成、撤下任何东西。要用 {}，按“再试一次”，会写进文件再接着办；\
             要用 {current}，按“取消这次变更”",
            change.hotline, plan.becomes, plan.becomes
        );
        Ok(Standing::Stuck(why, Some(current)))
    }

    /// Gives up a change that a person has to decide about: what the file says stays.
    ///
    /// # Errors
    /// [`WorkError::Unknown`], [`WorkError::Refused`] where it does not wait for a person.
    pub async fn cancel_hotline_change(&self, id: &str, actor: &str) -> Result<(), WorkError> {
        let change = self.known_change(id).await?;
        // What never came into the file is nobody's hand in it.
        let written = plan_of(&change)?.written;
        let action = if written { "hotline.cancel" } else { "hotline.failed" };
        let note = ChangeNote { actor, action, text: "取消了：文件里是别的号码" };
        let cancel = |plan: &mut ChangePlan| {
            if plan.stuck.is_none() || plan.ended.is_some() {
                return Err(WorkError::Refused(
                    "这次变更没有停在等人决定，不能取消；要换号码，再改一次".to_owned(),
                ));
            }
            plan.stuck = None;
            plan.ended = Some(format!("{actor} 取消了：文件里的号码留着，没办完的几组不再办"));
            Ok(())
        };
        self.amend_change(id, None, Some(note), cancel).await.map(drop)
    }
}

/// An error with its cause.
pub(super) fn why(error: &WorkError) -> String {
    match std::error::Error::source(error) {
        Some(source) => format!("{error}（{source}）"),
        None => error.to_string(),
    }
}
