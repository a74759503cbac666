//! Signing in with the bank's own identity provider: OpenID Connect Core 1.0, authorization code
//! flow with PKCE (RFC 7636), state and nonce.
//!
//! Who somebody may be here still comes from `channels.toml` and the settings: the provider only
//! says who it is. What a flow needs between its two steps travels in a cookie of the same browser.

use super::{
    Desk,
    cookie::{self, Life},
    page::own_path,
    trouble::Trouble,
};
use crate::{
    config::{OidcConfig, Person},
    model::PersonId,
};
use axum::{
    extract::{Query, State},
    http::{HeaderMap, StatusCode, header},
    response::{AppendHeaders, IntoResponse, Redirect, Response},
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use futures_util::{FutureExt as _, future::BoxFuture};
use openidconnect::{
    AsyncHttpClient, AuthenticationFlow, AuthorizationCode, ClientId, ClientSecret, CsrfToken,
    HttpRequest, HttpResponse, IssuerUrl, Nonce, PkceCodeChallenge, PkceCodeVerifier, RedirectUrl,
    Scope, TokenResponse as _,
    core::{CoreClient, CoreIdTokenClaims, CoreProviderMetadata, CoreResponseType},
};
use secrecy::ExposeSecret as _;
use serde::{Deserialize, Serialize};
use std::time::Duration;
use subtle::ConstantTimeEq as _;

/// Between the button and the way back.
const PATIENCE_SECONDS: u32 = 600;

/// An answer of the provider, at most.
const LONGEST_ANSWER: usize = 1024 * 1024;

const COOKIE: &str = "caishi-oidc";

/// The client's type names every endpoint; only its use matters here.
macro_rules! client {
    ($provider:expr) => {
        CoreClient::from_provider_metadata(
            $provider.metadata.clone(),
            ClientId::new($provider.config.client_id.clone()),
            Some($provider.secret.clone()),
        )
        .set_redirect_uri($provider.redirect.clone())
    };
}
/// What the browser keeps between the two steps. It is the browser's own: changing it only spoils
/// its own sign-in.
#[derive(Debug, Serialize, Deserialize)]
struct Flow {
    state: String,
    nonce: String,
    verifier: String,
    back: String,
}

#[derive(Debug, Default, Deserialize)]
pub(super) struct Asked {
    back: Option<String>,
}

pub(super) async fn start(
    State(desk): State<Desk>,
    Query(asked): Query<Asked>,
) -> Result<Response, Trouble> {
    let provider = Provider::of(&desk).await?;
    let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
    let client = client!(provider);
    let (address, state, nonce) = client
        .authorize_url(
            AuthenticationFlow::<CoreResponseType>::AuthorizationCode,
            CsrfToken::new_random,
            Nonce::new_random,
        )
        .add_scope(Scope::new("profile".to_owned()))
        .set_pkce_challenge(challenge)
        .url();
    let flow = Flow {
        state: state.secret().clone(),
        nonce: nonce.secret().clone(),
        verifier: verifier.secret().clone(),
        back: own_path(asked.back.as_deref()).to_owned(),
    };
    let text = URL_SAFE_NO_PAD.encode(serde_json::to_vec(&flow).unwrap_or_default());
    let life = Life::Seconds(PATIENCE_SECONDS);
    let cookie = cookie::write(COOKIE, &text, life, desk.secure());
    let cookies = cookie.map(|cookie| [(header::SET_COOKIE, cookie)]);
    Ok((cookies, Redirect::to(address.as_str())).into_response())
}

/// What the provider sends the browser back with.
#[derive(Debug, Deserialize)]
pub(super) struct Answered {
    code: Option<String>,
    state: Option<String>,
    error: Option<String>,
}

pub(super) async fn callback(
    State(desk): State<Desk>,
    headers: HeaderMap,
    Query(answered): Query<Answered>,
) -> Result<Response, Trouble> {
    let flow = flow(&headers).ok_or_else(|| refused("登录中断了：浏览器里没有这次登录的记录"))?;
    let state = answered.state.as_deref().unwrap_or_default();
    if !bool::from(state.as_bytes().ct_eq(flow.state.as_bytes())) {
        return Err(refused("这个回应不是这次登录的"));
    }
    let Some(code) = answered.code else {
        let why: String = answered
            .error
            .unwrap_or_default()
            .chars()
            .filter(char::is_ascii_graphic)
            .take(60)
            .collect();
        return Err(refused(&format!("认证服务没有让登录：{why}")));
    };
    let person = proven(&desk, &flow, code).await?;
    let session = desk.sign_in(&headers, &person, "oidc").await?;
    let gone = cookie::write(COOKIE, "", Life::Seconds(0), desk.secure());
    let gone = gone.map(|cookie| (header::SET_COOKIE, cookie));
    let cookies = [Some((header::SET_COOKIE, session)), gone];
    let cookies = AppendHeaders(cookies.into_iter().flatten());
    Ok((cookies, Redirect::to(own_path(Some(&flow.back)))).into_response())
}

fn flow(headers: &HeaderMap) -> Option<Flow> {
    let text = cookie::read(headers, COOKIE)?;
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(text).ok()?).ok()
}

