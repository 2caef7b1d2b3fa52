// Whole ways through the pages in a real browser, each to its end: Intercom by a teammate's
// consent, links from a file, deciding again what came since a time, and alerts. Every state is
// held against axe's rules in both colour schemes and with more contrast, wide and narrow.
//
//   FLOWS=http://…/setup FLOWS_CODE=… FLOWS_RECEIVER=http://127.0.0.1:…/told FLOWS_MAIL=127.0.0.1:… \
//     DEMO_INTERCOM=http://… DEMO_JIRA=http://… CHROMIUM=/usr/bin/chromium node flows.mjs
//
// against a Bowline that knows nothing yet, has FLOWS_RECEIVER as its `alert_webhook_url`, and hands
// letters to ops@example.com to FLOWS_MAIL (`[alert_mail]`, in the clear).
// SCREENSHOTS=FOLDER keeps a picture of each page.
import { createHmac } from "node:crypto";
import { createServer } from "node:http";
import { PASSWORD, disturbed, expect, finish, launch, look, opener, step, variables } from "./harness.mjs";
import { mailServer } from "./mail.mjs";

const [start, code, receiverUrl, mail, intercom, jira] = variables("FLOWS", "FLOWS_CODE", "FLOWS_RECEIVER", "FLOWS_MAIL", "DEMO_INTERCOM", "DEMO_JIRA");
const PATIENCE_MS = 30_000;
// How long Jira takes to answer while a replay is looked at.
const SLOW_MS = 5_000;
// More deliveries than may wait while a replay goes on (`WAITING_MAX` of the engine's replays).
const MANY = 1_100;
// Deliveries that are sent at the same time.
const AT_ONCE = 50;
const base = new URL(start).origin;
// People's browsers know Intercom as another site than Bowline: cookies have to bear that.
const elsewhere = intercom.replace("127.0.0.1", "localhost");
const SCHEMES = { light: { colorScheme: "light", contrast: "no-preference" }, dark: { colorScheme: "dark", contrast: "no-preference" }, contrast: { colorScheme: "dark", contrast: "more" } };

// Who is told of broken connections: a server that keeps what comes, or is away.
const told = [];
let away = 0;
let isAway = false;
const receiver = createServer((request, response) => {
  let body = "";
  request.setEncoding("utf8").on("data", (part) => { body += part; }).on("end", () => {
    if (isAway) away += 1;
    else told.push({ ...JSON.parse(body), header: request.headers["idempotency-key"] });
    response.writeHead(isAway ? 503 : 200).end();
  });
});
const { hostname, port } = new URL(receiverUrl);
await new Promise((listening) => { receiver.listen(Number(port), hostname, listening); });

const { letters, close: closeMail } = await mailServer(mail);

const browser = await launch();
const open = opener(browser, PATIENCE_MS);
const owner = await open(SCHEMES.light);
// Someone at work in Intercom and Jira.
const worker = await open(SCHEMES.light);

// Holds a page against the rules as it is, in each colour scheme.
async function everywhere(page, name) {
  for (const [scheme, media] of Object.entries(SCHEMES)) {
    await page.emulateMedia(media);
    // Colours that change by and by are looked at when they have changed.
    await page.evaluate(() => Promise.allSettled(document.getAnimations().map((change) => change.finished)));
    await look(page, `${name}-${scheme}`);
  }
  await page.emulateMedia(SCHEMES.light);
}

// Waits until something holds.
async function until(words, holds) {
  const end = Date.now() + PATIENCE_MS;
  while (!(await holds())) {
    expect(Date.now() < end, `never: ${words}`);
    await owner.waitForTimeout(100);
  }
}

// By keyboard: goes to a control and presses it.
async function press(control) {
  await control.focus();
  await control.press("Enter");
}

// A customer begins a conversation.
async function writes(name, words) {
  await worker.goto(intercom);
  await worker.getByLabel("Customer's name").fill(name);
  await worker.getByLabel("E-mail address").fill(`${name.split(" ")[0].toLowerCase()}@example.com`);
  await worker.getByLabel("Message", { exact: true }).fill(words);
  await worker.getByRole("button", { name: "Send as customer", exact: true }).click();
  const address = await worker.getByLabel("Paste this into a Jira issue or comment").inputValue();
  return { address, id: address.split("/").at(-1) };
}

