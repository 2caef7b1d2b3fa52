// The web application in a real browser: the first visit, signing in, looking in, finding out why,
// in both colour schemes, by mouse and by keyboard, with and without script. Every page and state
// is held against axe's rules.
//
//   FIRST_VISIT=http://…/setup?code=… DEMO_INTERCOM=http://… DEMO_JIRA=http://… \
//     CHROMIUM=/usr/bin/chromium node pages.mjs
//
// SCREENSHOTS=FOLDER keeps a picture of each page.
import { NARROW_PX, PASSWORD, counted, disturbed, expect, finish, launch, look, opener, picture, step, variables } from "./harness.mjs";

const [firstVisit, intercom, jira] = variables("FIRST_VISIT", "DEMO_INTERCOM", "DEMO_JIRA");
const PATIENCE_MS = 15_000;

// How long the copy of all contacts may take.
const COPY_PATIENCE_MS = 180_000;

// How long taking in two conversations may take: the worker looks now and then.
const TAKING_IN_PATIENCE_MS = 60_000;
const base = new URL(firstVisit).origin;

const browser = await launch();
const open = opener(browser, PATIENCE_MS);

async function signIn(page, email) {
  await page.goto(`${base}/sign-in`);
  await page.getByLabel("E-mail address").fill(email);
  await page.getByLabel("Password").fill(PASSWORD);
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.getByRole("heading", { name: "Overview" }).waitFor();
}

const owner = await open({ colorScheme: "light" });

await step("the first visit says what is wrong beside the field and keeps what was typed", async () => {
  await owner.goto(base);
  await owner.getByRole("heading", { name: "Welcome to Bowline" }).waitFor();
  await look(owner, "first-visit");
  await owner.getByLabel("Code").fill("not-the-code");
  await owner.getByLabel("Your name").fill("Olive Owner");
  await owner.getByLabel("E-mail address").fill("owner@example.com");
  await owner.getByLabel("Password").fill("too short");
  await owner.getByRole("button", { name: "Make the owner" }).click();
  await owner.getByText("This code is not valid").waitFor();
  await owner.getByText("It is too short").waitFor();
  expect((await owner.getByLabel("Your name").inputValue()) === "Olive Owner", "the name is gone");
  await look(owner, "first-visit-wrong");
});

await step("the code from the start makes the owner", async () => {
  await owner.goto(firstVisit);
  await owner.getByLabel("Your name").fill("Olive Owner");
  await owner.getByLabel("E-mail address").fill("owner@example.com");
  await owner.getByLabel("Password").fill(PASSWORD);
  await owner.getByRole("button", { name: "Make the owner" }).click();
  await owner.getByText("You are the owner of this installation.").waitFor();
});

await step("a person is added and chooses a password", async () => {
  await owner.getByRole("link", { name: "People" }).click();
  await owner.getByLabel("Name", { exact: true }).fill("Vera Viewer");
  await owner.getByLabel("E-mail address").fill("not an address");
  await owner.getByRole("radio", { name: /Project administrator/ }).check();
  await owner.evaluate(() => document.querySelector("form[action='/people']").noValidate = true);
  await owner.getByRole("button", { name: "Add and make a code" }).click();
  await owner.getByText("This is not an e-mail address").waitFor();
  await owner.getByText("Choose at least one project").waitFor();
  await look(owner, "people-wrong");
  await owner.getByLabel("E-mail address").fill("vera@example.com");
  await owner.getByRole("radio", { name: /^Viewer/ }).check();
  await owner.getByRole("button", { name: "Add and make a code" }).click();
  const code = await owner.locator("#code").textContent();
  await look(owner, "people-code");
  const vera = await open();
  await vera.goto(`${base}/welcome?code=${code}`);
  await look(vera, "welcome");
  await vera.getByLabel("New password").fill(PASSWORD);
  await vera.getByRole("button", { name: "Save and sign in" }).click();
  await vera.getByRole("heading", { name: "Overview" }).waitFor();
  await vera.goto(`${base}/people`);
  await vera.getByText("does not allow you to manage people").waitFor();
  await look(vera, "not-allowed");
  await vera.context().close();
});

