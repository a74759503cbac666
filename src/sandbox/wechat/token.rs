//! Access tokens: two lines that know nothing of each other, in each the newest and, for five
//! minutes, the one before.
//!
//! Tokens are derived from the seed, the account and a number, so none is ever stored.

use super::{
    account::{Account, is_app_id},
    gate::{Answer, Call, Refusal},
};
use crate::sandbox::{books::TokenIssue, clock::Span, state::World};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::net::IpAddr;

/// How long a replaced token goes on.
const OVERLAP_SECONDS: i64 = 300;
/// The documents tell clients to keep room for so many characters; so long are ours.
const TOKEN_LENGTH: usize = 512;
/// How many tokens of a line are remembered, to tell an expired one from a replaced one.
const REMEMBERED: usize = 16;

/// The tokens of one line.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(in crate::sandbox) struct TokenLine {
    issued: Vec<Issued>,
    last_forced: Option<Timestamp>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Issued {
    serial: u64,
    expires_at: Timestamp,
    /// When it stops because it was replaced.
    replaced_until: Option<Timestamp>,
}

impl TokenLine {
    fn current(&self) -> Option<&Issued> {
        self.issued.last()
    }

    /// Gives out the next; the one before goes on for five minutes, those before it end at once.
    fn issue(&mut self, now: Timestamp, seconds: i64) -> u64 {
        let serial = self.current().map_or(1, |current| current.serial + 1);
        let until = after(now, OVERLAP_SECONDS);
        let newest = self.issued.len().saturating_sub(1);
        for (index, issued) in self.issued.iter_mut().enumerate() {
            issued.replaced_until = Some(if index == newest { until } else { now });
        }
        let expires_at = after(now, seconds);
        self.issued.push(Issued { serial, expires_at, replaced_until: None });
        if self.issued.len() > REMEMBERED {
            self.issued.remove(0);
        }
        serial
    }
}

fn after(now: Timestamp, seconds: i64) -> Timestamp {
    now.checked_add(SignedDuration::from_secs(seconds)).unwrap_or(now)
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Line {
    Token,
    Stable,
}

impl Line {
    fn name(self) -> &'static str {
        match self {
            Self::Token => "token",
            Self::Stable => "stable_token",
        }
    }

    fn of(self, account: &mut Account) -> &mut TokenLine {
        match self {
            Self::Token => &mut account.token,
            Self::Stable => &mut account.stable,
        }
    }
}

fn text(world: &World, app_id: &str, line: Line, serial: u64) -> String {
    let head = format!("{serial}_");
    let label = format!("access-token/{app_id}/{}/{serial}", line.name());
    let rest = world.derive(&label, TOKEN_LENGTH - head.len());
    head + &rest
}

/// Whose token it is, if it is still good.
pub(super) fn owner(world: &World, token: &str, now: Timestamp) -> Result<String, Refusal> {
    let unknown = || Refusal::of(40001);
    let serial: u64 =
        token.split_once('_').and_then(|(head, _)| head.parse().ok()).ok_or_else(unknown)?;
    for (app_id, account) in &world.accounts {
        for (line, tokens) in [(Line::Token, &account.token), (Line::Stable, &account.stable)] {
            let Some(issued) = tokens.issued.iter().find(|issued| issued.serial == serial) else {
                continue;
            };
            if text(world, app_id, line, serial) != token {
                continue;
            }
            if issued.replaced_until.is_some_and(|until| until <= now) {
                return Err(unknown());
            }
            if issued.expires_at <= now {
                return Err(Refusal::of(42001));
            }
            return Ok(app_id.clone());
        }
    }
    Err(unknown())
}

/// `GET cgi-bin/token`.
pub(super) fn token(call: &mut Call<'_>) -> Answer {
    let field = |name: &str| call.query.get(name).cloned().unwrap_or_default();
    let (grant, app_id, secret) = (field("grant_type"), field("appid"), field("secret"));
    prove(call, &grant, &app_id, &secret)?;
    let now = call.now;
    if !call.account().take("token", Span::Day, 2000, now) {
        return Err(Refusal::of(45009));
    }
    Ok(give(call, Line::Token, false))
}

