// The second factor in a real browser: set up by keyboard, asked for, lost and removed, in both
// colour schemes. The codes are made here, as RFC 6238 says, not by the service's own library.
//
//   FIRST_VISIT=http://… CHROMIUM=/usr/bin/chromium node second-factor.mjs, after pages.mjs
import { createHmac } from "node:crypto";
import { PASSWORD, expect, finish, launch, look, opener, step, variables } from "./harness.mjs";

const [firstVisit] = variables("FIRST_VISIT");
const PATIENCE_MS = 15_000;
const STEP_S = 30;
const base = new URL(firstVisit).origin;

const browser = await launch();
const open = opener(browser, PATIENCE_MS);

// What an app shows, `steps` after now: the service takes the code before, the present and the next.
function code(secret, steps = 0) {
  const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
  const bits = [...secret.replaceAll(" ", "")].map((letter) => letters.indexOf(letter).toString(2).padStart(5, "0")).join("");
  const key = Buffer.from(bits.match(/.{8}/g).map((byte) => Number.parseInt(byte, 2)));
  const time = Buffer.alloc(8);
  time.writeBigUInt64BE(BigInt(Math.floor(Date.now() / 1_000 / STEP_S) + steps));
  const digest = createHmac("sha1", key).update(time).digest();
  const number = digest.readUInt32BE(digest[19] & 15) & 0x7fffffff;
  return String(number % 1_000_000).padStart(6, "0");
}

async function password(page, email) {
  await page.getByLabel("E-mail address").fill(email);
  await page.getByLabel("Password").fill(PASSWORD);
  await page.getByRole("button", { name: "Sign in" }).click();
}

const owner = await open({ colorScheme: "light" });
const tess = await open({ colorScheme: "dark" });
let secret;
let codes;
let used;

await step("someone sets a second factor up, and it counts once a code was seen", async () => {
  await owner.goto(`${base}/people`);
  await password(owner, "owner@example.com");
  await owner.getByLabel("Name", { exact: true }).fill("Tess Two");
  await owner.getByLabel("E-mail address").fill("tess@example.com");
  await owner.getByRole("radio", { name: /^Viewer/ }).check();
  await owner.getByRole("button", { name: "Add and make a code" }).click();
  await tess.goto(`${base}/welcome?code=${await owner.locator("#code").textContent()}`);
  await tess.getByLabel("New password").fill(PASSWORD);
  await tess.getByRole("button", { name: "Save and sign in" }).click();
  await tess.goto(`${base}/account`);
  await look(tess, "account-second-factor");
  await tess.getByRole("link", { name: "Set it up" }).click();
  await look(tess, "second-factor-off");
  await tess.getByLabel("Present password").fill("not the password");
  await tess.keyboard.press("Enter");
  await tess.getByText("This is not your present password.").waitFor();
  await look(tess, "second-factor-wrong-password");
  await tess.getByLabel("Present password").fill(PASSWORD);
  await tess.keyboard.press("Enter");
  await tess.getByRole("img", { name: /Picture with the secret/ }).waitFor();
  secret = await tess.locator("#secret").textContent();
  await look(tess, "second-factor-pending");
  await tess.getByLabel("Code").fill("000000");
  await tess.keyboard.press("Enter");
  await tess.getByText("not the code that the app should show now").waitFor();
  await look(tess, "second-factor-wrong-code");
  used = code(secret);
  await tess.getByLabel("Code").fill(used);
  await tess.keyboard.press("Enter");
  await tess.getByRole("heading", { name: "Your recovery codes" }).waitFor();
  codes = (await tess.locator("#codes").textContent()).trim().split("\n");
  expect(codes.length === 10, `${codes.length} recovery codes`);
  await look(tess, "second-factor-codes");
  await tess.goto(`${base}/account/second-factor`);
  await look(tess, "second-factor-on");
});

await step("signing in asks for it and leads to the same page", async () => {
  const page = await open({ colorScheme: "light", javaScriptEnabled: false });
  await page.goto(`${base}/links?state=all`);
  await password(page, "tess@example.com");
  await page.getByRole("heading", { name: "Second factor" }).waitFor();
  await page.getByLabel("Code").fill(used);
  await page.keyboard.press("Enter");
  await page.getByText("This code is wrong, too old, or was used already.").waitFor();
  await page.getByLabel("Code").fill(code(secret, 1));
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { name: "Links" }).waitFor();
  expect(page.url() === `${base}/links?state=all`, `it led to ${page.url()}`);
  await page.context().close();
  const shown = await open({ colorScheme: "light" });
  await shown.goto(`${base}/`);
  await password(shown, "tess@example.com");
  await look(shown, "sign-in-code");
  await shown.getByLabel("Code").fill("123");
  await shown.keyboard.press("Enter");
  await shown.getByText("This code is wrong").waitFor();
  await look(shown, "sign-in-code-wrong");
  await shown.getByLabel("Code").fill(codes[0].toUpperCase());
  await shown.keyboard.press("Enter");
  await shown.getByRole("heading", { name: "Overview" }).waitFor();
  await shown.context().close();
});

await step("an administrator removes it, and the audit log tells", async () => {
  await owner.goto(`${base}/people`);
  await owner.getByRole("link", { name: "Tess Two" }).click();
  await look(owner, "person-second-factor");
  await owner.getByRole("button", { name: "Remove the second factor" }).click();
  await owner.getByText("The second factor is removed.").waitFor();
  await owner.goto(`${base}/audit`);
  for (const words of ["Second factor set up", "Recovery code used", "Second factor removed"]) {
    await owner.getByRole("cell", { name: words }).first().waitFor();
  }
  const page = await open();
  await page.goto(base);
  await password(page, "tess@example.com");
  await page.getByRole("heading", { name: "Overview" }).waitFor();
  await page.context().close();
});

await finish(browser);