// What there is to see: one issue that is linked and told of, one that is not.
let address;
await step("a linked issue shows in Bowline", async () => {
  const inbox = await open();
  await inbox.goto(intercom);
  await inbox.getByRole("link", { name: /Mia Holm/ }).first().click();
  address = await inbox.getByLabel("Paste this into a Jira issue or comment").inputValue();
  await inbox.goto(jira);
  for (const [summary, description] of [["A linked issue", `See ${address}`], [`Alone ${"with a very long summary ".repeat(8)}`, "Nothing pasted."]]) {
    await inbox.goto(jira);
    await inbox.getByLabel("Summary").fill(summary);
    await inbox.getByLabel("Description").fill(description);
    await inbox.getByRole("button", { name: /create/i }).click();
    await inbox.getByRole("heading", { name: new RegExp(summary.slice(0, 10)) }).waitFor();
  }
  await inbox.context().close();
  await owner.goto(`${base}/links`);
  for (let tries = 0; !(await owner.getByRole("link", { name: /^ENG-\d+$/ }).count()); tries += 1) {
    expect(tries < 100, "the link did not come");
    await owner.reload();
  }
});

await step("one question answers why something was told, and why not", async () => {
  await owner.goto(`${base}/links`);
  const key = await owner.getByRole("link", { name: /^ENG-\d+$/ }).first().textContent();
  await owner.getByRole("searchbox").fill(key);
  await owner.getByRole("button", { name: "Search" }).click();
  await owner.getByText("was told. Nothing is missing.").waitFor();
  await look(owner, "why-told");
  await owner.goto(`${base}/why`);
  await owner.getByRole("textbox", { name: "Issue or conversation" }).fill(address);
  await owner.getByRole("button", { name: "Find out" }).click();
  await owner.getByText(/It is linked to/).waitFor();
  await owner.goto(`${base}/why?q=ENG-999`);
  await owner.getByText("has never heard of ENG-999").waitFor();
});

await step("a delivery tells its decision, is decided again and does nothing twice", async () => {
  await owner.goto(`${base}/deliveries`);
  await owner.getByLabel("Outcome").selectOption("effects");
  await owner.getByRole("button", { name: "Show", exact: true }).click();
  await owner.locator("tbody a").first().click();
  await owner.getByText("confirmed").first().waitFor();
  await owner.getByText("As a curl command").click();
  await owner.getByText("What it said").click();
  await look(owner, "delivery-open");
  const effects = await owner.locator(".effect").count();
  await owner.getByRole("button", { name: "Decide it again" }).click();
  await owner.getByText("is not done twice").waitFor();
  await owner.getByRole("button", { name: "Decide it again" }).waitFor();
  expect((await owner.locator(".effect").count()) === effects, "there are other effects");
});

await step("a conversation is linked and unlinked by hand", async () => {
  await owner.goto(`${base}/links`);
  const key = await owner.getByRole("link", { name: /^ENG-\d+$/ }).first().textContent();
  await owner.getByLabel("Issue", { exact: true }).fill(key);
  await owner.getByLabel("Conversation", { exact: true }).fill("that one");
  await owner.getByRole("button", { name: "Link", exact: true }).click();
  await owner.getByText("is no conversation").waitFor();
  await look(owner, "links-wrong");
  await owner.getByLabel("Conversation", { exact: true }).fill(address);
  await owner.getByRole("button", { name: "Link", exact: true }).click();
  await owner.getByText("The link is being made.").waitFor();
  await owner.getByRole("button", { name: /^Unlink/ }).first().click();
  await owner.getByText("The link is being ended.").waitFor();
});

await step("a product is added, and the tags that there are are found by typing", async () => {
  await owner.goto(`${base}/products`);
  await look(owner, "products-one");
  await owner.getByLabel("Name", { exact: true }).fill(" ");
  await owner.evaluate(() => document.querySelector("form[action='/products']").noValidate = true);
  await owner.getByRole("button", { name: "Add", exact: true }).click();
  await owner.getByText("Write a name of 1 to 80 characters.").waitFor();
  await look(owner, "products-wrong");
  await owner.getByLabel("Name", { exact: true }).fill("Web app");
  await owner.getByRole("button", { name: "Add", exact: true }).click();
  await owner.getByText("Switch its feedback on next.").waitFor();
  await look(owner, "product-off");
  await owner.getByRole("link", { name: "Switch on" }).click();
  await owner.getByLabel("Search among the tags").fill("mob");
  await look(owner, "product-choosing");
  await owner.getByRole("button", { name: "Switch on" }).click();
  await owner.getByText("Choose at least one tag that is there.").waitFor();
  await look(owner, "product-choosing-wrong");
  await owner.getByLabel("Search among the tags").fill("nothing like it");
  expect(!(await owner.getByLabel("feedback-mobile").isVisible()), "a tag that is not like it is shown");
  await owner.getByLabel("Search among the tags").fill("MOBILE");
  await owner.getByLabel("feedback-mobile").check();
  await owner.getByRole("button", { name: "Switch on" }).click();
  await owner.getByText("Feedback is on.").waitFor();
  await look(owner, "product-on");
  await owner.getByRole("button", { name: "Switch off" }).click();
  await owner.getByText("What came in stays; nothing new comes in.").first().waitFor();
});

