import { http, HttpResponse } from "msw";
import { afterEach, describe, expect, it, vi } from "vitest";

import { server } from "@/testing/server";

import { api, body, signOut } from "./client";
import { session, SignedOut } from "./session";

const NAME = "crewai-runner:session";
const start = (csrfToken: string) => session.signIn({ csrfToken, isRemembered: false });

/** Mocks a server that accepts one session; returns the sessions it receives. */
function mockServerAccepting(valid: string): (string | null)[] {
  const received: (string | null)[] = [];
  server.use(
    http.get("*/api/v1/approvals", () => {
      // The browser adds the cookie of the session that was started last.
      received.push(session.csrfToken);
      if (session.csrfToken !== valid) return HttpResponse.json({ title: "No" }, { status: 401 });
      return HttpResponse.json({ approvals: [] });
    }),
  );
  return received;
}

const sendRequest = async (signal?: AbortSignal) =>
  body(await api.GET("/api/v1/approvals", { signal }));
const waitForExpiry = () => vi.waitFor(() => expect(session.state).toBe("expired"));

afterEach(() => session.forget());

describe("the stored session", () => {
  it("has the CSRF token and no key", () => {
    session.signIn({ csrfToken: "one", isRemembered: true });
    expect(JSON.parse(localStorage.getItem(NAME) ?? "")).toEqual({
      csrfToken: "one",
      isRemembered: true,
    });

    session.forget();
    expect(localStorage.getItem(NAME)).toBeNull();
    expect([session.state, session.csrfToken]).toEqual(["signed-out", null]);
  });

  it("replaces the API key that earlier versions stored", async () => {
    localStorage.clear();
    localStorage.setItem("crewai-runner:api-key", "cr_old");
    sessionStorage.setItem("crewai-runner:api-key", "cr_old");
    vi.resetModules();

    await import("./session");

    expect([localStorage.length, sessionStorage.length]).toEqual([0, 0]);
  });

  it("adds the CSRF token to requests that change something", async () => {
    const sent: (string | null)[] = [];
    const record = ({ request }: { request: Request }) => {
      sent.push(request.headers.get("X-CSRF-Token"));
      return HttpResponse.json({ runs: [] });
    };
    server.use(http.get("*/api/v1/runs", record), http.delete("*/api/v1/runs", record));
    start("token");

    await api.GET("/api/v1/runs");
    await api.DELETE("/api/v1/runs", { params: { query: { before: "2026-01-01T00:00:00Z" } } });

    expect(sent).toEqual([null, "token"]);
  });

  it("ends at the server when the user signs out", async () => {
    const tokens: (string | null)[] = [];
    server.use(
      http.delete("*/api/v1/session", ({ request }) => {
        tokens.push(request.headers.get("X-CSRF-Token"));
        return new HttpResponse(null, { status: 204 });
      }),
    );
    start("token");

    signOut();

    expect(session.state).toBe("signed-out");
    await vi.waitFor(() => expect(tokens).toEqual(["token"]));
  });
});

describe("a rejected session", () => {
  it("holds all requests and resumes them in the new session", async () => {
    const received = mockServerAccepting("new");
    start("old");
    const first = sendRequest();
    await waitForExpiry();
    const second = sendRequest();

    start("new");

    await expect(Promise.all([first, second])).resolves.toHaveLength(2);
    // The second request is not sent in the rejected session.
    expect(received).toEqual(["old", "new", "new"]);
  });

  it("waits again when the new session is rejected too", async () => {
    mockServerAccepting("right");
    start("old");
    const response = sendRequest();
    await waitForExpiry();

    start("wrong");
    await waitForExpiry();
    start("right");

    await expect(response).resolves.toEqual({ approvals: [] });
  });

  it("is recognised when another tab has replaced it before a change", async () => {
    server.use(
      http.delete("*/api/v1/runs", ({ request }) =>
        request.headers.get("X-CSRF-Token") === "new"
          ? HttpResponse.json({ deleted: 1 })
          : HttpResponse.json({ type: "/problems/cross-site-request" }, { status: 403 }),
      ),
    );
    start("old");
    const query = { before: "2026-01-01T00:00:00Z" };
    const response = api.DELETE("/api/v1/runs", { params: { query } });
    await waitForExpiry();

    start("new");

    await expect(response).resolves.toMatchObject({ data: { deleted: 1 } });
  });

  it("is not assumed for rate limits", async () => {
    server.use(
      http.get("*/api/v1/approvals", () =>
        HttpResponse.json({ type: "/problems/too-many-requests" }, { status: 429 }),
      ),
    );
    start("right");

    await expect(sendRequest()).rejects.toMatchObject({ status: 429 });
    expect(session.state).toBe("signed-in");
  });

  it("rejects waiting requests on sign-out, so that the next user does not send them", async () => {
    const received = mockServerAccepting("next");
    start("old");
    const response = sendRequest();
    const rejected = expect(response).rejects.toBeInstanceOf(SignedOut);
    await waitForExpiry();

    session.forget();
    await rejected;
    start("next");

    expect(received).toEqual(["old"]);
  });

  it("allows a waiting request to be cancelled", async () => {
    mockServerAccepting("new");
    start("old");
    const stop = new AbortController();
    const response = sendRequest(stop.signal);
    const stopped = expect(response).rejects.toThrow("enough");
    await waitForExpiry();

    stop.abort(new Error("enough"));

    await stopped;
  });
});

const dispatchStorageEvent = (newValue: string | null) =>
  window.dispatchEvent(new StorageEvent("storage", { key: NAME, newValue }));

describe("another tab of the same browser", () => {
  it("signs out this tab", () => {
    start("shared");

    dispatchStorageEvent(null);

    expect(session.state).toBe("signed-out");
  });

  it("signs in this tab, also when its session was rejected", async () => {
    mockServerAccepting("new");
    start("old");
    const response = sendRequest();
    await waitForExpiry();

    dispatchStorageEvent(JSON.stringify({ csrfToken: "new", isRemembered: true }));

    await expect(response).resolves.toEqual({ approvals: [] });
    expect([session.csrfToken, session.isRemembered]).toEqual(["new", true]);
  });

  it("signs out this tab when what it stored cannot be read", () => {
    start("mine");

    dispatchStorageEvent("{");

    expect(session.state).toBe("signed-out");
  });
});
