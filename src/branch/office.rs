//! The head office as a branch sees it.

use crate::{
    model::BranchId,
    packs::{FolderSource, Source, SourceError, wire::ReportAnswer},
};
use async_trait::async_trait;
use futures_util::{
    StreamExt as _,
    stream::{self, BoxStream},
};

/// One item for each time that the head office says something was published. They carry nothing
/// and need no trust: whoever hears one asks.
pub type Nudges = BoxStream<'static, Result<(), SourceError>>;

/// What a branch asks of its head office besides the repository's files.
#[async_trait]
pub trait Office: Source {
    /// Hands in a signed report.
    async fn report(
        &self,
        branch: &BranchId,
        signature: &str,
        body: Vec<u8>,
    ) -> Result<ReportAnswer, SourceError>;

    /// Listens. The stream ends with an error when the line is cut.
    async fn events(&self, branch: &BranchId) -> Result<Nudges, SourceError>;
}

/// A folder has nobody in it: nothing can be told, and there is only polling.
#[async_trait]
impl Office for FolderSource {
    async fn report(
        &self,
        _branch: &BranchId,
        _signature: &str,
        _body: Vec<u8>,
    ) -> Result<ReportAnswer, SourceError> {
        Err(SourceError::Refused("文件夹收不了报告；要报告请把 server 写成总行地址".to_owned()))
    }

    async fn events(&self, _branch: &BranchId) -> Result<Nudges, SourceError> {
        Ok(stream::pending().boxed())
    }
}
