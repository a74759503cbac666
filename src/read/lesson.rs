//! One lesson folder: its texts, one per audience, and its pictures.

use super::{
    asset,
    faults::Faults,
    files::{self, Folder},
    front_matter::FrontMatter,
    registry::Registry,
    suggest,
    variant::{Surroundings, VariantReading, read_variant},
};
use crate::model::{Audience, Diagnostic, Lesson, LessonId, SourceFile, Span, Variant};
use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::Arc,
};

/// A lesson folder while it is read.
pub(super) struct LessonFolder<'a> {
    /// The content folder.
    pub(super) folder: &'a Folder,
    /// The lesson's folder, relative to it.
    pub(super) path: PathBuf,
    /// The folder's name.
    pub(super) id: LessonId,
    /// The registries.
    pub(super) registry: Registry<'a>,
    /// Whether the pictures of `content/assets/` were read without a fault.
    pub(super) shared_assets_complete: bool,
    /// The names of all lesson folders.
    pub(super) folders: &'a [String],
}

impl LessonFolder<'_> {
    /// Reads the lesson. `None` where anything in its folder is wrong.
    pub(super) fn read(&self, diagnostics: &mut Vec<Diagnostic>) -> Option<Lesson> {
        let before = diagnostics.len();
        let pictures = asset::read(self.folder, &self.path);
        let assets_complete = pictures.diagnostics.is_empty() && self.shared_assets_complete;
        diagnostics.extend(pictures.diagnostics);
        if !self.folder.has(&self.path.join("object.svg")) {
            diagnostics.push(files::fault(
                &self.path.join("object.svg"),
                "read/missing-object",
                "缺少 object.svg".into(),
                "画出海报上的那件东西，存成 object.svg，并在 assets.toml 里登记。".into(),
            ));
        }
        let surroundings =
            Surroundings { registry: self.registry, assets: &pictures.set, assets_complete };
        let variants = self.read_variants(&surroundings, diagnostics);
        (diagnostics.len() == before).then(|| Lesson {
            id: self.id.clone(),
            variants,
            assets: pictures.set,
        })
    }

    fn read_variants(
        &self,
        surroundings: &Surroundings<'_>,
        diagnostics: &mut Vec<Diagnostic>,
    ) -> BTreeMap<Audience, Variant> {
        let mut variants = BTreeMap::new();
        self.refuse_strange_texts(diagnostics);
        let Some(general) = self.read_text(Audience::General, None, surroundings, diagnostics)
        else {
            return variants;
        };
        let front = general.front_matter;
        variants.extend(general.variant.map(|variant| (Audience::General, variant)));
        for audience in [Audience::Elder, Audience::Student] {
            let listed =
                front.audiences.as_ref().map(|audiences| audiences.value.contains(&audience));
            let path = self.path.join(file_name(audience));
            let there = self.folder.has(&path);
            if there {
                let reading = self.read_text(audience, Some(&front), surroundings, diagnostics);
                let variant = reading.and_then(|reading| reading.variant);
                variants.extend(variant.map(|variant| (audience, variant)));
            }
            let mut faults = Faults::new(&front.file);
            let span = front.audiences.as_ref().map(|audiences| audiences.span).unwrap_or_default();
            match listed {
                Some(true) if !there => faults.error(
                    "read/missing-variant",
                    span,
                    format!("audiences 里有 {audience}，文件夹里没有 {}", file_name(audience)),
                    "写好这个文件，或者从 audiences 里去掉它。".into(),
                ),
                Some(false) if there => faults.error(
                    "read/unlisted-variant",
                    span,
                    format!("文件夹里有 {}，audiences 里没有 {audience}", file_name(audience)),
                    "把它加进 audiences，或者删掉文件。".into(),
                ),
                _ => {}
            }
            diagnostics.extend(faults.into_list());
        }
        variants
    }

    fn read_text(
        &self,
        audience: Audience,
        base: Option<&FrontMatter>,
        surroundings: &Surroundings<'_>,
        diagnostics: &mut Vec<Diagnostic>,
    ) -> Option<VariantReading> {
        let path = self.path.join(file_name(audience));
        if !self.folder.has(&path) {
            diagnostics.push(files::fault(
                &path,
                "read/missing-lesson",
                "文件夹里没有 lesson.md".into(),
                "写好 lesson.md，或者删掉这个文件夹。".into(),
            ));
            return None;
        }
        match self.folder.text(&path) {
            Ok(file) => {
                let mut reading = read_variant(&file, audience, base, surroundings);
                diagnostics.append(&mut reading.diagnostics);
                self.check_id(&file, &reading.front_matter, diagnostics);
                Some(reading)
            }
            Err(diagnostic) => {
                diagnostics.push(diagnostic);
                None
            }
        }
    }

    fn check_id(
        &self,
        file: &Arc<SourceFile>,
        front: &FrontMatter,
        diagnostics: &mut Vec<Diagnostic>,
    ) {
        let Some(id) =
            front.id.as_ref().filter(|id| id.value != self.id && id.span != Span::default())
        else {
            return;
        };
        let mut faults = Faults::new(file);
        if self.folders.iter().any(|folder| folder == id.value.as_str()) {
            faults.error(
                "read/duplicate-id",
                id.span,
                format!("id“{}”已经是另一课的", id.value),
                format!("每课一个 id，和文件夹同名：这里写 {}。", self.id),
            );
        } else {
            faults.error(
                "read/id-mismatch",
                id.span,
                format!("id“{}”和文件夹名“{}”不一致", id.value, self.id),
                format!("写成 id: {}，或者给文件夹改名。", self.id),
            );
        }
        diagnostics.extend(faults.into_list());
    }

    fn refuse_strange_texts(&self, diagnostics: &mut Vec<Diagnostic>) {
        let known: Vec<String> =
            Audience::ALL.iter().map(|audience| file_name(*audience)).collect();
        for name in self.folder.names(&self.path).unwrap_or_default() {
            let markdown = Path::new(&name).extension().is_some_and(|extension| extension == "md");
            if markdown && !known.contains(&name) {
                diagnostics.push(files::fault(
                    &self.path.join(&name),
                    "read/unknown-file",
                    format!("不认识课文文件 {name}"),
                    suggest::known(&name, known.iter().map(String::as_str)),
                ));
            }
        }
    }
}

fn file_name(audience: Audience) -> String {
    match audience {
        Audience::General => "lesson.md".into(),
        other => format!("lesson.{other}.md"),
    }
}
