//! What players tell: plays, files they have, how they are.

use super::{Played, document::read_local, xml::Element};
use crate::model::Digest;
use serde::Deserialize;
use std::collections::BTreeMap;

/// Longest line of a log that is kept, in characters.
const LOG_LINE: usize = 500;
/// Most lines of one call.
const LOG_LINES: usize = 200;

/// Which posters a player has.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Inventory {
    /// Whole.
    pub complete: Vec<Digest>,
    /// Not yet.
    pub missing: Vec<Digest>,
}

/// How a player is.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PlayerStatus {
    /// The poster that it shows; `None` for the card or an unknown layout.
    pub standing: Option<Digest>,
    /// Free space of its disk, in bytes.
    pub free_bytes: Option<u64>,
    /// What it calls itself.
    pub device: String,
}

/// Numbers of media and layouts, and the posters they stand for.
pub(super) type Numbers = BTreeMap<u32, Digest>;

/// Plays, and how many lines were left out because nobody knows what they speak of.
///
/// Players tell of a play twice, as layout and as media; the layout counts, because every layout
/// is one poster.
pub(super) fn plays(document: &str, numbers: &Numbers) -> Option<(Vec<Played>, usize)> {
    let stats = Element::parse(document)?;
    let layouts = stats.children.iter().filter(|stat| {
        stat.name == "stat" && stat.attribute("type").eq_ignore_ascii_case("layout")
    });
    let (mut played, mut unknown) = (Vec::new(), 0);
    for stat in layouts {
        match play(stat, numbers) {
            Some(play) => played.push(play),
            None => unknown += 1,
        }
    }
    Some((played, unknown))
}

fn play(stat: &Element, numbers: &Numbers) -> Option<Played> {
    let sha256 = *numbers.get(&stat.attribute("layoutid").parse().ok()?)?;
    let from = read_local(stat.attribute("fromdt"))?;
    let until = read_local(stat.attribute("todt"))?;
    let count = stat.attribute("count").parse().unwrap_or(1);
    (from <= until).then_some(Played { sha256, from, until, count })
}

/// The files of an inventory that are posters. Some players wrap the document in CDATA as text.
pub(super) fn inventory(document: &str, numbers: &Numbers) -> Option<Inventory> {
    let document = document.trim();
    let inner = document.strip_prefix("<![CDATA[").and_then(|rest| rest.strip_suffix("]]>"));
    let files = Element::parse(inner.unwrap_or(document))?;
    let mut inventory = Inventory::default();
    for file in files.children.iter().filter(|file| file.attribute("type") == "media") {
        let known = file.attribute("id").parse().ok().and_then(|id: u32| numbers.get(&id));
        match (known, file.attribute("complete")) {
            (Some(sha256), "1") => inventory.complete.push(*sha256),
            (Some(sha256), _) => inventory.missing.push(*sha256),
            (None, _) => {}
        }
    }
    Some(inventory)
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct StatusWire {
    current_layout_id: serde_json::Value,
    available_space: Option<f64>,
    device_name: Option<String>,
}

/// How a player is.
pub(super) fn status(json: &str, numbers: &Numbers) -> Option<PlayerStatus> {
    let wire: StatusWire = serde_json::from_str(json).ok()?;
    // Some players write the number as text.
    let text = wire.current_layout_id.as_str().map(str::to_owned);
    let text = text.unwrap_or_else(|| wire.current_layout_id.to_string());
    let standing = text.parse().ok().and_then(|id: u32| numbers.get(&id)).copied();
    let free_bytes = wire.available_space.filter(|free| *free >= 0.0).map(|free| free as u64);
    let device = wire.device_name.unwrap_or_default().chars().take(80).collect();
    Some(PlayerStatus { standing, free_bytes, device })
}

/// The lines of a log, cut short.
pub(super) fn log(document: &str) -> Option<Vec<String>> {
    let logs = Element::parse(document)?;
    let line = |log: &Element| {
        let words = [log.attribute("date"), log.attribute("category"), log.text_of("message")];
        let line = words.join(" ").trim().to_owned();
        line.chars().take(LOG_LINE).collect::<String>()
    };
    Some(logs.children.iter().take(LOG_LINES).map(line).collect())
}
