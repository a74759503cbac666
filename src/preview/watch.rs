//! Notices that a file was saved, however an editor saves: in place, by renaming a copy over it,
//! or by somebody replacing the whole folder.
//!
//! The folders are watched with everything in them, and their parents alone: a folder that is
//! replaced keeps its name, but not the watch that was on it.

use super::{desk::Desk, snapshot::Change};
use crate::config::Config;
use notify::{
    Event, EventKind, PollWatcher, RecursiveMode, Watcher,
    event::{AccessKind, AccessMode},
};
use std::{
    path::{Path, PathBuf, absolute},
    sync::Arc,
    time::Duration,
};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio_util::sync::CancellationToken;

/// A save is over when nothing more has happened for so long.
const QUIET: Duration = Duration::from_millis(20);
/// Something that never ends, such as a copy of a large folder, is looked at this often.
const AT_MOST: Duration = Duration::from_millis(150);
/// How often is looked where the system tells nothing.
const POLL: Duration = Duration::from_millis(500);

/// What is watched.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Targets {
    content: PathBuf,
    style: Vec<PathBuf>,
    config: PathBuf,
}

impl Targets {
    fn new(config: &Config, file: &Path) -> Self {
        let whole = |path: &Path| absolute(path).unwrap_or_else(|_| path.to_owned());
        Self {
            content: whole(&config.content),
            style: config.templates.iter().chain(&config.fonts).map(|path| whole(path)).collect(),
            config: whole(file),
        }
    }

    fn folders(&self) -> impl Iterator<Item = &PathBuf> {
        std::iter::once(&self.content).chain(&self.style)
    }

    /// What a path that was touched means; `None` for what no output is made from.
    fn meaning(&self, path: &Path) -> Option<Change> {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if name.starts_with(['.', '#']) || name.ends_with(['~', '#']) || name == "4913" {
            return None;
        }
        if *path == self.config || self.style.iter().any(|folder| path.starts_with(folder)) {
            return Some(Change { style: true });
        }
        path.starts_with(&self.content).then_some(Change { style: false })
    }
}

/// Watches until `stop`; answers why the system's own messages are not to be had.
pub fn start(desk: &Arc<Desk>, stop: CancellationToken) -> Option<String> {
    let snapshot = desk.snapshot();
    let targets = Targets::new(snapshot.config(), desk.config_file());
    let (sender, receiver) = unbounded_channel();
    let (watching, told) = match Watching::new(targets, sender) {
        Ok(both) => both,
        Err(error) => return Some(format!("看不到文件的改动（{error}），请保存后刷新页面")),
    };
    tokio::spawn(follow(Arc::clone(desk), watching, receiver, stop));
    told
}

async fn follow(
    desk: Arc<Desk>,
    mut watching: Watching,
    mut events: UnboundedReceiver<PathBuf>,
    stop: CancellationToken,
) {
    loop {
        let first = tokio::select! {
            () = stop.cancelled() => return,
            first = events.recv() => first,
        };
        let Some(first) = first else { return };
        let mut paths = vec![first];
        let gather = async {
            while let Ok(Some(path)) = tokio::time::timeout(QUIET, events.recv()).await {
                paths.push(path);
            }
        };
        // Whether it ended by itself or was cut short, what was gathered is there.
        let _ = tokio::time::timeout(AT_MOST, gather).await;
        let meanings = paths.iter().filter_map(|path| watching.targets.meaning(path));
        let change = meanings.reduce(|one, other| Change { style: one.style || other.style });
        if watching.targets.folders().any(|folder| paths.contains(folder)) {
            watching.renew();
        }
        let Some(change) = change else { continue };
        let snapshot = desk.read_again(change).await;
        if change.style
            && let Some(snapshot) = snapshot
        {
            watching.aim(Targets::new(snapshot.config(), desk.config_file()));
        }
    }
}

struct Watching {
    targets: Targets,
    watcher: Box<dyn Watcher + Send>,
}

impl Watching {
    fn new(
        targets: Targets,
        sender: UnboundedSender<PathBuf>,
    ) -> notify::Result<(Self, Option<String>)> {
        let told = {
            let sender = sender.clone();
            notify::recommended_watcher(move |event| tell(&sender, event))
        };
        let begun = told.and_then(|watcher| {
            let mut watching = Self { targets: targets.clone(), watcher: Box::new(watcher) };
            watching.begin().map(|()| watching)
        });
        match begun {
            Ok(watching) => Ok((watching, None)),
            Err(error) => {
                let often = notify::Config::default().with_poll_interval(POLL);
                let watcher = PollWatcher::new(move |event| tell(&sender, event), often)?;
                let mut watching = Self { targets, watcher: Box::new(watcher) };
                watching.begin()?;
                let reason = format!("系统不报告文件的改动（{error}），改为每半秒看一次");
                Ok((watching, Some(reason)))
            }
        }
    }

    fn begin(&mut self) -> notify::Result<()> {
        for folder in self.targets.folders() {
            // A folder that is not there yet is noticed when it comes.
            if folder.exists() {
                self.watcher.watch(folder, RecursiveMode::Recursive)?;
            }
        }
        let files = self.targets.folders().chain([&self.targets.config]);
        for parent in files.filter_map(|path| path.parent()) {
            // Watching one folder twice would end the watch of what is in it.
            if !self.targets.folders().any(|folder| parent.starts_with(folder)) {
                self.watcher.watch(parent, RecursiveMode::NonRecursive)?;
            }
        }
        Ok(())
    }

    /// Watches the folders that now have the names.
    fn renew(&mut self) {
        for folder in self.targets.folders() {
            // The old folder's watch went with it.
            let _ = self.watcher.unwatch(folder);
        }
        if let Err(error) = self.begin() {
            tracing::warn!("文件夹换过以后看不到改动：{error}；请重新运行 caishi preview");
        }
    }

    fn aim(&mut self, targets: Targets) {
        if targets != self.targets {
            for folder in self.targets.folders() {
                let _ = self.watcher.unwatch(folder);
            }
            self.targets = targets;
            self.renew();
        }
    }
}

fn tell(sender: &UnboundedSender<PathBuf>, event: notify::Result<Event>) {
    let Ok(event) = event else { return };
    let matters = match event.kind {
        EventKind::Access(AccessKind::Close(AccessMode::Write)) => true,
        EventKind::Access(_) => false,
        _ => true,
    };
    if matters {
        for path in event.paths {
            // Nobody listens any more when the program ends.
            let _ = sender.send(path);
        }
    }
}
