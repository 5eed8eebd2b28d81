/**
 * Two OpenID Connect issuers for tests, in a process of their own: `node issuer.mjs PUBLIC_URL [HOST]`. Prints one
 * line of JSON with their URLs. The first has all claims in its ID tokens, the second only in the userinfo endpoint.
 *
 * `POST /_control/account` sets the claims of a login (null removes it), `/_control/forge` changes the next ID
 * token, `/_control/sign` signs any claims, `/_control/rotate` replaces the signing key, `/_control/client` adds a
 * client.
 */
import { createHash, createSign, generateKeyPairSync, randomUUID } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:http";

import { Provider } from "oidc-provider";

const CLIENT_ID = "crewai-runner";
const CLIENT_SECRET = "the-secret-of-the-issuers-client";
const SCOPE = "openid profile email groups offline_access";
const [publicUrl = "http://127.0.0.1:9", host = "127.0.0.1"] = process.argv.slice(2);

const makePage = (body) => `<!doctype html><html lang="en"><title>Issuer</title>${body}</html>`;
const readBody = async (request) => Buffer.concat(await request.toArray()).toString();
const hashAccessToken = (token) =>
  createHash("sha256").update(token).digest().subarray(0, 16).toString("base64url");
const encode = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");

class Issuer {
  constructor(name, claimsInToken) {
    this.name = name;
    this.claimsInToken = claimsInToken;
    this.accounts = new Map();
    this.forgery = null;
    this.rotate();
  }

  rotate() {
    this.privateKey = generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey;
    const use = { use: "sig", alg: "RS256", kid: randomUUID() };
    this.jwk = { ...this.privateKey.export({ format: "jwk" }), ...use };
    if (this.url) this.provider = this.makeProvider();
  }

  async listen() {
    const server = createServer((request, response) => {
      if (request.url.startsWith("/_control/")) void this.control(request, response);
      else if (request.url.startsWith("/interaction/")) void this.interact(request, response);
      else this.provider.callback()(request, response);
    }).listen(0, "127.0.0.1");
    await once(server, "listening");
    this.url = `http://${host}:${server.address().port}`;
    this.adapters = new Map();
    this.provider = this.makeProvider();
  }

  makeProvider() {
    const provider = new Provider(this.url, {
      adapter: (name) => new MemoryAdapter(name, this.adapters),
      clients: [
        {
          client_id: CLIENT_ID,
          client_secret: CLIENT_SECRET,
          grant_types: ["authorization_code", "refresh_token"],
          redirect_uris: [`${publicUrl}/sign-in/callback/${this.name}`],
          post_logout_redirect_uris: [`${publicUrl}/sign-in`],
        },
      ],
      claims: {
        openid: ["sub", "sid"],
        profile: ["name", "preferred_username"],
        email: ["email", "email_verified"],
        groups: ["groups"],
      },
      conformIdTokenClaims: !this.claimsInToken,
      cookies: { keys: ["a-key-of-these-tests"] },
      jwks: { keys: [this.jwk] },
      pkce: { required: () => true },
      findAccount: (_, login) =>
        this.accounts.has(login)
          ? { accountId: login, claims: () => ({ sub: login, ...this.accounts.get(login) }) }
          : undefined,
      features: {
        // Their pages load fonts from elsewhere.
        devInteractions: { enabled: false },
        rpInitiatedLogout: {
          logoutSource: (context, form) => {
            context.body = makePage(
              `${form}<button form="op.logoutForm" name="logout" value="yes">Yes, sign me out</button>`,
            );
          },
        },
      },
      issueRefreshToken: () => true,
      // No page asks for consent: the client is the operator's own.
      loadExistingGrant: async (context) => {
        const { client, session, provider: of } = context.oidc;
        const grant = new of.Grant({ clientId: client.clientId, accountId: session.accountId });
        grant.addOIDCScope(SCOPE);
        await grant.save();
        return grant;
      },
    });
    provider.use(async (context, next) => {
      await next();
      if (this.forgery && context.path === "/token" && context.body?.id_token) {
        context.body = { ...context.body, id_token: this.forge(context.body) };
      }
    });
    return provider;
  }

