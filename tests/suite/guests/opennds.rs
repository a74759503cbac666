//! A real openNDS in network namespaces of its own: its script is the one of the package, its
//! server is `caishi serve`.

use super::{CHANNELS, Lobby};
use crate::servers::{program, skip_unless_required};
use std::{
    collections::BTreeMap,
    fs,
    io::{Cursor, Read as _},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::OnceLock,
    time::{Duration, Instant},
};

const PORT: &str = "8099";

/// The gateway and its namespaces; taken down however the test ends.
struct Gateway {
    folder: PathBuf,
    facts: BTreeMap<String, String>,
}

fn harness() -> Command {
    let mut command = Command::new("bash");
    command.arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/peers/opennds/gateway"));
    command
}

impl Gateway {
    fn up(folder: &Path, suffix: &str, mode: &str, environment: &[(&str, &str)]) -> Self {
        let mut command = harness();
        command.arg("up").arg(folder).args([suffix, mode, PORT]);
        command.envs(environment.iter().copied());
        let output = command.output().unwrap();
        let mut gateway = Self { folder: folder.to_owned(), facts: BTreeMap::new() };
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{said}{errors}");
        let facts = said.lines().filter_map(|line| line.split_once('='));
        gateway.facts = facts.map(|(key, value)| (key.to_owned(), value.to_owned())).collect();
        gateway
    }

    fn fact(&self, name: &str) -> &str {
        &self.facts[name]
    }

    /// What the guest's phone gets, following redirects, and the address it ends at.
    fn get(&self, url: &str) -> (String, String) {
        let output = Command::new("ip")
            .args(["netns", "exec", self.fact("CLIENT_NS"), "curl", "-sS", "-L", "-m", "20"])
            .args(["--noproxy", "*", "-w", "\n%{http_code} %{url_effective}", url])
            .output()
            .unwrap();
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let (page, last) = text.rsplit_once('\n').unwrap();
        (page.to_owned(), last.to_owned())
    }

    fn is_online(&self) -> bool {
        self.get(self.fact("ONLINE_URL")).0.trim() == "online"
    }

    fn log_off(&self) {
        let client = self.fact("CLIENT_ADDRESS").to_owned();
        let mut command = harness();
        command.arg("in").arg(&self.folder).args(["ndsctl", "deauth", &client]);
        assert!(command.output().unwrap().status.success());
    }

    /// `caishi serve` where the gateway can reach it.
    fn serve(&self, town: &Path) -> Serving {
        let child = Command::new("ip")
            .args(["netns", "exec", self.fact("SERVER_NS"), env!("CARGO_BIN_EXE_caishi"), "serve"])
            .current_dir(town)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let serving = Serving(child);
        let health = format!("http://{}/healthz", self.fact("SERVER_ADDRESS"));
        let begun = Instant::now();
        loop {
            let output = Command::new("ip")
                .args(["netns", "exec", self.fact("SERVER_NS"), "curl", "-s", "-m", "2", &health])
                .output()
                .unwrap();
            if output.stdout == b"ok\n" {
                return serving;
            }
            assert!(begun.elapsed() < Duration::from_mins(1), "the service does not answer");
            std::thread::sleep(Duration::from_millis(200));
        }
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        let _ = harness().arg("down").arg(&self.folder).output();
    }
}

struct Serving(Child);

