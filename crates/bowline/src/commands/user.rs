//! `bowline user`

use std::process::ExitCode;

use crate::config::Loaded;
use crate::service::access;
use anyhow::{Context as _, bail};
use bowline_access::{Access, AccountForm, Granted, Invited, ManagePeople, Who};

use super::{load, store, when};
use crate::cli::{Configured, User};

/// Lists, adds or lets in people.
pub(crate) async fn run(action: User) -> anyhow::Result<ExitCode> {
    match action {
        User::List { configured } => {
            let (_, access, may) = open(&configured).await?;
            list(&access, &may).await
        }
        User::Add {
            configured,
            email,
            name,
            role,
            projects,
        } => {
            let (loaded, access, may) = open(&configured).await?;
            let form = AccountForm {
                name: name.unwrap_or_else(|| email.clone()),
                email,
                role,
                projects,
            };
            let invited = access.add_person(&may, &form).await?;
            Ok(say(&loaded, &invited))
        }
        User::Reset { configured, email } => {
            let (loaded, access, may) = open(&configured).await?;
            let Some(known) = access.person_by_email(&may, &email).await? else {
                bail!(
                    "there is nobody with the e-mail address {email}; bowline user list shows all"
                );
            };
            let invited = access.reset_password(&may, known.person.id).await?;
            Ok(say(&loaded, &invited))
        }
        User::RemoveSecondFactor { configured, email } => {
            let (_, access, may) = open(&configured).await?;
            let Some(known) = access.person_by_email(&may, &email).await? else {
                bail!(
                    "there is nobody with the e-mail address {email}; bowline user list shows all"
                );
            };
            if access
                .remove_second_factor_of(&may, known.person.id)
                .await?
            {
                println!(
                    "{email} is not asked for a second factor any more. Anyone who knows the \
                     password comes in with it alone until another one is set up."
                );
            } else {
                println!("{email} has no second factor.");
            }
            Ok(ExitCode::SUCCESS)
        }
    }
}

async fn open(configured: &Configured) -> anyhow::Result<(Loaded, Access, Granted<ManagePeople>)> {
    let loaded = load(configured)?;
    let access = access(store(&loaded).await?, &loaded.config.key_file);
    let may = Who::CommandLine
        .granted()
        .context("the command line may not manage people")?;
    Ok((loaded, access, may))
}

async fn list(access: &Access, may: &Granted<ManagePeople>) -> anyhow::Result<ExitCode> {
    let people = access.people(may).await?;
    if people.is_empty() {
        println!("Nobody yet. The service prints how the owner's account is made when it starts.");
    }
    for known in people {
        let state = match (known.account.active, &known.account.password) {
            (false, _) => "switched off".to_owned(),
            (true, None) if !known.account.elsewhere => "invited".to_owned(),
            (true, _) => match known.account.signed_in_at {
                Some(at) => format!("last signed in {}", when::text(at)),
                None => "never signed in".to_owned(),
            },
        };
        let second = if known.account.second_factor {
            ", second factor"
        } else {
            ""
        };
        println!(
            "{:<32} {:<24} {}  {state}{second}",
            known.person.email, known.person.name, known.person.role
        );
    }
    Ok(ExitCode::SUCCESS)
}

/// Says how the code is used.
fn say(loaded: &Loaded, invited: &Invited) -> ExitCode {
    let base = loaded.config.public_url.as_str().trim_end_matches('/');
    println!(
        "{} chooses a password at {base}/welcome with the code {} within three days.",
        invited.email, invited.code
    );
    ExitCode::SUCCESS
}
