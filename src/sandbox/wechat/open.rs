//! `openapi` and its neighbours: what the platform tells about itself.

use super::{
    gate::{Answer, Call, Refusal},
    route,
};
use crate::sandbox::clock::Span;
use jiff::SignedDuration;
use serde_json::json;

const CLEARINGS_A_MONTH: u32 = 10;
const RID_KEPT: SignedDuration = SignedDuration::from_hours(7 * 24);

/// `POST clear_quota {appid}`.
pub(super) fn clear_quota(call: &mut Call<'_>) -> Answer {
    if call.text("appid") != call.app_id {
        return Err(Refusal::of(40013));
    }
    let now = call.now;
    let account = call.account();
    if !account.take("clear_quota", Span::Month, CLEARINGS_A_MONTH, now) {
        return Err(Refusal::of(48006));
    }
    account.clear_daily_quotas();
    Ok(json!({ "errcode": 0, "errmsg": "ok" }))
}

/// `POST openapi/quota/get {cgi_path}`.
pub(super) fn quota_get(call: &mut Call<'_>) -> Answer {
    let path = call.text("cgi_path");
    let path = path.trim_start_matches('/').trim_start_matches("cgi-bin/");
    let route =
        route::find(path).ok_or_else(|| Refusal::of(76001).instead("invalid cgi_path".into()))?;
    let limit = route.daily.unwrap_or(match path {
        "token" => 2000,
        _ => 500_000,
    });
    let now = call.now;
    let used = call.account().used(path, Span::Day, now);
    Ok(json!({
        "errcode": 0,
        "errmsg": "ok",
        "quota": { "daily_limit": limit, "used": used, "remain": limit.saturating_sub(used) },
        "rate_limit": { "call_count": 10_000, "refresh_second": 60 },
    }))
}

/// `POST openapi/rid/get {rid}`: the refused call that a `rid` stands for.
pub(super) fn rid_get(call: &mut Call<'_>) -> Answer {
    let rid = call.text("rid");
    if rid.is_empty() {
        return Err(Refusal::of(76001));
    }
    let (now, app_id, peer) = (call.now, call.app_id.clone(), call.peer);
    let record = call.world.ledger.calls.iter().rev().find(|record| {
        record.rid.as_deref() == Some(rid.as_str())
            && record.app_id.as_ref().is_none_or(|owner| *owner == app_id)
            && now.duration_since(record.at) < RID_KEPT
    });
    let record = record.ok_or_else(|| Refusal::of(76003))?;
    Ok(json!({
        "errcode": 0,
        "errmsg": "ok",
        "request": {
            "invoke_time": record.at.as_second(),
            "cost_in_ms": 1,
            "request_url": format!("/cgi-bin/{}?access_token=***", record.path),
            "request_body": "",
            "response_body": json!({
                "errcode": record.errcode,
                "errmsg": format!("{} rid: {rid}", record.message),
            }).to_string(),
            "client_ip": peer.to_string(),
        },
    }))
}

/// `GET get_api_domain_ip` and `GET getcallbackip`: this machine.
pub(super) fn domain_ip(_call: &mut Call<'_>) -> Answer {
    Ok(json!({ "ip_list": ["127.0.0.1"] }))
}
