// Signing in at a provider of OpenID Connect in a real browser, against a provider that others wrote:
// new people, people who have an account, people who stay out, and joining the two.
//
//   FIRST_VISIT=http://…/setup FIRST_CODE=… CHROMIUM=/usr/bin/chromium node oidc.mjs
import { PASSWORD, expect, finish, launch, look, opener, step, variables } from "./harness.mjs";

const [firstVisit, firstCode] = variables("FIRST_VISIT", "FIRST_CODE");
const PATIENCE_MS = 15_000;
const base = new URL(firstVisit).origin;
const browser = await launch();
const open = opener(browser, PATIENCE_MS);

// At the provider: who somebody is.
async function as(page, name) {
  await page.getByRole("heading", { name: "Example ID" }).waitFor();
  await page.getByLabel("Name").fill(name);
  await page.getByRole("button", { name: "Continue" }).click();
}

async function signIn(page, name, place = "/") {
  await page.goto(`${base}${place}`);
  await page.getByRole("link", { name: "Sign in with Example ID" }).click();
  await as(page, name);
}

async function password(page, email) {
  await page.getByLabel("E-mail address").fill(email);
  await page.getByLabel("Password").fill(PASSWORD);
  await page.getByRole("button", { name: "Sign in" }).click();
}

const owner = await open({ colorScheme: "light" });
const ana = await open({ colorScheme: "dark" });
let returned;

await step("the owner is made with the printed code, as without a provider", async () => {
  await owner.goto(`${firstVisit}?code=${firstCode}`);
  await owner.getByLabel("Your name").fill("Olive Owner");
  await owner.getByLabel("E-mail address").fill("owner@example.com");
  await owner.getByLabel("Password").fill(PASSWORD);
  await owner.getByRole("button", { name: "Make the owner" }).click();
  await owner.getByRole("heading", { name: "Overview" }).waitFor();
});

await step("somebody new comes in and to the page that they wanted", async () => {
  ana.on("request", (request) => {
    if (request.url().includes("/sign-in/oidc/back")) returned = request.url();
  });
  await ana.goto(`${base}/links?state=all`);
  await look(ana, "sign-in-elsewhere");
  await ana.getByRole("link", { name: "Sign in with Example ID" }).click();
  await as(ana, "ana");
  await ana.getByRole("heading", { name: "Links" }).waitFor();
  expect(ana.url() === `${base}/links?state=all`, `it led to ${ana.url()}`);
  await ana.goto(`${base}/account`);
  await ana.getByText("ana@example.com · Viewer").waitFor();
  await ana.getByText("You are joined to ana@example.com there").waitFor();
  await look(ana, "account-elsewhere-joined");
});

await step("the same again is the same account, without script too", async () => {
  const page = await open({ javaScriptEnabled: false });
  await signIn(page, "ana", "/problems");
  await page.getByRole("heading", { name: "Problems" }).waitFor();
  await page.context().close();
  await owner.goto(`${base}/people`);
  const rows = await owner.getByRole("link", { name: "Ana Lind" }).count();
  expect(rows === 1, `${rows} accounts`);
  await look(owner, "people-elsewhere");
});

await step("an answer is good once, and in one browser", async () => {
  const before = ana.url();
  await ana.goto(returned);
  await ana.getByText("does not belong to what this browser asked for").waitFor();
  await ana.goto(before);
  const page = await open({ colorScheme: "light" });
  await page.goto(returned);
  await page.getByText("does not belong to what this browser asked for").waitFor();
  await look(page, "sign-in-elsewhere-not-ours");
  await page.goto(`${base}/account`);
  await page.getByRole("heading", { name: "Sign in" }).waitFor();
  await page.context().close();
});

await step("who stays out is told why, and comes to the same page afterwards", async () => {
  for (const [name, words] of [
    ["otto", "The address otto@example.org is of a domain that is not let in here."],
    ["una", "does not say that the address una@example.com is really yours"],
    ["nora", "tells no e-mail address of yours"],
    ["namesake", "There is an account with the address owner@example.com here"],
  ]) {
    const page = await open({ colorScheme: name === "una" ? "dark" : "light" });
    await signIn(page, name, "/links?state=all");
    await page.getByText(words).waitFor();
    await look(page, `sign-in-elsewhere-${name}`);
    await page.goto(`${base}/account`);
    await page.getByRole("heading", { name: "Sign in" }).waitFor();
    await page.context().close();
  }
  const page = await open();
  await page.goto(`${base}/links?state=all`);
  await page.getByRole("link", { name: "Sign in with Example ID" }).click();
  await page.getByRole("button", { name: "Go back" }).click();
  await page.getByText("The sign-in service did not let you in: The person went back.").waitFor();
  await password(page, "owner@example.com");
  await page.getByRole("heading", { name: "Links" }).waitFor();
  expect(page.url() === `${base}/links?state=all`, `it led to ${page.url()}`);
  await page.context().close();
});

