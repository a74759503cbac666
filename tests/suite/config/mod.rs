//! `channels.toml`: a typo in any table is named with its line, table and key.

mod console;
mod people;
mod publishing;
mod secrets;

use caishi::config::Config;
use std::fs;

/// Reads a text as `channels.toml`, with these environment variables and no others.
fn load_with(text: &str, variables: &[(&str, &str)]) -> Result<Config, String> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("channels.toml");
    fs::write(&path, text).unwrap();
    let environment = |name: &str| {
        variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
    };
    Config::load_with(&path, &environment).map_err(|error| error.to_string())
}

fn load(text: &str) -> Result<Config, String> {
    load_with(text, &[])
}

/// The text is refused, and the message holds every one of `expected`.
#[track_caller]
fn refused(text: &str, expected: &[&str]) {
    let Err(error) = load(text) else { panic!("this was taken:\n{text}") };
    for needle in expected {
        assert!(error.contains(needle), "“{needle}” is not in: {error}\nfor:\n{text}");
    }
}

const BANK: &str = "[bank]\nname = \"山城示范银行\"\nbase_url = \"https://edu.example/\"\nhotline = \"bank\"\ndisclaimer = \"无\"\n";

#[test]
fn a_sound_file_is_read() {
    let config = load(BANK).unwrap();
    assert_eq!(config.bank.base_url, "https://edu.example", "no slash at the end");
    assert!(config.content.ends_with("content"), "{:?}", config.content);
    assert_eq!(load(&format!("\u{FEFF}{BANK}")).unwrap().bank, config.bank, "a byte order mark");
}

#[test]
fn the_committed_file_is_sound_and_names_what_exists() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let config = Config::load_with(&root.join("channels.toml"), &|_| None).unwrap();
    let library = caishi::read::read_library(&config.content).library;
    assert!(config.channels.len() >= 4 && !config.schedules.is_empty());
    for schedule in &config.schedules {
        assert!(library.edition(&schedule.campaign).is_some(), "{}", schedule.campaign);
    }
    let departments = |name: &String| library.topics.iter().any(|topic| topic.department == *name);
    for person in
        config.people.iter().filter(|person| person.roles.iter().any(|r| r == "co-reviewer"))
    {
        assert!(person.department.as_ref().is_some_and(departments), "{person:?}");
        assert_eq!(person.token_sha256, None, "the demo has no tokens");
    }
}

#[test]
fn every_fault_is_named() {
    for (text, expected) in [
        (String::new(), "[bank]"),
        (format!("colour = 1\n{BANK}"), "第 1 行 colour"),
        (format!("{BANK}colour = 1\n"), "[bank] colour"),
        (
            format!("{BANK}[content]\nfoldr = \"x\"\n"),
            "[content] foldr：没有这个键；是不是想写 folder",
        ),
        (format!("{BANK}[fonts]\nfolder = 3\n"), "第 7 行"),
        (format!("{BANK}[fonts]\nfolder = \"nowhere\"\n"), "nowhere"),
        (format!("{BANK}[templates]\nfolder = \"nowhere\"\n"), "[templates]"),
        (format!("{BANK}[chanels]\n"), "chanels"),
        (format!("{BANK}[bank]\n"), "写了两次"),
        (format!("{BANK}[content\n"), "第 6 行"),
        (BANK.replace("https://", "http://"), "https://"),
        (BANK.replace("example/", &"x".repeat(80)), "60"),
        (BANK.replace("\"bank\"", "\"Bank No 1\""), "Bank No 1"),
        (BANK.replace("山城示范银行", ""), "name"),
        (BANK.replace("山城示范银行", "一二三四五六七八九十一二三四五六七"), "17 个字"),
        (BANK.replace("disclaimer", "disclaim"), "disclaimer：没有写"),
    ] {
        refused(&text, &[expected]);
    }
}

#[test]
fn all_faults_are_told_at_once() {
    let text = BANK.replace("https://", "ftp://").replace("山城示范银行", " ");
    let text = format!("{text}[server]\nlisten = \"8780\"\n[review]\nwarn_day = 3\n");
    refused(
        &text,
        &["4 处", "[bank] name", "[bank] base_url", "[server] listen", "是不是想写 warn_days"],
    );
}
