//! The author's preview, `caishi preview`: one lesson, all its outputs side by side as they will be
//! seen, the diagnostics beside the source line, on this machine alone and live while it is written.
//!
//! ```text
//! editor ─save─► watch ─► Snapshot ─► texts ──event──► browser swaps what changed
//!                                  ├► findings ─event─►
//!                                  ├► posters, paper, one by one ─event─►
//!                                  └► what differs from the approved version ─event─►
//! ```
//!
//! 1. [`watch`] tells that something was saved; [`snapshot`] reads everything again.
//! 2. [`desk`] makes the [`build::Piece`](crate::build::Piece)s of every open [`view`], texts first,
//!    each at most once ([`making`], [`cache`]), has them judged ([`judging`]) and tells the browsers;
//!    a newer save ends older work.
//! 3. [`sheet`] is what is known of a view: what was made, what is being made, and of what cannot be
//!    made the last good bytes.
//! 4. [`approved`] looks into the ledger, where there is one; [`source`] puts findings beside lines;
//!    [`geometry`] measures screens and paper.
//! 5. [`page`], [`part`], [`frames`], [`pictures`] and [`after`] fill the templates in `html/`, [`show`] frames finished bytes, [`routes`]
//!    answers requests, which [`guard`] lets in.
//!
//! The bytes shown are those that `caishi build` writes; nothing is drawn by a second renderer.
//! Nothing is written, sent or approved here, no secret is read, and only loopback is listened on.

mod after;
mod approved;
mod cache;
mod desk;
mod frames;
mod geometry;
mod guard;
mod judging;
mod making;
mod page;
mod part;
mod pictures;
mod routes;
mod sheet;
mod show;
mod snapshot;
mod source;
mod view;
mod watch;

use crate::{
    build::BuildError,
    config::ConfigError,
    model::{LessonId, suggest},
};
use desk::Desk;
use jiff::civil::Date;
use snapshot::Snapshot;
use std::{io, net::SocketAddr, path::PathBuf, sync::Arc};
use tokio::{net::TcpListener, task::JoinHandle};
use tokio_util::sync::CancellationToken;

/// What to preview, and where.
#[derive(Debug, Clone)]
pub struct Options {
    /// The configuration file.
    pub config: PathBuf,
    /// A loopback address; port 0 takes a free one.
    pub listen: SocketAddr,
    /// The lesson that is opened first; without one, the list of all.
    pub lesson: Option<String>,
    /// The day for which lessons are checked.
    pub today: fn() -> Date,
}

/// Why there is no preview.
#[derive(Debug, thiserror::Error)]
pub enum PreviewError {
    /// Others could read what nobody has approved.
    #[error(
        "预览只在本机看：{0} 不是本机地址，请写 127.0.0.1:端口 或 [::1]:端口；\
         端口写 0，系统挑一个空的"
    )]
    NotLoopback(SocketAddr),
    /// The address is taken, or not this machine's.
    #[error("监听不了 {address}，请换一个端口（--listen 127.0.0.1:0，系统挑一个空的）")]
    Listen {
        /// Which.
        address: SocketAddr,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// No lesson is called that.
    #[error("没有课件“{name}”。{known}")]
    NoLesson {
        /// What was asked for.
        name: String,
        /// What there is.
        known: String,
    },
    /// The configuration cannot be used.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// Templates, palettes or faces cannot be used.
    #[error(transparent)]
    Build(#[from] BuildError),
    /// Reading stopped in the middle.
    #[error("读内容时程序出错，请把这一句告诉维护者：{0}")]
    Broken(String),
}

/// A running preview. Dropping it stops it.
#[derive(Debug)]
pub struct Preview {
    address: SocketAddr,
    path: String,
    blind: Option<String>,
    stop: CancellationToken,
    server: JoinHandle<io::Result<()>>,
}

impl Drop for Preview {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

impl Preview {
    /// Reads everything, begins to listen and to watch.
    ///
    /// # Errors
    /// [`PreviewError`], each with the next step.
    pub async fn start(options: Options) -> Result<Self, PreviewError> {
        if !options.listen.ip().is_loopback() {
            return Err(PreviewError::NotLoopback(options.listen));
        }
        let Options { config, listen, lesson, today } = options;
        let snapshot = {
            let config = config.clone();
            let read = move || Snapshot::first(&config, today);
            let read = tokio::task::spawn_blocking(read).await;
            read.map_err(|error| PreviewError::Broken(error.to_string()))??
        };
        let path = match &lesson {
            Some(name) => format!("/lesson/{}", known_lesson(&snapshot, name)?),
            None => "/".to_owned(),
        };
        let listener = TcpListener::bind(listen)
            .await
            .map_err(|source| PreviewError::Listen { address: listen, source })?;
        let address = listener
            .local_addr()
            .map_err(|source| PreviewError::Listen { address: listen, source })?;
        let stop = CancellationToken::new();
        let desk = Arc::new(Desk::new(config, snapshot, today));
        let blind = desk.watch(&stop);
        let router = routes::router(Arc::clone(&desk), address, stop.clone());
        let stopping = stop.clone().cancelled_owned();
        let server = tokio::spawn(async move {
            axum::serve(listener, router).with_graceful_shutdown(stopping).await
        });
        Ok(Self { address, path, blind, stop, server })
    }

    /// The address of the page to open.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}{}", self.address, self.path)
    }

    /// Why saving a file is not noticed, where it is not.
    #[must_use]
    pub fn blind(&self) -> Option<&str> {
        self.blind.as_deref()
    }

    /// Stops; open event streams end.
    ///
    /// # Errors
    /// The socket's.
    pub async fn stop(mut self) -> io::Result<()> {
        self.stop.cancel();
        (&mut self.server).await.unwrap_or(Ok(()))
    }
}

/// The lesson's name, where there is a folder of that name, faulty or not.
fn known_lesson(snapshot: &Snapshot, name: &str) -> Result<LessonId, PreviewError> {
    match LessonId::new(name) {
        Ok(id) if snapshot.lessons().contains(&id) => Ok(id),
        _ => {
            let lessons = snapshot.lessons();
            let names = lessons.iter().map(LessonId::as_str);
            Err(PreviewError::NoLesson {
                name: name.to_owned(),
                known: suggest::known(name, names),
            })
        }
    }
}
