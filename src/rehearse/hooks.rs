//! Where the stand-in's callbacks go: `/hooks/<channel>` of this process.

use crate::{
    config::ChannelEntry,
    deliver::wechat::sandbox_credentials,
    model::ChannelId,
    sandbox::{self, MessageMode, Registration},
    work::Publisher,
};
use secrecy::ExposeSecret as _;
use std::{
    collections::BTreeMap,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    time::Duration,
};
use tokio_util::sync::CancellationToken;
use url::Url;

/// How long to wait for a stand-in that does not answer yet.
const TRY_AGAIN: Duration = Duration::from_secs(5);
/// How often it is told again: it forgets where it is started anew.
const TELL_AGAIN: Duration = Duration::from_mins(1);

/// Where the callbacks of each account go that `wanted` picks and that talks back, by account:
/// to the listener at `address`, over loopback.
///
/// # Errors
/// The address is none.
pub fn registrations(
    publisher: &Publisher,
    address: SocketAddr,
    wanted: impl Fn(&ChannelEntry) -> bool,
) -> Result<BTreeMap<ChannelId, Registration>, url::ParseError> {
    let mut accounts = BTreeMap::new();
    for entry in publisher.config.channels.iter().filter(|entry| wanted(entry)) {
        let Some(channel) = publisher.channels.get(&entry.id) else { continue };
        let account = channel.account();
        if channel.receiver().is_none() || accounts.contains_key(&account) {
            continue;
        }
        let credentials = sandbox_credentials(account.as_str());
        let registration = Registration {
            url: Url::parse(&format!("http://{}/hooks/{}", near(address), entry.id))?,
            token: credentials.callback_token.expose_secret().to_owned(),
            aes_key: credentials.encoding_aes_key.expose_secret().to_owned(),
            mode: MessageMode::Secure,
        };
        accounts.insert(account, registration);
    }
    Ok(accounts)
}

/// Who listens everywhere listens on loopback too.
fn near(address: SocketAddr) -> SocketAddr {
    if address.ip().is_unspecified() {
        SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), address.port())
    } else {
        address
    }
}

/// Tells the stand-in at `stand_in` where the callbacks of every channel with `sandbox = true` go,
/// until `stop`: again and again, because it may be started after us or anew. Does nothing where
/// no such channel talks back.
pub async fn keep_registered(
    publisher: Publisher,
    stand_in: Url,
    address: SocketAddr,
    stop: CancellationToken,
) {
    let accounts = match registrations(&publisher, address, |entry| entry.sandbox) {
        Ok(accounts) if accounts.is_empty() => return,
        Ok(accounts) => accounts,
        Err(error) => return tracing::error!("回调地址 {address} 写不成网址：{error}"),
    };
    let mut told = true;
    while !stop.is_cancelled() {
        let mut fault = None;
        for (account, registration) in &accounts {
            if let Err(error) = sandbox::register(&stand_in, account.as_str(), registration).await {
                fault = Some(error);
            }
        }
        let pause = match fault {
            None => {
                told = false;
                TELL_AGAIN
            }
            Some(error) => {
                // Once is enough: results are polled for meanwhile.
                if std::mem::take(&mut told) {
                    tracing::warn!(
                        "{error}。sandbox = true 的渠道收不到回调，改为定时查询；\
                         请另开一个窗口运行 caishi sandbox，起来后会自动登记"
                    );
                }
                TRY_AGAIN
            }
        };
        tokio::select! {
            () = stop.cancelled() => {}
            () = tokio::time::sleep(pause) => {}
        }
    }
}
