//! `[database] [blobs] [server]`: where things are kept and where `caishi serve` listens.

use super::{
    BlobConfig, ServerConfig, StorageConfig, TlsConfig,
    file::Environment,
    table::{Table, shorten},
};
use crate::model::suggest;
use std::{net::SocketAddr, path::PathBuf};
use url::Url;

const DEFAULT_DATABASE: &str = "sqlite:data/caishi.db";
const DEFAULT_BLOBS: &str = "data/blobs";
const DEFAULT_LISTEN: ([u8; 4], u16) = ([127, 0, 0, 1], 8780);

/// Replaces the database of the file, so that tests and containers need no file of their own.
const DATABASE_VARIABLE: &str = "CAISHI_DATABASE";

pub(super) fn read(root: &Table<'_>, environment: Environment<'_>) -> StorageConfig {
    let (mut database, database_password) = read_database(root);
    if let Some(address) = environment(DATABASE_VARIABLE).filter(|text| !text.trim().is_empty()) {
        match database_address(address.trim()) {
            Ok(address) => database = address,
            Err(what) => root.fault("database", format!("环境变量 {DATABASE_VARIABLE} {what}")),
        }
    }
    let folder = || BlobConfig::Folder { path: DEFAULT_BLOBS.into() };
    let blobs = root.table("blobs").and_then(|table| read_blobs(&table));
    StorageConfig { database, database_password, blobs: blobs.unwrap_or_else(folder) }
}

/// `database = "postgres://…"`, or the table where there is a password.
fn read_database(root: &Table<'_>) -> (String, Option<super::SecretReference>) {
    let default = || DEFAULT_DATABASE.to_owned();
    if root.is_text("database") {
        return (root.parsed("database", database_address).unwrap_or_else(default), None);
    }
    let Some(table) = root.table("database") else { return (default(), None) };
    let address = table.parsed("url", database_address);
    let password = table.secret("password");
    table.finish();
    (address.unwrap_or_else(default), password)
}

/// Checks the address of a database. It is not shown back: it may hold a password.
fn database_address(text: &str) -> Result<String, String> {
    const HELP: &str = "应为 sqlite:文件 或 postgres://用户@主机/库";
    if let Some(file) = text.strip_prefix("sqlite:") {
        return if file.trim_matches('/').is_empty() {
            Err(format!("没有写文件；{HELP}，例如 {DEFAULT_DATABASE}"))
        } else {
            Ok(text.to_owned())
        };
    }
    if !text.starts_with("postgres://") && !text.starts_with("postgresql://") {
        return Err(HELP.into());
    }
    let address = Url::parse(text).map_err(|_| HELP.to_owned())?;
    let names_password = |(key, _): (std::borrow::Cow<'_, str>, _)| key == "password";
    if address.password().is_some() || address.query_pairs().any(names_password) {
        return Err("里有密码，配置会被很多人看到；从网址里删掉密码，在 [database] 里写 password = { env = \"环境变量名\" }".into());
    }
    Ok(text.to_owned())
}

fn read_blobs(table: &Table<'_>) -> Option<BlobConfig> {
    const KINDS: [&str; 4] = ["folder", "s3", "webdav", "sftp"];
    let kind = table.required_parsed("kind", "写 folder、s3、webdav 或 sftp", |text| {
        if KINDS.contains(&text) {
            Ok(text.to_owned())
        } else {
            Err(format!("不能是“{}”；{}", shorten(text), suggest::known(text, KINDS)))
        }
    })?;
    let blobs = match kind.as_str() {
        "s3" => read_s3(table),
        "webdav" => read_webdav(table),
        "sftp" => read_sftp(table),
        _ => Some(BlobConfig::Folder {
            path: table.text("path").unwrap_or_else(|| DEFAULT_BLOBS.into()).into(),
        }),
    };
    table.finish();
    blobs
}

fn read_s3(table: &Table<'_>) -> Option<BlobConfig> {
    let endpoint = table.required_parsed("endpoint", "写 https:// 开头的网址", web_address);
    let bucket = table.required("bucket", "写存储桶的名字");
    let region = table.text("region").unwrap_or_else(|| "us-east-1".into());
    let root = table.text("root").unwrap_or_else(|| "/".into());
    let access_key = table.required_secret("access_key");
    let secret_key = table.required_secret("secret_key");
    Some(BlobConfig::S3 {
        endpoint: endpoint?,
        bucket: bucket?,
        region,
        root,
        access_key: access_key?,
        secret_key: secret_key?,
    })
}

fn read_webdav(table: &Table<'_>) -> Option<BlobConfig> {
    let endpoint = table.required_parsed("endpoint", "写 https:// 开头的网址", web_address);
    let root = table.text("root").unwrap_or_else(|| "/".into());
    let user = table.required("user", "写用户名");
    let password = table.required_secret("password");
    Some(BlobConfig::WebDav { endpoint: endpoint?, root, user: user?, password: password? })
}

fn read_sftp(table: &Table<'_>) -> Option<BlobConfig> {
    let endpoint = table.required_parsed("endpoint", "写 ssh://主机:端口", |text| {
        let sound = Url::parse(text)
            .is_ok_and(|url| url.scheme() == "ssh" && url.has_host() && url.password().is_none());
        if sound {
            Ok(text.to_owned())
        } else {
            Err("应为 ssh://主机:端口，不带密码".into())
        }
    });
    let root = table.required("root", "写服务器上的文件夹");
    let user = table.required("user", "写用户名");
    let key = table.required("key", "写私钥文件的路径");
    let known_hosts = table.parsed("known_hosts", |text| match text {
        "strict" | "accept" => Ok(text.to_owned()),
        other => Err(format!(
            "不能是“{}”；写 strict（只认登记过的主机）或 accept（第一次见到就登记）",
            shorten(other)
        )),
    });
    Some(BlobConfig::Sftp {
        endpoint: endpoint?,
        root: root?,
        user: user?,
        key: key?.into(),
        known_hosts: known_hosts.unwrap_or_else(|| "strict".into()),
    })
}

/// `https`, or plain `http` on this machine. It is not shown back: it may hold a password.
pub(super) fn web_address(text: &str) -> Result<String, String> {
    let url = Url::parse(text).map_err(|_| "应为 https:// 开头的网址".to_owned())?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err("网址里有用户名或密码；删掉，另写 user 和 password".into());
    }
    let local = match url.host() {
        Some(url::Host::Ipv4(address)) => address.is_loopback(),
        Some(url::Host::Ipv6(address)) => address.is_loopback(),
        Some(url::Host::Domain(name)) => name == "localhost",
        None => false,
    };
    match url.scheme() {
        "https" => Ok(text.trim_end_matches('/').to_owned()),
        "http" if local => Ok(text.trim_end_matches('/').to_owned()),
        "http" => Err("不加密，密码会在路上被看到；用 https://（http:// 只能用于本机）".into()),
        _ => Err("应为 https:// 开头的网址".into()),
    }
}

