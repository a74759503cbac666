//! `caishi keys`: the ceremony of the keys that sign poster packs.

use super::Exit;
use crate::packs::{RootKeys, SigningKey, new_root, next_root, sign_root, summary};
use anyhow::{Context as _, bail};
use clap::{Args, Subcommand};
use std::{
    fs,
    num::NonZeroUsize,
    path::{Path, PathBuf},
};

/// The online roles, by the names of their key files.
const ONLINE: [&str; 4] = ["targets", "snapshot", "timestamp", "emergency"];

/// Subcommands of `caishi keys`.
#[derive(Debug, Subcommand)]
pub enum KeysCommand {
    /// 一次做齐：三把根密钥、四把在线密钥，和签好的 root.json
    Init(InitArguments),
    /// 只做一把密钥（每位保管人在自己的离线电脑上做），打印公钥
    Generate(GenerateArguments),
    /// 由公钥写一份没签名的 root.json；--after 旧文件 是换密钥或续期
    Root(RootArguments),
    /// 用一把根密钥在 root.json 上签名
    Sign(SignArguments),
    /// 看 root.json：第几版、几时到期、签了几把
    Show(ShowArguments),
}

/// Arguments of `caishi keys init`.
#[derive(Debug, Args)]
pub struct InitArguments {
    /// 放在线密钥和 root.json 的文件夹，即 [channel] 的 keys；根密钥放在它下面的 offline/
    #[arg(value_name = "文件夹")]
    folder: PathBuf,
    /// 根密钥几把
    #[arg(long, value_name = "把", default_value_t = 3, value_parser = clap::value_parser!(u8).range(1..=9))]
    roots: u8,
    /// 其中几把签了才算数
    #[arg(long, value_name = "把", default_value_t = 2, value_parser = clap::value_parser!(u8).range(1..=9))]
    threshold: u8,
}

/// Arguments of `caishi keys generate`.
#[derive(Debug, Args)]
pub struct GenerateArguments {
    /// 新的密钥文件，不覆盖已有的
    #[arg(value_name = "文件")]
    file: PathBuf,
}

/// Arguments of `caishi keys root`.
#[derive(Debug, Args)]
pub struct RootArguments {
    /// 根密钥的公钥（64 位十六进制），写几把就是几把
    #[arg(long = "root", value_name = "公钥", required = true)]
    roots: Vec<String>,
    /// 几把根密钥签了才算数
    #[arg(long, value_name = "把", default_value_t = 2, value_parser = clap::value_parser!(u8).range(1..=9))]
    threshold: u8,
    /// targets 的公钥
    #[arg(long, value_name = "公钥")]
    targets: String,
    /// snapshot 的公钥
    #[arg(long, value_name = "公钥")]
    snapshot: String,
    /// timestamp 的公钥
    #[arg(long, value_name = "公钥")]
    timestamp: String,
    /// 接着哪一份 root.json；新旧两边的根密钥都要签够
    #[arg(long, value_name = "文件")]
    after: Option<PathBuf>,
    /// 写到哪里
    #[arg(long, value_name = "文件", default_value = "root.json")]
    out: PathBuf,
}

/// Arguments of `caishi keys sign`.
#[derive(Debug, Args)]
pub struct SignArguments {
    /// 要签的 root.json
    #[arg(value_name = "文件")]
    root: PathBuf,
    /// 用哪把密钥
    #[arg(long, value_name = "文件")]
    key: PathBuf,
}

/// Arguments of `caishi keys show`.
#[derive(Debug, Args)]
pub struct ShowArguments {
    /// root.json，或放着它的文件夹
    #[arg(value_name = "文件")]
    path: PathBuf,
}

pub(super) fn run(command: &KeysCommand) -> anyhow::Result<Exit> {
    match command {
        KeysCommand::Init(own) => init(own),
        KeysCommand::Generate(own) => generate(own),
        KeysCommand::Root(own) => root(own),
        KeysCommand::Sign(own) => sign(own),
        KeysCommand::Show(own) => show(&own.path),
    }
}

