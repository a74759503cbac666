//! Registries and tables around the lessons.

use super::{Content, case};
use caishi::model::HotlineKind;

#[test]
fn registries_and_tables_are_read() {
    let content = Content::new();
    let library = content.expect(&[]).library;
    assert_eq!(library.topics[0].tag, "防骗一课");
    assert_eq!(library.hotlines[1].kind, HotlineKind::Emergency);
    let set: Vec<&str> =
        library.hotline_sets[0].hotlines.iter().map(caishi::model::HotlineId::as_str).collect();
    assert_eq!(set, ["police", "bank"], "the police come first, whatever the file says");
    assert_eq!(library.campaigns[0].editions[0].id.to_string(), "routine/weekly");
    assert_eq!(library.branches[0].tags, ["community", "elder"]);
    assert_eq!(library.branches[0].hotline, None);
    assert_eq!(library.branches[1].hotline.as_deref(), Some("95XXX"));
    assert_eq!((library.screens[0].width, library.screens[0].distance_m), (1080, 3.0));
}

#[test]
fn a_rotation_gives_the_order() {
    let content = Content::new();
    let rotation = "rotation = [\"b\", \"a\"]\n";
    content.write("campaigns/routine.toml", case("library/campaigns/routine.toml") + rotation);
    let library = content.expect(&[]).library;
    let lessons = &library.campaigns[0].editions[0].lessons;
    assert_eq!(lessons.iter().map(caishi::model::LessonId::as_str).collect::<Vec<_>>(), ["b", "a"]);
}

#[test]
fn tables_may_be_utf8_with_a_mark_or_gbk() {
    let table = case("library/branches.csv");
    let plain = Content::new().expect(&[]).library.branches;
    let marked = Content::new();
    marked.write("branches.csv", format!("\u{FEFF}{table}"));
    assert_eq!(marked.expect(&[]).library.branches, plain);
    let gbk = Content::new();
    gbk.write("branches.csv", encoding_rs::GBK.encode(&table.replace('\n', "\r\n")).0);
    assert_eq!(gbk.expect(&[]).library.branches, plain);
}

#[test]
fn faults_of_tables_are_told_by_row() {
    let content = Content::new();
    let rows = "B2,坏代号,,,,,\nb001,重复,,,,,\nb003,,,,,,\nb004,少一列\nb005,好的,,,,,\n";
    content.write("branches.csv", case("library/branches.csv") + rows);
    let rows = "b001,s1,portrait-fhd,1080,1920,535.7,3,15\nb009,s1,x,0,99999,-1,远,15\nb001,s2,portrait-fhd,1920,1080,535.7,3,15\n";
    content.write("screens.csv", case("library/screens.csv") + rows);
    let library = content
        .expect(&[
            "branches.csv 4:1 read/csv-value",
            "branches.csv 5:1 read/duplicate-id",
            "branches.csv 6:1 read/csv-value",
            "branches.csv 7:1 read/csv-columns",
            "screens.csv 4:6 read/duplicate-id",
            "screens.csv 5:11 read/csv-value",
            "screens.csv 5:13 read/csv-value",
            "screens.csv 5:19 read/csv-value",
            "screens.csv 5:22 read/csv-value",
            "screens.csv 6:9 read/csv-value",
        ])
        .library;
    let ids: Vec<&str> = library.branches.iter().map(|branch| branch.id.as_str()).collect();
    assert_eq!(ids, ["b001", "b002", "b005"]);
}

#[test]
fn a_wrong_header_is_told_once() {
    let content = Content::new();
    let table = case("library/branches.csv").replace("district,", "distrikt,");
    content.write("branches.csv", table);
    content.expect(&["branches.csv 1:1 read/csv-header", "branches.csv 1:1 read/csv-header"]);
}

#[test]
fn faults_of_registries_do_not_spill_into_lessons() {
    let content = Content::new();
    content.good_lesson("a");
    let hotlines = case("library/hotlines.toml");
    let broken = hotlines.replacen("kind = \"bank\"", "kind = \"banque\"", 1).replacen(
        "verified_on = 2026-11-10",
        "verified_on = \"昨天\"",
        1,
    );
    content.write("hotlines.toml", broken);
    content.write("topics.toml", "[[topic]\nid = ");
    let campaign = case("library/campaigns/routine.toml");
    let campaign = campaign
        .replace("until = 2027-08-31", "until = 2025-08-31")
        .replace("name = \"每", "nome = \"每");
    content.write("campaigns/routine.toml", campaign);
    let reading = content.read();
    let paths = reading.diagnostics.iter().map(|fault| fault.file.path.to_str().unwrap());
    let mut paths: Vec<&str> = paths.collect();
    paths.dedup();
    assert_eq!(paths, ["campaigns/routine.toml", "hotlines.toml", "topics.toml"]);
    assert_eq!(reading.library.lessons.len(), 1, "the lesson itself is sound");
}
