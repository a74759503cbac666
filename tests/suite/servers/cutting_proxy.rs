//! Between a channel and its server: passes everything on, and cuts the connection where told.

use std::{
    net::{Ipv4Addr, SocketAddr},
    sync::{Arc, Mutex},
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
};

/// Where the next matching request is cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cut {
    /// The server never sees it.
    BeforeEffect,
    /// The server has done it, and its answer is lost.
    AfterEffect,
}

/// How the next request of this method whose path holds this part is cut.
type Rule = (Cut, &'static str, &'static str);

/// A proxy on loopback, for as long as the runtime that started it.
#[derive(Clone)]
pub struct CuttingProxy {
    /// Where it listens.
    pub address: SocketAddr,
    rule: Arc<Mutex<Option<Rule>>>,
}

impl CuttingProxy {
    /// In front of `upstream`, `host:port`.
    pub async fn start(upstream: &str) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let proxy = Self { address, rule: Arc::default() };
        let (serving, upstream) = (proxy.clone(), upstream.to_owned());
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let (proxy, upstream) = (serving.clone(), upstream.clone());
                tokio::spawn(async move {
                    let server = TcpStream::connect(&upstream).await.unwrap();
                    // Either end may hang up at any time; then so does the other.
                    let _ = proxy.pass_on(client, server).await;
                });
            }
        });
        proxy
    }

    /// Cuts the next request of that method whose path holds `part`.
    pub fn cut_next(&self, cut: Cut, method: &'static str, part: &'static str) {
        *self.rule.lock().unwrap() = Some((cut, method, part));
    }

    fn rule_for(&self, head: &str) -> Option<Cut> {
        let mut rule = self.rule.lock().unwrap();
        let line = head.lines().next().unwrap_or_default();
        let (cut, _, _) =
            rule.filter(|(_, method, part)| line.starts_with(method) && line.contains(part))?;
        *rule = None;
        Some(cut)
    }

    async fn pass_on(&self, mut client: TcpStream, mut server: TcpStream) -> std::io::Result<()> {
        client.set_nodelay(true)?;
        server.set_nodelay(true)?;
        loop {
            let (head, body) = read_message(&mut client, "").await?;
            let rule = self.rule_for(&head);
            if rule == Some(Cut::BeforeEffect) {
                return Ok(());
            }
            server.write_all(&[head.as_bytes(), &body].concat()).await?;
            let method = head.split(' ').next().unwrap_or_default().to_owned();
            let (head, body) = read_message(&mut server, &method).await?;
            if rule == Some(Cut::AfterEffect) {
                return Ok(());
            }
            client.write_all(&[head.as_bytes(), &body].concat()).await?;
        }
    }
}

/// One HTTP/1.1 message, head and body. `asked` is the method that an answer belongs to.
async fn read_message(stream: &mut TcpStream, asked: &str) -> std::io::Result<(String, Vec<u8>)> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await?);
    }
    let head = String::from_utf8_lossy(&head).into_owned();
    let field = |name: &str| {
        head.lines()
            .filter_map(|line| line.split_once(':'))
            .find(|(key, _)| key.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.trim().to_ascii_lowercase())
    };
    let bodiless = asked == "HEAD" || [" 204 ", " 304 "].iter().any(|s| head[..20].contains(s));
    let mut body = Vec::new();
    if bodiless {
        return Ok((head, body));
    }
    if let Some(length) = field("content-length").and_then(|length| length.parse().ok()) {
        body.resize(length, 0);
        stream.read_exact(&mut body).await?;
    } else if field("transfer-encoding").is_some_and(|coding| coding == "chunked") {
        while !body.ends_with(b"0\r\n\r\n") {
            body.push(stream.read_u8().await?);
        }
    } else if !asked.is_empty() {
        stream.read_to_end(&mut body).await?;
    }
    Ok((head, body))
}
