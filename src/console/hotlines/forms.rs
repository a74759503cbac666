//! Changing a number: what was typed, what it would mean, and doing it.

use super::{
    super::{
        Desk,
        branches::shortened,
        caller::Caller,
        filters,
        page::{Notice, Page, Shown, render},
        permit::Action,
        routes::Routes,
        sent::Sent,
        trouble::Trouble,
    },
    CarrierView, Line, carrier_view, changes, found, show_form,
};
use crate::{
    model::{Hotline, HotlineId},
    work::hotlines::{Carrier, Group, NewNumber},
};
use askama::Template;
use axum::{
    Json,
    extract::{Path, State},
    response::{IntoResponse, Redirect, Response},
};
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

pub(super) fn routes(routes: Routes) -> Routes {
    routes
        .post("/console/hotlines/{hotline}/preview", Action::ChangeHotlines, preview)
        .post("/console/hotlines/{hotline}", Action::ChangeHotlines, change)
        .post("/api/v1/hotlines/{hotline}/preview", Action::ChangeHotlines, preview_change)
        .post("/api/v1/hotlines/{hotline}", Action::ChangeHotlines, make_change)
}

/// What was typed.
#[derive(Debug, Clone, Default, Deserialize, ToSchema)]
#[serde(default)]
pub struct NumberForm {
    /// The number as shown.
    pub number: String,
    /// Where it was found.
    pub source: String,
    /// The day somebody verified it: `2026-11-30`.
    pub verified_on: String,
    /// Who did.
    pub verified_by: String,
    /// `yes`: the old outputs come down at once, not when the new ones are approved.
    pub at_once: String,
    /// `yes`: the new outputs go out by themselves when they are approved.
    pub republish: String,
    /// The number that the page showed; where it is another by now, nothing is done.
    pub was: String,
}

/// Faults by the field's name.
pub type Faults = Vec<(&'static str, String)>;

impl NumberForm {
    /// What the page begins with.
    pub(super) fn of(hotline: &Hotline, today: Date, person: &str) -> Self {
        Self {
            number: hotline.number.clone(),
            source: hotline.source.clone(),
            verified_on: today.to_string(),
            verified_by: person.to_owned(),
            was: hotline.number.clone(),
            ..Self::default()
        }
    }

    fn read(&self, hotline: &Hotline, today: Date) -> Result<NewNumber, Faults> {
        let mut faults: Faults = Vec::new();
        let number = self.number.trim();
        let dialled = |c: char| c.is_ascii_digit() || "X-+*# ()".contains(c) || c == '转';
        let length = number.chars().count();
        let has_digit = number.chars().any(|c| c.is_ascii_digit());
        if !(3..=24).contains(&length) || !number.chars().all(dialled) || !has_digit {
            let what = format!(
                "“{}”不像电话：3 到 24 位，只用数字和 - + * # 空格 括号 转",
                shortened(number)
            );
            faults.push(("number", what));
        }
        let mut text = |key: &'static str, value: &str, what: &str| {
            let value = value.trim();
            let fits = (1..=100).contains(&value.chars().count());
            if !fits || value.chars().any(char::is_control) {
                faults.push((key, format!("{what}，1 到 100 个字")));
            }
            value.to_owned()
        };
        let source = text("source", &self.source, "写号码是从哪里查到的");
        let verified_by = text("verified_by", &self.verified_by, "写谁核对的");
        let verified_on = self.verified_on.trim().parse::<Date>().ok();
        match verified_on {
            None => faults.push(("verified_on", "写成 2026-11-30 这样的日期".to_owned())),
            Some(day) if day > today => {
                faults.push(("verified_on", "核对的日子不能在今天之后".to_owned()));
            }
            Some(_) => {}
        }
        if !self.was.is_empty() && self.was != hotline.number {
            let what = format!("号码刚被别人改成了 {}；请刷新页面再看", hotline.number);
            faults.push(("number", what));
        }
        match verified_on {
            Some(verified_on) if faults.is_empty() => Ok(NewNumber {
                hotline: hotline.id.clone(),
                number: number.to_owned(),
                was: Some(self.was.clone()).filter(|was| !was.is_empty()),
                source,
                verified_on,
                verified_by,
                at_once: self.at_once == "yes",
                republish: self.republish == "yes",
            }),
            _ => Err(faults),
        }
    }
}

#[derive(Template)]
#[template(path = "console/html/hotline-preview.html")]
struct PreviewPage {
    page: Page,
    line: Line,
    form: NumberForm,
    same: bool,
    carriers: Vec<Carrier>,
    groups: Vec<Group>,
}

impl PreviewPage {
    fn shows<'a>(&self, carrier: &'a Carrier) -> &'a str {
        carrier.numbers.get(&self.line.hotline.id).map_or("", String::as_str)
    }
}