async function issue(summary, description) {
  await worker.goto(jira);
  await worker.getByLabel("Project", { exact: true }).selectOption("OPS");
  await worker.getByLabel("Summary").fill(summary);
  await worker.getByLabel("Description").fill(description);
  await worker.getByRole("button", { name: "Create", exact: true }).click();
  await worker.getByRole("heading", { name: summary }).waitFor();
  return new URL(worker.url()).pathname.split("/").at(-1);
}

async function comment(key, words) {
  await worker.goto(`${jira}/browse/${key}`);
  await worker.getByRole("textbox", { name: "Comment", exact: true }).fill(words);
  await worker.getByRole("button", { name: "Add comment" }).click();
  await worker.locator(".part", { hasText: words }).waitFor();
}

// The notes in a conversation, in order.
async function notes({ id }) {
  await worker.goto(`${intercom}/app/conversations/${id}`);
  return worker.locator(".part.note .body").allTextContents();
}

const noted = (conversation, words) =>
  until(`the note “${words}”`, async () => (await notes(conversation)).some((note) => note.includes(words)));

await step("an owner, and Jira", async () => {
  await owner.goto(`${start}?code=${code}`);
  await owner.getByLabel("Your name").fill("Flo Owner");
  await owner.getByLabel("E-mail address").fill("flo@example.com");
  await owner.getByLabel("Password").fill(PASSWORD);
  await owner.getByRole("button", { name: "Make the owner" }).click();
  await owner.getByRole("link", { name: "Connect Jira", exact: true }).click();
  await owner.getByLabel("Jira's address").fill(jira);
  await owner.getByLabel("E-mail address of the account").fill("priya@example.com");
  await owner.getByLabel("API token or personal access token").fill("token-of-priya");
  await owner.getByRole("button", { name: "Try and connect" }).click();
  await owner.getByText("Connected. The credentials work.").waitFor();
});

await step("consent: the app is entered by keyboard, and its page leads to Intercom", async () => {
  await owner.getByRole("link", { name: "Connect Intercom", exact: true }).click();
  await owner.getByRole("link", { name: "Connect by a teammate's consent (OAuth) instead" }).click();
  await owner.getByRole("button", { name: "Copy Redirect URL" }).waitFor();
  await everywhere(owner, "consent-form");
  await owner.getByLabel("Client id").fill("sandbox-client");
  await press(owner.getByText("Seldom needed"));
  await owner.getByLabel("Where the API is reached, if elsewhere").fill(intercom);
  await owner.getByLabel("Where teammates give their consent, if elsewhere").fill(`${elsewhere}/oauth`);
  await owner.evaluate(() => { document.querySelector("form[action='/connections/add/consent']").noValidate = true; });
  await press(owner.getByRole("button", { name: "Go on to the consent" }));
  await owner.locator(".field.wrong", { hasText: "Client secret" }).waitFor();
  expect((await owner.getByLabel("Client id").inputValue()) === "sandbox-client", "the client id is gone");
  await everywhere(owner, "consent-form-wrong");
  await owner.getByLabel("Client secret").fill("sandbox-client-secret");
  await press(owner.getByRole("button", { name: "Go on to the consent" }));
  await owner.getByRole("heading", { name: "A teammate's consent" }).waitFor();
  await everywhere(owner, "consent-wanted");
});

const give = () => press(owner.getByRole("link", { name: "Give the consent in Intercom" }));

