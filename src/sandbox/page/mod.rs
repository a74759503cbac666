//! What people see: `/` as subscribers would, with the drafts and the calls beside it.
//!
//! Pages need no network and no script, and may run none: articles come from clients, so every
//! page is sent with a policy that allows pictures and styles of this server and nothing else.
//! Tokens and callback keys stand on no page.

mod article;
mod front;
mod view;

use super::server::Shared;
use axum::{
    extract::{Path, Query, State},
    http::{HeaderName, StatusCode, header},
    response::{IntoResponse as _, Response},
};
use handlebars::{Handlebars, RenderError, TemplateError};
use serde::Serialize;
use std::{collections::BTreeMap, sync::Arc};

/// Nothing runs, nothing is fetched from elsewhere, nothing is sent.
const POLICY: &str = "default-src 'none'; img-src 'self'; style-src 'self' 'unsafe-inline'; \
                      base-uri 'none'; form-action 'none'; frame-ancestors 'none'; sandbox \
                      allow-top-navigation-by-user-activation allow-popups";

/// The templates.
#[derive(Debug)]
pub(super) struct Pages(Handlebars<'static>);

impl Pages {
    /// Reads the templates.
    pub(super) fn new() -> Result<Self, Box<TemplateError>> {
        let mut registry = Handlebars::new();
        registry.set_strict_mode(true);
        for (name, text) in [
            ("front", include_str!("front.hbs")),
            ("phone", include_str!("phone.hbs")),
            ("ledger", include_str!("ledger.hbs")),
            ("article", include_str!("article.hbs")),
            ("message", include_str!("message.hbs")),
        ] {
            registry.register_template_string(name, text)?;
        }
        Ok(Self(registry))
    }

    fn show<T: Serialize>(&self, status: StatusCode, name: &str, view: &T) -> Response {
        match self.0.render(name, view) {
            Ok(html) => (status, head("text/html; charset=utf-8"), html).into_response(),
            Err(error) => failed(&error),
        }
    }

    /// A page that says one thing.
    fn say(&self, status: StatusCode, title: &str, text: &str) -> Response {
        self.show(status, "message", &view::Message { title, text })
    }
}

fn failed(error: &RenderError) -> Response {
    tracing::error!(%error, "沙箱页面没有画成");
    StatusCode::INTERNAL_SERVER_ERROR.into_response()
}

fn head(content_type: &'static str) -> [(HeaderName, &'static str); 5] {
    [
        (header::CONTENT_TYPE, content_type),
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::CACHE_CONTROL, "no-store"),
    ]
}

/// `GET /`.
pub(super) async fn front(State(shared): State<Arc<Shared>>) -> Response {
    let bank = shared.setting.bank.clone();
    let view = shared.with_world(|world, now| front::view(world, now, &bank));
    shared.pages.show(StatusCode::OK, "front", &view)
}

/// `GET /style.css`.
pub(super) async fn style() -> Response {
    (head("text/css; charset=utf-8"), include_str!("style.css")).into_response()
}

/// `GET /wechat/s/<page>`.
pub(super) async fn article(
    State(shared): State<Arc<Shared>>,
    Path(page): Path<String>,
) -> Response {
    match shared.with_world(|world, _| article::published(world, &page)) {
        Some(Ok(view)) => shared.pages.show(StatusCode::OK, "article", &view),
        Some(Err(title)) => shared.pages.say(StatusCode::OK, &title, "该内容已被发布者删除"),
        None => {
            shared.pages.say(StatusCode::NOT_FOUND, "没有这篇文章", "链接有误，或文章尚未发出。")
        }
    }
}

/// `GET /wechat/draft/<account>/<media_id>`.
pub(super) async fn draft(
    State(shared): State<Arc<Shared>>,
    Path((account, media_id)): Path<(String, String)>,
    Query(query): Query<BTreeMap<String, String>>,
) -> Response {
    let number = query.get("article").map_or(Some(1), |number| number.parse().ok()).unwrap_or(0);
    match shared.with_world(|world, _| article::draft(world, &account, &media_id, number)) {
        Some(view) => shared.pages.show(StatusCode::OK, "article", &view),
        None => {
            let text = "草稿已发出、已删除，或从未存在。";
            shared.pages.say(StatusCode::NOT_FOUND, "没有这份草稿", text)
        }
    }
}

/// `GET /wechat/mmbiz/<path>`: a picture that was uploaded.
pub(super) async fn picture(
    State(shared): State<Arc<Shared>>,
    Path(path): Path<String>,
) -> Response {
    let key = format!("mmbiz.qpic.cn/{path}");
    let found = shared.with_world(|world, _| {
        let picture = world.accounts.values().find_map(|account| account.pictures.get(&key))?;
        let bytes = world.pictures.get(&picture.sha256)?;
        Some((picture.content_type(), bytes.to_vec()))
    });
    match found {
        Some((content_type, bytes)) => (head(content_type), bytes).into_response(),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}
