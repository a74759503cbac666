//! `caishi doctor`: what can be known about the account without leaving anything behind.

use super::{
    client::{self, Body, Request},
    config::SendMethod,
    draft::Drafts,
    error::Effect,
    wire::CountReply,
};
use crate::{
    config::PublishMode,
    deliver::{DeliverError, Finding, QuotaWindow},
};
use serde_json::json;

/// Looks at token and address, draft box, and the right to publish.
pub(super) async fn check(drafts: Drafts<'_>, receives: bool) -> Vec<Finding> {
    let account = &drafts.config.app_id;
    let mut findings = vec![match drafts_count(drafts).await {
        Ok(count) => good(format!("公众号 {account}：凭证和 IP 都可用，草稿箱里有 {count} 篇")),
        Err(error) => return vec![bad(account, &error)],
    }];
    if drafts.config.mode == PublishMode::Publish {
        findings.push(match (drafts.config.send, may_publish(drafts).await) {
            (SendMethod::Mass { .. }, _) => {
                good("群发权限：平台没有不发送就能查的办法，第一次群发时才知道".to_owned())
            }
            (SendMethod::FreePublish, Ok(())) => good("发布权限：有".to_owned()),
            (SendMethod::FreePublish, Err(error)) => bad(account, &error),
        });
    }
    findings.push(if receives {
        good("回调：已配置；公众平台的服务器地址应填 /hooks/ 加渠道名".to_owned())
    } else {
        good("回调：没有配置，结果靠查询得知，会晚几分钟".to_owned())
    });
    findings
}

fn good(what: String) -> Finding {
    Finding { ok: true, what, next_step: None }
}

fn bad(account: &str, error: &DeliverError) -> Finding {
    Finding {
        ok: false,
        what: format!("公众号 {account}：{}", error.message),
        next_step: Some(error.next_step.clone()),
    }
}

async fn drafts_count(drafts: Drafts<'_>) -> Result<i64, DeliverError> {
    let call = "draft/count";
    let effect = Effect::Repeatable;
    let request = Request { call, query: &[], body: Body::None, effect };
    let answer = drafts.client.call(&request, drafts.books).await?;
    Ok(client::understood::<CountReply>(call, answer, effect)?.total_count)
}

/// Listing what was published needs the same right as publishing.
async fn may_publish(drafts: Drafts<'_>) -> Result<(), DeliverError> {
    if drafts.config.send != SendMethod::FreePublish {
        return Ok(());
    }
    let body = json!({ "offset": 0, "count": 1, "no_content": 1 });
    let request = Request::json("freepublish/batchget", &body);
    drafts.client.call(&request, drafts.books).await.map(drop)
}

/// What one delivery takes out of which quota, in Chinese.
pub(super) async fn quotas(drafts: Drafts<'_>) -> Result<Vec<String>, DeliverError> {
    let mut lines = Vec::new();
    let day = QuotaWindow::Day;
    let add = ("draft/add", "新建草稿", day, 1000);
    let send = match (drafts.config.mode, drafts.config.send) {
        (PublishMode::Draft, _) => None,
        (PublishMode::Publish, SendMethod::FreePublish) => {
            Some(("freepublish/submit", "发布", day, 100))
        }
        (PublishMode::Publish, send) => {
            let (window, limit) = send.mass_quota();
            Some(("message/mass/sendall", "群发", window, limit))
        }
    };
    for (call, what, window, limit) in [Some(add), send].into_iter().flatten() {
        let used = drafts.books.quota_used(call, window).await?;
        let time = if window == QuotaWindow::Month { "本月" } else { "今天" };
        let full = if used >= limit { "，已用完，会顺延" } else { "" };
        lines.push(format!("{what}（{call}）要 1 次，{time}已用 {used}/{limit}{full}"));
    }
    if let Some(hours) = drafts.config.send_hours {
        let (opens, closes) = (hours.opens.strftime("%H:%M"), hours.closes.strftime("%H:%M"));
        lines.push(format!("只在 {opens}–{closes} 之间发送"));
    }
    Ok(lines)
}