await step("consent: Intercom refuses a redirect URL that is not registered at the app", async () => {
  const back = await owner.locator("#back").textContent();
  await give();
  await owner.getByText("is not one of those that are registered at the app").waitFor();
  await owner.goBack();
  await worker.goto(intercom);
  await worker.getByRole("link", { name: /^Developer Hub/ }).click();
  await worker.getByLabel("Redirect URL").fill("http://bowline.example.com/back");
  await worker.getByRole("button", { name: "Add redirect URL" }).click();
  await worker.getByText("must begin with https://").waitFor();
  await everywhere(worker, "developer-hub-wrong");
  await worker.getByLabel("Redirect URL").fill(back);
  await worker.getByRole("button", { name: "Add redirect URL" }).click();
  await worker.getByRole("listitem").filter({ hasText: back }).waitFor();
  await everywhere(worker, "developer-hub");
});

await step("consent: without it nothing is connected, and that is said", async () => {
  await give();
  await owner.getByRole("button", { name: "Connect", exact: true }).waitFor();
  const asked = new URL(owner.url()).searchParams;
  await owner.goto(`${asked.get("redirect_uri")}?state=${asked.get("state")}`);
  await owner.getByText("the consent was not given").waitFor();
  await everywhere(owner, "consent-not-given");
});

await step("consent: given in Intercom, it leads back and connects", async () => {
  await owner.goto(`${base}/connections/workspace/intercom`);
  await give();
  await owner.getByText("wants to act in the workspace").waitFor();
  await everywhere(owner, "consent-in-intercom");
  await press(owner.getByRole("button", { name: "Connect", exact: true }));
  await owner.getByText("Connected. The credentials work.").waitFor();
  expect(owner.url() === `${base}/connections/workspace/intercom?done=connected`, `it led to ${owner.url()}`);
  await owner.getByText("can be read").waitFor();
  await everywhere(owner, "consent-connected");
});

await step("consent: a code is good once", async () => {
  await owner.goBack();
  await owner.getByRole("button", { name: "Connect", exact: true }).click();
  await owner.getByText("was used already").waitFor();
  await everywhere(owner, "consent-used");
});

let linked;
let known;
await step("a project is joined, and a pasted address brings a note", async () => {
  await owner.goto(`${base}/bindings`);
  await owner.getByLabel("Project", { exact: true }).selectOption("OPS");
  await owner.getByRole("button", { name: "Join" }).click();
  await owner.getByText("Joined. Paste a conversation's address").waitFor();
  known = await writes("Ida Known", "The lamp flickers.");
  linked = await issue("The lamp flickers", `See ${known.address}`);
  await noted(known, "The lamp flickers");
});

let bare;
let first;
let second;
await step("links from a file: what is no such file is said beside it", async () => {
  first = await writes("Jon First", "My lamp flickers as well.");
  second = await writes("Kai Second", "So does mine.");
  bare = await issue("Flickering, from the old list", "Nothing is pasted here.");
  await owner.goto(`${base}/links`);
  await owner.getByRole("link", { name: "Import", exact: true }).click();
  await everywhere(owner, "link-import");
  await owner.getByLabel("Or its text, pasted").fill("a,b\n1,2");
  await press(owner.getByRole("button", { name: "Show what would come of it" }));
  await owner.getByText("The first line names the columns").waitFor();
  expect((await owner.getByLabel("Or its text, pasted").inputValue()).includes("1,2"), "what was pasted is gone");
  await everywhere(owner, "link-import-wrong");
});

const rows = () => owner.locator("tbody tr", { hasText: bare }).filter({ has: owner.getByRole("button", { name: /^Unlink/ }) });
const file = () => ["issue,conversation,workspace", `${linked},${known.id},`, `${bare},${first.id},`, `${bare},${second.address},`, `${bare},${second.id},elsewhere`, "NO-1,7,"].join("\n");
const choose = async () => {
  await owner.goto(`${base}/links/import`);
  await owner.getByLabel("The file").setInputFiles({ name: "links.csv", mimeType: "text/csv", buffer: Buffer.from(file()) });
  await press(owner.getByRole("button", { name: "Show what would come of it" }));
};

await step("links from a file: shown first row by row, and nothing is linked by that", async () => {
  await choose();
  await owner.getByText("2 would be linked, 1 linked already, 2 left out.").waitFor();
  await owner.getByText("the workspace “elsewhere”").waitFor();
  await everywhere(owner, "link-import-preview");
  await owner.goto(`${base}/links?state=all`);
  await owner.getByRole("cell", { name: linked }).first().waitFor();
  expect((await rows().count()) === 0, "the preview linked something");
});

