//! Picking lessons for a campaign where there are more of them than a page lists.

use super::{Browser, Office};
use crate::publishing::town::copy;
use std::fs;

const FORM: &str = "/console/campaigns/edit";
const LESSONS: &str = "/console/campaigns/lessons";

/// An office with eighty more lessons, of two kinds.
async fn full() -> (Office, Browser) {
    let office = Office::new().await;
    let lessons = office.town.path("content/lessons");
    for (original, name, title) in
        [("aml-card", "card", "借卡走账"), ("rmb-counterfeit", "note", "辨认假钞")]
    {
        for number in 0..40 {
            let id = format!("{name}-{number:02}");
            let folder = lessons.join(&id);
            copy(&lessons.join(original), &folder);
            for version in ["lesson.md", "lesson.elder.md", "lesson.student.md"] {
                let path = folder.join(version);
                let text = fs::read_to_string(&path).unwrap();
                let own = text.replace(&format!("id: {original}"), &format!("id: {id}"));
                let (head, rest) = own.split_once("\ntitle: ").unwrap();
                let rest = rest.split_once('\n').unwrap().1;
                fs::write(path, format!("{head}\ntitle: {title}第{number}讲\n{rest}")).unwrap();
            }
        }
    }
    office.desk.content_changed();
    let publisher = office.browser("publisher").await;
    (office, publisher)
}

/// The lessons of a form with their places.
fn listed(page: &str) -> Vec<(String, String)> {
    let rows = page.split("name=\"lesson\" value=\"").skip(1).map(|part| {
        let order = part.split_once("maxlength=\"4\" value=\"").unwrap().1;
        let text = |part: &str| part.split_once('"').unwrap().0.to_owned();
        (text(part), text(order))
    });
    rows.collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn lessons_are_searched_and_what_is_picked_stays() {
    let (office, publisher) = full().await;
    let all = office.town.read().library.lessons.len();
    let page = publisher.get(FORM).await.text;
    assert_eq!(listed(&page).len(), 40, "{page}");
    assert!(page.contains(&format!("没有列出的还有 {}", all - 40)), "{page}");

    // Nothing has to be filled in for a search, and all that was stays.
    let (title, note) = ("笔记，“还没写完”", "note-07");
    let mut fields = vec![("edition", "2027"), ("note", title), ("find", "假钞 第7讲")];
    fields.extend([("lesson", "card-39"), ("order", "2"), ("lesson", "card-38"), ("order", "")]);
    let found = publisher.post(LESSONS, &fields).await;
    assert_eq!(found.status, 200, "{}", found.text);
    let rows = listed(&found.text);
    assert_eq!(rows, [("card-39", "2"), (note, "")].map(|(id, at)| (id.into(), at.into())));
    for kept in ["value=\"2027\"", title, "value=\"假钞 第7讲\""] {
        assert!(found.text.contains(kept), "{kept}: {}", found.text);
    }
    assert!(!found.text.contains("没有保存") && !found.text.contains("没有列出的还有"));

    // By the name of a topic, too; and where nothing fits what is picked is there all the same.
    fields[2] = ("find", "反假");
    let topic = publisher.post(LESSONS, &fields).await.text;
    assert!(topic.contains(note) && listed(&topic).len() == 41, "{topic}");
    fields[2] = ("find", "存款保险");
    let none = publisher.post(LESSONS, &fields).await.text;
    assert!(none.contains("没有别的课件合得上") && listed(&none).len() == 1, "{none}");

    // More of them, until all are listed.
    fields[2] = ("find", "");
    fields.push(("listed", "80"));
    let more = publisher.post(LESSONS, &fields).await.text;
    assert_eq!(listed(&more).len(), 81, "{more}");
    fields.pop();
    fields.push(("listed", "99999999999999999999"));
    assert_eq!(publisher.post(LESSONS, &fields).await.status, 200);
    fields.pop();
    fields.push(("listed", "18446744073709551615"));
    let every = publisher.post(LESSONS, &fields).await.text;
    assert_eq!(listed(&every).len(), all, "{every}");
    assert!(!every.contains("没有列出的还有"));
}

#[tokio::test(flavor = "multi_thread")]
async fn few_lessons_are_listed_without_a_search() {
    let office = Office::new().await;
    let page = office.browser("publisher").await.get(FORM).await.text;
    assert_eq!(listed(&page).len(), office.town.read().library.lessons.len());
    assert!(!page.contains("找课件") && !page.contains("没有列出的还有"), "{page}");
}
