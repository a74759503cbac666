//! Templates that people edit: every mistake is an error with its line.

use caishi::{
    build::Studio,
    config::Config,
    render::{Templates, templates::TemplateError},
};
use serde::Serialize;
use std::{collections::BTreeMap, fs};

#[derive(Serialize)]
struct View {
    unit: f64,
    shown: bool,
    bank: &'static str,
}

/// The outcome of a `poster/brandbar.hbs` with this text, for a view of `unit`, `shown`, `bank`.
fn rendered(text: &str) -> Result<String, TemplateError> {
    let overrides = BTreeMap::from([("poster/brandbar.hbs".to_owned(), text.to_owned())]);
    Templates::new(&overrides)?
        .render("poster/brandbar.hbs", &View { unit: 0.5, shown: true, bank: "山城<示范>" })
}

#[test]
fn a_name_that_does_not_exist_is_an_error_with_its_line() {
    for (text, line, name) in [
        ("\n{{bnak}}", 2, "bnak"),
        ("{{#if shwon}}x{{/if}}", 1, "shwon"),
        ("\n\n{{#unless shwon}}x{{/unless}}", 3, "shwon"),
        ("{{#each lines}}x{{/each}}", 1, "lines"),
        ("{{> poster/nothing.hbs}}", 1, "poster/nothing.hbs"),
    ] {
        let error = rendered(text).unwrap_err();
        let TemplateError::Render { line: found, reason, .. } = &error else { panic!("{error}") };
        assert_eq!((*found, reason.contains(name)), (line, true), "{text:?}: {error}");
    }
}

#[test]
fn a_template_that_does_not_parse_is_an_error_with_its_line() {
    let error = rendered("<div>\n{{#if shown}}\n</div>").unwrap_err();
    assert!(matches!(error, TemplateError::Syntax { line: 2.., .. }), "{error}");
}

#[test]
fn both_arms_lengths_and_escapes() {
    for (text, expected) in [
        ("{{#if shown}}a{{else}}b{{/if}}", "a"),
        ("{{#unless shown}}a{{else}}b{{/unless}}", "b"),
        ("{{px 101}}", "51px"),
        ("{{bank}}", "山城&lt;示范&gt;"),
    ] {
        assert_eq!(rendered(text).unwrap(), expected, "{text}");
    }
}

/// An override folder may replace a template, a palette or the type scale; a file that replaces
/// nothing is refused, since a misspelt name would have no effect.
#[test]
fn an_override_folder_replaces_what_it_names() {
    let folder = tempfile::tempdir().unwrap();
    let mine = folder.path().join("mine/poster");
    fs::create_dir_all(&mine).unwrap();
    let channels = fs::read_to_string(crate::demo::root().join("channels.toml")).unwrap();
    let config = folder.path().join("channels.toml");
    fs::write(&config, format!("{channels}\n[templates]\nfolder = \"mine\"\n")).unwrap();
    let load = || Studio::load(&Config::load(&config).unwrap());

    fs::write(mine.join("brandbar.hbs"), "<b>{{bank}}</b>").unwrap();
    assert!(load().is_ok());
    fs::write(mine.join("brandbra.hbs"), "").unwrap();
    let error = load().err().unwrap().to_string();
    assert!(
        error.contains("poster/brandbra.hbs") && error.contains("poster/brandbar.hbs"),
        "{error}"
    );
    fs::remove_file(mine.join("brandbra.hbs")).unwrap();
    fs::write(folder.path().join("mine/palettes.toml"), "[general]\npaper = 3\n").unwrap();
    assert!(load().is_err());
}
