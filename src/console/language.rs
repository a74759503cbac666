//! The two languages of the pages. Both texts stand side by side in the templates, so that neither
//! can be forgotten. What the rest of the program says of lessons and channels is Chinese.

use axum::http::{HeaderMap, header};

tokio::task_local! {
    /// The language of the request that is being answered.
    static SPOKEN: Language;
}

/// Answers a request in a language: what says something without knowing of a page says it so.
pub(super) async fn speaking<T>(language: Language, answer: impl Future<Output = T>) -> T {
    SPOKEN.scope(language, answer).await
}

/// The text in the language of the request that is being answered; Chinese where there is none.
#[must_use]
pub(super) fn say<'a>(chinese: &'a str, english: &'a str) -> &'a str {
    let language = SPOKEN.try_with(|language| *language).unwrap_or(Language::Chinese);
    language.of_two(chinese, english)
}

/// A language.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Language {
    /// Simplified Chinese.
    Chinese,
    /// English.
    English,
}

impl Language {
    /// By the cookie of the switch, else by `Accept-Language`, else Chinese.
    #[must_use]
    pub fn of(headers: &HeaderMap) -> Self {
        if let Some(chosen) = super::cookie::read(headers, COOKIE) {
            return if chosen == "en" { Self::English } else { Self::Chinese };
        }
        let wanted = headers.get(header::ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok());
        wanted.map_or(Self::Chinese, negotiate)
    }

    /// The BCP 47 tag.
    #[must_use]
    pub fn tag(self) -> &'static str {
        match self {
            Self::Chinese => "zh-CN",
            Self::English => "en",
        }
    }

    /// The text in this language.
    #[must_use]
    pub fn of_two<'a>(self, chinese: &'a str, english: &'a str) -> &'a str {
        match self {
            Self::Chinese => chinese,
            Self::English => english,
        }
    }
}

/// The cookie of the switch: `zh` or `en`.
pub(super) const COOKIE: &str = "caishi-language";

/// Whichever of the two has the greater weight (RFC 9110, 12.5.4); Chinese where they tie.
fn negotiate(wanted: &str) -> Language {
    let weight = |tag: &str| {
        let of = |range: &str| {
            let (name, parameters) = range.split_once(';').unwrap_or((range, ""));
            let primary = name.trim().split('-').next().unwrap_or_default();
            if !primary.eq_ignore_ascii_case(tag) {
                return None;
            }
            let quality = parameters.trim().strip_prefix("q=");
            Some(quality.and_then(|text| text.trim().parse::<f32>().ok()).unwrap_or(1.0))
        };
        wanted.split(',').filter_map(of).fold(0.0_f32, f32::max)
    };
    if weight("en") > weight("zh") { Language::English } else { Language::Chinese }
}
