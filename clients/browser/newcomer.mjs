// A newcomer's path in a real browser: from an empty data folder to the first note, counted in
// clicks, and then the settings of the project.
//
//   NEWCOMER=http://…/setup NEWCOMER_CODE=… DEMO_INTERCOM=http://… DEMO_JIRA=http://… \
//     CHROMIUM=/usr/bin/chromium node newcomer.mjs
//
// SCREENSHOTS=FOLDER keeps a picture of each page.
import { PASSWORD, counted, expect, finish, holds, launch, look, opener, step, variables } from "./harness.mjs";

const [start, code, intercom, jira] = variables("NEWCOMER", "NEWCOMER_CODE", "DEMO_INTERCOM", "DEMO_JIRA");
const PATIENCE_MS = 15_000;
// Clicks from the first page to the note, those in Jira included. More would be a step back.
const CLICKS_MAX = 12;
const base = new URL(start).origin;

const browser = await launch();
const open = opener(browser, PATIENCE_MS);

let clicks = 0;

async function click(locator) {
  clicks += 1;
  await locator.click();
}

const owner = await open();
const began = Date.now();
let address;

await step("the first page makes the owner", async () => {
  await owner.goto(`${start}?code=${code}`);
  await owner.getByLabel("Your name").fill("Nora Newcomer");
  await owner.getByLabel("E-mail address").fill("nora@example.com");
  await owner.getByLabel("Password").fill(PASSWORD);
  await click(owner.getByRole("button", { name: "Make the owner" }));
  await owner.getByText("You are the owner of this installation.").waitFor();
  await look(owner, "newcomer-overview");
});

await step("the page of connections leads the same way", async () => {
  // Not on the way: the overview has the steps as well.
  await owner.goto(`${base}/connections`);
  await owner.getByText("On the way to the first note").waitFor();
  await look(owner, "connections-empty");
  await owner.goto(`${base}/`);
});

await step("the overview leads to Jira", async () => {
  await owner.getByText("On the way to the first note").waitFor();
  await click(owner.getByRole("link", { name: "Connect Jira", exact: true }));
  await look(owner, "connect-jira");
});

await step("what is wrong is said beside the field, and what was typed is kept", async () => {
  // Not on the way: these clicks are not counted.
  await owner.evaluate(() => { document.querySelector("form[action='/connections/add/site']").noValidate = true; });
  await owner.getByLabel("Jira's address").fill("ftp://jira.example.com");
  await owner.getByRole("button", { name: "Try and connect" }).click();
  await owner.getByText("It must begin with https:// or http://").waitFor();
  await owner.getByText("Paste it here.").waitFor();
  expect((await owner.getByLabel("Jira's address").inputValue()) === "ftp://jira.example.com", "the address is gone");
  await look(owner, "connect-jira-wrong");
});

await step("Jira is connected", async () => {
  await owner.getByLabel("Jira's address").fill(jira);
  await owner.getByLabel("E-mail address of the account").fill("priya@example.com");
  await owner.getByLabel("API token or personal access token").fill("token-of-priya");
  await click(owner.getByRole("button", { name: "Try and connect" }));
  await owner.getByText("Connected. The credentials work.").waitFor();
  await owner.getByRole("button", { name: "Copy Secret" }).waitFor();
  await look(owner, "connection-jira");
});

await step("Intercom is connected, by the next step that Jira's page shows", async () => {
  await click(owner.getByRole("link", { name: "Connect Intercom", exact: true }));
  await look(owner, "connect-intercom");
  await owner.getByLabel("Access token").fill("wrong");
  await owner.getByLabel("Client secret").fill("sandbox-client-secret");
  await click(owner.getByText("Seldom needed"));
  await owner.getByLabel("Where the API is reached, if elsewhere").fill(intercom);
  await owner.getByRole("button", { name: "Try and connect" }).click();
  await owner.getByText("Intercom refuses it.").waitFor();
  await look(owner, "connect-intercom-wrong");
  await owner.getByLabel("Access token").fill(process.env.DEMO_TOKEN ?? "sandbox-intercom-token");
  await owner.getByLabel("Client secret").fill("sandbox-client-secret");
  await click(owner.getByRole("button", { name: "Try and connect" }));
  await owner.getByText("Connected. The credentials work.").waitFor();
  await owner.getByText("can be read").waitFor();
  for (const what of ["Endpoint URL", "Topics", "Permissions"]) {
    await owner.getByRole("button", { name: `Copy ${what}` }).waitFor();
  }
  await look(owner, "connection-intercom");
  await click(owner.getByRole("link", { name: "Join a project", exact: true }));
});