pub(super) fn read_server(root: &Table<'_>) -> ServerConfig {
    let mut server = ServerConfig {
        listen: SocketAddr::from(DEFAULT_LISTEN),
        metrics: None,
        xibo_key: None,
        tls: None,
        opennds_key: None,
        guest_url: None,
        gateway_url: None,
        sees_phones: false,
        session_minutes: None,
    };
    if let Some(table) = root.table("server") {
        server.listen = table.parsed("listen", socket).unwrap_or(server.listen);
        server.metrics = table.parsed("metrics", socket);
        server.xibo_key = table.secret("xibo_key");
        server.opennds_key = table.secret("opennds_key");
        server.guest_url = table.parsed("guest_url", guest_address);
        server.gateway_url = table.parsed("gateway_url", guest_address);
        server.sees_phones = table.flag("sees_phones").unwrap_or(false);
        server.session_minutes = table.number("session_minutes", 1, 1440).map(u32::from);
        let tls = table.parsed("tls", socket);
        let certificate = table.text("certificate").map(PathBuf::from);
        let key = table.text("key").map(PathBuf::from);
        server.tls = match (tls, certificate, key) {
            (Some(listen), Some(certificate), Some(key)) => {
                Some(TlsConfig { listen, certificate, key })
            }
            (None, None, None) => None,
            _ => {
                table.fault("tls", "tls、certificate、key 要一起写：监听地址、证书、私钥");
                None
            }
        };
        if server.metrics == Some(server.listen) && server.listen.port() != 0 {
            table.fault("metrics", "和 listen 一样；指标要用另一个端口，例如 127.0.0.1:8781");
        }
        table.finish();
    }
    server
}

/// The network before login is the bank's own, and often without TLS.
pub(super) fn guest_address(text: &str) -> Result<String, String> {
    let url = Url::parse(text).map_err(|_| "应为 http:// 或 https:// 开头的网址".to_owned())?;
    let is_plain = url.query().is_none() && url.fragment().is_none() && url.username().is_empty();
    if !matches!(url.scheme(), "http" | "https") || url.host().is_none() || !is_plain {
        return Err("应为 http:// 或 https:// 开头的网址，不带用户名、? 和 #".into());
    }
    Ok(url.as_str().trim_end_matches('/').to_owned())
}

fn socket(text: &str) -> Result<SocketAddr, String> {
    text.parse().map_err(|_| format!("“{}”应为 IP 地址和端口，例如 127.0.0.1:8780", shorten(text)))
}
