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

#[test]
fn the_calendar_is_read_and_its_faults_are_told() {
    use jiff::civil::date;
    let content = Content::new();
    assert_eq!(content.expect(&[]).library.calendar, caishi::model::Calendar::default());
    let year = "[[year]]\nyear = 2026\npublished = true\nworkdays = [2026-10-10, 2026-09-20]\n[[year.holiday]]\nname = \"国庆节\"\nfrom = 2026-10-01\nuntil = 2026-10-07\n[[year.holiday]]\nname = \"元旦\"\nfrom = 2026-01-01\n";
    let head = "source = \"通知\"\nverified_on = 2026-11-27\n";
    let blackout = "[[blackout]]\nfrom = 2026-12-13\nuntil = 2026-12-14\nreason = \"公祭日\"\n";
    content.write("calendar.toml", format!("{head}{year}{blackout}"));
    let calendar = content.expect(&[]).library.calendar;
    assert_eq!(calendar.holiday(date(2026, 10, 7)).unwrap().name, "国庆节");
    assert_eq!(calendar.holiday(date(2026, 10, 8)), None);
    assert_eq!(calendar.holidays.len(), 8, "seven days and one");
    assert_eq!(calendar.holidays[0].name, "元旦", "sorted by day");
    assert_eq!(calendar.published_years, [2026]);
    for (day, works) in [
        (date(2026, 9, 20), true), // a Sunday that is worked
        (date(2026, 9, 27), false),
        (date(2026, 10, 5), false),
        (date(2026, 10, 8), true),
        (date(2028, 10, 2), true), // a year that is not listed
        (date(2028, 10, 1), false),
    ] {
        assert_eq!(calendar.is_workday(day), works, "{day}");
    }
    assert_eq!(calendar.blackout(date(2026, 12, 14)).unwrap().reason, "公祭日");
    assert_eq!(calendar.blackout(date(2026, 12, 15)), None);
    content.write(
        "calendar.toml",
        format!(
            "verified_on = 2026-11-27\n{}{year}{}unknown = 1\n",
            year.replace("2026-09-20", "2026-09-21, 2026-10-04, 2027-01-02, 2026-10-10, \"x\"")
                .replace("until = 2026-10-07", "until = 2026-09-07")
                .replace("from = 2026-01-01", "from = 2025-01-01"),
            blackout.replace("until = 2026-12-14\n", ""),
        ),
    );
    content.expect(&[
        "calendar.toml 1:1 read/missing-key",
        "calendar.toml 5:25 read/bad-value",
        "calendar.toml 5:49 read/bad-value",
        "calendar.toml 5:61 read/bad-value",
        "calendar.toml 5:73 read/bad-value",
        "calendar.toml 8:8 read/dates-reversed",
        "calendar.toml 10:1 read/bad-value",
        "calendar.toml 13:1 read/duplicate-id",
        "calendar.toml 24:1 read/missing-key",
        "calendar.toml 27:1 read/unknown-key",
    ]);
}