await step("a message that is tagged in Intercom becomes a ticket", async () => {
  await owner.goto(`${base}/feedback`);
  await look(owner, "feedback-empty");
  const inbox = await open();
  for (const [who, words] of [["Ines Vidal", "Please add a dark mode to the mobile app."], ["Otto Berg", `A dark mode for the mobile app please. ${"And a very-long-word".repeat(20)} <script>`]]) {
    await inbox.goto(intercom);
    await inbox.getByLabel("Customer's name").fill(who);
    await inbox.getByLabel("E-mail address").fill(`${who.split(" ")[0].toLowerCase()}@example.com`);
    await inbox.getByLabel("Message", { exact: true }).fill(words);
    await inbox.getByRole("button", { name: "Send as customer", exact: true }).click();
    await inbox.getByLabel("Tag for it").fill("feedback-mobile");
    await inbox.getByRole("button", { name: "Tag this message" }).click();
    await inbox.getByText("feedback-mobile").first().waitFor();
  }
  await inbox.context().close();
  for (let tries = 0; (await owner.locator("tbody tr").count()) < 2; tries += 1) {
    expect(tries < 200, "the tickets did not come");
    await owner.goto(`${base}/feedback`);
  }
  await look(owner, "feedback-two");
});

await step("long names of deliveries are broken between their words", async () => {
  await owner.goto(`${base}/deliveries`);
  await owner.locator(".what", { hasText: "conversation_part.tag.created" }).first().waitFor();
  const broken = await owner.locator(".what").evaluateAll((cells) => {
    const lines = (text) => {
      const range = document.createRange();
      range.selectNodeContents(text);
      return range.getClientRects().length;
    };
    const texts = cells.flatMap((cell) => [...cell.childNodes].filter((one) => one.nodeType === Node.TEXT_NODE));
    return texts.filter((text) => text.data.trim() && lines(text) > 1).map((text) => text.data);
  });
  expect(!broken.length, `broken within a word: ${broken}`);
});

await step("tickets are triaged by keyboard alone, and the place in the list is kept", async () => {
  await owner.goto(`${base}/feedback?sort=people`);
  const at = (row) => owner.locator(`[data-place="${row}"].here input:focus`).waitFor();
  const rows = await owner.locator("tbody tr").evaluateAll((all) => all.map((row) => row.dataset.place));
  for (const key of ["j", "j", "k", "x", "r"]) await owner.keyboard.press(key);
  await owner.getByText("Saved.").waitFor();
  expect((await owner.locator("tbody .lozenge", { hasText: "In review" }).count()) === 1, "one ticket is in review");
  await at(rows[1]);
  await owner.keyboard.press("p");
  await owner.locator("tbody .lozenge", { hasText: "Planned" }).waitFor();
  // After the last one comes the one before.
  await at(rows[0]);
  await look(owner, "feedback-place");
  await owner.keyboard.press("o");
  await owner.getByRole("heading", { name: "What was said", exact: true }).waitFor();
  await owner.getByText("What was said around it").click().catch(() => {});
  await owner.getByText(/put on at .* by (?!teammate)/).waitFor();
  await look(owner, "ticket");
});

await step("what was chosen stays chosen where a label is missing", async () => {
  const ticket = owner.url();
  await owner.goto(`${base}/feedback?sort=people`);
  await owner.getByRole("checkbox", { name: /^Choose ticket/ }).nth(1).check();
  await owner.getByLabel("With the chosen").selectOption("label");
  await owner.getByRole("button", { name: "Do it" }).click();
  await owner.getByText("Write the label, of 1 to 40 characters.").waitFor();
  expect(await owner.getByRole("checkbox", { name: /^Choose ticket/ }).nth(1).isChecked(), "the choice is gone");
  expect((await owner.getByLabel("With the chosen").inputValue()) === "label", "what was to be done is gone");
  await look(owner, "feedback-no-label");
  await owner.getByLabel("Label to put on or take off").fill("night");
  await owner.getByRole("button", { name: "Do it" }).click();
  await owner.locator("tbody .label", { hasText: "night" }).waitFor();
  await owner.goto(ticket);
});

