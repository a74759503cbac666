//! The documents inside the answers.

use super::{
    plan::{Plan, PlannedPoster, number},
    xml::escape,
};
use crate::model::{Digest, bank_zone};
use jiff::{SignedDuration, Timestamp};
use std::fmt::Write as _;

/// How often players ask, in seconds: as often as branches poll.
const COLLECT_SECONDS: u32 = 300;
/// The only region and the only widget of a layout.
pub(super) const REGION: &str = "1";

/// A file that a player must have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct File {
    pub kind: &'static str,
    pub id: u32,
    pub bytes: u64,
    pub md5: String,
    pub name: String,
}

/// The card of a screen: its layout, and the picture in it where there is one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct CardFiles {
    pub layout_id: u32,
    pub media_id: u32,
    /// Whether the media is a picture; otherwise it is a page of words, got by `GetResource`.
    pub picture: bool,
}

impl CardFiles {
    /// Numbers that change with the card's words, its shape and its picture.
    pub(super) fn of(plan: &Plan, picture: Option<Digest>) -> Self {
        let shape = [plan.screen.width, plan.screen.height].map(u32::to_le_bytes).concat();
        let words = [plan.bank.as_bytes(), plan.branch.as_bytes(), plan.hotline.as_bytes()];
        let drawn = picture.map(|digest| *digest.as_bytes()).unwrap_or_default();
        let fields = [words[0], words[1], words[2], &shape, &drawn[..]];
        let digest = Digest::of_fields(fields);
        let layout_id = number(&Digest::of_fields([&b"card"[..], digest.as_bytes()]));
        Self { layout_id, media_id: number(&digest), picture: picture.is_some() }
    }
}

/// A moment as players read it: local, without a zone.
pub(super) fn local(moment: Timestamp) -> String {
    moment.to_zoned(bank_zone()).strftime("%Y-%m-%d %H:%M:%S").to_string()
}

/// The same, read.
pub(super) fn read_local(text: &str) -> Option<Timestamp> {
    let moment: jiff::civil::DateTime = text.trim().replacen(' ', "T", 1).parse().ok()?;
    moment.to_zoned(bank_zone()).ok().map(|zoned| zoned.timestamp())
}

/// The answer to `RegisterDisplay` of a player with a screen.
pub(super) fn ready(plan: &Plan, now: Timestamp, files: &str, schedule: &str) -> String {
    let check = |text: &str| Digest::of(text.as_bytes()).to_string()[..16].to_owned();
    let date = local(now);
    let mut text = format!(
        "<display status=\"0\" code=\"READY\" message=\"可以播放\" date=\"{date}\" \
         timezone=\"Asia/Shanghai\" localTimezone=\"Asia/Shanghai\" localDate=\"{date}\" \
         version_instructions=\"\" checkRf=\"{}\" checkSchedule=\"{}\">",
        check(files),
        check(schedule)
    );
    let name = format!("{} {}", plan.branch, plan.screen.screen);
    let (width, height) = (plan.screen.width.to_string(), plan.screen.height.to_string());
    let settings = [
        ("collectInterval", COLLECT_SECONDS.to_string()),
        ("statsEnabled", "1".to_owned()),
        ("aggregationLevel", "Individual".to_owned()),
        ("logLevel", "error".to_owned()),
        ("displayName", name),
        ("displayTimeZone", "Asia/Shanghai".to_owned()),
        ("xmrNetworkAddress", String::new()),
        ("preventSleep", "1".to_owned()),
        ("screenShotRequestInterval", "0".to_owned()),
        ("screenShotRequested", "0".to_owned()),
        ("embeddedServerPort", "9696".to_owned()),
        ("sizeX", width),
        ("sizeY", height),
        ("offsetX", "0".to_owned()),
        ("offsetY", "0".to_owned()),
    ];
    for (name, value) in settings {
        let _ = write!(text, "<{name} type=\"string\">{}</{name}>", escape(&value));
    }
    text.push_str("</display>");
    text
}

/// The answer to `RegisterDisplay` of a player without a screen.
pub(super) fn waiting() -> String {
    "<display status=\"2\" code=\"WAITING\" message=\"已登记，等总行把它分配给网点的屏幕\"></display>"
        .to_owned()
}

/// The answer to `RequiredFiles`, without the moment it was made at.
pub(super) fn files(files: &[File], purge: &[(u32, String)]) -> String {
    let mut text = String::new();
    for file in files {
        let name = escape(&file.name);
        // Layouts are told by number; the player names their files itself.
        let path = if file.kind == "layout" { file.id.to_string() } else { name.clone() };
        let _ = write!(
            text,
            "<file type=\"{}\" id=\"{}\" size=\"{}\" md5=\"{}\" download=\"xmds\" path=\"{path}\" \
             saveAs=\"{name}\"/>",
            file.kind, file.id, file.bytes, file.md5
        );
    }
    text.push_str("<purge>");
    for (id, name) in purge {
        let _ = write!(text, "<item id=\"{id}\" storedAs=\"{}\"/>", escape(name));
    }
    text.push_str("</purge>");
    text
}

