//! The file of a campaign series as text: one edition changed or added, the rest left as it is.

use super::{Publisher, WorkError, campaigns::Draft, content_file};
use crate::{
    model::{
        Campaign, CampaignId, ChannelId, Digest, Edition, LessonId, Misfire, OnBlackout,
        ScheduleEntry, TopicId, schedule::DEFAULT_GRACE,
    },
    read,
    store::AuditRow,
};
use std::{io, path::PathBuf};

/// A text as TOML writes it: JSON's escapes are TOML's.
fn quoted(text: &str) -> String {
    serde_json::to_string(text).unwrap_or_default()
}

fn list<'a>(items: impl Iterator<Item = &'a str>) -> String {
    let items: Vec<String> = items.map(quoted).collect();
    if items.len() <= 4 {
        return format!("[{}]", items.join(", "));
    }
    format!("[\n  {},\n]", items.join(",\n  "))
}

/// The `[[edition]]` table of an edition.
fn table(edition: &Edition) -> String {
    let Edition { id, name, theme, from, until, lessons, topics, palette, note, reach, schedules } =
        edition;
    let mut lines = vec![
        "[[edition]]".to_owned(),
        format!("id = {}", quoted(&id.edition)),
        format!("name = {}", quoted(name)),
        format!("theme = {}", quoted(theme)),
        format!("from = {from}"),
        format!("until = {until}"),
        format!("lessons = {}", list(lessons.iter().map(LessonId::as_str))),
        format!("topics = {}", list(topics.iter().map(TopicId::as_str))),
    ];
    let mut some = |key: &str, values: Vec<&str>| {
        if !values.is_empty() {
            lines.push(format!("{key} = {}", list(values.into_iter())));
        }
    };
    some("channels", reach.channels.iter().map(ChannelId::as_str).collect());
    some("audiences", reach.audiences.iter().map(|audience| audience.as_str()).collect());
    some("districts", reach.districts.iter().map(String::as_str).collect());
    some("tags", reach.tags.iter().map(String::as_str).collect());
    if let Some(palette) = palette {
        lines.push(format!("palette = {}", quoted(palette)));
    }
    lines.push(format!("note = {}", quoted(note)));
    for schedule in schedules {
        lines.extend(schedule_table(schedule));
    }
    lines.join("\n") + "\n"
}

/// The `[[edition.schedule]]` table of a schedule; what is as it would be anyway is left out.
fn schedule_table(schedule: &ScheduleEntry) -> Vec<String> {
    let mut lines = vec![
        String::new(),
        "[[edition.schedule]]".to_owned(),
        format!("id = {}", quoted(schedule.id.as_str())),
        format!("rule = {}", quoted(&schedule.rule)),
    ];
    let mut some = |differs: bool, line: String| {
        if differs {
            lines.push(line);
        }
    };
    let channels = list(schedule.channels.iter().map(ChannelId::as_str));
    some(!schedule.channels.is_empty(), format!("channels = {channels}"));
    let number = schedule.lessons_per_slot;
    some(number != 1, format!("lessons_per_slot = {number}"));
    some(schedule.workdays_only, "workdays_only = true".to_owned());
    let blackout = quoted(schedule.on_blackout.as_str());
    some(schedule.on_blackout != OnBlackout::Skip, format!("on_blackout = {blackout}"));
    let misfire = quoted(schedule.misfire.as_str());
    some(schedule.misfire != Misfire::RunLatest, format!("misfire = {misfire}"));
    let grace = quoted(&format!("{:#}", schedule.grace));
    some(schedule.grace != DEFAULT_GRACE, format!("grace = {grace}"));
    some(!schedule.enabled, "enabled = false".to_owned());
    lines
}

/// The file with the draft's edition in it; everything else stays as it is, comments included.
pub(super) fn compose(before: Option<&str>, draft: &Draft) -> String {
    let own = table(&draft.edition);
    let Some(before) = before else {
        let id = quoted(&draft.edition.id.series);
        let (name, description) = (quoted(&draft.series_name), quoted(&draft.description));
        return format!("id = {id}\nname = {name}\ndescription = {description}\n\n{own}");
    };
    // Whoever checks the draft has seen that a new edition takes no other's place.
    let replaced = draft.replaces.as_ref().unwrap_or(&draft.edition.id);
    let lines: Vec<&str> = before.lines().collect();
    let is_header = |line: &str| line.trim_end() == "[[edition]]";
    let starts: Vec<usize> = (0..lines.len()).filter(|index| is_header(lines[*index])).collect();
    for (number, start) in starts.iter().enumerate() {
        let end = starts.get(number + 1).copied().unwrap_or(lines.len());
        let read = lines[*start + 1..end].join("\n").parse::<toml::Table>();
        let id = read.ok().and_then(|table| table.get("id")?.as_str().map(str::to_owned));
        if id.as_deref() != Some(replaced.edition.as_str()) {
            continue;
        }
        // Blank lines and comments at the end belong to what follows.
        let loose = |line: &str| line.trim().is_empty() || line.starts_with('#');
        let body = lines[*start..end].iter().rposition(|line| !loose(line)).unwrap_or(0);
        let mut text = lines[..*start].join("\n");
        if !text.is_empty() {
            text.push('\n');
        }
        text.push_str(&own);
        let rest = lines[*start + body + 1..].join("\n");
        text.push_str(&rest);
        return if text.ends_with('\n') { text } else { text + "\n" };
    }
    format!("{}\n\n{own}", before.trim_end())
}

impl Publisher {
    /// The file of a series and its digest; an empty digest where there is none.
    ///
    /// # Errors
    /// [`WorkError::File`] where it cannot be read.
    pub fn campaign_file(&self, series: &str) -> Result<(Option<String>, String), WorkError> {
        let path = self.campaign_path(series);
        let Some(bytes) = content_file::bytes_of(&path)? else { return Ok((None, String::new())) };
        let digest = Digest::of(&bytes).to_string();
        let text = String::from_utf8(bytes).map_err(|error| WorkError::File {
            path,
            source: io::Error::new(io::ErrorKind::InvalidData, error),
        })?;
        Ok((Some(text), digest))
    }

    /// A series as its file says now, and the digest of the file; `None` where it cannot be read.
    /// What is shown to somebody who edits and what their change is compared with are the same.
    ///
    /// # Errors
    /// [`WorkError::File`].
    pub fn campaign_now(&self, series: &str) -> Result<(Option<Campaign>, String), WorkError> {
        let (text, digest) = self.campaign_file(series)?;
        let campaign = text.and_then(|text| read::read_campaign(series, &text).0);
        Ok((campaign, digest))
    }

    /// Who saved an edition of a series last, and when; `None` where nobody did here.
    ///
    /// # Errors
    /// The ledger's.
    pub async fn campaign_saved(&self, id: &CampaignId) -> Result<Option<AuditRow>, WorkError> {
        let subject = [format!("campaign/{id}")];
        Ok(self.store.trail_of(&subject, &["campaign.save"]).await?.into_iter().next())
    }

    pub(super) fn campaign_path(&self, series: &str) -> PathBuf {
        // A series is an identifier: it cannot leave the folder.
        self.config.content.join("campaigns").join(format!("{series}.toml"))
    }
}