await step("duplicates are suggested, merged and parted again", async () => {
  await owner.getByText("% alike").waitFor();
  await owner.getByRole("button", { name: /^Merge into this ticket/ }).click();
  await owner.getByText("Merged. It can be undone on this page.").waitFor();
  await look(owner, "ticket-merged");
  await owner.getByRole("button", { name: /^Undo the merge/ }).click();
  await owner.getByText("stands by itself again").first().waitFor();
  await owner.getByLabel("Merge this into ticket").fill("that one");
  await owner.getByRole("button", { name: "Merge", exact: true }).click();
  await owner.getByText("Write the number of a ticket").waitFor();
  await look(owner, "ticket-wrong");
});

await step("what nobody said is not split off, and no issue is tied that Jira does not show", async () => {
  await owner.getByLabel("What the other ticket is about").fill("Light");
  await owner.getByLabel("The part of the message").fill("text that is not in it");
  await owner.getByRole("button", { name: "Split off" }).click();
  await owner.getByText("These words do not stand in the ticket's message").waitFor();
  await look(owner, "ticket-not-said");
  await owner.getByLabel("Key or address of an issue").fill("ENG-999");
  await owner.getByRole("button", { name: "Tie to it" }).click();
  await owner.getByText("shows no issue ENG-999").waitFor();
  await look(owner, "ticket-no-issue");
});

await step("the inbox says what there is not, and what its numbers count", async () => {
  await owner.goto(`${base}/feedback?status=nope&importance=high&q=dark`);
  await owner.getByText("“nope” is no status").waitFor();
  await owner.getByText("These numbers count all tickets").waitFor();
  await look(owner, "feedback-unknown");
  await owner.goto(`${base}/feedback?status=erased`);
  await look(owner, "feedback-erased");
});

await step("older tags are counted before they are taken in, and become tickets", async () => {
  await owner.goto(`${base}/products`);
  await owner.getByRole("link", { name: "Web app" }).click();
  await owner.getByRole("link", { name: "Switch on" }).click();
  await owner.getByLabel("feedback-mobile").check();
  await owner.getByText("What the statuses are called").click();
  await owner.getByLabel("Project", { exact: true }).fill("ENG");
  await owner.getByLabel("Issue type").fill("Wish");
  await owner.getByRole("button", { name: "Switch on" }).click();
  await owner.getByText("ENG has no issue type “Wish”.").waitFor();
  await look(owner, "product-no-issue-type");
  await owner.getByLabel("Issue type").fill("Task");
  await owner.getByRole("button", { name: "Switch on" }).click();
  await owner.getByText("Feedback is on.").waitFor();
  await owner.getByLabel("From which day on?").fill("2020-01-01");
  await owner.getByRole("button", { name: "Count first" }).click();
  await owner.getByText(/conversations have one of the tags/).waitFor();
  await look(owner, "product-counted");
  await owner.getByRole("button", { name: "Take them in" }).click();
  await owner.getByText(/2 of 2 conversations looked at, 2 tickets made/).waitFor({ timeout: TAKING_IN_PATIENCE_MS });
  await look(owner, "product-backfill");
  await owner.getByRole("link", { name: "Inbox" }).click();
  await owner.getByRole("heading", { name: "Feedback" }).waitFor();
  expect((await owner.locator("tbody tr").count()) === 2, "what was taken in is not in the product's inbox");
});

await step("the products of a workspace are switched together", async () => {
  await owner.goto(`${base}/contacts/settings`);
  await owner.getByRole("button", { name: "Switch feedback off" }).click();
  await owner.getByText("Feedback is switched off for the products").waitFor();
  await owner.getByText("on for 1 of 2 products").waitFor();
  await look(owner, "workspace-feedback-off");
  await owner.getByRole("button", { name: "Switch feedback on" }).click();
  await owner.getByText("Feedback is on again.").waitFor();
  await look(owner, "workspace-feedback-on");
  await owner.getByRole("link", { name: "Web app" }).click();
  await owner.getByRole("button", { name: "Switch off" }).click();
  await owner.getByText("What came in stays; nothing new comes in.").first().waitFor();
});

await step("a token is shown once, and copied", async () => {
  await owner.goto(`${base}/tokens`);
  await look(owner, "tokens-empty");
  await owner.getByLabel("What is it for?").fill("A report");
  await owner.getByRole("button", { name: "Make the token" }).click();
  expect((await owner.locator("#token").textContent()).startsWith("bowline_"), "no token is shown");
  await look(owner, "tokens-made");
  await owner.goto(`${base}/tokens`);
  expect(!(await owner.locator("#token").count()), "it is shown again");
  await owner.getByRole("button", { name: "End the token A report" }).click();
  await owner.getByText("The token was ended.").waitFor();
});

