//! The entrance that every call comes through.
//!
//! 1. Faults are drawn: one may delay the call, refuse it or cut the connection.
//! 2. The call is carried out in a task of its own: a client that hangs up does not stop it, as
//!    it would not stop the platform.
//! 3. Token, method, quota and body are checked, in this order, then the interface runs.
//! 4. What it did is on disk before the answer leaves, if it leaves.

use super::{
    code,
    media::Upload,
    route::{self, Carries, Proof, Route},
    token,
};
use crate::sandbox::{
    books::{CallRecord, Deletion},
    clock::Span,
    fault::FaultKind,
    server::{Peer, Setting, Shared, random_text},
    state::World,
};
use axum::{
    body::{self, Body},
    extract::{ConnectInfo, Query, Request, State},
    http::{Method, StatusCode, header},
    response::{IntoResponse as _, Response},
};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value};
use std::{collections::BTreeMap, net::IpAddr, sync::Arc, time::Duration};

/// No body that the platform takes is larger: a video of 10 MB and its form.
const MAX_BODY_BYTES: usize = 12 << 20;

/// What an interface answers: the reply's fields.
pub(super) type Answer = Result<Value, Refusal>;

/// Why the platform refuses.
#[derive(Debug, Clone)]
pub(super) struct Refusal {
    pub code: i64,
    words: String,
    /// Fields besides `errcode` and `errmsg`: the `msg_id` of a repetition.
    pub fields: Map<String, Value>,
}

impl Refusal {
    /// With the platform's words.
    pub(super) fn of(code: i64) -> Self {
        Self { code, words: code::words(code).to_owned(), fields: Map::new() }
    }

    /// With a hint after the words.
    pub(super) fn saying(mut self, hint: &str) -> Self {
        self.words = format!("{} hint: [{hint}]", self.words);
        self
    }

    /// With other words.
    pub(super) fn instead(mut self, words: String) -> Self {
        self.words = words;
        self
    }

    /// With a field of its own.
    pub(super) fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.fields.insert(name.to_owned(), value.into());
        self
    }
}

/// One call, as an interface sees it.
pub(super) struct Call<'a> {
    pub world: &'a mut World,
    pub setting: &'a Setting,
    pub now: Timestamp,
    pub peer: IpAddr,
    /// Whose call it is.
    pub app_id: String,
    pub query: &'a BTreeMap<String, String>,
    body: Value,
    pub upload: Option<Upload>,
}

impl Call<'_> {
    /// The caller's account.
    pub(super) fn account(&mut self) -> &mut super::Account {
        self.world.account(&self.app_id)
    }

    /// The body.
    pub(super) fn json(&self) -> &Value {
        &self.body
    }

    /// A text of the body; empty where it is none.
    pub(super) fn text(&self, name: &str) -> String {
        self.body[name].as_str().unwrap_or_default().to_owned()
    }

    /// Enters in the books that something was taken down.
    pub(super) fn enter_deletion(&mut self, path: &str, what: String, index: Option<usize>) {
        self.world.ledger.deletions.push(Deletion {
            app_id: self.app_id.clone(),
            path: path.to_owned(),
            what,
            index: index.and_then(|index| u32::try_from(index).ok()),
            at: self.now,
        });
    }
}

/// What came in.
struct Incoming {
    method: Method,
    path: String,
    query: BTreeMap<String, String>,
    peer: Peer,
    body: Vec<u8>,
    upload: Option<Result<Upload, i64>>,
}

/// What becomes of a call.
struct Outcome {
    status: StatusCode,
    content_type: &'static str,
    body: String,
    cut: bool,
}

/// Lets a call in.
pub(in crate::sandbox) async fn entrance(
    State(shared): State<Arc<Shared>>,
    ConnectInfo(peer): ConnectInfo<Peer>,
    request: Request,
) -> Response {
    let incoming = match read(request, peer.clone()).await {
        Ok(incoming) => incoming,
        Err(refusal) => return refusal,
    };
    let carried_out = tokio::spawn(async move { carry_out(&shared, incoming).await });
    let Ok(outcome) = carried_out.await else {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    };
    if outcome.cut {
        peer.cut();
    }
    let content_type = [(header::CONTENT_TYPE, outcome.content_type)];
    (outcome.status, content_type, outcome.body).into_response()
}

