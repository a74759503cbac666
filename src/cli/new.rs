//! `caishi new lesson`

use super::Exit;
use crate::{
    config::Config,
    model::{Audience, LessonId, TopicId},
    read,
};
use anyhow::{Context as _, bail};
use clap::Args;
use std::path::Path;

/// Arguments of `caishi new lesson`.
#[derive(Debug, Args)]
pub struct LessonArguments {
    /// 话题，见 topics.toml
    #[arg(long, value_name = "话题")]
    topic: String,
    /// 课件代号（文件夹名），默认与话题同名
    #[arg(long, value_name = "代号")]
    id: Option<String>,
    /// 版本：general elder student；elder 和 student 加在已有的课件上
    #[arg(long, value_name = "版本", default_value = "general")]
    audience: String,
}

pub(super) fn run(arguments: &LessonArguments, config: &Path) -> anyhow::Result<Exit> {
    let config = Config::load(config)?;
    let reading = read::read_library(&config.content);
    let topic = TopicId::new(&arguments.topic)?;
    let Some(topic) = reading.library.topic(&topic) else {
        let known: Vec<&str> = reading.library.topics.iter().map(|t| t.id.as_str()).collect();
        bail!("topics.toml 里没有话题“{topic}”，现有：{}", known.join("、"));
    };
    let id = LessonId::new(arguments.id.as_deref().unwrap_or(topic.id.as_str()))?;
    let Some(audience) = Audience::from_name(&arguments.audience) else {
        bail!("没有“{}”这个版本，可写 general、elder、student", arguments.audience);
    };
    let today = jiff::Zoned::now().date();
    let draft = read::scaffold::lesson(&id, topic, audience, today, &reading.library);
    let folder = config.content.join("lessons").join(id.as_str());
    let existing: Vec<_> =
        draft.iter().map(|file| folder.join(file.name)).filter(|path| path.exists()).collect();
    if audience == Audience::General && !existing.is_empty() {
        bail!("{} 已经有了，没有改动；换一个代号：--id {id}-2", existing[0].display());
    }
    std::fs::create_dir_all(&folder).with_context(|| format!("建不了 {}", folder.display()))?;
    for file in draft {
        let path = folder.join(file.name);
        if !path.exists() {
            std::fs::write(&path, file.text)
                .with_context(|| format!("写不了 {}", path.display()))?;
            println!("{}", path.display());
        }
    }
    eprintln!("写好后运行：caishi build --lesson {id}");
    Ok(Exit::Success)
}
