//! The approval manifest as canonical JSON (RFC 8785), and back. Its SHA-256 is what people
//! approve, so nothing here may change without voiding every approval.

use super::WorkError;
use crate::model::{
    Audience, BranchId, CampaignId, ChannelId, Digest, LessonId, LessonKind, LessonRevision,
    Listing, Manifest, MediaType, Message, OutputKind, PersonId, Reached, Window,
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

#[derive(Serialize, Deserialize)]
struct ManifestWire {
    format: u32,
    campaign: String,
    number: String,
    lessons: Vec<RevisionWire>,
    files: Vec<FileWire>,
    messages: Vec<MessageWire>,
    inputs: BTreeMap<String, String>,
    rule_pack: String,
    channel: String,
    targets: Vec<String>,
    from: String,
    until: String,
    /// Only where a campaign is narrowed to some branches: the others keep the bytes they had.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    reach: Option<ReachWire>,
}

#[derive(Serialize, Deserialize)]
struct ReachWire {
    districts: Vec<String>,
    tags: Vec<String>,
    branches: Vec<String>,
}

#[derive(Serialize, Deserialize)]
struct RevisionWire {
    lesson: String,
    audience: String,
    version: u32,
    digest: String,
    kind: String,
    editors: Vec<String>,
}

#[derive(Serialize, Deserialize)]
struct FileWire {
    path: String,
    lesson: Option<String>,
    output: String,
    audience: String,
    profile: Option<String>,
    branch: Option<String>,
    media_type: String,
    bytes: u64,
    sha256: String,
}

#[derive(Serialize, Deserialize)]
struct MessageWire {
    lesson: String,
    audience: String,
    title: String,
    author: String,
    digest: String,
    source_url: String,
    content: Option<String>,
    text: Option<String>,
    cover_wide: Option<String>,
    cover_square: Option<String>,
    pictures: Vec<String>,
}

const KINDS: [(LessonKind, &str); 4] = [
    (LessonKind::Education, "education"),
    (LessonKind::Notice, "notice"),
    (LessonKind::Training, "training"),
    (LessonKind::Marketing, "marketing"),
];

fn kind_name(kind: LessonKind) -> &'static str {
    KINDS.iter().find(|(known, _)| *known == kind).map_or("education", |(_, name)| name)
}

/// The canonical JSON of a manifest and its hash.
///
/// # Errors
/// [`WorkError::Manifest`] where serialising fails.
pub fn to_json(manifest: &Manifest) -> Result<(Digest, String), WorkError> {
    let hex = |digest: &Option<Digest>| digest.as_ref().map(ToString::to_string);
    let wire = ManifestWire {
        format: 1,
        campaign: manifest.campaign.to_string(),
        number: manifest.number.clone(),
        lessons: manifest
            .lessons
            .iter()
            .map(|revision| RevisionWire {
                lesson: revision.lesson.to_string(),
                audience: revision.audience.to_string(),
                version: revision.version,
                digest: revision.digest.to_string(),
                kind: kind_name(revision.kind).to_owned(),
                editors: revision.editors.iter().map(ToString::to_string).collect(),
            })
            .collect(),
        files: manifest.files.iter().map(file_to_wire).collect(),
        messages: manifest
            .messages
            .iter()
            .map(|message| MessageWire {
                lesson: message.lesson.to_string(),
                audience: message.audience.to_string(),
                title: message.title.clone(),
                author: message.author.clone(),
                digest: message.digest_text.clone(),
                source_url: message.source_url.clone(),
                content: hex(&message.content),
                text: hex(&message.text),
                cover_wide: hex(&message.cover_wide),
                cover_square: hex(&message.cover_square),
                pictures: message.pictures.iter().map(ToString::to_string).collect(),
            })
            .collect(),
        inputs: manifest
            .inputs
            .iter()
            .map(|(name, digest)| (name.clone(), digest.to_string()))
            .collect(),
        rule_pack: manifest.rule_pack.clone(),
        channel: manifest.channel.to_string(),
        targets: manifest.targets.clone(),
        from: manifest.window.from.to_string(),
        until: manifest.window.until.to_string(),
        reach: manifest.reached.as_ref().map(|reached| ReachWire {
            districts: reached.districts.clone(),
            tags: reached.tags.clone(),
            branches: reached.branches.iter().map(ToString::to_string).collect(),
        }),
    };
    let json = serde_json_canonicalizer::to_string(&wire)
        .map_err(|error| WorkError::Manifest(error.to_string()))?;
    Ok((Digest::of(json.as_bytes()), json))
}

