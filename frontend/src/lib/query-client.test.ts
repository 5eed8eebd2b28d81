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

/** Mocks an API whose first `times` responses are errors; returns the times of the requests. */
function mockFailingServer(times: number, error: () => ReturnType<typeof problem>): number[] {
  const requests: number[] = [];
  const answer = () => {
    requests.push(Date.now());
    return requests.length <= times ? error() : HttpResponse.json({ approvals: [] });
  };
  server.use(http.get("*/api/v1/approvals", answer), http.post("*/api/v1/runs/run_1/stop", answer));
  return requests;
}

const read = () =>
  createQueryClient().fetchQuery({
    queryKey: ["approvals"],
    queryFn: async () => body(await api.GET("/api/v1/approvals")),
    // `fetchQuery` ignores the client's default for retries.
    ...createQueryClient().getDefaultOptions().queries,
  } as never);

const stop = () =>
  new MutationObserver(createQueryClient(), {
    mutationFn: async () =>
      body(await api.POST("/api/v1/runs/{run_id}/stop", { params: { path: { run_id: "run_1" } } })),
  }).mutate();

beforeEach(() => {
  vi.useFakeTimers({ shouldAdvanceTime: true });
  session.signIn({ csrfToken: "token", isRemembered: false });
});
afterEach(() => {
  vi.useRealTimers();
  session.forget();
});

describe("a rate limit", () => {
  it("retries a query after the time given by Retry-After", async () => {
    const requests = mockFailingServer(1, () => problem(429, 7));
    const response = read();
    await vi.waitFor(() => expect(requests).toHaveLength(1));

    await vi.advanceTimersByTimeAsync(6_000);
    expect(requests).toHaveLength(1);
    await vi.advanceTimersByTimeAsync(2_000);

    await expect(response).resolves.toEqual({ approvals: [] });
    expect(requests).toHaveLength(2);
  });

  it("does not retry a mutation", async () => {
    const requests = mockFailingServer(1, () => problem(429, 7));

    await expect(stop()).rejects.toMatchObject({ status: 429, message: "Try again in 7 s." });

    await vi.advanceTimersByTimeAsync(20_000);
    expect(requests).toHaveLength(1);
  });

  it("does not retry a query when Retry-After is long", async () => {
    const requests = mockFailingServer(1, () => problem(429, 600));

    await expect(read()).rejects.toMatchObject({ status: 429 });

    expect(requests).toHaveLength(1);
  });

  it("gives up after two retries", async () => {
    const requests = mockFailingServer(9, () => problem(429, 1));
    const response = expect(read()).rejects.toMatchObject({ status: 429 });

    await vi.advanceTimersByTimeAsync(10_000);

    await response;
    expect(requests).toHaveLength(3);
  });
});

describe("an unavailable server without Retry-After", () => {
  it("gets a retry after a second", async () => {
    const requests = mockFailingServer(1, () => problem(503));
    const response = read();
    await vi.waitFor(() => expect(requests).toHaveLength(1));

    await vi.advanceTimersByTimeAsync(1_500);

    await expect(response).resolves.toEqual({ approvals: [] });
  });
});