await step("contacts: nobody yet, the switch, and how far copying is", async () => {
  await owner.getByRole("link", { name: "Contacts", exact: true }).click();
  await owner.getByText("Nobody is known yet.").waitFor();
  await look(owner, "contacts-empty");
  await owner.getByRole("link", { name: "Integration settings" }).click();
  await owner.getByRole("heading", { name: "Contacts and companies" }).waitFor();
  await owner.locator(".lozenge", { hasText: "off" }).last().waitFor();
  await look(owner, "contact-settings-off");
  await owner.getByLabel("Copy everything under Contacts in Intercom").check();
  await owner.getByRole("button", { name: "Save" }).click();
  await owner.getByText("Copying begins at once").waitFor();
  await look(owner, "contact-settings-copying");
  // Thousands of contacts, on a machine that others use too.
  await owner.getByText("in step").waitFor({ timeout: COPY_PATIENCE_MS });
  await owner.getByText("Both sides had").waitFor();
  await look(owner, "contact-settings-done");
});

await step("contacts: a copy that failed says so until another one succeeds", async () => {
  const body = { type: "error.list", errors: [{ code: "forbidden", message: "You do not have the required scope" }] };
  const mend = await disturbed(intercom, { method: "GET", path_contains: "/contacts", kind: "status", status: 403, body });
  await owner.getByRole("button", { name: "Copy everything again" }).click();
  await owner.locator(".lozenge", { hasText: "last copy failed" }).waitFor({ timeout: COPY_PATIENCE_MS });
  expect(!(await owner.locator(".lozenge", { hasText: /in step|counts agree/ }).count()), "all is said to be well");
  await look(owner, "contact-settings-failed");
  await owner.goto(`${base}/problems`);
  await owner.getByRole("heading", { name: "Copying the contacts of “acme” failed" }).waitFor();
  await look(owner, "problems-copy-failed");
  await mend();
  await owner.goto(`${base}/contacts/settings`);
  await owner.getByRole("button", { name: "Copy everything again" }).click();
  await owner.getByText("in step").waitFor({ timeout: COPY_PATIENCE_MS });
  await owner.goto(`${base}/problems`);
  expect(!(await owner.getByText("Copying the contacts").count()), "it is still a problem");
});

await step("what feedback and contacts need in Intercom stands with the connection", async () => {
  await owner.goto(`${base}/connections/add/workspace`);
  for (const summary of await owner.locator("details.needs > summary").all()) await summary.click();
  await owner.getByText("conversation_part.tag.created").waitFor();
  await owner.getByText("Read tags").waitFor();
  await look(owner, "connect-workspace-needs");
  await owner.goto(`${base}/connections/workspace/acme`);
  const entered = await owner.locator("#entries [data-part]").allTextContents();
  for (const topic of ["conversation.admin.noted", "conversation_part.tag.created", "contact.user.created", "company.contact.attached"]) expect(entered.includes(topic), `${topic} is not to be entered`);
  await owner.locator("#permissions").getByText("Read tags").waitFor();
  await look(owner, "connection-needs");
});

await step("contacts: found by the beginnings of words, with columns by choice", async () => {
  await owner.goto(`${base}/contacts`);
  await look(owner, "contacts");
  await owner.getByRole("link", { name: "Next" }).click();
  await owner.getByRole("link", { name: "First page" }).click();
  await owner.getByLabel("Name, address or number").fill("mei oka");
  await owner.getByText("Columns", { exact: true }).click();
  await look(owner, "contacts-columns");
  await owner.getByLabel("Telephone").check();
  await owner.getByRole("button", { name: "Show" }).click();
  await owner.getByRole("columnheader", { name: "Telephone" }).waitFor();
  await owner.getByRole("link", { name: "Mei Okafor" }).first().waitFor();
  await owner.goto(`${base}/contacts`);
  await owner.getByRole("columnheader", { name: "Telephone" }).waitFor();
  await look(owner, "contacts-remembered");
  await owner.getByText("Columns", { exact: true }).click();
  for (const box of await owner.getByRole("group", { name: "Columns that are shown" }).getByRole("checkbox").all()) await box.uncheck();
  await owner.getByRole("button", { name: "Show" }).click();
  await owner.getByText("No column was ticked, so the usual ones are shown").waitFor();
  await owner.getByRole("columnheader", { name: "Last seen" }).waitFor();
  await look(owner, "contacts-no-column");
  await owner.getByLabel("Name, address or number").fill("nobody is called so");
  await owner.getByRole("button", { name: "Show" }).click();
  await owner.getByText("Nobody is like that.").waitFor();
  await look(owner, "contacts-none");
});

