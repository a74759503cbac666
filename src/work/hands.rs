//! Whose hand is in a submission: none of them may sign it (rule A104).
//!
//! * Whoever submits, and whoever submitted an earlier text of one of its lessons.
//! * Whoever saved the campaign, a table or a number in the console since it was last approved: what
//!   they changed is in the bytes that are to be signed.
//!
//! Since when is told by digests, not by the clock alone: every submission froze the content folder,
//! and every entry of the audit chain names the file before and after. A change counts until a
//! submission of the same campaign that holds it was approved; where the file is again as it was
//! approved, nobody's does. What is edited in the folder itself leaves no entry here: the bank's own
//! change process knows of it.

use super::{
    Content, Outline, Publisher, WorkError, clock,
    difference::{Revision, read_revision},
    people::person_of_actor,
    wire,
};
use crate::{
    config::Person,
    model::{PersonId, ReviewStep},
    review::{self, Standing},
    store::{AuditRow, Review},
};
use jiff::{SignedDuration, Timestamp};

/// Whoever may not sign, and why: several lines for one person.
pub type Hands = Vec<(PersonId, String)>;

/// Between reading the content and recording the submission lies the rendering: what was saved
/// meanwhile is later than what was approved, although its entry is earlier.
const RENDERING: SignedDuration = SignedDuration::from_hours(1);

/// A file that is changed in the console.
struct Source {
    /// Its path in the content folder.
    path: String,
    /// The subjects of its entries in the audit chain.
    subjects: Vec<String>,
    /// The only subjects that matter for the submission.
    own: Vec<String>,
    /// The entry of a change, and of one that was not written after all.
    actions: [&'static str; 2],
    /// The input of manifests that its bytes go into; `None`: of all.
    input: Option<String>,
    /// What somebody did, in Chinese, before the subject's name.
    did: &'static str,
}

impl Source {
    fn campaign(content: &Content, outline: &Outline) -> Self {
        let id = &outline.edition.id;
        let all = content.library.campaigns.iter().filter(|one| one.id == id.series);
        let editions = all.flat_map(|series| &series.editions);
        Self {
            path: format!("campaigns/{}.toml", id.series),
            subjects: editions.map(|edition| format!("campaign/{}", edition.id)).collect(),
            own: vec![format!("campaign/{id}")],
            actions: ["campaign.save", "campaign.save.failed"],
            input: None,
            did: "改过活动",
        }
    }

    fn table(path: &str, did: &'static str) -> Self {
        let subject = format!("content/{path}");
        Self {
            path: path.to_owned(),
            subjects: vec![subject.clone()],
            own: vec![subject.clone()],
            actions: ["register.import", "register.failed"],
            input: Some(subject),
            did,
        }
    }

    fn hotlines(content: &Content) -> Self {
        let path = "hotlines.toml";
        let all = content.library.hotlines.iter();
        let subjects: Vec<String> = all.map(|one| format!("hotline/{}", one.id)).collect();
        Self {
            path: path.to_owned(),
            own: subjects.clone(),
            subjects,
            actions: ["hotline.change", "hotline.failed"],
            input: Some(format!("content/{path}")),
            did: "改过热线",
        }
    }

    /// What somebody did, for people.
    fn told(&self, row: &AuditRow) -> String {
        let name = row.subject.split_once('/').map_or("", |(_, name)| name);
        let day = clock::shanghai(row.at).date();
        let what = if name == self.path { String::new() } else { format!(" {name}") };
        format!("{day} {}{what}（审计第 {} 条）", self.did, row.seq)
    }
}

/// The digest of the file before and after a change.
fn digests(row: &AuditRow) -> (Option<String>, Option<String>) {
    let (was, became) = (parsed(&row.before), parsed(&row.after));
    let text = |value: &serde_json::Value, key: &str| {
        value[key].as_str().filter(|text| !text.is_empty()).map(str::to_owned)
    };
    let before = text(&became, "before").or_else(|| text(&was, "file"));
    (before, text(&became, "after").or_else(|| text(&became, "file")))
}

fn parsed(json: &str) -> serde_json::Value {
    serde_json::from_str(json).unwrap_or_default()
}

/// The files that the submission's bytes come from and that are changed in the console.
fn sources(content: &Content, outline: &Outline) -> Vec<Source> {
    let all = [
        Source::campaign(content, outline),
        Source::table("branches.csv", "导入过网点表"),
        Source::table("screens.csv", "导入过屏幕表"),
        Source::hotlines(content),
    ];
    let goes_in = |source: &Source| {
        source.input.as_ref().is_none_or(|input| {
            outline.channels.iter().any(|channel| channel.inputs.contains_key(input))
        })
    };
    all.into_iter().filter(goes_in).collect()
}

impl Publisher {
    /// Who may not sign what is to be submitted, and why.
    ///
    /// # Errors
    /// The ledger's.
    pub async fn hands(
        &self,
        content: &Content,
        outline: &Outline,
        author: &PersonId,
    ) -> Result<Hands, WorkError> {
        let mut hands = vec![(author.clone(), "送审的人".to_owned())];
        for earlier in self.store.submitters().await? {
            let shared = earlier.lessons.iter().any(|lesson| outline.lessons.contains(lesson));
            if shared && !hands.iter().any(|(person, _)| *person == earlier.author) {
                let day = clock::shanghai(earlier.at).date();
                let why = format!("{day} 送审过同一课的稿子（{}）", earlier.number);
                hands.push((earlier.author, why));
            }
        }
        let sources = sources(content, outline);
        let approved = self.approved_before(outline, &sources).await?;
        for source in &sources {
            hands.extend(self.hands_in(source, content, &approved).await?);
        }
        Ok(hands)
    }