async fn impact(
    desk: &Desk,
    id: &HotlineId,
    number: &str,
) -> Result<(Vec<Carrier>, Vec<Group>), Trouble> {
    let content = desk.content().await?;
    let cache = desk.number_cache();
    Ok(desk.publisher().hotline_groups(&content, cache, id, number).await?)
}

async fn preview(
    State(desk): State<Desk>,
    shown: Shown,
    caller: Caller,
    Path(id): Path<String>,
    Sent(form): Sent<NumberForm>,
) -> Result<Response, Trouble> {
    let (line, carriers) = found(&desk, &id).await?;
    let today = desk.publisher().today().await?;
    let new = match form.read(&line.hotline, today) {
        Ok(new) => new,
        Err(faults) => {
            return show_form(&desk, &shown, caller, (line, carriers), (form, faults)).await;
        }
    };
    let (carriers, groups) = impact(&desk, &new.hotline, &new.number).await?;
    let same = new.number == line.hotline.number;
    let page = Page::new(&desk, &shown, Some(caller), ("改热线", "Change a number")).await;
    render(&PreviewPage { page, line, form, same, carriers, groups })
}

async fn changed(desk: &Desk, caller: &Caller, new: &NewNumber) -> Result<String, Trouble> {
    let _turn = desk.content_turn().await;
    let content = desk.content().await?;
    let cache = desk.number_cache();
    let change = desk.publisher().change_hotline(&content, cache, new, caller.actor()).await;
    desk.content_changed();
    Ok(change?.id)
}

async fn change(
    State(desk): State<Desk>,
    shown: Shown,
    caller: Caller,
    Path(id): Path<String>,
    Sent(form): Sent<NumberForm>,
) -> Result<Response, Trouble> {
    let (line, carriers) = found(&desk, &id).await?;
    let today = desk.publisher().today().await?;
    match form.read(&line.hotline, today) {
        Err(faults) => show_form(&desk, &shown, caller, (line, carriers), (form, faults)).await,
        Ok(new) => {
            let change = changed(&desk, &caller, &new).await?;
            let done = Notice::Saved.as_str();
            let to = format!("/console/hotlines/changes/{change}?done={done}");
            Ok(Redirect::to(&to).into_response())
        }
    }
}

/// What a change would mean.
#[derive(Debug, Serialize, ToSchema)]
pub struct ImpactView {
    /// Live outputs that show another number.
    pub outputs: Vec<CarrierView>,
    /// What would be made again and submitted: subject and lessons.
    pub groups: Vec<changes::GroupView>,
}

async fn asked(desk: &Desk, id: &str, form: &NumberForm) -> Result<NewNumber, Trouble> {
    let (line, _) = found(desk, id).await?;
    let today = desk.publisher().today().await?;
    form.read(&line.hotline, today).map_err(Trouble::wrong_fields)
}

/// What changing a number would mean. Nothing is changed.
#[utoipa::path(post, path = "/api/v1/hotlines/{hotline}/preview", tag = "hotlines",
    params(("hotline" = String, Path)), request_body = NumberForm,
    responses((status = 200, body = ImpactView)))]
pub(in super::super) async fn preview_change(
    State(desk): State<Desk>,
    Path(id): Path<String>,
    Sent(form): Sent<NumberForm>,
) -> Result<Json<ImpactView>, Trouble> {
    let new = asked(&desk, &id, &form).await?;
    let (carriers, groups) = impact(&desk, &new.hotline, &new.number).await?;
    let outputs = carriers.iter().map(|carrier| carrier_view(carrier, &new.hotline));
    let groups = groups.iter().map(|group| changes::group_view(group, &[])).collect();
    Ok(Json(ImpactView { outputs: outputs.collect(), groups }))
}

/// The change that was begun.
#[derive(Debug, Serialize, ToSchema)]
pub struct ChangeAnswer {
    /// Its name: `/api/v1/hotlines/changes/{change}`.
    pub change: String,
}

/// Changes a number; what follows is done by the service.
#[utoipa::path(post, path = "/api/v1/hotlines/{hotline}", tag = "hotlines",
    params(("hotline" = String, Path)), request_body = NumberForm,
    responses((status = 200, body = ChangeAnswer)))]
pub(in super::super) async fn make_change(
    State(desk): State<Desk>,
    caller: Caller,
    Path(id): Path<String>,
    Sent(form): Sent<NumberForm>,
) -> Result<Json<ChangeAnswer>, Trouble> {
    let new = asked(&desk, &id, &form).await?;
    Ok(Json(ChangeAnswer { change: changed(&desk, &caller, &new).await? }))
}