await step("a person: what is wrong is said beside the field, and an edit stands before Intercom's value", async () => {
  await owner.goto(`${base}/contacts?q=mei+oka`);
  await owner.getByRole("link", { name: "Mei Okafor" }).first().click();
  await owner.getByRole("heading", { name: "Companies" }).waitFor();
  await look(owner, "contact");
  await owner.evaluate(() => { for (const form of document.forms) form.noValidate = true; });
  await owner.getByLabel("Name", { exact: true }).fill("Mei Okafor-Lind");
  await owner.getByLabel("E-mail address").fill("no address");
  await owner.getByRole("button", { name: "Save" }).click();
  await owner.getByText("is no e-mail address").waitFor();
  expect((await owner.getByLabel("Name", { exact: true }).inputValue()) === "Mei Okafor-Lind", "the name is gone");
  await look(owner, "contact-wrong");
  await owner.getByLabel("E-mail address").fill("mei@example.com");
  await owner.getByRole("button", { name: "Save" }).click();
  await owner.getByRole("heading", { name: "Mei Okafor-Lind" }).waitFor();
  await look(owner, "contact-differs");
  await owner.getByRole("button", { name: "Use Intercom's Name" }).click();
  await owner.getByRole("heading", { name: "Mei Okafor", exact: true }).waitFor();
  await owner.getByLabel("Number of the other contact").fill("999999");
  await owner.getByRole("button", { name: "Merge" }).click();
  await owner.getByText("There is no contact 999999").waitFor();
  await owner.getByRole("button", { name: "Erase" }).click();
  await owner.getByText("Tick that you are sure").waitFor();
  await look(owner, "contact-not-sure");
});

await step("people are imported after a preview", async () => {
  await owner.goto(`${base}/contacts/import`);
  await look(owner, "contact-import");
  await owner.getByLabel("Or its lines, pasted").fill("name,email\nNo Address,none");
  await owner.getByRole("button", { name: "Preview" }).click();
  await owner.getByText("Line 2: “none” is no e-mail address").waitFor();
  await look(owner, "contact-import-wrong");
  await owner.getByLabel("Or its lines, pasted").fill("");
  await owner.getByLabel("A CSV file").setInputFiles({ name: "people.csv", mimeType: "text/csv", buffer: Buffer.from("external_id,email,plan\nx-1,twin@example.com,Pro\nx-2,twin@example.com,Free") });
  await owner.getByRole("button", { name: "Preview" }).click();
  await owner.getByText("2 added, 0 changed").waitFor();
  await look(owner, "contact-import-preview");
  await owner.getByRole("button", { name: "Import" }).click();
  await owner.getByText("Imported: 2 new, 0 changed, 0 unchanged").waitFor();
  await look(owner, "contacts-imported");
  await owner.getByRole("link", { name: "Next" }).click();
  await owner.getByRole("link", { name: "First page" }).waitFor();
  expect(!(await owner.getByText("Imported: ").count()), "what was done is said again on the next page");
  await owner.getByRole("link", { name: "Companies" }).click();
  await look(owner, "companies");
  await owner.locator("main tbody a").first().click();
  await owner.getByRole("heading", { name: "People" }).waitFor();
  await look(owner, "company");
  // Who is known: what would change of them. It is looked at only.
  await owner.goto(`${base}/contacts/import`);
  await owner.getByLabel("Or its lines, pasted").fill("external_id,name,plan\nx-1,A Twin,Pro\nx-2,Other Twin,Team");
  await owner.getByRole("button", { name: "Preview" }).click();
  await owner.getByText("0 added, 2 changed").waitFor();
  await owner.getByText("plan: Free").waitFor();
  await look(owner, "contact-import-changes");
});

