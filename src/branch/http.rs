//! The head office over HTTP: its repository, its nudges and where reports go.
//!
//! What answers may be anybody. So: nothing is followed to another host, nothing is unpacked, no
//! more is read than may come, and who sends too slowly is hung up on. Time that the branch itself
//! lets pass, because it fetches at a low rate, does not count as the sender's.

use super::{
    error::BranchError,
    office::{Nudges, Office},
    stream::{broken, nudges, paced},
    tls,
};
use crate::{
    model::{BranchId, Digest},
    packs::{
        Body, Polled, Source, SourceError,
        wire::{BRANCH_HEADER, EnrolAnswer, EnrolRequest, ReportAnswer, SIGNATURE_HEADER},
    },
};
use async_trait::async_trait;
use futures_util::{StreamExt as _, stream};
use reqwest::{
    Response, StatusCode,
    header::{self, HeaderMap},
};
use std::{
    collections::HashMap,
    path::Path,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use url::Url;

/// The largest answer to a report or an enrolment.
const ANSWER_LIMIT: u64 = 512 << 10;

/// How long a sender may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Patience {
    /// To connect, and again to begin its answer.
    pub answer: Duration,
    /// In all, before the least rate counts.
    pub grace: Duration,
    /// The least rate, in bytes a second of waiting.
    pub least_bytes_per_s: u64,
    /// The longest that a small file may take, whatever its rate.
    pub small: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            answer: Duration::from_secs(30),
            grace: Duration::from_secs(20),
            least_bytes_per_s: 1000,
            small: Duration::from_mins(3),
        }
    }
}

/// The head office's address.
#[derive(Debug, Clone)]
pub struct HttpOffice {
    client: reqwest::Client,
    /// Where enrolment, events and reports are: `…/packs/`.
    base: Url,
    /// Where the repository is; the same, or a mirror.
    repository: Url,
    patience: Patience,
    /// The tags of targets that were asked for, for `If-Range`.
    tags: Arc<Mutex<HashMap<String, String>>>,
}

impl HttpOffice {
    /// The head office at `server`; `mirror` is where the repository's files are, if elsewhere.
    /// `authority` is a file with further certificates that TLS trusts.
    ///
    /// # Errors
    /// [`BranchError::File`] where the certificates cannot be read; [`BranchError::Enrol`] where no
    /// client can be made.
    pub fn new(
        server: &Url,
        mirror: Option<&Url>,
        authority: Option<&Path>,
        patience: Patience,
    ) -> Result<Self, BranchError> {
        let mut builder = reqwest::Client::builder()
            .tls_backend_preconfigured(tls::trust(authority)?)
            .redirect(reqwest::redirect::Policy::custom(|attempt| {
                let first = attempt.previous().first();
                let same = first.is_some_and(|first| first.origin() == attempt.url().origin());
                if same && attempt.previous().len() <= 3 {
                    attempt.follow()
                } else {
                    attempt.stop()
                }
            }))
            .connect_timeout(patience.answer)
            .pool_idle_timeout(Duration::from_mins(1));
        if server.host_str().is_some_and(|host| host == "127.0.0.1" || host == "localhost") {
            builder = builder.no_proxy();
        }
        let client = builder.build().map_err(|error| {
            BranchError::Enrol(format!("建不了到总行的连接：{}", error.without_url()))
        })?;
        let base = below(server, "packs");
        let repository = mirror.map_or_else(|| base.clone(), |mirror| folder(mirror.clone()));
        Ok(Self { client, base, repository, patience, tags: Arc::default() })
    }

    /// Asks to become a branch's machine.
    ///
    /// # Errors
    /// [`BranchError::Enrol`] with what the head office said.
    pub async fn enrol(&self, request: &EnrolRequest) -> Result<EnrolAnswer, BranchError> {
        let sent = self.client.post(url(&self.base, &["enrol"])).json(request);
        let (status, body) = self.whole(sent, ANSWER_LIMIT).await?;
        if !status.is_success() {
            return Err(BranchError::Enrol(said(status, &body)));
        }
        serde_json::from_slice(&body)
            .map_err(|error| BranchError::Enrol(format!("总行的回答读不懂：{error}")))
    }

