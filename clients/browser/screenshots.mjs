// The pictures of the documentation, made from a running demo: someone uses it as the documents tell,
// and each page is kept as it is then. Nothing is checked here but that the pages are there and the
// pictures are small; `scripts/check-browser` does the checking.
//
//   FIRST_VISIT=http://…/setup?code=… DEMO_INTERCOM=http://… DEMO_JIRA=http://… DEMO_DESK=http://… \
//     DEMO_PHONES=http://… CHROMIUM=/usr/bin/chromium IMAGES=docs/images node screenshots.mjs
import { statSync } from "node:fs";
import { PASSWORD, launch, opener, variables } from "./harness.mjs";

const [firstVisit, intercom, jira, desk, phones, images] = variables("FIRST_VISIT", "DEMO_INTERCOM", "DEMO_JIRA", "DEMO_DESK", "DEMO_PHONES", "IMAGES");
const PATIENCE_MS = 60_000;
const COPY_PATIENCE_MS = 240_000;
const BYTES_MAX = 150_000;
const WIDTH = 1200;
const HEIGHT_MAX = 760;
const base = new URL(firstVisit).origin;

const browser = await launch();
const open = opener(browser, PATIENCE_MS);
const window = () => open({ colorScheme: "light", reducedMotion: "reduce", viewport: { width: WIDTH, height: 800 } });

// Keeps a page from its top.
async function keep(page, name) {
  await page.mouse.move(0, 0);
  // Also the side bar, which stays in sight, belongs at the top.
  await page.evaluate(() => {
    document.activeElement?.blur();
    scrollTo(0, 0);
  });
  const whole = await page.evaluate(() => document.documentElement.scrollHeight);
  const clip = { x: 0, y: 0, width: WIDTH, height: Math.min(whole, HEIGHT_MAX) };
  const path = `${images}/${name}.png`;
  await page.screenshot({ path, clip, fullPage: true, animations: "disabled" });
  const { size } = statSync(path);
  console.log(`${path} ${Math.ceil(size / 1000)} kB`);
  if (size > BYTES_MAX) throw new Error(`${path} has ${size} bytes; at most ${BYTES_MAX} are meant`);
}

// Reloads until something is there.
async function shows(page, what, name) {
  const ends = Date.now() + PATIENCE_MS;
  while (!(await what.count())) {
    if (Date.now() > ends) throw new Error(`${name} did not come`);
    await page.waitForTimeout(200);
    await page.reload();
  }
}

const owner = await window();
await owner.goto(firstVisit);
await owner.getByLabel("Your name").fill("Olive Owner");
await owner.getByLabel("E-mail address").fill("owner@example.com");
await keep(owner, "first-visit");
await owner.getByLabel("Password").fill(PASSWORD);
await owner.getByRole("button", { name: "Make the owner" }).click();
await owner.getByText("You are the owner of this installation.").waitFor();

// Linking: a customer's conversation is named in an issue.
const other = await window();
await other.goto(intercom);
await other.getByRole("link", { name: /Mia Holm/ }).first().click();
const address = await other.getByLabel("Paste this into a Jira issue or comment").inputValue();
await other.goto(jira);
await other.getByLabel("Summary").fill("The export stops at 10,000 rows");
await other.getByLabel("Description").fill(`Reported here: ${address}`);
await other.getByRole("button", { name: /create/i }).click();
await other.getByRole("heading", { name: /The export stops/ }).waitFor();
const key = new URL(other.url()).pathname.split("/").pop();
await owner.goto(`${base}/links`);
await shows(owner, owner.getByRole("link", { name: key }), "the link");
await keep(owner, "links");
// Looking at the report has what it does not know read at once.
await owner.goto(`${base}/links/report`);
await shows(owner, owner.locator("main:not(:has(.notice)) tbody tr"), "the report");
await keep(owner, "report");
await owner.goto(`${base}/alerts`);
await keep(owner, "alerts");
await owner.goto(`${base}/why?q=${key}`);
await shows(owner, owner.getByText("was told. Nothing is missing."), "the answer");
await keep(owner, "why");
await owner.goto(`${base}/deliveries?outcome=effects`);
await owner.locator("tbody a").first().click();
await owner.getByText("confirmed").first().waitFor();
await keep(owner, "delivery");
await owner.goto(`${base}/issues/acme-jira/${key}`);
await owner.getByRole("link", { name: "Conversation with Mia Holm" }).waitFor();
await owner.getByText("as in Intercom").waitFor();
await keep(owner, "panel");
await owner.goto(`${base}/bindings/acme-jira/ENG`);
await keep(owner, "project");
await owner.goto(`${base}/bindings/acme-jira/ENG/fields`);
await keep(owner, "panel-fields");
await owner.goto(`${base}/connections`);
await keep(owner, "connections");
await owner.goto(`${base}/connections/workspace/acme`);
await shows(owner, owner.getByText("conversations can be read"), "what was tested");
await keep(owner, "connection");

