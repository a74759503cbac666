//! The front page: phones with what came out, and the books beside them.

use super::view::{self, Crop, Frame};
use crate::sandbox::{
    books::Books,
    state::World,
    wechat::{Account, AccountKind, ArticleKind, Dispatch, Way},
};
use jiff::Timestamp;
use serde::Serialize;

/// How many calls the page lists.
const CALLS_SHOWN: usize = 60;

/// The page.
#[derive(Debug, Serialize)]
pub(super) struct FrontView {
    bank: String,
    clock: String,
    faults: Vec<String>,
    duplicates: Vec<String>,
    accounts: Vec<PhoneView>,
    calls: Vec<CallView>,
    calls_total: u64,
    callbacks: Vec<CallbackView>,
    empty: bool,
}

#[derive(Debug, Serialize)]
struct PhoneView {
    app_id: String,
    name: String,
    initial: String,
    kind: &'static str,
    rights: String,
    cards: Vec<CardView>,
    drafts: Vec<DraftView>,
    jobs: Vec<JobView>,
    materials: usize,
    pictures: usize,
    followers: u32,
}

/// One message, as it lies in the list.
#[derive(Debug, Serialize)]
struct CardView {
    time: String,
    way: String,
    entries: Vec<EntryView>,
}

#[derive(Debug, Serialize)]
struct EntryView {
    title: String,
    digest: String,
    url: String,
    recalled: bool,
    first: bool,
    wide: Option<Crop>,
    square: Option<Crop>,
    pictures: Vec<String>,
    count: usize,
}

#[derive(Debug, Serialize)]
struct DraftView {
    title: String,
    articles: usize,
    time: String,
    url: String,
}

#[derive(Debug, Serialize)]
struct JobView {
    title: String,
    state: &'static str,
    bad: bool,
    reference: i64,
}

#[derive(Debug, Serialize)]
struct CallView {
    number: u64,
    time: String,
    path: String,
    code: String,
    message: String,
    bad: bool,
    faults: String,
}

#[derive(Debug, Serialize)]
struct CallbackView {
    time: String,
    event: String,
    reference: i64,
    attempt: u32,
    outcome: String,
    bad: bool,
}

/// The front page of a world.
pub(super) fn view(world: &World, now: Timestamp, bank: &str) -> FrontView {
    let books = Books::of(world, now);
    let calls = world.ledger.calls.iter().rev().take(CALLS_SHOWN);
    let callbacks = world.ledger.callbacks.iter().rev().take(20);
    FrontView {
        bank: bank.to_owned(),
        clock: view::second(now),
        faults: books.faults,
        duplicates: books
            .duplicates
            .iter()
            .map(|double| format!("《{}》发出了 {} 次", double.title, double.references.len()))
            .collect(),
        accounts: world.accounts.values().map(phone).collect(),
        calls: calls
            .map(|call| CallView {
                number: call.number,
                time: view::second(call.at),
                path: format!("{} {}", call.method, call.path),
                code: call.errcode.map_or_else(|| "—".to_owned(), |code| code.to_string()),
                message: call.message.clone(),
                bad: call.errcode != Some(0),
                faults: call.faults.join("、"),
            })
            .collect(),
        calls_total: world.ledger.total,
        callbacks: callbacks
            .map(|callback| CallbackView {
                time: view::second(callback.at),
                event: callback.event.clone(),
                reference: callback.reference,
                attempt: callback.attempt,
                outcome: callback.outcome.clone(),
                bad: callback.outcome != "HTTP 200",
            })
            .collect(),
        empty: world.accounts.is_empty(),
    }
}

fn phone(account: &Account) -> PhoneView {
    let profile = &account.profile;
    let rights = match (profile.verified, profile.publish_right) {
        (true, true) => "已认证，可发布".to_owned(),
        (true, false) => "已认证，没有发布权限".to_owned(),
        (false, _) => "未认证，不能发布与群发".to_owned(),
    };
    let out = account.dispatches.iter().rev().filter(|dispatch| dispatch.went_out());
    PhoneView {
        app_id: account.app_id.clone(),
        name: profile.name.clone(),
        initial: profile.name.chars().next().unwrap_or('账').to_string(),
        kind: match profile.kind {
            AccountKind::Subscription => "订阅号",
            AccountKind::Service => "服务号",
        },
        rights,
        cards: out.map(|dispatch| card(account, dispatch)).collect(),
        drafts: drafts(account),
        jobs: account.dispatches.iter().rev().filter_map(job).collect(),
        materials: account.materials.len(),
        pictures: account.pictures.len(),
        followers: profile.followers,
    }
}

fn card(account: &Account, dispatch: &Dispatch) -> CardView {
    let entries = dispatch.articles.iter().enumerate().map(|(index, article)| {
        let mut pictures = view::pictures(account, article);
        let count = pictures.len();
        pictures.truncate(3);
        let is_news = article.kind == ArticleKind::News;
        EntryView {
            title: article.title.clone(),
            digest: article.digest.clone(),
            url: format!("/wechat/s/{}", article.page),
            recalled: article.is_deleted,
            first: index == 0,
            wide: view::cover(account, article, Frame::Wide).filter(|_| is_news),
            square: view::cover(account, article, Frame::Square).filter(|_| is_news),
            pictures,
            count,
        }
    });
    CardView {
        time: view::moment(dispatch.due_at),
        way: match dispatch.way {
            Way::Publish => "发布，不推送".to_owned(),
            Way::Mass => format!("群发，送达 {} 人", dispatch.recipients),
        },
        entries: entries.collect(),
    }
}

fn drafts(account: &Account) -> Vec<DraftView> {
    let mut drafts: Vec<_> = account.drafts.values().collect();
    drafts.sort_by_key(|draft| std::cmp::Reverse(draft.update_time));
    drafts
        .into_iter()
        .map(|draft| DraftView {
            title: draft.articles.first().map(|article| article.title.clone()).unwrap_or_default(),
            articles: draft.articles.len(),
            time: view::moment(draft.update_time),
            url: format!("/wechat/draft/{}/{}", account.app_id, draft.media_id),
        })
        .collect()
}

/// A job that is under way or did not come out.
fn job(dispatch: &Dispatch) -> Option<JobView> {
    let (state, bad) = match dispatch.status {
        1 if dispatch.way == Way::Publish => ("发布中", false),
        1 => ("群发中", false),
        2 => ("原创校验没有通过", true),
        3 => ("失败", true),
        4 => ("审核没有通过", true),
        6 => ("已被平台封禁", true),
        _ => return None,
    };
    let title = dispatch.articles.first().map(|article| article.title.clone());
    Some(JobView { title: title.unwrap_or_default(), state, bad, reference: dispatch.id })
}
