//! What a kind of gateway wants in its package, as data: `portal/<flavour>/rules.toml` among the
//! templates. A new flavour is a folder with that file and its templates.

use serde::Deserialize;
use std::collections::BTreeMap;

/// The flavour of branches whose gateway nobody named: a page any web server can show.
pub const GENERIC: &str = "generic";

/// Stands for the dollar sign in `$(…)`, the variables that some gateways fill in, wherever rules
/// and templates say so. A private-use character: texts of lessons lose it (see
/// [`escape`](crate::render::templates)), so no lesson can name a variable.
pub(super) const VARIABLE_MARK: char = '\u{E000}';

/// The rules of one kind of gateway.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Flavour {
    /// What people call it.
    pub name: String,
    /// Where its rules are written.
    pub source: String,
    /// When somebody last looked there.
    pub verified_on: String,
    /// Values that forms and templates use as `{key}`, such as the guest account; banks replace
    /// the file to change them.
    #[serde(default)]
    pub settings: BTreeMap<String, String>,
    /// What the whole package must keep.
    #[serde(default)]
    pub package: PackageRules,
    /// The files, in the order of the package.
    #[serde(rename = "file")]
    pub files: Vec<FileRules>,
}

/// What the whole package must keep.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct PackageRules {
    /// All files together, uncompressed, in bytes.
    pub max_bytes: Option<usize>,
    /// Characters of a file's name.
    pub max_name: Option<usize>,
    /// Variables that the gateway fills in, without `$(` and `)`; any other is refused.
    pub variables: Vec<String>,
}

/// One file of a package.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FileRules {
    /// Its name within the package.
    pub name: String,
    /// The template that makes it, a path among the templates.
    pub template: String,
    /// What it is.
    #[serde(default)]
    pub kind: FileKind,
    /// At most so many bytes; of a script, the lines that are sent as a page.
    pub max_bytes: Option<usize>,
    /// How many forms it has, exactly; only pages.
    #[serde(default)]
    pub forms: usize,
    /// The form, the same each time.
    pub form: Option<FormRules>,
    /// Heading and words of a page that is not the lesson.
    pub message: Option<Message>,
}

/// What a file is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum FileKind {
    /// HTML that a guest sees.
    #[default]
    Page,
    /// A shell script that prints a page from quoted here-documents.
    Script,
    /// Text for whoever installs it.
    Text,
}

/// A form that gets a guest on.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FormRules {
    /// Where it goes; `{continue_url}` is the address of the options.
    pub action: String,
    /// `get` or `post`.
    pub method: String,
    /// Hidden fields that the gateway asks for.
    #[serde(default)]
    pub fields: BTreeMap<String, String>,
    /// The button's own name and value, where the gateway asks for them.
    pub button: Option<Button>,
    /// What the button says in Chinese, where it is not 继续上网.
    pub label: Option<String>,
    /// And in English.
    pub label_en: Option<String>,
}

/// Name and value of a button.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Button {
    /// Its name.
    pub name: String,
    /// Its value.
    pub value: String,
}

/// A short page: what happened and what to do.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, serde::Serialize)]
#[serde(deny_unknown_fields)]
pub struct Message {
    /// The heading.
    pub title: String,
    /// What to do.
    pub text: String,
    /// The same in English.
    pub english: String,
}

impl Flavour {
    /// Reads `rules.toml`.
    ///
    /// # Errors
    /// The line, and what is wrong there.
    pub(in crate::render) fn parse(text: &str) -> Result<Self, (usize, String)> {
        let flavour: Self = toml::from_str(text).map_err(|error| {
            let start = error.span().map_or(0, |span| span.start);
            let line = text[..start.min(text.len())].matches('\n').count() + 1;
            (line, error.message().to_owned())
        })?;
        match flavour.fault() {
            None => Ok(flavour),
            Some(fault) => Err((1, fault)),
        }
    }

    /// The first thing that the types do not rule out.
    fn fault(&self) -> Option<String> {
        let unsafe_setting = |value: &String| value.contains(['\'', '"', '\n', '`', '$', '<']);
        if let Some((key, _)) = self.settings.iter().find(|(_, value)| unsafe_setting(value)) {
            return Some(format!("settings 的 {key} 里不能有引号、$、< 和换行"));
        }
        if self.files.is_empty() {
            return Some("至少写一个 [[file]]".into());
        }
        self.files.iter().find_map(|file| {
            let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
            if file.name.is_empty() || !file.name.chars().all(plain) {
                return Some(format!("文件名“{}”只能用字母、数字和 . - _", file.name));
            }
            // Text for whoever installs it may speak of the form.
            if file.kind != FileKind::Text && (file.forms > 0) != file.form.is_some() {
                return Some(format!("{}：forms 和 [file.form] 要么都写，要么都不写", file.name));
            }
            let method = file.form.as_ref().map_or("get", |form| form.method.as_str());
            (!matches!(method, "get" | "post"))
                .then(|| format!("{}：method 应为 get 或 post", file.name))
        })
    }

    /// A value with the settings and the address of the options in it.
    pub(super) fn filled_plain(&self, value: &str, continue_url: &str) -> String {
        let with_address = value.replace("{continue_url}", continue_url);
        self.settings.iter().fold(with_address, |filled, (key, setting)| {
            filled.replace(&format!("{{{key}}}"), setting)
        })
    }

    /// The same, safe in an attribute, with variables of the gateway marked.
    pub(super) fn filled(&self, value: &str, continue_url: &str) -> String {
        let filled = self.filled_plain(value, continue_url);
        self.marked(&filled.replace('&', "&amp;").replace('"', "&quot;").replace('<', "&lt;"))
    }

    /// Marks the variables that the gateway knows.
    fn marked(&self, text: &str) -> String {
        let mut marked = text.to_owned();
        for variable in &self.package.variables {
            let written = format!("$({variable})");
            marked = marked.replace(&written, &format!("{VARIABLE_MARK}({variable})"));
        }
        marked
    }
}
