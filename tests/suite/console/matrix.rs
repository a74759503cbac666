//! Every role against every page and call: each cell is asked over HTTP.

use super::Office;
use caishi::console::{self, permit::Action};
use reqwest::Method;
use std::collections::BTreeMap;

/// Who may what, written down a second time: a change of the table in `permit.rs` must be meant.
const ALLOWED: &[(&str, &str)] = &[
    (
        "own",
        "author reviewer co-reviewer committee publisher branch auditor operator administrator",
    ),
    (
        "overview.read",
        "author reviewer co-reviewer committee publisher branch auditor operator administrator",
    ),
    (
        "schedule.read",
        "author reviewer co-reviewer committee publisher auditor operator administrator",
    ),
    ("schedule.change", "publisher"),
    (
        "lessons.read",
        "author reviewer co-reviewer committee publisher auditor operator administrator",
    ),
    ("campaigns.change", "author publisher"),
    ("reviews.submit", "author"),
    (
        "reviews.read",
        "author reviewer co-reviewer committee publisher auditor operator administrator",
    ),
    ("reviews.remark", "author reviewer co-reviewer committee"),
    ("reviews.decide", "reviewer co-reviewer committee"),
    (
        "deliveries.read",
        "author reviewer co-reviewer committee publisher auditor operator administrator",
    ),
    ("deliveries.settle", "publisher operator"),
    ("recall", "publisher operator"),
    ("hold", "publisher operator"),
    ("release", "operator"),
    (
        "branches.read",
        "author reviewer co-reviewer committee publisher auditor operator administrator",
    ),
    ("branches.change", "publisher operator"),
    (
        "branch.read",
        "author reviewer co-reviewer committee publisher branch auditor operator administrator",
    ),
    ("branch.confirm", "branch"),
    ("branch.event", "branch"),
    (
        "hotlines.read",
        "author reviewer co-reviewer committee publisher auditor operator administrator",
    ),
    ("hotlines.change", "publisher"),
    ("audit.read", "auditor operator"),
    ("settings.read", "auditor operator administrator"),
    ("people.change", "administrator"),
    ("tokens.change", "administrator"),
];

const ROLES: [&str; 9] = [
    "author",
    "reviewer",
    "co-reviewer",
    "committee",
    "publisher",
    "branch",
    "auditor",
    "operator",
    "administrator",
];

fn table() -> BTreeMap<&'static str, Vec<&'static str>> {
    ALLOWED.iter().map(|(action, roles)| (*action, roles.split(' ').collect())).collect()
}

#[test]
fn the_table_of_roles_is_the_one_that_was_agreed() {
    let table = table();
    assert_eq!(table.len(), Action::ALL.len());
    for action in Action::ALL {
        let roles: Vec<&str> = action.roles().iter().map(|role| role.as_str()).collect();
        assert_eq!(Some(&roles), table.get(action.as_str()), "{action}");
    }
}

/// A path with something for every parameter.
fn filled(path: &str) -> String {
    let part = |part: &str| if part.starts_with('{') { "x" } else { part }.to_owned();
    path.split('/').map(part).collect::<Vec<_>>().join("/")
}

