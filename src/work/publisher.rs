//! The configuration, the ledger and the channels, opened together.

use super::{WorkError, live::LiveCache};
use crate::{
    config::{ChannelEntry, Config},
    deliver::{self, BuildContext, Channel},
    model::ChannelId,
    store::Store,
};
use std::{collections::BTreeMap, path::PathBuf, sync::Arc};

/// Everything that publishing needs, opened.
#[derive(Debug, Clone)]
pub struct Publisher {
    /// The checked configuration.
    pub config: Arc<Config>,
    /// The ledger.
    pub store: Store,
    /// The channels that could be built.
    pub channels: BTreeMap<ChannelId, Arc<dyn Channel>>,
    /// Why the others could not be built.
    pub channel_faults: BTreeMap<ChannelId, Vec<String>>,
    /// Where outputs are rendered before they are frozen.
    pub render_folder: PathBuf,
    /// What is live, as last read.
    pub(super) live: Arc<LiveCache>,
}

impl Publisher {
    /// Opens the ledger and builds every channel. A channel that cannot be built keeps the others
    /// from nothing: its faults are kept, and said where it is used.
    ///
    /// # Errors
    /// [`WorkError::Store`] where the ledger cannot be opened.
    pub async fn open(
        config: Arc<Config>,
        context: &BuildContext,
        render_folder: PathBuf,
    ) -> Result<Self, WorkError> {
        let store = Store::open(&config.storage, &config.folder).await?;
        let mut channels = BTreeMap::new();
        let mut channel_faults = BTreeMap::new();
        for entry in &config.channels {
            match deliver::build(entry, context) {
                Ok(channel) => {
                    channels.insert(entry.id.clone(), channel);
                }
                Err(faults) => {
                    channel_faults.insert(entry.id.clone(), faults);
                }
            }
        }
        Ok(Self { config, store, channels, channel_faults, render_folder, live: Arc::default() })
    }

    /// The table of a channel.
    ///
    /// # Errors
    /// [`WorkError::Unknown`] lists the channels there are.
    pub fn entry(&self, id: &ChannelId) -> Result<&ChannelEntry, WorkError> {
        self.config.channels.iter().find(|entry| entry.id == *id).ok_or_else(|| {
            let known: Vec<&str> =
                self.config.channels.iter().map(|entry| entry.id.as_str()).collect();
            WorkError::Unknown(format!(
                "channels.toml 里没有渠道“{id}”，现有：{}",
                known.join("、")
            ))
        })
    }

    /// A channel that works.
    ///
    /// # Errors
    /// [`WorkError::Faults`] with everything that is wrong with its table,
    /// [`WorkError::Unknown`] where there is no such channel.
    pub fn channel(&self, id: &ChannelId) -> Result<&Arc<dyn Channel>, WorkError> {
        self.entry(id)?;
        self.channels.get(id).ok_or_else(|| {
            WorkError::Faults(self.channel_faults.get(id).cloned().unwrap_or_default())
        })
    }
}
