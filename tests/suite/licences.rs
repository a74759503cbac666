//! Every dependency's licence is on the list of `deny.toml`.

use serde_json::Value;
use std::{fs, path::Path, process::Command};

fn allowed() -> Vec<String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("deny.toml");
    let file: toml::Table = fs::read_to_string(path).unwrap().parse().unwrap();
    let list = file["licenses"]["allow"].as_array().unwrap();
    list.iter().map(|licence| licence.as_str().unwrap().to_owned()).collect()
}

/// Whether an SPDX expression can be satisfied: `OR` asks for one side, `AND` for both. The older
/// `MIT/Apache-2.0` means `OR`.
fn satisfied(expression: &str, allowed: &[String]) -> bool {
    let expression = expression.trim();
    let inner = expression.strip_prefix('(').and_then(|rest| rest.strip_suffix(')'));
    if let Some(inner) = inner.filter(|inner| !inner.contains(')')) {
        return satisfied(inner, allowed);
    }
    for (word, all) in [(" AND ", true), (" OR ", false), ("/", false)] {
        let parts = split_outside_brackets(expression, word);
        if parts.len() > 1 {
            let mut results = parts.iter().map(|part| satisfied(part, allowed));
            return if all { results.all(|ok| ok) } else { results.any(|ok| ok) };
        }
    }
    allowed.iter().any(|licence| licence == expression)
}

fn split_outside_brackets<'a>(text: &'a str, word: &str) -> Vec<&'a str> {
    let mut parts = Vec::new();
    let (mut depth, mut start) = (0, 0);
    for (index, character) in text.char_indices() {
        match character {
            '(' => depth += 1,
            ')' => depth -= 1,
            _ if depth == 0 && index >= start && text[index..].starts_with(word) => {
                parts.push(&text[start..index]);
                start = index + word.len();
            }
            _ => {}
        }
    }
    parts.push(&text[start..]);
    parts
}

#[test]
fn every_dependency_has_a_licence_of_the_list() {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--locked"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: Value = serde_json::from_slice(&output.stdout).unwrap();
    let allowed = allowed();
    let packages = metadata["packages"].as_array().unwrap();
    assert!(packages.len() > 100, "cargo metadata lists the dependencies");
    let refused: Vec<String> = packages
        .iter()
        .filter(|package| !satisfied(package["license"].as_str().unwrap_or(""), &allowed))
        .map(|package| format!("{} {}", package["name"], package["license"]))
        .collect();
    assert_eq!(refused, Vec::<String>::new());
}

#[test]
fn expressions_are_read_as_spdx_means_them() {
    let allowed = vec!["MIT".to_owned(), "Zlib".to_owned()];
    for (expression, expected) in [
        ("MIT", true),
        ("GPL-3.0", false),
        ("MIT OR GPL-3.0", true),
        ("MIT AND GPL-3.0", false),
        ("(GPL-3.0 OR MIT) AND Zlib", true),
        ("(GPL-3.0 OR Apache-2.0) AND Zlib", false),
        ("MIT/GPL-3.0", true),
        ("", false),
    ] {
        assert_eq!(satisfied(expression, &allowed), expected, "{expression}");
    }
}
