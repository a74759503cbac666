//! Reading: good lessons come out whole, broken ones are named with all of their faults.

mod broken;
mod emphasis;
mod good;
mod limits;
mod registries;

use caishi::{
    model::Diagnostic,
    read::{Reading, read_library},
};
use std::{
    fs,
    path::{Path, PathBuf},
};

/// A content folder that a test fills and that vanishes with it.
struct Content {
    folder: tempfile::TempDir,
}

impl Content {
    /// The small library of `tests/suite/cases/library`, without a lesson.
    fn new() -> Self {
        let content = Self { folder: tempfile::tempdir().unwrap() };
        for name in [
            "topics.toml",
            "hotlines.toml",
            "campaigns/routine.toml",
            "branches.csv",
            "screens.csv",
        ] {
            content.write(name, case(&format!("library/{name}")));
        }
        content
    }

    fn write(&self, path: &str, bytes: impl AsRef<[u8]>) -> &Self {
        let path = self.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
        self
    }

    /// Adds a lesson folder: these texts, an object and its entry.
    fn lesson(&self, id: &str, general: &str, elder: &str) -> &Self {
        self.write(&format!("lessons/{id}/lesson.md"), general)
            .write(&format!("lessons/{id}/lesson.elder.md"), elder)
            .write(&format!("lessons/{id}/object.svg"), case("library/object.svg"))
            .write(&format!("lessons/{id}/assets.toml"), case("library/assets.toml"))
    }

    /// Adds the lesson of `lesson.md`.
    fn good_lesson(&self, id: &str) -> &Self {
        self.lesson(id, &good_general(id), &case("lesson.elder.md"))
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    fn read(&self) -> Reading {
        read_library(self.path())
    }

    /// Reads and asserts that exactly these faults are found, each `path line:column code`.
    #[track_caller]
    fn expect(&self, faults: &[&str]) -> Reading {
        let reading = self.read();
        assert_eq!(briefs(&reading.diagnostics), faults, "{}", render_all(&reading.diagnostics));
        reading
    }
}

fn good_general(id: &str) -> String {
    case("lesson.md").replace("NAME", id)
}

/// A file of `tests/suite/cases`.
fn case(name: &str) -> String {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/suite/cases").join(name);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// `path line:column code`, without the place where there is none.
fn brief(diagnostic: &Diagnostic) -> String {
    let path = diagnostic.file.path.display();
    match diagnostic.position() {
        Some((line, column)) => format!("{path} {line}:{column} {}", diagnostic.code),
        None => format!("{path} {}", diagnostic.code),
    }
}

fn briefs(diagnostics: &[Diagnostic]) -> Vec<String> {
    diagnostics.iter().map(brief).collect()
}

/// A diagnostic as a terminal shows it: place, reason, the line with the span marked, help.
fn render(diagnostic: &Diagnostic) -> String {
    let path = diagnostic.file.path.display();
    let heading = format!("{}[{}]: {}", diagnostic.severity, diagnostic.code, diagnostic.reason);
    let help = &diagnostic.help;
    let Some(span) = diagnostic.span else {
        return format!("{path}: {heading}\n  = {help}\n");
    };
    let text = &diagnostic.file.text;
    let (line, column) = diagnostic.file.position(span.start);
    let line_start = text[..span.start].rfind('\n').map_or(0, |newline| newline + 1);
    let source = text[line_start..].lines().next().unwrap_or_default();
    let before: String = text[line_start..span.start].chars().map(blank).collect();
    let marked = text[span.start..span.end].lines().next().unwrap_or_default();
    let mark: String = marked.chars().map(|c| blank(c).replace([' ', '　'], "^")).collect();
    let mark = if mark.is_empty() { "^".to_owned() } else { mark };
    format!("{path}:{line}:{column}: {heading}\n  | {source}\n  | {before}{mark}\n  = {help}\n")
}

/// As wide as the character on a terminal.
fn blank(character: char) -> String {
    match unicode_width::UnicodeWidthChar::width(character) {
        Some(2) => "  ".to_owned(),
        _ => " ".to_owned(),
    }
}

fn render_all(diagnostics: &[Diagnostic]) -> String {
    diagnostics.iter().map(render).collect::<Vec<_>>().join("\n")
}