impl Drop for Serving {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The address that a page's first form leads to when it is pressed.
fn pressed(page: &str, at: &str) -> String {
    let form = page.split("<form ").nth(1).unwrap_or_else(|| panic!("no form: {page}"));
    let form = form.split("</form>").next().unwrap();
    let value = |text: &str, name: &str| {
        let from = text.split(&format!("{name}=\"")).nth(1).unwrap();
        from.split('"').next().unwrap().replace("&amp;", "&")
    };
    let fields = form.split("<input ").skip(1).map(|input| {
        let input = input.split('>').next().unwrap();
        (value(input, "name"), value(input, "value"))
    });
    let mut url = url::Url::parse(at).unwrap().join(&value(form, "action")).unwrap();
    url.query_pairs_mut().clear().extend_pairs(fields);
    url.to_string()
}

fn theme(live: &Path, to: &Path) -> String {
    let package = fs::read(live.join("b002/package.zip")).unwrap();
    let mut zip = zip::ZipArchive::new(Cursor::new(package)).unwrap();
    let mut script = String::new();
    zip.by_name("theme_caishi.sh").unwrap().read_to_string(&mut script).unwrap();
    fs::write(to, script).unwrap();
    to.to_str().unwrap().to_owned()
}

fn is_missing() -> bool {
    let missing = ["opennds", "ip", "iptables", "curl"].into_iter().find(|p| program(p).is_none());
    if let Some(missing) = missing {
        skip_unless_required("opennds", &format!("找不到 {missing}"));
        return true;
    }
    if !rustix_is_root() {
        skip_unless_required("opennds", "网络命名空间要 root");
        return true;
    }
    if !may_make_namespaces() {
        skip_unless_required("opennds", "这台机器不让建网络命名空间，或里面没有 iptables");
        return true;
    }
    false
}

/// Whether a namespace with a firewall of its own can be made here.
fn may_make_namespaces() -> bool {
    // Asked once: two tests would take the same name at the same time.
    static ANSWER: OnceLock<bool> = OnceLock::new();
    *ANSWER.get_or_init(|| {
        let name = format!("cs-probe-{}", std::process::id());
        let ip = |arguments: &[&str]| {
            Command::new("ip").args(arguments).output().is_ok_and(|output| output.status.success())
        };
        let made = ip(&["netns", "add", &name]);
        let filters = made && ip(&["netns", "exec", &name, "iptables", "-t", "nat", "-L", "-n"]);
        made && ip(&["netns", "del", &name]) && filters
    })
}

fn rustix_is_root() -> bool {
    Command::new("id").arg("-u").output().is_ok_and(|output| output.stdout == b"0\n")
}

/// The configuration whose service the gateway reaches, and whose script knows it.
async fn lobby() -> Lobby {
    let address = format!("http://10.77.0.2:{PORT}");
    let channels = CHANNELS.replace(
        "[server]\n",
        &format!(
            "[templates]\nfolder = \"my-templates\"\n\n[server]\nguest_url = \"{address}\"\nlisten = \"10.77.0.2:{PORT}\"\n"
        ),
    );
    let rules = include_str!("../../../templates/portal/opennds/rules.toml");
    let rules = rules.replace("server = \"\"", &format!("server = \"{address}\""));
    let files = [("my-templates/portal/opennds/rules.toml", rules.as_str())];
    let lobby = Lobby::with_files(&channels, &files).await;
    lobby.publish("weekly").await;
    lobby
}

#[tokio::test(flavor = "multi_thread")]
async fn a_captive_phone_sees_our_page_and_gets_on() {
    if is_missing() {
        return;
    }
    let lobby = lobby().await;
    let folder = tempfile::tempdir_in("/var/tmp").unwrap();
    let script = theme(&lobby.town.path("portal/live"), &folder.path().join("theme.sh"));
    let suffix = format!("t{}", std::process::id() % 100_000);
    let environment = [("THEMESPEC", script.as_str()), ("FASKEY", "shared")];
    let work = folder.path().join("gateway");
    fs::create_dir_all(&work).unwrap();
    let gateway = Gateway::up(&work, &suffix, "theme", &environment);
    let origin = gateway.fact("ORIGIN_URL").to_owned();

    // Nobody serves: the router's own page, of the same lesson, and a press lets the guest on.
    assert!(!gateway.is_online());
    let (page, at) = gateway.get(&origin);
    assert!(page.contains("大学坡支行") && page.contains("</html>"), "{at}: {page}");
    let (answer, _) =
        gateway.get(&pressed(&page, &format!("http://{}/", gateway.fact("GATEWAY_ADDRESS"))));
    assert!(answer.contains("可以上网了"), "{answer}");
    assert!(gateway.is_online());

    // The service answers: the guest is sent to its page, continues, and is no longer captive.
    gateway.log_off();
    assert!(!gateway.is_online());
    let serving = gateway.serve(lobby.town.folder.path());
    let api = format!("http://{}/portal/b002/api", gateway.fact("SERVER_ADDRESS"));
    assert!(gateway.get(&api).0.contains("\"captive\":true"));
    let (page, _) = gateway.get(&origin);
    let forward = page.split("url=").nth(1).and_then(|part| part.split('"').next()).unwrap();
    assert!(forward.contains("/portal/b002/fas?fas="), "{page}");
    let (page, at) = gateway.get(forward);
    assert!(page.contains("看完了，继续上网"), "{at}: {page}");
    let (answer, at) = gateway.get(&pressed(&page, forward));
    assert!(
        answer.contains("可以上网了") && at.contains("/portal/b002/welcome?on="),
        "{at}: {answer}"
    );
    assert!(gateway.is_online());
    let state = gateway.get(&api).0;
    assert!(state.contains("\"captive\":false") && state.contains("seconds-remaining"), "{state}");

    // It dies: the next guest has the router's page again.
    drop(serving);
    gateway.log_off();
    let (page, _) = gateway.get(&origin);
    assert!(page.contains("大学坡支行") && page.contains("继续上网"), "{page}");
    gateway.get(&pressed(&page, &format!("http://{}/", gateway.fact("GATEWAY_ADDRESS"))));
    assert!(gateway.is_online(), "with the service dead, the router lets guests on by itself");
}

/// openNDS's plain FAS mode works, too; there, with the service dead, a guest gets no page.
#[tokio::test(flavor = "multi_thread")]
async fn the_gateway_may_send_every_guest_to_the_service() {
    if is_missing() {
        return;
    }
    let lobby = lobby().await;
    let folder = tempfile::tempdir_in("/var/tmp").unwrap();
    let suffix = format!("f{}", std::process::id() % 100_000);
    let environment = [("FASPATH", "/portal/b002/fas"), ("FASKEY", "shared")];
    let gateway = Gateway::up(folder.path(), &suffix, "fas", &environment);
    let origin = gateway.fact("ORIGIN_URL").to_owned();
    // Nobody serves: the gateway sends the guest there all the same, and nothing answers.
    let (page, last) = gateway.get(&origin);
    assert!(page.is_empty() && last.contains("/portal/b002/fas?fas="), "{last}");
    assert!(!gateway.is_online());
    let _serving = gateway.serve(lobby.town.folder.path());
    let (page, at) = gateway.get(&origin);
    assert!(at.contains("/portal/b002/fas?fas=") && page.contains("看完了，继续上网"), "{at}");
    let at = at.split(' ').nth(1).unwrap().to_owned();
    let press = pressed(&page, &at);
    let (answer, _) = gateway.get(&press);
    assert!(answer.contains("可以上网了"), "{answer}");
    assert!(gateway.is_online());
    // The back button, and pressed again: still no error.
    let (again, at) = gateway.get(&press);
    assert!(again.contains("本周金融知识"), "{at}: {again}");
}