await step("a project is joined", async () => {
  await look(owner, "projects-empty");
  await owner.getByLabel("Project", { exact: true }).selectOption("OPS");
  await click(owner.getByRole("button", { name: "Join" }));
  await owner.getByText("Joined. Paste a conversation's address").waitFor();
  await look(owner, "project");
});

await step("a pasted address brings the first note", async () => {
  const inbox = await open();
  await inbox.goto(intercom);
  await click(inbox.getByRole("link", { name: /Mia Holm/ }).first());
  address = await inbox.getByLabel("Paste this into a Jira issue or comment").inputValue();
  const project = await open();
  await project.goto(jira);
  await project.getByLabel("Project", { exact: true }).selectOption("OPS");
  await project.getByLabel("Summary").fill("The newcomer's issue");
  await project.getByLabel("Description").fill(`See ${address}`);
  await click(project.getByRole("button", { name: /create/i }));
  await inbox.getByText("The newcomer's issue").first().waitFor();
  console.log(`     ${clicks} clicks and ${Math.round((Date.now() - began) / 1000)} s from the first page to the first note`);
  expect(clicks <= CLICKS_MAX, `${clicks} clicks are more than ${CLICKS_MAX}`);
  await inbox.context().close();
  await project.context().close();
});

await step("the site turned green by itself", async () => {
  await owner.goto(`${base}/connections/site/jira`);
  await owner.getByText("signed deliveries arrive").waitFor();
  await look(owner, "connection-jira-green");
  await owner.goto(`${base}/connections`);
  expect(!(await owner.getByText("On the way to the first note").count()), "the way is still shown");
});

await step("a setting is saved as it is changed, and the preview follows", async () => {
  await owner.goto(`${base}/bindings/jira/OPS`);
  expect(!(await owner.getByRole("button", { name: "Save", exact: true }).isVisible()), "a button that is not needed is shown");
  await owner.getByLabel("Someone comments: note").uncheck();
  await owner.getByText("Saved. It holds from now on.").waitFor();
  await owner.getByText(/Nothing: .*commented/).waitFor();
  await owner.getByLabel("Notes hold the issue's summary").uncheck();
  await owner.getByLabel("Someone comments: note").check();
  await owner.locator("[data-follows=preview] .note", { hasText: "Lena Fischer commented" }).waitFor();
  await look(owner, "project-changed");
  await owner.reload();
  expect(!(await owner.getByLabel("Notes hold the issue's summary").isChecked()), "it was not kept");
});

await step("what is changed while Bowline is away is kept on the page, and saved by a button", async () => {
  await owner.goto(`${base}/bindings/jira/OPS`);
  await owner.context().setOffline(true);
  await owner.getByLabel("Unassign when re-opened").check();
  await owner.getByText("Not saved: Bowline is not reached.").waitFor();
  await look(owner, "project-away");
  await owner.context().setOffline(false);
  await owner.getByRole("button", { name: "Save", exact: true }).click();
  await owner.getByText("Saved. It holds from now on.").waitFor();
  expect(!(await owner.getByRole("button", { name: "Save", exact: true }).isVisible()), "the button stays");
  await owner.reload();
  expect(await owner.getByLabel("Unassign when re-opened").isChecked(), "it was not kept");
  await owner.getByLabel("Unassign when re-opened").uncheck();
  await owner.getByText("Saved. It holds from now on.").waitFor();
});

await step("a second tab does not overwrite what the first one saved", async () => {
  const second = await owner.context().newPage();
  await second.goto(`${base}/bindings/jira/OPS`);
  await owner.getByLabel("Mute").check();
  await owner.getByText("Saved. It holds from now on.").waitFor();
  await second.getByLabel("Unassign when re-opened").check();
  await second.getByText("Someone changed this meanwhile").waitFor();
  await look(second, "project-overtaken");
  await second.close();
});

await step("by keyboard alone: a rule for one transition", async () => {
  await owner.goto(`${base}/bindings/jira/OPS`);
  await owner.getByLabel("From", { exact: true }).focus();
  await owner.keyboard.press("Tab");
  await owner.keyboard.type("Done");
  for (let tabs = 0; (await owner.evaluate(() => document.activeElement.textContent)) !== "Add the rule"; tabs += 1) {
    expect(tabs < 5, "the button cannot be reached");
    await owner.keyboard.press("Tab");
  }
  await owner.keyboard.press("Enter");
  await owner.getByText("any status → Done: note and re-open").waitFor();
});

const order = (page, whose) => page.locator(`section[aria-labelledby=${whose}] .order code`).allTextContents();
const comes = async (page, whose, wanted) => {
  for (let tries = 0; (await order(page, whose)).join() !== wanted; tries += 1) {
    expect(tries < 100, `the order is ${await order(page, whose)}, not ${wanted}`);
    await page.waitForTimeout(50);
  }
};

