//! Which addresses may be reached, and the HTTP client that holds to it.
//!
//! A webhook's address comes from a configuration that many people edit: without a guard it could
//! be pointed at the machine's own services or at a cloud's metadata address (SSRF, OWASP A10).
//!
//! 1. [`Egress::check`] judges an address before each request: scheme, and hosts written as
//!    numbers, which never reach a resolver.
//! 2. The resolver of [`client`] leaves out forbidden addresses, so that the address that was
//!    judged is the one that is connected to: a name cannot be turned round in between.
//! 3. Redirects are not followed and the system's proxies are not used.
//!
//! Behind a configured proxy it is the proxy that resolves names; what it may reach is its rule.

use ipnet::IpNet;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use rustls::{ClientConfig, RootCertStore, crypto::CryptoProvider};
use std::{
    error::Error,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    sync::{Arc, LazyLock},
    time::Duration,
};
use url::{Host, Url};

/// The longest that a connection may take to come about.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// Which addresses may be reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Egress {
    /// The machine itself and nothing else: rehearsals.
    LoopbackOnly,
    /// The public Internet, and the private ranges listed.
    Public {
        /// Private ranges that may be reached all the same.
        allowed: Vec<IpNet>,
    },
}

/// Why an address may not be reached.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EgressError {
    /// The scheme is neither `https` nor, where that is permitted, `http`.
    #[error(
        "网址 {url} 必须以 https:// 开头；内网确实只有 http 的，请在这条渠道里写 allow_http = true"
    )]
    Scheme {
        /// The address, without user, password and query.
        url: String,
    },
    /// The address has no host.
    #[error("网址 {url} 里没有主机名")]
    Host {
        /// The address, without user, password and query.
        url: String,
    },
    /// The address lies in a range that may not be reached.
    #[error(
        "{host} 是内网或保留地址 {address}，默认不许访问；确实要发到那里，请在这条渠道里写 allow = [\"{network}\"]"
    )]
    Private {
        /// The host as written.
        host: String,
        /// The address.
        address: IpAddr,
        /// The network that would have to be allowed.
        network: IpNet,
    },
    /// Only the machine itself may be reached.
    #[error(
        "演练时只连本机，不会访问 {host}（{address}）；请让渠道使用 sandbox，或去掉 --rehearse"
    )]
    Rehearsal {
        /// The host as written.
        host: String,
        /// The address.
        address: IpAddr,
    },
    /// The name has no address.
    #[error("找不到主机 {host}；请检查网址和本机的 DNS 设置")]
    Resolve {
        /// The name.
        host: String,
    },
    /// The proxy or the client itself cannot be set up.
    #[error("建不起 HTTP 客户端：{reason}")]
    Client {
        /// Why.
        reason: String,
    },
}

impl EgressError {
    /// Finds the refusal in the chain of causes of a failed request.
    #[must_use]
    pub fn within<'e>(error: &'e (dyn Error + 'static)) -> Option<&'e Self> {
        let mut cause = Some(error);
        while let Some(current) = cause {
            if let Some(found) = current.downcast_ref::<Self>() {
                return Some(found);
            }
            cause = current.source();
        }
        None
    }
}

impl Egress {
    /// Whether the address may be reached.
    #[must_use]
    pub fn permits(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        match self {
            Self::LoopbackOnly => address.is_loopback(),
            Self::Public { allowed } => {
                allowed.iter().any(|range| range.contains(&address)) || is_public(address)
            }
        }
    }

    /// Judges an address before a request: `https`, or `http` to the machine itself where that may
    /// be reached; and a host written as a number must be permitted. (`url` reads `0x7f.1` and
    /// `2130706433` as the numbers they are.) Names are judged when they are resolved.
    ///
    /// # Errors
    /// [`EgressError`] says what to do.
    pub fn check(&self, url: &Url) -> Result<(), EgressError> {
        if url.scheme() != "https" && !(url.scheme() == "http" && self.is_own_machine(url)) {
            return Err(EgressError::Scheme { url: shown(url) });
        }
        self.check_address(url)
    }

    /// As [`Egress::check`], where `allow_http = true` permits `http` to every host.
    ///
    /// # Errors
    /// [`EgressError`] says what to do.
    pub fn check_address(&self, url: &Url) -> Result<(), EgressError> {
        if !matches!(url.scheme(), "http" | "https") {
            return Err(EgressError::Scheme { url: shown(url) });
        }
        let address = match url.host() {
            Some(Host::Ipv4(address)) => IpAddr::V4(address),
            Some(Host::Ipv6(address)) => IpAddr::V6(address),
            Some(Host::Domain(_)) => return Ok(()),
            None => return Err(EgressError::Host { url: shown(url) }),
        };
        if self.permits(address) {
            Ok(())
        } else {
            Err(self.refusal(&address.to_string(), address))
        }
    }

    /// Whether the host is this machine, and may be reached.
    fn is_own_machine(&self, url: &Url) -> bool {
        let address = match url.host() {
            Some(Host::Ipv4(address)) => IpAddr::V4(address),
            Some(Host::Ipv6(address)) => IpAddr::V6(address),
            Some(Host::Domain("localhost")) => IpAddr::V4(Ipv4Addr::LOCALHOST),
            Some(Host::Domain(_)) | None => return false,
        };
        address.to_canonical().is_loopback() && self.permits(address)
    }