/// `POST cgi-bin/stable_token`.
pub(super) fn stable_token(call: &mut Call<'_>) -> Answer {
    let body = call.json().clone();
    let field = |name: &str| body[name].as_str().unwrap_or_default().to_owned();
    let (grant, app_id, secret) = (field("grant_type"), field("appid"), field("secret"));
    prove(call, &grant, &app_id, &secret)?;
    let now = call.now;
    let account = call.account();
    if !account.take("stable_token", Span::Minute, 10_000, now) {
        return Err(Refusal::of(45011));
    }
    if !account.take("stable_token", Span::Day, 500_000, now) {
        return Err(Refusal::of(45009));
    }
    if body["force_refresh"].as_bool() == Some(true) {
        return forced(call);
    }
    let seconds = i64::from(call.setting.token_seconds);
    // A line whose tokens live shorter than the platform's is renewed as much earlier.
    let margin = OVERLAP_SECONDS.min(seconds / 2);
    let current = call.account().stable.current().cloned();
    match current {
        Some(issued) if after(now, margin) < issued.expires_at => {
            Ok(told(call, Line::Stable, issued.serial, issued.expires_at))
        }
        _ => Ok(give(call, Line::Stable, false)),
    }
}

fn forced(call: &mut Call<'_>) -> Answer {
    let now = call.now;
    let account = call.account();
    if account.stable.last_forced.is_some_and(|last| now < after(last, 30)) {
        return Err(Refusal::of(45011).saying("force_refresh needs an interval of 30s"));
    }
    if !account.take("force_refresh", Span::Day, 20, now) {
        return Err(Refusal::of(45009).saying("force_refresh"));
    }
    account.stable.last_forced = Some(now);
    Ok(give(call, Line::Stable, true))
}

/// Checks who asks, in the platform's order.
fn prove(call: &mut Call<'_>, grant: &str, app_id: &str, secret: &str) -> Result<(), Refusal> {
    if grant != "client_credential" {
        return Err(Refusal::of(40002));
    }
    if app_id.is_empty() {
        return Err(Refusal::of(41002));
    }
    if !is_app_id(app_id) {
        return Err(Refusal::of(40013));
    }
    if secret.is_empty() {
        return Err(Refusal::of(41004));
    }
    if secret != format!("sandbox-{app_id}") {
        return Err(Refusal::of(40125));
    }
    app_id.clone_into(&mut call.app_id);
    let peer = call.peer;
    let listed = call.account().profile.ip_whitelist.as_ref().is_none_or(|list| {
        list.iter().any(|entry| {
            let range = entry.parse::<ipnet::IpNet>();
            range.map_or(entry.parse::<IpAddr>() == Ok(peer), |range| range.contains(&peer))
        })
    });
    if listed { Ok(()) } else { Err(not_listed(peer)) }
}

/// 40164, with the address where clients look for it.
pub(super) fn not_listed(peer: IpAddr) -> Refusal {
    let mapped = match peer {
        IpAddr::V4(address) => address.to_ipv6_mapped(),
        IpAddr::V6(address) => address,
    };
    Refusal::of(40164).instead(format!("invalid ip {peer} ipv6 {mapped}, not in whitelist"))
}

fn give(call: &mut Call<'_>, line: Line, forced: bool) -> Value {
    let (now, seconds) = (call.now, i64::from(call.setting.token_seconds));
    let serial = line.of(call.account()).issue(now, seconds);
    call.world.ledger.tokens.push(TokenIssue {
        app_id: call.app_id.clone(),
        line: line.name().to_owned(),
        serial,
        at: now,
        forced,
    });
    told(call, line, serial, after(now, seconds))
}

fn told(call: &Call<'_>, line: Line, serial: u64, expires_at: Timestamp) -> Value {
    let left = expires_at.duration_since(call.now).as_secs();
    json!({
        "access_token": text(call.world, &call.app_id, line, serial),
        "expires_in": left,
    })
}