await step("somebody who has an account joins the two with the password", async () => {
  await owner.goto(`${base}/account`);
  await look(owner, "account-elsewhere");
  const join = owner.getByRole("button", { name: "Join", exact: true });
  const present = owner.locator("#elsewhere_present");
  await present.fill("not the password");
  await join.click();
  await owner.getByText("This is not your present password.").waitFor();
  await look(owner, "account-elsewhere-wrong");
  await present.fill(PASSWORD);
  await join.click();
  await owner.getByRole("heading", { name: "Go on at Example ID" }).waitFor();
  await look(owner, "account-elsewhere-go-on");
  await owner.getByRole("link", { name: "Go on at Example ID" }).click();
  await as(owner, "ana");
  await owner.getByText("is joined to another account here").waitFor();
  await look(owner, "account-elsewhere-taken");
  await owner.context().clearCookies({ domain: new URL(base).hostname, name: /^_/ });
  await owner.goto(`${base}/account`);
  await owner.locator("#elsewhere_present").fill(PASSWORD);
  await owner.getByRole("button", { name: "Join", exact: true }).click();
  await owner.getByRole("link", { name: "Go on at Example ID" }).click();
  await as(owner, "namesake");
  await owner.getByText("You can sign in that way from now on.").waitFor();
  const page = await open();
  await signIn(page, "namesake");
  await page.goto(`${base}/account`);
  await page.getByText("owner@example.com · Owner").waitFor();
  await page.context().close();
});

await step("somebody invited joins with the code in place of a password", async () => {
  await owner.goto(`${base}/people`);
  await owner.getByLabel("Name", { exact: true }).fill("Ines Invited");
  await owner.getByLabel("E-mail address").fill("ines@example.com");
  await owner.getByRole("radio", { name: /^Agent/ }).check();
  await owner.getByRole("button", { name: "Add and make a code" }).click();
  const code = await owner.locator("#code").textContent();
  const page = await open({ colorScheme: "dark" });
  await page.goto(`${base}/welcome?code=${code}`);
  await look(page, "welcome-elsewhere");
  await page.getByRole("button", { name: "Join Example ID" }).click();
  await page.getByRole("link", { name: "Go on at Example ID" }).click();
  await as(page, "ines");
  await page.getByRole("heading", { name: "Overview" }).waitFor();
  await page.goto(`${base}/account`);
  await page.getByText("ines@example.com · Agent").waitFor();
  // The code is used up.
  const other = await open();
  await other.goto(`${base}/welcome?code=${code}`);
  await other.getByRole("button", { name: "Join Example ID" }).click();
  await other.getByRole("link", { name: "Go on at Example ID" }).click();
  await as(other, "ana");
  await other.getByText("The code is not valid any more").waitFor();
  await other.context().close();
  await page.context().close();
});

await step("an account that is switched off stays out", async () => {
  await owner.goto(`${base}/people`);
  await owner.getByRole("link", { name: "Ana Lind" }).click();
  await owner.getByRole("checkbox", { name: /^May sign in/ }).uncheck();
  await owner.getByRole("button", { name: "Save" }).click();
  await owner.getByText("Saved.").waitFor();
  await ana.goto(`${base}/links`);
  await ana.getByText("Your session ended.").waitFor();
  await ana.getByRole("link", { name: "Sign in with Example ID" }).click();
  await ana.getByText("Your account here is switched off.").waitFor();
  await look(ana, "sign-in-elsewhere-off");
});

await step("the audit log tells", async () => {
  await owner.goto(`${base}/audit`);
  for (const words of ["Sign-in elsewhere joined", "Sign-in refused", "Person added"]) {
    await owner.getByRole("cell", { name: words }).first().waitFor();
  }
  await owner.getByText("by Example ID").first().waitFor();
});

await finish(browser);
