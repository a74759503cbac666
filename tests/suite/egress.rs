//! What may be reached and what not: a configuration that many people edit must not be able to
//! point a channel at the machine's own services or at a cloud's metadata address.

use caishi::deliver::egress::{Egress, EgressError, client};
use std::{
    io::{Read as _, Write as _},
    net::{IpAddr, TcpListener},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};
use url::Url;

/// RFC 6890 and the IANA registries it founded: first address, last address, whether public.
const RANGES: &str = "
0.0.0.0 0.255.255.255 no
1.0.0.0 9.255.255.255 yes
10.0.0.0 10.255.255.255 no
11.0.0.0 100.63.255.255 yes
100.64.0.0 100.127.255.255 no
100.128.0.0 126.255.255.255 yes
127.0.0.0 127.255.255.255 no
128.0.0.0 169.253.255.255 yes
169.254.0.0 169.254.255.255 no
169.255.0.0 172.15.255.255 yes
172.16.0.0 172.31.255.255 no
172.32.0.0 191.255.255.255 yes
192.0.0.0 192.0.0.255 no
192.0.1.0 192.0.1.255 yes
192.0.2.0 192.0.2.255 no
192.88.99.0 192.88.99.255 no
192.168.0.0 192.168.255.255 no
192.169.0.0 198.17.255.255 yes
198.18.0.0 198.19.255.255 no
198.51.100.0 198.51.100.255 no
203.0.113.0 203.0.113.255 no
203.0.114.0 223.255.255.255 yes
224.0.0.0 255.255.255.255 no
:: ::ffff no
::1 ::1 no
::127.0.0.1 ::127.0.0.1 no
::ffff:0.0.0.0 ::ffff:0.255.255.255 no
::ffff:10.0.0.1 ::ffff:10.0.0.1 no
::ffff:127.0.0.1 ::ffff:127.0.0.1 no
::ffff:8.8.8.8 ::ffff:8.8.8.8 yes
64:ff9b::7f00:1 64:ff9b::a9fe:a9fe no
64:ff9b:1:: 64:ff9b:1:ffff:: no
100:: 100::ffff no
2000:: 2000:ffff:: yes
2001:: 2001:1ff:: no
2001:db8:: 2001:db8:ffff:: no
2002:7f00:1:: 2002:ffff:: no
2400:3200::1 2400:3200::1 yes
3fff:: 3fff:fff:: no
4000:: 5fff:: no
fc00:: fdff:ffff:: no
fe80:: febf:ffff:: no
fec0:: feff:: no
ff00:: ffff:: no
";

fn public() -> Egress {
    Egress::Public { allowed: Vec::new() }
}

fn allowing(range: &str) -> Egress {
    Egress::Public { allowed: vec![range.parse().unwrap()] }
}

#[test]
fn only_global_unicast_addresses_are_public() {
    let lines: Vec<&str> = RANGES.lines().filter(|line| !line.is_empty()).collect();
    for line in &lines {
        let words: Vec<&str> = line.split(' ').collect();
        for address in &words[..2] {
            let address: IpAddr = address.parse().unwrap();
            assert_eq!(public().permits(address), words[2] == "yes", "{address} of {line}");
            let loopback = address.to_canonical().is_loopback();
            assert_eq!(Egress::LoopbackOnly.permits(address), loopback, "{address} of {line}");
        }
    }
    assert_eq!(lines.len(), 44);
}

#[test]
fn numbers_are_judged_in_every_spelling() {
    for (egress, address, allowed) in [
        (public(), "https://8.8.8.8/x", true),
        (public(), "https://edu.shancheng.example/x", true),
        (public(), "https://127.0.0.1/", false),
        (public(), "https://2130706433/", false),
        (public(), "https://0x7f.1/", false),
        (public(), "https://0177.0.0.1/", false),
        (public(), "https://127.1/", false),
        (public(), "https://１２７.0.0.1/", false),
        (public(), "https://[::1]/", false),
        (public(), "https://[::ffff:169.254.169.254]/latest/meta-data", false),
        (public(), "https://169.254.169.254/latest/meta-data", false),
        (public(), "http://edu.shancheng.example/", false),
        (public(), "http://8.8.8.8/", false),
        (public(), "http://localhost/", false),
        (public(), "ftp://edu.shancheng.example/", false),
        (public(), "file:///etc/passwd", false),
        (allowing("10.0.0.0/8"), "https://10.1.2.3/", true),
        (allowing("10.0.0.0/8"), "http://10.1.2.3/", false),
        (allowing("10.0.0.0/8"), "https://192.168.1.1/", false),
        (allowing("127.0.0.0/8"), "http://127.0.0.1:8787/", true),
        (allowing("127.0.0.0/8"), "http://localhost:8787/", true),
        (Egress::LoopbackOnly, "http://127.0.0.1:8787/", true),
        (Egress::LoopbackOnly, "http://[::1]:8787/", true),
        (Egress::LoopbackOnly, "https://8.8.8.8/", false),
        (Egress::LoopbackOnly, "http://10.0.0.1/", false),
    ] {
        let url = Url::parse(address).unwrap();
        assert_eq!(egress.check(&url).is_ok(), allowed, "{address} {:?}", egress.check(&url));
    }
    let plain = Url::parse("http://gateway.shancheng.example/hook").unwrap();
    assert_eq!(public().check_address(&plain), Ok(()), "allow_http = true");
}

