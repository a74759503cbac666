//! Starting a server so that nothing of it is left behind, however the tests end.

use std::{
    env, fs,
    net::{Ipv4Addr, TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::mpsc,
    time::{Duration, Instant},
};

/// The longest that a server may take to answer.
const START_TIMEOUT: Duration = Duration::from_mins(1);

/// Says that a test is skipped because a server is absent, or fails where `CAISHI_REQUIRE` names
/// the server.
#[track_caller]
pub fn skip_unless_required(name: &str, reason: &str) {
    let required = env::var("CAISHI_REQUIRE").unwrap_or_default();
    assert!(
        !required.split(',').any(|required| required.trim() == name),
        "CAISHI_REQUIRE 要求有 {name}，但是{reason}"
    );
    eprintln!("跳过：需要 {name}，{reason}");
}

/// A program of the search path, of the system's folders, or of the gate's Python folder.
pub fn program(name: &str) -> Option<PathBuf> {
    let home = env::var("HOME").unwrap_or_default();
    let gate = PathBuf::from(home).join(".cache/caishi/venv/bin");
    let path = env::var_os("PATH").unwrap_or_default();
    let system = ["/usr/sbin", "/usr/local/sbin", "/sbin"].map(PathBuf::from);
    std::iter::once(gate)
        .chain(env::split_paths(&path))
        .chain(system)
        .map(|folder| folder.join(name))
        .find(|program| program.is_file())
}

/// A port that nobody listens on just now.
pub fn free_port() -> u16 {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port()
}

/// Runs a program to its end.
pub fn run(program: &Path, arguments: &[&str]) -> Result<(), String> {
    let output = Command::new(program).args(arguments).output().map_err(|e| e.to_string())?;
    if output.status.success() {
        return Ok(());
    }
    Err(format!("{} {arguments:?}: {}", program.display(), String::from_utf8_lossy(&output.stderr)))
}

/// A folder for one server of this process. Folders of processes that are gone are swept away,
/// because nothing is dropped when a test process ends.
pub struct ServerFolder {
    pub path: PathBuf,
}

impl ServerFolder {
    pub fn new(name: &str) -> Self {
        let root = env::temp_dir().join("caishi-test-servers");
        fs::create_dir_all(&root).unwrap();
        for entry in fs::read_dir(&root).unwrap().flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            let pid = name.rsplit('-').next().and_then(|pid| pid.parse::<u32>().ok());
            if pid.is_some_and(|pid| !Path::new(&format!("/proc/{pid}")).exists()) {
                let _ = fs::remove_dir_all(entry.path());
            }
        }
        let path = root.join(format!("{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&path);
        fs::create_dir_all(&path).unwrap();
        Self { path }
    }

    pub fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path.join(name);
        fs::write(&path, text).unwrap();
        path
    }
}

/// A running server.
pub struct Server {
    pub port: u16,
}

impl Server {
    /// Starts a program that will listen on `port`, and waits until it does. The kernel kills it
    /// when this process ends; so that nothing survives, it must be one process.
    pub fn start(
        program: &Path,
        arguments: &[&str],
        log: &Path,
        port: u16,
    ) -> Result<Self, String> {
        Self::start_as(&[], program, arguments, log, port)
    }

    /// As [`Server::start`], with further options of `setpriv`: whom to run as.
    pub fn start_as(
        identity: &[&str],
        program: &Path,
        arguments: &[&str],
        log: &Path,
        port: u16,
    ) -> Result<Self, String> {
        let setpriv = self::program("setpriv").ok_or("没有 setpriv（Debian 的 util-linux）")?;
        let mut command = Command::new(setpriv);
        command.args(identity).args(["--pdeathsig", "KILL", "--"]).arg(program).args(arguments);
        let output = fs::File::create(log).map_err(|error| error.to_string())?;
        let errors = output.try_clone().map_err(|error| error.to_string())?;
        command.stdin(Stdio::null()).stdout(output).stderr(errors);
        let (tell, told) = mpsc::channel();
        // The kernel watches the thread that started the program, and tests' threads end early.
        std::thread::spawn(move || match command.spawn() {
            Ok(mut child) => {
                let status = child.wait();
                let _ = tell.send(format!("它自己停了：{status:?}"));
            }
            Err(error) => {
                let _ = tell.send(error.to_string());
            }
        });
        let started = Instant::now();
        while TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_err() {
            let early = told.recv_timeout(Duration::from_millis(20)).ok();
            if early.is_some() || started.elapsed() > START_TIMEOUT {
                let log = fs::read_to_string(log).unwrap_or_default();
                let early = early.unwrap_or_else(|| "60 秒内没有回应".to_owned());
                return Err(format!("{} 起不来：{early}\n{log}", program.display()));
            }
        }
        Ok(Self { port })
    }
}
