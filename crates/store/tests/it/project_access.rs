//! What our account lacks in joined projects, on both databases.

use bowline_domain::ids::{ProjectKey, SiteName};

use crate::support::*;

on_both!(what_is_lacking_is_kept_with_its_time);

pub(crate) async fn what_is_lacking_is_kept_with_its_time(world: &World) {
    let store = &world.store;
    let put = async |project: &str, lacks: &[&str], ms: i64| {
        let place = (site(), ProjectKey::new(project));
        let lacks = lacks.iter().map(|&name| name.to_owned()).collect();
        let put = store.put_project_access(place, lacks, T0.plus_ms(ms));
        put.await.unwrap();
    };
    let of = async |project: &str| {
        let all = store.project_access().await.unwrap();
        let mut all = all.into_iter();
        all.find(|one| one.project.as_str() == project)
    };
    put("ENG", &["EDIT_ISSUES"], 0).await;
    put("OPS", &[], 0).await;
    put("ENG", &["EDIT_ISSUES"], 5).await;
    let eng = of("ENG").await.unwrap();
    assert_eq!(eng.lacks, ["EDIT_ISSUES"]);
    assert_eq!((eng.since, eng.checked_at), (T0, T0.plus_ms(5)), "the same");
    put("ENG", &["BROWSE_PROJECTS", "EDIT_ISSUES"], 6).await;
    let eng = of("ENG").await.unwrap();
    assert_eq!(
        (eng.lacks.len(), eng.since),
        (2, T0.plus_ms(6)),
        "something else"
    );
    put("ENG", &[], 7).await;
    let eng = of("ENG").await.unwrap();
    assert_eq!((eng.lacks.len(), eng.since), (0, T0.plus_ms(7)), "nothing");
    let forget = async |site: SiteName| {
        let gone = store.forget_project_access(site, ProjectKey::new("ENG"));
        gone.await.unwrap();
    };
    forget(SiteName::new("other")).await;
    assert!(of("ENG").await.is_some());
    forget(site()).await;
    assert!(of("ENG").await.is_none() && of("OPS").await.is_some());
}
