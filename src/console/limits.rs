//! How often one address may ask: much for pages, little for passwords.

use crate::web::Peer;
use axum::{
    extract::ConnectInfo,
    http::{HeaderMap, request::Parts},
};
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter, clock::Clock as _};
use ipnet::IpNet;
use std::{net::IpAddr, num::NonZeroU32, sync::Arc};

/// Requests a second, and how many at once: a branch behind one address opens many pages.
const PAGES: (u32, u32) = (100, 600);

/// Passwords a minute, and how many at once.
const PASSWORDS: (u32, u32) = (20, 20);

/// So many addresses are remembered before those that were quiet are forgotten.
const REMEMBERED: usize = 10_000;

/// The limiters, by address.
#[derive(Debug, Clone)]
pub(super) struct Limits {
    pages: Arc<DefaultKeyedRateLimiter<IpAddr>>,
    passwords: Arc<DefaultKeyedRateLimiter<IpAddr>>,
    proxies: Arc<[IpNet]>,
}

impl Limits {
    pub(super) fn new(proxies: Vec<IpNet>) -> Self {
        let number = |count| NonZeroU32::new(count).unwrap_or(NonZeroU32::MIN);
        let pages = Quota::per_second(number(PAGES.0)).allow_burst(number(PAGES.1));
        let passwords = Quota::per_minute(number(PASSWORDS.0)).allow_burst(number(PASSWORDS.1));
        Self {
            pages: Arc::new(RateLimiter::keyed(pages)),
            passwords: Arc::new(RateLimiter::keyed(passwords)),
            proxies: proxies.into(),
        }
    }

    /// Lets a request in, or says in how many seconds to come again.
    pub(super) fn admit(&self, parts: &Parts, is_sign_in: bool) -> Result<(), u64> {
        let address = address(parts, &self.proxies);
        let limiter = if is_sign_in { &self.passwords } else { &self.pages };
        if limiter.len() > REMEMBERED {
            limiter.retain_recent();
        }
        limiter.check_key(&address).map_err(|until| {
            let wait = until.wait_time_from(governor::clock::DefaultClock::default().now());
            wait.as_secs() + 1
        })
    }
}

/// Whose request it is. A proxy of ours says whose it hands on; nobody else is believed.
fn address(parts: &Parts, proxies: &[IpNet]) -> IpAddr {
    let peer = parts.extensions.get::<ConnectInfo<Peer>>().map(|info| info.0.0.ip());
    let peer = peer.unwrap_or(IpAddr::from([127, 0, 0, 1]));
    let is_proxy = peer.is_loopback() || proxies.iter().any(|proxy| proxy.contains(&peer));
    if is_proxy { forwarded(&parts.headers).unwrap_or(peer) } else { peer }
}

fn forwarded(headers: &HeaderMap) -> Option<IpAddr> {
    // A proxy may add a line of its own behind what the client sent: the last one is the proxy's.
    let value = headers.get_all("x-forwarded-for").iter().next_back()?.to_str().ok()?;
    value.rsplit(',').next()?.trim().parse().ok()
}
