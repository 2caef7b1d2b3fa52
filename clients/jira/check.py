"""Checks a simulated Jira with the `jira` package from PyPI, a client that others wrote for the real one.

Environment: JIRA_URL, JIRA_TOKEN, and JIRA_USER (Cloud; Data Center takes the token alone).
Prints one line per step and "N passed, M failed"; the exit status is 0 only if nothing failed.
"""

import os
import sys
import time
import warnings

from jira import JIRA
from jira.exceptions import JIRAError

# The package looks for application links, which concern other Atlassian products.
warnings.filterwarnings("ignore", message="Unable to gather applicationlinks")

URL = os.environ["JIRA_URL"]
USER = os.environ.get("JIRA_USER", "")
TOKEN = os.environ["JIRA_TOKEN"]
PROJECT = os.environ.get("JIRA_PROJECT", "ENG")

steps = []


def step(function):
    steps.append(function)
    return function


def connect(token, **more):
    options = dict(server=URL, max_retries=0, get_server_info=True)
    if cloud:
        return JIRA(basic_auth=(USER, token), **options, **more)
    return JIRA(token_auth=token, **options, **more)


def refused(status, call):
    try:
        call()
    except JIRAError as error:
        assert error.status_code == status, f"expected {status}, got {error.status_code}: {error.text}"
        return error
    raise AssertionError(f"expected {status}, but it was accepted")


def server_kind():
    return JIRA(server=URL, get_server_info=True, max_retries=0)._is_cloud


cloud = server_kind()
jira = connect(TOKEN)
jira3 = connect(TOKEN, options={"rest_api_version": "3"}) if cloud else None
made = {}


def me():
    return jira.myself()["accountId" if cloud else "name"]


@step
def server_info():
    info = jira.server_info()
    assert info["deploymentType"] == ("Cloud" if cloud else "Server"), info
    assert info["baseUrl"], info


@step
def myself():
    shown = jira.myself()
    assert shown["displayName"] and shown["active"] is True, shown


@step
def wrong_token():
    refused(401, lambda: connect("wrong").myself())


@step
def projects():
    keys = [project.key for project in jira.projects()]
    assert PROJECT in keys, keys
    assert jira.project(PROJECT).name
    refused(404, lambda: jira.project("NOPE"))


@step
def create_metadata():
    if cloud:  # the package asks for these only on Data Center
        types = jira._get_json(f"issue/createmeta/{PROJECT}/issuetypes")["issueTypes"]
        fields = jira._get_json(f"issue/createmeta/{PROJECT}/issuetypes/{types[0]['id']}")["fields"]
        required = {field["fieldId"] for field in fields if field["required"]}
    else:
        types = jira.project_issue_types(PROJECT)
        required = {field.fieldId for field in jira.project_issue_fields(PROJECT, types[0].id) if field.required}
    assert "summary" in required, required


@step
def fields_and_meta():
    assert any(field["id"] == "summary" for field in jira.fields())
    assert {status.name for status in jira.statuses()} >= {"To Do", "Done"}
    assert jira.priorities() and jira.issue_types()


@step
def create_issue():
    issue = jira.create_issue(
        project=PROJECT, summary="Made by a client", description="Some *bold* text", issuetype={"name": "Bug"}
    )
    assert issue.key.startswith(PROJECT + "-"), issue.key
    assert issue.fields.summary == "Made by a client"
    assert issue.fields.description == "Some *bold* text", issue.fields.description
    assert issue.fields.status.name == "To Do"
    made["issue"] = issue


@step
def create_issue_refused():
    error = refused(400, lambda: jira.create_issue(project=PROJECT, summary="", issuetype={"name": "Bug"}))
    assert "summary" in error.text, error.text
    refused(400, lambda: jira.create_issue(project=PROJECT, summary="x", issuetype={"name": "Bug"}, nonsense=1))


@step
def adf_only_in_version_3():
    if not cloud:
        return
    fields = dict(project={"key": PROJECT}, summary="ADF", issuetype={"name": "Task"})
    error = refused(400, lambda: jira3.create_issue(**fields, description="text"))
    assert "Atlassian Document" in error.text, error.text
    paragraph = {"type": "paragraph", "content": [{"type": "text", "text": "as ADF"}]}
    issue = jira3.create_issue(**fields, description={"type": "doc", "version": 1, "content": [paragraph]})
    assert issue.raw["fields"]["description"]["content"][0]["content"][0]["text"] == "as ADF", issue.raw
    assert jira.issue(issue.key).fields.description == "as ADF"


@step
def edit_issue():
    issue = made["issue"]
    issue.update(summary="Renamed", fields={"labels": ["one", "two"]})
    again = jira.issue(issue.key)
    assert again.fields.summary == "Renamed" and again.fields.labels == ["one", "two"], again.raw["fields"]
    issue.add_field_value("labels", "three")
    assert "three" in jira.issue(issue.key).fields.labels


@step
def search():
    query = f'project = {PROJECT} AND labels = one AND summary ~ "Renamed" ORDER BY updated DESC'
    if cloud:
        found = jira.enhanced_search_issues(query, fields="summary,status")
        assert jira.approximate_issue_count(query) == len(found)
    else:
        found = jira.search_issues(query, fields="summary,status")
        assert found.total == len(found), found.total
    assert made["issue"].key in [issue.key for issue in found], found


@step
def search_pages():
    label = f"paged-{time.time_ns()}"
    for number in range(7):
        jira.create_issue(project=PROJECT, summary=f"Page {number}", issuetype={"name": "Task"}, labels=[label])
    query = f"labels = {label} ORDER BY id ASC"
    if cloud:
        token, seen = None, []
        while True:
            page = jira.enhanced_search_issues(query, maxResults=3, nextPageToken=token, json_result=True, fields="summary")
            seen += [issue["fields"]["summary"] for issue in page["issues"]]
            token = page.get("nextPageToken")
            if not token:
                assert page["isLast"] is True, page
                break
    else:
        seen = [issue.fields.summary for issue in jira.search_issues(query, maxResults=False)]
    assert seen == [f"Page {number}" for number in range(7)], seen


