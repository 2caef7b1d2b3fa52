// Messaging in a real browser, as people try it by hand: phones on one side, the service desk on
// the other, and Bowline's pages of conversations, end users and desks between them. Every page and
// state is held against axe's rules, wide and narrow.
//
//   FIRST_VISIT=http://…/setup?code=… DEMO_PHONES=http://… DEMO_DESK=http://…/servicedesk/SUP \
//     CHROMIUM=/usr/bin/chromium node talk.mjs
//
// SCREENSHOTS=FOLDER keeps a picture of each page.
import { PASSWORD, expect, finish, launch, look, opener, picture, step, variables } from "./harness.mjs";

const [firstVisit, phones, desk] = variables("FIRST_VISIT", "DEMO_PHONES", "DEMO_DESK");
const PATIENCE_MS = 30_000;
const base = new URL(firstVisit).origin;

const browser = await launch();
const open = opener(browser, PATIENCE_MS);

// Loads a page again until it shows something.
async function shows(page, locator, words) {
  const end = Date.now() + PATIENCE_MS;
  while (!(await locator.count())) {
    expect(Date.now() < end, `never shown: ${words}`);
    await page.waitForTimeout(200);
    await page.reload();
  }
}

async function signIn(page) {
  await page.goto(`${base}/sign-in`);
  if (await page.getByLabel("Your name").count()) {
    await page.goto(firstVisit);
    await page.getByLabel("Your name").fill("Olive Owner");
    await page.getByLabel("E-mail address").fill("owner@example.com");
    await page.getByLabel("Password").fill(PASSWORD);
    await page.getByRole("button", { name: "Make the owner" }).click();
  } else {
    await page.getByLabel("E-mail address").fill("owner@example.com");
    await page.getByLabel("Password").fill(PASSWORD);
    await page.getByRole("button", { name: "Sign in" }).click();
  }
  await page.getByRole("heading", { name: "Overview" }).waitFor();
}

const owner = await open({ colorScheme: "light" });
const phone = await open({ colorScheme: "light" });
const agent = await open({ colorScheme: "light" });
await signIn(owner);

async function writes(text) {
  await phone.getByLabel("Message or caption").fill(text);
  await phone.getByRole("button", { name: "Send message" }).click();
  await phone.getByText(text.slice(0, 40)).first().waitFor();
}

async function replies(text, button = "Reply to customer") {
  await agent.getByLabel("Comment", { exact: true }).fill(text);
  await agent.getByRole("button", { name: button }).click();
  await agent.getByText(text).first().waitFor();
}

// The conversation's page shows a message in a state, at last.
async function comes(state) {
  await shows(owner, owner.locator(".timeline .lozenge", { hasText: state }), state);
}

await step("before anybody writes, the pages say who can begin", async () => {
  await owner.goto(`${base}/conversations`);
  await owner.getByText("nobody else can begin one").waitFor();
  await look(owner, "talk-conversations-empty");
  await owner.goto(`${base}/desks`);
  await owner.getByRole("heading", { name: "support", exact: true }).waitFor();
  await look(owner, "talk-desks");
});

await step("two messages of one person make one request", async () => {
  await phone.goto(phones);
  await look(phone, "phones");
  await phone.getByRole("link", { name: "Noa Lind" }).click();
  await look(phone, "phone-empty");
  await writes("My router is red.");
  await writes("It blinks, too.");
  await agent.goto(desk);
  await shows(agent, agent.getByRole("link", { name: /^SUP-\d+$/ }), "the request");
  await look(agent, "desk-queue");
  await agent.getByRole("link", { name: /^SUP-\d+$/ }).first().click();
  await agent.getByText("My router is red.").last().waitFor();
  await agent.getByText("It blinks, too.").waitFor();
});

await step("a public answer comes to the phone, an internal note does not", async () => {
  await replies("He has a model 5, do not say so yet.", "Add internal note");
  await replies("Which model is it?");
  await phone.getByText("Which model is it?").waitFor();
  expect(!(await phone.getByText("model 5").count()), "the internal note came to the phone");
  await phone.getByRole("button", { name: /^Read/ }).click();
  await phone.locator(".badge", { hasText: "read" }).first().waitFor();
});

await step("a picture is attached to the request", async () => {
  await phone.getByLabel("Message or caption").fill("Its label");
  await phone.getByLabel("Something else").selectOption("A picture");
  await phone.getByRole("button", { name: "Send it" }).click();
  await shows(agent, agent.getByText(/-photo|-image|photo/), "the picture");
  await look(agent, "desk-request");
  await look(phone, "phone");
});

