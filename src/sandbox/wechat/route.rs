//! The interfaces: method, body and daily quota of each, as data.

use super::{
    draft,
    gate::{Answer, Call},
    mass, media, open, publish, statistics, token,
};

/// What a call proves itself with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Proof {
    /// App id and secret, which the interface itself looks at.
    Secret,
    /// `access_token` in the query.
    Token,
}

/// What a call carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Carries {
    /// Nothing; the method is GET.
    Nothing,
    /// Nothing that must be there; the method is POST.
    Anything,
    /// JSON; the method is POST.
    Json,
    /// A file in `multipart/form-data`; the method is POST.
    File,
}

/// One interface.
pub(super) struct Route {
    /// Below `cgi-bin/`; those elsewhere with their folder.
    pub path: &'static str,
    /// Who calls.
    pub proof: Proof,
    /// What it carries.
    pub carries: Carries,
    /// How many calls a day an account has.
    pub daily: Option<u32>,
    /// What it does.
    pub run: fn(&mut Call<'_>) -> Answer,
}

const fn route(
    path: &'static str,
    carries: Carries,
    daily: u32,
    run: fn(&mut Call<'_>) -> Answer,
) -> Route {
    Route { path, proof: Proof::Token, carries, daily: Some(daily), run }
}

/// Every interface. Quotas are those of a new account.
pub(super) const ROUTES: &[Route] = &[
    Route {
        path: "token",
        proof: Proof::Secret,
        carries: Carries::Nothing,
        daily: None,
        run: token::token,
    },
    Route {
        path: "stable_token",
        proof: Proof::Secret,
        carries: Carries::Json,
        daily: None,
        run: token::stable_token,
    },
    route("media/uploadimg", Carries::File, 100_000, media::uploadimg),
    route("material/add_material", Carries::File, 100_000, media::add_material),
    route("material/del_material", Carries::Json, 1000, media::del_material),
    route("material/get_materialcount", Carries::Nothing, 1000, media::get_materialcount),
    route("material/batchget_material", Carries::Json, 1000, media::batchget_material),
    route("draft/add", Carries::Json, 1000, draft::add),
    route("draft/update", Carries::Json, 1000, draft::update),
    route("draft/get", Carries::Json, 500, draft::get),
    route("draft/delete", Carries::Json, 1000, draft::delete),
    route("draft/count", Carries::Nothing, 1000, draft::count),
    route("draft/batchget", Carries::Json, 1000, draft::batchget),
    route("draft/switch", Carries::Anything, 1000, draft::switch),
    route("freepublish/submit", Carries::Json, 100, publish::submit),
    route("freepublish/get", Carries::Json, 100, publish::get),
    route("freepublish/delete", Carries::Json, 10, publish::delete),
    route("freepublish/getarticle", Carries::Json, 100, publish::getarticle),
    route("freepublish/batchget", Carries::Json, 100, publish::batchget),
    route("message/mass/sendall", Carries::Json, 100, mass::sendall),
    route("message/mass/send", Carries::Json, 100, mass::send),
    route("message/mass/preview", Carries::Json, 100, mass::preview),
    route("message/mass/get", Carries::Json, 1000, mass::get),
    route("message/mass/delete", Carries::Json, 10, mass::delete),
    route("message/mass/speed/get", Carries::Anything, 1000, mass::speed_get),
    route("message/mass/speed/set", Carries::Json, 1000, mass::speed_set),
    route("datacube/getarticletotaldetail", Carries::Json, 1000, statistics::article_total_detail),
    route("datacube/getarticleread", Carries::Json, 1000, statistics::article_read),
    route("datacube/getarticleshare", Carries::Json, 1000, statistics::article_share),
    route("datacube/getbizsummary", Carries::Json, 1000, statistics::biz_summary),
    route("datacube/getarticlesummary", Carries::Json, 1000, statistics::retired),
    route("datacube/getarticletotal", Carries::Json, 1000, statistics::retired),
    route("datacube/getuserread", Carries::Json, 1000, statistics::retired),
    route("datacube/getuserreadhour", Carries::Json, 1000, statistics::retired),
    route("datacube/getusershare", Carries::Json, 1000, statistics::retired),
    route("datacube/getusersharehour", Carries::Json, 1000, statistics::retired),
    Route {
        path: "clear_quota",
        proof: Proof::Token,
        carries: Carries::Json,
        daily: None,
        run: open::clear_quota,
    },
    Route {
        path: "openapi/quota/get",
        proof: Proof::Token,
        carries: Carries::Json,
        daily: None,
        run: open::quota_get,
    },
    Route {
        path: "openapi/rid/get",
        proof: Proof::Token,
        carries: Carries::Json,
        daily: None,
        run: open::rid_get,
    },
    route("get_api_domain_ip", Carries::Nothing, 1000, open::domain_ip),
    route("getcallbackip", Carries::Nothing, 1000, open::domain_ip),
];

/// The interface at a path.
pub(super) fn find(path: &str) -> Option<&'static Route> {
    ROUTES.iter().find(|route| route.path == path)
}
