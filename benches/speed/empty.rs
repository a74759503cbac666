//! A channel that does nothing at all: what is left is the ledger and the worker.

use async_trait::async_trait;
use caishi::{
    deliver::{
        Books, Capability, Channel, Commit, Confirmation, Deduplication, DeliverError, Finding,
        Parcel, Prepared, Probe, RecallAbility, Recalled,
    },
    model::{ChannelId, Receipt},
};
use std::time::Duration;

/// Says yes to everything.
#[derive(Debug)]
pub struct Empty {
    /// The channel in whose place it stands.
    pub id: ChannelId,
    /// Its targets.
    pub targets: Vec<String>,
}

fn receipt(parcel: &Parcel) -> Receipt {
    Receipt {
        remote_ref: parcel.key.short(),
        url: None,
        at: parcel.slot,
        detail: "nothing was done".to_owned(),
    }
}

#[async_trait]
impl Channel for Empty {
    fn id(&self) -> &ChannelId {
        &self.id
    }

    fn capability(&self) -> Capability {
        Capability {
            deduplication: Deduplication::ContentAddress,
            asynchronous_confirmation: false,
            recall: RecallAbility::Full,
            statistics: false,
            max_request_time: Duration::from_mins(1),
        }
    }

    fn targets(&self) -> Vec<String> {
        self.targets.clone()
    }

    fn preflight(&self, _parcel: &Parcel) -> Vec<String> {
        Vec::new()
    }

    async fn quotas(&self, _books: &dyn Books) -> Result<Vec<String>, DeliverError> {
        Ok(Vec::new())
    }

    async fn check(&self, _books: &dyn Books) -> Vec<Finding> {
        Vec::new()
    }

    async fn prepare(&self, parcel: &Parcel, _books: &dyn Books) -> Result<Prepared, DeliverError> {
        Ok(Prepared { reference: parcel.key.short(), notes: Vec::new() })
    }

    async fn commit(
        &self,
        parcel: &Parcel,
        _prepared: &Prepared,
        _books: &dyn Books,
    ) -> Result<Commit, DeliverError> {
        Ok(Commit::Done(receipt(parcel)))
    }

    async fn confirm(
        &self,
        parcel: &Parcel,
        _remote_ref: &str,
        _books: &dyn Books,
    ) -> Result<Confirmation, DeliverError> {
        Ok(Confirmation::Published(receipt(parcel)))
    }

    async fn probe(
        &self,
        parcel: &Parcel,
        _prepared: &Prepared,
        _books: &dyn Books,
    ) -> Result<Probe, DeliverError> {
        Ok(Probe::Published(receipt(parcel)))
    }

    async fn recall(
        &self,
        _parcel: &Parcel,
        receipt: &Receipt,
        _books: &dyn Books,
    ) -> Result<Recalled, DeliverError> {
        Ok(Recalled { complete: true, detail: receipt.detail.clone() })
    }
}
