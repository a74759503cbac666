//! What a submission carries: its manifests, and to whom they go.

use crate::{
    console::{Desk, trouble::Trouble},
    model::Manifest,
    store::Review,
    work::{Content, reach},
};
use serde::Serialize;
use utoipa::ToSchema;

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

/// The manifests.
pub(super) async fn carried(
    desk: &Desk,
    review: &Review,
    content: &Content,
) -> Result<Vec<Carried>, Trouble> {
    let mut channels = Vec::new();
    for (channel, hash) in &review.manifests {
        let manifest = desk.manifest(hash).await?;
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
    Ok(channels)
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