    /// The approved submissions of the campaign, the newest first, each with what went into it; no
    /// further back than to the last one for every source.
    async fn approved_before(
        &self,
        outline: &Outline,
        sources: &[Source],
    ) -> Result<Vec<Approved>, WorkError> {
        let mut approved: Vec<Approved> = Vec::new();
        for review in self.store.reviews(Some(&outline.edition.id)).await? {
            let mut inputs = Vec::new();
            for (_, manifest) in &review.manifests {
                let approvals = self.store.approvals(manifest).await?;
                // What has expired since was approved all the same.
                let Some(at) = approvals.iter().map(|one| one.at).max() else { continue };
                let standing = review::standing(&review.steps, &approvals, &review.excluded, at);
                if matches!(standing, Standing::Approved { .. }) {
                    let json = self.store.manifest(manifest).await?.unwrap_or_default();
                    inputs.extend(wire::from_json(&json)?.inputs.into_keys());
                }
            }
            if inputs.is_empty() {
                continue;
            }
            let files = read_revision(&self.store, &review.revision).await?;
            approved.push(Approved { review, inputs, files });
            if sources.iter().all(|source| approved.iter().any(|one| one.holds(source))) {
                break;
            }
        }
        Ok(approved)
    }

    async fn hands_in(
        &self,
        source: &Source,
        content: &Content,
        approved: &[Approved],
    ) -> Result<Hands, WorkError> {
        let now = content.files.get(&source.path).map(ToString::to_string);
        let base = approved.iter().find(|one| one.holds(source));
        let was = base.and_then(|one| one.files.get(&source.path)).map(ToString::to_string);
        if base.is_some() && was == now {
            return Ok(Vec::new());
        }
        let rows = self.store.trail_of(&source.subjects, &source.actions).await?;
        let since = since(written(rows, source), was.as_deref(), base);
        let own = since.iter().filter(|row| source.own.contains(&row.subject));
        let hand = |row: &AuditRow| Some((person_of_actor(&row.actor)?, source.told(row)));
        let mut hands: Hands = Vec::new();
        // The newest of each is enough.
        for (person, why) in own.filter_map(hand) {
            if !hands.iter().any(|(known, _)| *known == person) {
                hands.push((person, why));
            }
        }
        Ok(hands)
    }

    /// Refuses where nobody is left to sign a step: at once, not when it is too late.
    ///
    /// # Errors
    /// [`WorkError::Refused`] names the step, who is out and why, and what to do.
    pub(super) async fn somebody_left(
        &self,
        steps: &[ReviewStep],
        hands: &Hands,
    ) -> Result<(), WorkError> {
        let people = self.signers().await?;
        // A rehearsal brings its own people.
        if people.is_empty() {
            return Ok(());
        }
        let excluded: Vec<PersonId> = hands.iter().map(|(person, _)| person.clone()).collect();
        let left = review::unfillable(steps, &people, &excluded);
        if left.is_empty() {
            return Ok(());
        }
        let faults = left.into_iter().map(|step| nobody(step, &people, hands)).collect();
        Err(WorkError::Faults(faults))
    }
}

/// Why nobody can sign a step, and what to do.
fn nobody(step: &ReviewStep, people: &[Person], hands: &Hands) -> String {
    let name = review::step_name(step);
    let able = people.iter().filter(|person| review::holds(person, step));
    let able: Vec<String> = able
        .map(|person| {
            let own = hands.iter().filter(|(id, _)| *id == person.id).map(|(_, why)| why.as_str());
            let why: Vec<&str> = own.collect();
            let why =
                if why.is_empty() { "只能签别的一步".to_owned() } else { why.join("，") };
            format!("{}（{}）：{why}", person.name, person.id)
        })
        .collect();
    if able.is_empty() {
        return format!(
            "“{name}”没有人能签：没有人有 {} 的角色。请管理员在“设置”里给一个人这个角色，再送审",
            step.role
        );
    }
    format!(
        "“{name}”没有人能签：{}。请管理员在“设置”里再给一位没有经手的人 {} 的角色，再送审；送审之前什么都没有发",
        able.join("；"),
        step.role
    )
}

/// An approved submission.
struct Approved {
    review: Review,
    inputs: Vec<String>,
    files: Revision,
}

impl Approved {
    fn holds(&self, source: &Source) -> bool {
        source.input.as_ref().is_none_or(|input| self.inputs.contains(input))
    }
}

/// Changes without those that were noted and not written.
fn written(rows: Vec<AuditRow>, source: &Source) -> Vec<AuditRow> {
    let [_, failed] = source.actions;
    let mut kept = Vec::new();
    let mut failures: Vec<String> = Vec::new();
    for row in rows {
        if row.action == failed {
            failures.push(row.subject);
        } else if let Some(at) = failures.iter().position(|subject| *subject == row.subject) {
            failures.remove(at);
        } else {
            kept.push(row);
        }
    }
    kept
}

/// The changes, newest first, that are not in what was approved.
fn since(rows: Vec<AuditRow>, was: Option<&str>, base: Option<&Approved>) -> Vec<AuditRow> {
    let Some(base) = base else { return rows };
    if let Some(was) = was {
        for (index, row) in rows.iter().enumerate() {
            let (before, after) = digests(row);
            if after.as_deref() == Some(was) {
                return rows.into_iter().take(index).collect();
            }
            if before.as_deref() == Some(was) {
                return rows.into_iter().take(index + 1).collect();
            }
        }
    }
    // What was approved was edited in the folder: the clock is all there is.
    let from = base.review.submitted_at.checked_sub(RENDERING).unwrap_or(Timestamp::MIN);
    rows.into_iter().filter(|row| row.at >= from).collect()
}
