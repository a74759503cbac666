//! The files of a generation under their own names, for people who open the folder at a branch.
//!
//! `releases/<series>/<slot>-<key>/…` holds hard links to the blobs, or copies where the disk has
//! no hard links; `releases/<series>/current` is a symbolic link to the one that counts, replaced
//! by renaming another link onto it. Blobs are made read-only, because whoever edited such a file
//! in place would edit the blob.

use super::wire;
use crate::{
    deliver::{Finding, Parcel},
    model::Digest,
};
use std::{
    collections::BTreeSet,
    fs::{self, File},
    io,
    path::{Path, PathBuf},
    time::Duration,
};

/// The name of the link to the release that counts.
const CURRENT: &str = "current";

/// A file that is still being written after so long is not.
const ABANDONED: Duration = Duration::from_hours(24);

/// With less than this on the disk, `doctor` warns: a week of posters for 300 branches.
#[cfg(unix)]
const LOW_SPACE_MB: u64 = 1000;

/// Makes blobs read-only and their names durable: a pointer must not outlive what it names.
pub(super) fn seal(root: &Path, blobs: &BTreeSet<Digest>) -> io::Result<()> {
    let mut folders = BTreeSet::new();
    for digest in blobs {
        let path = root.join(wire::blob_path(&digest.to_string()));
        let mut permissions = fs::metadata(&path)?.permissions();
        if !permissions.readonly() {
            permissions.set_readonly(true);
            fs::set_permissions(&path, permissions)?;
        }
        folders.extend(path.parent().map(Path::to_owned));
    }
    folders.insert(root.join("blobs"));
    folders.insert(root.join("generations"));
    folders.iter().try_for_each(|folder| sync_folder(folder))
}

#[cfg(unix)]
fn sync_folder(folder: &Path) -> io::Result<()> {
    match File::open(folder) {
        Ok(folder) => folder.sync_all(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error),
    }
}

#[cfg(not(unix))]
fn sync_folder(_folder: &Path) -> io::Result<()> {
    Ok(())
}

/// Removes what writers that were killed have left in `.incoming`.
pub(super) fn sweep(root: &Path) -> io::Result<()> {
    for entry in fs::read_dir(root.join(".incoming"))?.flatten() {
        // Another writer may have finished with it since the folder was listed.
        let Ok(metadata) = entry.metadata() else { continue };
        let age = metadata.modified()?.elapsed().unwrap_or_default();
        if metadata.is_file() && age > ABANDONED {
            remove_if_there(fs::remove_file(entry.path()))?;
        }
    }
    Ok(())
}

/// Lays a generation out under its files' names. Of one that is for some branches only, nothing
/// lies where all look: what they share is in the folder of each.
pub(super) fn lay_out(root: &Path, parcel: &Parcel) -> io::Result<()> {
    let files = parcel.files.iter().flat_map(|file| {
        let names = match &parcel.branches {
            Some(branches) if file.branch.is_none() => {
                let own = |branch| format!("branches/{branch}/{}", file.path);
                branches.iter().map(own).collect()
            }
            _ => vec![file.path.clone()],
        };
        names.into_iter().map(|name| (name, file.sha256.to_string()))
    });
    lay_out_as(root, &root.join(wire::release_path(parcel)), files)
}

/// Lays blobs out under names below `release`. One that is there is complete: it is made under
/// another name and renamed.
pub(super) fn lay_out_as(
    root: &Path,
    release: &Path,
    files: impl Iterator<Item = (String, String)>,
) -> io::Result<()> {
    if release.exists() {
        return Ok(());
    }
    let partial = release.with_extension("partial");
    if partial.exists() {
        fs::remove_dir_all(&partial)?;
    }
    fs::create_dir_all(&partial)?;
    for (name, sha256) in files {
        let blob = root.join(wire::blob_path(&sha256));
        let path = partial.join(&name);
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)?;
        }
        if fs::hard_link(&blob, &path).is_err() {
            fs::copy(&blob, &path)?;
        }
    }
    fs::rename(&partial, release)
}

/// Points `current` at the parcel's release.
pub(super) fn switch(root: &Path, parcel: &Parcel) -> io::Result<()> {
    let release = root.join(wire::release_path(parcel));
    let (Some(folder), Some(name)) = (release.parent(), release.file_name()) else {
        return Ok(());
    };
    point(folder, CURRENT, Path::new(name))
}

/// Makes the link `name` in `folder` point at `target`, in one step.
pub(super) fn point(folder: &Path, name: &str, target: &Path) -> io::Result<()> {
    let link = folder.join(name);
    if fs::read_link(&link).is_ok_and(|found| found == target) {
        return Ok(());
    }
    let beside = folder.join(format!(".{name}"));
    remove_if_there(fs::remove_file(&beside))?;
    make_link(target, &beside)?;
    fs::rename(&beside, &link)?;
    sync_folder(folder)
}

/// Removes the parcel's release, and the link if it points there.
pub(super) fn remove(root: &Path, parcel: &Parcel) -> io::Result<()> {
    let release: PathBuf = root.join(wire::release_path(parcel));
    let (Some(folder), Some(name)) = (release.parent(), release.file_name()) else {
        return Ok(());
    };
    let link = folder.join(CURRENT);
    if fs::read_link(&link).is_ok_and(|target| target == Path::new(name)) {
        remove_if_there(fs::remove_file(&link))?;
    }
    remove_if_there(fs::remove_dir_all(&release))
}

pub(super) fn remove_if_there(removal: io::Result<()>) -> io::Result<()> {
    match removal {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}

#[cfg(unix)]
fn make_link(target: &Path, link: &Path) -> io::Result<()> {
    std::os::unix::fs::symlink(target, link)
}

/// Links to folders need a special right on other systems; a text file says the name instead.
#[cfg(not(unix))]
fn make_link(target: &Path, link: &Path) -> io::Result<()> {
    fs::write(link, target.to_string_lossy().as_bytes())
}

/// Looks whether the disk has room and takes writes; writes nothing.
#[cfg(unix)]
pub(super) fn look(root: &Path) -> Vec<Finding> {
    use rustix::fs::{Access, access, statvfs};
    let Some(there) = root.ancestors().find(|folder| folder.exists()) else { return Vec::new() };
    let there = if there.as_os_str().is_empty() { Path::new(".") } else { there };
    let shown = there.display();
    if !there.is_dir() {
        let next = "请把这个文件移走或改名，或在 channels.toml 里给这条渠道换一个 path";
        return vec![Finding {
            ok: false,
            what: format!("{shown} 是一个文件，不是文件夹：写不进去"),
            next_step: Some(next.to_owned()),
        }];
    }
    let writable = access(there, Access::WRITE_OK).is_ok();
    let mut findings = vec![Finding {
        ok: writable,
        what: format!("{shown} {}", if writable { "可写" } else { "不可写" }),
        next_step: (!writable).then(|| "请给运行 caishi 的用户这个文件夹的写权限".to_owned()),
    }];
    if let Ok(disk) = statvfs(there) {
        let free = disk.f_bavail.saturating_mul(disk.f_frsize) / 1_000_000;
        findings.push(Finding {
            ok: free >= LOW_SPACE_MB,
            what: format!("{shown} 所在的盘还剩 {free} MB"),
            next_step: (free < LOW_SPACE_MB).then(|| "请腾出空间".to_owned()),
        });
    }
    findings
}

/// Looks whether the disk has room and takes writes; other systems tell at the first write.
#[cfg(not(unix))]
pub(super) fn look(_root: &Path) -> Vec<Finding> {
    Vec::new()
}
