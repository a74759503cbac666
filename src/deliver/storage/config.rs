//! The keys of a channel's table that say where its files go → a checked [`Storage`].

use super::{Place, Storage, Swap};
use crate::{
    config::SecretReference,
    deliver::{BuildContext, Egress, egress, settings::Faults},
};
use opendal::{HttpTransporter, OperationContext, Operator, services};
use opendal_http_transport_reqwest::ReqwestTransport;
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use std::{path::PathBuf, time::Duration};

/// Where files go: one of the four.
#[derive(Debug, Default)]
pub(in crate::deliver) struct StorageSettings {
    pub(in crate::deliver) path: Option<PathBuf>,
    pub(in crate::deliver) s3: Option<S3Settings>,
    pub(in crate::deliver) webdav: Option<WebDavSettings>,
    pub(in crate::deliver) sftp: Option<SftpSettings>,
    /// Folders: also lay files out under their own names.
    pub(in crate::deliver) tree: bool,
    pub(in crate::deliver) allow: Vec<String>,
    pub(in crate::deliver) allow_http: bool,
    pub(in crate::deliver) timeout_seconds: u64,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::deliver) struct S3Settings {
    endpoint: String,
    bucket: String,
    #[serde(default = "default_region")]
    region: String,
    #[serde(default)]
    root: String,
    access_key: SecretReference,
    secret_key: SecretReference,
    /// Some stores that speak S3 refuse conditional writes.
    #[serde(default = "yes")]
    conditional: bool,
}

fn default_region() -> String {
    "us-east-1".to_owned()
}

fn yes() -> bool {
    true
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::deliver) struct WebDavSettings {
    endpoint: String,
    #[serde(default)]
    root: String,
    user: String,
    password: SecretReference,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(not(unix), expect(dead_code, reason = "only Unix has the system's ssh"))]
pub(in crate::deliver) struct SftpSettings {
    endpoint: String,
    root: String,
    user: String,
    key: PathBuf,
    #[serde(default = "default_known_hosts")]
    known_hosts: String,
}

fn default_known_hosts() -> String {
    "strict".to_owned()
}

impl StorageSettings {
    /// Checks the keys. The storage, and its name, which is part of the delivery's key; `None`
    /// where `faults` were noted.
    pub(in crate::deliver) fn build(
        &self,
        faults: &mut Faults<'_>,
        context: &BuildContext,
        channel: &str,
    ) -> Option<(Storage, String)> {
        let egress = faults.egress(context, &self.allow);
        let timeout = faults.seconds("timeout_seconds", self.timeout_seconds);
        let target = match self.target() {
            Ok(target) => target,
            Err(fault) => {
                faults.add(fault);
                return None;
            }
        };
        let place = match &context.rehearsal {
            // Whatever the table says, a rehearsal writes below its folder and needs no secret.
            Some(folder) => Place::Folder { root: folder.join(channel), tree: self.tree },
            None => self.place(faults, context, &egress, timeout)?,
        };
        let shown = match &place {
            Place::Folder { root, .. } => root.display().to_string(),
            Place::Remote { .. } => target.clone(),
        };
        Some((Storage { place, shown, timeout }, target))
    }

    /// The repository's name: what people see, and part of the delivery's key. Without secrets.
    fn target(&self) -> Result<String, String> {
        let named: Vec<String> = [
            self.path.as_ref().map(|path| format!("folder:{}", path.display())),
            self.s3.as_ref().map(|s3| format!("s3://{}/{}", s3.bucket, prefix_of(&s3.root))),
            self.webdav.as_ref().map(|webdav| {
                let endpoint = webdav
                    .endpoint
                    .rsplit_once('@')
                    .map_or(webdav.endpoint.trim_end_matches('/'), |(_, host)| {
                        host.trim_end_matches('/')
                    });
                format!("webdav:{endpoint}/{}", prefix_of(&webdav.root))
            }),
            self.sftp.as_ref().map(|sftp| {
                let host = sftp.endpoint.trim_start_matches("ssh://");
                format!("sftp://{}@{host}{}", sftp.user, sftp.root)
            }),
        ]
        .into_iter()
        .flatten()
        .collect();
        match named.as_slice() {
            [one] => Ok(one.trim_end_matches('/').to_owned()),
            [] => Err("没有写往哪里：请写 path、s3、webdav 或 sftp 中的一个".to_owned()),
            _ => Err("path、s3、webdav、sftp 只能写一个；请删去多余的".to_owned()),
        }
    }

