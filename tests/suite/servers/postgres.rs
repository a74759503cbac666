//! A Postgres cluster of our own, in a temporary folder on a free port of the loopback.
//!
//! A shell script starts it and waits on its standard input. When this process ends in whatever
//! way, that pipe closes, and the script stops the server and removes the folder.

use std::{
    env,
    io::{BufRead as _, BufReader, Write as _},
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
    sync::{
        Mutex, OnceLock,
        atomic::{AtomicU32, Ordering},
    },
};

/// The password of the user `guarded`; everybody else on the loopback is trusted.
pub const GUARDED_PASSWORD: &str = "canary-%2F-pässword";

/// Nothing must survive this machine's power cut, so nothing is synced, unless `fsync` asks for it.
const SCRIPT: &str = r#"
set -eu
bin="$1" port="$2" fsync="$3" password="$4"
dir="$(mktemp -d /tmp/caishi-postgres.XXXXXX)"
stop() { "$bin/pg_ctl" -D "$dir/data" -m immediate -w stop >/dev/null 2>&1 || true; rm -rf "$dir"; }
trap stop EXIT
trap '' INT TERM HUP
start() {
  "$bin/pg_ctl" -D "$dir/data" -l "$dir/log" -w -t 60 \
    -o "-p $port -k $dir -c listen_addresses=127.0.0.1 -c fsync=$fsync -c max_connections=200" \
    start >/dev/null || { tail -5 "$dir/log"; exit 1; }
}
"$bin/initdb" -D "$dir/data" -U caishi -A trust -E UTF8 --locale=C --no-sync >/dev/null
printf 'host all guarded 127.0.0.1/32 scram-sha-256\nhost all all 127.0.0.1/32 trust\nlocal all all trust\n' \
  > "$dir/data/pg_hba.conf"
start
"$bin/psql" -q -h 127.0.0.1 -p "$port" -U caishi -d postgres -v password="$password" \
  <<< "CREATE ROLE guarded LOGIN SUPERUSER PASSWORD :'password'"
echo ready
while read -r order; do
  case "$order" in
    stop) "$bin/pg_ctl" -D "$dir/data" -m immediate -w stop >/dev/null ;;
    start) start ;;
  esac
  echo done
done
"#;

/// A running server.
pub struct Server {
    bin: PathBuf,
    port: u16,
    script: Mutex<(Option<ChildStdin>, BufReader<ChildStdout>)>,
    child: Child,
}

impl Server {
    /// A cluster of one's own, for tests that stop it. `None` where Postgres is not installed.
    pub fn start(fsync: bool) -> Option<Self> {
        let bin = binaries()?;
        // Between asking for a free port and using it another process may be faster.
        for _ in 0..5 {
            if let Some(server) = Self::try_start(&bin, fsync) {
                return Some(server);
            }
        }
        panic!("Postgres in {} does not start", bin.display());
    }

    fn try_start(bin: &Path, fsync: bool) -> Option<Self> {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let mut command = unprivileged("bash");
        command
            .args(["-c", SCRIPT, "postgres"])
            .arg(bin)
            .arg(port.to_string())
            .args([if fsync { "on" } else { "off" }, GUARDED_PASSWORD])
            .current_dir("/")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let stdin = child.stdin.take().unwrap();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        stdout.read_line(&mut line).unwrap();
        if line != "ready\n" {
            eprintln!("Postgres: {line}");
            drop(stdin);
            child.wait().unwrap();
            return None;
        }
        Some(Self { bin: bin.to_owned(), port, script: Mutex::new((Some(stdin), stdout)), child })
    }

    fn order(&self, order: &str) {
        let mut script = self.script.lock().unwrap();
        writeln!(script.0.as_ref().unwrap(), "{order}").unwrap();
        let mut line = String::new();
        script.1.read_line(&mut line).unwrap();
        assert_eq!(line, "done\n", "{order}");
    }

    /// Stops it at once, as a crash would.
    pub fn stop(&self) {
        self.order("stop");
    }

    /// Starts it again on the same port.
    pub fn start_again(&self) {
        self.order("start");
    }

    /// Runs SQL in a database.
    pub fn run(&self, database: &str, sql: &str) -> String {
        let output = Command::new(self.bin.join("psql"))
            .args(["-q", "-A", "-t", "-h", "127.0.0.1", "-p", &self.port.to_string()])
            .args(["-U", "caishi", "-d", database, "-v", "ON_ERROR_STOP=1", "-c", sql])
            .output()
            .unwrap();
        assert!(output.status.success(), "{sql}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }

    /// A new, empty database.
    pub fn database(&self) -> Database<'_> {
        static NEXT: AtomicU32 = AtomicU32::new(1);
        let name = format!("test{}", NEXT.fetch_add(1, Ordering::Relaxed));
        self.run("postgres", &format!("CREATE DATABASE {name} TEMPLATE template0"));
        Database { server: self, name }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // The script ends when its input does.
        self.script.get_mut().unwrap().0 = None;
        self.child.wait().unwrap();
    }
}

/// A database of a running server.
pub struct Database<'s> {
    server: &'s Server,
    name: String,
}

impl Database<'_> {
    /// Its address, as `[database]` has it.
    pub fn url(&self) -> String {
        self.url_of("caishi")
    }

    /// Its address for another user.
    pub fn url_of(&self, user: &str) -> String {
        format!("postgres://{user}@127.0.0.1:{}/{}", self.server.port, self.name)
    }
}

/// The server that all tests of this process share. Where Postgres is not installed, says so and
/// returns `None`, or fails where `CAISHI_REQUIRE` names `postgres`.
pub fn shared() -> Option<&'static Server> {
    static SERVER: OnceLock<Option<Server>> = OnceLock::new();
    let server = SERVER.get_or_init(|| Server::start(false));
    if server.is_none() {
        let required = env::var("CAISHI_REQUIRE").unwrap_or_default();
        assert!(!required.split(',').any(|name| name == "postgres"), "Postgres is not installed");
        eprintln!("skipped: Postgres is not installed");
    }
    server.as_ref()
}

/// The folder of `initdb` and the others; the newest version where there are several.
fn binaries() -> Option<PathBuf> {
    let complete = |folder: &PathBuf| {
        ["initdb", "pg_ctl", "psql"].iter().all(|name| folder.join(name).is_file())
    };
    let asked = Command::new("pg_config").arg("--bindir").output().ok();
    let told = asked.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned());
    let mut folders: Vec<PathBuf> = told.map(PathBuf::from).into_iter().collect();
    if let Ok(versions) = std::fs::read_dir("/usr/lib/postgresql") {
        let mut versions: Vec<_> =
            versions.filter_map(|entry| Some(entry.ok()?.path().join("bin"))).collect();
        versions.sort();
        folders.extend(versions.into_iter().rev());
    }
    let path = env::var_os("PATH").unwrap_or_default();
    folders.extend(env::split_paths(&path));
    folders.into_iter().find(complete)
}

/// Postgres refuses to run as root; then it runs as its own user or as nobody.
fn unprivileged(program: &str) -> Command {
    let id = |arguments: &[&str]| {
        let output = Command::new("id").args(arguments).output().ok()?;
        output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
    };
    if id(&["-u"]).as_deref() != Some("0") {
        return Command::new(program);
    }
    let user = if id(&["-u", "postgres"]).is_some() { "postgres" } else { "nobody" };
    let group = id(&["-g", user]).unwrap();
    let mut command = Command::new("setpriv");
    command.args([&format!("--reuid={user}"), &format!("--regid={group}"), "--clear-groups"]);
    command.arg(program);
    command
}
