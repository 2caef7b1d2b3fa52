// The issue panel in a real browser: on its own page and in a frame of Jira's issue page, by mouse
// and by keyboard, with Intercom there and away. Every state is held against axe's rules.
//
//   FIRST_VISIT=http://…/setup?code=… DEMO_INTERCOM=http://… DEMO_JIRA=http://… \
//     CHROMIUM=/usr/bin/chromium node panel.mjs
//
// SCREENSHOTS=FOLDER keeps a picture of each state.
import { PASSWORD, counted, expect, finish, holds, launch, look, opener, picture, step, variables } from "./harness.mjs";

const [firstVisit, intercom, jira] = variables("FIRST_VISIT", "DEMO_INTERCOM", "DEMO_JIRA");
const PATIENCE_MS = 30_000;
const base = new URL(firstVisit).origin;

const browser = await launch();
const open = opener(browser, PATIENCE_MS);

// Holds a state against the rules in light and dark.
async function lookBoth(page, name) {
  for (const colorScheme of ["light", "dark"]) {
    await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
    await look(page, `${name}-${colorScheme}`);
  }
}

async function fault(of) {
  const answer = await fetch(`${intercom}/_control/faults`, { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(of) });
  expect(answer.ok, `the fault was not taken: ${answer.status}`);
}

const mended = () => fetch(`${intercom}/_control/faults`, { method: "DELETE" });

const page = await open();
await page.goto(base);
if (new URL(page.url()).pathname === "/setup") {
  await page.goto(firstVisit);
  await page.getByLabel("Your name").fill("Olive Owner");
  await page.getByLabel("E-mail address").fill("owner@example.com");
  await page.getByLabel("Password").fill(PASSWORD);
  await page.getByRole("button", { name: "Make the owner" }).click();
  await page.getByText("You are the owner of this installation.").waitFor();
  await page.getByText("Olive Owner").click();
  await page.getByRole("button", { name: "Sign out" }).click();
}
await page.goto(`${base}/sign-in`);
await page.getByLabel("E-mail address").fill("owner@example.com");
await page.getByLabel("Password").fill(PASSWORD);
await page.getByRole("button", { name: "Sign in" }).click();
await page.getByRole("heading", { name: "Overview" }).waitFor();

async function issue(summary, description) {
  await page.goto(jira);
  await page.getByLabel("Summary").fill(summary);
  await page.getByLabel("Description").fill(description);
  await page.getByRole("button", { name: /create/i }).click();
  await page.getByRole("heading", { name: new RegExp(summary) }).waitFor();
  return new URL(page.url()).pathname.split("/").pop();
}

let linked, alone;
await step("a linked issue and one that is not", async () => {
  await page.goto(intercom);
  await page.getByRole("link", { name: /Mia Holm/ }).first().click();
  const address = await page.getByLabel("Paste this into a Jira issue or comment").inputValue();
  alone = await issue("Panel alone", "Nothing pasted.");
  linked = await issue("Panel of a linked issue", `See ${address}`);
});
const panel = (key) => `${base}/issues/acme-jira/${key}`;

await step("the panel fills by itself", async () => {
  await page.goto(panel(linked));
  await page.getByRole("link", { name: "Conversation with Mia Holm" }).waitFor();
  await page.getByText("mia@example.com").waitFor();
  await page.getByText("as in Intercom").waitFor();
  await lookBoth(page, "panel");
  await page.goto(panel(alone));
  await page.getByText("No conversation is linked.").first().waitFor();
  await lookBoth(page, "panel-empty");
});

await step("composers name the customers as soon as they are known, and keep what is typed", async () => {
  const addresses = [];
  for (const who of ["Bo Tran", "Cleo Marsh"]) {
    await page.goto(intercom);
    await page.getByLabel("Customer's name").fill(who);
    await page.getByLabel("E-mail address").fill(`${who.split(" ")[0].toLowerCase()}@example.com`);
    await page.getByLabel("Message", { exact: true }).fill("It does not work.");
    await page.getByRole("button", { name: "Send as customer", exact: true }).click();
    addresses.push(await page.getByLabel("Paste this into a Jira issue or comment").inputValue());
  }
  const both = await issue("Panel of two", `See ${addresses.join(" and ")}`);
  await page.goto(panel(both));
  await page.getByLabel("Bo Tran (conversation").waitFor();
  await page.getByLabel("Cleo Marsh (conversation").check();
  expect(!(await page.getByLabel("All 2 linked conversations").isChecked()), "all are chosen besides");
  await page.getByLabel("Note", { exact: true }).fill("Half a sen");
  await page.getByRole("heading", { name: /Panel of two/ }).click();
  await page.locator("[data-refresh]").evaluate((part) => { part.dataset.refresh = "0.2"; });
  for (let times = 0; times < 2; times += 1) await page.waitForResponse((answer) => answer.url() === panel(both));
  expect((await page.getByLabel("Note", { exact: true }).inputValue()) === "Half a sen", "what was typed is gone");
  expect(await page.getByLabel("Cleo Marsh (conversation").isChecked(), "the choice is gone");
  await lookBoth(page, "panel-two");
});

await step("without script the link reads again", async () => {
  const still = await open({ javaScriptEnabled: false });
  await still.goto(`${base}/sign-in`);
  await still.getByLabel("E-mail address").fill("owner@example.com");
  await still.getByLabel("Password").fill(PASSWORD);
  await still.getByRole("button", { name: "Sign in" }).click();
  await still.goto(panel(linked));
  await still.getByRole("link", { name: "Read again" }).click();
  await still.getByRole("link", { name: "Conversation with Mia Holm" }).waitFor();
  await still.context().close();
});

