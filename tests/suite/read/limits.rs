//! Hostile and damaged files: each is a clear error, and none panics or takes for ever.

use super::{Content, briefs, case, good_general};
use caishi::read::read_library;
use proptest::prelude::*;
use std::path::Path;

/// Reads a library with one lesson that has this text behind the good front matter.
fn faults_of_body(body: &str) -> Vec<String> {
    let content = Content::new();
    let good = good_general("a");
    let front = &good[..good.rfind("---\n").unwrap() + 4];
    content.lesson("a", &format!("{front}{body}"), &case("lesson.elder.md"));
    briefs(&content.read().diagnostics)
}

#[test]
fn nesting_without_end_is_one_error() {
    let many = 20_000;
    let nesting = |place: &str| vec![format!("lessons/a/lesson.md {place} read/nesting")];
    assert_eq!(faults_of_body(&">".repeat(many)), nesting("25:1"));
    assert_eq!(faults_of_body(&"> ".repeat(many)), nesting("25:1"));
    assert_eq!(faults_of_body(&"- ".repeat(many)), nesting("25:1"));
    assert_eq!(faults_of_body(&format!("{}中", "1. ".repeat(many))), nesting("25:1"));
    let stars = format!("{}中{}", "*a ".repeat(many), " a*".repeat(many));
    assert!(briefs_have_nesting(&faults_of_body(&stars)));
    let strong = format!("{}中{}", "**a ".repeat(many), " a**".repeat(many));
    assert!(briefs_have_nesting(&faults_of_body(&strong)));
    let pictures = format!("{}中{}", "![a ".repeat(many), "](b)".repeat(many));
    assert!(briefs_have_nesting(&faults_of_body(&pictures)));
    let directives = ":::tip\n".repeat(many);
    assert!(briefs_have_nesting(&faults_of_body(&directives)));
    let staircase: String = (0..400).map(|depth| format!("{}- 项\n", "  ".repeat(depth))).collect();
    assert!(briefs_have_nesting(&faults_of_body(&staircase)));
}

fn briefs_have_nesting(faults: &[String]) -> bool {
    faults.len() == 1 && faults[0].ends_with("read/nesting")
}

#[test]
fn brackets_and_markers_without_end_are_read_in_time() {
    let many = 20_000;
    for text in ["[", "![", "](", "`", "**", "~~", "<", "&", "{{", ":::", "|", "[^", "<!--", "\\"] {
        faults_of_body(&text.repeat(many));
        faults_of_body(&format!("{text}\n").repeat(many));
        faults_of_body(&format!("{text} 中 ").repeat(many));
    }
    faults_of_body(&format!("{}a{}", "[".repeat(many), "](b)".repeat(many)));
    faults_of_body(&format!("|{}\n|{}\n", "a|".repeat(500), "-|".repeat(500)));
}

#[test]
fn a_million_faults_are_not_listed() {
    let faults = faults_of_body(&"{{a}}".repeat(20_000));
    assert_eq!(faults.len(), 201);
    assert!(faults[200].ends_with("read/too-many"), "{}", faults[200]);
}

#[test]
fn yaml_bombs_are_refused() {
    let bomb = "a: &a [x, x]\nb: &b [*a, *a]\nc: &c [*b, *b]\n";
    let deep = format!("keywords: {}\n", "[".repeat(20_000));
    let indented: String = (0..500).map(|depth| format!("{}a:\n", " ".repeat(depth))).collect();
    for yaml in [
        bomb,
        &deep,
        &indented,
        "? [a]\n: b\n",
        "\"",
        "a: !!binary x\n",
        "%YAML 3\n",
        "- a\n",
        "text\n",
    ] {
        let content = Content::new();
        content.lesson("a", &format!("---\n{yaml}---\n\n正文。\n"), &case("lesson.elder.md"));
        let reading = content.read();
        assert!(!reading.diagnostics.is_empty(), "{yaml}");
        assert!(reading.library.lessons.is_empty());
    }
}

#[test]
fn files_that_are_no_lessons_are_named() {
    let content = Content::new();
    content.good_lesson("large").good_lesson("gbk").good_lesson("binary").good_lesson("picture");
    content.write("lessons/large/lesson.md", vec![b'a'; 50 << 20]);
    let gbk = encoding_rs::GBK.encode("---\nid: gbk\n标题").0.into_owned();
    content.write("lessons/gbk/lesson.md", gbk);
    content.write("lessons/binary/lesson.md", [0xFF, 0x00, 0x81, 0xFF]);
    content.write("lessons/picture/object.svg", b"not a picture");
    content.write("lessons/No_Name/lesson.md", "x");
    content.write("lessons/empty/notes.md", "x");
    let reading = content.expect(&[
        "lessons/No_Name read/folder-name",
        "lessons/binary/lesson.md read/not-utf8",
        "lessons/empty/lesson.md read/missing-lesson",
        "lessons/empty/notes.md read/unknown-file",
        "lessons/empty/object.svg read/missing-object",
        "lessons/gbk/lesson.md read/not-utf8",
        "lessons/large/lesson.md read/file-too-large",
        "lessons/picture/object.svg read/picture-type",
    ]);
    let gbk = reading.diagnostics.iter().find(|d| d.file.path.starts_with("lessons/gbk")).unwrap();
    assert_eq!(gbk.reason, "文件不是 UTF-8 编码，第 3 行（第 13 个字节）起读不出来");
    assert!(gbk.help.starts_with("看起来是 GBK 编码"), "{}", gbk.help);
}

