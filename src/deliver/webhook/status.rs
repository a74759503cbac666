//! What an answer means: status → done, or what went wrong and what to do next.

use crate::deliver::{DeliverError, ErrorKind, Retry};
use jiff::{Timestamp, fmt::rfc2822};
use std::time::Duration;

/// The longest that a receiver may make us wait; it is asked again then.
const LONGEST_WAIT: Duration = Duration::from_hours(1);
/// How long to wait where the receiver does not say.
const USUAL_WAIT: Duration = Duration::from_mins(1);

/// A receiver's answer, as far as it decides what comes next.
#[derive(Debug, Clone, Copy)]
pub struct Answer<'a> {
    /// The HTTP status.
    pub status: u16,
    /// The `Retry-After` header, seconds or a date.
    pub retry_after: Option<&'a str>,
    /// Whether the receiver drops repeated keys.
    pub idempotent: bool,
    /// When it came, for dates in `Retry-After`.
    pub now: Timestamp,
}

/// Whether the receiver took it, else what to do next.
///
/// 408, 425, 429 and 503 say that the request was not processed; other 5xx do not say, so that
/// somebody has to look before it is sent again.
///
/// # Errors
/// A [`DeliverError`] without the receiver's name.
pub fn judge(answer: Answer<'_>) -> Result<(), DeliverError> {
    use ErrorKind as Kind;
    let after = Retry::After(wait(&answer));
    let ask = "要看接收方收到没有；会重发的接收方自动再发一次，否则请运行 caishi resolve";
    let (kind, retry, message, next_step) = match answer.status {
        200..300 => return Ok(()),
        300..400 => (
            Kind::Configuration,
            Retry::Never,
            "接收方要求跳转到别的网址，跳转一律不跟",
            "请把 url 改成跳转后的网址",
        ),
        401 => (
            Kind::Authentication,
            Retry::Never,
            "接收方不认签名或密钥",
            "请核对 secret 和 headers；两边的时钟差几分钟也会这样：caishi doctor",
        ),
        403 => (Kind::Permission, Retry::Never, "接收方不许这样发", "请在接收方那边放行"),
        404 => (Kind::NotFound, Retry::Never, "接收方没有这个网址", "请核对 url"),
        407 => (Kind::Configuration, Retry::Never, "代理要求登录", "请给本机放行或换一个代理"),
        408 => (Kind::Unavailable, after, "接收方没等到完整的请求", "稍后自动再发"),
        409 if answer.idempotent => {
            (Kind::Conflict, after, "接收方还在处理同一个请求", "稍后自动再发，看它的结果")
        }
        409 => (Kind::Conflict, Retry::Ask, "接收方说与它那边的情况冲突", ask),
        410 => (Kind::NotFound, Retry::Never, "接收方已停用这个网址", "请停用这条渠道或改 url"),
        413 => (Kind::Content, Retry::Never, "接收方嫌内容太大", "请用 body 模板缩短内容"),
        422 => (
            Kind::Content,
            Retry::Never,
            "接收方不接受这份内容，或同一个键曾带过别的内容",
            "请核对 body 模板，重新提交、审批后再发",
        ),
        425 => (Kind::Unavailable, after, "接收方要求晚些再发", "稍后自动再发"),
        429 => (Kind::RateLimited, after, "接收方说发得太密", "稍后自动再发"),
        400..500 => (Kind::Content, Retry::Never, "接收方拒收", "请核对 body 模板和接收方的日志"),
        501 | 505 => (Kind::Configuration, Retry::Never, "接收方不支持这种请求", "请核对 url"),
        503 => (Kind::Unavailable, after, "接收方暂停服务", "稍后自动再发"),
        500..600 => (Kind::Unavailable, Retry::Ask, "接收方出错，不知道收下没有", ask),
        _ => (Kind::Protocol, Retry::Ask, "接收方的回答不是 HTTP 的状态码", ask),
    };
    let code = format!("HTTP {}", answer.status);
    Err(DeliverError::new(kind, retry, format!("{message}（{code}）"), next_step).code(code))
}

/// How long to wait: what the receiver says, within a second and an hour.
fn wait(answer: &Answer<'_>) -> Duration {
    let Some(text) = answer.retry_after.map(str::trim) else { return USUAL_WAIT };
    let seconds = match text.parse::<u64>() {
        Ok(seconds) => seconds,
        Err(_) => match rfc2822::DateTimeParser::new().parse_timestamp(text) {
            Ok(moment) => {
                u64::try_from(moment.as_second() - answer.now.as_second()).unwrap_or_default()
            }
            Err(_) => return USUAL_WAIT,
        },
    };
    Duration::from_secs(seconds).clamp(Duration::from_secs(1), LONGEST_WAIT)
}