#[test]
fn a_refusal_says_what_to_do_and_keeps_secrets() {
    let url = Url::parse("http://robot:canary-pass@gateway.example/hook?key=canary-key").unwrap();
    let text = public().check(&url).unwrap_err().to_string();
    assert_eq!(
        text,
        "网址 http://gateway.example/hook 必须以 https:// 开头；内网确实只有 http 的，请在这条渠道里写 allow_http = true"
    );
    let url = Url::parse("https://192.168.7.9/").unwrap();
    let text = public().check(&url).unwrap_err().to_string();
    assert!(text.contains("allow = [\"192.168.7.9/32\"]"), "{text}");
    let rehearsal = Egress::LoopbackOnly.check(&url).unwrap_err().to_string();
    assert!(rehearsal.contains("演练时只连本机"), "{rehearsal}");
}

/// A server that counts connections and answers each with a redirect to `location`.
fn redirecting_server(location: impl FnOnce(u16) -> String) -> (u16, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let location = location(port);
    let served = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&served);
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            count.fetch_add(1, Ordering::SeqCst);
            let mut request = [0; 1024];
            let _ = stream.read(&mut request);
            let head = format!("HTTP/1.1 302 Found\r\nLocation: {location}\r\n");
            let _ = write!(stream, "{head}Content-Length: 0\r\nConnection: close\r\n\r\n");
        }
    });
    (port, served)
}

#[tokio::test]
async fn a_name_that_resolves_to_the_machine_itself_is_refused_before_connecting() {
    let (port, served) = redirecting_server(|port| format!("http://127.0.0.1:{port}/secret"));
    let client = client(&public(), None, Duration::from_secs(5)).unwrap();
    let address = format!("http://localhost:{port}/");
    let error = client.get(&address).send().await.unwrap_err();
    let refusal = EgressError::within(&error).unwrap();
    assert!(matches!(refusal, EgressError::Private { host, .. } if host == "localhost"));
    assert_eq!(served.load(Ordering::SeqCst), 0, "nothing was connected to");
}

#[tokio::test]
async fn a_redirect_to_a_private_address_is_not_followed() {
    let (port, served) = redirecting_server(|port| format!("http://127.0.0.1:{port}/secret"));
    for egress in [Egress::LoopbackOnly, allowing("127.0.0.0/8")] {
        let before = served.load(Ordering::SeqCst);
        let client = client(&egress, None, Duration::from_secs(5)).unwrap();
        let answer = client.get(format!("http://localhost:{port}/")).send().await.unwrap();
        assert_eq!(answer.status(), 302);
        assert_eq!(served.load(Ordering::SeqCst) - before, 1, "one request, none after it");
    }
}

#[tokio::test]
async fn a_name_without_an_address_fails_in_chinese() {
    let client = client(&public(), None, Duration::from_secs(5)).unwrap();
    let error = client.get("https://nobody.invalid/").send().await.unwrap_err();
    let refusal = EgressError::within(&error).unwrap().to_string();
    assert!(refusal.starts_with("找不到主机 nobody.invalid"), "{refusal}");
}

#[tokio::test]
async fn a_rehearsal_uses_no_proxy() {
    let (proxy_port, seen) = redirecting_server(|_| "http://elsewhere.example/".to_owned());
    let (port, served) = redirecting_server(|_| "http://elsewhere.example/".to_owned());
    let proxy = Url::parse(&format!("http://127.0.0.1:{proxy_port}")).unwrap();
    let address = format!("http://127.0.0.1:{port}/");
    let timeout = Duration::from_secs(5);
    let rehearsing = client(&Egress::LoopbackOnly, Some(&proxy), timeout).unwrap();
    rehearsing.get(&address).send().await.unwrap();
    assert_eq!((seen.load(Ordering::SeqCst), served.load(Ordering::SeqCst)), (0, 1));
    let real = client(&public(), Some(&proxy), timeout).unwrap();
    real.get(&address).send().await.unwrap();
    assert_eq!((seen.load(Ordering::SeqCst), served.load(Ordering::SeqCst)), (1, 1));
}
