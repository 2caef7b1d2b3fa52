//! What problems and warnings say.

use super::{WHOLE, edited, expect_problems, good, load, load_files, words};

#[test]
fn unknown_keys_name_the_nearest_and_their_line() {
    for (from, to, expected) in [
        (
            "listen =",
            "listn =",
            &["bowline.toml:1:", "`listn`", "`listen`"][..],
        ),
        (
            "token =",
            "tokn =",
            &["bowline.toml:7:", "`tokn`", "in [[site]]", "`token`"],
        ),
        (
            "[[workspace]]",
            "[[workspaces]]",
            &["bowline.toml:9:", "`workspaces`", "`workspace`"],
        ),
        (
            "project =",
            "notify.comented.note = true\nproject =",
            &[
                "bowline.toml:15:",
                "`comented`",
                "`notify` of [[binding]]",
                "`commented`",
            ],
        ),
        (
            "[[workspace]]\n",
            "[[workspace]]\nwebhook_secret = \"x\"\n",
            &["bowline.toml:10:", "`webhook_secret`", "exists in [[site]]"],
        ),
        (
            "name = \"acme\"",
            "name = \"acme\"\npublic_url = \"https://x.example.com\"",
            &["bowline.toml:11:", "at the top of the file, above"],
        ),
        (
            "name = \"acme\"",
            "name = \"acme\"\naccess_tokenfile = \"x\"",
            &["bowline.toml:11:", "`access_token_file`"],
        ),
        (
            "project =",
            "[binding.transition]\nto = \"x\"\n[[binding]]\nproject =",
            &["bowline.toml:15:", "[[binding.transition]]"],
        ),
    ] {
        let problems = load(&edited(from, to), &[]).unwrap_err();
        let lines: Vec<String> = problems.iter().map(ToString::to_string).collect();
        assert!(
            lines
                .iter()
                .any(|line| expected.iter().all(|fragment| line.contains(fragment))),
            "{expected:?} not in {lines:#?}"
        );
    }
}

#[test]
fn unknown_variables_name_the_nearest() {
    for (variable, near) in [
        ("BOWLINE_LISTN", "BOWLINE_LISTEN"),
        ("BOWLINE_listen", "BOWLINE_LISTEN"),
        (
            "BOWLINE_SITE__ACME_JIRA__TOKN",
            "BOWLINE_SITE__ACME_JIRA__TOKEN",
        ),
        (
            "BOWLINE_SITE__ACME_JIRA__TOKENFILE",
            "BOWLINE_SITE__ACME_JIRA__TOKEN_FILE",
        ),
        (
            "BOWLINE_SIT__ACME_JIRA__TOKEN",
            "BOWLINE_SITE__ACME_JIRA__TOKEN",
        ),
        ("BOWLINE_LOG_FORMAT", "BOWLINE_LOG__FORMAT"),
        ("BOWLINE_SITE__ACME_JIRA", "BOWLINE_SITE__ACME_JIRA__"),
        (
            "BOWLINE_BINDING__0__NOTIFY__CREATED__NOT",
            "BOWLINE_BINDING__0__NOTIFY__CREATED__NOTE",
        ),
        ("BOWLINE_PORTAL", "BOWLINE_"),
    ] {
        expect_problems(
            WHOLE,
            &[(variable, "x")],
            &[&[&format!("environment variable {variable}: unknown"), near]],
        );
    }
}

