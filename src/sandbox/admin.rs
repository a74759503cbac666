//! `/_sandbox/`: what [`super::Sandbox`] offers, for other processes on this machine.
//!
//! | route | body |
//! |---|---|
//! | `GET books` | answers with [`Books`] |
//! | `PUT faults` | `["freepublish/submit#1=cut-after", …]` |
//! | `PUT callback` | `{"app_id","url","token","aes_key","mode"}`; mode `plain`, `compatible`, `secure` |
//! | `PUT clock` | `{"shift_seconds": 3600}`: moves it further |
//! | `PUT account` | `{"app_id", …}` with the fields of [`Profile`] that differ from the default |

use super::{
    books::Books,
    fault::Fault,
    server::Shared,
    wechat::{Profile, Registration},
};
use axum::{
    Json,
    body::Bytes,
    extract::State,
    http::StatusCode,
    response::{IntoResponse as _, Response},
};
use jiff::SignedDuration;
use serde::{Deserialize, de::DeserializeOwned};
use std::{fmt::Display, sync::Arc};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ClockBody {
    shift_seconds: i64,
}

/// What happened.
pub(super) async fn books(State(shared): State<Arc<Shared>>) -> Response {
    Json(shared.with_world(|world, now| Books::of(world, now))).into_response()
}

/// Replaces the faults.
pub(super) async fn faults(State(shared): State<Arc<Shared>>, body: Bytes) -> Response {
    let rules: Vec<String> = match read(&body) {
        Ok(rules) => rules,
        Err(reason) => return refused(reason),
    };
    let parsed: Vec<_> = rules.iter().map(|rule| rule.parse::<Fault>()).collect();
    let wrong: Vec<String> =
        parsed.iter().filter_map(|rule| rule.as_ref().err()).map(ToString::to_string).collect();
    if !wrong.is_empty() {
        return refused(wrong.join("\n"));
    }
    shared.with_world(|world, _| world.faults.set(parsed.into_iter().flatten().collect()));
    done(&shared).await
}

/// Registers where an account's callbacks go.
pub(super) async fn callback(State(shared): State<Arc<Shared>>, body: Bytes) -> Response {
    match of_account::<Registration>(&body) {
        Ok((app_id, rest)) => match shared.register(&app_id, rest).await {
            Ok(()) => done(&shared).await,
            Err(error) => refused(error),
        },
        Err(reason) => refused(reason),
    }
}

/// Moves the clock.
pub(super) async fn clock(State(shared): State<Arc<Shared>>, body: Bytes) -> Response {
    match read::<ClockBody>(&body) {
        Ok(body) => {
            shared.shift_clock(SignedDuration::from_secs(body.shift_seconds));
            done(&shared).await
        }
        Err(reason) => refused(reason),
    }
}

/// Makes an account what it should be.
pub(super) async fn account(State(shared): State<Arc<Shared>>, body: Bytes) -> Response {
    match of_account::<Profile>(&body) {
        Ok((app_id, rest)) => match shared.set_profile(&app_id, rest) {
            Ok(()) => done(&shared).await,
            Err(error) => refused(error),
        },
        Err(reason) => refused(reason),
    }
}

fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, String> {
    serde_json::from_slice(body).map_err(|error| format!("请求正文看不懂：{error}"))
}

/// Takes `app_id` out and reads the rest as `T`, which refuses keys that it does not know.
fn of_account<T: DeserializeOwned>(body: &[u8]) -> Result<(String, T), String> {
    let mut fields: serde_json::Map<String, serde_json::Value> = read(body)?;
    let Some(serde_json::Value::String(app_id)) = fields.remove("app_id") else {
        return Err("请求正文缺少 app_id".to_owned());
    };
    let rest = serde_json::from_value(fields.into());
    Ok((app_id, rest.map_err(|error| format!("请求正文看不懂：{error}"))?))
}

fn refused(reason: impl Display) -> Response {
    (StatusCode::BAD_REQUEST, format!("{reason}\n")).into_response()
}

async fn done(shared: &Shared) -> Response {
    shared.save().await;
    StatusCode::NO_CONTENT.into_response()
}
