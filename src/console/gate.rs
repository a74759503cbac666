//! The gate before every page and call: who asks, may they, is it really them who sent the form.
//!
//! 1. Too many requests from one address are refused.
//! 2. Session cookie or token → [`Caller`]; nobody is sent to the sign-in page (401 for programs).
//! 3. The [`Action`] of the route against the person's roles and the token's scopes.
//! 4. A form must come from our own pages (`Origin`, `Sec-Fetch-Site`) and carry the session's own
//!    secret, in its field `form` or, for uploads, in the query.
//! 5. What went wrong behind it becomes a page or problem details; every answer gets its headers.

use super::{
    Desk,
    caller::Caller,
    language::{self, say},
    page::{self, own_path},
    permit::Action,
    sign_in,
    trouble::Trouble,
};
use axum::{
    body::{Body, Bytes},
    extract::{Request, State},
    http::{HeaderMap, Method, StatusCode, Uri, header, request::Parts},
    middleware::Next,
    response::{IntoResponse, Redirect, Response},
};
use futures_util::FutureExt as _;
use std::panic::AssertUnwindSafe;
use subtle::ConstantTimeEq as _;

/// What the gate of one route knows.
#[derive(Debug, Clone)]
pub(super) struct Gate {
    pub(super) desk: Desk,
    /// `None`: nobody need be signed in.
    pub(super) action: Option<Action>,
    /// A longer body is refused unread.
    pub(super) longest_body: usize,
}

pub(super) async fn gate(State(gate): State<Gate>, request: Request, next: Next) -> Response {
    let (parts, body) = request.into_parts();
    let shown = page::Shown::of(&parts);
    language::speaking(shown.language, answered(gate, shown, parts, body, next)).await
}

async fn answered(
    gate: Gate,
    shown: page::Shown,
    mut parts: Parts,
    body: Body,
    next: Next,
) -> Response {
    let desk = gate.desk.clone();
    let mut caller = None;
    let answer = match admit(&gate, &mut parts, body).await {
        Ok((who, body)) => {
            caller.clone_from(&who);
            if let Some(who) = who {
                parts.extensions.insert(who);
            }
            guarded(next, Request::from_parts(parts, body)).await
        }
        Err(refusal) => *refusal,
    };
    let told = answer.extensions().get::<Trouble>().cloned().or_else(|| unread(&answer));
    let answer = match told {
        Some(trouble) => {
            let mut told = page::trouble(&desk, caller, &shown, &trouble).await;
            for name in [header::RETRY_AFTER, header::WWW_AUTHENTICATE] {
                if let Some(value) = answer.headers().get(&name) {
                    told.headers_mut().insert(name, value.clone());
                }
            }
            told
        }
        None => answer,
    };
    page::with_headers(answer)
}

/// A page that panics is a page that failed, told like any other; the log has the place.
async fn guarded(next: Next, request: Request) -> Response {
    AssertUnwindSafe(next.run(request)).catch_unwind().await.unwrap_or_else(|_| {
        let trouble = Trouble::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            say("程序在这一页出错了", "The program failed on this page"),
            say(
                "再试一次；还不行，请把网址和时间告诉运维岗，日志里有出错的位置",
                "Try again; if it stays so, tell an operator the address and the time",
            ),
        );
        trouble.into_response()
    })
}

/// What comes through, or the answer instead.
async fn admit(
    gate: &Gate,
    parts: &mut Parts,
    body: Body,
) -> Result<(Option<Caller>, Body), Box<Response>> {
    let refused = |trouble: Trouble| Box::new(trouble.into_response());
    let tries_password = gate.action.is_none() || parts.uri.path() == "/console/account/password";
    let is_sign_in = tries_password && parts.method == Method::POST;
    if let Err(seconds) = gate.desk.limits().admit(parts, is_sign_in) {
        return Err(Box::new(too_many(seconds)));
    }
    let caller = gate.desk.identify(&parts.headers).await.map_err(refused)?;
    if let Some(action) = gate.action {
        let Some(caller) = &caller else {
            return Err(Box::new(nobody(gate, parts, body).await));
        };
        if !caller.may(action) {
            let in_role = action.allowed(&caller.roles);
            let refusal = if in_role { Trouble::out_of_scope } else { Trouble::forbidden };
            return Err(refused(refusal(action)));
        }
    }
    if parts.method.is_safe() {
        return Ok((caller, body));
    }
    let bytes = axum::body::to_bytes(body, gate.longest_body)
        .await
        .map_err(|_| refused(too_long(gate.longest_body)))?;
    if caller.as_ref().is_none_or(|caller| caller.session.is_some()) {
        from_our_pages(&parts.headers).map_err(refused)?;
    }
    if let Some(Caller { session: Some(_), form, .. }) = &caller
        && gate.action.is_some()
    {
        let sent = form_secret(&parts.headers, &parts.uri, &bytes);
        if !bool::from(sent.as_bytes().ct_eq(form.as_bytes())) {
            return Err(refused(Trouble::new(
                StatusCode::FORBIDDEN,
                say(
                    "这个表单不是现在登录的这个人打开的，没有执行",
                    "Whoever is signed in now did not open this form; nothing was done",
                ),
                say("回到原来的页面刷新一下，再提交", "Load its page again and send it again"),
            )));
        }
    }
    Ok((caller, Body::from(bytes)))
}

