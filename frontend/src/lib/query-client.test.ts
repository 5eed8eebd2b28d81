import { MutationObserver } from "@tanstack/react-query";
import { http, HttpResponse } from "msw";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import { server } from "@/testing/server";

import { api, body } from "./api/client";
import { session } from "./api/session";
import { createQueryClient } from "./query-client";

const problem = (status: number, retryAfter?: number) =>
  HttpResponse.json(
    { type: "/problems/rate-limited", title: "Too many requests", detail: "Try again in 7 s." },
    { status, headers: retryAfter === undefined ? {} : { "Retry-After": String(retryAfter) } },
  );

/** An API that refuses so often, then answers; it notes when it was asked. */
function serverThatRefuses(times: number, refusal: () => ReturnType<typeof problem>): number[] {
  const asked: number[] = [];
  const answer = () => {
    asked.push(Date.now());
    return asked.length <= times ? refusal() : HttpResponse.json({ approvals: [] });
  };
  server.use(http.get("*/api/v1/approvals", answer), http.post("*/api/v1/runs/run_1/stop", answer));
  return asked;
}

const read = () =>
  createQueryClient().fetchQuery({
    queryKey: ["approvals"],
    queryFn: async () => body(await api.GET("/api/v1/approvals")),
    // `fetchQuery` alone leaves the client's own choice out.
    ...createQueryClient().getDefaultOptions().queries,
  } as never);

const stop = () =>
  new MutationObserver(createQueryClient(), {
    mutationFn: async () =>
      body(await api.POST("/api/v1/runs/{run_id}/stop", { params: { path: { run_id: "run_1" } } })),
  }).mutate();

beforeEach(() => {
  vi.useFakeTimers({ shouldAdvanceTime: true });
  session.signIn("key", false);
});
afterEach(() => {
  vi.useRealTimers();
  session.signOut();
});

describe("a server that is asked too often", () => {
  it("is asked again for what is read, not sooner than it says", async () => {
    const asked = serverThatRefuses(1, () => problem(429, 7));
    const answer = read();
    await vi.waitFor(() => expect(asked).toHaveLength(1));

    await vi.advanceTimersByTimeAsync(6_000);
    expect(asked).toHaveLength(1);
    await vi.advanceTimersByTimeAsync(2_000);

    await expect(answer).resolves.toEqual({ approvals: [] });
    expect(asked).toHaveLength(2);
  });

  it("is not asked again for an action: the refusal is shown", async () => {
    const asked = serverThatRefuses(1, () => problem(429, 7));

    await expect(stop()).rejects.toMatchObject({ status: 429, message: "Try again in 7 s." });

    await vi.advanceTimersByTimeAsync(20_000);
    expect(asked).toHaveLength(1);
  });

  it("is not waited for when that takes long: the refusal is shown", async () => {
    const asked = serverThatRefuses(1, () => problem(429, 600));

    await expect(read()).rejects.toMatchObject({ status: 429 });

    expect(asked).toHaveLength(1);
  });

  it("is given up after some tries", async () => {
    const asked = serverThatRefuses(9, () => problem(429, 1));
    const answer = expect(read()).rejects.toMatchObject({ status: 429 });

    await vi.advanceTimersByTimeAsync(10_000);

    await answer;
    expect(asked).toHaveLength(3);
  });
});

describe("a server that says nothing of when", () => {
  it("is asked again after a moment", async () => {
    const asked = serverThatRefuses(1, () => problem(503));
    const answer = read();
    await vi.waitFor(() => expect(asked).toHaveLength(1));

    await vi.advanceTimersByTimeAsync(1_500);

    await expect(answer).resolves.toEqual({ approvals: [] });
  });
});