await step("by keyboard: the fields of the panel are put in order", async () => {
  await owner.goto(`${base}/bindings/jira/OPS`);
  await owner.getByLabel("Which contacts").selectOption("reporter");
  await owner.getByText("Saved. It holds from now on.").waitFor();
  await owner.getByRole("link", { name: "Choose the fields and their order" }).click();
  await owner.getByText("What the customer pays for.").first().waitFor({ state: "attached" });
  await owner.getByLabel("Choose a field").first().selectOption("plan");
  await owner.locator("#user-add").focus();
  await owner.keyboard.press("Enter");
  await comes(owner, "user", "email,phone,user_id,created_at,last_request_at,session_count,plan");
  await owner.getByRole("button", { name: "Move plan up" }).focus();
  await owner.keyboard.press("Enter");
  await comes(owner, "user", "email,phone,user_id,created_at,last_request_at,plan,session_count");
  const focused = () => owner.evaluate(() => document.activeElement.getAttribute("aria-label"));
  expect((await focused()) === "Move plan up", `the focus went to ${await focused()}`);
  await owner.keyboard.press("Enter");
  await comes(owner, "user", "email,phone,user_id,created_at,plan,last_request_at,session_count");
  await owner.getByRole("button", { name: "Remove Email" }).first().click();
  await comes(owner, "user", "phone,user_id,created_at,plan,last_request_at,session_count");
  await look(owner, "project-fields");
});

await step("by dragging: the fields of the panel are put in order", async () => {
  await owner.locator("#user-plan .grip").dragTo(owner.locator("#user-phone"), { targetPosition: { x: 10, y: 2 } });
  await comes(owner, "user", "plan,phone,user_id,created_at,last_request_at,session_count");
  await owner.getByText("Saved. It holds from now on.").waitFor();
  await owner.reload();
  await comes(owner, "user", "plan,phone,user_id,created_at,last_request_at,session_count");
  await owner.locator("#company-key").fill("website");
  await owner.locator("#company-add").click();
  await owner.getByText("“website” is in the list already.").waitFor();
  await look(owner, "project-fields-wrong");
  await owner.getByRole("button", { name: "Reset to default" }).click();
  await comes(owner, "user", "email,phone,user_id,created_at,last_request_at,session_count");
});

await step("without script it is saved by the button", async () => {
  const page = await open({ javaScriptEnabled: false });
  await page.goto(`${base}/sign-in`);
  await page.getByLabel("E-mail address").fill("nora@example.com");
  await page.getByLabel("Password").fill(PASSWORD);
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.goto(`${base}/bindings/jira/OPS`);
  await page.getByLabel("Mute").uncheck();
  await page.getByRole("button", { name: "Save", exact: true }).click();
  await page.getByText("Saved. It holds from now on.").waitFor();
  expect(!(await page.getByLabel("Mute").isChecked()), "it was not kept");
  await page.goto(`${base}/bindings/jira/OPS/fields`);
  await page.getByRole("button", { name: "Move Phone up" }).first().click();
  await page.getByText("Saved. It holds from now on.").waitFor();
  await comes(page, "user", "phone,email,user_id,created_at,last_request_at,session_count");
  await page.context().close();
});

await step("parted and joined again", async () => {
  await owner.goto(`${base}/bindings/jira/OPS`);
  await owner.getByRole("button", { name: "Part" }).click();
  await owner.getByText("Parted. Nothing is told any more").waitFor();
  await look(owner, "project-parted");
  await owner.getByRole("button", { name: "Join again" }).click();
  await owner.getByText("Joined again, with its links and settings.").waitFor();
});

const PAGES = ["/connections", "/connections/site/jira", "/connections/add/site", "/connections/add/workspace", "/connections/add/consent", "/bindings", "/bindings/jira/OPS", "/bindings/jira/OPS?import=yes", "/bindings/jira/OPS/fields"];
for (const [scheme, options] of [["light", { colorScheme: "light" }], ["dark", { colorScheme: "dark" }], ["contrast", { colorScheme: "dark", contrast: "more" }]]) {
  await step(`every page of the configuration in ${scheme}, wide and narrow`, async () => {
    const page = await open(options);
    await page.goto(`${base}/sign-in`);
    await page.getByLabel("E-mail address").fill("nora@example.com");
    await page.getByLabel("Password").fill(PASSWORD);
    await page.getByRole("button", { name: "Sign in" }).click();
    await page.getByRole("heading", { name: "Overview" }).waitFor();
    for (const path of PAGES) {
      await page.goto(base + path);
      const name = path.replace(/[^a-z0-9]+/gi, "-").replace(/^-|-$/g, "");
      await look(page, `${name}-${scheme}`);
    }
    await page.context().close();
  });
}

await finish(browser);
