//! Saving a campaign's file, what it was before each time, and taking that back.

use super::{
    Content, Publisher, WorkError,
    campaigns::{Draft, told, with_campaign},
    content_file,
};
use crate::{
    model::{Campaign, CampaignId, Digest, Edition},
    read,
    store::AuditSearch,
};
use jiff::Timestamp;
use std::collections::BTreeSet;

/// So many rows of the audit chain are looked through for a series' saves.
const ROWS: u32 = 200;

/// That somebody saved a series' file in the console.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Save {
    /// When.
    pub at: Timestamp,
    /// Who, as in the audit chain.
    pub actor: String,
    /// The editions that it was about, such as `routine/weekly`.
    pub editions: Vec<String>,
    /// What the file was before; `None` where there was none.
    pub before: Option<Digest>,
    /// What it became.
    pub after: Digest,
}

/// What is written and what it takes the place of.
struct Writing<'w> {
    series: &'w str,
    /// The editions that it is about.
    editions: Vec<CampaignId>,
    /// The text that it takes the place of, and its digest as it was seen; empty where there is
    /// none.
    before: Option<String>,
    seen: &'w str,
    text: &'w str,
}

impl Publisher {
    /// Writes a draft into its series' file. The text before is kept as a blob, and the audit row
    /// names both.
    ///
    /// # Errors
    /// [`WorkError::Refused`] where the file is no longer the one that was `seen` (its digest;
    /// empty for a new one); those of [`Publisher::with_draft`]; [`WorkError::File`].
    pub async fn save_campaign(
        &self,
        content: &Content,
        draft: &Draft,
        seen: &str,
        actor: &str,
    ) -> Result<(), WorkError> {
        let series = &draft.edition.id.series;
        let (before, digest) = self.campaign_file(series)?;
        if digest != seen {
            return Err(changed(series));
        }
        let (_, text) = self.with_draft(content, draft)?;
        self.may_be_renamed(content, draft).await?;
        let editions = vec![draft.edition.id.clone()];
        self.write_campaign(Writing { series, editions, before, seen, text: &text }, actor).await
    }

    /// What was saved of a series in the console, the newest first.
    ///
    /// # Errors
    /// The ledger's.
    pub async fn campaign_saves(&self, series: &str) -> Result<Vec<Save>, WorkError> {
        let prefix = format!("campaign/{series}/");
        let search = AuditSearch {
            words: prefix.clone(),
            from: None,
            until: None,
            before: i64::MAX,
            limit: ROWS,
        };
        let mut failed = BTreeSet::new();
        let mut saves: Vec<Save> = Vec::new();
        for row in self.store.audit_search(&search).await? {
            let Some(edition) = row.subject.strip_prefix(&prefix) else { continue };
            match row.action.as_str() {
                "campaign.save.failed" => {
                    failed.insert(row.subject);
                    continue;
                }
                "campaign.save" if !failed.remove(&row.subject) => {}
                _ => continue,
            }
            let (before, after) = digests(&row.after);
            let Some(after) = after else { continue };
            let edition = format!("{series}/{edition}");
            match saves.last_mut() {
                // One save of several editions has a row for each.
                Some(last)
                    if (last.before, last.after) == (before, after)
                        && last.actor == row.actor
                        && !last.editions.contains(&edition) =>
                {
                    last.editions.push(edition);
                }
                _ => saves.push(Save {
                    at: row.at,
                    actor: row.actor,
                    editions: vec![edition],
                    before,
                    after,
                }),
            }
        }
        Ok(saves)
    }

    /// The text of a series' file as it once was: before or after something was saved.
    ///
    /// # Errors
    /// [`WorkError::Unknown`] where it never was like that; the ledger's.
    pub async fn campaign_version(
        &self,
        series: &str,
        version: &Digest,
    ) -> Result<String, WorkError> {
        let saves = self.campaign_saves(series).await?;
        let known = |save: &Save| save.after == *version || save.before == Some(*version);
        if !saves.iter().any(known) {
            return Err(WorkError::Unknown(format!("campaigns/{series}.toml 没有这一版")));
        }
        Ok(String::from_utf8_lossy(&self.store.blob(version).await?).into_owned())
    }

