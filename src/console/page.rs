//! What every page has: language, navigation, who is signed in, the banner of a stop; and the
//! headers of every answer.

use super::{
    Desk,
    caller::Caller,
    foreign,
    language::{Language, say},
    permit::{Action, Role},
    trouble::Trouble,
};
use crate::store::Hold;
use askama::Template;
use axum::{
    extract::FromRequestParts,
    http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header, request::Parts},
    response::{Html, IntoResponse, Response},
};
use std::convert::Infallible;

/// Scripts, styles and pictures from here only, nothing inline, no frames around us (CSP 3).
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; \
                      font-src 'self'; connect-src 'self'; frame-src 'self'; form-action 'self'; \
                      frame-ancestors 'none'; base-uri 'none'";

/// How a request wants to be answered.
#[derive(Debug, Clone)]
pub struct Shown {
    /// The language.
    pub language: Language,
    /// The path, for the navigation.
    pub path: String,
    /// The address of the page that people see: a form that is answered with a page was on one.
    pub back: String,
    /// The outcome of the form before, named in the query.
    notice: Option<Notice>,
}

impl Shown {
    pub(super) fn of(parts: &Parts) -> Self {
        let query = parts.uri.query().unwrap_or_default().as_bytes();
        let done = url::form_urlencoded::parse(query).find(|(name, _)| name == "done");
        Self {
            language: Language::of(&parts.headers),
            path: parts.uri.path().to_owned(),
            back: back(parts),
            notice: done.and_then(|(_, name)| Notice::from_name(&name)),
        }
    }
}

/// What leads back to the page: its path and query, without the outcome of the form before. The
/// address of a form leads nowhere by itself; the page that it was on does.
fn back(parts: &Parts) -> String {
    let came = || {
        let referer = parts.headers.get(header::REFERER)?.to_str().ok()?.parse::<Uri>().ok()?;
        Some(referer.path_and_query()?.as_str().to_owned())
    };
    let asked = || parts.uri.path_and_query().map_or_else(String::new, ToString::to_string);
    let whole = if parts.method == Method::POST { came().unwrap_or_default() } else { asked() };
    let Some((path, query)) = whole.split_once('?') else { return whole };
    let kept: Vec<_> = query.split('&').filter(|part| !part.starts_with("done=")).collect();
    if kept.is_empty() { path.to_owned() } else { format!("{path}?{}", kept.join("&")) }
}

impl<S: Send + Sync> FromRequestParts<S> for Shown {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(Self::of(parts))
    }
}

macro_rules! notices {
    ($($name:ident = $text:literal, $zh:literal, $en:literal;)+) => {
        /// What a form did, shown on the page after it.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        #[allow(missing_docs)]
        pub enum Notice { $($name,)+ }

        impl Notice {
            /// Its name in the query.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$name => $text,)+ }
            }

            fn from_name(name: &str) -> Option<Self> {
                match name { $($text => Some(Self::$name),)+ _ => None }
            }

            fn labels(self) -> (&'static str, &'static str) {
                match self { $(Self::$name => ($zh, $en),)+ }
            }
        }
    };
}

notices! {
    Saved = "saved", "已保存", "Saved";
    Approved = "approved", "已批准：签的是页面上这些摘要", "Approved: you signed the digests shown";
    Returned = "returned", "已退回，送审人看得到原因和批注", "Returned; the author sees why";
    Remarked = "remarked", "批注已记下", "Comment saved";
    Submitted = "submitted", "已送审", "Submitted for review";
    Retried = "retried", "已排入重发", "Queued to be sent again";
    Resolved = "resolved", "已按你的认定记下", "Settled as you said";
    Cancelled = "cancelled", "已取消", "Cancelled";
    Recalled = "recalled", "撤回做完了，逐条结果在下面", "Recall done; results below";
    Held = "held", "已停发：什么都不会再发出去", "Stopped: nothing more will be sent";
    Released = "released", "已恢复投放", "Sending resumed";
    Moved = "moved", "已改期", "Moved";
    Skipped = "skipped", "已跳过", "Skipped";
    Fired = "fired", "已补发", "Fired";
    Imported = "imported", "已导入，旧文件留着可以换回来", "Imported; the old file is kept";
    Confirmed = "confirmed", "已记下，总行看得到", "Confirmed";
    Withdrawn = "withdrawn", "已撤销，刚才那一句不算；审计里留着", "Taken back; the audit trail keeps it";
    Reported = "reported", "数字已记下，填错了可以更正", "Numbers saved; you can correct them";
    PasswordSet = "password-set", "口令已设好", "Password set";
    Unlocked = "unlocked", "已解锁", "Unlocked";
    Revoked = "revoked", "已收回", "Revoked";
}