await step("links from a file: imported by keyboard, without notes, and once", async () => {
  await choose();
  await press(owner.getByRole("button", { name: "Import 2" }));
  await owner.getByText("2 queued, 1 linked already, 2 left out.").waitFor();
  await everywhere(owner, "link-import-done");
  await until("the imported links", async () => {
    await owner.goto(`${base}/links`);
    return (await rows().count()) === 2;
  });
  await everywhere(owner, "links-imported");
  await choose();
  await owner.getByText("0 would be linked, 3 linked already, 2 left out.").waitFor();
  expect(!(await owner.getByRole("button", { name: /^Import/ }).count()), "there is nothing to import");
  await everywhere(owner, "link-import-same");
  // What happens from now on is told, and nothing else was.
  await comment(bare, "Mended tomorrow.");
  for (const conversation of [first, second]) {
    await noted(conversation, "Mended tomorrow.");
    const all = await notes(conversation);
    expect(all.length === 1, `there are other notes: ${all}`);
  }
});

await step("a page keeps itself fresh around what is open in it, and says when it waits", async () => {
  await owner.goto(base);
  const fold = owner.locator("details", { hasText: "The numbers" });
  const posted = async () => Number((await owner.locator(".legend").textContent()).match(/notes \((\d+)\)/)[1]);
  const before = await posted();
  await press(fold.locator("summary"));
  await comment(linked, "Still flickering.");
  await until("the new note in the plot", async () => (await posted()) > before);
  expect(await fold.evaluate((one) => one.open), "what was open is folded");
  expect(await fold.locator("summary").evaluate((one) => one === document.activeElement), "the focus is gone");
  expect(!(await owner.getByText("What stands below is as it was").count()), "it says that it is old");
  // What is marked stays marked, and the page says that it waits.
  await owner.goto(`${base}/connections/workspace/intercom`);
  await owner.getByRole("heading", { name: "How it is" }).evaluate((one) => getSelection().selectAllChildren(one));
  await owner.getByText(/What stands below is as it was at .* it goes on when you are done/).waitFor();
  await look(owner, "connection-waits");
  await owner.evaluate(() => getSelection().removeAllRanges());
  await owner.getByText("What stands below is as it was").waitFor({ state: "detached" });
});

const wait = (words) => owner.locator("tbody tr", { hasText: "all connections" }).first().getByText(words).waitFor();

await step("decide again since a time: a time that is not over is said beside the field", async () => {
  await owner.goto(`${base}/deliveries`);
  await owner.getByRole("link", { name: "Decide all since a time again" }).click();
  await owner.getByLabel("Received since").fill("2999-01-01T08:00");
  await press(owner.getByRole("button", { name: "Show the plan" }));
  await owner.getByText("Write a day and a time that are over").waitFor();
  await everywhere(owner, "replay-wrong");
});

let before;
let counted;
await step("decide again since a time: the plan counts, and does nothing", async () => {
  before = [];
  for (const conversation of [known, first, second]) before.push(await notes(conversation));
  await owner.getByLabel("Received since").fill("2026-01-01T08:00");
  await press(owner.getByRole("button", { name: "Show the plan" }));
  await owner.getByText("would be decided again. Nothing is done yet.").waitFor();
  counted = Number(await owner.locator("[aria-labelledby=plan] [role=status] b").textContent());
  expect(counted > 2, `${counted} deliveries`);
  await everywhere(owner, "replay-plan");
  await owner.goto(`${base}/deliveries/replay`);
  expect(!(await owner.locator("tbody tr").count()), "the plan began a replay");
});

