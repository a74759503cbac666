//! `campaigns/`: series with editions, where each goes, and when.

use super::{
    faults::Faults,
    fields::Fields,
    node,
    registry::{identifier, identifiers, tables, twice},
};
use crate::model::{
    Audience, Campaign, CampaignId, ChannelId, Edition, LessonId, Misfire, OnBlackout, Reach,
    ScheduleEntry, ScheduleId, TopicId, bank_zone,
    schedule::{DEFAULT_GRACE, parse_grace, parse_rule},
    suggest,
};

/// Reads one file of `campaigns/`; `stem` is its name without `.toml`.
pub(super) fn read_campaign(stem: &str, faults: &mut Faults) -> Option<Campaign> {
    let root = node::from_toml(faults);
    let mut fields = Fields::new(&root, "活动", faults)?;
    fields.require("id", "写文件的名字，不带 .toml。");
    let id = fields.text("id");
    if let Some(id) = id.filter(|id| id.value != stem) {
        fields.faults.error(
            "read/id-mismatch",
            id.span,
            format!("活动的 id“{}”和文件名“{stem}.toml”不一致", id.value),
            "两处写成一样。".into(),
        );
    }
    let name = fields.required_text("name", "写活动的名字。");
    let description = fields.text_or_empty("description");
    let mut editions: Vec<Edition> = Vec::new();
    for item in tables(&mut fields, "edition") {
        let Some(entry) = Fields::new(item, "[[edition]]", fields.faults) else {
            continue;
        };
        match read_edition(stem, entry) {
            Some(edition) if editions.iter().any(|other| other.id == edition.id) => {
                twice(&mut fields, item, &edition.id.edition);
            }
            Some(edition) => editions.push(edition),
            None => {}
        }
    }
    fields.finish();
    editions.sort_by(|left, right| (left.from, &left.id).cmp(&(right.from, &right.id)));
    Some(Campaign { id: stem.to_owned(), name: name?, description, editions })
}

fn read_edition(stem: &str, mut entry: Fields<'_, '_>) -> Option<Edition> {
    entry.require("id", "写这一届的代号，例如 id = \"2026\"");
    let id = entry.parsed("id", |text| {
        CampaignId::new(&format!("{stem}/{text}"))
            .map_err(|_| "只用小写字母、数字和连字符，例如 2026。".into())
    });
    let name = entry.required_text("name", "写这一届的名字。");
    let theme = entry.text_or_empty("theme");
    for key in ["from", "until"] {
        entry.require(key, "写 from 和 until 两个日期，例如 from = 2026-09-01");
    }
    let from = entry.date("from");
    let until = entry.date("until");
    if let (Some(from), Some(until)) = (&from, &until)
        && until.value < from.value
    {
        entry.faults.error(
            "read/dates-reversed",
            until.span,
            format!("活动的 until（{}）早于 from（{}）", until.value, from.value),
            "检查两个日期的年份。".into(),
        );
    }
    let lessons = identifiers(&mut entry, "lessons", LessonId::new);
    // A rotation names the same lessons in the order in which they take turns.
    let rotation = identifiers(&mut entry, "rotation", LessonId::new);
    let topics = identifiers(&mut entry, "topics", TopicId::new);
    let palette = entry.text("palette").map(|palette| palette.value);
    let note = entry.text_or_empty("note");
    let reach = read_reach(&mut entry);
    let id = id.map(|id| id.value);
    let schedules = read_schedules(&mut entry, id.as_ref());
    entry.finish();
    Some(Edition {
        id: id?,
        name: name?,
        theme,
        from: from?.value,
        until: until?.value,
        lessons: if rotation.is_empty() { lessons } else { rotation },
        topics,
        palette,
        note,
        reach,
        schedules,
    })
}

/// The `[[edition.schedule]]` tables; whether their channels are there is for whoever plans it.
fn read_schedules(entry: &mut Fields<'_, '_>, of: Option<&CampaignId>) -> Vec<ScheduleEntry> {
    let mut schedules: Vec<ScheduleEntry> = Vec::new();
    for item in tables(entry, "schedule") {
        let Some(table) = Fields::new(item, "[[edition.schedule]]", entry.faults) else { continue };
        let Some(schedule) = read_schedule(table, of) else { continue };
        if schedules.iter().any(|other| other.id == schedule.id) {
            twice(entry, item, schedule.id.as_str());
        } else {
            schedules.push(schedule);
        }
    }
    schedules
}

fn read_schedule(mut table: Fields<'_, '_>, of: Option<&CampaignId>) -> Option<ScheduleEntry> {
    let id = identifier(&mut table, ScheduleId::new);
    table.require("rule", "例如 0 8 * * MON 是每周一 8:00。");
    let rule = table.parsed("rule", |text| parse_rule(text).map(|_| text.to_owned()));
    let channels = identifiers(&mut table, "channels", ChannelId::new);
    let misfire = table.parsed("misfire", Misfire::from_name);
    let grace = table.parsed("grace", parse_grace);
    let on_blackout = table.parsed("on_blackout", OnBlackout::from_name);
    let lessons_per_slot = table.parsed("lessons_per_slot", |text| match text.parse::<usize>() {
        Ok(number @ 1..=50) => Ok(number),
        _ => Err("写 1 到 50 的整数。".into()),
    });
    let workdays_only = table.flag("workdays_only").unwrap_or_default();
    let enabled = table.flag("enabled").unwrap_or(true);
    table.finish();
    Some(ScheduleEntry {
        id: id?,
        campaign: of?.clone(),
        rule: rule?.value,
        // The bank's own time, whatever the machine thinks.
        time_zone: bank_zone(),
        misfire: misfire.map_or(Misfire::RunLatest, |it| it.value),
        grace: grace.map_or(DEFAULT_GRACE, |it| it.value),
        channels,
        lessons_per_slot: lessons_per_slot.map_or(1, |it| it.value),
        on_blackout: on_blackout.map_or(OnBlackout::Skip, |it| it.value),
        workdays_only,
        enabled,
    })
}

/// Where an edition goes; whether there are such channels and branches is for whoever plans it.
fn read_reach(entry: &mut Fields<'_, '_>) -> Reach {
    let channels = identifiers(entry, "channels", ChannelId::new);
    let mut audiences = Vec::new();
    for text in entry.texts("audiences").unwrap_or_default() {
        match Audience::from_name(&text.value) {
            Some(audience) => audiences.push(audience),
            None => entry.faults.error(
                "read/bad-value",
                text.span,
                format!("没有读者“{}”", text.value),
                suggest::known(&text.value, Audience::ALL.iter().map(|one| one.as_str())),
            ),
        }
    }
    let mut words = |key| -> Vec<String> {
        entry.texts(key).unwrap_or_default().into_iter().map(|text| text.value).collect()
    };
    Reach { channels, audiences, districts: words("districts"), tags: words("tags") }
}