#[tokio::test(flavor = "multi_thread")]
async fn every_role_meets_every_page_and_call() {
    let office = Office::new().await;
    let table = table();
    let rows = console::rows(&office.desk);
    let (mut pages, mut cells) = (0, 0);
    for role in ROLES {
        let browser = office.browser(role).await;
        for row in rows.iter().filter(|row| !row.path.starts_with("/api/")) {
            let Some(action) = row.action else { continue };
            // Signing out would end the walk.
            if row.path == "/console/sign-out" {
                continue;
            }
            let path = filled(row.path);
            let answer = match row.method {
                Method::GET => browser.get(&path).await,
                _ => browser.post(&path, &[]).await,
            };
            let may = table[action.as_str()].contains(&role);
            let place = format!("{role} {} {path} ({action}): {}", row.method, answer.status);
            assert_eq!(answer.status == 403, !may, "{place}\n{}", answer.text);
            assert!(answer.status.as_u16() < 500, "{place}\n{}", answer.text);
            assert!(!answer.location().contains("sign-in"), "{place}");
            pages = pages.max(1);
            cells += 1;
        }
    }
    assert!(cells > 9 * 20 && pages == 1, "{cells} cells");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_does_what_both_its_person_and_its_scopes_allow() {
    let office = Office::new().await;
    let table = table();
    let rows = console::rows(&office.desk);
    let calls: Vec<_> = rows.iter().filter(|row| row.path.starts_with("/api/")).collect();
    for role in ROLES {
        let all: Vec<&str> = Action::ALL.iter().map(|action| action.as_str()).collect();
        let whole = office.program(role, &all).await;
        let narrow = office.program(role, &["own"]).await;
        for row in &calls {
            let Some(action) = row.action else { continue };
            let path = filled(row.path);
            for (program, scoped) in [(&whole, true), (&narrow, action == Action::Own)] {
                let answer = match row.method {
                    Method::GET => program.get(&path).await,
                    _ => program.post(&path, &serde_json::json!({})).await,
                };
                let may = scoped && table[action.as_str()].contains(&role);
                let place = format!("{role} {} {path} ({action}): {}", row.method, answer.status);
                assert_eq!(answer.status == 403, !may, "{place}\n{}", answer.text);
                assert!(answer.status.as_u16() < 500, "{place}\n{}", answer.text);
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_gets_in_without_signing_in() {
    let office = Office::new().await;
    let stranger = office.stranger();
    for row in console::rows(&office.desk).iter().filter(|row| row.action.is_some()) {
        let path = filled(row.path);
        let answer = match row.method {
            Method::GET => stranger.get(&path).await,
            _ => stranger.post(&path, &[]).await,
        };
        if path.starts_with("/api/") {
            assert_eq!(answer.status, 401, "{path}");
            assert!(answer.header("www-authenticate").starts_with("Bearer"), "{path}");
            assert_eq!(answer.header("content-type"), "application/problem+json");
        } else {
            assert_eq!(answer.status, 303, "{path}");
            assert!(answer.location().starts_with("/console/sign-in?back="), "{path}");
        }
    }
    let calls = console::rows(&office.desk);
    let description = stranger.get("/api/v1/openapi.json").await;
    let openapi: serde_json::Value = serde_json::from_str(&description.text).unwrap();
    for row in calls.iter().filter(|row| row.path.starts_with("/api/v1/")) {
        if row.path.ends_with("openapi.json") || row.path.contains("{*") {
            continue;
        }
        let method = row.method.as_str().to_lowercase();
        assert!(
            openapi["paths"][row.path][&method].is_object(),
            "{method} {} is described",
            row.path
        );
    }
}

/// The description keeps schemas by name: two of one name would describe each other's calls.
#[test]
fn no_two_schemas_share_a_name() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src/console");
    let mut names: BTreeMap<String, String> = BTreeMap::new();
    for entry in walkdir::WalkDir::new(folder).into_iter().flatten() {
        if entry.path().extension().is_none_or(|extension| extension != "rs") {
            continue;
        }
        let text = std::fs::read_to_string(entry.path()).unwrap();
        for part in text.split("ToSchema)]\n").skip(1) {
            let head: String = part.lines().take_while(|line| line.starts_with("#[")).collect();
            let renamed = head.split_once("as = ").and_then(|(_, rest)| rest.split_once(')'));
            let item = part.lines().find(|line| line.starts_with("pub ")).unwrap_or_default();
            let own = item.split([' ', '<', '{']).nth(2).unwrap_or_default();
            let name = renamed.map_or(own, |(name, _)| name).to_owned();
            let place = entry.path().display().to_string();
            if let Some(other) = names.insert(name.clone(), place.clone()) {
                panic!("{name} is in {other} and in {place}");
            }
        }
    }
    assert!(names.len() > 20, "{names:?}");
}