    /// Makes a series' file what it once was. It is one more save: it can be taken back, too.
    ///
    /// # Errors
    /// [`WorkError::Refused`] where the file is no longer the one that was `seen` (its digest), or
    /// is that version; [`WorkError::Faults`] where that version does not fit what there is today;
    /// [`WorkError::Unknown`]; [`WorkError::File`].
    pub async fn restore_campaign(
        &self,
        content: &Content,
        (series, version): (&str, &Digest),
        seen: &str,
        actor: &str,
    ) -> Result<(), WorkError> {
        let text = self.campaign_version(series, version).await?;
        let (before, digest) = self.campaign_file(series)?;
        if digest != seen {
            return Err(changed(series));
        }
        if digest == version.to_string() {
            let what = format!("campaigns/{series}.toml 现在就是这一版，不用恢复");
            return Err(WorkError::Refused(what));
        }
        let (campaign, found) = read::read_campaign(series, &text);
        let mut faults: Vec<String> = found.iter().map(told).collect();
        let now = before.as_ref().and_then(|before| read::read_campaign(series, before).0);
        let editions = differing(now.as_ref(), campaign.as_ref());
        for edition in campaign.iter().flat_map(|campaign| &campaign.editions) {
            if editions.contains(&edition.id) {
                faults.extend(self.edition_faults(content, edition));
            }
        }
        let kept = campaign.iter().flat_map(|campaign| &campaign.editions);
        let kept: BTreeSet<&CampaignId> = kept.map(|edition| &edition.id).collect();
        for gone in editions.iter().filter(|id| !kept.contains(id)) {
            if let Some(why) = self.why_known(content, gone).await? {
                faults.push(format!("那一版里没有 {gone} 这一期，而{why}；照那一版把别的改回去"));
            }
        }
        let Some(campaign) = campaign.filter(|_| faults.is_empty()) else {
            return Err(WorkError::Faults(faults));
        };
        with_campaign(&self.config, content, campaign)?;
        self.write_campaign(Writing { series, editions, before, seen, text: &text }, actor).await
    }

    async fn write_campaign(&self, writing: Writing<'_>, actor: &str) -> Result<(), WorkError> {
        let Writing { series, editions, before, seen, text } = writing;
        let old = match &before {
            Some(before) => self.store.put_blob(before.as_bytes()).await?.to_string(),
            None => String::new(),
        };
        let new = self.store.put_blob(text.as_bytes()).await?;
        let note = serde_json::json!({
            "file": format!("campaigns/{series}.toml"), "before": old, "after": new.to_string(),
        });
        let subjects = editions.iter().map(|edition| format!("campaign/{edition}"));
        let subjects: Vec<String> = subjects.collect();
        for subject in &subjects {
            self.store.audit(actor, "campaign.save", subject, &note.to_string()).await?;
        }
        let seen = Digest::from_hex(seen);
        let path = self.campaign_path(series);
        let written = match content_file::replace_where(&path, seen.as_ref(), text.as_bytes()) {
            Ok(true) => Ok(()),
            Ok(false) => Err(changed(series)),
            Err(error) => Err(error),
        };
        if let Err(error) = &written {
            let why = serde_json::json!({ "error": error.to_string() }).to_string();
            for subject in &subjects {
                self.store.audit(actor, "campaign.save.failed", subject, &why).await?;
            }
        }
        written
    }
}

/// The editions that are not the same in both; where none differs, what does is the series', and
/// with it every edition's.
fn differing(now: Option<&Campaign>, then: Option<&Campaign>) -> Vec<CampaignId> {
    let editions = |series: Option<&Campaign>| -> Vec<Edition> {
        series.map(|series| series.editions.clone()).unwrap_or_default()
    };
    let (now, then) = (editions(now), editions(then));
    let mut all: Vec<&Edition> = now.iter().chain(&then).collect();
    if now != then {
        all.retain(|edition| !now.contains(edition) || !then.contains(edition));
    }
    let mut ids: Vec<CampaignId> = all.into_iter().map(|edition| edition.id.clone()).collect();
    ids.sort();
    ids.dedup();
    ids
}

/// The digests of the file before and after, of a row's content.
fn digests(json: &str) -> (Option<Digest>, Option<Digest>) {
    let note: serde_json::Value = serde_json::from_str(json).unwrap_or_default();
    let digest = |name: &str| note[name].as_str().and_then(Digest::from_hex);
    (digest("before"), digest("after"))
}

fn changed(series: &str) -> WorkError {
    WorkError::Refused(format!(
        "campaigns/{series}.toml 在你打开之后被别人改过，没有保存；重新读一遍再改，你写的还没有写进去"
    ))
}
