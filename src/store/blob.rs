//! Blobs, named by what they hold: `sha256/ab/<64 hexadecimal digits>`. Never changed, never
//! removed, so a copy of the folder is a backup.

use super::{Answer, Store, StoreError};
use crate::{
    config::{BlobConfig, SecretReference},
    model::Digest,
};
use opendal::{ErrorKind, HttpTransporter, OperationContext, Operator, services};
use opendal_http_transport_reqwest::ReqwestTransport;
use secrecy::ExposeSecret as _;
use std::{
    path::{Path, PathBuf},
    time::Duration,
};

/// The folder in which files are written before they get their name.
const INCOMING: &str = ".incoming";

/// How long connecting to a blob store may take.
const CONNECT_AT_MOST: Duration = Duration::from_secs(10);
/// How long one request to a blob store may take.
const REQUEST_AT_MOST: Duration = Duration::from_mins(5);

/// Where a blob is.
pub(super) fn key(digest: &Digest) -> String {
    let digest = digest.to_string();
    format!("sha256/{}/{digest}", &digest[..2])
}

/// The folder, where it is one.
pub(super) fn folder_of(config: &BlobConfig, folder: &Path) -> Option<PathBuf> {
    match config {
        BlobConfig::Folder { path } => Some(folder.join(path)),
        _ => None,
    }
}

/// The operator of a blob store. Relative folders lie below `folder`.
///
/// # Errors
/// [`StoreError::Configuration`] where a secret is missing or the configuration cannot work.
pub fn operator(config: &BlobConfig, folder: &Path) -> Result<Operator, StoreError> {
    match config {
        BlobConfig::Folder { path } => {
            let root = absolute(&folder.join(path))?;
            // On the same file system as its destination, so that a rename puts it there whole.
            let incoming = absolute(&folder.join(path).join(INCOMING))?;
            finish(Operator::new(services::Fs::default().root(&root).atomic_write_dir(&incoming)))
        }
        BlobConfig::S3 { endpoint, bucket, region, root, access_key, secret_key } => {
            over_http(Operator::new(
                services::S3::default()
                    .endpoint(endpoint)
                    .bucket(bucket)
                    .region(region)
                    .root(root)
                    .access_key_id(&secret(access_key, folder)?)
                    .secret_access_key(&secret(secret_key, folder)?)
                    // Only what is configured counts, not what happens to be in the environment.
                    .disable_config_load()
                    .disable_ec2_metadata(),
            ))
        }
        BlobConfig::WebDav { endpoint, root, user, password } => over_http(Operator::new(
            services::Webdav::default()
                .endpoint(endpoint)
                .root(root)
                .username(user)
                .password(&secret(password, folder)?),
        )),
        #[cfg(unix)]
        BlobConfig::Sftp { endpoint, root, user, key, known_hosts } => finish(Operator::new(
            services::Sftp::default()
                .endpoint(endpoint)
                .root(root)
                .user(user)
                .key(&absolute(&folder.join(key))?)
                .known_hosts_strategy(known_hosts),
        )),
        #[cfg(not(unix))]
        BlobConfig::Sftp { .. } => Err(StoreError::Configuration(
            "SFTP 要用系统的 ssh，只能在 Linux 和 macOS 上用；请改用文件夹、S3 或 WebDAV"
                .to_owned(),
        )),
    }
}

fn finish(built: opendal::Result<Operator>) -> Answer<Operator> {
    built.map_err(|error| {
        StoreError::Configuration(format!("文件存储的配置用不了：{error}；请检查 [blobs]"))
    })
}

/// With an HTTP client: the services bring none of their own.
fn over_http(built: opendal::Result<Operator>) -> Answer<Operator> {
    let operator = finish(built)?;
    let client = reqwest::Client::builder()
        .connect_timeout(CONNECT_AT_MOST)
        .timeout(REQUEST_AT_MOST)
        .redirect(reqwest::redirect::Policy::none())
        .build()
        .map_err(|error| StoreError::Configuration(format!("HTTP 客户端建不起来：{error}")))?;
    let transport = HttpTransporter::new(ReqwestTransport::new(client));
    Ok(operator.with_context(OperationContext::new().with_http_transport(transport)))
}

fn absolute(path: &Path) -> Answer<String> {
    std::path::absolute(path).map(|path| path.to_string_lossy().into_owned()).map_err(|error| {
        StoreError::Configuration(format!("文件存储的路径 {} 用不了：{error}", path.display()))
    })
}

fn secret(reference: &SecretReference, folder: &Path) -> Answer<String> {
    let secret = reference
        .resolve(folder)
        .map_err(|error| StoreError::Configuration(format!("取不到文件存储的密钥：{error}")))?;
    Ok(secret.expose_secret().to_owned())
}

impl Store {
    /// Keeps the bytes, unless they are there already.
    ///
    /// # Errors
    /// [`StoreError::Blob`].
    pub async fn put_blob(&self, bytes: &[u8]) -> Answer<Digest> {
        let digest = Digest::of(bytes);
        let key = key(&digest);
        // Not every service writes whole or not at all: a shorter one is a rest of a broken write.
        let there = match self.blobs.stat(&key).await {
            Ok(found) => found.content_length() == bytes.len() as u64,
            Err(error) if error.kind() == ErrorKind::NotFound => false,
            Err(error) => return Err(StoreError::blob(format!("查 {key}"), error)),
        };
        if !there {
            let written = self.blobs.write(&key, bytes.to_vec()).await;
            written.map_err(|error| StoreError::blob(format!("写 {key}"), error))?;
        }
        Ok(digest)
    }

    /// Whether the blob is there.
    ///
    /// # Errors
    /// [`StoreError::Blob`].
    pub async fn has_blob(&self, digest: &Digest) -> Answer<bool> {
        let key = key(digest);
        let found = self.blobs.exists(&key).await;
        found.map_err(|error| StoreError::blob(format!("查 {key}"), error))
    }

    /// The bytes, checked against the digest.
    ///
    /// # Errors
    /// [`StoreError::NotFound`], [`StoreError::Corrupt`] where they have changed, or
    /// [`StoreError::Blob`].
    pub async fn blob(&self, digest: &Digest) -> Answer<Vec<u8>> {
        let key = key(digest);
        let bytes = match self.blobs.read(&key).await {
            Ok(bytes) => bytes.to_vec(),
            Err(error) if error.kind() == ErrorKind::NotFound => {
                return Err(StoreError::NotFound(format!("文件 {key}")));
            }
            Err(error) => return Err(StoreError::blob(format!("读 {key}"), error)),
        };
        if Digest::of(&bytes) != *digest {
            return Err(StoreError::Corrupt {
                what: format!("文件 {key}"),
                reason: "内容与名字里的 SHA-256 不符，文件被改过或没写完".to_owned(),
            });
        }
        Ok(bytes)
    }
}