fn file_to_wire(file: &Listing) -> FileWire {
    FileWire {
        path: file.path.clone(),
        lesson: file.lesson.as_ref().map(ToString::to_string),
        output: file.output.to_string(),
        audience: file.audience.to_string(),
        profile: file.profile.clone(),
        branch: file.branch.as_ref().map(ToString::to_string),
        media_type: file.media_type.to_string(),
        bytes: file.bytes,
        sha256: file.sha256.to_string(),
    }
}

/// Reads a stored manifest.
///
/// # Errors
/// [`WorkError::Manifest`] names what does not fit.
pub fn from_json(json: &str) -> Result<Manifest, WorkError> {
    let wire: ManifestWire =
        serde_json::from_str(json).map_err(|error| WorkError::Manifest(error.to_string()))?;
    Ok(Manifest {
        campaign: CampaignId::new(&wire.campaign)?,
        number: wire.number,
        lessons: wire.lessons.iter().map(revision).collect::<Result<_, _>>()?,
        files: wire.files.into_iter().map(file).collect::<Result<_, _>>()?,
        messages: wire.messages.into_iter().map(message).collect::<Result<_, _>>()?,
        inputs: wire
            .inputs
            .into_iter()
            .map(|(name, hex)| Ok((name, digest(&hex)?)))
            .collect::<Result<_, WorkError>>()?,
        rule_pack: wire.rule_pack,
        channel: ChannelId::new(&wire.channel)?,
        targets: wire.targets,
        window: Window { from: day(&wire.from)?, until: day(&wire.until)? },
        reached: wire.reach.map(reached).transpose()?,
    })
}

fn reached(wire: ReachWire) -> Result<Reached, WorkError> {
    Ok(Reached {
        branches: wire.branches.iter().map(|id| BranchId::new(id)).collect::<Result<_, _>>()?,
        districts: wire.districts,
        tags: wire.tags,
    })
}

fn revision(wire: &RevisionWire) -> Result<LessonRevision, WorkError> {
    Ok(LessonRevision {
        lesson: LessonId::new(&wire.lesson)?,
        audience: audience(&wire.audience)?,
        version: wire.version,
        digest: digest(&wire.digest)?,
        kind: KINDS
            .iter()
            .find(|(_, name)| *name == wire.kind)
            .map(|(kind, _)| *kind)
            .ok_or_else(|| unreadable("kind", &wire.kind))?,
        editors: wire.editors.iter().map(|id| PersonId::new(id)).collect::<Result<_, _>>()?,
    })
}

fn file(wire: FileWire) -> Result<Listing, WorkError> {
    Ok(Listing {
        lesson: wire.lesson.as_deref().map(LessonId::new).transpose()?,
        output: OutputKind::from_name(&wire.output)
            .ok_or_else(|| unreadable("output", &wire.output))?,
        audience: audience(&wire.audience)?,
        profile: wire.profile,
        branch: wire.branch.as_deref().map(BranchId::new).transpose()?,
        media_type: MediaType::from_name(&wire.media_type)
            .ok_or_else(|| unreadable("media_type", &wire.media_type))?,
        bytes: wire.bytes,
        sha256: digest(&wire.sha256)?,
        path: wire.path,
    })
}

fn message(wire: MessageWire) -> Result<Message, WorkError> {
    let optional = |hex: Option<String>| hex.as_deref().map(digest).transpose();
    Ok(Message {
        lesson: LessonId::new(&wire.lesson)?,
        audience: audience(&wire.audience)?,
        title: wire.title,
        author: wire.author,
        digest_text: wire.digest,
        source_url: wire.source_url,
        content: optional(wire.content)?,
        text: optional(wire.text)?,
        cover_wide: optional(wire.cover_wide)?,
        cover_square: optional(wire.cover_square)?,
        pictures: wire.pictures.iter().map(|hex| digest(hex)).collect::<Result<_, _>>()?,
    })
}

fn digest(hex: &str) -> Result<Digest, WorkError> {
    Digest::from_hex(hex).ok_or_else(|| unreadable("sha256", hex))
}

fn audience(name: &str) -> Result<Audience, WorkError> {
    Audience::from_name(name).ok_or_else(|| unreadable("audience", name))
}

fn day(text: &str) -> Result<jiff::civil::Date, WorkError> {
    text.parse().map_err(|_| unreadable("date", text))
}

fn unreadable(what: &str, value: &str) -> WorkError {
    WorkError::Manifest(format!("{what} 是“{value}”"))
}