await step("who somebody is, of two with the same address, is decided by what tells them apart", async () => {
  const inbox = await open();
  await inbox.goto(intercom);
  await inbox.getByLabel("Customer's name").fill("Toni Twin");
  await inbox.getByLabel("E-mail address").fill("twin@example.com");
  await inbox.getByLabel("Message", { exact: true }).fill("Which of us is it?");
  await inbox.getByRole("button", { name: "Send as customer", exact: true }).click();
  await inbox.getByLabel("Tag for it").waitFor();
  await inbox.context().close();
  const asked = owner.getByRole("link", { name: "Toni Twin" });
  for (let tries = 0; !(await asked.count()); tries += 1) {
    expect(tries < 200, "the question did not come");
    await owner.goto(`${base}/contacts?which=unclear`);
  }
  await look(owner, "contacts-asked");
  await asked.click();
  await owner.getByRole("heading", { name: "Who is this?" }).waitFor();
  await look(owner, "contact-asked");
  const row = owner.locator("table.compared tr", { hasText: "External id" });
  const ids = (await row.locator("td").allTextContents()).map((text) => text.trim());
  expect(ids.join() === "none,x-1,x-2", `the candidates' ids are ${ids}`);
  await owner.getByRole("button", { name: /^The same person as/ }).nth(1).click();
  await owner.getByText("Decided.").waitFor();
  await owner.getByRole("heading", { name: "Toni Twin" }).waitFor();
  expect(!(await owner.getByRole("heading", { name: "Who is this?" }).count()), "it is asked still");
  expect((await owner.locator("tr", { hasText: "External id" }).locator("td").first().textContent()).trim() === "x-2", "it is the other one");
  await look(owner, "contact-decided");
  await owner.goto(`${base}/contacts?which=unclear`);
  await owner.getByText("Nobody is like that.").waitFor();
});

await step("by keyboard alone: sign in, search, help, the pages", async () => {
  const page = await open({ colorScheme: "dark" });
  const press = async (...keys) => {
    for (const key of keys) await page.keyboard.press(key);
  };
  await page.goto(`${base}/deliveries?outcome=effects`);
  await press("Tab");
  expect((await page.evaluate(() => document.activeElement.textContent)) === "Skip to the content", "the skip link is not first");
  await press("Enter", "Tab");
  await page.keyboard.type("owner@example.com");
  await press("Tab");
  await page.keyboard.type(PASSWORD);
  await press("Enter");
  await page.getByRole("heading", { name: "Deliveries" }).waitFor();
  expect(new URL(page.url()).search === "?outcome=effects", `signed in to another place: ${page.url()}`);
  await press("?");
  await page.getByRole("dialog", { name: "Keyboard" }).waitFor();
  await look(page, "keyboard-dialog");
  await press("Escape");
  await page.getByRole("dialog").waitFor({ state: "detached" });
  await press("/");
  await page.keyboard.type("ENG-999");
  await press("Enter");
  await page.getByText("has never heard of ENG-999").waitFor();
  await press("g", "l");
  await page.getByRole("heading", { name: "Links", exact: true }).waitFor();
  await press("g", "t");
  await page.getByRole("heading", { name: "Contacts", exact: true }).waitFor();
  await press("g", "o");
  await page.getByRole("heading", { name: "Overview" }).waitFor();
  for (let tabs = 0; (await page.evaluate(() => document.activeElement.textContent)) !== "Olive Owner"; tabs += 1) {
    expect(tabs < 20, "the menu cannot be reached");
    await press("Tab");
  }
  await press("Enter");
  await page.getByRole("button", { name: "Sign out" }).waitFor();
  await look(page, "menu-open");
  await press("Escape");
  expect(!(await page.locator("details.menu[open]").count()), "the menu stays open");
  await press("Enter", "Tab", "Tab", "Tab", "Tab", "Enter");
  await page.getByText("You are signed out.").waitFor();
  await page.context().close();
});

await step("times are shown in the reader's zone, with script and from the second page on without", async () => {
  const time = owner.locator("main time").first();
  await owner.goto(base);
  const told = await time.getAttribute("datetime");
  const zoned = (zone) => new Intl.DateTimeFormat("en-GB", { timeZone: zone, hour: "2-digit", minute: "2-digit", second: "2-digit" }).format(new Date(told));
  expect((await time.textContent()).endsWith(zoned("Europe/Berlin")), `${await time.textContent()} is not ${told} in Berlin`);
  const fresh = await open({ timezoneId: "Asia/Tokyo" });
  await signIn(fresh, "owner@example.com");
  const first = fresh.locator("main time").first();
  expect((await first.textContent()).endsWith(zoned("Asia/Tokyo")), `${await first.textContent()} is not in Tokyo`);
  await fresh.context().close();
});

await step("in a narrow window the pages open from a button, without script too", async () => {
  const page = await open({ javaScriptEnabled: false, viewport: { width: NARROW_PX, height: 740 } });
  await signIn(page, "owner@example.com");
  const audit = page.getByRole("link", { name: "Audit log" });
  expect(!(await audit.isVisible()), "the navigation is open before anybody asked");
  await page.getByRole("button", { name: "Pages" }).click();
  await audit.waitFor();
  await picture(page, "navigation-open");
  await audit.click();
  await page.getByRole("heading", { name: "Audit log" }).waitFor();
  expect(!(await audit.isVisible()), "the navigation stays open");
  await page.context().close();
});

