// Runs Intercom's own client against the simulated Intercom, so that the simulation is judged by
// code that others wrote for the real platform.
//
//   INTERCOM_URL=http://127.0.0.1:4010 INTERCOM_TOKEN=sandbox-intercom-token node check.mjs
//
// Start the sandbox with: cargo run -p bowline-sandbox --example run -- 127.0.0.1:4010
// Exits 0 only if every check passed.

import assert from "node:assert/strict";
import { Intercom, IntercomClient, IntercomError } from "intercom-client";

const baseUrl = process.env.INTERCOM_URL;
const token = process.env.INTERCOM_TOKEN;
if (!baseUrl || !token) {
  console.error("INTERCOM_URL and INTERCOM_TOKEN must be set");
  process.exit(2);
}

const client = new IntercomClient({ baseUrl, token, maxRetries: 0 });
const run = `${Date.now()}-${process.pid}`;
const address = (name) => `${name}-${run}@example.com`;
let passed = 0;
let failed = 0;

async function check(name, body) {
  try {
    await body();
    passed += 1;
    console.log(`ok    ${name}`);
  } catch (error) {
    failed += 1;
    console.error(`FAIL  ${name}: ${error?.stack ?? error}`);
  }
}

async function refusal(kind, statusCode, code, call) {
  const error = await call().then(
    () => assert.fail("it was not refused"),
    (error) => error,
  );
  assert.ok(error instanceof kind, `${error.constructor.name} is no ${kind.name}: ${error}`);
  assert.ok(error instanceof IntercomError);
  assert.equal(error.statusCode, statusCode);
  assert.equal(error.body.type, "error.list");
  assert.equal(error.body.errors[0].code, code);
}

async function control(method, path, body) {
  const answer = await fetch(`${baseUrl}/_control/${path}`, {
    method,
    headers: { "Content-Type": "application/json" },
    body: body && JSON.stringify(body),
  });
  assert.ok(answer.ok, `${method} ${path}: ${answer.status}`);
}

let admin;
let contact;
let conversation;
const parts = (shown) => shown.conversation_parts.conversation_parts;
const newest = (shown) => parts(shown).at(-1);
const manage = (body) => client.conversations.manage({ conversation_id: conversation, body });

await check("identify: the admin and the workspace of the token", async () => {
  const me = await client.admins.identify();
  admin = me.id;
  assert.match(me.app.id_code, /^[a-z0-9]{8}$/);
  assert.equal(me.email_verified, true);
});

await check("admins: list and find", async () => {
  const { admins } = await client.admins.list();
  assert.ok(admins.some((one) => one.id === admin));
  const found = await client.admins.find({ admin_id: Number(admin) });
  assert.equal(found.id, admin);
});

await check("contacts: create, find, update", async () => {
  contact = await client.contacts.create({ email: address("grace"), name: "Grace" });
  assert.match(contact.id, /^[0-9a-f]{24}$/);
  const found = await client.contacts.find({ contact_id: contact.id });
  assert.equal(found.email, address("grace"));
  const changed = await client.contacts.update({ contact_id: contact.id, name: "Grace H" });
  assert.equal(changed.name, "Grace H");
});

await check("contacts: the pager visits every contact once", async () => {
  for (let number = 0; number < 7; number += 1) {
    await client.contacts.create({ email: address(`n${number}`) });
  }
  const ids = [];
  const pager = await client.contacts.list({ per_page: 3 });
  for await (const one of pager) ids.push(one.id);
  assert.ok(ids.length >= 8);
  assert.equal(new Set(ids).size, ids.length);
  assert.ok(ids.includes(contact.id));
});

await check("contacts: search by e-mail", async () => {
  const query = { field: "email", operator: "=", value: address("grace") };
  const found = await client.contacts.search({ query });
  assert.deepEqual(found.data.map((one) => one.id), [contact.id]);
});

