//! Answers that come in pieces, and how long to wait for the next piece.

use super::{http::Patience, office::Nudges};
use crate::packs::SourceError;
use bytes::Bytes;
use futures_util::{
    StreamExt as _,
    stream::{self, BoxStream},
};
use reqwest::Response;
use std::time::Duration;
use tokio::time::Instant;

/// How often a line without events must show that it stands: the head office's beat is 25 s.
const SILENCE: Duration = Duration::from_secs(90);

/// The lines `event: changed` of a stream. Whatever else stands in it only shows that the line
/// stands; a line that is too long is no event.
pub(super) fn nudges(response: Response) -> Nudges {
    let start = (response, String::new());
    let events = stream::unfold(Some(start), |state| async move {
        let (mut response, mut text) = state?;
        loop {
            while let Some(end) = text.find('\n') {
                let line: String = text.drain(..=end).collect();
                if line.trim_end() == "event: changed" {
                    return Some((Ok(()), Some((response, text))));
                }
            }
            if text.len() > 4096 {
                text.clear();
            }
            let failed = match tokio::time::timeout(SILENCE, response.chunk()).await {
                Ok(Ok(Some(bytes))) => {
                    text += &String::from_utf8_lossy(&bytes);
                    continue;
                }
                Ok(Ok(None)) => SourceError::Broken("总行关了通知连接".to_owned()),
                Ok(Err(error)) => broken(error),
                Err(_) => SourceError::Broken("通知连接没有声音".to_owned()),
            };
            return Some((Err(failed), None));
        }
    });
    events.boxed()
}

/// The bytes of an answer, for as long as they come fast enough.
pub(super) fn paced(
    response: Response,
    patience: Patience,
) -> BoxStream<'static, Result<Bytes, SourceError>> {
    let start = (response, Duration::ZERO, 0_u64);
    stream::unfold(Some(start), move |state| async move {
        let (mut response, waited, bytes) = state?;
        let earned = bytes.saturating_mul(1000) / patience.least_bytes_per_s.max(1);
        let left = (patience.grace + Duration::from_millis(earned)).saturating_sub(waited);
        let began = Instant::now();
        match tokio::time::timeout(left, response.chunk()).await {
            Err(_) => Some((Err(SourceError::Broken("来得太慢，断开了".to_owned())), None)),
            Ok(Err(error)) => Some((Err(broken(error)), None)),
            Ok(Ok(None)) => None,
            Ok(Ok(Some(part))) => {
                let state = (response, waited + began.elapsed(), bytes + part.len() as u64);
                Some((Ok(part), Some(state)))
            }
        }
    })
    .boxed()
}

/// What broke, in a few words; never the address, which may carry a token.
pub(super) fn broken(error: reqwest::Error) -> SourceError {
    let error = error.without_url();
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(&error);
    while let Some(inner) = cause {
        text = inner.to_string();
        cause = inner.source();
    }
    SourceError::Broken(text)
}
