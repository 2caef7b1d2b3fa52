// Checks a simulated Jira Cloud with jira.js, a client that others wrote for the real one. It validates every response
// against its schemas, and here a mismatch is an error.
//
// Environment: JIRA_URL, JIRA_USER, JIRA_TOKEN. Prints one line per step and "N passed, M failed".

import assert from 'node:assert/strict';
import { createCloudClient, isAuthError, isNotFoundError } from 'jira.js';

const { JIRA_URL: host, JIRA_USER: email, JIRA_TOKEN: apiToken, JIRA_PROJECT: projectKey = 'ENG' } = process.env;
const connect = token =>
  createCloudClient({ host, auth: { type: 'basic', email, apiToken: token }, onSchemaMismatch: 'throw' });
const jira = connect(apiToken);
const doc = text => ({ type: 'doc', version: 1, content: [{ type: 'paragraph', content: [{ type: 'text', text }] }] });
const refused = async (call, test) => assert.rejects(call, error => test(error) || assert.fail(`${error.name}: ${error.message}`));
const status = code => error => (error.status ?? error.statusCode) === code;

let issueIdOrKey;
let commentId;

const steps = {
  async serverInfo() {
    assert.equal((await jira.serverInfo.getServerInfo()).deploymentType, 'Cloud');
  },
  async myself() {
    assert.equal((await jira.myself.getCurrentUser()).emailAddress, email);
  },
  async wrongToken() {
    await refused(connect('wrong').myself.getCurrentUser(), isAuthError);
  },
  async projects() {
    const page = await jira.projects.searchProjects({ expand: ['projectKeys'] });
    assert.ok(page.values.some(project => project.key === projectKey) && page.isLast);
    assert.equal((await jira.projects.getProject({ projectIdOrKey: projectKey })).key, projectKey);
    assert.ok((await jira.projects.getAllStatuses({ projectIdOrKey: projectKey })).length > 0);
    await refused(jira.projects.getProject({ projectIdOrKey: 'NOPE' }), isNotFoundError);
  },
  async metadata() {
    assert.ok((await jira.workflowStatuses.getStatuses()).some(one => one.statusCategory.key === 'done'));
    assert.ok((await jira.issueTypes.getIssueAllTypes()).length > 0);
    assert.ok((await jira.issueFields.getFields()).some(field => field.id === 'summary'));
    const { issueTypes } = await jira.issues.getCreateIssueMetaIssueTypes({ projectIdOrKey: projectKey });
    const { fields } = await jira.issues.getCreateIssueMetaIssueTypeId({ projectIdOrKey: projectKey, issueTypeId: issueTypes[0].id });
    assert.ok(fields.some(field => field.fieldId === 'summary' && field.required));
    const { permissions } = await jira.permissions.getMyPermissions({ permissions: 'ADD_COMMENTS,LINK_ISSUES' });
    assert.equal(permissions.ADD_COMMENTS.havePermission, true);
  },
  async createIssue() {
    const fields = { project: { key: projectKey }, issuetype: { name: 'Bug' }, summary: 'Made by jira.js' };
    await refused(jira.issues.createIssue({ fields: { ...fields, summary: '' } }), status(400));
    const made = await jira.issues.createIssue({ fields: { ...fields, description: doc('first') } });
    issueIdOrKey = made.key;
    const issue = await jira.issues.getIssue({ issueIdOrKey, expand: 'renderedFields,names,changelog,transitions' });
    assert.equal(issue.fields.summary, fields.summary);
    assert.deepEqual(issue.fields.description, doc('first'));
  },
  async editIssue() {
    await jira.issues.editIssue({ issueIdOrKey, fields: { summary: 'Renamed', description: doc('second') } });
    const issue = await jira.issues.getIssue({ issueIdOrKey, fields: ['summary', 'description'] });
    assert.equal(issue.fields.summary, 'Renamed');
    const log = await jira.issues.getChangeLogs({ issueIdOrKey });
    assert.deepEqual(log.values[0].items.map(item => item.field).sort(), ['description', 'summary']);
  },
  async comments() {
    const made = await jira.issueComments.addComment({
      issueIdOrKey, body: doc('hello'), properties: [{ key: 'marker', value: { effect: 'x' } }],
    });
    commentId = made.id;
    const changed = await jira.issueComments.updateComment({ issueIdOrKey, id: commentId, body: { body: doc('changed') } });
    assert.deepEqual(changed.body, doc('changed'));
    assert.equal((await jira.issueComments.getComments({ issueIdOrKey })).total, 1);
    const property = await jira.issueCommentProperties.getCommentProperty({ commentId, propertyKey: 'marker' });
    assert.deepEqual(property.value, { effect: 'x' });
    await jira.issueComments.deleteComment({ issueIdOrKey, id: commentId });
    await refused(jira.issueComments.getComment({ issueIdOrKey, id: commentId }), isNotFoundError);
  },
  async transitions() {
    const { transitions } = await jira.issues.getTransitions({ issueIdOrKey });
    const done = transitions.find(transition => transition.name === 'Done');
    await jira.issues.doTransition({ issueIdOrKey, transition: { id: done.id } });
    const issue = await jira.issues.getIssue({ issueIdOrKey });
    assert.equal(issue.fields.status.statusCategory.key, 'done');
    await refused(jira.issues.doTransition({ issueIdOrKey, transition: { id: done.id } }), status(400));
  },
  async assign() {
    const [lena] = await jira.userSearch.findUsers({ query: 'Lena' });
    await jira.issues.assignIssue({ issueIdOrKey, accountId: lena.accountId });
    assert.equal((await jira.issues.getIssue({ issueIdOrKey })).fields.assignee.accountId, lena.accountId);
  },
  async search() {
    const jql = `project = ${projectKey} AND statusCategory = Done ORDER BY updated DESC`;
    const page = await jira.issueSearch.searchAndReconsileIssuesUsingJql({ jql, fields: ['summary', 'status'], maxResults: 1 });
    assert.equal(page.issues[0].key, issueIdOrKey);
    const posted = await jira.issueSearch.searchAndReconsileIssuesUsingJqlPost({ jql, fields: ['*all'] });
    assert.equal(posted.issues[0].fields.summary, 'Renamed');
    assert.ok((await jira.issueSearch.countIssues({ jql })).count >= 1);
    const { issues } = await jira.issues.bulkFetchIssues({ issueIdsOrKeys: [issueIdOrKey], fields: ['summary'] });
    assert.equal(issues.length, 1);
    await refused(jira.issueSearch.searchAndReconsileIssuesUsingJql({ jql: 'nonsense = 1' }), status(400));
  },
  async remoteLinks() {
    const object = { url: 'https://example.com/conversation/1', title: 'A conversation', status: { resolved: false } };
    const made = await jira.issueRemoteLinks.createOrUpdateRemoteIssueLink({ issueIdOrKey, globalId: 'g', object });
    const again = await jira.issueRemoteLinks.createOrUpdateRemoteIssueLink({ issueIdOrKey, globalId: 'g', object: { ...object, title: 'Renamed' } });
    assert.equal(again.id, made.id);
    const links = await jira.issueRemoteLinks.getRemoteIssueLinks({ issueIdOrKey });
    assert.deepEqual([links].flat().map(link => link.object.title), ['Renamed']);
    await jira.issueRemoteLinks.deleteRemoteIssueLinkByGlobalId({ issueIdOrKey, globalId: 'g' });
  },
  async properties() {
    const property = { issueIdOrKey, propertyKey: 'links.of.a.client' };
    await jira.issueProperties.setIssueProperty({ ...property, body: { count: 1, ids: ['1'] } });
    assert.equal((await jira.issueProperties.getIssueProperty(property)).value.count, 1);
    assert.equal((await jira.issueProperties.getIssuePropertyKeys({ issueIdOrKey })).keys.length, 1);
    await jira.issueProperties.deleteIssueProperty(property);
    await refused(jira.issueProperties.getIssueProperty(property), isNotFoundError);
  },
  async deleteIssue() {
    await jira.issues.deleteIssue({ issueIdOrKey });
    await refused(jira.issues.getIssue({ issueIdOrKey }), isNotFoundError);
  },
};

let failed = 0;
for (const [name, step] of Object.entries(steps)) {
  try {
    await step();
    console.log(`ok   ${name}`);
  } catch (error) {
    failed += 1;
    console.log(`FAIL ${name}: ${error.name}: ${error.message} ${JSON.stringify(error.issues ?? error.report ?? '')}`.slice(0, 2000));
  }
}
console.log(`${Object.keys(steps).length - failed} passed, ${failed} failed`);
process.exit(failed === 0 ? 0 : 1);
