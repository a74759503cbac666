//! Every page and call, with the action that it needs. The table is what the gate is built from
//! and what the tests walk through, cell by cell.

use super::{
    Desk, account, api,
    audit::{again, chain, day},
    branch, branches, campaigns, deliveries,
    gate::{Gate, gate, wrong_method},
    hotlines, jobs, lessons, oidc, overview,
    permit::Action,
    recall,
    review::{act, outputs, queue, remarks, show},
    settings::{health, people, tokens},
    sign_in, statics, submit, week,
};
use axum::{
    Router,
    handler::Handler,
    http::Method,
    middleware::from_fn_with_state,
    routing::{MethodRouter, get, post},
};

/// Forms are short; uploads say their own limit.
const LONGEST_FORM: usize = 256 * 1024;

/// One entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// `GET` or `POST`.
    pub method: Method,
    /// The path, with `{names}`.
    pub path: &'static str,
    /// What somebody must be allowed to do; `None`: nobody need be signed in.
    pub action: Option<Action>,
}

/// Routes and their table, made together so that no page can be without its gate.
#[derive(Debug)]
pub struct Routes {
    desk: Desk,
    router: Router<Desk>,
    rows: Vec<Row>,
}

impl Routes {
    fn new(desk: Desk) -> Self {
        Self { desk, router: Router::new(), rows: Vec::new() }
    }

