//! An SFTP server: OpenSSH's `sshd` with a host key, a port and a login key of its own.

use super::{Server, ServerFolder, free_port, program, run, skip_unless_required};
use std::{
    fs,
    ops::Deref,
    path::{Path, PathBuf},
    sync::OnceLock,
};

/// The running server. Its files can be looked at in `files`.
pub struct Sftp {
    server: Server,
    /// What tests write below.
    pub files: PathBuf,
    /// The key to log in with.
    pub key: PathBuf,
    /// Whom to log in as: who runs the tests.
    pub user: String,
}

static SFTP: OnceLock<Result<Sftp, String>> = OnceLock::new();

/// A test that uses the server. `ssh` notes the host keys it meets in the user's own
/// `known_hosts` and cannot be told otherwise; the note is taken out again at the end.
pub struct Session(&'static Sftp);

impl Deref for Session {
    type Target = Sftp;

    fn deref(&self) -> &Sftp {
        self.0
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        let host = format!("[127.0.0.1]:{}", self.server.port);
        let known_hosts = std::env::var("HOME").unwrap_or_default() + "/.ssh/known_hosts";
        let old = format!("{known_hosts}.old");
        let had_old = Path::new(&old).exists();
        if let Some(keygen) = program("ssh-keygen") {
            // Fails where there is no such file: then there is nothing to take out.
            let _ = run(&keygen, &["-R", &host, "-f", &known_hosts]);
        }
        if !had_old {
            let _ = fs::remove_file(old);
        }
        if fs::metadata(&known_hosts).is_ok_and(|file| file.len() == 0) {
            let _ = fs::remove_file(known_hosts);
        }
    }
}

/// The server, started at the first call; `None` where it cannot be had.
#[track_caller]
pub fn sftp() -> Option<Session> {
    match SFTP.get_or_init(start) {
        Ok(sftp) => Some(Session(sftp)),
        Err(reason) => {
            skip_unless_required("sftp", reason);
            None
        }
    }
}

impl Sftp {
    /// `ssh://host:port`.
    pub fn endpoint(&self) -> String {
        format!("ssh://127.0.0.1:{}", self.server.port)
    }
}

fn start() -> Result<Sftp, String> {
    let sshd = program("sshd").ok_or("没有 sshd：apt-get install openssh-server")?;
    let keygen = program("ssh-keygen").ok_or("没有 ssh-keygen：apt-get install openssh-client")?;
    program("ssh").ok_or("没有 ssh：apt-get install openssh-client")?;
    let whoami = program("whoami").ok_or("没有 whoami")?;
    let user = std::process::Command::new(whoami).output().map_err(|error| error.to_string())?;
    let user = String::from_utf8_lossy(&user.stdout).trim().to_owned();
    if user == "root" {
        // Where sshd, started by root, locks its unprivileged part up; a boot makes it otherwise.
        fs::create_dir_all("/run/sshd").map_err(|error| error.to_string())?;
    }
    let folder = ServerFolder::new("sftp");
    let files = folder.path.join("files");
    fs::create_dir_all(&files).unwrap();
    let key = folder.path.join("login");
    for path in [&key, &folder.path.join("host")] {
        run(&keygen, &["-q", "-t", "ed25519", "-N", "", "-f", &path.to_string_lossy()])?;
    }
    let root = folder.path.display();
    let port = free_port();
    let configuration = folder.write(
        "sshd_config",
        &format!(
            "ListenAddress 127.0.0.1\nPort {port}\nHostKey {root}/host\nPidFile none\nUsePAM no\n\
             StrictModes no\nAuthorizedKeysFile {root}/login.pub\nPasswordAuthentication no\n\
             PermitRootLogin prohibit-password\nMaxSessions 100\nMaxStartups 100\n\
             Subsystem sftp internal-sftp\n"
        ),
    );
    let configuration = configuration.to_string_lossy();
    let arguments = ["-D", "-e", "-f", &configuration];
    let server = Server::start(&sshd, &arguments, &folder.path.join("log"), port)?;
    Ok(Sftp { server, files, key, user })
}
