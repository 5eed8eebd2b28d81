import { http, HttpResponse } from "msw";
import { afterEach, describe, expect, it, vi } from "vitest";

import { server } from "@/testing/server";

import { api, body } from "./client";
import { session, SignedOut } from "./session";

const NAME = "crewai-runner:api-key";

/** A server that takes one key only; it notes what it was asked with. */
function serverThatTakes(right: string): string[] {
  const asked: string[] = [];
  server.use(
    http.get("*/api/v1/approvals", ({ request }) => {
      const key = (request.headers.get("authorization") ?? "").replace("Bearer ", "");
      asked.push(key);
      if (key !== right) return HttpResponse.json({ title: "No" }, { status: 401 });
      return HttpResponse.json({ approvals: [] });
    }),
  );
  return asked;
}

const ask = async (signal?: AbortSignal) => body(await api.GET("/api/v1/approvals", { signal }));
const expired = () => vi.waitFor(() => expect(session.state).toBe("expired"));

afterEach(() => session.signOut());

describe("the key of a tab", () => {
  it("is kept in the tab, or on the device when asked to", () => {
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

  it("is sent as a bearer header", async () => {
    const asked = serverThatTakes("right");
    session.signIn("right", false);

    await ask();

    expect(asked).toEqual(["right"]);
  });
});

describe("a refused key", () => {
  it("makes every request wait, and all go on with the new one", async () => {
    const asked = serverThatTakes("new");
    session.signIn("old", false);
    const first = ask();
    await expired();
    const second = ask();

    session.signIn("new", false);

    await expect(Promise.all([first, second])).resolves.toHaveLength(2);
    // The second was not tried with a key that is known to be refused: that would count as a wrong one.
    expect(asked).toEqual(["old", "new", "new"]);
  });

  it("asks again when the new one is refused too", async () => {
    serverThatTakes("right");
    session.signIn("old", false);
    const answer = ask();
    await expired();

    session.signIn("wrong", false);
    await expired();
    session.signIn("right", false);

    await expect(answer).resolves.toEqual({ approvals: [] });
  });

  it("is known also when the server has heard too many wrong ones", async () => {
    let limited = true;
    server.use(
      http.get("*/api/v1/approvals", () =>
        limited
          ? HttpResponse.json({ type: "/problems/too-many-failed-sign-ins" }, { status: 429 })
          : HttpResponse.json({ approvals: [] }),
      ),
    );
    session.signIn("old", false);
    const answer = ask();
    await expired();

    limited = false;
    session.signIn("new", false);

    await expect(answer).resolves.toEqual({ approvals: [] });
  });

  it("leaves other limits alone", async () => {
    server.use(
      http.get("*/api/v1/approvals", () =>
        HttpResponse.json({ type: "/problems/too-many-requests" }, { status: 429 }),
      ),
    );
    session.signIn("right", false);

    await expect(ask()).rejects.toMatchObject({ status: 429 });
    expect(session.state).toBe("signed-in");
  });

  it("gives up what waits when its owner signs out: the next one must not send it", async () => {
    const asked = serverThatTakes("next");
    session.signIn("old", false);
    const answer = ask();
    const refused = expect(answer).rejects.toBeInstanceOf(SignedOut);
    await expired();

    session.signOut();
    await refused;
    session.signIn("next", false);

    expect(asked).toEqual(["old"]);
  });

  it("lets a request be cancelled while it waits", async () => {
    serverThatTakes("new");
    session.signIn("old", false);
    const stop = new AbortController();
    const answer = ask(stop.signal);
    const stopped = expect(answer).rejects.toThrow("enough");
    await expired();

    stop.abort(new Error("enough"));

    await stopped;
  });
});

const tell = (oldValue: string | null, newValue: string | null) =>
  window.dispatchEvent(new StorageEvent("storage", { key: NAME, oldValue, newValue }));

describe("another tab of this browser", () => {
  it("signs out here too", () => {
    session.signIn("shared", true);
    localStorage.removeItem(NAME);

    tell("shared", null);

    expect(session.state).toBe("signed-out");
  });

  it("does not touch a key that belongs to this tab only", () => {
    session.signIn("mine", false);

    tell("mine", null);
    tell("theirs", null);
    tell(null, "theirs");

    expect(session.key).toBe("mine");
    expect(session.state).toBe("signed-in");
  });

  it("signs in here too when the key of both was refused", async () => {
    serverThatTakes("new");
    session.signIn("old", true);
    const answer = ask();
    await expired();

    tell("old", "new");

    await expect(answer).resolves.toEqual({ approvals: [] });
    expect(session.key).toBe("new");
  });
});
