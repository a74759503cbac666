//! Every kind of page in real browsers: Chromium without scripts and without a network, WebKitGTK,
//! and axe-core. What is looked for is in `tests/peers/portal/look.py`.

use super::Lobby;
use crate::servers::{program, skip_unless_required};
use std::{
    fs,
    io::{Cursor, Read as _},
    path::{Path, PathBuf},
    process::Command,
};

/// What is missing to look at pages, where something is.
fn missing() -> Option<&'static str> {
    let home = PathBuf::from(std::env::var("HOME").unwrap_or_default());
    let axe = home.join(".cache/caishi/node/portal/node_modules/axe-core/axe.min.js");
    if !axe.exists() {
        return Some("axe-core（npm ci，见 .ci/run）");
    }
    ["chromedriver", "WebKitWebDriver", "Xvfb", "python3"]
        .into_iter()
        .find(|name| program(name).is_none())
}

fn pages_of(package: &Path, prefix: &str, to: &Path) {
    let mut zip = zip::ZipArchive::new(Cursor::new(fs::read(package).unwrap())).unwrap();
    for index in 0..zip.len() {
        let mut file = zip.by_index(index).unwrap();
        let name = file.name().unwrap().into_owned();
        // One of each sort: what only tells something is the same page with other words.
        let wanted = ["logon.htm", "logonSuccess.htm", "busy.htm", "login.html"];
        if wanted.contains(&name.as_str()) {
            let mut text = String::new();
            file.read_to_string(&mut text).unwrap();
            let name = name.replace(".htm", ".html").replace(".htmll", ".html");
            fs::write(to.join(format!("{prefix}-{name}")), text).unwrap();
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_are_good_on_a_phone_without_scripts() {
    if let Some(missing) = missing() {
        skip_unless_required("webkit", &format!("找不到 {missing}"));
        return;
    }
    let lobby = Lobby::empty().await;
    let folder = tempfile::tempdir().unwrap();
    let to = folder.path();
    fs::write(to.join("plain.html"), lobby.text("/portal/b002").await).unwrap();
    lobby.publish("evergreen").await;
    for (name, path) in [
        ("page", "/portal/b002"),
        ("page-elder", "/portal/b001"),
        ("welcome", "/portal/b002/welcome"),
        ("venue", "/portal/b002/venue"),
        ("lesson", "/portal/b002/lesson/telecom-fraud"),
        ("quiz", "/portal/b002/quiz/telecom-fraud"),
    ] {
        fs::write(to.join(format!("{name}.html")), lobby.text(path).await).unwrap();
    }
    let quiz = format!("{}/portal/b002/quiz/telecom-fraud", lobby.url);
    let answers = lobby.client.post(quiz).body("q1=A").send().await.unwrap();
    fs::write(to.join("answers.html"), answers.text().await.unwrap()).unwrap();
    let refused = lobby.get("/portal/b002/fas?fas=x").await.text().await.unwrap();
    fs::write(to.join("refused.html"), refused).unwrap();

    // The packages, as a build makes them.
    let out = lobby.town.path("out");
    let built = Command::new(env!("CARGO_BIN_EXE_caishi"))
        .current_dir(concat!(env!("CARGO_MANIFEST_DIR")))
        .args(["build", "--output", "portal", "--lesson", "campus-loan", "--out"])
        .arg(&out)
        .output()
        .unwrap();
    assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
    let portal = |audience: &str| out.join(format!("lessons/campus-loan/{audience}/portal"));
    pages_of(&portal("general").join("b003_comware.zip"), "comware", to);
    pages_of(&portal("general").join("b005_mikrotik.zip"), "mikrotik", to);
    fs::copy(portal("student").join("b001.html"), to.join("student.html")).unwrap();
    let mut zip = zip::ZipArchive::new(Cursor::new(
        fs::read(portal("general").join("b002_opennds.zip")).unwrap(),
    ));
    let mut script = String::new();
    zip.as_mut().unwrap().by_name("theme_caishi.sh").unwrap().read_to_string(&mut script).unwrap();
    fs::write(out.join("theme.sh"), script).unwrap();
    let run = "fas=aGlk; . ./theme.sh; header; generate_splash_sequence";
    let printed = Command::new("sh").args(["-c", run]).current_dir(&out).output().unwrap();
    fs::write(to.join("opennds.html"), printed.stdout).unwrap();

    // Where the pictures are kept to be looked at; the gate's machine has none.
    let shots = std::env::var("CAISHI_SHOTS")
        .map_or_else(|_| out.join("shots"), |folder| PathBuf::from(folder).join("portal"));
    assert!(look("chromium", &shots, &[to.to_owned()]) >= 15);
    // WebKitGTK draws without a graphics card and is slow: one page of each design.
    let few =
        ["page", "page-elder", "opennds", "venue"].map(|name| to.join(format!("{name}.html")));
    assert_eq!(look("webkit", &shots, &few), 4);
}

/// Has pages looked at; how many were.
fn look(engine: &str, shots: &Path, pages: &[PathBuf]) -> usize {
    let looked = Command::new("python3")
        .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/peers/portal/look.py"))
        .args(["--only", engine, "--deadline", "400", "--shots"])
        .arg(shots)
        .args(pages)
        .output()
        .unwrap();
    let report = String::from_utf8_lossy(&looked.stdout);
    let errors = String::from_utf8_lossy(&looked.stderr);
    assert!(looked.status.success(), "{report}\n{errors}");
    let report: serde_json::Value = serde_json::from_str(&report).unwrap();
    report["pages"].as_array().unwrap().len()
}

/// The looker itself finds what is wrong.
#[test]
fn a_bad_page_is_found_bad() {
    if let Some(missing) = missing() {
        skip_unless_required("webkit", &format!("找不到 {missing}"));
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let peers = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/peers/portal");
    let looked = Command::new("python3")
        .arg(format!("{peers}/look.py"))
        .args(["--only", "chromium", "--deadline", "120", "--shots"])
        .arg(folder.path())
        .arg(format!("{peers}/bad.html"))
        .output()
        .unwrap();
    assert_eq!(looked.status.code(), Some(1), "{}", String::from_utf8_lossy(&looked.stderr));
    let report: serde_json::Value = serde_json::from_slice(&looked.stdout).unwrap();
    assert!(report["pages"][0]["faults"].as_array().unwrap().len() >= 5, "{report}");
}
