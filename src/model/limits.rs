//! How long things may be, as one dated profile that renderers, the check and delivery share:
//! platforms change their minds, so each figure says who set it and when that was read.

/// A figure, who set it, and when that was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limit {
    /// The figure. The platform's wording says whether it may be reached; [`Limits`] tells.
    pub value: usize,
    /// Who says so.
    pub source: &'static str,
    /// The month somebody read it there.
    pub read: &'static str,
}

/// The limits of articles, portal pages, short texts and posters. [`Limits::default`] is the
/// profile of November 2026.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Characters of an article's title. The platform's editor takes 64, so a bank that has tried
    /// this on its own account may raise it.
    pub article_title: Limit,
    /// Characters of an article's author.
    pub article_author: Limit,
    /// Characters of an article's digest.
    pub article_digest: Limit,
    /// An article's content must stay below this many characters, tags counted. A picture slot
    /// counts [`super::SLOT_CHARACTERS`].
    pub article_characters: Limit,
    /// An article's content must stay below this many bytes. A picture slot counts
    /// [`super::SLOT_CHARACTERS`].
    pub article_bytes: Limit,
    /// A portal page's bytes (rule F608).
    pub portal_bytes: Limit,
    /// Characters of a short post: what every post form takes whole.
    pub post_characters: Limit,
    /// 字 of a ticker line (rule F607).
    pub ticker_words: Limit,
    /// 字 of a banner.
    pub banner_words: Limit,
    /// UTF-16 units of a text message sent in one part, signature included (rule F609).
    pub sms_units: Limit,
    /// 字 of the staff card.
    pub staff_words: Limit,
    /// Letters are at least the distance divided by this high (rule F606).
    pub distance_parts: Limit,
}

impl Limits {
    /// The profile of November 2026.
    pub const NOVEMBER_2026: Self = Self {
        article_title: draft_add(32),
        article_author: draft_add(16),
        article_digest: draft_add(128),
        article_characters: draft_add(20_000),
        article_bytes: draft_add(1_000_000),
        portal_bytes: practice(300_000, "认证页所在的小浏览器"),
        post_characters: practice(140, "各短文渠道都整条放得下的长度"),
        ticker_words: practice(40, "字幕屏硬件"),
        banner_words: practice(20, "横幅的长度"),
        sms_units: practice(70, "3GPP TS 23.038：一条 140 字节，UCS-2 编码"),
        staff_words: practice(400, "话术卡的版面"),
        distance_parts: practice(200, "字高与视距的经验比例"),
    };
}

impl Default for Limits {
    fn default() -> Self {
        Self::NOVEMBER_2026
    }
}

/// What WeChat's page about draft/add says.
const fn draft_add(value: usize) -> Limit {
    let source = "微信公众平台文档“新增草稿”draft/add，developers.weixin.qq.com";
    Limit { value, source, read: "2026-11" }
}

/// What a standard, the hardware or experience says.
const fn practice(value: usize, source: &'static str) -> Limit {
    Limit { value, source, read: "2026-11" }
}
