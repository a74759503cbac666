//! The interface for programs: what the pages do, as JSON under `/api/v1`, described by OpenAPI.
//!
//! A call acts as a person, with a token that an administrator made for them; it may do what both
//! the person's roles and the token's scopes allow. Faults are RFC 9457 problem details.

use super::{
    Desk,
    audit::{again, chain, day},
    caller::Caller,
    lessons,
    permit::Action,
    review::{act, outputs, queue, remarks, show},
    routes::{self, Row},
    settings::{health, people, tokens},
};
use axum::{
    Json,
    extract::State,
    http::{Method, header},
    response::{IntoResponse, Response},
};
use serde::Serialize;
use utoipa::{
    Modify, OpenApi, ToSchema,
    openapi::{
        ContentBuilder, Ref, ResponseBuilder,
        security::{Http, HttpAuthScheme, SecurityRequirement, SecurityScheme},
    },
};

/// The description of every call.
#[derive(OpenApi)]
#[openapi(
    info(title = "Caishi", description = "财识：计划、审批、投放、撤回、网点、审计"),
    paths(
        me, super::overview::call, super::week::quotas::list, outputs::bytes,
        super::week::api_schedule, super::week::api_move, super::week::api_decide,
        super::campaigns::api_list, super::campaigns::api_save, super::campaigns::api_plan,
        super::campaigns::api_dry_run, super::campaigns::api_past,
        super::campaigns::api_version, super::campaigns::api_restore,
        super::submit::api_submit, super::jobs::show::api_job,
        super::jobs::show::api_list,
        super::deliveries::api_board, super::deliveries::api_one, super::deliveries::api_settle,
        super::recall::api_plan, super::recall::api_recall,
        super::deliveries::switch::api_switch, super::deliveries::switch::api_hold,
        super::deliveries::switch::api_release,
        super::branches::views::list,
        super::branches::views::list_take_downs,
        super::branches::views::make_code,
        super::branches::programs::export_table,
        super::branches::programs::preview_table,
        super::branches::programs::apply_table,
        super::branch::given,
        super::branch::files::give_file,
        super::branch::files::give_zip,
        super::branch::confirm::add_confirmation,
        super::branch::confirm::withdraw_confirmation,
        super::branch::events::list,
        super::branch::events::add,
        super::hotlines::list,
        super::hotlines::show_one,
        super::hotlines::forms::preview_change,
        super::hotlines::forms::make_change,
        super::hotlines::changes::show_change,
        super::hotlines::changes::try_again,
        super::hotlines::changes::give_up,
        lessons::list,
        lessons::one,
        queue::list,
        show::one,
        act::decide_call,
        remarks::remark_call,
        remarks::answer_call,
        remarks::settle_call,
        again::call,
        chain::list,
        chain::verify,
        chain::export,
        day::call,
        health::doctor,
        health::list_channels,
        people::list,
        people::save_call,
        people::invite_call,
        people::change_call,
        tokens::list,
        tokens::make_call,
        tokens::revoke_call,
        tokens::list_own,
        tokens::make_own_call,
        tokens::revoke_own_call,
    ),
    components(schemas(Problem)),
    modifiers(&Bearer, &Problems),
    security(("token" = []))
)]
struct Description;

struct Bearer;

impl Modify for Bearer {
    fn modify(&self, openapi: &mut utoipa::openapi::OpenApi) {
        let scheme = SecurityScheme::Http(Http::new(HttpAuthScheme::Bearer));
        let components = openapi.components.get_or_insert_with(Default::default);
        components.add_security_scheme("token", scheme);
    }
}

/// Which scope each call needs: the table of routes says it.
pub(super) fn scoped(openapi: &mut utoipa::openapi::OpenApi, rows: &[Row]) {
    for row in rows {
        let Some(action) = row.action else { continue };
        let Some(item) = openapi.paths.paths.get_mut(row.path) else { continue };
        let operation = if row.method == Method::POST { &mut item.post } else { &mut item.get };
        let Some(operation) = operation else { continue };
        let (label, _) = action.labels();
        let roles: Vec<_> = action.roles().iter().map(|role| role.labels().0).collect();
        let said = operation.description.take().unwrap_or_default();
        let scope = format!("范围 `{action}`（{label}）；角色：{}。", roles.join("、"));
        operation.description = Some(format!("{said}\n\n{scope}").trim().to_owned());
        // OpenAPI 3.1: for schemes other than OAuth, the names of roles that are needed.
        operation.security = Some(vec![SecurityRequirement::new("token", [action.as_str()])]);
    }
}

/// What any call may answer instead: said once, for all of them.
struct Problems;

impl Modify for Problems {
    fn modify(&self, openapi: &mut utoipa::openapi::OpenApi) {
        let schema = Ref::from_schema_name("Problem");
        for item in openapi.paths.paths.values_mut() {
            for operation in [&mut item.get, &mut item.post].into_iter().flatten() {
                for (status, description) in [
                    ("400", "请求读不懂"),
                    ("401", "没有口令，或口令无效"),
                    ("403", "这个口令或这个人不能做"),
                    ("404", "没有这个东西"),
                    ("405", "不是这种请求"),
                    ("409", "现在的状态不允许"),
                    ("413", "太大"),
                    ("422", "内容不对，逐条说明"),
                    ("429", "太密了"),
                    ("500", "没有做成"),
                    ("503", "台账没有回答"),
                ] {
                    let content = ContentBuilder::new().schema(Some(schema.clone())).build();
                    let response = ResponseBuilder::new()
                        .description(description)
                        .content("application/problem+json", content)
                        .build();
                    operation.responses.responses.insert(status.to_owned(), response.into());
                }
            }
        }
    }
}

/// What went wrong (RFC 9457).
#[derive(Debug, Serialize, ToSchema)]
pub struct Problem {
    /// What is wrong, in one line.
    pub title: String,
    /// The status.
    pub status: u16,
    /// What to do now.
    pub detail: String,
    /// Each fault for itself.
    pub errors: Vec<String>,
}

/// `GET /api/v1/openapi.json`
pub(super) async fn description(State(desk): State<Desk>) -> Response {
    let mut openapi = Description::openapi();
    scoped(&mut openapi, &routes::rows(&desk));
    let text = openapi.to_json().unwrap_or_default();
    ([(header::CONTENT_TYPE, "application/json")], text).into_response()
}

/// Whose token it is, and what it may do.
#[derive(Debug, Serialize, ToSchema)]
pub struct Me {
    /// The person's id.
    pub person: String,
    /// Their name.
    pub name: String,
    /// Their roles.
    pub roles: Vec<String>,
    /// Their branch, with the role `branch`.
    pub branch: Option<String>,
    /// What this token may do now.
    pub actions: Vec<String>,
}

/// Whose token this is, and what it may do.
#[utoipa::path(get, path = "/api/v1/me", tag = "me",
    responses((status = 200, body = Me), (status = 401, body = Problem)))]
pub(super) async fn me(caller: Caller) -> Json<Me> {
    let actions = Action::ALL.iter().filter(|action| caller.may(**action));
    Json(Me {
        actions: actions.map(ToString::to_string).collect(),
        person: caller.person.id.to_string(),
        name: caller.person.name.clone(),
        roles: caller.person.roles.clone(),
        branch: caller.person.branch.as_ref().map(ToString::to_string),
    })
}