// The client has error classes only for what each call documents; anything else is the base class.
await check("contacts: a merged lead is missing in 2.14, and gone in 2.16", async () => {
  const lead = await client.contacts.create({ role: "lead", email: address("grace") });
  const merged = await client.contacts.mergeLeadInUser({ from: lead.id, into: contact.id });
  assert.equal(merged.id, contact.id);
  const find = (version) =>
    client.contacts.find({ contact_id: lead.id }, { headers: { "Intercom-Version": version } });
  await refusal(IntercomError, 404, "not_found", () => find("2.14"));
  await refusal(IntercomError, 410, "contact_merged", () => find("2.16"));
});

await check("conversations: create and find", async () => {
  const message = await client.conversations.create({
    from: { type: "user", id: contact.id },
    body: "It does not work",
  });
  conversation = message.conversation_id;
  assert.match(conversation, /^\d{9,}$/);
  const found = await client.conversations.find({ conversation_id: conversation });
  assert.equal(found.state, "open");
  assert.equal(found.source.body, "<p>It does not work</p>");
  assert.equal(found.contacts.contacts[0].id, contact.id);
  assert.equal(found.admin_assignee_id, null, "nobody is null before 2.16");
});

await check("reply: a note keeps the fragment of its link", async () => {
  const link = `https://jira.example.com/browse/ENG-1#bw-${process.pid}`;
  const shown = await client.conversations.reply({
    conversation_id: conversation,
    body: {
      message_type: "note",
      type: "admin",
      admin_id: admin,
      body: `<p>moved <a href="${link}">ENG-1</a></p><script>x</script>`,
    },
  });
  assert.equal(newest(shown).part_type, "note");
  assert.ok(newest(shown).body.includes(`href="${link}"`), newest(shown).body);
  assert.ok(!newest(shown).body.includes("script"));
  assert.ok(newest(shown).app_package_code);
});

await check("reply: as the contact, to the last conversation", async () => {
  const shown = await client.conversations.reply({
    conversation_id: "last",
    body: { message_type: "comment", type: "user", intercom_user_id: contact.id, body: "Hello?" },
  });
  assert.equal(shown.id, conversation);
  assert.equal(newest(shown).author.type, "user");
});

await check("manage: close, open, snooze, assign", async () => {
  const by = { admin_id: admin };
  const closed = await manage({ message_type: "close", type: "admin", ...by, body: "Goodbye" });
  assert.deepEqual([closed.state, closed.open, newest(closed).part_type], ["closed", false, "close"]);
  const opened = await manage({ message_type: "open", ...by });
  assert.deepEqual([opened.state, opened.open], ["open", true]);
  const until = Math.floor(Date.now() / 1000) + 3600;
  const asleep = await manage({ message_type: "snoozed", ...by, snoozed_until: until });
  assert.deepEqual([asleep.state, asleep.snoozed_until], ["snoozed", until]);
  const given = await manage({ message_type: "assignment", type: "admin", ...by, assignee_id: admin });
  assert.equal(String(given.admin_assignee_id), admin);
});

await check("reply: a note wakes a snoozed conversation", async () => {
  const shown = await client.conversations.reply({
    conversation_id: conversation,
    body: { message_type: "note", type: "admin", admin_id: admin, body: "wake" },
  });
  assert.deepEqual([shown.state, shown.snoozed_until], ["open", null]);
});

await check("conversations: the pager of a search visits every match once", async () => {
  for (let number = 0; number < 6; number += 1) {
    await client.conversations.create({ from: { type: "user", id: contact.id }, body: `m${number}` });
  }
  const query = {
    operator: "AND",
    value: [
      { field: "contact_ids", operator: "=", value: contact.id },
      { field: "open", operator: "=", value: "true" },
    ],
  };
  const ids = [];
  for await (const one of await client.conversations.search({ query, pagination: { per_page: 2 } })) {
    ids.push(one.id);
  }
  assert.equal(ids.length, 7);
  assert.equal(new Set(ids).size, 7);
});

