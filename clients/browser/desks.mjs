// A newcomer makes a channel account and a desk by clicks, in a real browser, after newcomer.mjs has
// connected Jira; then a phone writes and the request comes into the service desk.
//
//   NEWCOMER=http://…/setup DEMO_PHONES=http://… DEMO_DESK=http://…/servicedesk/SUP \
//     CHROMIUM=/usr/bin/chromium node desks.mjs
//
// SCREENSHOTS=FOLDER keeps a picture of each page.
import { PASSWORD, expect, finish, launch, look, opener, step, variables } from "./harness.mjs";

const [start, phones, queue] = variables("NEWCOMER", "DEMO_PHONES", "DEMO_DESK");
const PATIENCE_MS = 30_000;
const base = new URL(start).origin;
const KEY = process.env.BIRD_KEY ?? "sandbox-access-key";
const SIGNING_KEY = process.env.BIRD_SIGNING_KEY ?? "sandbox-signing-key";

const browser = await launch();
const open = opener(browser, PATIENCE_MS);

async function signedIn(options) {
  const page = await open(options);
  await page.goto(`${base}/sign-in`);
  await page.getByLabel("E-mail address").fill("nora@example.com");
  await page.getByLabel("Password").fill(PASSWORD);
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.getByRole("heading", { name: "Overview" }).waitFor();
  return page;
}

// Loads a page again until it shows something.
async function shows(page, locator, words) {
  const end = Date.now() + PATIENCE_MS;
  while (!(await locator.count())) {
    expect(Date.now() < end, `never shown: ${words}`);
    await page.waitForTimeout(200);
    await page.reload();
  }
}

const owner = await signedIn({ colorScheme: "light" });

await step("a wrong key is said beside the field", async () => {
  await owner.goto(`${base}/connections`);
  await owner.getByRole("link", { name: "Add a MessageBird account" }).click();
  await look(owner, "account-add");
  await owner.getByLabel("Access key").fill("wrong");
  await owner.getByLabel("Signing key").fill(SIGNING_KEY);
  await owner.getByText("Seldom needed").click();
  await owner.getByLabel("Where the API is reached, if elsewhere").fill(`${phones}/v1`);
  await owner.getByRole("button", { name: "Try and add" }).click();
  await owner.getByText("The provider refuses it.").waitFor();
  await look(owner, "account-add-wrong");
});

await step("the right one is kept, and the page leads to the desk", async () => {
  await owner.getByLabel("Access key").fill(KEY);
  await owner.getByLabel("Signing key").fill(SIGNING_KEY);
  await owner.getByRole("button", { name: "Try and add" }).click();
  await owner.getByText("Added. The key works.").waitFor();
  await owner.getByRole("button", { name: "Copy URL" }).waitFor();
  await look(owner, "account");
  await owner.getByRole("link", { name: "Connections" }).first().click();
  await owner.getByRole("link", { name: "Make a desk" }).click();
  await owner.getByLabel("Service project").waitFor();
  await look(owner, "desk-add");
});

await step("what Jira does not take is said beside the field, what was typed is kept", async () => {
  await owner.getByLabel("Name", { exact: true }).fill("help");
  await owner.getByLabel("Statuses that end a conversation").fill("category:soon");
  await owner.getByRole("button", { name: "Try and save" }).click();
  await owner.getByText("there is no status category").waitFor();
  expect((await owner.getByLabel("Name", { exact: true }).inputValue()) === "help", "the name is gone");
  await look(owner, "desk-add-wrong");
});

await step("a desk is made by keyboard", async () => {
  await owner.getByLabel("Statuses that end a conversation").fill("category:done");
  await owner.getByLabel("Service project").selectOption("SUP");
  await owner.getByRole("button", { name: "Show what this choice offers" }).focus();
  await owner.keyboard.press("Enter");
  await owner.getByLabel("Request type").waitFor();
  await owner.getByLabel("Request type").selectOption({ label: "Get help" });
  await owner.getByLabel("Seconds that messages are gathered for").fill("1");
  await owner.getByRole("button", { name: "Try and save" }).focus();
  await owner.keyboard.press("Enter");
  await owner.getByText("The desk is there.").waitFor();
  await look(owner, "desk-made");
});

