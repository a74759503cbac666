//! The tables about publishing: `[channel.<id>] [schedule.<id>] [review] [[people]] [database]
//! [blobs] [server] [console]`.

use super::SecretReference;
use crate::model::{Audience, BranchId, ChannelId, OutputKind, PersonId, Priority, TopicId};
use ipnet::IpNet;
use std::{net::SocketAddr, path::PathBuf};

/// A `[channel.<id>]` table: what every channel has, and the rest for its adapter to check.
#[derive(Debug, Clone, PartialEq)]
pub struct ChannelEntry {
    /// Its name.
    pub id: ChannelId,
    /// Which adapter: `folder`, `webhook`, `wechat`.
    pub kind: String,
    /// Whether it talks to the stand-in instead of the platform.
    pub sandbox: bool,
    /// Whether it publishes by itself or stops at a draft.
    pub mode: PublishMode,
    /// What it carries.
    pub outputs: Vec<OutputKind>,
    /// Whose variants it carries.
    pub audiences: Vec<Audience>,
    /// The other keys.
    pub settings: toml::Table,
}

/// Whether a channel publishes by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PublishMode {
    /// It stops at the draft; a person publishes on the platform.
    Draft,
    /// It publishes.
    Publish,
}

/// The `[review]` table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReviewConfig {
    /// The steps, in order.
    pub steps: Vec<ReviewRule>,
    /// How many days an approval counts.
    pub valid_days: u16,
    /// How many days before an approval or a fact expires a warning is given.
    pub warn_days: u16,
    /// How approval numbers are written: `{year}` and `{seq}` are filled in.
    pub number: String,
}

/// One possible step of review and when it is needed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReviewRule {
    /// Its name.
    pub name: String,
    /// The role its person must hold.
    pub role: String,
    /// Needed only for lessons of one of these topics; empty for all.
    pub topics: Vec<TopicId>,
    /// Needed only for lessons of this priority.
    pub priority: Option<Priority>,
    /// Whether its person must belong to the department of the lesson's first topic; needed once
    /// per department.
    pub topic_department: bool,
}

/// An entry of `[[people]]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    /// Their name on the command line.
    pub id: PersonId,
    /// Their name.
    pub name: String,
    /// Their roles: `author`, `reviewer`, `co-reviewer`, `committee`, `publisher`, `branch`,
    /// `auditor`, `operator`, `administrator`.
    pub roles: Vec<String>,
    /// Their department.
    pub department: Option<String>,
    /// The branch of somebody who holds the role `branch`.
    pub branch: Option<BranchId>,
    /// The environment variable that holds their token when they act.
    pub token_env: Option<String>,
    /// SHA-256 of that token, 64 hexadecimal digits. Tokens are long and random, so a plain
    /// digest cannot be reversed.
    pub token_sha256: Option<String>,
}

/// `[database]`, `[blobs]`, `[server]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StorageConfig {
    /// `sqlite:<path>` or `postgres://…`; without a password, which comes from `password`.
    pub database: String,
    /// The database's password.
    pub database_password: Option<SecretReference>,
    /// Where blobs are.
    pub blobs: BlobConfig,
}

/// Where blobs or a folder channel's files are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BlobConfig {
    /// A folder.
    Folder {
        /// Which.
        path: PathBuf,
    },
    /// An S3-compatible store.
    S3 {
        /// `https://…`.
        endpoint: String,
        /// The bucket.
        bucket: String,
        /// The region; `us-east-1` where the store does not care.
        region: String,
        /// Keys begin with this.
        root: String,
        /// The access key's id.
        access_key: SecretReference,
        /// The access key's secret.
        secret_key: SecretReference,
    },
    /// A WebDAV server.
    WebDav {
        /// `https://…`.
        endpoint: String,
        /// Paths begin with this.
        root: String,
        /// The user.
        user: String,
        /// The password.
        password: SecretReference,
    },
    /// An SFTP server, by the system's `ssh`; Unix only.
    Sftp {
        /// `ssh://host:port`.
        endpoint: String,
        /// The folder.
        root: String,
        /// The user.
        user: String,
        /// The private key file.
        key: PathBuf,
        /// `known_hosts` strategy: `strict` or `accept`.
        known_hosts: String,
    },
}

/// The `[server]` table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerConfig {
    /// The key that the bank's Xibo players share; without one, `/xmds` is not there.
    pub xibo_key: Option<super::SecretReference>,
    /// Where `caishi serve` listens.
    pub listen: SocketAddr,
    /// Where metrics are served, a listener of their own.
    pub metrics: Option<SocketAddr>,
    /// A second listener that speaks TLS, for phones' captive-portal API (RFC 8908 §4.1).
    pub tls: Option<TlsConfig>,
    /// The key that the bank's openNDS gateways share (their `faskey`); without one, they cannot
    /// use the page of `caishi serve`.
    pub opennds_key: Option<super::SecretReference>,
    /// Where guests reach `caishi serve` before they are online, without a final slash; the
    /// bank's `base_url` where nothing is said.
    pub guest_url: Option<String>,
    /// The gateway's own address that sends a guest on to be let on, such as
    /// `http://status.client/`; where the button of the page for RFC 8908 leads.
    pub gateway_url: Option<String>,
    /// Whether every phone has an address of its own here: no address translation and no proxy in
    /// between. Only then can the captive-portal API tell phones apart.
    pub sees_phones: bool,
    /// For how many minutes gateways let a guest on, where they all do so equally long.
    pub session_minutes: Option<u32>,
}

/// A listener that speaks TLS.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsConfig {
    /// Where it listens.
    pub listen: SocketAddr,
    /// The certificate and its chain, PEM.
    pub certificate: PathBuf,
    /// Its private key, PEM.
    pub key: PathBuf,
}

/// The `[console]` table: what people reach with a browser.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConsoleConfig {
    /// The address under which people's browsers reach `caishi serve`, without a final slash;
    /// where it begins with `https`, cookies travel over TLS only. `None`: the listener's own.
    pub url: Option<String>,
    /// After how many minutes without a request a session ends.
    pub idle_minutes: u16,
    /// After how many hours a session ends in any case.
    pub session_hours: u16,
    /// How many characters a password must have.
    pub password_length: u16,
    /// Proxies in front of `caishi serve`: what they say in `X-Forwarded-For` is believed. One on
    /// this machine always is.
    pub proxies: Vec<IpNet>,
    /// Signing in with the bank's own identity provider.
    pub oidc: Option<OidcConfig>,
}

/// An OpenID Connect provider (OpenID Connect Core 1.0, authorization code flow with PKCE).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OidcConfig {
    /// What the button says, such as 行内统一认证.
    pub name: String,
    /// The issuer's address, as its tokens name it.
    pub issuer: String,
    /// The client's id there.
    pub client_id: String,
    /// The client's secret.
    pub client_secret: SecretReference,
    /// The claim that holds the person's id here: `preferred_username` or `sub`.
    pub claim: String,
}