#[test]
fn wrong_values_are_named_with_their_mending() {
    for (from, to, expected) in [
        (
            "listen = \"127.0.0.1:8080\"",
            "listen = \"localhost:8080\"",
            &["toml:1:", "\"localhost:8080\"", "127.0.0.1:8080"][..],
        ),
        (
            "listen = \"127.0.0.1:8080\"",
            "listen = 8080",
            &["toml:1:", "takes a text, not a number"],
        ),
        (
            "listen = \"127.0.0.1:8080\"",
            "listen = \"\"",
            &["toml:1:", "is empty"],
        ),
        (
            "listen =",
            "database_url = \"mysql://root:hunter2@x\"\nlisten =",
            &["toml:1:", "is for mysql"],
        ),
        (
            "listen =",
            "database_url = \"sqlite::memory:\"\nlisten =",
            &["toml:1:", "in memory"],
        ),
        (
            "listen =",
            "database_url = \"bowline.db\"\nlisten =",
            &["toml:1:", "has no scheme"],
        ),
        (
            "listen =",
            "database_url = \"sqlite:\"\nlisten =",
            &["toml:1:", "names no file"],
        ),
        (
            "listen =",
            "public_url = \"bowline.example.com\"\nlisten =",
            &["toml:1:", "is not an address"],
        ),
        (
            "listen =",
            "public_url = \"ftp://bowline.example.com\"\nlisten =",
            &["toml:1:", "begins with ftp:"],
        ),
        (
            "listen =",
            "log.level = \"info,=,\"\nlisten =",
            &["toml:1:", "`log.level`"],
        ),
        (
            "listen =",
            "log.format = \"jsn\"\nlisten =",
            &["toml:1:", "not one of text, json", "\"json\""],
        ),
        (
            "listen =",
            "metrics = \"yes\"\nlisten =",
            &["toml:1:", "`metrics` is \"yes\""],
        ),
        (
            "listen =",
            "limits.payload_days = 0\nlisten =",
            &["toml:1:", "0 days", "from 1 to 3650"],
        ),
        (
            "listen =",
            "limits.payload_days = 1.5\nlisten =",
            &["toml:1:", "a whole number, not a number with a fraction"],
        ),
        (
            "\"cloud\"",
            "\"clowd\"",
            &["toml:4:", "\"clowd\"", "\"cloud\""],
        ),
        (
            "url = \"https://acme.example.com\"",
            "url = \"https://u:hunter2@acme.example.com\"",
            &["toml:5:", "holds a user name"],
        ),
        (
            "url = \"https://acme.example.com\"",
            "url = \"https://acme.example.com/?a=1\"",
            &["toml:5:", "holds a query"],
        ),
        (
            "url = \"https://acme.example.com\"\n",
            "",
            &["toml:2:", "site \"acme-jira\" has no `url`"],
        ),
        (
            "email = \"bot@acme.example.com\"\n",
            "",
            &["toml:2:", "has no `email`"],
        ),
        (
            "bot@acme.example.com",
            "bot",
            &["toml:6:", "not an e-mail address"],
        ),
        ("\"jira-token\"", "\"\"", &["toml:7:", "`token` is empty"]),
        (
            "\"jira-token\"",
            "\" hunter2\"",
            &["toml:7:", "begins or ends with white space"],
        ),
        (
            "\"jira-token\"",
            "\"hun\\nter2\"",
            &["toml:7:", "line break"],
        ),
        (
            "token = \"jira-token\"\n",
            "",
            &["toml:2:", "has no `token`"],
        ),
        (
            "webhook_secret =",
            "webhook_secret_previous =",
            &["toml:8:", "but no `webhook_secret`"],
        ),
        (
            "webhook_secret = \"hook\"\n",
            "",
            &[
                "takes webhooks, but site \"acme-jira\" has no",
                "webhooks = false",
            ],
        ),
        (
            "name = \"acme\"",
            "name = \"Acme Inc\"",
            &["toml:10:", "cannot be the name"],
        ),
        (
            "name = \"acme\"",
            "name = \"a--b\"",
            &["toml:10:", "cannot be the name"],
        ),
        (
            "name = \"acme\"",
            "name = \"007\"",
            &["toml:10:", "cannot be the name"],
        ),
        (
            "name = \"acme\"",
            "name = \"acme\"\nregion = \"uk\"",
            &["toml:11:", "us, eu, au"],
        ),
        (
            "name = \"acme\"",
            "name = \"acme\"\napp_user = \"bob\"",
            &["toml:11:", "not the id of a teammate"],
        ),
        (
            "site = \"acme-jira\"",
            "site = \"acme-jir\"",
            &["toml:14:", "the site \"acme-jir\"", "\"acme-jira\""],
        ),
        (
            "workspace = \"acme\"",
            "workspace = \"acne\"",
            &["toml:16:", "the workspace \"acne\"", "\"acme\""],
        ),
        ("\"ENG\"", "\"eng\"", &["toml:15:", "\"ENG\""]),
        (
            "\"ENG\"",
            "\"ENG-1\"",
            &["toml:15:", "not the key of a project"],
        ),
        (
            "project =",
            "linking = \"yes\"\nproject =",
            &["toml:15:", "true or false, not a text"],
        ),
        (
            "project =",
            "notify.commented.filter = \"some\"\nproject =",
            &["toml:15:", "marker:TEXT"],
        ),
        (
            "project =",
            "notify.commented.filter = \"marker: \"\nproject =",
            &["toml:15:", "marker:TEXT"],
        ),
        (
            "project =",
            "transition = [{ to = \"*\" }]\nproject =",
            &["toml:15:", "`to` is \"*\""],
        ),
        (
            "project =",
            "transition = [{ to = \"category:dune\" }]\nproject =",
            &["toml:15:", "\"category:done\""],
        ),
        (
            "project =",
            "transition = [{ from = \"x\" }]\nproject =",
            &["toml:15:", "has no `to`"],
        ),
        (
            "project =",
            "notify = true\nproject =",
            &["toml:15:", "`notify` is a table"],
        ),
        (
            "project =",
            "transition = \"Done\"\nproject =",
            &["toml:15:", "list of tables"],
        ),
    ] {
        // Errors that follow from the one under test may stand beside it, but never the secret.
        let problems = load(&edited(from, to), &[])
            .map_or_else(|problems| problems, |_| panic!("accepted: {to}"));
        let said = words(&problems);
        assert!(
            problems.iter().any(|problem| expected
                .iter()
                .all(|fragment| problem.to_string().contains(fragment))),
            "{expected:?} not in {said}"
        );
        assert!(!said.contains("hunter2"), "a secret was repeated: {said}");
    }
}