await step("a phone writes, and the request comes into the service desk", async () => {
  await shows(owner, owner.getByText("by Bowline", { exact: true }), "the account's card");
  const phone = await open({ colorScheme: "light" });
  await phone.goto(phones);
  await phone.getByRole("link", { name: "Noa Lind" }).click();
  const text = `The newcomer's router ${Date.now()}`;
  // The webhook is registered within a moment; until then nobody is told.
  const hook = `${base}/connections/account/messagebird`;
  const end = Date.now() + PATIENCE_MS;
  await phone.getByLabel("Message or caption").fill(text);
  await phone.getByRole("button", { name: "Send message" }).click();
  await owner.goto(`${base}/conversations`);
  await shows(owner, owner.getByRole("link", { name: /SUP-\d+/ }), "the conversation with its request");
  await look(owner, "desk-conversations");
  const key = await owner.getByRole("link", { name: /SUP-\d+/ }).first().innerText();
  const agent = await open({ colorScheme: "light" });
  await agent.goto(queue);
  await shows(agent, agent.getByRole("link", { name: key, exact: true }), "the request");
  await agent.getByRole("link", { name: key, exact: true }).click();
  await agent.getByText(text).first().waitFor();
  await owner.goto(hook);
  await shows(owner, owner.getByText("signed deliveries arrive"), "the proven signing key");
  expect(Date.now() < end + PATIENCE_MS, "it took too long");
});

await step("it is changed, and a second tab is told", async () => {
  await owner.goto(`${base}/desk/help`);
  await look(owner, "desk-open");
  await owner.getByText("Texts in another language").click();
  await owner.getByLabel("Language", { exact: true }).fill("de");
  await owner.getByLabel("Numbers that begin with").fill("+49, x");
  await owner.locator("#texts-1-statuses").fill("* = {key} ist jetzt: {status}");
  await owner.getByRole("button", { name: "Try and save" }).click();
  await owner.getByText("no number begins with “x”").waitFor();
  const marked = await owner.locator("details [aria-invalid=true]").evaluateAll((all) => all.map((one) => one.labels[0].textContent));
  expect(marked.join() === "Numbers that begin with", `marked are ${marked}`);
  await look(owner, "desk-language-wrong");
  await owner.getByLabel("Numbers that begin with").first().fill("+49, +43");
  await owner.getByRole("button", { name: "Try and save" }).click();
  await owner.getByText("Saved. It holds from now on.").waitFor();
  await owner.getByText("Texts in de").click();
  await look(owner, "desk-language");
  const other = await signedIn({ colorScheme: "light" });
  await other.goto(`${base}/desk/help`);
  await owner.getByLabel("Text for Waiting for customer").fill("We work on {key}");
  await owner.getByRole("button", { name: "Try and save" }).click();
  await owner.getByText("Saved. It holds from now on.").waitFor();
  await other.getByLabel("Text for Waiting for customer").fill("Busy");
  await other.getByRole("button", { name: "Try and save" }).click();
  await other.getByText("Someone changed this meanwhile").waitFor();
  expect((await other.getByLabel("Text for Waiting for customer").inputValue()) === "We work on {key}", "it shows what was typed");
  await look(other, "desk-overtaken");
  await owner.getByRole("button", { name: "Remove help" }).click();
  await owner.getByText("what their agents answer is not sent").first().waitFor();
  await look(owner, "desk-remove");
});

const PAGES = ["/desks", "/desks/add", "/desk/help", "/connections", "/connections/account/messagebird", "/connections/add/messagebird", "/connections/add/whatsapp"];
for (const [scheme, options] of [["light", { colorScheme: "light" }], ["dark", { colorScheme: "dark" }], ["contrast", { colorScheme: "dark", contrast: "more" }]]) {
  await step(`every page of accounts and desks in ${scheme}, wide and narrow`, async () => {
    const page = await signedIn(options);
    for (const path of PAGES) {
      await page.goto(base + path);
      await look(page, `${path.replace(/[^a-z0-9]+/gi, "-").replace(/^-|-$/g, "")}-${scheme}`);
    }
    await page.context().close();
  });
}

await step("of a desk that was removed the conversation's page says what is missing", async () => {
  await owner.goto(`${base}/desk/help`);
  await owner.getByLabel("Remove it all the same").check();
  await owner.getByRole("button", { name: "Remove help" }).click();
  await owner.getByRole("status").first().waitFor();
  await owner.goto(`${base}/conversations`);
  await owner.getByRole("link", { name: "Noa Lind" }).first().click();
  await owner.getByRole("heading", { name: "No answer reaches this customer" }).waitFor();
  await owner.getByRole("link", { name: "Desks and channel accounts" }).waitFor();
  await look(owner, "talk-conversation-unserved");
  const dark = await signedIn({ colorScheme: "dark" });
  await dark.goto(owner.url());
  await look(dark, "talk-conversation-unserved-dark");
  await dark.context().close();
});

await finish(browser);
