//! What a submission carries: its manifests, to whom they go, and one output of each sort.

use crate::{
    console::{Desk, trouble::Trouble},
    model::{Digest, Listing, Manifest, MediaType},
    store::Review,
    work::{Content, reach},
};
use serde::Serialize;
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// Digits of an output's digest in its address: unmistakable within a manifest.
const SHORT: usize = 16;

/// What one channel would carry.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = ReviewManifest)]
pub struct Carried {
    /// The channel.
    pub channel: String,
    /// The manifest's hash: what is signed.
    pub hash: String,
    /// Whom it reaches.
    pub targets: Vec<String>,
    /// Which branches have it, in Chinese.
    pub reach: String,
    /// Those, where it does not go to all: id and name.
    pub branches: Vec<String>,
    /// The days on which it may be public.
    pub window: String,
    /// How many files.
    pub files: usize,
    /// How many bytes.
    pub bytes: u64,
    /// The rules that the texts were checked under.
    pub rule_pack: String,
}

/// Outputs that differ only in their branch, shown by the first of them.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Specimen {
    /// The output, for people.
    pub label: String,
    /// The output: `article`, `screen`.
    pub output: String,
    /// For whom, for people.
    pub audience: String,
    /// The screen profile or paper format.
    pub profile: String,
    /// The branch whose it is.
    pub branch: String,
    /// The media type.
    pub media_type: String,
    /// Where it can be seen.
    pub href: String,
    /// Its digest.
    pub sha256: String,
    /// How many outputs are like it, this one included.
    pub alike: usize,
    /// The words of a text output.
    pub text: Option<String>,
}

/// The manifests, and one output of each sort.
pub(super) async fn outputs(
    desk: &Desk,
    review: &Review,
    content: &Content,
) -> Result<(Vec<Carried>, Vec<Specimen>), Trouble> {
    let mut channels = Vec::new();
    let mut sorts: BTreeMap<_, Specimen> = BTreeMap::new();
    for (channel, hash) in &review.manifests {
        let manifest = desk.manifest(hash).await?;
        for file in manifest.files.iter().filter(|file| is_shown(file)) {
            let own = specimen(hash, file);
            let key = (file.output, file.audience, file.profile.clone(), file.media_type);
            sorts.entry(key).and_modify(|first| first.alike += 1).or_insert(own);
        }
        channels.push(Carried {
            channel: channel.to_string(),
            hash: hash.to_string(),
            targets: manifest.targets.clone(),
            reach: reach_words(desk, &manifest),
            branches: reached(&manifest, content),
            window: format!("{} 至 {}", manifest.window.from, manifest.window.until),
            files: manifest.files.len(),
            bytes: manifest.files.iter().map(|file| file.bytes).sum(),
            rule_pack: manifest.rule_pack.clone(),
        });
    }
    let mut specimens: Vec<Specimen> = sorts.into_values().collect();
    for specimen in &mut specimens {
        if specimen.media_type == MediaType::Text.as_str()
            && let Some(digest) = Digest::from_hex(&specimen.sha256)
        {
            let bytes = desk.publisher().store.blob(&digest).await?;
            specimen.text = Some(String::from_utf8_lossy(&bytes).into_owned());
        }
    }
    Ok((channels, specimens))
}

/// Which branches have what is signed, in Chinese.
fn reach_words(desk: &Desk, manifest: &Manifest) -> String {
    let kind = desk.publisher().entry(&manifest.channel).map(|entry| entry.kind.as_str());
    let narrowed = manifest.inputs.contains_key(reach::INPUT);
    match &manifest.reached {
        Some(reached) => reached.words(),
        None if kind.is_ok_and(|kind| !reach::knows_branches(kind)) => {
            let all = if narrowed {
                "，收得到的都会看到：片区、标签对它不起作用"
            } else {
                ""
            };
            format!("不分网点{all}")
        }
        None if narrowed => "网点自己的只到选的网点，共用的全行都给（旧送审）".to_owned(),
        None => "全部网点".to_owned(),
    }
}

/// The branches that a narrowed manifest goes to, by id and name.
fn reached(manifest: &Manifest, content: &Content) -> Vec<String> {
    let reached = manifest.reached.iter().flat_map(|reached| &reached.branches);
    let named = reached.map(|id| match content.library.branch(id) {
        Some(branch) => format!("{id} {}", branch.name),
        None => id.to_string(),
    });
    named.collect()
}

/// Pictures inside an article and archives are seen with what they belong to.
fn is_shown(file: &Listing) -> bool {
    !file.path.contains("/article/") && file.media_type != MediaType::Zip
}

fn specimen(manifest: &Digest, file: &Listing) -> Specimen {
    Specimen {
        label: file.output.label().to_owned(),
        output: file.output.as_str().to_owned(),
        audience: file.audience.label().to_owned(),
        profile: file.profile.clone().unwrap_or_default(),
        branch: file.branch.as_ref().map(ToString::to_string).unwrap_or_default(),
        media_type: file.media_type.as_str().to_owned(),
        href: format!("/console/outputs/{manifest}/{}", &file.sha256.to_string()[..SHORT]),
        sha256: file.sha256.to_string(),
        alike: 1,
        text: None,
    }
}