await step("without script everything is there", async () => {
  const page = await open({ javaScriptEnabled: false });
  await signIn(page, "owner@example.com");
  await page.getByRole("searchbox").fill("ENG-999");
  await page.getByRole("button", { name: "Search" }).click();
  await page.getByText("has never heard of ENG-999").waitFor();
  await page.getByRole("link", { name: "Deliveries", exact: true }).click();
  await page.getByLabel("Outcome").selectOption("nothing");
  await page.getByRole("button", { name: "Show", exact: true }).click();
  await page.locator("tbody a").first().click();
  await page.getByRole("heading", { name: /^Delivery \d+$/ }).waitFor();
  expect(!(await page.locator("button[data-copy]:visible").count()), "a button that cannot work is shown");
  await page.context().close();
});

await step("what changes is shown without a reload", async () => {
  await owner.goto(base);
  await owner.locator("[data-refresh]").evaluate((part) => { part.querySelector("h1").textContent = "Stale"; part.dataset.refresh = "0.2"; });
  await owner.getByRole("heading", { name: "Overview" }).waitFor({ timeout: 20_000 });
});

await step("a page that cannot be kept fresh says so, and since when", async () => {
  const page = await open();
  await signIn(page, "owner@example.com");
  const soon = () => page.locator("[data-refresh]").evaluate((part) => { part.dataset.refresh = "0.2"; });
  await soon();
  await page.context().setOffline(true);
  await page.getByText(/What stands below is as it was at .* Bowline is not reached/).waitFor({ timeout: 40_000 });
  await look(page, "overview-away");
  await page.context().setOffline(false);
  await page.getByText("Bowline is not reached").waitFor({ state: "detached" });
  // Who signs out in another tab, or is signed out, is told, and comes back to the same page.
  await page.context().clearCookies();
  await soon();
  await page.getByText("you are signed out").waitFor({ timeout: 40_000 });
  await page.getByRole("link", { name: "Sign in again" }).click();
  await page.getByLabel("Password").waitFor();
  await page.context().close();
});

const PAGES = ["/", "/deliveries", "/deliveries?outcome=quarantined", "/deliveries?about=what", "/deliveries/1", "/deliveries/replay", "/deliveries/replay?since=2026-01-31T08:00", "/deliveries/replay?since=-", "/why", "/why?q=ENG-1", "/why?q=hello", "/links", "/links/report", "/links/report?sort=spend&order=asc", "/links/report?state=ended", "/links/import", "/links/import?from=acme-jira/ENG", "/links/import?from=no", "/links?state=ended", "/problems", "/people", "/people/1", "/audit", "/account", "/tokens", "/help", "/nowhere", "/connections", "/alerts", "/connections/site/acme-jira", "/connections/workspace/acme", "/bindings", "/bindings/acme-jira/ENG", "/bindings/acme-jira/ENG/fields", "/bindings/acme-jira/ENG/try", "/conversations", "/end-users", "/desks", "/contacts", "/contacts?which=unclear", "/contacts/1", "/contacts/settings", "/contacts/import", "/companies", "/companies/1", "/feedback", "/feedback?q=nothing+like+it", "/feedback?status=all&sort=spend", "/feedback/1", "/feedback/999", "/products", "/products/1", "/api/docs", "/api/docs/deliveries", "/api/docs/nothing"];
for (const [scheme, options] of [["light", { colorScheme: "light" }], ["dark", { colorScheme: "dark" }], ["contrast", { colorScheme: "dark", contrast: "more" }]]) {
  await step(`every page in ${scheme}, wide and narrow`, async () => {
    const page = await open(options);
    await page.goto(`${base}/sign-in`);
    await look(page, `sign-in-${scheme}`);
    await signIn(page, "owner@example.com");
    for (const path of PAGES) {
      await page.goto(base + path);
      const name = path.replace(/[^a-z0-9]+/gi, "-").replace(/^-|-$/g, "") || "overview";
      await look(page, `${name}-${scheme}`);
    }
    await page.context().close();
  });
}

await step("someone's choice of colours stands above the system's", async () => {
  await owner.goto(`${base}/account`);
  await owner.getByRole("radio", { name: "Dark" }).check();
  await owner.getByLabel("More contrast").check();
  await owner.getByRole("button", { name: "Save" }).click();
  await owner.getByText("Saved. This browser keeps it.").waitFor();
  const colours = await owner.evaluate(() => getComputedStyle(document.documentElement).backgroundColor);
  expect(colours === "rgb(20, 24, 31)", `the page is ${colours}`);
  await look(owner, "account-chosen");
});

await finish(browser);