/// The person whom the provider vouches for.
async fn proven(desk: &Desk, flow: &Flow, code: String) -> Result<Person, Trouble> {
    let provider = Provider::of(desk).await?;
    let client = client!(provider);
    let request = client
        .exchange_code(AuthorizationCode::new(code))
        .map_err(|error| broken(&error.to_string()))?
        .set_pkce_verifier(PkceCodeVerifier::new(flow.verifier.clone()));
    let tokens =
        request.request_async(&provider.http).await.map_err(|error| broken(&error.to_string()))?;
    let token = tokens.id_token().ok_or_else(|| broken("没有 id_token"))?;
    let nonce = Nonce::new(flow.nonce.clone());
    let claims = token
        .claims(&client.id_token_verifier(), &nonce)
        .map_err(|error| broken(&error.to_string()))?;
    let id = claimed(claims, &provider.config.claim).ok_or_else(|| {
        refused("认证服务没有说出能对上人的代号；请运维岗核对 [console.oidc] claim")
    })?;
    let unknown = || refused(&format!("“{id}”还不是这里的人；请管理员先加上"));
    let id = PersonId::new(&id).map_err(|_| unknown())?;
    let person = desk.publisher().person(&id).await?.ok_or_else(unknown)?;
    let account = desk.publisher().store.account(&id).await?;
    if account.is_some_and(|account| !account.active) {
        return Err(refused("账号停用了；请找管理员"));
    }
    Ok(person)
}

/// The claim that names the person here.
fn claimed(claims: &CoreIdTokenClaims, claim: &str) -> Option<String> {
    match claim {
        "sub" => Some(claims.subject().as_str().to_owned()),
        "preferred_username" => claims.preferred_username().map(|name| name.as_str().to_owned()),
        _ => None,
    }
}

fn refused(what: &str) -> Trouble {
    Trouble::new(StatusCode::FORBIDDEN, what, "从登录页再试一次")
}

fn broken(why: &str) -> Trouble {
    tracing::error!("统一认证没有走完：{why}");
    let what = format!("认证服务没有走完：{why}");
    Trouble::new(StatusCode::BAD_GATEWAY, what, "再试一次；还不行请找运维岗，或用代号和口令登录")
}

/// The provider, asked for its addresses and keys at every sign-in: keys may have changed.
struct Provider<'a> {
    config: &'a OidcConfig,
    metadata: CoreProviderMetadata,
    http: Http,
    secret: ClientSecret,
    redirect: RedirectUrl,
}

impl<'a> Provider<'a> {
    async fn of(desk: &'a Desk) -> Result<Self, Trouble> {
        let config = &desk.publisher().config;
        let own = config.console.oidc.as_ref();
        let own = own.ok_or_else(|| Trouble::missing("没有接统一认证；见 [console.oidc]"))?;
        let secret = own.client_secret.resolve(&config.folder);
        let secret = secret.map_err(|error| broken(&error.to_string()))?;
        let http = reqwest::Client::builder()
            .timeout(Duration::from_secs(10))
            // A provider that redirects these calls could lead them anywhere (SSRF).
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .map_err(|error| broken(&error.to_string()))?;
        let base = config.console.url.clone();
        let base = base.unwrap_or_else(|| format!("http://{}", config.server.listen));
        let redirect = RedirectUrl::new(format!("{base}/console/oidc/callback"));
        let redirect = redirect.map_err(|error| broken(&error.to_string()))?;
        let issuer = IssuerUrl::new(own.issuer.clone());
        let issuer = issuer.map_err(|error| broken(&error.to_string()))?;
        let http = Http(http);
        let metadata = CoreProviderMetadata::discover_async(issuer, &http).await;
        let metadata = metadata.map_err(|error| broken(&error.to_string()))?;
        let secret = ClientSecret::new(secret.expose_secret().to_owned());
        Ok(Self { config: own, metadata, http, secret, redirect })
    }
}

/// The way to the provider.
struct Http(reqwest::Client);

impl<'c> AsyncHttpClient<'c> for Http {
    type Error = SendError;
    type Future = BoxFuture<'c, Result<HttpResponse, SendError>>;

    fn call(&'c self, request: HttpRequest) -> Self::Future {
        send(&self.0, request).boxed()
    }
}

/// Why the provider gave no answer.
#[derive(Debug, thiserror::Error)]
enum SendError {
    #[error("连不上认证服务：{0}")]
    Http(#[from] reqwest::Error),
    #[error("认证服务的回答超过 {} KB", LONGEST_ANSWER / 1024)]
    Long,
    #[error("认证服务的回答读不懂：{0}")]
    Garbled(#[from] axum::http::Error),
}

async fn send(http: &reqwest::Client, request: HttpRequest) -> Result<HttpResponse, SendError> {
    let (parts, body) = request.into_parts();
    let mut answer = http
        .request(parts.method, parts.uri.to_string())
        .headers(parts.headers)
        .body(body)
        .send()
        .await?;
    let mut response = axum::http::Response::builder().status(answer.status());
    if let Some(headers) = response.headers_mut() {
        headers.clone_from(answer.headers());
    }
    let mut bytes = Vec::new();
    while let Some(part) = answer.chunk().await? {
        bytes.extend_from_slice(&part);
        if bytes.len() > LONGEST_ANSWER {
            return Err(SendError::Long);
        }
    }
    Ok(response.body(bytes)?)
}
