//! How long things may be, as data: platforms change their minds, so each value says who set it
//! and when it was read.

/// The limits of article and short texts. [`Limits::default`] is the profile of November 2026.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Characters of an article's title. WeChat's document of draft/add says 32 (read 2026-11);
    /// its editor takes 64, so a bank that has tried this on its own account may raise it.
    pub article_title: usize,
    /// Characters of an article's author (draft/add, read 2026-11).
    pub article_author: usize,
    /// Characters of an article's digest (draft/add, read 2026-11).
    pub article_digest: usize,
    /// An article's content must stay below this many characters, tags counted (draft/add, read
    /// 2026-11). A picture slot counts [`SLOT_CHARACTERS`].
    pub article_characters: usize,
    /// An article's content must stay below this many bytes (draft/add, read 2026-11).
    pub article_bytes: usize,
    /// A portal page's bytes (rule F608).
    pub portal_bytes: usize,
    /// Characters of a short post: what every post form takes whole (formats §3b, 2026-11).
    pub post_characters: usize,
    /// 字 of a ticker line, by the hardware (rule F607).
    pub ticker_words: usize,
    /// 字 of a banner (formats §3b).
    pub banner_words: usize,
    /// UTF-16 units of a text message sent in one part, signature included (3GPP TS 23.038: 140
    /// bytes of UCS-2).
    pub sms_units: usize,
    /// 字 of the staff card (formats §3b).
    pub staff_words: usize,
}

/// What a picture slot counts for: longer than any address WeChat gives (CONTRACTS, "Picture
/// slots").
pub const SLOT_CHARACTERS: usize = 200;

impl Default for Limits {
    fn default() -> Self {
        Self {
            article_title: 32,
            article_author: 16,
            article_digest: 128,
            article_characters: 20_000,
            article_bytes: 1_000_000,
            portal_bytes: 300_000,
            post_characters: 140,
            ticker_words: 40,
            banner_words: 20,
            sms_units: 70,
            staff_words: 400,
        }
    }
}
