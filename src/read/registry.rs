//! The registries that lessons refer to: topics and telephone numbers.

use super::{
    faults::Faults,
    fields::Fields,
    node::{self, Node},
    suggest,
};
use crate::model::{
    CampaignId, Hotline, HotlineId, HotlineKind, HotlineSet, Library, Topic, TopicId,
};

/// The registries and which of them can be trusted: where a registry file has a fault of its own,
/// lessons are not blamed for names it may have meant to hold.
#[derive(Debug, Clone, Copy)]
pub struct Registry<'a> {
    /// What was read.
    pub library: &'a Library,
    /// Whether `topics.toml` was read without a fault.
    pub topics_complete: bool,
    /// Whether `hotlines.toml` was read without a fault.
    pub hotlines_complete: bool,
    /// Whether every file of `campaigns/` was read without a fault.
    pub campaigns_complete: bool,
}

impl<'a> Registry<'a> {
    /// Registries without a fault.
    #[must_use]
    pub fn complete(library: &'a Library) -> Self {
        Self { library, topics_complete: true, hotlines_complete: true, campaigns_complete: true }
    }

    pub(super) fn topic(&self, text: &str) -> Result<TopicId, String> {
        let known = self.library.topics.iter().map(|topic| topic.id.as_str());
        match TopicId::new(text) {
            Ok(id) if !self.topics_complete || self.library.topic(&id).is_some() => Ok(id),
            _ => Err(suggest::known(text, known)),
        }
    }

    pub(super) fn hotline(&self, text: &str) -> Result<HotlineId, String> {
        let known = self.library.hotlines.iter().map(|hotline| hotline.id.as_str());
        match HotlineId::new(text) {
            Ok(id) if !self.hotlines_complete || self.library.hotline(&id).is_some() => Ok(id),
            _ => Err(suggest::known(text, known)),
        }
    }

    pub(super) fn campaign(&self, text: &str) -> Result<CampaignId, String> {
        match CampaignId::new(text) {
            Ok(id) if !self.campaigns_complete || self.library.edition(&id).is_some() => Ok(id),
            _ => {
                let editions =
                    self.library.campaigns.iter().flat_map(|campaign| &campaign.editions);
                let known: Vec<String> = editions.map(|edition| edition.id.to_string()).collect();
                Err(suggest::known(text, known.iter().map(String::as_str)))
            }
        }
    }

    /// The numbers of a named set. `Ok(None)` where the registry cannot be trusted.
    pub(super) fn set(&self, text: &str) -> Result<Option<&'a [HotlineId]>, String> {
        let sets = &self.library.hotline_sets;
        match sets.iter().find(|set| set.id == text) {
            Some(set) => Ok(Some(&set.hotlines)),
            None if !self.hotlines_complete => Ok(None),
            None => Err(suggest::known(text, sets.iter().map(|set| set.id.as_str()))),
        }
    }

    /// Sorts numbers as public material shows them; within one kind the author's order stays.
    pub(super) fn in_public_order(&self, mut hotlines: Vec<HotlineId>) -> Vec<HotlineId> {
        hotlines.sort_by_key(|id| self.library.hotline(id).map(|hotline| hotline.kind));
        hotlines
    }
}

/// Reads `topics.toml`.
pub(super) fn read_topics(faults: &mut Faults) -> Vec<Topic> {
    let root = node::from_toml(faults);
    let mut topics: Vec<Topic> = Vec::new();
    let Some(mut fields) = Fields::new(&root, "topics.toml", faults) else {
        return topics;
    };
    for item in tables(&mut fields, "topic") {
        let Some(mut entry) = Fields::new(item, "[[topic]]", fields.faults) else {
            continue;
        };
        let id = identifier(&mut entry, TopicId::new);
        let name = entry.required_text("name", "写主题的全名。");
        let tag = entry.required_text("tag", "写海报角标，4 到 5 个字。");
        let palette = entry.required_text("palette", "写配色名。");
        let department = entry.required_text("department", "写会签部门。");
        entry.finish();
        let (Some(id), Some(name), Some(tag), Some(palette), Some(department)) =
            (id, name, tag, palette, department)
        else {
            continue;
        };
        if topics.iter().any(|topic| topic.id == id) {
            twice(&mut fields, item, id.as_str());
            continue;
        }
        topics.push(Topic { id, name, tag, palette, department });
    }
    fields.finish();
    topics
}