    fn place(
        &self,
        faults: &mut Faults<'_>,
        context: &BuildContext,
        egress: &Egress,
        timeout: Duration,
    ) -> Option<Place> {
        if let Some(path) = &self.path {
            let root = context.folder.join(path);
            return Some(Place::Folder { root, tree: self.tree });
        }
        if let Some(s3) = &self.s3 {
            let key = faults.secret("s3.access_key", &s3.access_key, context);
            let secret = faults.secret("s3.secret_key", &s3.secret_key, context);
            faults.url("s3.endpoint", &s3.endpoint, egress, self.allow_http)?;
            return s3.place(faults, &key?, &secret?, egress, timeout);
        }
        if let Some(webdav) = &self.webdav {
            let password = faults.secret("webdav.password", &webdav.password, context);
            faults.url("webdav.endpoint", &webdav.endpoint, egress, self.allow_http)?;
            return webdav.place(faults, &password?, egress, timeout);
        }
        self.sftp.as_ref()?.place(faults, context)
    }
}

impl S3Settings {
    fn place(
        &self,
        faults: &mut Faults<'_>,
        key: &SecretString,
        secret: &SecretString,
        egress: &Egress,
        timeout: Duration,
    ) -> Option<Place> {
        // Only what the table names counts: no profile, no environment, no metadata service.
        let builder = services::S3::default()
            .endpoint(&self.endpoint)
            .bucket(&self.bucket)
            .region(&self.region)
            .access_key_id(key.expose_secret())
            .secret_access_key(secret.expose_secret())
            .disable_config_load()
            .disable_ec2_metadata();
        let operator = over_http(faults, Operator::new(builder), egress, timeout)?;
        let swap = if self.conditional { Swap::Conditional } else { Swap::Whole };
        Some(Place::Remote { operator, swap, prefix: prefix_of(&self.root), makes_root: false })
    }
}

impl WebDavSettings {
    fn place(
        &self,
        faults: &mut Faults<'_>,
        password: &SecretString,
        egress: &Egress,
        timeout: Duration,
    ) -> Option<Place> {
        let builder = services::Webdav::default()
            .endpoint(&self.endpoint)
            .username(&self.user)
            .password(password.expose_secret());
        let operator = over_http(faults, Operator::new(builder), egress, timeout)?;
        let prefix = prefix_of(&self.root);
        Some(Place::Remote { operator, swap: Swap::Whole, prefix, makes_root: true })
    }
}

impl SftpSettings {
    #[cfg(unix)]
    fn place(&self, faults: &mut Faults<'_>, context: &BuildContext) -> Option<Place> {
        if !["strict", "add", "accept"].contains(&self.known_hosts.as_str()) {
            faults.add(format!(
                "sftp.known_hosts 是“{}”，应为 strict（只认已登记的主机）、add（首次登记，之后只认它）或 accept（不核对，仅供测试）",
                self.known_hosts
            ));
        }
        if !self.root.starts_with('/') {
            faults.add(format!("sftp.root 是“{}”，应为以 / 开头的路径", self.root));
        }
        let key = context.folder.join(&self.key);
        if !key.is_file() {
            faults.add(format!("sftp.key：找不到私钥文件 {}", key.display()));
        }
        // The root is `/` and paths are prefixed here, because the library makes the root as soon
        // as it connects, also for a mere look.
        let builder = services::Sftp::default()
            .endpoint(&self.endpoint)
            .root("/")
            .user(&self.user)
            .key(&key.to_string_lossy())
            .known_hosts_strategy(&self.known_hosts);
        let operator = made(faults, Operator::new(builder))?;
        let prefix = prefix_of(&self.root);
        Some(Place::Remote { operator, swap: Swap::Rename, prefix, makes_root: true })
    }

    #[cfg(not(unix))]
    fn place(&self, faults: &mut Faults<'_>, _context: &BuildContext) -> Option<Place> {
        faults.add("sftp 只在 Linux、macOS 等系统上可用；请改用 webdav 或 s3");
        None
    }
}

fn made(faults: &mut Faults<'_>, operator: opendal::Result<Operator>) -> Option<Operator> {
    operator.map_err(|error| faults.add(format!("存储的设置不对：{}", error.message()))).ok()
}

/// The operator, with requests going through the guarded client.
fn over_http(
    faults: &mut Faults<'_>,
    operator: opendal::Result<Operator>,
    egress: &Egress,
    timeout: Duration,
) -> Option<Operator> {
    let operator = made(faults, operator)?;
    match egress::client(egress, None, timeout) {
        Ok(client) => {
            let transport = HttpTransporter::new(ReqwestTransport::new(client));
            Some(operator.with_context(OperationContext::new().with_http_transport(transport)))
        }
        Err(error) => {
            faults.add(error.to_string());
            None
        }
    }
}

/// A root as the beginning of paths: empty, or without a leading and with a final slash.
fn prefix_of(root: &str) -> String {
    let root = root.trim_matches('/');
    if root.is_empty() { String::new() } else { format!("{root}/") }
}
