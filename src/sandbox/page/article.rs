//! One article in the reading column.

use super::view;
use crate::sandbox::{
    state::World,
    wechat::{Account, Article, ArticleKind},
};
use serde::Serialize;

/// An article's page.
#[derive(Debug, Serialize)]
pub(super) struct ArticleView {
    title: String,
    author: String,
    account: String,
    time: String,
    /// Says of a draft that it is one; empty for what is out.
    notice: String,
    /// Sanitised HTML, or empty for a picture message.
    content: String,
    /// The text of a picture message.
    text: String,
    pictures: Vec<String>,
    source_url: String,
    /// The articles of the same draft.
    others: Vec<Other>,
}

/// A link to another article of a draft.
#[derive(Debug, Serialize)]
struct Other {
    number: usize,
    url: String,
}

/// An article that is out; `Err` with its title where it was taken down.
pub(super) fn published(world: &World, page: &str) -> Option<Result<ArticleView, String>> {
    world.accounts.values().find_map(|account| {
        let dispatches = account.dispatches.iter().filter(|dispatch| dispatch.went_out());
        dispatches.into_iter().find_map(|dispatch| {
            let article = dispatch.articles.iter().find(|article| article.page == page)?;
            if article.is_deleted {
                return Some(Err(article.title.clone()));
            }
            Some(Ok(of(account, article, view::moment(dispatch.due_at), String::new())))
        })
    })
}

/// One article of a draft, counted from 1.
pub(super) fn draft(
    world: &World,
    app_id: &str,
    media_id: &str,
    number: usize,
) -> Option<ArticleView> {
    let account = world.accounts.get(app_id)?;
    let draft = account.drafts.get(media_id)?;
    let article = draft.articles.get(number.checked_sub(1)?)?;
    let count = draft.articles.len();
    let notice = format!("草稿预览，第 {number} 篇，共 {count} 篇，尚未发出");
    let mut shown = of(account, article, view::moment(draft.update_time), notice);
    if count > 1 {
        shown.others =
            (1..=count).map(|number| Other { number, url: format!("?article={number}") }).collect();
    }
    Some(shown)
}

fn of(account: &Account, article: &Article, time: String, notice: String) -> ArticleView {
    let is_news = article.kind == ArticleKind::News;
    ArticleView {
        title: article.title.clone(),
        author: article.author.clone(),
        account: account.profile.name.clone(),
        time,
        notice,
        content: if is_news { localised(&article.content) } else { String::new() },
        text: if is_news { String::new() } else { article.content.clone() },
        pictures: view::pictures(account, article),
        source_url: article.content_source_url.clone(),
        others: Vec::new(),
    }
}

/// The content with the platform's picture addresses led to this server.
fn localised(content: &str) -> String {
    let mut content = content.to_owned();
    for before in ["src=\"", "url(", "url(&quot;", "url('"] {
        for scheme in ["http", "https"] {
            let from = format!("{before}{scheme}://mmbiz.qpic.cn/");
            content = content.replace(&from, &format!("{before}/wechat/mmbiz/"));
        }
    }
    content
}
