//! Parcels as `work` would make them.

use super::books::MemoryBooks;
use caishi::{
    deliver::Parcel,
    model::{
        Audience, CampaignId, ChannelId, DeliveryKey, Digest, LessonId, Listing, MediaType,
        Message, OutputKind, Window,
    },
};
use jiff::{Timestamp, civil::date};

/// A moment in Beijing time, such as `2026-11-30T08:00`.
pub fn shanghai(text: &str) -> Timestamp {
    format!("{text}+08:00[Asia/Shanghai]").parse::<jiff::Zoned>().unwrap().timestamp()
}

/// A file of a parcel, put into the books.
pub fn sample_file(books: &MemoryBooks, path: &str, bytes: &[u8]) -> Listing {
    Listing {
        path: path.to_owned(),
        lesson: Some(LessonId::new("screen-share-scam").unwrap()),
        output: OutputKind::Screen,
        audience: Audience::General,
        profile: None,
        branch: None,
        media_type: MediaType::Png,
        bytes: bytes.len() as u64,
        sha256: books.add_file(bytes),
    }
}

/// A delivery of the `number`-th campaign to `target`: three files, two of its own and one that
/// all campaigns share, and one message.
pub fn parcel(books: &MemoryBooks, channel: &ChannelId, target: &str, number: u32) -> Parcel {
    let text = format!("{channel} {target} {number}");
    let files = vec![
        sample_file(books, "screen/poster.png", format!("poster of {text}").as_bytes()),
        sample_file(books, "screen/网点/东门支行.png", format!("branch of {text}").as_bytes()),
        sample_file(books, "shared/hotlines.png", b"hotlines"),
    ];
    let occurrence = format!("weekly-{number}@2026-11-30T00:00:00Z");
    let manifest = Digest::of(text.as_bytes());
    let message = Message {
        lesson: LessonId::new("screen-share-scam").unwrap(),
        audience: Audience::General,
        title: "正规客服不会要你“共享屏幕”".to_owned(),
        author: "山城示范银行".to_owned(),
        digest_text: "先挂断，再拨官方电话。".to_owned(),
        source_url: "https://edu.shancheng.example/q/screen-share-scam".to_owned(),
        content: None,
        text: None,
        cover_wide: None,
        cover_square: None,
        pictures: Vec::new(),
    };
    Parcel {
        key: DeliveryKey::new(&occurrence, channel, target, &manifest),
        delivery: format!("d-{number}"),
        campaign: CampaignId::new(&format!("weekly-{number}/2026")).unwrap(),
        occurrence,
        slot: shanghai("2026-11-30T08:00"),
        target: target.to_owned(),
        number: format!("消保审〔2026〕{number} 号"),
        window: Window { from: date(2026, 11, 30), until: date(2026, 12, 6) },
        branches: None,
        files,
        messages: vec![message],
    }
}