/// An entry of the navigation.
#[derive(Debug, Clone)]
pub struct Link {
    /// Where it leads.
    pub href: String,
    /// What it says.
    pub text: &'static str,
    /// Whether the page lies below it.
    pub here: bool,
}

/// What every page's template gets.
#[derive(Debug, Clone)]
pub struct Page {
    /// The title.
    pub title: String,
    /// The language.
    pub language: Language,
    /// The bank.
    pub bank: String,
    /// Who is signed in.
    pub caller: Option<Caller>,
    /// The navigation.
    pub links: Vec<Link>,
    /// What the form before did.
    pub notice: Option<String>,
    /// Why nothing is sent.
    pub hold: Option<Hold>,
    /// The path and query, to come back to.
    pub back: String,
}

impl Page {
    /// The page's frame. A ledger that does not answer leaves the banner out.
    pub async fn new(
        desk: &Desk,
        shown: &Shown,
        caller: Option<Caller>,
        title: (&str, &str),
    ) -> Self {
        let language = shown.language;
        let deployment = match &caller {
            Some(_) => desk.publisher().store.deployment().await.ok(),
            None => None,
        };
        Self {
            title: language.of_two(title.0, title.1).to_owned(),
            language,
            bank: desk.publisher().config.bank.name.clone(),
            links: caller.as_ref().map(|caller| links(caller, shown)).unwrap_or_default(),
            notice: shown.notice.map(|notice| {
                let (chinese, english) = notice.labels();
                language.of_two(chinese, english).to_owned()
            }),
            hold: deployment.and_then(|deployment| deployment.hold),
            back: shown.back.clone(),
            caller,
        }
    }

    /// The text in the page's language.
    #[must_use]
    pub fn t<'a>(&self, chinese: &'a str, english: &'a str) -> &'a str {
        self.language.of_two(chinese, english)
    }

    /// One of a pair of texts in the page's language.
    #[must_use]
    pub fn pair<'a>(&self, labels: &(&'a str, &'a str)) -> &'a str {
        self.language.of_two(labels.0, labels.1)
    }

    /// A term of the field in the page's language.
    #[must_use]
    pub fn word<'a>(&self, term: &'a str) -> &'a str {
        self.language.of_two(term, super::terms::english(term).unwrap_or(term))
    }

    /// Several of them, or titles, with “、” between. Titles, which may have one inside, stay as
    /// they were written.
    #[must_use]
    pub fn words(&self, terms: &str) -> String {
        let mut words = String::new();
        let mut before = true;
        for (index, term) in terms.split('、').enumerate() {
            let word = self.word(term);
            let same = word == term;
            if index > 0 {
                words.push_str(if before && same { "、" } else { self.t("、", ", ") });
            }
            words.push_str(word);
            before = same;
        }
        words
    }

    /// What an action is called, by its name.
    #[must_use]
    pub fn action<'a>(&self, name: &'a str) -> &'a str {
        Action::from_name(name).map_or(name, |action| self.pair(&action.labels()))
    }

    /// Whether whoever is signed in may do that: an action by its name.
    #[must_use]
    pub fn may(&self, action: &str) -> bool {
        let action = Action::from_name(action);
        self.caller.as_ref().zip(action).is_some_and(|(caller, action)| caller.may(action))
    }

    /// What every form must carry.
    #[must_use]
    pub fn form(&self) -> &str {
        self.caller.as_ref().map_or("", |caller| &caller.form)
    }

    /// The address of a style sheet or script.
    #[must_use]
    pub fn asset(&self, name: &str) -> String {
        super::statics::address(name)
    }

    /// The name of whoever is signed in.
    #[must_use]
    pub fn name(&self) -> &str {
        self.caller.as_ref().map_or("", |caller| &caller.person.name)
    }
}

