//! `[schedule.<id>]`: when a campaign's lessons go out.

use super::{
    channel::Channels,
    table::{Table, shorten},
};
use crate::model::{
    CampaignId, ChannelId, Misfire, OnBlackout, ScheduleEntry, ScheduleId,
    schedule::{DEFAULT_GRACE, DEFAULT_ZONE, parse_grace, parse_rule},
    suggest,
};
use jiff::tz::TimeZone;

pub(super) fn read(root: &Table<'_>, channels: &Channels) -> Vec<ScheduleEntry> {
    let tables = root.tables_by_name("schedule");
    tables.iter().filter_map(|(name, table)| read_one(name, table, channels)).collect()
}

fn read_one(name: &str, table: &Table<'_>, channels: &Channels) -> Option<ScheduleEntry> {
    let id =
        ScheduleId::new(name).map_err(|error| table.fault("排期的名字", error.to_string())).ok();
    let campaign =
        table.required_parsed("campaign", "写活动和届，例如 routine/weekly", |text| {
            CampaignId::new(text).map_err(|_| {
                format!("“{}”不是活动；写 活动/届，例如 routine/weekly", shorten(text))
            })
        });
    let rule = table.required_parsed("rule", "例如 0 8 * * MON 是每周一 8:00", |text| {
        parse_rule(text).map(|_| text.to_owned())
    });
    let time_zone = table.parsed("time_zone", zone);
    let time_zone =
        if table.has("time_zone") { time_zone } else { TimeZone::get(DEFAULT_ZONE).ok() };
    let misfire = table.parsed("misfire", Misfire::from_name);
    let grace = table.parsed("grace", parse_grace);
    let on_blackout = table.parsed("on_blackout", OnBlackout::from_name);
    let lessons_per_slot = table.number("lessons_per_slot", 1, 50);
    let workdays_only = table.flag("workdays_only");
    let enabled = table.flag("enabled");
    let targets = read_channels(table, channels);
    table.finish();
    table.is_sound().then_some(ScheduleEntry {
        id: id?,
        campaign: campaign?,
        rule: rule?,
        time_zone: time_zone?,
        misfire: misfire.unwrap_or(Misfire::RunLatest),
        grace: grace.unwrap_or(DEFAULT_GRACE),
        channels: targets?,
        lessons_per_slot: usize::from(lessons_per_slot.unwrap_or(1)),
        on_blackout: on_blackout.unwrap_or(OnBlackout::Skip),
        workdays_only: workdays_only.unwrap_or_default(),
        enabled: enabled.unwrap_or(true),
    })
}

fn read_channels(table: &Table<'_>, channels: &Channels) -> Option<Vec<ChannelId>> {
    let names = || channels.names.iter().map(String::as_str);
    if !table.has("channels") {
        table.fault("channels", format!("没有写；{}", suggest::known("", names())));
    }
    let list = table.list("channels", |text| match ChannelId::new(text) {
        Ok(id) if channels.names.iter().any(|name| name == text) => Ok(id),
        _ => Err(format!("没有渠道“{}”；{}", shorten(text), suggest::known(text, names()))),
    })?;
    if list.is_empty() && table.is_sound() {
        table.fault("channels", format!("是空的；{}", suggest::known("", names())));
    }
    Some(list)
}

fn zone(text: &str) -> Result<TimeZone, String> {
    // A zone without a name, such as a POSIX rule, could not be shown to people.
    match TimeZone::get(text) {
        Ok(zone) if zone.iana_name().is_some() => Ok(zone),
        _ => Err(format!("没有时区“{}”；写 Asia/Shanghai 这样的名字", shorten(text))),
    }
}
