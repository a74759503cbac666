//! The demo library of `content/`, read once for all tests.

use caishi::{
    build::Studio,
    config::Config,
    model::{Audience, Lesson, Library, Variant},
    read::read_library,
    render::{Scene, poster::scale::Profile},
};
use std::{
    path::{Path, PathBuf},
    sync::OnceLock,
};

pub struct Demo {
    pub config: Config,
    pub library: Library,
    pub studio: Studio,
}

pub fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// The demo content, which must read without a fault.
pub fn demo() -> &'static Demo {
    static DEMO: OnceLock<Demo> = OnceLock::new();
    DEMO.get_or_init(|| {
        let config = Config::load(&root().join("channels.toml")).unwrap();
        let reading = read_library(&config.content);
        assert_eq!(reading.diagnostics, Vec::new(), "the demo content is sound");
        let studio = Studio::load(&config).unwrap();
        Demo { config, library: reading.library, studio }
    })
}

impl Demo {
    pub fn scene<'a>(&'a self, lesson: &'a Lesson, variant: &'a Variant) -> Scene<'a> {
        Scene {
            bank: &self.config.bank,
            library: &self.library,
            lesson,
            variant,
            branch: None,
            approval_number: None,
        }
    }

    /// Every lesson × audience.
    pub fn scenes(&self) -> Vec<Scene<'_>> {
        let lessons = self.library.lessons.iter();
        lessons
            .flat_map(|lesson| lesson.variants.values().map(|variant| self.scene(lesson, variant)))
            .collect()
    }

    pub fn named(&self, lesson: &str, audience: Audience) -> Scene<'_> {
        let found = self
            .scenes()
            .into_iter()
            .find(|scene| scene.lesson.id.as_str() == lesson && scene.variant.audience == audience);
        found.unwrap()
    }

    /// Every profile of `screens.csv`, once.
    pub fn profiles(&self) -> Vec<Profile> {
        let mut profiles: Vec<Profile> = Vec::new();
        for screen in &self.library.screens {
            let profile = Profile::of(screen);
            if !profiles.iter().any(|known| known.name == profile.name) {
                profiles.push(profile);
            }
        }
        profiles
    }

    pub fn profile(&self, name: &str) -> Profile {
        self.profiles().into_iter().find(|profile| profile.name == name).unwrap()
    }
}

/// The files below a folder, as paths relative to it, sorted.
pub fn files(folder: &Path) -> Vec<String> {
    let mut files: Vec<String> = walkdir::WalkDir::new(folder)
        .into_iter()
        .map(Result::unwrap)
        .filter(|entry| entry.file_type().is_file())
        .map(|entry| entry.path().strip_prefix(folder).unwrap().to_string_lossy().into_owned())
        .collect();
    files.sort();
    files
}
