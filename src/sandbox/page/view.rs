//! What the templates see, and how pictures are cut.

use crate::sandbox::{
    clock,
    wechat::{self, Account, Article},
};
use jiff::Timestamp;
use serde::Serialize;

/// A page that says one thing.
#[derive(Debug, Serialize)]
pub(super) struct Message<'a> {
    pub title: &'a str,
    pub text: &'a str,
}

/// A picture in a frame: how it is laid so that the frame shows what was cut out.
#[derive(Debug, Serialize)]
pub(super) struct Crop {
    pub src: String,
    pub style: String,
}

/// Which frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Frame {
    /// 2.35:1.
    Wide,
    /// 1:1.
    Square,
}

/// An article's cover in a frame.
pub(super) fn cover(account: &Account, article: &Article, frame: Frame) -> Option<Crop> {
    let material = account.materials.get(&article.thumb_media_id);
    // The address outlives the material: what is out keeps its cover.
    let url = material.map_or(article.thumb_url.as_str(), |material| material.url.as_str());
    let src = wechat::local_path(url)?;
    let cut = match frame {
        Frame::Wide => &article.cover.wide,
        Frame::Square => &article.cover.square,
    };
    let style = match wechat::corners(cut) {
        Some([x1, y1, x2, y2]) => {
            let (width, height) = (x2 - x1, y2 - y1);
            format!(
                "position:absolute;width:{:.3}%;height:{:.3}%;left:{:.3}%;top:{:.3}%",
                100.0 / width,
                100.0 / height,
                -100.0 * x1 / width,
                -100.0 * y1 / height,
            )
        }
        None => "position:absolute;width:100%;height:100%;object-fit:cover".to_owned(),
    };
    Some(Crop { src, style })
}

/// The pictures of a picture message.
pub(super) fn pictures(account: &Account, article: &Article) -> Vec<String> {
    article
        .images
        .iter()
        .filter_map(|media_id| account.materials.get(media_id))
        .filter_map(|material| wechat::local_path(&material.url))
        .collect()
}

/// A moment, as people there write it.
pub(super) fn moment(at: Timestamp) -> String {
    clock::civil(at).strftime("%-m月%-d日 %H:%M").to_string()
}

/// A moment to the second.
pub(super) fn second(at: Timestamp) -> String {
    clock::civil(at).strftime("%m-%d %H:%M:%S").to_string()
}
