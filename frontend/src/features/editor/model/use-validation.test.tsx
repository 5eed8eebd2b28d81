import { onlineManager, QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { act, renderHook, waitFor } from "@testing-library/react";
import type { ReactNode } from "react";
import { afterEach, expect, it, vi } from "vitest";

import { useValidation } from "./use-validation";

const VALID = "agents:\n  a:\n    role: r\n";
const WRONG = "agents:\n  a:\n    rol: r\n";

afterEach(() => onlineManager.setOnline(true));

/** Renders the hook with a server that answers each request by the given function. */
function setUp(text: string, answer: (yaml: string, signal: AbortSignal) => Promise<Response>) {
  const sent: { yaml: string; signal: AbortSignal }[] = [];
  vi.stubGlobal("fetch", async (request: Request) => {
    const { yamlContent } = (await request.clone().json()) as { yamlContent: string };
    sent.push({ yaml: yamlContent, signal: request.signal });
    return answer(yamlContent, request.signal);
  });
  const client = new QueryClient({ defaultOptions: { queries: { retry: false } } });
  const wrapper = ({ children }: { children: ReactNode }) => (
    <QueryClientProvider client={client}>{children}</QueryClientProvider>
  );
  const hook = renderHook((props: { text: string }) => useValidation(props.text), {
    wrapper,
    initialProps: { text },
  });
  return { ...hook, sent };
}

const report = (yaml: string) =>
  Promise.resolve(
    Response.json({
      valid: yaml !== WRONG,
      errors: [],
      warnings: [],
      problems:
        yaml === WRONG
          ? [
              {
                line: 3,
                column: 5,
                code: "unknown-key",
                path: "agents.a.rol",
                message: "An agent has no `rol`.",
                suggestion: "role",
              },
            ]
          : [],
    }),
  );

it("shows the server's problems, with their position and suggestion", async () => {
  const { result } = setUp(WRONG, report);
  expect(result.current.status).toBe("checking");

  await waitFor(() => expect(result.current.status).toBe("checked"));

  expect(result.current.errorCount).toBe(1);
  expect(result.current.problems).toMatchObject([
    { line: 3, message: "An agent has no `rol`.", suggestion: "role" },
  ]);
  const [problem] = result.current.problems;
  expect(WRONG.slice(problem?.from, problem?.to)).toBe("rol");
});

it("asks the server once after a pause, and cancels an outdated request", async () => {
  const { result, rerender, sent } = setUp(VALID, (yaml) =>
    yaml === VALID ? new Promise(() => {}) : report(yaml),
  );
  await waitFor(() => expect(sent).toHaveLength(1));

  for (const text of [`${VALID}#`, `${VALID}# n`, WRONG]) rerender({ text });
  await waitFor(() => expect(result.current.status).toBe("checked"));

  expect(sent.map(({ yaml }) => yaml)).toEqual([VALID, WRONG]);
  expect(sent[0]?.signal.aborted).toBe(true);
});

it("checks only the syntax when the server does not answer, and all of it on retry", async () => {
  let isDown = true;
  const { result } = setUp(WRONG, (yaml) =>
    isDown ? Promise.reject(new TypeError("Failed to fetch")) : report(yaml),
  );
  await waitFor(() => expect(result.current.status).toBe("unavailable"));
  expect(result.current.problems).toEqual([]);

  isDown = false;
  act(() => result.current.retry());
  await waitFor(() => expect(result.current.status).toBe("checked"));
  expect(result.current.errorCount).toBe(1);
});

it("reports syntax errors while offline", async () => {
  onlineManager.setOnline(false);
  const { result, rerender, sent } = setUp(VALID, report);
  expect(result.current.status).toBe("unavailable");

  rerender({ text: "agents: [" });
  await waitFor(() => expect(result.current.errorCount).toBeGreaterThan(0));

  expect(result.current).toMatchObject({ status: "unavailable", isDefinitionStale: true });
  expect(result.current.definition).toMatchObject({ agents: [{ key: "a" }] });
  expect(sent).toEqual([]);
});