// Feedback: a product is switched on, messages are tagged, tickets are looked at.
await owner.goto(`${base}/products`);
await owner.getByLabel("Name", { exact: true }).fill("Web app");
await owner.getByRole("button", { name: "Add", exact: true }).click();
await owner.getByRole("link", { name: "Switch on" }).click();
await owner.getByText("Which tags count?").waitFor();
await keep(owner, "feedback-switch");
const wishes = [
  ["Ines Vidal", "Please add a dark mode to the mobile app."],
  ["Otto Berg", "A dark mode for the mobile app, please. My eyes hurt at night."],
  ["Noa Lind", "It would help to sign in with a passkey."],
];
for (const [who, words] of wishes) {
  await other.goto(intercom);
  await other.getByLabel("Customer's name").fill(who);
  await other.getByLabel("E-mail address").fill(`${who.split(" ")[0].toLowerCase()}@example.com`);
  await other.getByLabel("Message", { exact: true }).fill(words);
  await other.getByRole("button", { name: "Send as customer", exact: true }).click();
  await other.getByLabel("Tag for it").fill("feedback-mobile");
  await other.getByRole("button", { name: "Tag this message" }).click();
  await other.getByText("feedback-mobile").first().waitFor();
}
await owner.goto(`${base}/feedback`);
await shows(owner, owner.locator("tbody tr").nth(wishes.length - 1), "the tickets");
await keep(owner, "feedback");
await owner.getByRole("link", { name: /dark mode to the mobile app/ }).first().click();
await owner.getByText("% alike").waitFor();
await keep(owner, "ticket");
await owner.goto(`${base}/products`);
await owner.getByRole("link", { name: "Mobile app" }).click();
await owner.getByLabel("From which day on?").fill("2020-01-01");
await owner.getByRole("button", { name: "Count first" }).click();
await owner.getByText(/conversations have one of the tags/).waitFor();
await keep(owner, "product");

// Contacts: everything is copied, and somebody is looked at.
await owner.goto(`${base}/contacts/settings`);
await owner.getByLabel("Copy everything under Contacts in Intercom").check();
await owner.getByRole("button", { name: "Save" }).click();
await owner.getByText("in step").waitFor({ timeout: COPY_PATIENCE_MS });
await owner.getByText("Both sides had").waitFor();
await keep(owner, "contacts-settings");
await owner.goto(`${base}/contacts`);
await keep(owner, "contacts");
await owner.goto(`${base}/contacts?q=mei+oka`);
await owner.getByRole("link", { name: "Mei Okafor" }).first().click();
await owner.getByRole("heading", { name: "Companies" }).waitFor();
await keep(owner, "contact");
await owner.goto(`${base}/contacts/import`);
await owner.getByLabel("Or its lines, pasted").fill("external_id,email,plan\nx-1,kim@example.com,Pro\nx-2,lou@example.com,Free");
await owner.getByRole("button", { name: "Preview" }).click();
await owner.getByText("2 added, 0 changed").waitFor();
await keep(owner, "contacts-import");

// Messaging: a customer writes, an agent answers.
const phone = await window();
await phone.goto(phones);
await phone.getByRole("link", { name: "Noa Lind" }).click();
await phone.getByLabel("Message or caption").fill("My router is red, and it blinks.");
await phone.getByRole("button", { name: "Send message" }).click();
await phone.getByText("My router is red").first().waitFor();
await other.goto(desk);
await shows(other, other.getByRole("link", { name: /^SUP-\d+$/ }), "the request");
await other.getByRole("link", { name: /^SUP-\d+$/ }).first().click();
await other.getByLabel("Comment", { exact: true }).fill("Which model is it? It stands on the label below.");
await other.getByRole("button", { name: "Reply to customer" }).click();
await phone.getByText("Which model is it?").waitFor();
await phone.getByRole("button", { name: /^Read/ }).click();
await owner.goto(`${base}/conversations`);
await owner.getByRole("link", { name: "Noa Lind" }).first().click();
await shows(owner, owner.locator(".timeline .lozenge", { hasText: "read" }), "that it was read");
await keep(owner, "conversation");
await owner.goto(`${base}/conversations`);
await keep(owner, "conversations");
await owner.goto(`${base}/desks`);
await keep(owner, "desks");

await owner.goto(base);
await owner.getByRole("heading", { name: "Overview" }).waitFor();
await keep(owner, "overview");
await browser.close();