await step("the conversation shows who can read what, and how far it came", async () => {
  await owner.goto(`${base}/conversations`);
  await look(owner, "talk-conversations");
  await owner.getByRole("link", { name: "Noa Lind" }).first().click();
  await owner.getByRole("heading", { name: "Conversation with Noa Lind" }).waitFor();
  await comes("read");
  expect(!(await owner.getByText("do not say so yet").count()), "an internal comment is shown");
  await look(owner, "talk-conversation");
});

await step("outside the window the agent learns why nothing was delivered", async () => {
  await phone.getByRole("button", { name: /outside the window/ }).click();
  await phone.getByText("Outside the WhatsApp window").waitFor();
  await look(phone, "phone-outside");
  await replies("Yours is a model 5.");
  await shows(agent, agent.getByText(/Not delivered to the customer/), "the internal comment");
  await look(agent, "desk-request-outside");
  await comes("failed");
  await look(owner, "talk-conversation-outside");
  await writes("Are you still there?");
  await shows(owner, owner.getByText("Are you still there?"), "the new message");
});

await step("a message that failed is sent again by a press of a button", async () => {
  await owner.getByRole("button", { name: "Send again" }).first().click();
  await owner.getByText("The message is being sent again").waitFor();
  await phone.getByText("Yours is a model 5.").waitFor();
  await shows(owner, owner.getByText("Sent again as a message of its own"), "what was decided");
  await look(owner, "talk-conversation-again");
});

await step("a message of which nobody knows is decided about on the page of problems", async () => {
  const fault = { method: "POST", path_contains: "/messages", times: 1, kind: "drop_before" };
  const made = await agent.request.post(`${phones}/_control/faults`, { data: fault });
  expect(made.status() === 201, `the fault was not made: ${made.status()}`);
  await replies("We send you a new one.");
  await comes("not known whether sent");
  await look(owner, "talk-conversation-held");
  await owner.goto(`${base}/problems`);
  await owner.getByText("Messages that someone has to decide about").waitFor();
  await look(owner, "talk-problems");
  await owner.getByRole("button", { name: "It arrived: do not send again" }).click();
  await owner.getByText("Noted. The message is not sent again.").waitFor();
});

await step("without script a message is sent again, too", async () => {
  const plain = await open({ javaScriptEnabled: false });
  await signIn(plain);
  await phone.getByLabel("every delivery fails").check();
  await phone.getByRole("button", { name: "Save", exact: true }).click();
  await replies("It is on its way.");
  await plain.goto(`${base}/conversations?sends=failed`);
  await shows(plain, plain.getByRole("link", { name: "Noa Lind" }), "the conversation");
  await phone.getByLabel("every delivery fails").uncheck();
  await phone.getByRole("button", { name: "Save", exact: true }).click();
  await plain.getByRole("link", { name: "Noa Lind" }).first().click();
  await plain.getByRole("button", { name: "Send again" }).last().click();
  await plain.getByText("The message is being sent again").waitFor();
  await shows(phone, phone.getByText("It is on its way."), "the message on the phone");
  await plain.context().close();
});

await step("the end of the request is told, and ends the conversation", async () => {
  await agent.getByRole("button", { name: "Resolved", exact: true }).click();
  await phone.getByText(/is now: Resolved/).waitFor();
  await owner.goto(`${base}/conversations?state=ended`);
  await shows(owner, owner.getByText("ended: done"), "the end");
  await owner.getByRole("link", { name: "Noa Lind" }).first().click();
  await owner.getByText("ended: done").waitFor();
  await look(owner, "talk-conversation-ended");
});

await step("long names and long texts find room", async () => {
  await phone.goto(phones);
  await phone.getByLabel("Name", { exact: true }).fill(`Maximiliane ${"von und zu Hohenschwangau-".repeat(5)}Ende`);
  await phone.getByLabel("Number or user id").fill("+15557799");
  await phone.getByRole("button", { name: "Add" }).click();
  await writes(`${"Donaudampfschifffahrtsgesellschaft".repeat(12)} ${"and so on, ".repeat(80)}`);
  await look(phone, "phone-long");
  await owner.goto(`${base}/conversations`);
  await shows(owner, owner.getByRole("link", { name: /^Maximiliane/ }), "the conversation");
  await look(owner, "talk-conversations-long");
  await owner.getByRole("link", { name: /^Maximiliane/ }).first().click();
  await owner.getByRole("heading", { name: /Maximiliane/ }).waitFor();
  await look(owner, "talk-conversation-long");
  await owner.goto(`${base}/conversations?about=n`);
  await owner.getByText("is neither a request's key").waitFor();
  await look(owner, "talk-conversations-wrong");
  await owner.goto(`${base}/conversations?window=soon`);
  await owner.getByText("No conversation is like that.").waitFor();
  await look(owner, "talk-conversations-none");
});