  /**
   * Returns an ID token with other claims or another algorithm; it is signed by the issuer's real key. The claim
   * `at_hash: true` becomes the one that belongs to the access token.
   */
  forge({ id_token: token, access_token: accessToken }) {
    const { claims = {}, header = {} } = this.forgery;
    this.forgery = null;
    const real = JSON.parse(Buffer.from(token.split(".")[1], "base64url"));
    if (claims.at_hash === true) claims.at_hash = hashAccessToken(accessToken);
    return this.sign({ ...real, ...claims }, header);
  }

  sign(claims, header = {}) {
    const full = { alg: "RS256", typ: "JWT", kid: this.jwk.kid, ...header };
    const input = `${encode(full)}.${encode(claims)}`;
    if (full.alg === "none") return `${input}.`;
    return `${input}.${createSign("RSA-SHA256").update(input).sign(this.privateKey, "base64url")}`;
  }

  /** Signs in whoever the form names; any password is right. */
  async interact(request, response) {
    if (request.method === "POST") {
      const login = new URLSearchParams(await readBody(request)).get("login");
      const result = { login: { accountId: login } };
      await this.provider.interactionFinished(request, response, result);
    } else {
      response.setHeader("Content-Type", "text/html");
      response.end(
        makePage(
          '<form method="post"><input name="login"><button type="submit">Sign in</button></form>',
        ),
      );
    }
  }

  async control(request, response) {
    const body = JSON.parse((await readBody(request)) || "{}");
    let answer = null;
    switch (request.url.slice("/_control/".length)) {
      case "account":
        if (body.claims) this.accounts.set(body.login, body.claims);
        else this.accounts.delete(body.login);
        break;
      case "client":
        await new MemoryAdapter("Client", this.adapters).upsert(body.client_id, {
          redirect_uris: [`${publicUrl}/sign-in/callback/${this.name}`],
          grant_types: ["authorization_code", "refresh_token"],
          ...body,
        });
        break;
      case "forge":
        this.forgery = body;
        break;
      case "sign":
        answer = this.sign(body.claims, body.header);
        break;
      case "rotate":
        this.rotate();
        break;
      default:
        response.statusCode = 404;
    }
    response.setHeader("Content-Type", "application/json");
    response.end(JSON.stringify({ answer }));
  }
}

/** Sessions, codes and tokens in memory; they survive a rotation of the keys. */
class MemoryAdapter {
  constructor(name, all) {
    this.all = all;
    this.prefix = name;
  }

  key(id) {
    return `${this.prefix}:${id}`;
  }

  async upsert(id, payload) {
    this.all.set(this.key(id), payload);
  }

  async find(id) {
    return this.all.get(this.key(id));
  }

  async findByUid(uid) {
    return this.entries().find(([, payload]) => payload.uid === uid)?.[1];
  }

  async findByUserCode() {
    return undefined;
  }

  async consume(id) {
    this.all.get(this.key(id)).consumed = Math.floor(Date.now() / 1000);
  }

  async destroy(id) {
    this.all.delete(this.key(id));
  }

  async revokeByGrantId(grantId) {
    for (const [key, payload] of this.all) if (payload.grantId === grantId) this.all.delete(key);
  }

  entries() {
    return [...this.all].filter(([key]) => key.startsWith(`${this.prefix}:`));
  }
}

const issuers = [new Issuer("one", true), new Issuer("two", false)];
for (const issuer of issuers) await issuer.listen();
const [one, two] = issuers.map(({ url }) => url);
process.stdout.write(`${JSON.stringify({ one, two, clientSecret: CLIENT_SECRET })}\n`);
// The process that started this one may end without a signal.
process.stdin.on("end", () => process.exit()).resume();