    fn refusal(&self, host: &str, address: IpAddr) -> EgressError {
        let address = address.to_canonical();
        let host = host.to_owned();
        match self {
            Self::LoopbackOnly => EgressError::Rehearsal { host, address },
            Self::Public { .. } => {
                EgressError::Private { host, address, network: IpNet::from(address) }
            }
        }
    }
}

/// Whether an address is globally reachable (RFC 6890 and its registries).
fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => {
            let [a, b, c, _] = address.octets();
            !(a == 0
                || address.is_private()
                || address.is_loopback()
                || address.is_link_local()
                || (a == 100 && (64..128).contains(&b))
                || (a == 192 && b == 0 && c == 0)
                || (a == 192 && b == 88 && c == 99)
                || address.is_documentation()
                || (a == 198 && (18..20).contains(&b))
                || address.is_multicast()
                || a >= 240)
        }
        IpAddr::V6(address) => is_public_v6(address),
    }
}

/// Only 2000::/3 is given out as global unicast; within it, 2001::/23 is for protocols, 2002::/16
/// hides an IPv4 address (RFC 3056), 2001:db8::/32 and 3fff::/20 are for documentation.
fn is_public_v6(address: Ipv6Addr) -> bool {
    let [first, second, ..] = address.segments();
    let special = (first == 0x2001 && (second < 0x200 || second == 0xdb8))
        || first == 0x2002
        || (first == 0x3fff && second < 0x1000);
    first & 0xe000 == 0x2000 && !special
}

/// The address for messages: user, password and query may hold secrets.
fn shown(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
    format!("{}://{host}{port}{}", url.scheme(), url.path())
}

/// Resolves names and leaves out what may not be reached.
struct GuardedResolver {
    egress: Egress,
    /// The proxy's own name, which the configuration states by itself.
    exempt: Option<String>,
}

impl Resolve for GuardedResolver {
    fn resolve(&self, name: Name) -> Resolving {
        let host = name.as_str().to_owned();
        let egress = self.egress.clone();
        let exempt = self.exempt.as_deref() == Some(host.as_str());
        Box::pin(async move {
            let unknown = || EgressError::Resolve { host: host.clone() };
            let found = tokio::net::lookup_host((host.as_str(), 0)).await;
            let found: Vec<SocketAddr> = found.map_err(|_| unknown())?.collect();
            let permitted = |address: &SocketAddr| exempt || egress.permits(address.ip());
            let (kept, refused): (Vec<_>, Vec<_>) = found.into_iter().partition(permitted);
            match (kept.is_empty(), refused.first()) {
                (true, Some(first)) => Err(egress.refusal(&host, first.ip()).into()),
                (true, None) => Err(unknown().into()),
                (false, _) => Ok(Box::new(kept.into_iter()) as Addrs),
            }
        })
    }
}

/// What TLS trusts, made once. The machine's certificates, so that a bank's own authority counts
/// (`SSL_CERT_FILE` is honoured); Mozilla's list where the machine has none.
static TLS: LazyLock<Result<ClientConfig, String>> = LazyLock::new(|| {
    let provider = install_provider();
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    if roots.is_empty() {
        roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
    }
    ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map(|builder| builder.with_root_certificates(roots).with_no_client_auth())
        .map_err(|error| error.to_string())
});

/// Makes *ring* the process's cryptography, once; whoever installed one before is respected.
fn install_provider() -> Arc<CryptoProvider> {
    if let Some(provider) = CryptoProvider::get_default() {
        return Arc::clone(provider);
    }
    // An error says that another thread was faster: what it installed is used.
    let _ = rustls::crypto::ring::default_provider().install_default();
    CryptoProvider::get_default()
        .map_or_else(|| Arc::new(rustls::crypto::ring::default_provider()), Arc::clone)
}

/// An HTTP client that reaches only what `egress` permits. `timeout` is for a whole request. In
/// rehearsals (`LoopbackOnly`) the proxy is left out: it would carry requests off the machine.
///
/// Addresses written as numbers do not pass through the resolver: call [`Egress::check`] before
/// each request.
///
/// # Errors
/// [`EgressError::Client`] where the proxy's address cannot be used.
pub fn client(
    egress: &Egress,
    proxy: Option<&Url>,
    timeout: Duration,
) -> Result<reqwest::Client, EgressError> {
    built(client_builder(egress, proxy, timeout)?)
}

/// As [`client`], with every request on a connection of its own: a kept connection may have been
/// closed by the far side just when it is used again, and then nobody knows whether the request
/// arrived. For far sides that cannot be asked, or cost much to ask.
///
/// # Errors
/// As [`client`].
pub fn client_without_reuse(
    egress: &Egress,
    proxy: Option<&Url>,
    timeout: Duration,
) -> Result<reqwest::Client, EgressError> {
    let builder = client_builder(egress, proxy, timeout)?;
    built(builder.pool_max_idle_per_host(0).retry(reqwest::retry::never()))
}

fn built(builder: reqwest::ClientBuilder) -> Result<reqwest::Client, EgressError> {
    builder.build().map_err(|error| EgressError::Client { reason: error.without_url().to_string() })
}

fn client_builder(
    egress: &Egress,
    proxy: Option<&Url>,
    timeout: Duration,
) -> Result<reqwest::ClientBuilder, EgressError> {
    let proxy = proxy.filter(|_| *egress != Egress::LoopbackOnly);
    let refused = |reason: String| EgressError::Client { reason };
    let tls = TLS.as_ref().map_err(|reason| refused(reason.clone()))?.clone();
    let exempt = proxy.and_then(Url::host_str).map(str::to_owned);
    let mut builder = reqwest::Client::builder()
        .tls_backend_preconfigured(tls)
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .connect_timeout(CONNECT_TIMEOUT.min(timeout))
        .timeout(timeout)
        .dns_resolver(Arc::new(GuardedResolver { egress: egress.clone(), exempt }));
    if let Some(proxy) = proxy {
        let usable = reqwest::Proxy::all(proxy.as_str())
            .map_err(|_| refused(format!("代理地址 {} 用不了", shown(proxy))))?;
        builder = builder.proxy(usable);
    }
    Ok(builder)
}
