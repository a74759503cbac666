//! What the pages of the console show, programs read too.

use super::{Office, quoted};
use caishi::model::Digest;
use serde_json::Value;

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn what_waits_what_may_be_sent_and_the_bytes_to_sign() {
    let office = Office::new().await;
    let review = office.town.submit().await;
    let scopes = ["overview.read", "reviews.read", "schedule.read", "deliveries.read"];
    let reviewer = office.program("reviewer", &scopes).await;

    let overview = json(&reviewer.get("/api/v1/overview").await.text);
    assert_eq!(overview["waiting"][0]["number"], review.number);
    assert_eq!(overview["waiting"][0]["mine"], true);
    assert_eq!(overview["held"], Value::Null);
    assert!(overview["coming"].as_array().is_some_and(|slots| !slots.is_empty()), "{overview}");
    let branch = office.program("branch", &["overview.read"]).await;
    let told = branch.get("/api/v1/overview").await;
    assert!(told.status == 404 && told.text.contains("/api/v1/branches/"), "{}", told.text);

    // The very bytes that are signed.
    let place = format!("/api/v1/reviews/{}", quoted(&review.number));
    let dossier = json(&reviewer.get(&place).await.text);
    let output = &dossier["specimens"][0];
    let digest = output["sha256"].as_str().unwrap();
    let manifest = review.manifests[0].1.to_string();
    let found = review.manifests.iter().map(|(_, manifest)| manifest.to_string());
    let mut bytes = None;
    for manifest in found {
        let path = format!("{}/api/v1/outputs/{manifest}/{digest}", reviewer.url);
        let request = reviewer.client.get(path).bearer_auth(&reviewer.secret);
        let answer = request.send().await.unwrap();
        if answer.status() == 200 {
            bytes = Some(answer.bytes().await.unwrap());
        }
    }
    assert_eq!(Digest::of(&bytes.expect("one of the manifests has it")).to_string(), digest);
    let none = reviewer.get(&format!("/api/v1/outputs/{manifest}/{}", "0".repeat(64))).await;
    assert_eq!(none.status, 404);

    // Channels as they are configured, and what the check-up said of them.
    let auditor = office.program("auditor", &["settings.read"]).await;
    let channels = json(&auditor.get("/api/v1/channels").await.text);
    assert_eq!(channels[0]["id"], "branches");
    assert_eq!(channels[0]["checked_at"], Value::Null);
    assert_eq!(auditor.get("/api/v1/doctor").await.status, 200);
    let channels = json(&auditor.get("/api/v1/channels").await.text);
    assert!(channels[0]["checked_at"].is_string(), "{channels}");
    assert!(!channels[0]["findings"].as_array().unwrap().is_empty(), "{channels}");
    let quotas = reviewer.get("/api/v1/quotas").await;
    assert!(quotas.status == 200 && json(&quotas.text).is_array(), "{}", quotas.text);

    // A filter that is misspelt is not “everything”.
    for (query, said) in
        [("state=bogus", "没有状态“bogus”；有 "), ("page=-1", "从 1 起的整数"), ("page=x", "page")]
    {
        let refused = reviewer.get(&format!("/api/v1/deliveries?{query}")).await;
        assert_eq!(refused.status, 422, "{query}");
        assert!(refused.text.contains(said), "{}", refused.text);
    }
    assert_eq!(reviewer.get("/api/v1/deliveries?state=confirmed&page=1").await.status, 200);
}
