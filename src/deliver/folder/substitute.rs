//! What steps in where what guests see has expired or is taken down.

use super::{
    channel::FolderChannel,
    live::{FORMAT, Live, PortalRules, day, series_of, sweep},
    tree,
    wire::{self, Generation, Pointer},
};
use crate::deliver::{
    Books, DeliverError, Parcel,
    storage::{Effect, StorageError, absent_is_none, off_thread, parallel},
};
use futures_util::{FutureExt as _, StreamExt as _, future::BoxFuture, stream};
use jiff::civil::Date;
use std::{collections::BTreeMap, fs};

/// How many generations of a series are looked at for one that steps in, the newest first.
const LOOKED_AT: usize = 8;

impl FolderChannel {
    /// Shows guests something else where they see the parcel; before its files go.
    pub(super) async fn withdraw_live(
        &self,
        parcel: &Parcel,
        books: &dyn Books,
    ) -> Result<Option<String>, DeliverError> {
        let Some((rules, key)) = self.seen_now(parcel).await? else { return Ok(None) };
        let today = day(books.now().await?);
        match self.give_way(rules, &key, today).await {
            Ok(shown) => Ok(Some(shown)),
            // What is taken down does not stay because nothing could take its place.
            Err(error) => {
                self.show_nothing(today).await?;
                Ok(Some(format!("认证页换不上别的课（{}），先不放课文", error.message)))
            }
        }
    }

    /// The portal's rules and the parcel's key, where guests see the parcel now.
    async fn seen_now(
        &self,
        parcel: &Parcel,
    ) -> Result<Option<(&PortalRules, String)>, DeliverError> {
        let Some(rules) = &self.portal else { return Ok(None) };
        let explain = |error| self.explain(error, "读认证页", Effect::Harmless);
        let key = parcel.key.digest().to_string();
        let live = self.live().await.map_err(explain)?;
        Ok((live.and_then(|live| live.key).as_ref() == Some(&key)).then_some((rules, key)))
    }

    /// What guests will see where the parcel is taken down, said beforehand; `None` where they do
    /// not see it now.
    pub(super) async fn stands_in(
        &self,
        parcel: &Parcel,
        books: &dyn Books,
    ) -> Result<Option<String>, DeliverError> {
        let Some((rules, key)) = self.seen_now(parcel).await? else { return Ok(None) };
        let today = day(books.now().await?);
        let explain = |error| self.explain(error, "找替补的页", Effect::Harmless);
        let found = self.substitute(rules, &key, today, None).await.map_err(explain)?;
        Ok(Some(match found {
            Some(found) => {
                format!("认证页会换成 {}（到 {}）", found.campaign, found.window.until)
            }
            None => format!(
                "没有别的页可换：客人只看到不带课文的页；要有课文，先发布一次 {} 再撤",
                rules.evergreen
            ),
        }))
    }

    /// Shows something else instead of `gone`: what may be shown today, else the evergreen
    /// series. What it is, for people.
    pub(super) async fn give_way(
        &self,
        rules: &PortalRules,
        gone: &str,
        today: Date,
    ) -> Result<String, DeliverError> {
        let explain = |error| self.explain(error, "找替补的页", Effect::Harmless);
        match self.substitute(rules, gone, today, None).await.map_err(explain)? {
            Some(generation) => {
                self.show(rules, &generation).await?;
                let until = &generation.window.until;
                Ok(format!("认证页换成 {}（到 {until}）", generation.campaign))
            }
            None => {
                self.show_nothing(today).await?;
                Ok(format!(
                    "没有别的页可换，{} 也没有完整发布过：客人只看到不带课文的页",
                    rules.evergreen
                ))
            }
        }
    }

    /// Takes everything down that guests could see.
    pub(super) async fn show_nothing(&self, today: Date) -> Result<(), DeliverError> {
        let explain = |error| self.explain(error, "撤下认证页", Effect::Harmless);
        let empty = Live {
            format: FORMAT,
            key: None,
            series: String::new(),
            slot: String::new(),
            from: today.to_string(),
            until: today.to_string(),
        };
        self.write_state(&empty).await.map_err(explain)?;
        self.clear().await.map_err(explain)
    }

    async fn clear(&self) -> Result<(), StorageError> {
        if let Some((root, _)) = self.repository.folder() {
            let root = root.clone();
            return off_thread(move || {
                tree::remove_if_there(fs::remove_file(root.join("live")))?;
                sweep(&root, "")
            })
            .await;
        }
        let operator = self.repository.operator()?;
        let folder = self.repository.path("live/");
        let options = opendal::options::ListOptions { recursive: true, ..Default::default() };
        let listed = self.repository.within(operator.list_options(&folder, options)).await;
        for entry in absent_is_none(listed)?.unwrap_or_default() {
            if entry.metadata().is_file() {
                self.repository.within(operator.delete(entry.path())).await?;
            }
        }
        Ok(())
    }

