//! A channel's table and a parcel, as tests want them.

use crate::behaviour::books::MemoryBooks;
use caishi::{
    config::{ChannelEntry, PublishMode},
    deliver::{BuildContext, Egress, Parcel, wechat::config::WechatConfig},
    model::{
        Audience, CampaignId, ChannelId, DeliveryKey, Digest, LessonId, Listing, MediaType,
        Message, OutputKind, Window,
    },
};
use jiff::{Timestamp, civil::date};
use std::io::Cursor;

pub const APP_ID: &str = "wx0a1b2c3d4e5f6071";

/// Ten in the morning of a Monday, in Shanghai.
pub const MORNING: &str = "2026-09-07T02:00:00Z";

pub fn moment(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// A `[channel.wechat]` table with these keys besides `app_id`.
pub fn entry(settings: &str) -> ChannelEntry {
    let mut settings: toml::Table = toml::from_str(settings).unwrap();
    settings.entry("app_id").or_insert(APP_ID.into());
    ChannelEntry {
        id: ChannelId::new("wechat").unwrap(),
        kind: "wechat".into(),
        sandbox: true,
        mode: PublishMode::Publish,
        outputs: vec![OutputKind::Article],
        audiences: vec![Audience::General],
        settings,
    }
}

pub fn context(sandbox: &str) -> BuildContext {
    BuildContext {
        folder: "/nonexistent".into(),
        egress: Egress::LoopbackOnly,
        sandbox: Some(sandbox.parse().unwrap()),
        rehearsal: None,
    }
}

pub fn checked(settings: &str) -> WechatConfig {
    WechatConfig::read(&entry(settings), &context("http://127.0.0.1:1")).unwrap()
}

/// A picture in this format; `noise` makes it hard to compress.
pub fn picture(width: u32, height: u32, noise: bool, format: image::ImageFormat) -> Vec<u8> {
    let mut seed = 1_u32;
    let picture = image::RgbImage::from_fn(width, height, |x, y| {
        seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let value = if noise { (seed >> 24) as u8 } else { (x / 8 + y / 8) as u8 };
        image::Rgb([value, value.wrapping_mul(3), 200])
    });
    let mut bytes = Cursor::new(Vec::new());
    image::DynamicImage::ImageRgb8(picture).write_to(&mut bytes, format).unwrap();
    bytes.into_inner()
}

/// One line of a parcel's files.
pub fn listing(path: &str, media_type: MediaType, bytes: &[u8]) -> Listing {
    Listing {
        path: path.into(),
        lesson: None,
        output: OutputKind::Article,
        audience: Audience::General,
        profile: None,
        branch: None,
        media_type,
        bytes: bytes.len() as u64,
        sha256: Digest::of(bytes),
    }
}

pub fn message(title: &str) -> Message {
    Message {
        lesson: LessonId::new("screen-sharing").unwrap(),
        audience: Audience::General,
        title: title.into(),
        author: "山城示范银行".into(),
        digest_text: "正规客服不会要你共享屏幕。".into(),
        source_url: "https://edu.shancheng.example/q/screen-sharing/bank".into(),
        content: None,
        text: None,
        cover_wide: None,
        cover_square: None,
        pictures: Vec::new(),
    }
}

pub fn empty_parcel() -> Parcel {
    let digest = Digest::of(b"manifest");
    let channel = ChannelId::new("wechat").unwrap();
    Parcel {
        key: DeliveryKey::new("weekly/2026-09-07", &channel, APP_ID, &digest),
        delivery: "d-1".into(),
        campaign: CampaignId::new("weekly/2026").unwrap(),
        occurrence: "weekly/2026-09-07T10:00".into(),
        slot: moment(MORNING),
        target: APP_ID.into(),
        number: "2026-0001".into(),
        window: Window { from: date(2026, 9, 1), until: date(2026, 9, 30) },
        branches: None,
        files: Vec::new(),
        messages: Vec::new(),
    }
}

/// A parcel of so many articles, each with a picture of its own and the same covers; its files
/// are in the books.
pub fn articles(books: &MemoryBooks, titles: &[&str]) -> Parcel {
    let mut parcel = empty_parcel();
    let png = image::ImageFormat::Png;
    let file = |parcel: &mut Parcel, path: &str, kind: MediaType, bytes: &[u8]| {
        let line = listing(path, kind, bytes);
        if !parcel.files.contains(&line) {
            parcel.files.push(line);
        }
        books.add_file(bytes)
    };
    for (number, title) in titles.iter().enumerate() {
        let side = 40 + number as u32;
        let drawing = picture(side, side, false, png);
        let drawing = file(&mut parcel, &format!("{number}.png"), MediaType::Png, &drawing);
        let wide = picture(470, 200, false, png);
        let square = picture(300, 300, false, png);
        let mut message = message(title);
        message.cover_wide = Some(file(&mut parcel, "cover-235.png", MediaType::Png, &wide));
        message.cover_square = Some(file(&mut parcel, "cover-1.png", MediaType::Png, &square));
        message.pictures = vec![drawing];
        let html = format!(
            "<section style=\"font-size:16px;color:#333\"><p>{title}：正规客服<strong>不会</strong>\
             要你共享屏幕。</p><img style=\"width:100%\" src=\"caishi-slot:{drawing}\" \
             alt=\"一只手挡住手机\"><p>转账 &lt;1 分钟&gt; 也要想一想。</p></section>"
        );
        let path = format!("{number}.html");
        message.content = Some(file(&mut parcel, &path, MediaType::Html, html.as_bytes()));
        parcel.messages.push(message);
    }
    parcel
}
