//! What a lesson's text may refer to while it is read.

use super::{faults::Faults, front_matter::FrontMatter, registry::Registry, suggest};
use crate::model::{Asset, AssetSet, HotlineId, Span};

/// Registries, front matter and pictures around one text.
pub(super) struct Scope<'a> {
    /// The registries.
    pub(super) registry: Registry<'a>,
    /// The variant's front matter, inherited keys included.
    pub(super) front: &'a FrontMatter,
    /// The pictures of the lesson's folder.
    pub(super) assets: &'a AssetSet,
    /// Whether every picture that exists is known; else missing ones are not reported again.
    pub(super) assets_complete: bool,
}

impl Scope<'_> {
    fn asset(&self, file: &str) -> Option<&Asset> {
        self.assets.get(file).or_else(|| self.registry.library.assets.get(file))
    }

    /// The alternative text of a picture: as written, or as its entry says. `None`, with a fault,
    /// where the picture can't be used.
    pub(super) fn picture(
        &self,
        file: &str,
        written: &str,
        span: Span,
        faults: &mut Faults,
    ) -> Option<String> {
        if file.contains("://") || file.starts_with("//") || file.starts_with("data:") {
            faults.error(
                "read/remote-image",
                span,
                "图片不能用网址".into(),
                "把图放进课文的文件夹，在 assets.toml 里登记，再写文件名。".into(),
            );
            return None;
        }
        if let Some(asset) = self.asset(file) {
            let alt = if written.trim().is_empty() { &asset.alt } else { written };
            return Some(alt.trim().to_owned());
        }
        if self.assets_complete {
            let known =
                self.assets.by_file.keys().chain(self.registry.library.assets.by_file.keys());
            let known: Vec<&str> = known.map(String::as_str).collect();
            faults.error(
                "read/missing-picture",
                span,
                format!("找不到图片“{}”", super::fields::shorten(file)),
                format!(
                    "图片要在课文的文件夹或 content/assets/ 里，并在 assets.toml 里登记。{}",
                    suggest::known(file, known)
                ),
            );
        }
        None
    }

    /// The numbers of `:::hotline`.
    pub(super) fn hotline_table(&self, set: Option<&str>) -> Result<Vec<HotlineId>, String> {
        let hotlines = match set {
            Some(set) => self.registry.set(set)?.unwrap_or_default().to_vec(),
            None => self.front.hotlines.clone().unwrap_or_default(),
        };
        Ok(self.registry.in_public_order(hotlines))
    }

    /// Whether the front matter has a source of that name. The error is the help.
    pub(super) fn check_claim(&self, claim: &str) -> Result<(), String> {
        let sources = self.front.sources.as_deref().unwrap_or_default();
        let known = sources.iter().any(|source| source.claim == claim);
        if known || self.front.sources_broken {
            return Ok(());
        }
        Err(format!(
            "在前言的 sources 里写一条 claim 同名的来源。{}",
            suggest::known(claim, sources.iter().map(|source| source.claim.as_str()))
        ))
    }
}