    /// The newest generation, other than `gone`, whose window has today in it; else what the
    /// evergreen series published last, whatever its window. One whose pages are not all there
    /// keeps no other from stepping in. `None` also where that is the one that is `shown`.
    async fn substitute(
        &self,
        rules: &PortalRules,
        gone: &str,
        today: Date,
        shown: Option<&str>,
    ) -> Result<Option<Generation>, StorageError> {
        for found in self.candidates(rules, gone, today).await? {
            if shown == Some(found.key.as_str()) {
                return Ok(None);
            }
            if self.is_whole(rules, &found).await? {
                return Ok(Some(found));
            }
        }
        Ok(None)
    }

    /// What may step in, the best first.
    async fn candidates(
        &self,
        rules: &PortalRules,
        gone: &str,
        today: Date,
    ) -> Result<Vec<Generation>, StorageError> {
        let (mut current, mut evergreen) = (Vec::new(), Vec::new());
        for pointer in self.pointers().await? {
            let keys = pointer.history.iter().filter(|past| !past.recalled && past.key != gone);
            for past in keys.take(LOOKED_AT) {
                let found = match self.parsed::<Generation>(&wire::generation_path(&past.key)).await
                {
                    Ok(Some(found)) => found,
                    // One that cannot be read keeps no other from stepping in.
                    Ok(None) | Err(StorageError::Garbled { .. }) => continue,
                    Err(error) => return Err(error),
                };
                let holds = |from: &str, until: &str| {
                    from.parse::<Date>().is_ok_and(|from| from <= today)
                        && until.parse::<Date>().is_ok_and(|until| today <= until)
                };
                if series_of(&found) == rules.evergreen {
                    evergreen.push(found);
                } else if holds(&found.window.from, &found.window.until) {
                    current.push(found);
                }
            }
        }
        for list in [&mut current, &mut evergreen] {
            list.sort_by(|one, other| other.slot.cmp(&one.slot));
        }
        current.append(&mut evergreen);
        Ok(current)
    }

    /// Whether every page that guests would see of a generation is there, in full length.
    async fn is_whole(
        &self,
        rules: &PortalRules,
        generation: &Generation,
    ) -> Result<bool, StorageError> {
        let operator = self.repository.operator()?;
        let names = rules.names(generation);
        let blobs: BTreeMap<String, u64> =
            names.values().map(|file| (wire::blob_path(&file.sha256), file.bytes)).collect();
        if blobs.is_empty() {
            return Ok(false);
        }
        let sizes: Vec<BoxFuture<'_, Result<bool, StorageError>>> = blobs
            .iter()
            .map(|(path, bytes)| {
                let operator = &operator;
                async move { Ok(self.repository.size(operator, path).await? == Some(*bytes)) }
                    .boxed()
            })
            .collect();
        let mut sizes = stream::iter(sizes).buffer_unordered(parallel(&operator));
        while let Some(is_there) = sizes.next().await {
            if !is_there? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    pub(super) async fn pointers(&self) -> Result<Vec<Pointer>, StorageError> {
        let mut pointers = Vec::new();
        for name in self.repository.files_in("current/").await? {
            // What starts with a full stop is about to replace one of them.
            let series = name.strip_suffix(".json").filter(|series| !series.starts_with('.'));
            if series.is_some() {
                pointers.extend(self.parsed::<Pointer>(&format!("current/{name}")).await?);
            }
        }
        Ok(pointers)
    }

    /// Gives way where the window of what guests see has ended.
    pub(super) async fn expire(
        &self,
        rules: &PortalRules,
        books: &dyn Books,
    ) -> Result<Option<String>, DeliverError> {
        let today = day(books.now().await?);
        let explain = |error| self.explain(error, "看认证页的期限", Effect::Harmless);
        let live = self.live().await.map_err(explain)?;
        let shown = live.as_ref().and_then(|live| live.key.clone());
        let Some(live) = live.filter(|live| live.key.is_some() && live.series != rules.evergreen)
        else {
            // Nothing, or what steps in: something else may have its day by now.
            let found = self.substitute(rules, "", today, shown.as_deref()).await;
            return match found.map_err(explain)? {
                Some(found) => {
                    self.show(rules, &found).await?;
                    Ok(Some(format!("认证页换成 {}", found.campaign)))
                }
                None => Ok(None),
            };
        };
        let is_over = live.until.parse::<Date>().is_ok_and(|until| until < today);
        let Some(key) = live.key.filter(|_| is_over) else { return Ok(None) };
        self.give_way(rules, &key, today).await.map(Some)
    }
}
