// @vitest-environment node
import { QueryClient, QueryObserver, type QueryKey } from "@tanstack/react-query";
import { afterEach, beforeEach, expect, test, vi } from "vitest";

import { invalidateQuery } from "./invalidate-query";

const key: QueryKey = ["run", "1", "messages"];
let client: QueryClient;
let respond: ((response: string | Error) => void)[];
let unsubscribe: () => void;
let observer: QueryObserver<string>;

beforeEach(() => {
  client = new QueryClient({ defaultOptions: { queries: { retry: false } } });
  respond = [];
  const queryFn = () =>
    new Promise<string>((resolve, reject) => {
      respond.push((response) =>
        response instanceof Error ? reject(response) : resolve(response),
      );
    });
  observer = new QueryObserver(client, { queryKey: key, queryFn });
  unsubscribe = observer.subscribe(() => {});
});

afterEach(() => {
  unsubscribe();
  client.clear();
});

const data = () => observer.getCurrentResult().data;

test("refetches after a first fetch that was running at the time of the change", async () => {
  const done = invalidateQuery(client, key);
  respond[0]?.("before");
  await vi.waitFor(() => expect(respond).toHaveLength(2));
  respond[1]?.("after");
  await done;

  expect(data()).toBe("after");
});

test("refetches after a first fetch that fails", async () => {
  const done = invalidateQuery(client, key);
  respond[0]?.(new Error("lost"));
  await vi.waitFor(() => expect(respond).toHaveLength(2));
  respond[1]?.("after");
  await done;

  expect(data()).toBe("after");
});

test("cancels a running refetch for a newer one", async () => {
  respond[0]?.("first");
  await vi.waitFor(() => expect(data()).toBe("first"));
  void invalidateQuery(client, key);
  await vi.waitFor(() => expect(respond).toHaveLength(2));
  const done = invalidateQuery(client, key);
  await vi.waitFor(() => expect(respond).toHaveLength(3));
  respond[2]?.("newest");
  respond[1]?.("old");
  await done;

  expect(data()).toBe("newest");
});

test("only marks a query without observers as stale", async () => {
  respond[0]?.("first");
  await vi.waitFor(() => expect(data()).toBe("first"));
  unsubscribe();

  await invalidateQuery(client, key);

  expect(respond).toHaveLength(1);
  expect(client.getQueryState(key)?.isInvalidated).toBe(true);
});

test("ignores an unknown query", async () => {
  await expect(invalidateQuery(client, ["never"])).resolves.toBeUndefined();
});
