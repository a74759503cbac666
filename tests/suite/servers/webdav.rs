//! A WebDAV server: Apache httpd with mod_dav, from Debian's `apache2`.

use super::{Server, ServerFolder, free_port, program, skip_unless_required};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use sha1::{Digest as _, Sha1};
use std::{
    fs,
    os::unix::fs::{MetadataExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
    sync::OnceLock,
};

/// The running server. Its files can be looked at in `files`.
pub struct WebDav {
    server: Server,
    /// What it serves.
    pub files: PathBuf,
}

pub const USER: &str = "caishi";
pub const PASSWORD: &str = "canary-webdav-password";

/// Held by a test for as long as it writes: the server is one process whose threads share a lock
/// file that does not keep them apart, and it then answers 403 now and again.
pub static TURN: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());

static WEBDAV: OnceLock<Result<WebDav, String>> = OnceLock::new();

/// The server, started at the first call; `None` where it cannot be had.
#[track_caller]
pub fn webdav() -> Option<&'static WebDav> {
    match WEBDAV.get_or_init(start) {
        Ok(webdav) => Some(webdav),
        Err(reason) => {
            skip_unless_required("webdav", reason);
            None
        }
    }
}

impl WebDav {
    /// `host:port`.
    pub fn address(&self) -> String {
        format!("127.0.0.1:{}", self.server.port)
    }
}

fn start() -> Result<WebDav, String> {
    let apache = program("apache2").or_else(|| program("httpd"));
    let apache = apache.ok_or("没有 Apache httpd：apt-get install apache2")?;
    let modules = ["/usr/lib/apache2/modules", "/usr/lib64/httpd/modules"]
        .map(Path::new)
        .into_iter()
        .find(|folder| folder.join("mod_dav_fs.so").exists())
        .ok_or("Apache 没有 mod_dav_fs")?;
    let folder = ServerFolder::new("webdav");
    let files = folder.path.join("files");
    let locks = folder.path.join("locks");
    for path in [&folder.path, &files, &locks] {
        fs::create_dir_all(path).unwrap();
        // Started by root, it serves as another user.
        fs::set_permissions(path, fs::Permissions::from_mode(0o777)).unwrap();
    }
    let digest = STANDARD.encode(Sha1::digest(PASSWORD));
    folder.write("users", &format!("{USER}:{{SHA}}{digest}\n"));
    let port = free_port();
    let configuration = folder.write("httpd.conf", &configuration(&folder.path, modules, port));
    let configuration = configuration.to_string_lossy();
    // One process that serves by itself, and not as root, which Apache refuses to do.
    let arguments = ["-X", "-f", &configuration];
    let nobody = ["--reuid=65534", "--regid=65534", "--clear-groups"];
    let identity: &[&str] = if is_root() { &nobody } else { &[] };
    let log = folder.path.join("log");
    let server = Server::start_as(identity, &apache, &arguments, &log, port)?;
    Ok(WebDav { server, files })
}

fn is_root() -> bool {
    fs::metadata("/proc/self").is_ok_and(|own| own.uid() == 0)
}

fn configuration(folder: &Path, modules: &Path, port: u16) -> String {
    let root = folder.display();
    let loads: String = [
        ("mpm_event", "mpm_event"),
        ("authn_core", "authn_core"),
        ("authn_file", "authn_file"),
        ("authz_core", "authz_core"),
        ("authz_user", "authz_user"),
        ("auth_basic", "auth_basic"),
        ("dav", "dav"),
        ("dav_fs", "dav_fs"),
    ]
    .iter()
    .map(|(name, file)| format!("LoadModule {name}_module {}/mod_{file}.so\n", modules.display()))
    .collect();
    format!(
        "ServerRoot {root}\n{loads}Listen 127.0.0.1:{port}\nServerName 127.0.0.1\n\
         PidFile {root}/pid\nErrorLog {root}/errors\nDocumentRoot {root}/files\n\
         DavLockDB {root}/locks/db\nStartServers 1\nServerLimit 1\nThreadsPerChild 16\n\
         MaxRequestWorkers 16\n<Directory {root}/files>\nDav On\nAuthType Basic\nAuthName files\n\
         AuthUserFile {root}/users\nRequire valid-user\n</Directory>\n"
    )
}
