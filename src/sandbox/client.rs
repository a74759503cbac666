//! The stand-in of another process, told where an account's callbacks go.

use super::{MessageMode, Registration, SandboxError, wechat::callback_client};
use serde_json::json;
use url::Url;

/// Registers where an account's callbacks go with the stand-in at `address`, such as
/// `http://127.0.0.1:8787/`, through its `/_sandbox/callback`.
///
/// # Errors
/// [`SandboxError::Callback`] where the stand-in does not answer, or refuses the address.
pub async fn register(
    address: &Url,
    app_id: &str,
    registration: &Registration,
) -> Result<(), SandboxError> {
    let failed = |reason: String| SandboxError::Callback(reason);
    let client = callback_client().map_err(SandboxError::Client)?;
    let route = address.join("_sandbox/callback").map_err(|error| failed(error.to_string()))?;
    let mode = match registration.mode {
        MessageMode::Plain => "plain",
        MessageMode::Compatible => "compatible",
        MessageMode::Secure => "secure",
    };
    let body = json!({
        "app_id": app_id,
        "url": registration.url.as_str(),
        "token": registration.token,
        "aes_key": registration.aes_key,
        "mode": mode,
    });
    let request = client.put(route).body(body.to_string());
    // The body holds the account's callback token: an error tells neither it nor the address.
    let reply = request.send().await.map_err(|error| {
        let what = if error.is_connect() { "连不上" } else { "没有应答" };
        failed(format!("模拟平台 {address} {what}"))
    })?;
    if reply.status().is_success() {
        return Ok(());
    }
    let reason = reply.text().await.unwrap_or_default();
    Err(failed(reason.trim().to_owned()))
}