/// Reads `hotlines.toml`.
pub(super) fn read_hotlines(faults: &mut Faults) -> (Vec<Hotline>, Vec<HotlineSet>) {
    let root = node::from_toml(faults);
    let mut hotlines: Vec<Hotline> = Vec::new();
    let mut sets: Vec<HotlineSet> = Vec::new();
    let Some(mut fields) = Fields::new(&root, "hotlines.toml", faults) else {
        return (hotlines, sets);
    };
    for item in tables(&mut fields, "hotline") {
        let Some(entry) = Fields::new(item, "[[hotline]]", fields.faults) else {
            continue;
        };
        match read_hotline(entry) {
            Some(hotline) if hotlines.iter().any(|other| other.id == hotline.id) => {
                twice(&mut fields, item, hotline.id.as_str());
            }
            Some(hotline) => hotlines.push(hotline),
            None => {}
        }
    }
    for item in tables(&mut fields, "set") {
        let Some(mut entry) = Fields::new(item, "[[set]]", fields.faults) else {
            continue;
        };
        let id = entry.required_text("id", "写这张电话表的名字。");
        entry.require("hotlines", "写电话的代号，例如 hotlines = [\"police\", \"bank\"]");
        let names = entry.texts("hotlines").unwrap_or_default();
        let mut members = Vec::new();
        for name in names {
            match hotlines.iter().find(|hotline| hotline.id.as_str() == name.value) {
                Some(hotline) => members.push((hotline.kind, hotline.id.clone())),
                None => entry.faults.error(
                    "read/unknown-name",
                    name.span,
                    format!("hotlines.toml 里没有电话“{}”", name.value),
                    suggest::known(&name.value, hotlines.iter().map(|hotline| hotline.id.as_str())),
                ),
            }
        }
        entry.finish();
        members.sort_by_key(|(kind, _)| *kind);
        if let Some(id) = id {
            let hotlines = members.into_iter().map(|(_, id)| id).collect();
            sets.push(HotlineSet { id, hotlines });
        }
    }
    fields.finish();
    (hotlines, sets)
}

fn read_hotline(mut entry: Fields<'_, '_>) -> Option<Hotline> {
    let id = identifier(&mut entry, HotlineId::new);
    let number = entry.required_text("number", "写要拨的号码。");
    let name = entry.required_text("name", "写电话的全名。");
    let short = entry.required_text("short", "写海报上的短名，2 到 4 个字。");
    let note = entry.text_or_empty("note");
    entry.require("kind", "写 emergency、advice、bank、regulator 或 city。");
    let kind = entry.parsed("kind", |text| match text {
        "emergency" => Ok(HotlineKind::Emergency),
        "advice" => Ok(HotlineKind::Advice),
        "bank" => Ok(HotlineKind::Bank),
        "regulator" => Ok(HotlineKind::Regulator),
        "city" => Ok(HotlineKind::City),
        other => Err(suggest::known(other, ["emergency", "advice", "bank", "regulator", "city"])),
    });
    let hours = entry.text_or_empty("hours");
    let source = entry.required_text("source", "写号码是从哪里查到的。");
    entry.require("verified_on", "写核对号码的日子，例如 verified_on = 2026-11-10");
    let verified_on = entry.date("verified_on");
    let verified_by = entry.required_text("verified_by", "写谁核对的。");
    let (file, span) = (std::sync::Arc::clone(entry.faults.file()), entry.span);
    entry.finish();
    Some(Hotline {
        id: id?,
        number: number?,
        name: name?,
        short: short?,
        note,
        kind: kind?.value,
        hours,
        source: source?,
        verified_on: verified_on?.value,
        verified_by: verified_by?,
        file,
        span,
    })
}

pub(super) fn tables<'n>(fields: &mut Fields<'n, '_>, key: &'static str) -> &'n [Node] {
    fields.items(key).unwrap_or_default()
}

pub(super) fn identifier<T, E>(
    entry: &mut Fields<'_, '_>,
    new: impl Fn(&str) -> Result<T, E>,
) -> Option<T> {
    entry.require("id", "写代号，只用小写字母、数字和连字符。");
    entry
        .parsed("id", |text| {
            new(text).map_err(|_| "只用小写字母、数字和连字符，以字母开头。".into())
        })
        .map(|id| id.value)
}

pub(super) fn identifiers<T, E>(
    entry: &mut Fields<'_, '_>,
    key: &'static str,
    new: impl Fn(&str) -> Result<T, E>,
) -> Vec<T> {
    let mut found = Vec::new();
    for text in entry.texts(key).unwrap_or_default() {
        match new(&text.value) {
            Ok(id) => found.push(id),
            Err(_) => entry.faults.error(
                "read/bad-value",
                text.span,
                format!("{key} 里的“{}”不是合格的代号", text.value),
                "只用小写字母、数字和连字符，以字母开头。".into(),
            ),
        }
    }
    found
}

pub(super) fn twice(fields: &mut Fields<'_, '_>, item: &Node, id: &str) {
    fields.faults.error(
        "read/duplicate-id",
        item.span,
        format!("代号“{id}”登记了两次"),
        "改掉或删掉其中一个。".into(),
    );
}