/// Pages lead to the sign-in and back, with what was just typed; programs are told.
async fn nobody(gate: &Gate, parts: &Parts, body: Body) -> Response {
    if parts.uri.path().starts_with("/api/") {
        let trouble = Trouble::new(
            StatusCode::UNAUTHORIZED,
            "没有带口令，或口令过期、被收回了",
            "在请求头里写 Authorization: Bearer 口令；在“我的账号”里发，或请管理员发",
        );
        let mut answer = trouble.into_response();
        let challenge = header::HeaderValue::from_static("Bearer realm=\"caishi\"");
        answer.headers_mut().insert(header::WWW_AUTHENTICATE, challenge);
        return answer;
    }
    let shown = page::Shown::of(parts);
    if !parts.method.is_safe()
        && from_our_pages(&parts.headers).is_ok()
        && is_form(&parts.headers)
        && let Ok(sent) = axum::body::to_bytes(body, gate.longest_body).await
        && let words = sign_in::words(&sent)
        && !words.is_empty()
    {
        let page = sign_in::again(&gate.desk, &shown, words).await;
        return page.unwrap_or_else(IntoResponse::into_response);
    }
    let back = own_path(Some(&shown.back));
    let query =
        url::form_urlencoded::Serializer::new(String::new()).append_pair("back", back).finish();
    Redirect::to(&format!("/console/sign-in?{query}")).into_response()
}

/// Answers a request of a kind that its address does not take. A form's address that is opened as
/// a page leads to the page above it.
pub(super) async fn wrong_method(
    State(desk): State<Desk>,
    shown: page::Shown,
    method: Method,
) -> Response {
    let is_page = method.is_safe() && !shown.path.starts_with("/api/");
    let above = shown.path.rsplit_once('/').map(|(above, _)| above);
    if let Some(above) = above.filter(|above| is_page && !above.is_empty()) {
        return page::with_headers(Redirect::to(above).into_response());
    }
    let told = language::speaking(shown.language, async {
        let trouble = Trouble::new(
            StatusCode::METHOD_NOT_ALLOWED,
            match say("zh", "en") {
                "en" => format!("{} takes no {method}", shown.path),
                _ => format!("{} 不接受 {method} 请求", shown.path),
            },
            say(
                "接口能做什么，见 /api/v1/openapi.json",
                "/api/v1/openapi.json says what each address takes",
            ),
        );
        page::trouble(&desk, None, &shown, &trouble).await
    });
    page::with_headers(told.await)
}

/// What the framework refuses in plain words of its own (an address that is no UTF-8, a query that
/// cannot be read) is told like everything else.
fn unread(answer: &Response) -> Option<Trouble> {
    let kind = answer.headers().get(header::CONTENT_TYPE);
    let is_plain = kind.is_some_and(|kind| kind.as_bytes().starts_with(b"text/plain"));
    (is_plain && answer.status().is_client_error()).then(|| {
        Trouble::new(
            answer.status(),
            say("网址或发来的内容读不懂", "The address or what was sent cannot be read"),
            say(
                "从目录进去，或按 /api/v1/openapi.json 改好再发",
                "Go in by the navigation, or send it as /api/v1/openapi.json says",
            ),
        )
    })
}

fn too_many(seconds: u64) -> Response {
    let trouble = Trouble::new(
        StatusCode::TOO_MANY_REQUESTS,
        format!("请求太密了，请等 {seconds} 秒"),
        "等一会儿再试；一直这样请找运维岗",
    );
    let mut answer = trouble.into_response();
    answer.headers_mut().insert(header::RETRY_AFTER, seconds.into());
    answer
}

fn too_long(longest: usize) -> Trouble {
    Trouble::new(
        StatusCode::PAYLOAD_TOO_LARGE,
        format!("内容超过 {} KB，没有读", longest / 1024),
        "拆小一些再提交",
    )
}

/// A form of another site cannot have these headers like ours; browsers set them (Fetch Metadata,
/// RFC 6454). A browser that sends neither still needs the form's secret.
fn from_our_pages(headers: &HeaderMap) -> Result<(), Trouble> {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    let site_fits = text(header::HeaderName::from_static("sec-fetch-site"))
        .is_none_or(|site| matches!(site, "same-origin" | "none"));
    let host = text(header::HOST).unwrap_or_default();
    let origin_fits = text(header::ORIGIN).is_none_or(|origin| {
        origin.split_once("://").is_some_and(|(_, origin)| origin.eq_ignore_ascii_case(host))
    });
    (site_fits && origin_fits).then_some(()).ok_or_else(|| {
        Trouble::new(
            StatusCode::FORBIDDEN,
            "这个请求是从别的网站来的，没有执行",
            "请从控制台自己的页面上操作",
        )
    })
}

fn is_form(headers: &HeaderMap) -> bool {
    headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .is_some_and(|kind| kind.starts_with("application/x-www-form-urlencoded"))
}

fn form_secret(headers: &HeaderMap, uri: &Uri, body: &Bytes) -> String {
    let text =
        if is_form(headers) { body.as_ref() } else { uri.query().unwrap_or_default().as_bytes() };
    let found = url::form_urlencoded::parse(text).find(|(name, _)| name == "form");
    found.map(|(_, value)| value.into_owned()).unwrap_or_default()
}
