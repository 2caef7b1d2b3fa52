//! Letters about connections.

use bowline_net::mail::MailTls;
use secrecy::ExposeSecret as _;

use super::{FILE, WHOLE, edited, expect_problems, good, load_files, words};

fn mail(lines: &str) -> String {
    edited("[[site]]", &format!("[alert_mail]\n{lines}\n[[site]]"))
}

const USUAL: &str = "host = \"smtp.example.com\"\nfrom = \"Bowline <bowline@example.com>\"\n\
    to = [\"ops@example.com\", \"lena@example.com\", \"ops@example.com\"]";

#[test]
fn letters_go_by_starttls_unless_something_else_is_said() {
    let config = good(&mail(USUAL), &[]).config;
    let found = config.alert_mail.unwrap();
    assert_eq!((found.port, found.tls), (587, MailTls::StartTls));
    assert_eq!(found.to, ["ops@example.com", "lena@example.com"]);
    assert!(found.login.is_none());
    for (lines, port) in [
        ("tls = \"tls\"", 465),
        ("tls = \"none\"", 25),
        ("tls = \"none\"\nport = 1025", 1025),
    ] {
        let config = good(&mail(&format!("{USUAL}\n{lines}")), &[]).config;
        assert_eq!(config.alert_mail.unwrap().port, port, "{lines}");
    }
    assert!(good(WHOLE, &[]).config.alert_mail.is_none());
}

#[test]
fn the_password_may_stand_in_a_file_and_all_of_it_in_the_environment() {
    let text = mail(&format!(
        "{USUAL}\nuser = \"bowline\"\npassword_file = \"smtp\""
    ));
    let files = [
        (FILE, text.as_str()),
        ("/etc/bowline/smtp", "correct horse\n"),
    ];
    let loaded = load_files(Some(FILE), &files, &[]);
    let loaded = loaded.unwrap_or_else(|problems| panic!("{}", words(&problems)));
    let (user, password) = loaded.config.alert_mail.unwrap().login.unwrap();
    assert_eq!(
        (user.as_str(), password.expose_secret()),
        ("bowline", "correct horse")
    );
    let env = [
        ("BOWLINE_ALERT_MAIL__HOST", "smtp.example.com"),
        ("BOWLINE_ALERT_MAIL__PORT", "2525"),
        ("BOWLINE_ALERT_MAIL__FROM", "bowline@example.com"),
        (
            "BOWLINE_ALERT_MAIL__TO",
            "ops@example.com, lena@example.com",
        ),
    ];
    let found = good(WHOLE, &env).config.alert_mail.unwrap();
    assert_eq!((found.port, found.to.len()), (2525, 2));
}

#[test]
fn mistakes_are_told_with_how_to_mend_them() {
    for (lines, expected) in [
        (
            "",
            vec![
                ["[alert_mail] has no `host`", "Add it"],
                ["[alert_mail] has no `from`", "Add it"],
                ["[alert_mail] has no `to`", "Add it"],
            ],
        ),
        (
            &USUAL.replace("ops@example.com", "ops"),
            vec![["\"ops\", which is no e-mail address", "Write an address"]],
        ),
        (
            &USUAL.replace(
                "[\"ops@example.com\", \"lena@example.com\", \"ops@example.com\"]",
                "[]",
            ),
            vec![["`to` names nobody", "Name those"]],
        ),
        (
            &format!("{USUAL}\nuser = \"bowline\""),
            vec![["`user` is given without `password`", "Give the password"]],
        ),
        (
            &format!("{USUAL}\ntls = \"none\"\nuser = \"bowline\"\npassword = \"correct horse\""),
            vec![["would go to smtp.example.com in the clear", "starttls"]],
        ),
        (
            &format!("{USUAL}\nport = 0"),
            vec![["`port` is 0", "from 1 to 65535"]],
        ),
        (
            &format!("{USUAL}\ntls = \"ssl\""),
            vec![["\"ssl\"", "nearest"]],
        ),
    ] {
        let expected: Vec<&[&str]> = expected.iter().map(<[&str; 2]>::as_slice).collect();
        expect_problems(&mail(lines), &[], &expected);
    }
    let text = edited(
        "token = \"jira-token\"",
        "token = \"jira-token\"\ntoken_ends_on = \"soon\"",
    );
    expect_problems(
        &text,
        &[],
        &[&["`token_ends_on` is \"soon\"", "2027-01-31"]],
    );
}
