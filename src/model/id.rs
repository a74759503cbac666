//! Identifiers: kebab-case, stable, never bare strings.

use std::fmt;

/// Why a text is not an identifier.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("“{text}”不是合格的标识：只能用小写字母、数字和连字符，以字母开头，至多 64 个字符")]
pub struct IdError {
    /// The refused text.
    pub text: String,
}

fn checked(text: &str) -> Result<String, IdError> {
    let fits = !text.is_empty()
        && text.len() <= 64
        && text.starts_with(|first: char| first.is_ascii_lowercase())
        && !text.ends_with('-')
        && text.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-');
    if fits { Ok(text.to_owned()) } else { Err(IdError { text: text.chars().take(80).collect() }) }
}

macro_rules! identifier {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(String);

        impl $name {
            /// Checks the text: `[a-z][a-z0-9-]*`, at most 64 characters.
            ///
            /// # Errors
            /// [`IdError`] names the text that does not fit.
            pub fn new(text: &str) -> Result<Self, IdError> {
                checked(text).map(Self)
            }

            /// The identifier as written.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

identifier!(
    /// A lesson; the name of its folder.
    LessonId
);
identifier!(
    /// A topic of `topics.toml`.
    TopicId
);
identifier!(
    /// A number of `hotlines.toml`.
    HotlineId
);
identifier!(
    /// A branch of `branches.csv`.
    BranchId
);

identifier!(
    /// A way out, a `[channel.<id>]` table.
    ChannelId
);
identifier!(
    /// A recurring series, a `[schedule.<id>]` table.
    ScheduleId
);
identifier!(
    /// Somebody who may act, an entry of `[[people]]`.
    PersonId
);

/// One edition of a campaign series, written `series/edition`, such as `sept-edu/2026`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CampaignId {
    /// The series, the file name under `campaigns/`.
    pub series: String,
    /// The edition within the series, often a year.
    pub edition: String,
}

impl CampaignId {
    /// Reads `series/edition`.
    ///
    /// # Errors
    /// [`IdError`] where the slash is missing or a half is empty or has other characters than
    /// `[a-z0-9-]`.
    pub fn new(text: &str) -> Result<Self, IdError> {
        let part = |part: &str| {
            !part.is_empty()
                && part.len() <= 64
                && part.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-')
        };
        match text.split_once('/') {
            Some((series, edition)) if part(series) && part(edition) => {
                Ok(Self { series: series.to_owned(), edition: edition.to_owned() })
            }
            _ => Err(IdError { text: text.chars().take(80).collect() }),
        }
    }
}

impl fmt::Display for CampaignId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.series, self.edition)
    }
}