@step
def search_refused():
    search_issues = jira.enhanced_search_issues if cloud else jira.search_issues
    refused(400, lambda: search_issues("nonsense = 1"))
    refused(400, lambda: search_issues("project ="))
    if cloud:
        refused(400, lambda: search_issues("ORDER BY created"))
        refused(410, lambda: jira._get_json("search", params={"jql": f"project={PROJECT}"}))


@step
def comments():
    issue = made["issue"]
    comment = jira.add_comment(issue, "First *comment*")
    assert comment.body == "First *comment*", comment.body
    comment.update(body="Changed")
    assert jira.comment(issue, comment.id).body == "Changed"
    other = jira.add_comment(issue, "For developers", visibility={"type": "role", "value": "Developers"})
    assert other.visibility.value == "Developers"
    assert [c.id for c in jira.comments(issue)] == [comment.id, other.id]
    comment.delete()
    refused(404, lambda: jira.comment(issue, comment.id))
    assert [c.id for c in jira.comments(issue)] == [other.id]


@step
def internal_comment():
    comment = jira.add_comment(made["issue"], "Internal", is_internal=True)
    shown = jira.comment(made["issue"], comment.id, expand="properties")
    properties = {p.key: p.value for p in shown.properties}
    assert properties["sd.public.comment"].internal is True, shown.raw
    if cloud:
        assert shown.jsdPublic is False, shown.raw


@step
def empty_comment_refused():
    refused(400, lambda: jira.add_comment(made["issue"], ""))


@step
def transitions():
    issue = made["issue"]
    names = {t["name"]: t["id"] for t in jira.transitions(issue)}
    assert "Done" in names and "To Do" not in names, names
    jira.transition_issue(issue, names["Done"], comment="Finished")
    again = jira.issue(issue.key, expand="changelog")
    assert again.fields.status.name == "Done" and again.fields.resolution.name == "Done"
    assert jira.comments(issue)[-1].body == "Finished"
    newest = again.changelog.histories[0]
    changed = {item.field: (item.fromString, item.toString) for item in newest.items}
    assert changed["status"] == ("To Do", "Done") and changed["resolution"] == (None, "Done"), changed
    refused(400, lambda: jira.transition_issue(issue, names["Done"]))
    jira.transition_issue(issue, "In Progress")
    assert jira.issue(issue.key).fields.resolution is None


@step
def assign():
    issue = made["issue"]
    assert jira.assign_issue(issue.key, me())
    again = jira.issue(issue.key).fields.assignee
    assert (again.accountId if cloud else again.name) == me()
    jira.assign_issue(issue.key, None)
    assert jira.issue(issue.key).fields.assignee is None
    found = jira.search_users(query="Lena") if cloud else jira.search_users(user="lena")
    assert [user.displayName for user in found] == ["Lena Fischer"], found


@step
def remote_links():
    issue = made["issue"]
    target = {"url": "https://example.com/conversation/1", "title": "A conversation"}
    link = jira.add_remote_link(issue.key, target, globalId="conversation=1", application={"type": "x", "name": "X"})
    jira.add_remote_link(issue.key, {**target, "title": "Renamed"}, globalId="conversation=1")
    links = jira.remote_links(issue.key)
    assert len(links) == 1 and links[0].object.title == "Renamed", [one.raw for one in links]
    assert jira.remote_link(issue.key, links[0].id).globalId == "conversation=1"
    refused(400, lambda: jira.add_remote_link(issue.key, {"url": "https://example.com"}))
    links[0].delete()
    assert jira.remote_links(issue.key) == []
    assert link.id == links[0].id


@step
def properties():
    issue = made["issue"]
    first = jira.add_issue_property(issue.key, "links.of.a.client", {"count": 1, "ids": ["1"]})
    second = jira.add_issue_property(issue.key, "links.of.a.client", {"count": 2})
    assert (first.status_code, second.status_code) == (201, 200), (first, second)
    assert jira.issue_property(issue.key, "links.of.a.client").value.count == 2
    assert [p.key for p in jira.issue_properties(issue.key)] == ["links.of.a.client"]
    jira.issue_property(issue.key, "links.of.a.client").delete()
    refused(404, lambda: jira.issue_property(issue.key, "links.of.a.client"))


@step
def attachments():
    issue = made["issue"]
    with open(__file__, "rb") as file:
        added = jira.add_attachment(issue, file, filename="check.py")
    assert added.filename == "check.py" and added.size == os.path.getsize(__file__), added.raw
    if not cloud:  # the client follows no redirect of Cloud with its own credentials on another host
        with open(__file__, "rb") as file:
            assert jira.attachment(added.id).get() == file.read()


@step
def missing_things():
    refused(404, lambda: jira.issue(f"{PROJECT}-99999"))
    refused(404, lambda: jira.issue("HR-1"))
    refused(404, lambda: jira.comment(made["issue"], "99999"))


@step
def delete_issue():
    made["issue"].delete()
    refused(404, lambda: jira.issue(made["issue"].key))


failed = 0
for check in steps:
    try:
        check()
        print(f"ok   {check.__name__}")
    except Exception as error:  # a failed step must not hide the others
        failed += 1
        print(f"FAIL {check.__name__}: {type(error).__name__}: {error}")
print(f"{len(steps) - failed} passed, {failed} failed")
sys.exit(1 if failed else 0)
