//! Help with the keyboard. The script shows the same list on `?`.

use askama::Template;
use axum::response::Response;
use bowline_access::Look;

use crate::caller::Caller;
use crate::error::html;
use crate::shell::{Place, Shell};

#[derive(Template)]
#[template(path = "help.html")]
struct HelpPage {
    shell: Shell,
}

pub(crate) async fn page(caller: Caller<Look>) -> Response {
    html(&HelpPage {
        shell: caller.shell("Keyboard", Place::Help),
    })
}
