//! Every call of the interface, asked what nobody would ask: schemathesis against the description.

use super::{CHANNELS, Office};
use crate::servers::{program, skip_unless_required};
use caishi::console::permit::{Action, Role};
use std::process::Stdio;

/// Enough for some thousand requests; the seed is fixed, so that a run can be repeated.
const SECONDS: &str = "25";

#[tokio::test(flavor = "multi_thread")]
async fn no_call_breaks_the_service_whatever_is_sent() {
    let Some(schemathesis) = program("schemathesis") else {
        skip_unless_required("schemathesis", "没有安装（pip install schemathesis）");
        return;
    };
    // One person who may do everything, so that no call is turned away at the gate; in the file, so
    // that no call can take their roles away.
    let roles: Vec<String> =
        Role::ALL.iter().map(|role| format!("\"{}\"", role.as_str())).collect();
    let person = format!(
        "\n[[people]]\nid = \"all\"\nname = \"什么都管\"\nroles = [{}]\ndepartment = \"运营管理部\"\n\
         branch = \"b001\"\n",
        roles.join(", ")
    );
    let office = Office::with(&(CHANNELS.to_owned() + &person)).await;
    let review = office.town.submit().await;
    office.town.approve(&review).await;
    let scopes: Vec<&str> = Action::ALL.iter().map(|action| action.as_str()).collect();
    let token = office.program("all", &scopes).await;
    let folder = tempfile::tempdir().unwrap();
    let run = tokio::process::Command::new(schemathesis)
        .current_dir(folder.path())
        .args(["run", &format!("{}/api/v1/openapi.json", office.url)])
        .args(["-H", &format!("Authorization: Bearer {}", token.secret)])
        .args([
            "--checks",
            "not_a_server_error,content_type_conformance,response_schema_conformance",
        ])
        // Would withdraw the very token it comes with; the matrix asks this call.
        .args(["--exclude-path", "/api/v1/tokens/{id}/revocation"])
        .args(["--exclude-path", "/api/v1/me/tokens/{id}/revocation"])
        .args(["--max-time", SECONDS, "--seed", "20261127", "--no-color"])
        .args(["--suppress-health-check", "all", "--request-timeout", "30"])
        .stdin(Stdio::null())
        .output()
        .await
        .unwrap();
    let told = String::from_utf8_lossy(&run.stdout);
    assert!(told.contains("Test cases"), "it ran: {told}{}", String::from_utf8_lossy(&run.stderr));
    assert!(run.status.success(), "{told}");
    // It reached calls behind the gate, too.
    let people = token.get("/api/v1/people").await;
    assert_eq!(people.status, 200, "{}", people.text);
}
