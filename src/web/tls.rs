//! A listener that speaks TLS. Handshakes run beside each other: a phone that is slow, or silent,
//! keeps nobody waiting.

use super::Peer;
use crate::config::TlsConfig;
use axum::{
    extract::connect_info::Connected,
    serve::{IncomingStream, Listener},
};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _};
use std::{
    io,
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{Semaphore, mpsc},
};
use tokio_rustls::{TlsAcceptor, server::TlsStream};

/// For how long a handshake may take.
const PATIENCE: Duration = Duration::from_secs(10);
/// How many handshakes may be under way.
const MOST_HANDSHAKES: usize = 512;
/// After an error of the socket, such as too many open files.
const PAUSE: Duration = Duration::from_millis(500);

/// Why TLS cannot be spoken.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file of `[server]` cannot be read or is not PEM.
    #[error("[server] {key}：读不了 {path}：{reason}。应为 PEM 文件")]
    File {
        /// `certificate` or `key`.
        key: &'static str,
        /// Which file.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// Certificate and key do not belong together, or are of a kind that is not known.
    #[error("[server] certificate 和 key 用不了：{0}")]
    Pair(#[from] rustls::Error),
    /// The address cannot be listened at.
    #[error("[server] tls：监听不了 {address}")]
    Listen {
        /// Where.
        address: SocketAddr,
        /// Why.
        #[source]
        source: io::Error,
    },
}

/// Accepts connections whose handshake is done.
#[derive(Debug)]
pub struct TlsListener {
    ready: mpsc::Receiver<(TlsStream<TcpStream>, SocketAddr)>,
    address: SocketAddr,
}

impl TlsListener {
    /// Listens; paths are below `folder`.
    ///
    /// # Errors
    /// [`TlsError`].
    pub async fn bind(config: &TlsConfig, folder: &Path) -> Result<Self, TlsError> {
        let acceptor = acceptor(config, folder)?;
        let failed = |source| TlsError::Listen { address: config.listen, source };
        let listener = TcpListener::bind(config.listen).await.map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        let (send, ready) = mpsc::channel(MOST_HANDSHAKES);
        tokio::spawn(accept_all(listener, acceptor, send));
        Ok(Self { ready, address })
    }
}

async fn accept_all(
    listener: TcpListener,
    acceptor: TlsAcceptor,
    send: mpsc::Sender<(TlsStream<TcpStream>, SocketAddr)>,
) {
    let room = Arc::new(Semaphore::new(MOST_HANDSHAKES));
    loop {
        let Ok(permit) = Arc::clone(&room).acquire_owned().await else { return };
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = send.closed() => return,
        };
        let Ok((stream, peer)) = accepted else {
            tokio::time::sleep(PAUSE).await;
            continue;
        };
        let (acceptor, send) = (acceptor.clone(), send.clone());
        tokio::spawn(async move {
            let handshake = tokio::time::timeout(PATIENCE, acceptor.accept(stream)).await;
            if let Ok(Ok(stream)) = handshake {
                let _ = send.send((stream, peer)).await;
            }
            drop(permit);
        });
    }
}

fn acceptor(config: &TlsConfig, folder: &Path) -> Result<TlsAcceptor, TlsError> {
    let fault = |key: &'static str, path: &Path, reason: String| TlsError::File {
        key,
        path: path.to_owned(),
        reason,
    };
    let path = folder.join(&config.certificate);
    let chain: Result<Vec<CertificateDer<'static>>, _> =
        CertificateDer::pem_file_iter(&path).and_then(Iterator::collect);
    let chain = chain.map_err(|error| fault("certificate", &path, error.to_string()))?;
    let path = folder.join(&config.key);
    let key = PrivateKeyDer::from_pem_file(&path)
        .map_err(|error| fault("key", &path, error.to_string()))?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut server = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(chain, key)?;
    server.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(TlsAcceptor::from(Arc::new(server)))
}

impl Listener for TlsListener {
    type Io = TlsStream<TcpStream>;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        match self.ready.recv().await {
            Some(accepted) => accepted,
            // The task that sends lives as long as this does.
            None => std::future::pending().await,
        }
    }

    fn local_addr(&self) -> io::Result<Self::Addr> {
        Ok(self.address)
    }
}

impl Connected<IncomingStream<'_, TlsListener>> for Peer {
    fn connect_info(stream: IncomingStream<'_, TlsListener>) -> Self {
        Self(*stream.remote_addr())
    }
}
