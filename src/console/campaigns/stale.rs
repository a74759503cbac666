//! Two people edited one file: both versions, so that nobody's change is lost unseen.

use super::view::EditionView;
use crate::{
    console::{Desk, trouble::Trouble},
    model::{CampaignId, Edition},
    work::{clock, people::person_of_actor},
};
use axum::http::StatusCode;

/// What differs between what somebody typed and what the file says by now; `None` where the file is
/// the one that they have seen.
pub(super) async fn stale(
    desk: &Desk,
    view: &EditionView,
    id: &CampaignId,
) -> Result<Option<Trouble>, Trouble> {
    let publisher = desk.publisher();
    let (campaign, digest) = publisher.campaign_now(&id.series)?;
    if digest == view.seen.trim() {
        return Ok(None);
    }
    let by = match publisher.campaign_saved(id).await? {
        Some(row) => {
            let called = publisher.called().await?;
            let who = person_of_actor(&row.actor);
            let who = who.map_or_else(|| row.actor.clone(), |id| called.one(&id));
            format!("（最近一次保存：{who}，{}）", clock::shanghai(row.at).strftime("%m-%d %H:%M"))
        }
        None => String::new(),
    };
    let mut what = vec![format!(
        "campaigns/{}.toml 在你打开之后被别人改过{by}，没有保存，你写的还在下面。",
        id.series
    )];
    let edition = campaign.as_ref().and_then(|series| {
        series.editions.iter().find(|one| one.id == *id).map(|edition| (series, edition))
    });
    let differing = edition.map(|(series, edition)| {
        differing(&EditionView::of(series, edition, &digest), view, edition)
    });
    match differing {
        None => what.push("文件里现在没有这一期：别人改的是别的期次，或把它删了。".to_owned()),
        Some(lines) if lines.is_empty() => {
            what.push("这一期文件里现在和你写的一样，别人改的是别的期次。".to_owned());
        }
        Some(lines) => what.extend(lines),
    }
    what.push(
        "要用你写的，再按一次“保存”（会盖过上面列的）；要用文件里的，离开这一页。".to_owned(),
    );
    let next = "重新读一遍文件里的，再决定；程序请重新 GET 再改";
    Ok(Some(Trouble { what, ..Trouble::new(StatusCode::CONFLICT, "", next) }))
}

/// Field by field, where they differ.
fn differing(now: &EditionView, typed: &EditionView, edition: &Edition) -> Vec<String> {
    let list = |values: &[String]| values.join("、");
    [
        ("名字", now.name.clone(), typed.name.clone()),
        ("主题口号", now.theme.clone(), typed.theme.clone()),
        ("第一天", now.from.clone(), typed.from.clone()),
        ("最后一天", now.until.clone(), typed.until.clone()),
        ("课件", list(&now.lessons), list(&typed.lessons)),
        ("配色", now.palette.clone(), typed.palette.clone()),
        ("还不确定的事", now.note.clone(), typed.note.clone()),
        ("渠道", list(&now.channels), list(&typed.channels)),
        ("读者", list(&now.audiences), list(&typed.audiences)),
        ("片区", list(&now.districts), list(&typed.districts)),
        ("标签", list(&now.tags), list(&typed.tags)),
        ("什么时候发", now.schedule.in_words(edition), typed.schedule.in_words(edition)),
    ]
    .into_iter()
    .filter(|(_, now, typed)| now.trim() != typed.trim())
    .map(|(what, now, typed)| format!("{what}：文件里现在是“{now}”，你写的是“{typed}”"))
    .collect()
}