fn init(arguments: &InitArguments) -> anyhow::Result<Exit> {
    let folder = &arguments.folder;
    let offline = folder.join("offline");
    if folder.join("root.json").exists() {
        bail!(
            "{} 里已有 root.json，没有改动；换密钥请用 caishi keys root --after",
            folder.display()
        );
    }
    if arguments.threshold > arguments.roots {
        bail!("--threshold {} 多于 --roots {}", arguments.threshold, arguments.roots);
    }
    fs::create_dir_all(&offline).with_context(|| format!("建不了 {}", offline.display()))?;
    let make = |path: PathBuf| -> anyhow::Result<SigningKey> {
        let key = SigningKey::generate()?;
        key.save(&path)?;
        Ok(key)
    };
    let roots: Vec<SigningKey> = (1..=arguments.roots)
        .map(|number| make(offline.join(format!("root-{number}.der"))))
        .collect::<Result<_, _>>()?;
    let online: Vec<SigningKey> = ONLINE
        .iter()
        .map(|name| make(folder.join(format!("{name}.der"))))
        .collect::<Result<_, _>>()?;
    let public = |key: &SigningKey| key.public().to_vec();
    let keys = RootKeys {
        root: roots.iter().map(public).collect(),
        threshold: NonZeroUsize::new(arguments.threshold.into()).unwrap_or(NonZeroUsize::MIN),
        targets: public(&online[0]),
        snapshot: public(&online[1]),
        timestamp: public(&online[2]),
    };
    let mut root = new_root(&keys, now())?;
    for key in roots.iter().take(arguments.threshold.into()) {
        root = sign_root(&root, key)?;
    }
    write(&folder.join("root.json"), &root)?;
    println!("已做好 {}", folder.display());
    println!("  在线密钥 {}：留在服务器上，只有 caishi 的账号能读", ONLINE.join("、"));
    println!(
        "  根密钥 {} 把在 {}：每把拷到一个 U 盘，分给不同的人保管，然后删掉这个文件夹",
        arguments.roots,
        offline.display()
    );
    println!("  以后换密钥、续期要 {} 把根密钥：caishi keys root --after", arguments.threshold);
    show(folder)
}

fn generate(arguments: &GenerateArguments) -> anyhow::Result<Exit> {
    let key = SigningKey::generate()?;
    key.save(&arguments.file)?;
    eprintln!("已写 {}，只有本人能读；公钥：", arguments.file.display());
    println!("{}", key.public_hex());
    Ok(Exit::Success)
}

fn root(arguments: &RootArguments) -> anyhow::Result<Exit> {
    let keys = RootKeys {
        root: arguments.roots.iter().map(|text| public(text)).collect::<Result<_, _>>()?,
        threshold: NonZeroUsize::new(arguments.threshold.into()).unwrap_or(NonZeroUsize::MIN),
        targets: public(&arguments.targets)?,
        snapshot: public(&arguments.snapshot)?,
        timestamp: public(&arguments.timestamp)?,
    };
    let root = match &arguments.after {
        None => new_root(&keys, now())?,
        Some(old) => next_root(&read(old)?, &keys, now())?,
    };
    if arguments.out.exists() {
        bail!("{} 已存在，没有覆盖；用 --out 写另一个名字", arguments.out.display());
    }
    write(&arguments.out, &root)?;
    eprintln!("已写 {}；下一步逐把签名：caishi keys sign", arguments.out.display());
    show(&arguments.out)
}

fn sign(arguments: &SignArguments) -> anyhow::Result<Exit> {
    let key = SigningKey::load(&arguments.key)?;
    let signed = sign_root(&read(&arguments.root)?, &key)?;
    write(&arguments.root, &signed)?;
    show(&arguments.root)
}

fn show(path: &Path) -> anyhow::Result<Exit> {
    let file = if path.is_dir() { path.join("root.json") } else { path.to_owned() };
    let summary = summary(&read(&file)?)?;
    let (threshold, keys) = summary.threshold;
    println!(
        "{} 第 {} 版，{} 到期；根密钥 {keys} 把、要签 {threshold} 把，已签 {} 把；指纹 {}",
        file.display(),
        summary.version,
        summary.expires.to_zoned(crate::model::bank_zone()).date(),
        summary.signed,
        &summary.digest.to_string()[..16]
    );
    Ok(Exit::Success)
}

fn public(text: &str) -> anyhow::Result<Vec<u8>> {
    let digest = crate::model::Digest::from_hex(text.trim());
    let key = digest.map(|digest| digest.as_bytes().to_vec());
    key.with_context(|| format!("公钥“{text}”应为 64 位十六进制；由 caishi keys generate 打印"))
}

fn read(path: &Path) -> anyhow::Result<Vec<u8>> {
    fs::read(path).with_context(|| format!("读不了 {}", path.display()))
}

fn write(path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    fs::write(path, bytes).with_context(|| format!("写不了 {}", path.display()))
}

fn now() -> jiff::Timestamp {
    jiff::Timestamp::now()
}
