//! An outline, rendered under its approval number: the manifests that people approve.

use super::{
    ChannelPlan, Content, Outline, Plan, Publisher, WorkError,
    packs::{self, Contents},
    plan::{ChannelOutline, carried},
    reach, wire,
};
use crate::{
    build::{self, Request, Watch},
    config::ChannelEntry,
    model::{
        Audience, Bank, BranchId, Digest, LessonRevision, Listing, Manifest, Message, OutputKind,
    },
};
use std::collections::BTreeSet;

impl Publisher {
    /// Renders an outline under an approval number and lists what each channel would carry.
    /// Nothing is sent and nothing is written into the ledger.
    ///
    /// # Errors
    /// [`WorkError::Faults`] for what cannot be rendered.
    pub fn render(
        &self,
        content: &Content,
        outline: &Outline,
        number: &str,
        watch: Watch<'_>,
    ) -> Result<Plan, WorkError> {
        let outputs: BTreeSet<OutputKind> =
            outline.channels.iter().flat_map(|channel| needed_outputs(&channel.entry)).collect();
        let audiences: BTreeSet<Audience> =
            outline.channels.iter().flat_map(|channel| channel.entry.audiences.clone()).collect();
        let request = Request {
            out: self.render_folder.clone(),
            lessons: outline.lessons.clone(),
            outputs: outputs.iter().copied().filter(|kind| *kind != OutputKind::Notice).collect(),
            branches: Vec::new(),
            audiences: audiences.into_iter().collect(),
            approval_number: Some(number.to_owned()),
        };
        let mut listings = self.build(content, &request, watch)?;
        listings.retain(|file| file.lesson.as_ref().is_some_and(|id| outline.lessons.contains(id)));
        if outputs.contains(&OutputKind::Notice) {
            let request = Request {
                outputs: vec![OutputKind::Notice],
                lessons: Vec::new(),
                audiences: Vec::new(),
                ..request
            };
            let notices = self.build(content, &request, watch)?;
            listings.extend(notices.into_iter().filter(|file| file.output == OutputKind::Notice));
        }
        let reach = &outline.edition.reach;
        let reached = content.library.branches.iter().filter(|branch| reach.covers(branch));
        let reached: BTreeSet<&BranchId> = reached.map(|branch| &branch.id).collect();
        listings.retain(|file| file.branch.as_ref().is_none_or(|id| reached.contains(id)));
        let packs = self.packs(content, outline, &listings)?;
        let channels = outline
            .channels
            .iter()
            .map(|channel| self.channel_plan(content, outline, channel, number, &listings, &packs))
            .collect::<Result<_, _>>()?;
        Ok(Plan { outline: outline.clone(), number: number.to_owned(), channels })
    }

    /// The files that go with a branch's outputs, for the channels that take them.
    fn packs(
        &self,
        content: &Content,
        outline: &Outline,
        listings: &[Listing],
    ) -> Result<Packs, WorkError> {
        let folder = &self.render_folder;
        let has = |kind: &str| outline.channels.iter().any(|channel| channel.entry.kind == kind);
        let mut packs = Packs::default();
        if has("folder") {
            let contents = Contents::Everything;
            packs.everything = packs::write(folder, listings, content, outline, contents)?;
        }
        if has("packs") {
            packs.paper = packs::write(folder, listings, content, outline, Contents::Paper)?;
            let bank = &self.config.bank;
            packs.facts = Some(packs::write_facts(folder, bank, content, outline)?);
        }
        Ok(packs)
    }

    fn build(
        &self,
        content: &Content,
        request: &Request,
        watch: Watch<'_>,
    ) -> Result<Vec<Listing>, WorkError> {
        let summary = build::build(&self.config, &content.library, request, watch)?;
        if summary.failures.is_empty() {
            // A screen that is no more leaves its poster in the folder.
            return Ok(summary.requested);
        }
        let failures = summary.failures.iter();
        Err(WorkError::Faults(
            failures.map(|failure| format!("{}：{}", failure.what, failure.error)).collect(),
        ))
    }

