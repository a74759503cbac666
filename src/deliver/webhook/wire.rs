//! What a request says: the default body, and the values that a template sees.

use crate::{
    deliver::Parcel,
    model::{BranchId, LessonId, Listing, Message},
};
use serde::Serialize;

/// What the request says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Event {
    /// The campaign is out.
    Published,
    /// It has been taken down.
    Recalled,
}

impl Event {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Published => "campaign.published",
            Self::Recalled => "campaign.recalled",
        }
    }
}

/// What a template sees; the default body is the same as JSON. Nothing here depends on the
/// moment, so that every attempt carries the same bytes.
#[derive(Debug, Serialize)]
pub(super) struct View<'a> {
    /// `campaign.published` or `campaign.recalled`.
    #[serde(rename = "type")]
    kind: &'static str,
    /// When it was due (RFC 3339).
    timestamp: String,
    data: Data<'a>,
}

#[derive(Debug, Serialize)]
struct Data<'a> {
    /// The delivery's key, the same in the recall.
    id: String,
    campaign: String,
    number: &'a str,
    occurrence: &'a str,
    target: &'a str,
    window: WindowView,
    lessons: Vec<LessonView<'a>>,
    files: Vec<FileView<'a>>,
}

#[derive(Debug, Serialize)]
struct WindowView {
    from: String,
    until: String,
}

#[derive(Debug, Serialize)]
struct LessonView<'a> {
    lesson: &'a str,
    audience: &'a str,
    title: &'a str,
    author: &'a str,
    digest: &'a str,
    url: &'a str,
}

#[derive(Debug, Serialize)]
struct FileView<'a> {
    path: &'a str,
    sha256: String,
    bytes: u64,
    media_type: &'a str,
    output: &'a str,
    audience: &'a str,
    lesson: Option<&'a str>,
    branch: Option<&'a str>,
}

impl<'a> View<'a> {
    pub(super) fn of(event: Event, parcel: &'a Parcel) -> Self {
        Self {
            kind: event.as_str(),
            timestamp: parcel.slot.to_string(),
            data: Data {
                id: parcel.key.digest().to_string(),
                campaign: parcel.campaign.to_string(),
                number: &parcel.number,
                occurrence: &parcel.occurrence,
                target: &parcel.target,
                window: WindowView {
                    from: parcel.window.from.to_string(),
                    until: parcel.window.until.to_string(),
                },
                lessons: parcel.messages.iter().map(LessonView::of).collect(),
                files: parcel.files.iter().map(FileView::of).collect(),
            },
        }
    }
}

impl<'a> LessonView<'a> {
    fn of(message: &'a Message) -> Self {
        Self {
            lesson: message.lesson.as_str(),
            audience: message.audience.as_str(),
            title: &message.title,
            author: &message.author,
            digest: &message.digest_text,
            url: &message.source_url,
        }
    }
}

impl<'a> FileView<'a> {
    fn of(file: &'a Listing) -> Self {
        Self {
            path: &file.path,
            sha256: file.sha256.to_string(),
            bytes: file.bytes,
            media_type: file.media_type.as_str(),
            output: file.output.as_str(),
            audience: file.audience.as_str(),
            lesson: file.lesson.as_ref().map(LessonId::as_str),
            branch: file.branch.as_ref().map(BranchId::as_str),
        }
    }
}
