//! One account: what it is, what it has, what it has used up.

use super::{
    article::Draft,
    callback::{Event, Registration},
    dispatch::Dispatch,
    token::TokenLine,
};
use crate::sandbox::clock::Span;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// Whether it has the form of an app id.
pub(in crate::sandbox) fn is_app_id(text: &str) -> bool {
    text.strip_prefix("wx").is_some_and(|rest| {
        rest.len() == 16
            && rest.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
    })
}

/// What sort of account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AccountKind {
    /// 订阅号: one mass send a day.
    Subscription,
    /// 服务号: four mass sends a month to each follower.
    Service,
}

/// What an account is and may do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Profile {
    /// What it is called.
    pub name: String,
    /// What sort.
    pub kind: AccountKind,
    /// Whether it is verified: without, neither publishing nor mass sending is to be had.
    pub verified: bool,
    /// Addresses and ranges that may fetch tokens; `None` switches the whitelist off.
    pub ip_whitelist: Option<Vec<String>>,
    /// Whether articles may be opened for comments.
    pub comment_right: bool,
    /// Whether the five publishing interfaces may be called.
    pub publish_right: bool,
    /// The longest title, in characters: 32 by the documents, 64 in the editor.
    pub title_limit: usize,
    /// How many follow it.
    pub followers: u32,
    /// Followers by tag.
    pub tags: BTreeMap<i64, Vec<String>>,
    /// The WeChat names that previews may go to; empty for any that is well formed.
    pub readers: Vec<String>,
}

impl Default for Profile {
    fn default() -> Self {
        Self {
            name: "山城示范银行".to_owned(),
            kind: AccountKind::Subscription,
            verified: true,
            ip_whitelist: None,
            comment_right: true,
            publish_right: true,
            title_limit: 32,
            followers: 12,
            tags: BTreeMap::new(),
            readers: Vec::new(),
        }
    }
}

/// Permanent material.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Material {
    /// Its name.
    pub media_id: String,
    /// `image`, `thumb`.
    pub kind: String,
    /// The file's name.
    pub name: String,
    /// Its address.
    pub url: String,
    /// The digest of its bytes.
    pub sha256: String,
    /// How many bytes.
    pub bytes: usize,
    /// When it was uploaded.
    pub at: Timestamp,
}

/// A picture behind an address.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::sandbox) struct Picture {
    /// The digest of its bytes.
    pub sha256: String,
    /// `image/png`.
    pub media_type: String,
}

impl Picture {
    /// Its type, one of those that the platform takes.
    pub(in crate::sandbox) fn content_type(&self) -> &'static str {
        match self.media_type.as_str() {
            "image/png" => "image/png",
            "image/gif" => "image/gif",
            "image/bmp" => "image/bmp",
            _ => "image/jpeg",
        }
    }
}

/// What was used of a quota in one window.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Used {
    window: String,
    count: u32,
}

/// One account.
#[derive(Debug, Serialize, Deserialize)]
pub(in crate::sandbox) struct Account {
    pub app_id: String,
    pub profile: Profile,
    /// What `cgi-bin/token` gave out.
    pub token: TokenLine,
    /// What `cgi-bin/stable_token` gave out.
    pub stable: TokenLine,
    /// Pictures by host and path of their address.
    pub pictures: BTreeMap<String, Picture>,
    /// Permanent material by media id.
    pub materials: BTreeMap<String, Material>,
    /// Drafts by media id.
    pub drafts: BTreeMap<String, Draft>,
    /// What was published and sent, oldest first.
    pub dispatches: Vec<Dispatch>,
    /// When a `clientmsgid` was last tried.
    pub tried: BTreeMap<String, Timestamp>,
    /// How many previews were sent.
    pub previews: u64,
    /// The speed of mass sending.
    pub speed: u32,
    used: BTreeMap<String, Used>,
    /// Where callbacks go. Not saved: it holds keys, and whoever registers does so at each start.
    #[serde(skip)]
    pub registration: Option<Registration>,
}

impl Account {
    pub(in crate::sandbox) fn new(app_id: &str, profile: Profile) -> Self {
        Self {
            app_id: app_id.to_owned(),
            profile,
            token: TokenLine::default(),
            stable: TokenLine::default(),
            pictures: BTreeMap::new(),
            materials: BTreeMap::new(),
            drafts: BTreeMap::new(),
            dispatches: Vec::new(),
            tried: BTreeMap::new(),
            previews: 0,
            speed: 0,
            used: BTreeMap::new(),
            registration: None,
        }
    }

    /// Ends the jobs that came due; their callbacks.
    pub(in crate::sandbox) fn settle(
        &mut self,
        app_id: &str,
        now: Timestamp,
        base: &url::Url,
    ) -> Vec<Event> {
        let mut events = Vec::new();
        for dispatch in &mut self.dispatches {
            if dispatch.is_running() && dispatch.due_at <= now {
                dispatch.finish();
                if dispatch.went_out() {
                    // Only success takes the draft out of the box.
                    self.drafts.remove(&dispatch.media_id);
                }
                events.push(Event::of(app_id, dispatch, now, base));
            }
        }
        events
    }

    /// Takes one from a quota; `false` where none is left.
    pub(super) fn take(&mut self, name: &str, span: Span, limit: u32, now: Timestamp) -> bool {
        let window = span.window(now);
        let used = self.used.entry(format!("{span:?}:{name}")).or_default();
        if used.window != window {
            *used = Used { window, count: 0 };
        }
        if used.count >= limit {
            return false;
        }
        used.count += 1;
        true
    }

    /// How many were taken from a quota in the window of `now`.
    pub(super) fn used(&self, name: &str, span: Span, now: Timestamp) -> u32 {
        self.used
            .get(&format!("{span:?}:{name}"))
            .filter(|used| used.window == span.window(now))
            .map_or(0, |used| used.count)
    }

    /// Forgets what was used of the daily quotas.
    pub(super) fn clear_daily_quotas(&mut self) {
        let day = format!("{:?}:", Span::Day);
        self.used.retain(|name, _| !name.starts_with(&day));
    }

    /// The OpenIDs of everyone who follows.
    pub(super) fn followers(&self) -> BTreeSet<String> {
        let numbered =
            (1..=self.profile.followers).map(|number| format!("oSandboxFollower{number:012}"));
        numbered.chain(self.profile.tags.values().flatten().cloned()).collect()
    }
}
