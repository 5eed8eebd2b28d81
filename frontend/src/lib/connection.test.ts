import { onlineManager } from "@tanstack/react-query";
import { afterEach, beforeEach, expect, it, vi } from "vitest";

import { connection, watchConnection } from "./connection";

let reachable = true;
const probe = vi.fn(() =>
  reachable ? Promise.resolve(new Response()) : Promise.reject(new TypeError("no")),
);

const setBrowserOnline = (online: boolean) => {
  vi.spyOn(navigator, "onLine", "get").mockReturnValue(online);
  window.dispatchEvent(new Event(online ? "online" : "offline"));
};
const flush = () => vi.advanceTimersByTimeAsync(0);

beforeEach(() => {
  vi.useFakeTimers();
  vi.stubGlobal("fetch", probe);
  watchConnection();
});

afterEach(async () => {
  reachable = true;
  setBrowserOnline(true);
  await vi.advanceTimersByTimeAsync(20_000);
  expect(connection.state).toBe("online");
  probe.mockClear();
  vi.useRealTimers();
});

it("stays online after one failed request while the server responds", async () => {
  const listener = vi.fn();
  const unsubscribe = connection.subscribe(listener);

  connection.reportFailure();
  await flush();

  expect(probe).toHaveBeenCalledOnce();
  expect(listener).not.toHaveBeenCalled();
  unsubscribe();
});

it("pauses queries while the server is unreachable, and resumes them automatically", async () => {
  reachable = false;
  connection.reportFailure();
  await flush();
  expect([connection.state, onlineManager.isOnline()]).toEqual(["unreachable", false]);

  reachable = true;
  await vi.advanceTimersByTimeAsync(1_000);

  expect([connection.state, onlineManager.isOnline()]).toEqual(["online", true]);
});

it("doubles the pause between probe up to a limit", async () => {
  reachable = false;
  connection.reportFailure();

  await vi.advanceTimersByTimeAsync(60_000);

  // At 0, 1, 3, 7, 15, 25, 35, 45 and 55 s.
  expect(probe).toHaveBeenCalledTimes(9);
});

it("is offline when the browser has no network and the server is on another machine", async () => {
  reachable = false;
  setBrowserOnline(false);
  await flush();

  expect(connection.state).toBe("offline");
});

it("stays online without a network when the server is on the same machine", async () => {
  setBrowserOnline(false);
  await flush();

  expect([connection.state, onlineManager.isOnline()]).toEqual(["online", true]);
});

it("probe immediately on retry and when the network is back", async () => {
  reachable = false;
  setBrowserOnline(false);
  await vi.advanceTimersByTimeAsync(30_000);
  probe.mockClear();

  connection.retry();
  await flush();
  expect(probe).toHaveBeenCalledTimes(1);
  reachable = true;
  setBrowserOnline(true);
  await flush();

  expect(connection.state).toBe("online");
});

it("is online again after any response", async () => {
  reachable = false;
  connection.reportFailure();
  await flush();

  connection.reportResponse();

  expect(connection.state).toBe("online");
  await vi.advanceTimersByTimeAsync(30_000);
  expect(probe).toHaveBeenCalledOnce();
});
