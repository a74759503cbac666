//! The bank that speaks.

use super::HotlineId;

/// Facts about the bank that every output shows, from `[bank]` of `channels.toml`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bank {
    /// The name, as on posters.
    pub name: String,
    /// The address that QR codes begin with, such as `https://edu.example.cn`, no slash at the end.
    pub base_url: String,
    /// The bank's own number in the registry.
    pub hotline: HotlineId,
    /// The line at the foot of articles.
    pub disclaimer: String,
}
