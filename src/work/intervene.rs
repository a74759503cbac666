//! What a named person decides about a delivery: try again, say how it ended, call it off.

use super::{Publisher, WorkError, outcome::change};
use crate::{
    model::DeliveryState,
    store::{Delivery, Transition},
};

/// How a person says an unknown delivery ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// It is out.
    Published,
    /// It is not out; it will be sent again.
    NotPublished,
}

impl Publisher {
    /// Tries a delivery again that failed or waits.
    ///
    /// # Errors
    /// [`WorkError::Store`] where its state does not allow it; an unknown one must be resolved
    /// first, or it might go out twice.
    pub async fn retry(&self, id: &str, actor: &str) -> Result<Delivery, WorkError> {
        self.retry_because(id, "", actor).await
    }

    /// The same, with a reason that is kept.
    ///
    /// # Errors
    /// Those of [`Publisher::retry`].
    pub async fn retry_because(
        &self,
        id: &str,
        note: &str,
        actor: &str,
    ) -> Result<Delivery, WorkError> {
        let delivery = self.store.delivery(id).await?;
        if delivery.state == DeliveryState::Unknown {
            return Err(WorkError::Refused(format!(
                "{} 不知道发出去没有，不能直接重发。先到渠道后台看一眼，再运行 caishi resolve {} --as published（或 not-published）--by <代号>",
                delivery.id, delivery.id
            )));
        }
        let from = [DeliveryState::NeedsHuman, DeliveryState::RetryWait, DeliveryState::Dead];
        let now = self.store.now().await?;
        let again = Transition {
            failures: 0,
            message: format!("{actor} 要求重试{}", bracketed(note)),
            ..change(&delivery, DeliveryState::RetryWait, now)
        };
        let note = if note.is_empty() { "retry" } else { note };
        Ok(self.store.intervene(&delivery.id, &from, &again, actor, note).await?)
    }

    /// Clears `unknown` by a named person's word.
    ///
    /// # Errors
    /// [`WorkError::Store`] where it is not unknown.
    pub async fn resolve(
        &self,
        id: &str,
        ending: Ending,
        note: &str,
        actor: &str,
    ) -> Result<Delivery, WorkError> {
        let delivery = self.store.delivery(id).await?;
        let now = self.store.now().await?;
        let (state, word) = match ending {
            Ending::Published => (DeliveryState::Confirmed, "已发出"),
            Ending::NotPublished => (DeliveryState::RetryWait, "没有发出，重发"),
        };
        let resolved = Transition {
            failures: 0,
            message: format!("{actor} 认定{word}{}", bracketed(note)),
            ..change(&delivery, state, now)
        };
        let from = [DeliveryState::Unknown, DeliveryState::NeedsHuman];
        Ok(self.store.intervene(&delivery.id, &from, &resolved, actor, note).await?)
    }

    /// Calls a delivery off that is not out yet.
    ///
    /// # Errors
    /// [`WorkError::Store`] where it is out, or on its way.
    pub async fn cancel(&self, id: &str, note: &str, actor: &str) -> Result<Delivery, WorkError> {
        let delivery = self.store.delivery(id).await?;
        let now = self.store.now().await?;
        let cancelled = Transition {
            message: format!("{actor} 取消{}", bracketed(note)),
            ..change(&delivery, DeliveryState::Cancelled, now)
        };
        Ok(self.store.intervene(&delivery.id, NOT_OUT, &cancelled, actor, note).await?)
    }
}

/// States in which nothing is out and nothing is on its way.
pub(super) const NOT_OUT: &[DeliveryState] = &[
    DeliveryState::WaitingApproval,
    DeliveryState::Ready,
    DeliveryState::Preparing,
    DeliveryState::Prepared,
    DeliveryState::RetryWait,
    DeliveryState::NeedsHuman,
    DeliveryState::Dead,
];

fn bracketed(note: &str) -> String {
    if note.is_empty() { String::new() } else { format!("（{note}）") }
}