/// Around [`files()`].
pub(super) fn files_document(inner: &str, now: Timestamp) -> String {
    let until = now.saturating_add(SignedDuration::from_hours(48)).unwrap_or(now);
    // The protocol spells it `fitler`.
    format!(
        "<files generated=\"{}\" fitlerFrom=\"{}\" fitlerTo=\"{}\">{inner}</files>",
        now.as_second(),
        local(now),
        local(until)
    )
}

/// The answer to `Schedule`.
pub(super) fn schedule(plan: &Plan, card: &CardFiles) -> String {
    let mut text = String::from("<schedule>");
    for event in &plan.events {
        // Players show a layout up to and including `todt`: the last second of a half-open window
        // is the one before its end. A window that begins within a second begins after it.
        let from = local(Timestamp::from_second(ceiling(event.from)).unwrap_or(event.from));
        let last = Timestamp::from_second(ceiling(event.until) - 1).unwrap_or(event.until);
        let name = plan.posters.iter().find(|poster| poster.layout_id == event.layout_id);
        let _ = write!(
            text,
            "<layout file=\"{id}\" fromdt=\"{from}\" todt=\"{}\" scheduleid=\"{}\" priority=\"{}\" \
             syncEvent=\"0\" shareOfVoice=\"0\" duration=\"{}\" isGeoAware=\"0\" geoLocation=\"\" \
             cyclePlayback=\"0\" groupKey=\"\" playCount=\"0\" maxPlaysPerHour=\"0\">\
             <dependants><file>{}</file></dependants></layout>",
            local(last),
            event.schedule_id,
            event.priority,
            plan.screen.dwell_s,
            name.map(file_name).unwrap_or_default(),
            id = event.layout_id,
        );
    }
    let _ = write!(text, "<default file=\"{}\"/></schedule>", card.layout_id);
    text
}

fn ceiling(moment: Timestamp) -> i64 {
    moment.as_second() + i64::from(moment.subsec_nanosecond() > 0)
}

/// The name of a poster's file.
pub(super) fn file_name(poster: &PlannedPoster) -> String {
    format!("{}.{}", poster.media_id, poster.extension)
}

/// The layout of a poster: one picture over the whole screen, whole and not stretched.
pub(super) fn poster_layout(plan: &Plan, poster: &PlannedPoster) -> String {
    let options = format!(
        "<uri>{}</uri><scaleType>center</scaleType><align>center</align><valign>middle</valign>",
        file_name(poster)
    );
    layout(plan, "image", "native", poster.media_id, &options, "#0E3A4F")
}

/// The layout of the card.
pub(super) fn card_layout(plan: &Plan, card: &CardFiles) -> String {
    if card.picture {
        let options = format!(
            "<uri>{}.png</uri><scaleType>center</scaleType><align>center</align>\
             <valign>middle</valign>",
            card.media_id
        );
        return layout(plan, "image", "native", card.media_id, &options, "#F4EFE4");
    }
    layout(plan, "text", "html", card.media_id, "<effect>none</effect>", "#F4EFE4")
}

fn layout(plan: &Plan, kind: &str, render: &str, id: u32, options: &str, ground: &str) -> String {
    let (width, height) = (plan.screen.width, plan.screen.height);
    let seconds = plan.screen.dwell_s;
    format!(
        "<?xml version=\"1.0\"?>\n<layout width=\"{width}\" height=\"{height}\" bgcolor=\"{ground}\" \
         schemaVersion=\"3\" enableStat=\"1\"><region id=\"{REGION}\" width=\"{width}\" \
         height=\"{height}\" top=\"0\" left=\"0\" zindex=\"0\"><options/><media id=\"{id}\" \
         fileId=\"{id}\" duration=\"{seconds}\" useDuration=\"1\" type=\"{kind}\" \
         render=\"{render}\" enableStat=\"1\"><options>{options}</options><raw/></media></region>\
         <tags/></layout>\n"
    )
}

/// The card as a page of words.
pub(super) fn card_page(plan: &Plan) -> String {
    let unit = f64::from(plan.screen.width.min(plan.screen.height)) / 100.0;
    let hotline = if plan.hotline.is_empty() {
        String::new()
    } else {
        format!("<p class=\"call\">客服 <b>{}</b></p>", escape(&plan.hotline))
    };
    format!(
        "<!doctype html><html lang=\"zh-CN\"><head><meta charset=\"utf-8\"><style>\
         html,body{{margin:0;height:100%;background:#F4EFE4;color:#0B2230;\
         font-family:'Noto Sans CJK SC','Noto Sans SC','Microsoft YaHei',sans-serif}}\
         body{{box-sizing:border-box;padding:{pad:.0}px;display:flex;flex-direction:column;\
         justify-content:space-between}}p{{margin:0;font-size:{small:.0}px;line-height:1.4}}\
         h1{{margin:0;font-size:{large:.0}px;line-height:1.2}}.call b{{font-size:{large:.0}px}}\
         </style></head><body><p>{bank}</p><h1>欢迎光临</h1><div><p>{branch}</p>{hotline}</div>\
         </body></html>",
        pad = unit * 7.0,
        small = unit * 5.0,
        large = unit * 11.0,
        bank = escape(&plan.bank),
        branch = escape(&plan.branch),
    )
}