    /// A page.
    #[must_use]
    pub fn get<H, T>(self, path: &'static str, action: Action, handler: H) -> Self
    where
        H: Handler<T, Desk>,
        T: 'static,
    {
        self.add(Method::GET, path, Some(action), LONGEST_FORM, get(handler))
    }

    /// A form.
    #[must_use]
    pub fn post<H, T>(self, path: &'static str, action: Action, handler: H) -> Self
    where
        H: Handler<T, Desk>,
        T: 'static,
    {
        self.add(Method::POST, path, Some(action), LONGEST_FORM, post(handler))
    }

    /// A form with a file of at most so many bytes, the form included.
    #[must_use]
    pub fn upload<H, T>(
        self,
        path: &'static str,
        action: Action,
        longest: usize,
        handler: H,
    ) -> Self
    where
        H: Handler<T, Desk>,
        T: 'static,
    {
        self.add(Method::POST, path, Some(action), longest, post(handler))
    }

    fn open<H, T>(self, method: Method, path: &'static str, handler: H) -> Self
    where
        H: Handler<T, Desk>,
        T: 'static,
    {
        let route = if method == Method::POST { post(handler) } else { get(handler) };
        self.add(method, path, None, LONGEST_FORM, route)
    }

    fn add(
        mut self,
        method: Method,
        path: &'static str,
        action: Option<Action>,
        longest_body: usize,
        route: MethodRouter<Desk>,
    ) -> Self {
        let state = Gate { desk: self.desk.clone(), action, longest_body };
        let limit = axum::extract::DefaultBodyLimit::max(longest_body);
        let route = route.route_layer(limit).route_layer(from_fn_with_state(state, gate));
        self.router = self.router.route(path, route);
        self.rows.push(Row { method, path, action });
        self
    }
}

fn all(desk: &Desk) -> Routes {
    let routes = Routes::new(desk.clone())
        .open(Method::GET, "/console/sign-in", sign_in::page)
        .open(Method::POST, "/console/sign-in", sign_in::sign_in)
        .open(Method::GET, "/console/invite/{code}", sign_in::invite_page)
        .open(Method::POST, "/console/invite/{code}", sign_in::accept_invite)
        .open(Method::GET, "/console/language/{language}", sign_in::language)
        .open(Method::GET, "/console/oidc/start", oidc::start)
        .open(Method::GET, "/console/oidc/callback", oidc::callback)
        .open(Method::GET, "/console/static/{file}", statics::file)
        .get("/console", Action::ReadOverview, overview::page)
        .open(Method::GET, "/api/v1/openapi.json", api::description)
        .get("/api/v1/overview", Action::ReadOverview, overview::call)
        .get("/api/v1/me", Action::Own, api::me)
        .get("/console/lessons", Action::ReadLessons, lessons::page)
        .get("/console/lessons/{id}", Action::ReadLessons, lessons::lesson_page)
        .get("/api/v1/lessons", Action::ReadLessons, lessons::list)
        .get("/api/v1/lessons/{id}", Action::ReadLessons, lessons::one)
        .get("/console/reviews", Action::ReadReviews, queue::page)
        .get("/console/reviews/{number}", Action::ReadReviews, show::page)
        .post("/console/reviews/{number}/decision", Action::Decide, act::decide_form)
        .post("/console/reviews/{number}/remarks", Action::Remark, remarks::remark_form)
        .post("/console/reviews/{number}/remarks/{id}/answer", Action::Remark, remarks::answer_form)
        .post("/console/reviews/{number}/remarks/{id}/settle", Action::Remark, remarks::settle_form)
        .get("/console/outputs/{manifest}/{digest}", Action::ReadReviews, outputs::output)
        .get("/api/v1/outputs/{manifest}/{sha256}", Action::ReadReviews, outputs::bytes)
        .get("/api/v1/reviews", Action::ReadReviews, queue::list)
        .get("/api/v1/reviews/{number}", Action::ReadReviews, show::one)
        .post("/api/v1/reviews/{number}/decision", Action::Decide, act::decide_call)
        .post("/api/v1/reviews/{number}/remarks", Action::Remark, remarks::remark_call)
        .post("/api/v1/reviews/{number}/remarks/{id}/answer", Action::Remark, remarks::answer_call)
        .post("/api/v1/reviews/{number}/remarks/{id}/settle", Action::Remark, remarks::settle_call)
        .post("/console/sign-out", Action::Own, sign_in::sign_out)
        .get("/console/account", Action::Own, account::page)
        .post("/console/account/password", Action::Own, account::change_password)
        .post("/console/account/tokens", Action::Own, account::make_token)
        .post("/console/account/tokens/{id}/revocation", Action::Own, account::revoke_token)
        .get("/api/v1/me/tokens", Action::Own, tokens::list_own)
        .post("/api/v1/me/tokens", Action::Own, tokens::make_own_call)
        .post("/api/v1/me/tokens/{id}/revocation", Action::Own, tokens::revoke_own_call);
    let routes = hotlines::routes(branch::routes(branches::routes(routes)));
    publishing(audit(settings(routes)))
        .get("/console/{*rest}", Action::Own, sign_in::no_such_page)
        .get("/api/v1/{*rest}", Action::Own, sign_in::no_such_page)
}

fn audit(routes: Routes) -> Routes {
    use Action::ReadAudit;
    routes
        .get("/console/audit", ReadAudit, day::page)
        .get("/console/audit/chain", ReadAudit, chain::page)
        .get("/console/audit/verify", ReadAudit, chain::verify_page)
        .get("/console/audit/export", ReadAudit, chain::export)
        .post("/console/audit/reviews/{number}/rendering", ReadAudit, again::page)
        .get("/api/v1/audit/day", ReadAudit, day::call)
        .get("/api/v1/audit/rows", ReadAudit, chain::list)
        .get("/api/v1/audit/verification", ReadAudit, chain::verify)
        .get("/api/v1/audit/export", ReadAudit, chain::export)
        .post("/api/v1/audit/reviews/{number}/rendering", ReadAudit, again::call)
}

fn settings(routes: Routes) -> Routes {
    use Action::{ChangePeople, ChangeTokens, ReadSettings};
    routes
        .get("/console/settings", ReadSettings, health::page)
        .get("/console/settings/doctor", ReadSettings, health::doctor_page)
        .post("/console/settings/people", ChangePeople, people::save_form)
        .get("/console/settings/people/{id}", ReadSettings, people::page)
        .post("/console/settings/people/{id}/invitation", ChangePeople, people::invite_form)
        .post("/console/settings/people/{id}/account", ChangePeople, people::change_form)
        .post("/console/settings/tokens", ChangeTokens, tokens::make_form)
        .post("/console/settings/tokens/{id}/revocation", ChangeTokens, tokens::revoke_form)
        .get("/api/v1/channels", ReadSettings, health::list_channels)
        .get("/api/v1/doctor", ReadSettings, health::doctor)
        .get("/api/v1/people", ReadSettings, people::list)
        .post("/api/v1/people", ChangePeople, people::save_call)
        .post("/api/v1/people/{id}/invitation", ChangePeople, people::invite_call)
        .post("/api/v1/people/{id}/account", ChangePeople, people::change_call)
        .get("/api/v1/tokens", ReadSettings, tokens::list)
        .post("/api/v1/tokens", ChangeTokens, tokens::make_call)
        .post("/api/v1/tokens/{id}/revocation", ChangeTokens, tokens::revoke_call)
}

/// Week, campaigns, submitting, deliveries, recall, the switch.
fn publishing(routes: Routes) -> Routes {
    use Action::{
        ChangeCampaigns, ChangeSchedule, Hold, ReadDeliveries, ReadOverview, ReadSchedule, Recall,
        Release, SettleDeliveries, Submit,
    };
    routes
        .get("/console/week", ReadSchedule, week::page)
        .get("/console/week/move", ChangeSchedule, week::form)
        .post("/console/week/move", ChangeSchedule, week::change)
        .post("/console/week/decide", ChangeSchedule, week::decide)
        .get("/api/v1/schedule", ReadSchedule, week::api_schedule)
        .get("/api/v1/quotas", ReadSchedule, week::quotas::list)
        .post("/api/v1/slots/move", ChangeSchedule, week::api_move)
        .post("/api/v1/slots/decide", ChangeSchedule, week::api_decide)
        .get("/console/campaigns", ReadSchedule, campaigns::page)
        .get("/console/campaigns/edit", ChangeCampaigns, campaigns::edit)
        .get("/console/campaigns/past", ReadSchedule, campaigns::past)
        .post("/console/campaigns/restore", ChangeCampaigns, campaigns::restore)
        .post("/console/campaigns/lessons", ChangeCampaigns, campaigns::lessons)
        .post("/console/campaigns/plan", ChangeCampaigns, campaigns::plan)
        .post("/console/campaigns/save", ChangeCampaigns, campaigns::save)
        .post("/console/campaigns/dry-run", ChangeCampaigns, campaigns::dry_run)
        .get("/api/v1/campaigns", ReadSchedule, campaigns::api_list)
        .post("/api/v1/campaigns", ChangeCampaigns, campaigns::api_save)
        .get("/api/v1/campaigns/past", ReadSchedule, campaigns::api_past)
        .get("/api/v1/campaigns/version", ReadSchedule, campaigns::api_version)
        .post("/api/v1/campaigns/restoration", ChangeCampaigns, campaigns::api_restore)
        .post("/api/v1/campaigns/plan", ChangeCampaigns, campaigns::api_plan)
        .post("/api/v1/campaigns/dry-run", ChangeCampaigns, campaigns::api_dry_run)
        .get("/console/submit", Submit, submit::page)
        .post("/console/submit", Submit, submit::submit)
        .post("/api/v1/submissions", Submit, submit::api_submit)
        .get("/console/jobs", ReadOverview, jobs::show::list)
        .get("/console/jobs/{id}", ReadOverview, jobs::show::page)
        .get("/api/v1/jobs", ReadOverview, jobs::show::api_list)
        .get("/api/v1/jobs/{id}", ReadOverview, jobs::show::api_job)
        .get("/console/deliveries", ReadDeliveries, deliveries::page)
        .get("/console/deliveries/{id}", ReadDeliveries, deliveries::one)
        .post("/console/deliveries/{id}/settle", SettleDeliveries, deliveries::settle)
        .get("/api/v1/deliveries", ReadDeliveries, deliveries::api_board)
        .get("/api/v1/deliveries/{id}", ReadDeliveries, deliveries::api_one)
        .post("/api/v1/deliveries/{id}/settle", SettleDeliveries, deliveries::api_settle)
        .get("/console/recall", Recall, recall::page)
        .post("/console/recall", Recall, recall::recall)
        .get("/api/v1/recall", Recall, recall::api_plan)
        .post("/api/v1/recall", Recall, recall::api_recall)
        .post("/console/switch/hold", Hold, deliveries::switch::hold)
        .post("/console/switch/release", Release, deliveries::switch::release)
        .get("/api/v1/switch", ReadDeliveries, deliveries::switch::api_switch)
        .post("/api/v1/switch/hold", Hold, deliveries::switch::api_hold)
        .post("/api/v1/switch/release", Release, deliveries::switch::api_release)
}

/// The routes of the console and the interface.
pub fn router(desk: &Desk) -> Router {
    all(desk).router.method_not_allowed_fallback(wrong_method).with_state(desk.clone())
}

/// Their table.
#[must_use]
pub fn rows(desk: &Desk) -> Vec<Row> {
    all(desk).rows
}
