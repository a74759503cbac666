//! Packages for gateways: each is read here by a reader of its own, from the manual's rules, not
//! from the rules file.

use crate::{
    html::{Piece, pieces, visible},
    sample::*,
};
use caishi::{
    model::*,
    read::read_library,
    render::{
        RenderError, Scene, Stage, Templates,
        portal::{self, PortalOptions},
    },
};
use std::{
    collections::BTreeMap,
    fs,
    io::{Cursor, Read as _},
    path::Path,
    process::Command,
};

/// The files of a package by name, in its order.
fn unpack(bytes: &[u8]) -> Vec<(String, String)> {
    let mut zip = zip::ZipArchive::new(Cursor::new(bytes)).unwrap();
    let mut files = Vec::new();
    for index in 0..zip.len() {
        let mut file = zip.by_index(index).unwrap();
        let mut text = String::new();
        file.read_to_string(&mut text).unwrap();
        files.push((file.name().unwrap().into_owned(), text));
    }
    files
}

fn made_with(
    stage: &Stage<'_>,
    gateway: Option<&str>,
    edit: &dyn Fn(&mut Library),
) -> Result<Artifact, RenderError> {
    let bank = bank();
    let mut library = library(Audience::General, rich_body());
    library.lessons[0].variants.values_mut().next().unwrap().tiers = tiers();
    edit(&mut library);
    let lesson = &library.lessons[0];
    let branch = Branch { gateway: gateway.map(str::to_owned), ..branch() };
    let scene = Scene {
        bank: &bank,
        library: &library,
        lesson,
        variant: &lesson.variants[&Audience::General],
        branch: Some(&branch),
        approval_number: Some("宣教审〔2026〕12号"),
    };
    portal::package(&scene, stage, &PortalOptions::default())
}

fn made(gateway: &str) -> Vec<(String, String)> {
    unpack(&made_with(&stage(), Some(gateway), &|_| ()).unwrap().bytes)
}

/// A form: action, method, and its fields with the button's.
type Form = (String, String, BTreeMap<String, String>);

fn forms(html: &str) -> Vec<Form> {
    let mut forms: Vec<Form> = Vec::new();
    for piece in pieces(html) {
        let Piece::Open { tag, .. } = &piece else { continue };
        let owned = |name: &str| piece.attribute(name).unwrap_or_default().to_owned();
        match tag.as_str() {
            "form" => forms.push((owned("action"), owned("method"), BTreeMap::new())),
            "input" | "button" if piece.attribute("name").is_some() => {
                forms.last_mut().unwrap().2.insert(owned("name"), owned("value"));
            }
            _ => {}
        }
    }
    forms
}

/// What every page for captive phones keeps, whatever the gateway.
fn asks_nobody(name: &str, html: &str) {
    let mut headings = 0;
    for piece in pieces(html) {
        let Piece::Open { tag, attributes } = &piece else { continue };
        assert!(!["script", "link", "iframe", "object", "base"].contains(&tag.as_str()), "{name}");
        headings += usize::from(tag == "h1");
        if tag == "input" {
            assert_eq!(piece.attribute("type"), Some("hidden"), "{name}");
        }
        for (attribute, value) in attributes {
            assert!(!attribute.starts_with("on") && attribute != "style", "{name}: {attribute}");
            assert!(attribute != "src" || value.starts_with("data:image/svg+xml,"), "{name}");
            assert!(attribute != "href" || value.starts_with("tel:"), "{name}: {value}");
        }
    }
    assert_eq!(headings, 1, "{name}");
    assert!(!html.contains("url(") && !html.contains("@import"), "{name}");
    assert!(html.contains("default-src 'none'"), "{name}");
    assert!(html.contains("<html lang=\"zh-CN\">") && html.contains("lang=\"en\""), "{name}");
}

