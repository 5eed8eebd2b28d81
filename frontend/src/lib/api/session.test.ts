import { http, HttpResponse } from "msw";
import { afterEach, describe, expect, it, vi } from "vitest";

import { server } from "@/testing/server";

import { api, body } from "./client";
import { session, SignedOut } from "./session";

const NAME = "crewai-runner:api-key";

/** Mocks a server that accepts one key; returns the keys it receives. */
function mockServerAccepting(validKey: string): string[] {
  const received: string[] = [];
  server.use(
    http.get("*/api/v1/approvals", ({ request }) => {
      const key = (request.headers.get("authorization") ?? "").replace("Bearer ", "");
      received.push(key);
      if (key !== validKey) return HttpResponse.json({ title: "No" }, { status: 401 });
      return HttpResponse.json({ approvals: [] });
    }),
  );
  return received;
}

const sendRequest = async (signal?: AbortSignal) =>
  body(await api.GET("/api/v1/approvals", { signal }));
const waitForExpiry = () => vi.waitFor(() => expect(session.state).toBe("expired"));

afterEach(() => session.signOut());

describe("API key storage", () => {
  it("uses sessionStorage, or localStorage when the key is remembered", () => {
    session.signIn("one", false);
    expect([sessionStorage.getItem(NAME), localStorage.getItem(NAME)]).toEqual(["one", null]);
    expect(session.isRemembered).toBe(false);

    session.signIn("two", true);
    expect([sessionStorage.getItem(NAME), localStorage.getItem(NAME)]).toEqual([null, "two"]);
    expect(session.isRemembered).toBe(true);

    session.forgetOnThisDevice();
    expect([sessionStorage.getItem(NAME), localStorage.getItem(NAME)]).toEqual(["two", null]);
    expect(session.state).toBe("signed-in");

    session.signOut();
    expect([sessionStorage.getItem(NAME), localStorage.getItem(NAME)]).toEqual([null, null]);
    expect(session.key).toBeNull();
  });

  it("sends the key as a bearer token", async () => {
    const received = mockServerAccepting("right");
    session.signIn("right", false);

    await sendRequest();

    expect(received).toEqual(["right"]);
  });
});

describe("a rejected key", () => {
  it("holds all requests and resumes them with the new key", async () => {
    const received = mockServerAccepting("new");
    session.signIn("old", false);
    const first = sendRequest();
    await waitForExpiry();
    const second = sendRequest();

    session.signIn("new", false);

    await expect(Promise.all([first, second])).resolves.toHaveLength(2);
    // The second request is not sent with the rejected key: that would count as a failed sign-in.
    expect(received).toEqual(["old", "new", "new"]);
  });

  it("waits again when the new key is rejected too", async () => {
    mockServerAccepting("right");
    session.signIn("old", false);
    const response = sendRequest();
    await waitForExpiry();

    session.signIn("wrong", false);
    await waitForExpiry();
    session.signIn("right", false);

    await expect(response).resolves.toEqual({ approvals: [] });
  });

  it("is also recognised by the limit for failed sign-ins", async () => {
    let limited = true;
    server.use(
      http.get("*/api/v1/approvals", () =>
        limited
          ? HttpResponse.json({ type: "/problems/too-many-failed-sign-ins" }, { status: 429 })
          : HttpResponse.json({ approvals: [] }),
      ),
    );
    session.signIn("old", false);
    const response = sendRequest();
    await waitForExpiry();

    limited = false;
    session.signIn("new", false);

    await expect(response).resolves.toEqual({ approvals: [] });
  });

  it("is not assumed for other rate limits", async () => {
    server.use(
      http.get("*/api/v1/approvals", () =>
        HttpResponse.json({ type: "/problems/too-many-requests" }, { status: 429 }),
      ),
    );
    session.signIn("right", false);

    await expect(sendRequest()).rejects.toMatchObject({ status: 429 });
    expect(session.state).toBe("signed-in");
  });

  it("rejects waiting requests on sign-out, so that the next user does not send them", async () => {
    const received = mockServerAccepting("next");
    session.signIn("old", false);
    const response = sendRequest();
    const rejected = expect(response).rejects.toBeInstanceOf(SignedOut);
    await waitForExpiry();

    session.signOut();
    await rejected;
    session.signIn("next", false);

    expect(received).toEqual(["old"]);
  });

  it("allows a waiting request to be cancelled", async () => {
    mockServerAccepting("new");
    session.signIn("old", false);
    const stop = new AbortController();
    const response = sendRequest(stop.signal);
    const stopped = expect(response).rejects.toThrow("enough");
    await waitForExpiry();

    stop.abort(new Error("enough"));

    await stopped;
  });
});

const dispatchStorageEvent = (oldValue: string | null, newValue: string | null) =>
  window.dispatchEvent(new StorageEvent("storage", { key: NAME, oldValue, newValue }));

describe("another tab of the same browser", () => {
  it("signs out this tab", () => {
    session.signIn("shared", true);
    localStorage.removeItem(NAME);

    dispatchStorageEvent("shared", null);

    expect(session.state).toBe("signed-out");
  });

  it("does not change a key that is kept in this tab only", () => {
    session.signIn("mine", false);

    dispatchStorageEvent("mine", null);
    dispatchStorageEvent("theirs", null);
    dispatchStorageEvent(null, "theirs");

    expect(session.key).toBe("mine");
    expect(session.state).toBe("signed-in");
  });

  it("signs in this tab when the key of both was rejected", async () => {
    mockServerAccepting("new");
    session.signIn("old", true);
    const response = sendRequest();
    await waitForExpiry();

    dispatchStorageEvent("old", "new");

    await expect(response).resolves.toEqual({ approvals: [] });
    expect(session.key).toBe("new");
  });
});
