//! Pictures on the platform: uploaded once per channel, and found in the books ever after.
//!
//! | step in the books | call | for |
//! |---|---|---|
//! | `uploadimg/<sha256>` | `media/uploadimg` | pictures in the text |
//! | `material/<sha256>` | `material/add_material` | pictures of a picture message |
//! | `cover/<sha256>` | `material/add_material` | both covers in one picture |

use super::{
    client::{self, Body, Client, Request},
    error::Effect,
    picture::{self, Fitted},
    wire::{MediaReply, UrlReply},
};
use crate::{
    deliver::{Books, DeliverError, ErrorKind, Retry, Scope},
    model::Digest,
};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// What a picture is for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Purpose {
    /// In the text.
    Text(Digest),
    /// Of a picture message.
    Message(Digest),
    /// The covers, wide and square.
    Cover(Option<Digest>, Option<Digest>),
}

impl Purpose {
    fn step(&self) -> String {
        match self {
            Self::Text(picture) => format!("uploadimg/{picture}"),
            Self::Message(picture) => format!("material/{picture}"),
            Self::Cover(wide, square) => {
                // The number is that of the way covers are composed.
                let part = |cover: &Option<Digest>| cover.map(|cover| cover.to_string());
                let (wide, square) = (part(wide), part(square));
                let fields = [
                    b"cover 1".as_slice(),
                    wide.as_deref().unwrap_or_default().as_bytes(),
                    square.as_deref().unwrap_or_default().as_bytes(),
                ];
                format!("cover/{}", Digest::of_fields(fields))
            }
        }
    }

    /// The picture for people.
    fn name(&self) -> String {
        let short = |digest: &Digest| digest.to_string()[..12].to_owned();
        match self {
            Self::Text(picture) => format!("正文图片 {}", short(picture)),
            Self::Message(picture) => format!("图片消息的图片 {}", short(picture)),
            Self::Cover(Some(picture), _) | Self::Cover(None, Some(picture)) => {
                format!("封面 {}", short(picture))
            }
            Self::Cover(None, None) => "封面".to_owned(),
        }
    }
}

/// A picture on the platform, as the books remember it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Stored {
    /// The address, for the text; else the `media_id`.
    pub(super) reference: String,
    /// What was done to the picture.
    pub(super) note: Option<String>,
    /// The crops of a cover.
    pub(super) crops: Option<(String, String)>,
}

/// A picture that is there, or ready to go.
pub(super) enum Picture {
    /// On the platform.
    There(Stored),
    /// Within the limits.
    Ready { fitted: Fitted, crops: Option<(String, String)> },
}

/// Looks into the books, else reads the files and brings them within the limits. A picture that
/// cannot be brought there is a fault, for the caller to collect.
pub(super) async fn ready(
    purpose: &Purpose,
    books: &dyn Books,
) -> Result<Result<Picture, String>, DeliverError> {
    let remembered = books.read(Scope::Channel, &purpose.step()).await?;
    if let Some(stored) = remembered.and_then(|text| serde_json::from_str(&text).ok()) {
        return Ok(Ok(Picture::There(stored)));
    }
    let (first, second) = match purpose {
        Purpose::Text(picture) | Purpose::Message(picture) => (Some(*picture), None),
        Purpose::Cover(wide, square) => (*wide, *square),
    };
    let mut files = [None, None];
    for (file, digest) in files.iter_mut().zip([first, second]) {
        if let Some(digest) = digest {
            *file = Some(books.file(&digest).await?);
        }
    }
    let kind = purpose.clone();
    let made = tokio::task::spawn_blocking(move || make(&kind, &files)).await.map_err(|error| {
        let what = format!("处理{}时出错", purpose.name());
        DeliverError::new(ErrorKind::Content, Retry::Never, what, "请报告这个缺陷").caused_by(error)
    })?;
    Ok(made.map_err(|fault| format!("{}{fault}", purpose.name())))
}

fn make(purpose: &Purpose, files: &[Option<Vec<u8>>; 2]) -> Result<Picture, String> {
    let (first, second) = (files[0].as_deref(), files[1].as_deref());
    match purpose {
        Purpose::Cover(..) => {
            let cover = picture::compose(first, second)?;
            let crops = Some((cover.wide_crop, cover.square_crop));
            Ok(Picture::Ready { fitted: cover.picture, crops })
        }
        Purpose::Text(_) | Purpose::Message(_) => {
            let limit = match purpose {
                Purpose::Text(_) => picture::BODY_BYTES,
                _ => picture::MATERIAL_BYTES,
            };
            let fitted = picture::fit(first.unwrap_or_default(), limit)?;
            Ok(Picture::Ready { fitted, crops: None })
        }
    }
}

/// Puts a picture on the platform, unless it is there.
pub(super) async fn upload(
    purpose: &Purpose,
    picture: Picture,
    client: &Client,
    books: &dyn Books,
) -> Result<Stored, DeliverError> {
    let (fitted, crops) = match picture {
        Picture::There(stored) => return Ok(stored),
        Picture::Ready { fitted, crops } => (fitted, crops),
    };
    let name = format!("{}.{}", &Digest::of(&fitted.bytes).to_string()[..16], fitted.extension());
    let body = Body::File { name, media_type: fitted.media_type, bytes: &fitted.bytes };
    let effect = Effect::Repeatable;
    let reference = if let Purpose::Text(_) = purpose {
        let call = "media/uploadimg";
        let answer = client.call(&Request { call, query: &[], body, effect }, books).await?;
        books.reached("wechat.uploadimg.sent");
        // Taken as it comes: real answers have had blanks in the address.
        client::understood::<UrlReply>(call, answer, effect)?.url.trim().to_owned()
    } else {
        let call = "material/add_material";
        let query = &[("type", "image")];
        let answer = client.call(&Request { call, query, body, effect }, books).await?;
        books.reached("wechat.material.sent");
        client::understood::<MediaReply>(call, answer, effect)?.media_id
    };
    if reference.is_empty() {
        let what = format!("上传{}后，平台没有给出地址", purpose.name());
        let pause = Retry::After(Duration::from_secs(30));
        return Err(DeliverError::new(ErrorKind::Protocol, pause, what, "稍后会自动再试"));
    }
    let note = fitted.note.map(|note| format!("{}：{note}", purpose.name()));
    let stored = Stored { reference, note, crops };
    let text = serde_json::to_string(&stored).map_err(|error| {
        let what = format!("{}的上传结果写不成 JSON", purpose.name());
        DeliverError::new(ErrorKind::Protocol, Retry::Never, what, "请报告这个缺陷")
            .caused_by(error)
    })?;
    books.write(Scope::Channel, &purpose.step(), &text).await?;
    books.reached("wechat.picture.recorded");
    Ok(stored)
}

/// Forgets a picture that somebody deleted from the platform, so that it is uploaded again.
pub(super) async fn forget(purpose: &Purpose, books: &dyn Books) -> Result<(), DeliverError> {
    Ok(books.write(Scope::Channel, &purpose.step(), "").await?)
}
