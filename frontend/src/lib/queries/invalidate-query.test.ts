import { QueryClient, QueryObserver, type QueryKey } from "@tanstack/react-query";
import { afterEach, beforeEach, expect, test, vi } from "vitest";

import { invalidateQuery } from "./invalidate-query";

const key: QueryKey = ["run", "1", "messages"];
let client: QueryClient;
let answers: ((answer: string | Error) => void)[];
let leave: () => void;
let observer: QueryObserver<string>;

beforeEach(() => {
  client = new QueryClient({ defaultOptions: { queries: { retry: false } } });
  answers = [];
  const queryFn = () =>
    new Promise<string>((resolve, reject) => {
      answers.push((answer) => (answer instanceof Error ? reject(answer) : resolve(answer)));
    });
  observer = new QueryObserver(client, { queryKey: key, queryFn });
  leave = observer.subscribe(() => {});
});

afterEach(() => {
  leave();
  client.clear();
});

const data = () => observer.getCurrentResult().data;

test("news that comes while the first answer is on its way is asked for afterwards", async () => {
  const done = invalidateQuery(client, key);
  answers[0]?.("before");
  await vi.waitFor(() => expect(answers).toHaveLength(2));
  answers[1]?.("after");
  await done;

  expect(data()).toBe("after");
});

test("a first answer that fails is asked for again", async () => {
  const done = invalidateQuery(client, key);
  answers[0]?.(new Error("lost"));
  await vi.waitFor(() => expect(answers).toHaveLength(2));
  answers[1]?.("after");
  await done;

  expect(data()).toBe("after");
});

test("a later answer on its way is given up for a newer one", async () => {
  answers[0]?.("first");
  await vi.waitFor(() => expect(data()).toBe("first"));
  void invalidateQuery(client, key);
  await vi.waitFor(() => expect(answers).toHaveLength(2));
  const done = invalidateQuery(client, key);
  await vi.waitFor(() => expect(answers).toHaveLength(3));
  answers[2]?.("newest");
  answers[1]?.("old");
  await done;

  expect(data()).toBe("newest");
});

test("nothing is asked for where nobody looks; it is only known to be old", async () => {
  answers[0]?.("first");
  await vi.waitFor(() => expect(data()).toBe("first"));
  leave();

  await invalidateQuery(client, key);

  expect(answers).toHaveLength(1);
  expect(client.getQueryState(key)?.isInvalidated).toBe(true);
});

test("an answer that nobody ever asked for is no trouble", async () => {
  await expect(invalidateQuery(client, ["never"])).resolves.toBeUndefined();
});