fn links(caller: &Caller, shown: &Shown) -> Vec<Link> {
    const PLACES: [(&str, Action, &str, &str); 9] = [
        ("/console", Action::ReadOverview, "总览", "Overview"),
        ("/console/week", Action::ReadSchedule, "排期", "Calendar"),
        ("/console/lessons", Action::ReadLessons, "课件", "Lessons"),
        ("/console/reviews", Action::ReadReviews, "审批", "Reviews"),
        ("/console/deliveries", Action::ReadDeliveries, "投递", "Deliveries"),
        ("/console/branches", Action::ReadBranches, "网点", "Branches"),
        ("/console/hotlines", Action::ReadHotlines, "热线", "Hotlines"),
        ("/console/audit", Action::ReadAudit, "审计", "Audit"),
        ("/console/settings", Action::ReadSettings, "设置", "Settings"),
    ];
    let below = |href: &str| {
        shown.path == href || (href != "/console" && shown.path.starts_with(&format!("{href}/")))
    };
    let mut links: Vec<Link> = PLACES
        .into_iter()
        .filter(|(_, action, _, _)| caller.may(*action))
        .map(|(href, _, chinese, english)| Link {
            href: href.to_owned(),
            text: shown.language.of_two(chinese, english),
            here: below(href),
        })
        .collect();
    if let Some(branch) =
        caller.person.branch.as_ref().filter(|_| caller.roles.contains(&Role::Branch))
    {
        let href = format!("/b/{branch}");
        let here = below(&href);
        links.insert(1, Link { href, text: shown.language.of_two("本网点", "My branch"), here });
    }
    links
}

/// The page of a template.
///
/// # Errors
/// [`Trouble`] where it could not be rendered.
pub fn render(template: &impl Template) -> Result<Response, Trouble> {
    let html = template.render().map_err(|error| {
        let error: &dyn std::error::Error = &error;
        tracing::error!(error, "页面没有生成");
        let status = StatusCode::INTERNAL_SERVER_ERROR;
        Trouble::new(status, "页面没有生成", "再试一次；还不行请找运维岗")
    })?;
    let html = match say("zh", "en") {
        "en" => foreign::marked(&html),
        _ => html,
    };
    Ok(Html(html).into_response())
}

#[derive(Template)]
#[template(path = "console/html/trouble.html")]
struct TroublePage<'a> {
    page: Page,
    trouble: &'a Trouble,
}

/// Something that went wrong as a page, or as problem details for programs.
pub(super) async fn trouble(
    desk: &Desk,
    caller: Option<Caller>,
    shown: &Shown,
    trouble: &Trouble,
) -> Response {
    if shown.path.starts_with("/api/") {
        let problem = serde_json::json!({
            "title": trouble.what.join("；"), "status": trouble.status.as_u16(),
            "detail": trouble.next, "errors": trouble.what,
        });
        let kind = [(header::CONTENT_TYPE, "application/problem+json")];
        (trouble.status, kind, problem.to_string()).into_response()
    } else {
        let title = match trouble.status {
            StatusCode::FORBIDDEN => ("没有权限", "Not allowed"),
            StatusCode::NOT_FOUND => ("找不到", "Not found"),
            _ => ("没有做成", "Not done"),
        };
        let page = Page::new(desk, shown, caller, title).await;
        match render(&TroublePage { page, trouble }) {
            Ok(mut page) => {
                *page.status_mut() = trouble.status;
                page
            }
            Err(_) => trouble.status.into_response(),
        }
    }
}

/// The headers of every answer, where the handler did not set its own.
pub(super) fn with_headers(mut answer: Response) -> Response {
    let headers: &mut HeaderMap = answer.headers_mut();
    let mut set = |name: header::HeaderName, value: &'static str| {
        headers.entry(name).or_insert_with(|| HeaderValue::from_static(value));
    };
    set(header::CONTENT_SECURITY_POLICY, POLICY);
    set(header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    set(header::REFERRER_POLICY, "same-origin");
    set(header::CACHE_CONTROL, "no-store");
    set(header::HeaderName::from_static("cross-origin-opener-policy"), "same-origin");
    set(header::HeaderName::from_static("cross-origin-resource-policy"), "same-origin");
    set(
        header::HeaderName::from_static("permissions-policy"),
        "camera=(), geolocation=(), microphone=()",
    );
    answer
}

/// Where to go after signing in: a path of our own pages, nothing else (no other host, no
/// `//host`, no `\`).
#[must_use]
pub fn own_path(wanted: Option<&str>) -> &str {
    let own = |path: &&str| {
        (path.starts_with("/console") || path.starts_with("/b/"))
            && path.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\')
    };
    wanted.filter(own).unwrap_or("/console")
}