async fn read(request: Request, peer: Peer) -> Result<Incoming, Response> {
    let (parts, body) = request.into_parts();
    let path = parts.uri.path().trim_start_matches("/wechat/").trim_start_matches("cgi-bin/");
    let path = path.to_owned();
    let query = Query::<BTreeMap<String, String>>::try_from_uri(&parts.uri);
    let query = query.map(|Query(query)| query).unwrap_or_default();
    let method = parts.method.clone();
    let bytes = body::to_bytes(body, MAX_BODY_BYTES)
        .await
        .map_err(|_| StatusCode::PAYLOAD_TOO_LARGE.into_response())?;
    let carries = route::find(&path).map(|route| route.carries);
    let upload = if carries == Some(Carries::File) && !bytes.is_empty() {
        Some(Upload::read(Request::from_parts(parts, Body::from(bytes.clone()))).await)
    } else {
        None
    };
    Ok(Incoming { method, path, query, peer, body: bytes.to_vec(), upload })
}

async fn carry_out(shared: &Shared, incoming: Incoming) -> Outcome {
    let faults = shared.with_world(|world, _| world.faults.strike(&incoming.path));
    for fault in &faults {
        if let FaultKind::Latency(milliseconds) = fault {
            tokio::time::sleep(Duration::from_millis(*milliseconds)).await;
        }
    }
    let stopped = faults.iter().find_map(|fault| match fault {
        FaultKind::CutBefore => Some(Outcome::cut()),
        FaultKind::Status(status) => Some(Outcome::status(*status)),
        _ => None,
    });
    let outcome = shared.with_world(|world, now| match stopped {
        Some(outcome) => {
            enter(world, now, &incoming, None, &faults);
            outcome
        }
        None => perform(world, &shared.setting, now, &incoming, &faults),
    });
    shared.save().await;
    shared.bell.notify_one();
    outcome
}

/// Carries the call out, as far as the faults let it.
fn perform(
    world: &mut World,
    setting: &Setting,
    now: Timestamp,
    incoming: &Incoming,
    faults: &[FaultKind],
) -> Outcome {
    let skew: i64 = faults
        .iter()
        .map(|fault| if let FaultKind::ClockSkew(seconds) = fault { *seconds } else { 0 })
        .sum();
    let now = now.checked_add(SignedDuration::from_secs(skew)).unwrap_or(now);
    let refused = faults.iter().find_map(|fault| match fault {
        FaultKind::ErrorCode(code) => Some(Refusal::of(*code)),
        FaultKind::RefuseIp => Some(token::not_listed(incoming.peer.address.ip().to_canonical())),
        _ => None,
    });
    let (app_id, answer) = match refused {
        Some(refusal) => (None, Err(refusal)),
        None => admitted(world, setting, now, incoming),
    };
    let rid = rid(now);
    enter(world, now, incoming, Some((&app_id, &answer, &rid)), faults);
    let late = faults.iter().find_map(|fault| match fault {
        FaultKind::ErrorAfter(code) => Some(Refusal::of(*code)),
        _ => None,
    });
    let mut outcome = Outcome::of(&incoming.path, late.map_or(answer, Err), &rid);
    if faults.contains(&FaultKind::Garbage) {
        "\u{1f}\u{8b}<!-- {\"errcode\":".clone_into(&mut outcome.body);
    }
    outcome.cut = faults.contains(&FaultKind::CutAfter);
    outcome
}