    async fn send(&self, request: reqwest::RequestBuilder) -> Result<Response, SourceError> {
        let request = request.header(header::ACCEPT_ENCODING, "identity");
        match tokio::time::timeout(self.patience.answer, request.send()).await {
            Err(_) => Err(SourceError::Broken("没有回应".to_owned())),
            Ok(Err(error)) => Err(broken(error)),
            Ok(Ok(response)) => Ok(response),
        }
    }

    /// Sends a request and reads its answer whole.
    async fn whole(
        &self,
        request: reqwest::RequestBuilder,
        limit: u64,
    ) -> Result<(StatusCode, Vec<u8>), SourceError> {
        let response = self.send(request).await?;
        let status = response.status();
        Ok((status, self.read(response, "回答", limit).await?))
    }

    async fn read(
        &self,
        response: Response,
        name: &str,
        limit: u64,
    ) -> Result<Vec<u8>, SourceError> {
        let too_long = || SourceError::TooLong { name: name.to_owned(), limit };
        if response.content_length().is_some_and(|length| length > limit) {
            return Err(too_long());
        }
        let mut stream = paced(response, self.patience);
        let read = async {
            let mut bytes = Vec::new();
            while let Some(part) = stream.next().await {
                bytes.extend_from_slice(&part?);
                if bytes.len() as u64 > limit {
                    return Err(too_long());
                }
            }
            Ok(bytes)
        };
        let slow = || SourceError::Broken(format!("{name} 来得太慢"));
        tokio::time::timeout(self.patience.small, read).await.unwrap_or_else(|_| Err(slow()))
    }

    fn tag(&self, file: &str) -> Option<String> {
        self.tags.lock().unwrap_or_else(PoisonError::into_inner).get(file).cloned()
    }

    fn keep_tag(&self, file: &str, headers: &HeaderMap) {
        // A weak tag may not stand in `If-Range` (RFC 9110 §13.1.5).
        let Some(tag) = etag(headers).filter(|tag| !tag.starts_with("W/")) else { return };
        let mut tags = self.tags.lock().unwrap_or_else(PoisonError::into_inner);
        if tags.len() > 1000 {
            tags.clear();
        }
        tags.insert(file.to_owned(), tag);
    }
}

#[async_trait]
impl Source for HttpOffice {
    async fn metadata(&self, name: &str, limit: u64) -> Result<Option<Vec<u8>>, SourceError> {
        let request = self.client.get(url(&self.repository, &["metadata", name]));
        let response = self.send(request).await?;
        match response.status() {
            // S3 says 403 of a file that is not there to whoever may not list.
            StatusCode::NOT_FOUND | StatusCode::FORBIDDEN => Ok(None),
            StatusCode::OK => self.read(response, name, limit).await.map(Some),
            _ => Err(refused(name, &response)),
        }
    }

    async fn poll(&self, tag: Option<&str>) -> Result<Polled, SourceError> {
        let name = "timestamp.json";
        let mut request = self.client.get(url(&self.repository, &["metadata", name]));
        if let Some(tag) = tag.filter(|tag| tag.contains('"')) {
            request = request.header(header::IF_NONE_MATCH, tag);
        }
        let response = self.send(request).await?;
        match response.status() {
            StatusCode::NOT_MODIFIED => Ok(Polled::Unchanged),
            StatusCode::OK => {
                let etag = etag(response.headers());
                let bytes = self.read(response, name, 64 << 10).await?;
                let found = etag.unwrap_or_else(|| Digest::of(&bytes).to_string());
                Ok(if tag == Some(&found) {
                    Polled::Unchanged
                } else {
                    Polled::Changed { tag: Some(found) }
                })
            }
            StatusCode::NOT_FOUND => Err(SourceError::Missing(name.to_owned())),
            _ => Err(refused(name, &response)),
        }
    }

    async fn target(&self, file: &str, offset: u64) -> Result<Body, SourceError> {
        let mut request = self.client.get(url(&self.repository, &["targets", file]));
        if offset > 0 {
            request = request.header(header::RANGE, format!("bytes={offset}-"));
            if let Some(tag) = self.tag(file) {
                request = request.header(header::IF_RANGE, tag);
            }
        }
        let response = self.send(request).await?;
        self.keep_tag(file, response.headers());
        let start = match response.status() {
            StatusCode::OK => 0,
            StatusCode::PARTIAL_CONTENT => range_start(response.headers())
                .filter(|start| *start == offset)
                .ok_or_else(|| SourceError::Refused(format!("{file} 的 Content-Range 不对")))?,
            StatusCode::NOT_FOUND => return Err(SourceError::Missing(file.to_owned())),
            _ => return Err(refused(file, &response)),
        };
        Ok(Body { start, stream: paced(response, self.patience) })
    }
}