await check("conversations: the pager of the list", async () => {
  let count = 0;
  for await (const one of await client.conversations.list({ per_page: 3 })) {
    assert.equal(one.type, "conversation");
    count += 1;
  }
  assert.ok(count >= 7);
});

await check("conversations: update title and read", async () => {
  const shown = await client.conversations.update({ conversation_id: conversation, read: true, title: "T" });
  assert.deepEqual([shown.read, shown.title], [true, "T"]);
});

await check("tags: create, attach, detach", async () => {
  const tag = await client.tags.create({ name: `feedback ${run}` });
  const on = { conversation_id: conversation, admin_id: admin };
  const attached = await client.tags.tagConversation({ ...on, id: tag.id });
  assert.equal(attached.name, `feedback ${run}`);
  const { data } = await client.tags.list();
  assert.ok(data.some((one) => one.id === tag.id));
  await client.tags.untagConversation({ ...on, tag_id: tag.id });
  const shown = await client.conversations.find({ conversation_id: conversation });
  assert.deepEqual(shown.tags.tags, []);
});

await check("refusals: the client's own error classes", async () => {
  const find = (id) => client.conversations.find({ conversation_id: id });
  await refusal(Intercom.NotFoundError, 404, "not_found", () => find("1"));
  const stranger = new IntercomClient({ baseUrl, token: "wrong", maxRetries: 0 });
  await refusal(Intercom.UnauthorizedError, 401, "unauthorized", () =>
    stranger.conversations.find({ conversation_id: conversation }),
  );
  const again = { email: address("grace") };
  await refusal(IntercomError, 409, "conflict", () => client.contacts.create(again));
  const bad = { headers: { "Intercom-Version": "9.9" } };
  await refusal(IntercomError, 400, "intercom_version_invalid", () => client.admins.identify(bad));
});

await check("conversations: delete", async () => {
  const gone = await client.conversations.deleteConversation({ conversation_id: conversation });
  assert.equal(gone.deleted, true);
  await refusal(Intercom.NotFoundError, 404, "not_found", () =>
    client.conversations.find({ conversation_id: conversation }),
  );
});

await check("a lost connection is an error, and the client's retry heals a 503", async () => {
  await control("POST", "faults", { kind: "drop_before", times: 1 });
  await assert.rejects(client.admins.identify());
  await control("POST", "faults", { kind: "status", status: 503, headers: [["Retry-After", "1"]], times: 1 });
  const patient = new IntercomClient({ baseUrl, token, maxRetries: 1 });
  assert.equal((await patient.admins.identify()).id, admin);
});

await check("rate limit: 429 beyond it, and the client waits for the reset that it is told", async () => {
  const { rawResponse } = await client.admins.identify().withRawResponse();
  const limit = Number(rawResponse.headers.get("x-ratelimit-limit"));
  const reset = Number(rawResponse.headers.get("x-ratelimit-reset"));
  assert.equal(reset % 10, 0);
  assert.ok(reset - Date.now() / 1000 <= 10);
  assert.ok(limit > 0 && limit <= 5000, `a limit of ${limit} takes too long to reach`);
  let refused;
  // Two windows' worth of calls overflow one, unless the calls take longer than a window.
  for (let done = 0; done <= 2 * limit && !refused; done += 50) {
    const calls = Array.from({ length: 50 }, () => client.admins.identify());
    const outcomes = await Promise.allSettled(calls);
    refused = outcomes.find((outcome) => outcome.status === "rejected")?.reason;
  }
  assert.ok(refused, "no call was refused");
  assert.equal(refused.statusCode, 429);
  assert.equal(refused.body.errors[0].code, "rate_limit_exceeded");
  const told = Number(refused.rawResponse.headers.get("x-ratelimit-reset"));
  const patient = new IntercomClient({ baseUrl, token, maxRetries: 2 });
  assert.equal((await patient.admins.identify()).id, admin);
  assert.ok(Date.now() / 1000 >= told, "it did not wait for the reset");
});

console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;