    fn channel_plan(
        &self,
        content: &Content,
        outline: &Outline,
        channel: &ChannelOutline,
        number: &str,
        listings: &[Listing],
        packs: &Packs,
    ) -> Result<ChannelPlan, WorkError> {
        let entry = &channel.entry;
        let outputs = needed_outputs(entry);
        let wanted = |file: &&Listing| {
            outputs.contains(&file.output)
                && (file.lesson.is_none() || entry.audiences.contains(&file.audience))
                && !file.path.ends_with("article.preview.html")
        };
        let mut files: Vec<Listing> = listings.iter().filter(wanted).cloned().collect();
        if entry.kind == "folder" && entry.outputs.contains(&OutputKind::Screen) {
            files.extend(packs.everything.iter().cloned());
        }
        if entry.kind == "packs" {
            files.extend(packs.paper.iter().chain(&packs.facts).cloned());
        }
        files.sort();
        let mut lessons: Vec<LessonRevision> = carried(&content.library, &outline.lessons, entry)
            .map(|(id, variant)| LessonRevision {
                lesson: id.clone(),
                audience: variant.audience,
                version: variant.version,
                digest: variant.digest,
                kind: variant.kind,
                editors: Vec::new(),
            })
            .collect();
        lessons.sort();
        let manifest = Manifest {
            campaign: outline.edition.id.clone(),
            number: number.to_owned(),
            lessons,
            messages: messages(&self.config.bank, content, outline, entry, &files),
            files,
            inputs: channel.inputs.clone(),
            rule_pack: outline.rule_pack.clone(),
            channel: entry.id.clone(),
            targets: self.channel(&entry.id)?.targets(),
            window: channel.window,
            reached: reach::reached(content, &outline.edition, entry),
        };
        let (hash, json) = wire::to_json(&manifest)?;
        Ok(ChannelPlan { channel: entry.id.clone(), manifest, hash, json })
    }
}

/// Files made of a branch's outputs.
#[derive(Debug, Default)]
struct Packs {
    /// Zips with posters and paper.
    everything: Vec<Listing>,
    /// Zips with paper.
    paper: Vec<Listing>,
    /// What a pack repository has to know.
    facts: Option<Listing>,
}

/// The outputs of a channel, and what goes with them: a picture message needs a text.
fn needed_outputs(entry: &ChannelEntry) -> Vec<OutputKind> {
    let mut outputs = entry.outputs.clone();
    if outputs.contains(&OutputKind::Newspic) && !outputs.contains(&OutputKind::Post) {
        outputs.push(OutputKind::Post);
    }
    outputs
}

/// The messages that the files make: one article and one picture message per variant.
fn messages(
    bank: &Bank,
    content: &Content,
    outline: &Outline,
    entry: &ChannelEntry,
    files: &[Listing],
) -> Vec<Message> {
    let mut messages = Vec::new();
    for (id, variant) in carried(&content.library, &outline.lessons, entry) {
        let folder = format!("lessons/{id}/{}/", variant.audience);
        let file = |name: &str| {
            files.iter().find(|file| file.path == format!("{folder}{name}")).map(|file| file.sha256)
        };
        let below = |beginning: &str| -> Vec<Digest> {
            let beginning = format!("{folder}{beginning}");
            let own = files.iter().filter(|file| file.path.starts_with(&beginning));
            own.map(|file| file.sha256).collect()
        };
        let message = Message {
            lesson: id.clone(),
            audience: variant.audience,
            title: variant.title.value.trim().to_owned(),
            author: bank.name.clone(),
            digest_text: variant.digest_text.value.trim().to_owned(),
            source_url: format!("{}/q/{id}", bank.base_url),
            content: None,
            text: None,
            cover_wide: None,
            cover_square: None,
            pictures: Vec::new(),
        };
        if let Some(article) = file("article.html") {
            messages.push(Message {
                content: Some(article),
                cover_wide: file("cover-235.png"),
                cover_square: file("cover-1.png"),
                pictures: below("article/"),
                ..message.clone()
            });
        }
        let pictures = below("newspic-");
        if !pictures.is_empty() {
            messages.push(Message { text: file("post.txt"), pictures, ..message });
        }
    }
    messages
}
