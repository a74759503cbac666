//! `caishi doctor`: what can be known about the account without leaving anything behind.

use super::{
    client::{self, Body, Request},
    config::{SendMethod, WechatConfig},
    draft::Drafts,
    error::Effect,
    wire::CountReply,
};
use crate::{
    config::PublishMode,
    deliver::{DeliverError, Finding, QuotaWindow, SendLimit},
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

/// The calls of which a delivery takes one each, and which the platform limits.
const DRAFT: (&str, &str, u32) = ("新建草稿", "draft/add", 1000);

/// How often the account may send, or, where a person sends, how many drafts it may make.
pub(super) fn send_limit(config: &WechatConfig) -> SendLimit {
    let hours = config.send_hours.map(|hours| {
        format!("{}–{}", hours.opens.strftime("%H:%M"), hours.closes.strftime("%H:%M"))
    });
    let (what, call, window, times) = match (config.mode, config.send) {
        (PublishMode::Draft, _) => (DRAFT.0, DRAFT.1, QuotaWindow::Day, DRAFT.2),
        (PublishMode::Publish, SendMethod::FreePublish) => {
            ("发布", "freepublish/submit", QuotaWindow::Day, 100)
        }
        (PublishMode::Publish, send) => {
            let (window, times) = send.mass_quota();
            ("群发", "message/mass/sendall", window, times)
        }
    };
    SendLimit { what, call, window, times, hours }
}

/// What is left of the quotas that one delivery takes from, in Chinese.
pub(super) async fn quotas(drafts: Drafts<'_>) -> Result<Vec<String>, DeliverError> {
    let mut lines = Vec::new();
    let send = send_limit(drafts.config);
    let mut limits = vec![(DRAFT.0, DRAFT.1, QuotaWindow::Day, DRAFT.2)];
    if send.call != DRAFT.1 {
        limits.push((send.what, send.call, send.window, send.times));
    }
    for (what, call, window, limit) in limits {
        let used = drafts.books.quota_used(call, window).await?;
        let (now, each) =
            if window == QuotaWindow::Month { ("本月", "每月") } else { ("今天", "每天") };
        let left = limit.saturating_sub(used);
        let full = if left == 0 { "，已用完，会顺延" } else { "" };
        lines.push(format!("{what}：{now}还能 {left} 次（{each} {limit} 次）{full}"));
    }
    if let Some(hours) = send.hours {
        lines.push(format!("只在 {hours} 之间发送"));
    }
    Ok(lines)
}
