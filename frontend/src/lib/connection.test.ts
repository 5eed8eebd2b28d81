import { onlineManager } from "@tanstack/react-query";
import { afterEach, beforeEach, expect, it, vi } from "vitest";

import { connection, watchConnection } from "./connection";

let reachable = true;
const probes = vi.fn(() =>
  reachable ? Promise.resolve(new Response()) : Promise.reject(new TypeError("no")),
);

const browserSays = (online: boolean) => {
  vi.spyOn(navigator, "onLine", "get").mockReturnValue(online);
  window.dispatchEvent(new Event(online ? "online" : "offline"));
};
const settle = () => vi.advanceTimersByTimeAsync(0);

beforeEach(() => {
  vi.useFakeTimers();
  vi.stubGlobal("fetch", probes);
  watchConnection();
});

afterEach(async () => {
  reachable = true;
  browserSays(true);
  await vi.advanceTimersByTimeAsync(20_000);
  expect(connection.state).toBe("online");
  probes.mockClear();
  vi.useRealTimers();
});

it("tells nobody of one lost request while the server answers", async () => {
  const told = vi.fn();
  const end = connection.subscribe(told);

  connection.reportFailure();
  await settle();

  expect(probes).toHaveBeenCalledOnce();
  expect(told).not.toHaveBeenCalled();
  end();
});

it("pauses the queries while the server does not answer, and goes on by itself", async () => {
  reachable = false;
  connection.reportFailure();
  await settle();
  expect([connection.state, onlineManager.isOnline()]).toEqual(["unreachable", false]);

  reachable = true;
  await vi.advanceTimersByTimeAsync(1_000);

  expect([connection.state, onlineManager.isOnline()]).toEqual(["online", true]);
});

it("asks ever less often", async () => {
  reachable = false;
  connection.reportFailure();

  await vi.advanceTimersByTimeAsync(60_000);

  // At 0, 1, 3, 7, 15, 25, 35, 45 and 55 s.
  expect(probes).toHaveBeenCalledTimes(9);
});

it("says offline when the browser has no network and the server is not on this machine", async () => {
  reachable = false;
  browserSays(false);
  await settle();

  expect(connection.state).toBe("offline");
});

it("works on without a network when the server is on this machine", async () => {
  browserSays(false);
  await settle();

  expect([connection.state, onlineManager.isOnline()]).toEqual(["online", true]);
});

it("asks at once when somebody wants it, or the network is back", async () => {
  reachable = false;
  browserSays(false);
  await vi.advanceTimersByTimeAsync(30_000);
  probes.mockClear();

  connection.retry();
  await settle();
  expect(probes).toHaveBeenCalledTimes(1);
  reachable = true;
  browserSays(true);
  await settle();

  expect(connection.state).toBe("online");
});

it("takes any answer as a sign of life", async () => {
  reachable = false;
  connection.reportFailure();
  await settle();

  connection.reportResponse();

  expect(connection.state).toBe("online");
  await vi.advanceTimersByTimeAsync(30_000);
  expect(probes).toHaveBeenCalledOnce();
});