await step("decide again since a time: how far a run is, and its end, without a reload", async () => {
  await owner.getByLabel("Received since").fill("2026-01-01T08:00");
  await press(owner.getByRole("button", { name: "Show the plan" }));
  const mend = await disturbed(jira, { path_contains: "/rest/api/", kind: "delay", ms: SLOW_MS });
  try {
    await press(owner.getByRole("button", { name: `Decide ${counted} again` }));
    await owner.getByText("They are being put back.").waitFor();
    await wait("put back, being decided");
    await everywhere(owner, "replay-running");
  } finally {
    await mend();
  }
  await wait("done");
  await wait(`${counted} of ${counted} put back`);
  await wait(`${counted} decided, 0 wait`);
  await everywhere(owner, "replay-done");
});

await step("decide again since a time: nothing is posted twice", async () => {
  const same = async (at, conversation, more) => {
    const now = await notes(conversation);
    expect(now.join("\n") === [...before[at], ...more(now)].join("\n"), `there are other notes: ${now}`);
  };
  for (const [at, conversation] of [known, first, second].entries()) await same(at, conversation, () => []);
  // What comes after it is told behind all that was decided again: then nothing is on its way.
  await comment(linked, "A new lamp is there.");
  await comment(bare, "All lamps are new.");
  for (const [at, conversation] of [known, first, second].entries()) {
    await noted(conversation, at ? "All lamps are new." : "A new lamp is there.");
    await same(at, conversation, (now) => now.slice(-1));
  }
});

// Signed deliveries of Jira about an issue that is not there, until more wait than a replay may add
// to. Jira is slow meanwhile, so that they do wait.
async function pileUp() {
  const secret = await owner.locator("#hook-secret").textContent();
  const url = await owner.locator("#hook-url").textContent();
  const deliver = async (number) => {
    const body = JSON.stringify({ webhookEvent: "jira:issue_updated", timestamp: Date.now(), issue: { id: "999999", key: "OPS-999999" } });
    const headers = {
      "Content-Type": "application/json",
      "X-Hub-Signature": `sha256=${createHmac("sha256", secret).update(body).digest("hex")}`,
      "X-Atlassian-Webhook-Identifier": `pile-${number}`,
    };
    const { status } = await fetch(url, { method: "POST", headers, body });
    expect(status === 200, `a delivery was answered with ${status}`);
  };
  for (let number = 0; number < MANY; number += AT_ONCE) {
    await Promise.all(Array.from({ length: AT_ONCE }, (_, more) => deliver(number + more)));
  }
}

await step("decide again since a time: one that holds back is cancelled by keyboard, and stays so", async () => {
  await owner.goto(`${base}/connections/site/jira`);
  await press(owner.getByRole("button", { name: "Make a new secret" }));
  await owner.getByText("This is the new secret, shown this once.").waitFor();
  const mend = await disturbed(jira, { path_contains: "/rest/api/", kind: "delay", ms: SLOW_MS });
  try {
    await pileUp();
    await owner.goto(`${base}/deliveries/replay`);
    await owner.getByLabel("Received since").fill("2026-01-01T08:00");
    await press(owner.getByRole("button", { name: "Show the plan" }));
    await press(owner.getByRole("button", { name: /^Decide \d+ again$/ }));
    await wait("running");
    await wait(/^0 of \d+ put back/);
    await everywhere(owner, "replay-holds-back");
    await press(owner.getByRole("button", { name: "Cancel", exact: true }));
    await wait("cancelled");
    await everywhere(owner, "replay-cancelled");
    expect(!(await owner.getByRole("button", { name: "Cancel", exact: true }).count()), "what is over is offered to be cancelled");
  } finally {
    await mend();
  }
  // With all the rest decided it is still what it was: nothing more of it is put back.
  await until("nothing waits", async () => {
    await owner.goto(`${base}/deliveries?outcome=waiting`);
    return !(await owner.locator("tbody tr").count());
  });
  await owner.goto(`${base}/deliveries/replay`);
  await wait("cancelled");
  await wait(/^0 of \d+ put back/);
});

