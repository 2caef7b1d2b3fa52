//! The part of `bowline check` that is about alerts.

use crate::config::Config;
use bowline_net::mail::MailTls;
use bowline_settings::AlertMail;

use super::check::Report;

/// Connects to the server that letters go by, and signs in. Sends nothing.
pub(super) async fn check_mail(config: &Config, report: &mut Report) -> anyhow::Result<()> {
    let Some(mail) = &config.alert_mail else {
        return Ok(());
    };
    let mail = AlertMail {
        host: mail.host.clone(),
        port: mail.port,
        tls: mail.tls,
        login: mail.login.clone(),
        from: mail.from.clone(),
        to: mail.to.clone(),
    };
    println!(
        "\nLetters about connections (by {}:{})",
        mail.host, mail.port
    );
    let authorities = crate::service::http_options(config)?.authorities_pem;
    let secured = match mail.tls {
        MailTls::Off => "without TLS",
        MailTls::StartTls | MailTls::Implicit => "its certificate is trusted",
    };
    match mail.server(authorities, &config.public_url).check().await {
        Ok(()) => {
            let signed_in = match &mail.login {
                Some((user, _)) => format!("{user} may sign in"),
                None => "nobody signs in".to_owned(),
            };
            Report::good(&format!(
                "the server answers, {secured}, {signed_in}. No letter was sent; the page Alerts \
                 sends a test."
            ));
        }
        Err(failure) => report.bad(
            "the mail server",
            &format!(
                "{failure}. Whoever runs the server or Bowline sees whether host, port, tls, user \
                 and password in [alert_mail] are right, and whether this machine may reach it."
            ),
        ),
    }
    println!("  To       {}", mail.to.join(", "));
    Ok(())
}
