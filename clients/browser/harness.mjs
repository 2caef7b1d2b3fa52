// What the browser checks have in common: a browser, windows whose scripts must not fail, steps that
// are counted, and pages that are held against axe's rules, wide and narrow.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { chromium } from "playwright-core";

export const NARROW_PX = 360;
export const PASSWORD = "four little words here";

const { CHROMIUM: executablePath, SCREENSHOTS: folder } = process.env;
const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

// The values of these variables; without one of them, or without CHROMIUM, the check ends.
export function variables(...names) {
  const missing = [...names, "CHROMIUM"].filter((name) => !process.env[name]);
  if (missing.length) {
    console.error(`${missing.join(", ")} must be set`);
    process.exit(2);
  }
  return names.map((name) => process.env[name]);
}

export const counted = { passed: 0, failed: 0, looked: 0 };

export async function step(name, act) {
  try {
    await act();
    counted.passed += 1;
    console.log(`ok   ${name}`);
  } catch (error) {
    counted.failed += 1;
    console.log(`FAIL ${name}: ${error.message}`);
  }
}

export function expect(truth, words) {
  if (!truth) throw new Error(words);
}

// Disturbs the calls to a simulated platform until what it answers with is called.
export async function disturbed(platform, fault) {
  const made = await fetch(`${platform}/_control/faults`, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(fault) });
  expect(made.status === 201, `no fault: ${made.status}`);
  const { id } = await made.json();
  return async () => {
    const ended = await fetch(`${platform}/_control/faults/${id}`, { method: "DELETE" });
    expect(ended.ok, `the fault stays: ${ended.status}`);
  };
}

export const launch = () =>
  chromium.launch({
    executablePath,
    args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"],
  });

// Opens windows of someone: their scripts must not fail, and nothing may be refused by the policy.
export const opener = (browser, patienceMs) => async (options = {}) => {
  const context = await browser.newContext({ viewport: { width: 1200, height: 900 }, timezoneId: "Europe/Berlin", ...options });
  context.setDefaultTimeout(patienceMs);
  const page = await context.newPage();
  page.on("pageerror", (error) => {
    counted.failed += 1;
    console.log(`FAIL a script failed at ${page.url()}: ${error.message}`);
  });
  page.on("console", (message) => {
    if (/Content Security Policy/.test(message.text())) {
      counted.failed += 1;
      console.log(`FAIL refused by the policy at ${page.url()}: ${message.text()}`);
    }
  });
  return page;
};

// Holds a page or a frame against axe's rules as it is.
export async function holds(frame, name) {
  await frame.evaluate(axe);
  const { violations } = await frame.evaluate(() => globalThis.axe.run(document, { resultTypes: ["violations"] }));
  for (const { id, impact, nodes } of violations) {
    throw new Error(`${name}: ${id} (${impact}): ${nodes[0].html} ${nodes[0].failureSummary}`);
  }
}

// Keeps a picture of a page if pictures are wanted.
export async function picture(page, name) {
  if (folder) await page.screenshot({ path: `${folder}/${name}.png`, fullPage: true });
}

// Holds a page against the rules, and looks that it fits into a narrow window.
export async function look(page, name) {
  counted.looked += 1;
  const wide = page.viewportSize();
  await holds(page, name);
  await page.setViewportSize({ width: NARROW_PX, height: 740 });
  const width = await page.evaluate(() => document.documentElement.scrollWidth);
  await picture(page, `${name}-narrow`);
  expect(width <= NARROW_PX, `${name} is ${width} px wide in a window of ${NARROW_PX}`);
  await page.setViewportSize(wide);
  await picture(page, name);
}

// Says how it went, closes the browser, and answers with the exit code.
export async function finish(browser, what = "pages and states") {
  await browser.close();
  console.log(`${counted.passed} passed, ${counted.failed} failed; ${counted.looked} ${what} held against axe's rules`);
  process.exit(counted.failed === 0 ? 0 : 1);
}
