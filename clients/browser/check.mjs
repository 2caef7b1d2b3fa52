// The guided story of the demo, by hand in a real browser: what a person would click and see.
//
//   DEMO_INTERCOM=http://… DEMO_JIRA=http://… CHROMIUM=/usr/bin/chromium node check.mjs
//
// SCREENSHOTS=FOLDER keeps a picture of each page.
import { chromium } from "playwright-core";

const { DEMO_INTERCOM: intercom, DEMO_JIRA: jira, CHROMIUM: executablePath, SCREENSHOTS: folder } = process.env;
if (!intercom || !jira || !executablePath) {
  console.error("DEMO_INTERCOM, DEMO_JIRA and CHROMIUM must be set");
  process.exit(2);
}

const PATIENCE_MS = 15_000;
let passed = 0;
let failed = 0;

const browser = await chromium.launch({
  executablePath,
  args: [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
  ],
});
const context = await browser.newContext({ viewport: { width: 1200, height: 1000 } });
context.setDefaultTimeout(PATIENCE_MS);
const inbox = await context.newPage();
const project = await context.newPage();

async function step(name, act) {
  try {
    await act();
    passed += 1;
    console.log(`ok   ${name}`);
  } catch (error) {
    failed += 1;
    console.log(`FAIL ${name}: ${error.message}`);
  }
}

async function picture(page, name) {
  if (folder) {
    await page.screenshot({ path: `${folder}/${name}.png`, fullPage: true });
  }
}

let address;

await step("the inbox shows Mia's conversation and its address", async () => {
  await inbox.goto(intercom);
  await picture(inbox, "inbox");
  await inbox.getByRole("link", { name: /Mia Holm/ }).first().click();
  address = await inbox.getByLabel("Paste this into a Jira issue or comment").inputValue();
  if (!/^https:\/\/app\.intercom\.com\/a\/inbox\/[a-z0-9]+\/inbox\/conversation\/\d+$/.test(address)) {
    throw new Error(`not a conversation's address: ${address}`);
  }
});

await step("an issue with the address in its description", async () => {
  await project.goto(jira);
  await picture(project, "project");
  await project.getByLabel("Summary").fill("Export button does nothing");
  await project.getByLabel("Description").fill(`Reported by a customer: ${address}`);
  await project.getByRole("button", { name: /create/i }).click();
  await project.getByRole("heading", { name: /Export button does nothing/ }).waitFor();
});

await step("the conversation gets the note without a reload", async () => {
  await inbox.getByText("created").first().waitFor();
  const link = inbox.getByRole("link", { name: "ENG-1" }).first();
  await link.waitFor();
  if (!(await link.getAttribute("href")).includes("/browse/ENG-1#")) {
    throw new Error("the note's link does not lead to the issue");
  }
});

await step("a comment keeps its formatting", async () => {
  await project.getByRole("textbox", { name: "Comment", exact: true }).fill("I can *reproduce* it.");
  await project.getByRole("button", { name: "Add comment" }).click();
  await inbox.locator("b", { hasText: "reproduce" }).first().waitFor();
});

await step("Jira shows the linked conversation", async () => {
  await project.reload();
  await project.getByRole("link", { name: /conversation/i }).first().waitFor();
  await picture(project, "issue");
});

await step("closed in Intercom, done in Jira, open again", async () => {
  await inbox.getByRole("button", { name: "Close", exact: true }).click();
  await inbox.getByText("closed", { exact: true }).first().waitFor();
  await project.getByLabel("Status").selectOption({ label: "Done" });
  await project.getByRole("button", { name: "Move to status" }).click();
  await inbox.getByText(/moved/).first().waitFor();
  await inbox.getByText("open", { exact: true }).first().waitFor();
  await picture(inbox, "conversation");
});

await browser.close();
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed === 0 ? 0 : 1);
