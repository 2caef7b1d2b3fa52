// A mail server for checks: it takes letters by SMTP (RFC 5321), in the clear, and keeps them.
import { createServer } from "node:net";

// A header in readable letters (RFC 2047).
function words(header) {
  const decoded = header.replace(/(=\?[^?]+\?[bq]\?[^?]*\?=)\s+(?==\?)/gi, "$1");
  return decoded.replace(/=\?[^?]+\?([bq])\?([^?]*)\?=/gi, (_, way, text) => {
    if (way.toLowerCase() === "b") return Buffer.from(text, "base64").toString("utf8");
    const bytes = text.replaceAll("_", " ").replace(/=([0-9a-f]{2})/gi, (_all, hex) => String.fromCharCode(parseInt(hex, 16)));
    return Buffer.from(bytes, "latin1").toString("utf8");
  });
}

function letter(from, to, text) {
  const head = text.slice(0, text.indexOf("\r\n\r\n")).replaceAll(/\r\n[ \t]/g, " ");
  const header = (name) => words(head.match(new RegExp(`^${name}: *(.*)$`, "im"))?.[1] ?? "");
  return { from, to, subject: header("Subject"), addressed: header("To"), text };
}

// One connection: commands line by line, then the letter up to a line that is a dot.
function talk(socket, letters) {
  let [rest, from, to, lines] = ["", "", [], null];
  const say = (answer) => socket.write(`${answer}\r\n`);
  const command = (line) => {
    const address = line.match(/<([^>]*)>/)?.[1] ?? "";
    const verb = line.slice(0, 4).toUpperCase();
    if (verb === "MAIL") [from, to] = [address, []];
    if (verb === "RCPT") to.push(address);
    if (verb === "DATA") lines = [];
    if (verb === "QUIT") socket.end("221 Bye\r\n");
    else say(verb === "DATA" ? "354 Go on" : "250 Well");
  };
  say("220 mail.example.com");
  socket.setEncoding("utf8").on("error", () => {}).on("data", (part) => {
    const all = (rest + part).split("\r\n");
    rest = all.pop();
    for (const line of all) {
      if (!lines) command(line);
      else if (line !== ".") lines.push(line.replace(/^\./, ""));
      else {
        letters.push(letter(from, to, lines.join("\r\n")));
        lines = null;
        say("250 Taken");
      }
    }
  });
}

// Listens at `host:port`. `letters` is what it took: from, to, subject, addressed, text.
export async function mailServer(address) {
  const { hostname, port } = new URL(`smtp://${address}`);
  const letters = [];
  const server = createServer((socket) => talk(socket, letters));
  await new Promise((listening) => { server.listen(Number(port), hostname, listening); });
  return { letters, close: () => server.close() };
}
