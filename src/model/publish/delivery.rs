//! One delivery: one occurrence of a campaign, over one channel, to one target.

use crate::model::{ChannelId, Digest, output::named_enum};
use jiff::Timestamp;

/// What tells one delivery from every other: derived, never random, so that whoever derives it
/// again gets the same key and the far side can drop what it has already had.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DeliveryKey(Digest);

impl DeliveryKey {
    /// `sha256(occurrence ‖ channel ‖ target ‖ manifest)`, each field preceded by its length.
    #[must_use]
    pub fn new(occurrence: &str, channel: &ChannelId, target: &str, manifest: &Digest) -> Self {
        Self(Digest::of_fields([
            occurrence.as_bytes(),
            channel.as_str().as_bytes(),
            target.as_bytes(),
            manifest.as_bytes(),
        ]))
    }

    /// A key that was stored.
    #[must_use]
    pub fn from_digest(digest: Digest) -> Self {
        Self(digest)
    }

    /// The digest.
    #[must_use]
    pub fn digest(&self) -> &Digest {
        &self.0
    }

    /// The first 32 hexadecimal digits: WeChat's `clientmsgid`.
    #[must_use]
    pub fn short(&self) -> String {
        self.0.to_string().chars().take(32).collect()
    }
}

named_enum!(
    /// How far a delivery got.
    DeliveryState {
        /// The manifest lacks an approval.
        WaitingApproval = "waiting-approval" / "待审批",
        /// May be claimed from `next_at` on.
        Ready = "ready" / "待发",
        /// A worker uploads media and creates drafts; may be repeated.
        Preparing = "preparing" / "准备中",
        /// Everything but the irreversible call is done.
        Prepared = "prepared" / "已备好",
        /// The irreversible call is under way; committed before its first byte.
        Sending = "sending" / "发送中",
        /// The far side took it; its last word is awaited.
        Accepted = "accepted" / "已受理",
        /// The far side says it is out.
        Confirmed = "confirmed" / "已送达",
        /// Failed without effect; tried again at `next_at`.
        RetryWait = "retry-wait" / "待重试",
        /// Nobody knows whether the irreversible call took effect.
        Unknown = "unknown" / "结果不明",
        /// A person must decide or mend something.
        NeedsHuman = "needs-human" / "需人工处理",
        /// Failed for good, without effect.
        Dead = "dead" / "失败",
        /// Called off before it went out.
        Cancelled = "cancelled" / "已取消",
        /// Its window closed before it went out.
        Expired = "expired" / "已过期",
        /// Was out, and was taken down.
        Recalled = "recalled" / "已撤回",
    }
);

impl DeliveryState {
    /// Whether nothing more will happen by itself.
    #[must_use]
    pub fn is_terminal(self) -> bool {
        matches!(
            self,
            Self::Confirmed | Self::Dead | Self::Cancelled | Self::Expired | Self::Recalled
        )
    }
}

/// What the far side said when it was done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipt {
    /// The far side's name for it: `publish_id`, `msg_id`, generation, message id. Enough, with
    /// the channel's journal, to confirm, probe and recall it.
    pub remote_ref: String,
    /// Where people can see it, where there is such a place.
    pub url: Option<String>,
    /// When the far side says it went out, else when we learned of it.
    pub at: Timestamp,
    /// What else is worth keeping, in one line.
    pub detail: String,
}
