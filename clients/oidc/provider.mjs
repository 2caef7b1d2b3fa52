// An OpenID Connect provider that runs here, for the check of signing in with one: the certified
// library, with a form in place of passwords. Who types a name is that person.
//
//   LISTEN=127.0.0.1:PORT BACK=http://…/sign-in/oidc/back node provider.mjs
//
// Prints "ready" once it listens.
import { createServer } from "node:http";
import Provider from "oidc-provider";

const { LISTEN, BACK } = process.env;
const [host, port] = LISTEN.split(":");
const issuer = `http://${LISTEN}`;

// What it says of people, by what they type.
const PEOPLE = {
  ana: { email: "ana@example.com", email_verified: true, name: "Ana Lind" },
  otto: { email: "otto@example.org", email_verified: true, name: "Otto Other" },
  una: { email: "una@example.com", email_verified: false, name: "Una Proven" },
  nora: { name: "Nora Noaddress" },
  // The same address as an account that is there, and somebody else, for all that is known.
  namesake: { email: "owner@example.com", email_verified: true, name: "Olive" },
  ines: { email: "ines.private@example.com", email_verified: true, name: "Ines" },
};

const provider = new Provider(issuer, {
  clients: [{ client_id: "bowline", client_secret: "a-secret-of-the-check", redirect_uris: [BACK] }],
  claims: { openid: ["sub"], email: ["email", "email_verified"], profile: ["name"] },
  cookies: { keys: ["a key of the check"] },
  features: { devInteractions: { enabled: false } },
  interactions: { url: (_, interaction) => `/interaction/${interaction.uid}` },
  findAccount: (_, id) => ({ accountId: id, claims: () => ({ sub: id, ...PEOPLE[id] }) }),
  // Nobody is asked for a consent.
  async loadExistingGrant(ctx) {
    const grant = new ctx.oidc.provider.Grant({
      clientId: ctx.oidc.client.clientId,
      accountId: ctx.oidc.session.accountId,
    });
    grant.addOIDCScope("openid email profile");
    await grant.save();
    return grant;
  },
});

const FORM = `<!doctype html><html lang="en"><title>Example ID</title><h1>Example ID</h1>
<form method="post"><label>Name <input name="name"></label><button name="do" value="go">Continue</button>
<button name="do" value="no">Go back</button></form>`;

async function typed(request) {
  let text = "";
  for await (const piece of request) text += piece;
  return new URLSearchParams(text);
}

const serve = provider.callback();
const server = createServer(async (request, response) => {
  if (!request.url.startsWith("/interaction/")) return serve(request, response);
  if (request.method === "GET") {
    response.setHeader("content-type", "text/html; charset=utf-8");
    return response.end(FORM);
  }
  const form = await typed(request);
  const result =
    form.get("do") === "no"
      ? { error: "access_denied", error_description: "The person went back" }
      : { login: { accountId: form.get("name") } };
  return provider.interactionFinished(request, response, result);
});
server.listen(Number(port), host, () => console.log("ready"));