// The latest alert on the page; what it is, and how far it came at each receiver, are said in few words.
const latest = () => owner.locator("tbody tr").first();
const lozenge = (words) => ({ hasText: new RegExp(`^\\W*${words}$`) });
const says = (words) => latest().locator("td:first-child .lozenge", lozenge(words)).waitFor();
const HOOK = "the webhook";
const MAIL = "ops@example.com";
const reached = (receiver, words) => latest().locator("td:last-child p", { hasText: receiver }).locator(".lozenge", lozenge(words)).waitFor();

await step("alerts: nobody was told without a reason, and a test reaches a receiver that was away", async () => {
  expect(!told.length, `told already: ${told.map((one) => one.subject)}`);
  await owner.goto(`${base}/alerts`);
  await owner.getByText("Nothing yet.").waitFor();
  await everywhere(owner, "alerts-nothing");
  isAway = true;
  await press(owner.getByRole("button", { name: "Send a test alert" }));
  await owner.getByText("The test is on its way.").waitFor();
  await reached(HOOK, "not told yet");
  await reached(MAIL, "told");
  await latest().getByText(/Tried (once|\d+ times), tried again soon/).waitFor();
  await everywhere(owner, "alerts-away");
  isAway = false;
  await reached(HOOK, "told");
  expect(away > 0 && told.length === 1 && told[0].kind === "test", `told: ${JSON.stringify(told)}`);
  await everywhere(owner, "alerts-test");
});

const test = async () => {
  await owner.goto(`${base}/connections/workspace/intercom`);
  await press(owner.getByRole("button", { name: "Test it now" }));
};
const kinds = () => told.map((one) => one.kind).join();

await step("alerts: a connection that breaks is told once", async () => {
  const refused = { type: "error.list", errors: [{ code: "unauthorized", message: "Access Token Invalid" }] };
  const mend = await disturbed(intercom, { kind: "status", status: 401, body: refused });
  try {
    await test();
    await owner.locator(".troubled").waitFor();
    await everywhere(owner, "connection-broken");
    await until("the alert", () => told.length >= 2);
    expect(told[1].kind === "broken" && told[1].works === false && told[1].connection === "workspace/intercom", JSON.stringify(told[1]));
    expect(told[1].id === told[1].header && told[1].id !== told[0].id, "it has no name of its own");
    // Looked at again, it is no news.
    await test();
    await owner.locator(".troubled").waitFor();
    await owner.goto(`${base}/alerts`);
    await says("broken");
    await reached(HOOK, "told");
    await reached(MAIL, "told");
    await owner.locator("tbody summary").first().click();
    await everywhere(owner, "alerts-broken");
    await owner.getByRole("link", { name: "The connection" }).first().click();
    await owner.locator(".troubled").waitFor();
  } finally {
    await mend();
  }
});

await step("alerts: once it works again that is told, once", async () => {
  await test();
  await until("the alert that it works", () => told.length >= 3);
  await owner.goto(`${base}/alerts`);
  await says("works again");
  await reached(HOOK, "told");
  await reached(MAIL, "told");
  await everywhere(owner, "alerts-mended");
  expect(told[2].works === true && told[2].connection === "workspace/intercom", JSON.stringify(told[2]));
  // What is told after it is the next that comes.
  await press(owner.getByRole("button", { name: "Send a test alert" }));
  await owner.getByText("The test is on its way.").waitFor();
  await says("test");
  await reached(HOOK, "told");
  await reached(MAIL, "told");
  expect(kinds() === "test,broken,mended,test", `told: ${kinds()}`);
  expect(new Set(told.map((one) => one.id)).size === told.length, "two have the same name");
});

await step("alerts: each was a letter as well, once, and the page says who gets them", async () => {
  await owner.goto(`${base}/alerts`);
  await owner.locator("dd", { hasText: MAIL }).waitFor();
  const subjects = letters.map((letter) => letter.subject);
  expect(subjects.join("\n") === told.map((one) => one.subject).join("\n"), `letters: ${subjects}`);
  for (const letter of letters) expect(letter.to.join() === MAIL && letter.addressed.includes(MAIL) && letter.from === "bowline@example.com", JSON.stringify(letter));
});

closeMail();
receiver.close();
await finish(browser);