#[test]
fn duplicates_are_refused() {
    let site = "[[site]]\nname = \"NAME\"\nkind = \"datacenter\"\nurl = \"URL\"\ntoken = \"t\"\n";
    let with = |name: &str, url: &str| {
        format!("{WHOLE}{}", site.replace("NAME", name).replace("URL", url))
    };
    expect_problems(
        &with("acme-jira", "https://x.example.com"),
        &[],
        &[&["two sites named \"acme-jira\"", "bowline.toml:3"]],
    );
    expect_problems(
        &with("other", "https://acme.example.com/"),
        &[],
        &[&["have the same `url`"]],
    );
    let binding = "[[binding]]\nsite = \"acme-jira\"\nproject = \"ENG\"\nworkspace = \"acme\"\n";
    expect_problems(
        &format!("{WHOLE}{binding}"),
        &[],
        &[&["toml:17:", "two bindings of project ENG", "toml:13"]],
    );
    expect_problems(
        "listen = \"127.0.0.1:1\"\nlisten = \"127.0.0.1:2\"\n",
        &[],
        &[&["toml:2:", "duplicate key"]],
    );
}

#[test]
fn all_problems_are_told_together() {
    let text = edited("token =", "tokn =")
        .replace("acme-jira\"\nproject", "acme-jir\"\nproject")
        .replace("127.0.0.1:8080", "x");
    expect_problems(
        &text,
        &[
            ("BOWLINE_LISTN", "x"),
            ("BOWLINE_BINDING__0__LINKING", "yes"),
            ("BOWLINE_SITE__5__TOKEN", "x"),
        ],
        &[
            &["toml:1:", "`listen`"],
            &["toml:2:", "has no `token`"],
            &["toml:7:", "unknown key `tokn`"],
            &["toml:14:", "acme-jir"],
            &["BOWLINE_BINDING__0__LINKING", "neither true nor false"],
            &["BOWLINE_LISTN", "BOWLINE_LISTEN"],
            &["BOWLINE_SITE__5__TOKEN", "Use 1 here"],
        ],
    );
}

#[test]
fn a_list_written_as_a_table_is_one_mistake() {
    expect_problems(
        &edited("[[site]]", "[site]"),
        &[],
        &[&["toml:2:", "`site` is a list", "[[site]]"]],
    );
}

#[test]
fn broken_toml_is_told_with_its_line_and_without_its_text() {
    for (text, expected) in [
        ("a = \n", "toml:1:"),
        (
            "listen = \"127.0.0.1:1\"\n[[site]]\ntoken = \"hunter2\n",
            "toml:3:",
        ),
        ("x = hunter2", "toml:1:"),
    ] {
        let said = words(&load(text, &[]).unwrap_err());
        assert!(
            said.contains(expected) && said.contains("not valid TOML") && !said.contains("hunter2"),
            "{said}"
        );
    }
    let said = words(&load_files(Some("/nowhere.toml"), &[], &[]).unwrap_err());
    assert!(
        said.contains("/nowhere.toml") && said.contains("cannot be read"),
        "{said}"
    );
}

#[test]
fn what_is_probably_not_meant_is_a_warning() {
    for (from, to, expected) in [
        (
            "listen =",
            "public_url = \"http://bowline.example.com\"\nlisten =",
            Some("`public_url` is not https"),
        ),
        (
            "url = \"https://acme",
            "url = \"http://acme",
            Some("unencrypted"),
        ),
        (
            "kind = \"cloud\"",
            "kind = \"datacenter\"",
            Some("`email` has no use"),
        ),
        (
            "listen =",
            "public_url = \"https://bowline.example.com\"\nlisten =",
            None,
        ),
        (
            "email =",
            "api_url = \"http://127.0.0.1:4020\"\nemail =",
            None,
        ),
    ] {
        let warnings = good(&edited(from, to), &[]).warnings;
        assert_eq!(
            warnings.len(),
            usize::from(expected.is_some()),
            "{to}: {}",
            words(&warnings)
        );
        assert!(
            expected.is_none_or(|expected| words(&warnings).contains(expected)),
            "{to}"
        );
    }
}

#[test]
fn contacts_are_copied_of_a_workspace_that_exists_and_once() {
    let text = format!("{WHOLE}[[contact_sync]]\nworkspace = \"acme\"\nupdates = false\n");
    let config = good(&text, &[]).config;
    assert_eq!(config.contact_syncs.len(), 1);
    assert!(!config.contact_syncs[0].updates);
    for (more, expected) in [
        (
            "[[contact_sync]]\nworkspace = \"acmee\"\n",
            "The nearest known workspace is \"acme\"",
        ),
        ("[[contact_sync]]\nupdates = true\n", "has no `workspace`"),
        (
            "[[contact_sync]]\nworkspace = \"acme\"\n[[contact_sync]]\nworkspace = \"acme\"\n",
            "are asked for twice",
        ),
    ] {
        let said = words(&load(&format!("{WHOLE}{more}"), &[]).unwrap_err());
        assert!(said.contains(expected), "{said}");
    }
}