#[test]
fn comware_takes_the_package_as_its_manual_asks() {
    let artifact = made_with(&stage(), Some("comware"), &|_| ()).unwrap();
    let name = artifact.path.file_stem().unwrap().to_str().unwrap();
    assert!(name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_'), "{name}");
    let files = unpack(&artifact.bytes);
    let mut names: Vec<&str> = files.iter().map(|(name, _)| name.as_str()).collect();
    names.sort_unstable();
    let fixed = [
        "busy.htm",
        "logoffSuccess.htm",
        "logon.htm",
        "logonFail.htm",
        "logonSuccess.htm",
        "online.htm",
    ];
    assert_eq!(names, fixed);
    assert!(files.iter().map(|(_, text)| text.len()).sum::<usize>() <= 500 * 1024);
    for (name, html) in &files {
        assert!(html.len() <= 50 * 1024, "{name}: {}", html.len());
        asks_nobody(name, html);
        let forms = forms(html);
        let button = match name.as_str() {
            "logon.htm" | "logonFail.htm" => "Logon",
            "logonSuccess.htm" | "online.htm" => "Logoff",
            _ => {
                assert!(forms.is_empty(), "{name}");
                continue;
            }
        };
        let [(action, method, fields)] = &forms[..] else { panic!("{name}: {forms:?}") };
        assert_eq!((action.as_str(), method.as_str()), ("logon.cgi", "post"), "{name}");
        assert_eq!(fields["PtButton"], button, "{name}");
        assert_eq!(fields.contains_key("PtUser"), button == "Logon", "{name}");
        assert_eq!(fields.contains_key("PtPwd"), button == "Logon", "{name}");
    }
    let logon = &files.iter().find(|(name, _)| name == "logon.htm").unwrap().1;
    // The way on stands before the lesson, and the page says whose it is and who approved it.
    assert!(logon.find("logon.cgi").unwrap() < logon.find("守住三条线").unwrap());
    for part in ["青石坡", "宣教审〔2026〕12号", "有效期至", "客服"] {
        assert!(visible(logon).contains(part), "{part}");
    }
}

#[test]
fn mikrotik_finds_its_variables_and_no_others() {
    let files = made("mikrotik");
    let login = &files.iter().find(|(name, _)| name == "login.html").unwrap().1;
    let found = forms(login);
    assert_eq!(found.len(), 2);
    assert_eq!(found[0].0, "$(link-login-only)");
    assert_eq!(found[0].2["dst"], "$(link-orig)");
    for (name, html) in &files {
        asks_nobody(name, html);
        for (at, _) in html.match_indices("$(") {
            assert!(html[at..].starts_with("$(link-"), "{name}: {}", &html[at..at + 20]);
        }
    }
}

#[test]
fn any_web_server_gets_a_page_and_a_note() {
    let files = made("generic");
    assert_eq!(files[0].0, "index.html");
    asks_nobody("index.html", &files[0].1);
    assert!(files[1].1.contains("/continue"), "{}", files[1].1);
    let bank = made_with(&stage(), None, &|_| ()).unwrap();
    assert_eq!(bank.profile.as_deref(), Some("generic"));
}

/// What the theme script prints for a guest, run by a real shell with openNDS's library left out.
fn printed(script: &str, call: &str, folder: &Path) -> String {
    let path = folder.join("theme.sh");
    fs::write(&path, script).unwrap();
    let run = format!(
        "auth_log() {{ ndsstatus=authenticated; }}; fas='aGlkPWFiYw+/=\"><script>'; . {}; {call}",
        path.display()
    );
    let output = Command::new("sh").args(["-c", &run]).current_dir(folder).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(output.stderr.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn the_opennds_script_prints_a_page_of_at_most_6000_bytes() {
    let folder = tempfile::tempdir().unwrap();
    let files = made("opennds");
    let script = &files.iter().find(|(name, _)| name == "theme_caishi.sh").unwrap().1;
    let page = printed(script, "header; generate_splash_sequence", folder.path());
    assert!(page.len() <= 6_000, "{} bytes", page.len());
    asks_nobody("theme", &page);
    let forms = forms(&page);
    assert_eq!(forms.len(), 2);
    for (action, method, fields) in &forms {
        assert_eq!((action.as_str(), method.as_str()), ("/opennds_preauth/", "get"));
        // What came with the guest is only base64.
        assert_eq!(fields["fas"], "aGlkPWFiYw+/=script");
        assert_eq!(fields["landing"], "yes");
    }
    let online = printed(script, "header; landing_page", folder.path());
    assert!(online.contains("可以上网了") && !online.contains("没有连上"));
}

/// Every word of a lesson is only a word: to a browser, to a router's shell, to a gateway's
/// variables.
#[test]
fn hostile_words_are_inert_in_every_flavour() {
    let words = "<script>alert(1)</script>\" onclick='x' $(touch hit) `touch hit` $(mac) ${PATH} \
                 %s %n \\x41 $fas $(link-orig) \u{E000}(link-login-only) <<'CAISHI_PAGE' 。";
    let hostile = |library: &mut Library| {
        let variant = library.lessons[0].variants.values_mut().next().unwrap();
        variant.title.value = words.into();
        let tier = variant.tiers.portal.as_mut().unwrap();
        tier.lines.push(vec![inline(InlineKind::Text(words.into()))]);
    };
    let folder = tempfile::tempdir().unwrap();
    let stage = stage();
    for flavour in stage.templates.flavours() {
        let files = unpack(&made_with(&stage, Some(flavour), &hostile).unwrap().bytes);
        for (name, text) in &files {
            if name == "README.txt" {
                continue;
            }
            let page = if name == "theme_caishi.sh" {
                printed(text, "header; generate_splash_sequence", folder.path())
            } else {
                text.clone()
            };
            asks_nobody(name, &page);
            assert!(!page.contains("$(touch") && !page.contains("$(mac)"), "{flavour} {name}");
            let shown = visible(&page);
            let is_lesson = forms(&page).len() == 2 || name == "logon.htm";
            if is_lesson {
                let plain = words.replace('\u{E000}', "");
                assert!(shown.contains(plain.trim_end()), "{flavour} {name}: {shown}");
            }
        }
    }
    assert!(!folder.path().join("hit").exists(), "a shell ran what a lesson says");
    // A line that would end the here-document does not even get that far.
    let breaking = |library: &mut Library| {
        let variant = library.lessons[0].variants.values_mut().next().unwrap();
        let tier = variant.tiers.portal.as_mut().unwrap();
        let text = "一\nCAISHI_PAGE\ntouch hit\n二";
        tier.lines.push(vec![inline(InlineKind::Text(text.into()))]);
    };
    match made_with(&stage, Some("opennds"), &breaking) {
        Err(error) => assert!(error.to_string().contains("CAISHI_PAGE"), "{error}"),
        Ok(package) => {
            let files = unpack(&package.bytes);
            printed(&files[0].1, "header; generate_splash_sequence", folder.path());
            assert!(!folder.path().join("hit").exists());
        }
    }
}

#[test]
fn a_page_above_the_gateways_budget_is_refused_with_the_count() {
    let long = |library: &mut Library| {
        let variant = library.lessons[0].variants.values_mut().next().unwrap();
        let tier = variant.tiers.portal.as_mut().unwrap();
        tier.lines.push(text(&"字".repeat(1_500)));
    };
    let error = made_with(&stage(), Some("opennds"), &long).unwrap_err().to_string();
    assert!(error.contains("theme_caishi.sh有") && error.contains("上限 6000"), "{error}");
    assert!(error.contains("请删短"), "{error}");
    let error = made_with(&stage(), Some("opnends"), &|_| ()).unwrap_err().to_string();
    assert!(error.contains("opnends") && error.contains("comware、generic、mikrotik、opennds"));
}

/// A new kind of gateway is a folder; and pictures give way before words do.
#[test]
fn a_bank_adds_a_gateway_without_code() {
    let rules = "name = \"某无线控制器\"\nsource = \"手册第 5 章\"\nverified_on = \"2026-11-27\"\n\
                 [package]\nmax_name = 30\n[[file]]\nname = \"login.html\"\n\
                 template = \"portal/page.hbs\"\nforms = 1\nmax_bytes = 15500\n\
                 [file.form]\naction = \"/go?x=1&y=2\"\nmethod = \"get\"\n";
    let overrides = BTreeMap::from([("portal/acme/rules.toml".to_owned(), rules.to_owned())]);
    let templates = Templates::new(&overrides).unwrap();
    let stage = Stage { templates: &templates, ..stage() };
    let files = unpack(&made_with(&stage, Some("acme"), &|_| ()).unwrap().bytes);
    assert_eq!(forms(&files[0].1)[0].0, "/go?x=1&y=2");
    assert!(files[0].1.contains("<img"), "{} bytes", files[0].1.len());
    let without = files[0].1.len() - 200;
    let small = rules.replace("15500", &without.to_string());
    let overrides = BTreeMap::from([("portal/acme/rules.toml".to_owned(), small)]);
    let templates = Templates::new(&overrides).unwrap();
    let stage = Stage { templates: &templates, ..stage };
    let smaller = unpack(&made_with(&stage, Some("acme"), &|_| ()).unwrap().bytes);
    assert!(smaller[0].1.len() <= without && smaller[0].1.contains("守住三条线"));
    // What is wrong with the rules is said with the line.
    let broken = rules.replace("method = \"get\"", "method = \"put\"");
    let overrides = BTreeMap::from([("portal/acme/rules.toml".to_owned(), broken)]);
    assert!(Templates::new(&overrides).unwrap_err().to_string().contains("get 或 post"));
    let stray = BTreeMap::from([("portal/acme/page.hbs".to_owned(), String::new())]);
    assert!(Templates::new(&stray).is_err(), "a folder without rules is a slip");
}

#[test]
fn every_lesson_fits_every_gateway() {
    let content = Path::new(env!("CARGO_MANIFEST_DIR")).join("content");
    let library = read_library(&content).library;
    let (bank, stage) = (bank(), stage());
    for lesson in &library.lessons {
        for variant in lesson.variants.values() {
            for gateway in stage.templates.flavours() {
                // The longest name of the network.
                let longest = library.branches.iter().max_by_key(|b| b.name.len()).unwrap();
                let branch = Branch { gateway: Some(gateway.to_owned()), ..longest.clone() };
                let scene = Scene {
                    bank: &bank,
                    library: &library,
                    lesson,
                    variant,
                    branch: Some(&branch),
                    approval_number: Some("宣教审〔2026〕123号"),
                };
                let made = portal::package(&scene, &stage, &PortalOptions::default());
                made.unwrap_or_else(|e| panic!("{} {gateway}: {e}", lesson.id));
            }
        }
    }
}