/// Checks token, method, quota and body, then runs the interface.
fn admitted(
    world: &mut World,
    setting: &Setting,
    now: Timestamp,
    incoming: &Incoming,
) -> (Option<String>, Answer) {
    let Some(route) = route::find(&incoming.path) else {
        return (None, Err(Refusal::of(40066)));
    };
    let mut app_id = String::new();
    if route.proof == Proof::Token {
        let token = incoming.query.get("access_token").map_or("", String::as_str);
        if token.is_empty() {
            return (None, Err(Refusal::of(41001)));
        }
        match token::owner(world, token, now) {
            Ok(owner) => app_id = owner,
            Err(refusal) => return (None, Err(refusal)),
        }
    }
    let mut call = Call {
        world,
        setting,
        now,
        peer: incoming.peer.address.ip().to_canonical(),
        app_id,
        query: &incoming.query,
        body: Value::Null,
        upload: None,
    };
    let answer = checked(&mut call, route, incoming).and_then(|()| (route.run)(&mut call));
    ((!call.app_id.is_empty()).then_some(call.app_id), answer)
}

fn checked(call: &mut Call<'_>, route: &Route, incoming: &Incoming) -> Result<(), Refusal> {
    match (route.carries, incoming.method == Method::POST) {
        (Carries::Nothing, _) if incoming.method != Method::GET => return Err(Refusal::of(43001)),
        (Carries::Json | Carries::File | Carries::Anything, false) => {
            return Err(Refusal::of(43002));
        }
        _ => {}
    }
    let now = call.now;
    if let Some(daily) = route.daily
        && !call.account().take(route.path, Span::Day, daily, now)
    {
        return Err(Refusal::of(45009));
    }
    match route.carries {
        Carries::Nothing | Carries::Anything => {}
        Carries::Json => {
            if incoming.body.is_empty() {
                return Err(Refusal::of(44002));
            }
            let body = super::content::keep_escapes(&incoming.body);
            call.body = serde_json::from_slice(&body).map_err(|_| Refusal::of(47001))?;
            if !call.body.is_object() {
                return Err(Refusal::of(47001));
            }
        }
        Carries::File => match &incoming.upload {
            None => return Err(Refusal::of(41005)),
            Some(Err(code)) => return Err(Refusal::of(*code)),
            Some(Ok(upload)) => call.upload = Some(upload.clone()),
        },
    }
    Ok(())
}

/// Enters the call in the books.
fn enter(
    world: &mut World,
    now: Timestamp,
    incoming: &Incoming,
    ended: Option<(&Option<String>, &Answer, &str)>,
    faults: &[FaultKind],
) {
    let refusal = ended.and_then(|(_, answer, _)| answer.as_ref().err());
    world.ledger.enter(CallRecord {
        number: 0,
        at: now,
        app_id: ended.and_then(|(app_id, ..)| app_id.clone()),
        method: incoming.method.to_string(),
        path: incoming.path.clone(),
        errcode: ended.map(|_| refusal.map_or(0, |refusal| refusal.code)),
        message: refusal.map(|refusal| refusal.words.clone()).unwrap_or_default(),
        rid: refusal.and(ended).map(|(.., rid)| rid.to_owned()),
        faults: faults.iter().map(ToString::to_string).collect(),
    });
}

/// A request's id, in the platform's form: the second, then what tells it from others.
fn rid(now: Timestamp) -> String {
    let digest = crate::model::Digest::of(random_text().as_bytes()).to_string();
    format!("{:08x}-{}-{}", now.as_second(), &digest[..8], &digest[8..16])
}

impl Outcome {
    fn of(path: &str, answer: Answer, rid: &str) -> Self {
        let body = match answer {
            Ok(value) => value,
            Err(refusal) => {
                let mut fields = Map::new();
                fields.insert("errcode".into(), refusal.code.into());
                fields.insert("errmsg".into(), format!("{} rid: {rid}", refusal.words).into());
                fields.extend(refusal.fields);
                fields.into()
            }
        };
        let content_type = if path == "media/uploadimg" {
            "text/plain"
        } else {
            "application/json; encoding=utf-8"
        };
        Self { status: StatusCode::OK, content_type, body: body.to_string(), cut: false }
    }

    fn cut() -> Self {
        Self { cut: true, ..Self::status(200) }
    }

    fn status(status: u16) -> Self {
        let status = StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_GATEWAY);
        let body = format!("<html><body><h1>{status}</h1></body></html>");
        Self { status, content_type: "text/html", body, cut: false }
    }
}
