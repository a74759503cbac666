//! `channels.toml`: a typo in any table is named with its place.

use caishi::config::Config;
use std::fs;

fn load(text: &str) -> Result<Config, String> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("channels.toml");
    fs::write(&path, text).unwrap();
    Config::load(&path).map_err(|error| error.to_string())
}

const BANK: &str = "[bank]\nname = \"山城示范银行\"\nbase_url = \"https://edu.example/\"\nhotline = \"bank\"\ndisclaimer = \"无\"\n";

#[test]
fn a_sound_file_is_read() {
    let config = load(BANK).unwrap();
    assert_eq!(config.bank.base_url, "https://edu.example", "no slash at the end");
    assert!(config.content.ends_with("content"), "{:?}", config.content);
}

#[test]
fn every_fault_is_named() {
    for (text, expected) in [
        (String::new(), "bank"),
        (format!("{BANK}colour = 1\n"), "colour"),
        (format!("{BANK}[content]\nfoldr = \"x\"\n"), "foldr"),
        (format!("{BANK}[fonts]\nfolder = 3\n"), "line 7"),
        (format!("{BANK}[fonts]\nfolder = \"nowhere\"\n"), "nowhere"),
        (format!("{BANK}[templates]\nfolder = \"nowhere\"\n"), "[templates]"),
        (format!("{BANK}[chanels]\n"), "chanels"),
        (BANK.replace("https://", "http://"), "https://"),
        (BANK.replace("example/", &"x".repeat(80)), "60"),
        (BANK.replace("\"bank\"", "\"Bank No 1\""), "Bank No 1"),
        (BANK.replace("山城示范银行", ""), "name"),
    ] {
        let error = load(&text).unwrap_err();
        assert!(error.contains(expected), "{expected} is not in: {error}");
    }
}

#[test]
fn all_faults_are_told_at_once() {
    let text = BANK.replace("https://", "ftp://").replace("山城示范银行", " ");
    let error = load(&text).unwrap_err();
    assert!(error.contains("name") && error.contains("base_url"), "{error}");
}
