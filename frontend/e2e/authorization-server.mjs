/**
 * An OAuth 2.1 authorization server and an MCP server that it protects, for tests, in a process of their own:
 * `node authorization-server.mjs [HOST]`. Prints one line of JSON: `issuer`, `mcp`.
 *
 * `POST /_control/expire` makes the access tokens that were used invalid, so that only a refresh helps;
 * `POST /_control/describe` changes the description of the tool to the body.
 */
import { once } from "node:events";
import { createServer } from "node:http";

import { Provider } from "oidc-provider";

const readBody = async (request) => Buffer.concat(await request.toArray()).toString();
const sendJson = (response, status, value, headers = {}) => {
  response.writeHead(status, { "content-type": "application/json", ...headers });
  response.end(JSON.stringify(value));
};

const host = process.argv[2] ?? "127.0.0.1";
let provider;
let url;
let description = "Says who you are.";
const minted = [];
const expired = new Set();

/** The protected MCP server: one tool, in the stateless era. */
async function answerMcp(request, response) {
  const [, token = ""] = (request.headers.authorization ?? "").split(" ");
  const known = token && !expired.has(token) && (await provider.AccessToken.find(token));
  if (!known || known.aud !== `${url}/mcp`) {
    const metadata = `${url}/.well-known/oauth-protected-resource/mcp`;
    const challenge = `Bearer resource_metadata="${metadata}", scope="tools:call"`;
    sendJson(response, 401, { error: "invalid_token" }, { "www-authenticate": challenge });
    return;
  }
  if (!minted.includes(token)) minted.push(token);
  const { id, method } = JSON.parse(await readBody(request));
  const results = {
    "server/discover": { supportedVersions: ["2026-07-28"], capabilities: { tools: {} } },
    "tools/list": {
      tools: [{ name: "whoami", description, inputSchema: { type: "object" } }],
    },
    "tools/call": { content: [{ type: "text", text: `You are ${known.accountId}.` }] },
  };
  sendJson(response, 200, { jsonrpc: "2.0", id, result: results[method] ?? {} });
}

async function describe(request, response) {
  description = await readBody(request);
  sendJson(response, 200, {});
}

/** A page to sign in, which also consents. */
async function interact(request, response) {
  const details = await provider.interactionDetails(request, response);
  if (request.method === "GET") {
    response.writeHead(200, { "content-type": "text/html" });
    response.end(
      `<!doctype html><html lang="en"><title>Sign in</title><h1>Sign in</h1><form method="post">
      <label>Login <input name="login" required></label><button>Allow</button></form></html>`,
    );
    return;
  }
  const login = new URLSearchParams(await readBody(request)).get("login") ?? "ann";
  const grant = new provider.Grant({ accountId: login, clientId: details.params.client_id });
  grant.addOIDCScope("openid offline_access");
  grant.addResourceScope(`${url}/mcp`, "tools:call");
  const grantId = await grant.save();
  await provider.interactionFinished(
    request,
    response,
    { login: { accountId: login }, consent: { grantId } },
    { mergeWithLastSubmission: false },
  );
}

const server = createServer((request, response) => {
  const path = request.url.split("?")[0];
  if (path === "/mcp") void answerMcp(request, response);
  else if (path === "/.well-known/oauth-protected-resource/mcp") {
    sendJson(response, 200, {
      resource: `${url}/mcp`,
      authorization_servers: [url],
      scopes_supported: ["tools:call"],
    });
  } else if (path === "/_control/expire") {
    for (const token of minted) expired.add(token);
    sendJson(response, 200, { expired: minted.length });
  } else if (path === "/_control/describe") {
    void describe(request, response);
  } else if (path.startsWith("/interaction/")) void interact(request, response);
  else provider.callback()(request, response);
}).listen(0, "127.0.0.1");
await once(server, "listening");
url = `http://${host}:${server.address().port}`;
provider = new Provider(url, {
  clients: [],
  cookies: { keys: ["a-key-of-these-tests"] },
  pkce: { required: () => true },
  scopes: ["openid", "offline_access"],
  rotateRefreshToken: true,
  issueRefreshToken: async () => true,
  findAccount: (_, login) => ({ accountId: login, claims: () => ({ sub: login }) }),
  clientDefaults: { token_endpoint_auth_method: "none" },
  features: {
    devInteractions: { enabled: false },
    registration: { enabled: true },
    resourceIndicators: {
      enabled: true,
      getResourceServerInfo: () => ({
        scope: "tools:call",
        accessTokenFormat: "opaque",
        accessTokenTTL: 3600,
        audience: `${url}/mcp`,
      }),
      useGrantedResource: () => true,
    },
  },
  interactions: { url: (_, interaction) => `/interaction/${interaction.uid}` },
});
console.log(JSON.stringify({ issuer: url, mcp: `${url}/mcp` }));
process.stdin.resume().on("end", () => process.exit(0));