await step("each composer says who reads it; a fault is beside the field and the words are kept", async () => {
  await page.goto(panel(linked));
  await page.getByText("Only teammates in Intercom read it.").waitFor();
  await page.getByText("Visible to the customer").waitFor();
  await page.getByText(/Mia Holm .* reads this at once\./).waitFor();
  await page.locator("form[action$='/link']").evaluate((form) => { form.noValidate = true; });
  await page.getByLabel("Conversation", { exact: true }).fill("that one");
  await page.getByRole("button", { name: "Link", exact: true }).click();
  await page.getByText("is no conversation").waitFor();
  expect((await page.getByLabel("Conversation", { exact: true }).inputValue()) === "that one", "what was typed is gone");
  await lookBoth(page, "panel-wrong");
  await page.getByLabel("Or look for it").fill("export");
  await page.getByRole("button", { name: "Search Intercom" }).click();
  await page.getByText(/Linked already|Link/).first().waitFor();
  await lookBoth(page, "panel-found");
});

await step("a note is written by keyboard alone", async () => {
  await page.goto(panel(linked));
  await page.getByLabel("Note", { exact: true }).focus();
  await page.keyboard.type("Written by keyboard.");
  await page.keyboard.press("Tab");
  await page.keyboard.press("Enter");
  await page.getByText("The note is on its way.").waitFor();
  await page.goto(intercom);
  await page.getByRole("link", { name: /Mia Holm/ }).first().click();
  await page.locator("[id^=part-]").getByText("Written by keyboard.").waitFor();
});

await step("an answer of unknown outcome waits with two buttons", async () => {
  await fault({ method: "POST", path_contains: "/reply", times: 1, kind: "drop_before" });
  await page.goto(panel(linked));
  await page.getByLabel("Answer", { exact: true }).fill("Is it better now?");
  await page.getByRole("button", { name: "Send to the customer", exact: true }).click();
  await page.getByText("The answer is on its way").waitFor();
  await page.getByRole("button", { name: "Send it again to the customer" }).waitFor();
  await lookBoth(page, "panel-held");
  await page.goto(`${base}/problems`);
  await page.getByText("An answer to a customer waits for a person").waitFor();
  await lookBoth(page, "problems-held");
  await page.goto(panel(linked));
  await page.getByRole("button", { name: "Send it again to the customer" }).click();
  await page.getByText("It is being sent again.").waitFor();
  await page.goto(intercom);
  await page.getByRole("link", { name: /Mia Holm/ }).first().click();
  await page.locator("[id^=part-]").getByText("Is it better now?").waitFor();
});

await step("a whole conversation, its notes marked", async () => {
  await page.goto(panel(linked));
  await page.getByRole("link", { name: "Conversation with Mia Holm" }).click();
  await page.getByText("Internal note").first().waitFor();
  await page.getByText("Is it better now?").waitFor();
  await lookBoth(page, "conversation");
  await fault({ method: "GET", path_contains: "/conversations/", times: 1, kind: "drop_before" });
  await page.reload();
  await page.getByText("Intercom did not answer as needed").waitFor();
  await lookBoth(page, "conversation-unread");
});

await step("a dead Intercom leaves what was known", async () => {
  await page.goto(panel(linked));
  await page.getByText("mia@example.com").waitFor();
  await fault({ kind: "hang" });
  await page.reload();
  await page.getByRole("link", { name: "Conversation with Mia Holm" }).waitFor();
  await page.getByText("mia@example.com").waitFor();
  await mended();
});

await step("in Jira's issue page it stands in a frame and works there", async () => {
  await page.goto(`${jira}/browse/${linked}`);
  const frame = page.frameLocator("iframe.panel");
  await frame.getByRole("link", { name: "Conversation with Mia Holm" }).waitFor();
  await frame.getByLabel("Note", { exact: true }).fill("From within Jira.");
  await frame.getByRole("button", { name: "Add the internal note" }).click();
  await frame.getByText("The note is on its way.").waitFor();
  await picture(page, "jira-panel");
  const inside = page.frames().find((one) => one.url().includes("/embed/"));
  await holds(inside, "the frame");
  counted.looked += 1;
  await page.goto(intercom);
  await page.getByRole("link", { name: /Mia Holm/ }).first().click();
  await page.locator("[id^=part-]").getByText("From within Jira.").waitFor();
});

await step("no other page may frame it", async () => {
  const context = await browser.newContext();
  const other = await context.newPage();
  const outer = `<iframe src="${panel(linked)}"></iframe>`;
  // A page of another origin than the configured one.
  await other.route(`${intercom}/stranger`, (route) => route.fulfill({ contentType: "text/html", body: outer }));
  const said = other.waitForEvent("console", { predicate: (message) => /frame-ancestors|X-Frame-Options/i.test(message.text()), timeout: PATIENCE_MS });
  const failing = other.waitForEvent("requestfailed", { predicate: (request) => request.url().startsWith(base), timeout: PATIENCE_MS });
  await other.goto(`${intercom}/stranger`);
  await Promise.any([said, failing]);
  expect(!(await other.frameLocator("iframe").getByText("Linked conversations").count()), "it is shown in a stranger's frame");
  await context.close();
});

await finish(browser, "states");