#[async_trait]
impl Office for HttpOffice {
    async fn report(
        &self,
        branch: &BranchId,
        signature: &str,
        body: Vec<u8>,
    ) -> Result<ReportAnswer, SourceError> {
        let request = self
            .client
            .post(url(&self.base, &["report"]))
            .header(BRANCH_HEADER, branch.as_str())
            .header(SIGNATURE_HEADER, signature)
            .header(header::CONTENT_TYPE, "application/json")
            .body(body);
        let response = self.send(request).await?;
        let status = response.status();
        if let Some(busy) = busy(&response) {
            return Err(busy);
        }
        let body = self.read(response, "report", ANSWER_LIMIT).await?;
        if !status.is_success() {
            return Err(SourceError::Refused(said(status, &body)));
        }
        serde_json::from_slice(&body)
            .map_err(|error| SourceError::Refused(format!("报告的回执读不懂：{error}")))
    }

    async fn events(&self, branch: &BranchId) -> Result<Nudges, SourceError> {
        let mut url = url(&self.base, &["events"]);
        url.query_pairs_mut().append_pair("branch", branch.as_str());
        let request = self.client.get(url).header(header::ACCEPT, "text/event-stream");
        let response = self.send(request).await?;
        match response.status() {
            StatusCode::OK => Ok(nudges(response)),
            // A mirror of plain files has no events; then there is only polling.
            StatusCode::NOT_FOUND => Ok(stream::pending().boxed()),
            _ => Err(refused("events", &response)),
        }
    }
}

fn etag(headers: &HeaderMap) -> Option<String> {
    headers.get(header::ETAG)?.to_str().ok().map(str::to_owned)
}

fn range_start(headers: &HeaderMap) -> Option<u64> {
    let range = headers.get(header::CONTENT_RANGE)?.to_str().ok()?;
    range.strip_prefix("bytes ")?.split_once('-')?.0.parse().ok()
}

fn busy(response: &Response) -> Option<SourceError> {
    let status = response.status();
    let is_busy =
        status == StatusCode::TOO_MANY_REQUESTS || status == StatusCode::SERVICE_UNAVAILABLE;
    let text = response.headers().get(header::RETRY_AFTER).and_then(|value| value.to_str().ok());
    let seconds = text.and_then(|text| text.trim().parse().ok()).unwrap_or(60);
    is_busy.then(|| SourceError::Busy(Duration::from_secs(seconds)))
}

fn refused(name: &str, response: &Response) -> SourceError {
    let status = response.status();
    busy(response).unwrap_or_else(|| match status {
        status if status.is_server_error() => SourceError::Broken(format!("{name}：HTTP {status}")),
        status if status.is_redirection() => SourceError::Refused(format!(
            "{name} 被转到别处（HTTP {status}）；网点不跟去别的主机，请检查代理和总行地址"
        )),
        status => SourceError::Refused(format!("{name}：HTTP {status}")),
    })
}

/// What the head office says is wrong, shortened: it comes from outside.
fn said(status: StatusCode, body: &[u8]) -> String {
    let json: Option<serde_json::Value> = serde_json::from_slice(body).ok();
    let error = json.as_ref().and_then(|json| json.get("error")).and_then(|error| error.as_str());
    error.map_or_else(
        || format!("总行答 HTTP {status}"),
        |error| error.chars().filter(|c| !c.is_control()).take(200).collect(),
    )
}

/// A file below `base`.
fn url(base: &Url, parts: &[&str]) -> Url {
    let mut url = base.clone();
    if let Ok(mut segments) = url.path_segments_mut() {
        // Percent-encodes what would be a separator: a name cannot leave its folder.
        segments.pop_if_empty().extend(parts);
    }
    url
}

/// `url` as a folder.
fn folder(mut url: Url) -> Url {
    if !url.path().ends_with('/') {
        url.set_path(&format!("{}/", url.path()));
    }
    url
}

fn below(url: &Url, name: &str) -> Url {
    let mut url = folder(url.clone());
    if !url.path().trim_end_matches('/').ends_with(&format!("/{name}")) {
        url.set_path(&format!("{}{name}/", url.path()));
    }
    url
}