#[test]
#[cfg(unix)]
fn links_out_of_the_folder_are_refused() {
    let outside = tempfile::tempdir().unwrap();
    std::fs::write(outside.path().join("secret.md"), "密").unwrap();
    let content = Content::new();
    content.good_lesson("a").good_lesson("b").good_lesson("c");
    let link = |target: &Path, name: &str| {
        let path = content.path().join(name);
        std::fs::remove_file(&path).unwrap();
        std::os::unix::fs::symlink(target, path).unwrap();
    };
    link(&outside.path().join("secret.md"), "lessons/a/lesson.md");
    link(&outside.path().join("nothing.svg"), "lessons/b/object.svg");
    // A link that stays inside is no harm.
    link(&content.path().join("lessons/b/lesson.elder.md"), "lessons/c/lesson.elder.md");
    content.expect(&[
        "lessons/a/lesson.md read/outside-content",
        "lessons/b/object.svg read/unreadable",
    ]);
}

#[test]
fn pictures_and_entries_must_match() {
    let content = Content::new();
    content.good_lesson("a").good_lesson("b").good_lesson("c");
    std::fs::remove_file(content.path().join("lessons/a/object.svg")).unwrap();
    content.write("lessons/b/extra.png", b"\x89PNG\r\n\x1a\n");
    let entry = case("library/assets.toml");
    content.write(
        "lessons/c/assets.toml",
        entry.replace("alt =", "alternative =") + &entry.replace("object", "../b/object"),
    );
    content.expect(&[
        "lessons/a/assets.toml 2:8 read/missing-picture",
        "lessons/a/object.svg read/missing-object",
        "lessons/b/extra.png read/picture-without-entry",
        "lessons/c/assets.toml 1:1 read/missing-key",
        "lessons/c/assets.toml 3:1 read/unknown-key",
        "lessons/c/assets.toml 8:8 read/missing-picture",
    ]);
}

#[test]
fn a_folder_that_is_not_there_is_an_error() {
    let reading = read_library(Path::new("/no/such/folder"));
    assert_eq!(briefs(&reading.diagnostics), [" read/no-content"]);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_text_panics(text in "(?s).{0,200}") {
        faults_of_body(&text);
    }

    /// Pieces of the dialect in any order reach further than random characters.
    #[test]
    fn no_mixture_of_markup_panics(pieces in prop::collection::vec(prop::sample::select(PIECES), 0..60)) {
        faults_of_body(&pieces.concat());
    }

    #[test]
    fn no_front_matter_panics(pieces in prop::collection::vec(prop::sample::select(PIECES), 0..40)) {
        let content = Content::new();
        content.write("lessons/a/lesson.md", format!("---\n{}\n---\n中", pieces.concat()));
        content.write("hotlines.toml", pieces.concat());
        content.write("branches.csv", pieces.concat());
        content.read();
    }
}

const PIECES: &[&str] = &[
    "\n",
    "\n\n",
    " ",
    "  ",
    "    ",
    "> ",
    "- ",
    "1. ",
    "- [x] ",
    "## ",
    "中",
    "。",
    "**",
    "*",
    "_",
    "~~",
    "~",
    "`",
    "```\n",
    ":::",
    ":::tip\n",
    "::::case{fictional=true}\n",
    ":::\n",
    ":::screen\n",
    ":::quiz\n",
    ":::calc\n",
    ":::dialogue\n",
    ":::steps\n",
    ":::stat{value=1 source=victim-age}\n",
    "{",
    "}",
    "{{hotline:police}}",
    "{{",
    "}}",
    "[",
    "]",
    "(",
    ")",
    "[^1]",
    "[^1]: ",
    "![](object.svg)",
    "|",
    "|-|\n",
    "<!-- ",
    " -->",
    "<b>",
    "<?:?>",
    "&amp;",
    "\\",
    "\t",
    "\r\n",
    "甲：",
    "5000 - 800 = 4200 元",
    "\u{FDD0}",
    "\u{FE00}",
    "id: a\n",
    "title: ",
    "\"",
    "'",
    ": ",
    "#",
    "[[hotline]]\n",
    "= ",
    ",",
    "é",
    "🏦",
];