await step("an end user is tied to a customer, blocked and let in again", async () => {
  await owner.goto(`${base}/end-users`);
  await look(owner, "talk-end-users");
  await owner.getByLabel("Telephone number", { exact: true }).fill("not a number");
  await owner.getByRole("button", { name: "Block", exact: true }).click();
  await owner.getByText("A telephone number in its international form").waitFor();
  expect((await owner.getByLabel("Telephone number", { exact: true }).inputValue()) === "not a number", "what was typed is gone");
  await look(owner, "talk-end-users-wrong");
  await owner.goto(`${base}/end-users`);
  await owner.getByRole("link", { name: "Noa Lind" }).click();
  await look(owner, "talk-end-user");
  await owner.getByLabel("Customer in Jira", { exact: true }).fill("nobody@example.com");
  await owner.getByRole("button", { name: "Look up and save" }).click();
  await owner.getByText("Jira knows no customer").waitFor();
  await look(owner, "talk-end-user-wrong");
  await owner.getByRole("button", { name: "Block Noa Lind" }).click();
  await owner.getByText("What they write is not taken over from now on.").waitFor();
  await look(owner, "talk-end-user-blocked");
  await owner.getByRole("button", { name: "Let in again" }).click();
  await owner.getByText("Let in again. What they write is taken over from now on.").waitFor();
});

await step("a desk is checked, and a test message goes to a number that was chosen", async () => {
  await owner.goto(`${base}/desks`);
  await owner.getByRole("button", { name: "Check it now: support" }).click();
  await owner.getByText("can be made").waitFor();
  await look(owner, "talk-desks-checked");
  await owner.getByLabel("Telephone number").fill("+1 555 0000");
  await owner.getByRole("button", { name: "Send", exact: true }).click();
  await owner.getByText("Write to the desk from that phone first").waitFor();
  await look(owner, "talk-desks-wrong");
  await owner.getByLabel("Telephone number").fill("+1 555 7799");
  await owner.getByRole("button", { name: "Send", exact: true }).click();
  await owner.getByText("The test message is on its way.").waitFor();
  await phone.getByText("This is a test message.").waitFor();
});

await step("the automation of the service desk moves requests", async () => {
  await agent.goto(desk);
  await agent.getByLabel(/Public comments move the request/).check();
  await agent.getByRole("button", { name: "Save automation" }).click();
  await agent.getByRole("link", { name: /^SUP-\d+$/ }).first().click();
  await replies("We look into it.");
  await shows(agent, agent.locator(".badge", { hasText: "Waiting for customer" }), "the new status");
  await phone.getByText(/is now: Waiting for customer/).waitFor();
});

for (const [scheme, options] of [["dark", { colorScheme: "dark" }], ["contrast", { colorScheme: "dark", contrast: "more" }]]) {
  await step(`every page in ${scheme}, wide and narrow`, async () => {
    const page = await open(options);
    await signIn(page);
    for (const path of ["/conversations?state=all", "/end-users", "/desks?check=support", "/problems"]) {
      await page.goto(base + path);
      await look(page, `talk-${path.replace(/[^a-z0-9]+/gi, "-").replace(/^-|-$/g, "")}-${scheme}`);
    }
    for (const [list, name] of [["/conversations?state=all", "conversation"], ["/end-users", "end-user"]]) {
      await page.goto(base + list);
      await page.getByRole("link", { name: "Noa Lind" }).first().click();
      await page.getByRole("heading", { level: 1, name: /Noa Lind/ }).waitFor();
      await look(page, `talk-${name}-${scheme}`);
    }
    for (const [address, name] of [[phones, "phones"], [desk, "desk-queue"]]) {
      await page.goto(address);
      await look(page, `${name}-${scheme}`);
    }
    await page.context().close();
  });
}

await finish(browser);
