//! Reads files of the content folder, and nothing outside it.

use crate::model::{Diagnostic, Severity, SourceFile};
use std::{
    fs::File,
    io::{ErrorKind, Read as _},
    path::{Path, PathBuf},
    sync::Arc,
};

/// A lesson or registry is typed by hand; what is longer is a mistake.
pub(super) const MAX_TEXT_BYTES: u64 = 1 << 20;
/// A picture goes to branches over slow lines.
pub(super) const MAX_PICTURE_BYTES: u64 = 8 << 20;

/// The content folder.
pub(super) struct Folder {
    root: PathBuf,
    /// Without symbolic links, to see whether a path leaves the folder.
    canonical: PathBuf,
}

impl Folder {
    /// Opens the content folder.
    pub(super) fn open(root: &Path) -> Result<Self, Diagnostic> {
        match root.canonicalize() {
            Ok(canonical) if canonical.is_dir() => Ok(Self { root: root.to_owned(), canonical }),
            _ => Err(fault(
                Path::new(""),
                "read/no-content",
                format!("找不到内容文件夹 {}", root.display()),
                "检查路径；内容文件夹里应有 lessons/、topics.toml 和 hotlines.toml。".into(),
            )),
        }
    }

    /// Whether there is something of that name.
    pub(super) fn has(&self, path: &Path) -> bool {
        self.root.join(path).symlink_metadata().is_ok()
    }

    /// The names in a folder, sorted; hidden ones and editors' backups are left out. A folder that
    /// is not there has none.
    pub(super) fn names(&self, path: &Path) -> Result<Vec<String>, Diagnostic> {
        let entries = match self.root.join(path).read_dir() {
            Ok(entries) => entries,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(unreadable(path, &error)),
        };
        let mut names = Vec::new();
        for entry in entries {
            let entry = entry.map_err(|error| unreadable(path, &error))?;
            let name = entry.file_name().to_string_lossy().into_owned();
            if !name.starts_with('.') && !name.ends_with('~') {
                names.push(name);
            }
        }
        names.sort_unstable();
        Ok(names)
    }

    /// Whether that is a folder.
    pub(super) fn is_folder(&self, path: &Path) -> bool {
        self.root.join(path).is_dir()
    }

    /// The bytes of a regular file inside the content folder.
    pub(super) fn bytes(&self, path: &Path, max_bytes: u64) -> Result<Vec<u8>, Diagnostic> {
        let full = self.root.join(path);
        let real = full.canonicalize().map_err(|error| unreadable(path, &error))?;
        if !real.starts_with(&self.canonical) {
            return Err(fault(
                path,
                "read/outside-content",
                "这个文件是指向内容文件夹外面的链接".into(),
                "把文件本身放进内容文件夹，不要用链接。".into(),
            ));
        }
        // Before opening: opening a named pipe would wait for a writer for ever.
        let metadata = real.metadata().map_err(|error| unreadable(path, &error))?;
        if !metadata.is_file() {
            return Err(fault(
                path,
                "read/not-a-file",
                "这里应当是一个普通文件".into(),
                "换成文件，或者改个名字。".into(),
            ));
        }
        let too_large = || {
            fault(
                path,
                "read/file-too-large",
                format!("文件有 {} KB，最多 {} KB", metadata.len() >> 10, max_bytes >> 10),
                "把它缩小；图片可以降低尺寸，课文可以拆开。".into(),
            )
        };
        if metadata.len() > max_bytes {
            return Err(too_large());
        }
        let mut file = File::open(&real).map_err(|error| unreadable(path, &error))?;
        let mut bytes = Vec::with_capacity(usize::try_from(metadata.len()).unwrap_or_default());
        // The file may grow while it is read; the limit holds all the same.
        let read = file.by_ref().take(max_bytes + 1).read_to_end(&mut bytes);
        read.map_err(|error| unreadable(path, &error))?;
        if bytes.len() as u64 > max_bytes {
            return Err(too_large());
        }
        Ok(bytes)
    }

    /// A text in UTF-8; a byte order mark is dropped.
    pub(super) fn text(&self, path: &Path) -> Result<Arc<SourceFile>, Diagnostic> {
        let bytes = self.bytes(path, MAX_TEXT_BYTES)?;
        match std::str::from_utf8(&bytes) {
            Ok(text) => Ok(source(path, text)),
            Err(error) => Err(not_utf8(path, &bytes, error.valid_up_to())),
        }
    }

    /// A table in UTF-8 or GBK, which is what spreadsheets on Chinese Windows save.
    pub(super) fn table(&self, path: &Path) -> Result<Arc<SourceFile>, Diagnostic> {
        let bytes = self.bytes(path, MAX_TEXT_BYTES)?;
        match std::str::from_utf8(&bytes) {
            Ok(text) => Ok(source(path, text)),
            Err(error) => match decode_gbk(&bytes) {
                Some(text) => Ok(source(path, &text)),
                None => Err(not_utf8(path, &bytes, error.valid_up_to())),
            },
        }
    }
}

fn source(path: &Path, text: &str) -> Arc<SourceFile> {
    Arc::new(SourceFile {
        path: path.to_owned(),
        text: text.strip_prefix('\u{FEFF}').unwrap_or(text).into(),
    })
}

fn decode_gbk(bytes: &[u8]) -> Option<String> {
    encoding_rs::GBK
        .decode_without_bom_handling_and_without_replacement(bytes)
        .map(std::borrow::Cow::into_owned)
}

fn not_utf8(path: &Path, bytes: &[u8], at: usize) -> Diagnostic {
    let line = bytes[..at].split(|byte| *byte == b'\n').count();
    let guess = if decode_gbk(bytes).is_some() { "看起来是 GBK 编码：" } else { "" };
    fault(
        path,
        "read/not-utf8",
        format!("文件不是 UTF-8 编码，第 {line} 行（第 {} 个字节）起读不出来", at + 1),
        format!("{guess}在编辑器里选“另存为”，编码选 UTF-8。"),
    )
}

fn unreadable(path: &Path, error: &std::io::Error) -> Diagnostic {
    let (reason, help) = match error.kind() {
        ErrorKind::NotFound => ("找不到这个文件", "检查文件名；链接要指向存在的文件。"),
        ErrorKind::PermissionDenied => ("没有权限读这个文件", "改文件的权限，让本程序能读。"),
        _ => ("这个文件读不出来", "检查磁盘和文件本身。"),
    };
    let detail = match error.kind() {
        ErrorKind::NotFound | ErrorKind::PermissionDenied => String::new(),
        _ => format!("（{error}）"),
    };
    fault(path, "read/unreadable", format!("{reason}{detail}"), help.into())
}

/// An error of a whole file.
pub(super) fn fault(path: &Path, code: &'static str, reason: String, help: String) -> Diagnostic {
    Diagnostic {
        code,
        severity: Severity::Error,
        file: Arc::new(SourceFile { path: path.to_owned(), text: "".into() }),
        span: None,
        reason,
        help,
    }
}
