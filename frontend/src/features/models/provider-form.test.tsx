import { screen, waitFor, within } from "@testing-library/react";
import { http, HttpResponse } from "msw";
import { expect, test, vi } from "vitest";

import type { Provider } from "@/lib/api/types";
import { renderWithRouter } from "@/testing/render-with-router";
import { server } from "@/testing/server";

import { EditProviderDialog, NewProviderDialog } from "./provider-dialog";

const KEY = "sk-canary-0123456789abcdef";
const stored: Provider = {
  id: "prov_1",
  name: "Acme",
  type: "openai",
  baseUrl: null,
  hasApiKey: true,
  apiKeyHint: "cdef",
  models: [],
  options: { apiVersion: null, region: null },
  createdAt: "2026-11-22T10:00:00Z",
  updatedAt: "2026-11-22T10:00:00Z",
  version: 3,
};

function problem(status: number, slug: string, more: object = {}) {
  const type = `https://crewai-runner.dev/problems/${slug}`;
  return HttpResponse.json({ type, title: slug, status, detail: "Refused.", ...more }, { status });
}

function connect() {
  const onSaved = vi.fn();
  const view = renderWithRouter(
    <NewProviderDialog taken={[]} onClose={vi.fn()} onSaved={onSaved} />,
  );
  return { ...view, onSaved };
}

function edit(provider = stored) {
  const onSaved = vi.fn();
  const view = renderWithRouter(
    <EditProviderDialog provider={provider} onClose={vi.fn()} onSaved={onSaved} />,
  );
  return { ...view, onSaved };
}

test.each([
  ["OpenAI", ["Name", "API key", "Base URL"]],
  ["Azure OpenAI", ["Name", "Base URL", "API key", "API version"]],
  [
    "Amazon Bedrock",
    ["Name", "Access key ID", "Secret access key", "Session token", "Region", "Base URL"],
  ],
])("%s shows its own fields", async (title, labels) => {
  const { user } = connect();
  await user.click(await screen.findByText(title));
  const fields = document.querySelectorAll("form label");
  const found = [...fields].map((label) => label.textContent.replace("(required)", ""));
  expect(found.filter((label) => label !== "Models, one per line")).toEqual(labels);
});

test("shows a missing key at its field and sends nothing", async () => {
  const { user } = connect();
  await user.click(await screen.findByRole("button", { name: /^Anthropic/ }));
  await user.click(screen.getByRole("button", { name: "Save provider" }));
  const field = await screen.findByLabelText(/^API key/);
  await waitFor(() => expect(field).toBeInvalid());
  expect(field).toHaveAccessibleDescription(/requires an API key/);
  expect(field).toHaveFocus();
});

test("removes the key from memory after saving", async () => {
  let sent: unknown;
  server.use(
    http.post("*/api/v1/providers", async ({ request }) => {
      sent = await request.json();
      return HttpResponse.json({ provider: stored }, { status: 201 });
    }),
  );
  const { user, onSaved, queryClient, unmount } = connect();
  await user.click(await screen.findByText("OpenAI"));
  await user.type(screen.getByLabelText(/^API key/), KEY);
  await user.click(screen.getByRole("button", { name: "Save provider" }));
  await waitFor(() => expect(onSaved).toHaveBeenCalledWith(stored));
  expect(sent).toMatchObject({ provider: { apiKey: KEY, type: "openai", name: "OpenAI" } });

  const kept = () =>
    JSON.stringify([
      queryClient
        .getQueryCache()
        .getAll()
        .map((query) => [query.queryKey, query.state]),
      queryClient
        .getMutationCache()
        .getAll()
        .map((mutation) => mutation.state),
    ]);
  expect(kept()).not.toContain(KEY);
  expect(document.documentElement.outerHTML).not.toContain(KEY);
  unmount();
  expect(document.documentElement.outerHTML).not.toContain(KEY);
  await waitFor(() => expect(queryClient.getMutationCache().getAll()).toEqual([]));
});

test("shows the steps of a connection test", async () => {
  server.use(
    http.post("*/api/v1/providers/test", () =>
      HttpResponse.json({
        ok: false,
        stage: "auth",
        latencyMs: 84,
        message: "api.openai.com rejected the API key (HTTP 401): “Incorrect API key”",
        models: [],
      }),
    ),
  );
  const { user } = connect();
  await user.click(await screen.findByText("OpenAI"));
  await user.type(screen.getByLabelText(/^API key/), KEY);
  await user.click(screen.getByRole("button", { name: "Test connection" }));
  const report = await screen.findByRole("alert");
  expect(report).toHaveTextContent("Invalid API key");
  expect(report).toHaveTextContent("Incorrect API key");
  const steps = within(report).getAllByRole("listitem");
  expect(steps.map((step) => step.textContent)).toEqual([
    "Resolve hostpassed",
    "Connectpassed",
    "TLS handshakepassed",
    "Check API keyfailed",
    "List modelsnot reached",
  ]);
  await user.type(screen.getByLabelText(/^API key/), "x");
  expect(screen.queryByRole("alert")).not.toBeInTheDocument();
});

test("offers Ollama on the server's machine after one request", async () => {
  let requests = 0;
  server.use(
    http.post("*/api/v1/providers/test", () => {
      requests += 1;
      return HttpResponse.json({
        ok: true,
        stage: "done",
        latencyMs: 3,
        message: "",
        models: ["a"],
      });
    }),
  );
  const { user } = connect();
  await screen.findByRole("button", { name: /^Ollama/ });
  expect(requests).toBe(0);
  await user.click(screen.getByRole("button", { name: /^Ollama/ }));
  await user.click(await screen.findByRole("button", { name: "Use it" }));
  expect(screen.getByLabelText(/^Base URL/)).toHaveValue("http://127.0.0.1:11434");
  await user.click(screen.getByRole("button", { name: "Choose another" }));
  await user.click(screen.getByRole("button", { name: /^Ollama/ }));
  await screen.findByRole("button", { name: "Use it" });
  expect(requests).toBe(1);
});

test("shows server errors at their fields", async () => {
  server.use(http.patch("*/api/v1/providers/prov_1", () => problem(409, "provider-name-taken")));
  const { user } = edit();
  await user.type(await screen.findByLabelText(/^Name/), "2");
  await user.click(screen.getByRole("button", { name: "Save" }));
  await waitFor(() => expect(screen.getByLabelText(/^Name/)).toBeInvalid());

  const errors = [{ pointer: "/apiKey", detail: "Enter the API key again." }];
  server.use(
    http.patch("*/api/v1/providers/prov_1", () => problem(422, "api-key-needed-again", { errors })),
  );
  expect(screen.queryByLabelText(/^API key/, { selector: "input" })).not.toBeInTheDocument();
  await user.type(screen.getByLabelText(/^Base URL/), "https://elsewhere.example/v1");
  expect(screen.getByRole("button", { name: "Test connection" })).toBeDisabled();
  await user.click(screen.getByRole("button", { name: "Save" }));
  const key = await screen.findByLabelText(/^API key/, { selector: "input" });
  expect(key).toHaveAccessibleDescription(/Enter the API key again/);
});

test("never overwrites a concurrent change", async () => {
  const versions: (string | null)[] = [];
  server.use(
    http.patch("*/api/v1/providers/prov_1", ({ request }) => {
      versions.push(request.headers.get("if-match"));
      return versions.length === 1 ? problem(412, "stale-version") : HttpResponse.json(stored);
    }),
    http.get("*/api/v1/providers/prov_1", () =>
      HttpResponse.json({ ...stored, baseUrl: "https://theirs.example", version: 9 }),
    ),
  );
  const { user, onSaved } = edit();
  const name = await screen.findByLabelText(/^Name/);
  await user.clear(name);
  await user.type(name, "Mine");
  await user.click(screen.getByRole("button", { name: "Save" }));
  await user.click(await screen.findByRole("button", { name: "Load latest version" }));
  expect(await screen.findByText(/Changed elsewhere: base URL\./)).toBeVisible();
  expect(name).toHaveValue("Mine");
  expect(screen.getByLabelText(/^Base URL/)).toHaveValue("https://theirs.example");
  await user.click(screen.getByRole("button", { name: "Save" }));
  await waitFor(() => expect(onSaved).toHaveBeenCalled());
  expect(versions).toEqual(['"3"', '"9"']);
});

test("asks before it discards unsaved changes", async () => {
  const { user } = edit();
  await user.type(await screen.findByLabelText(/^Name/), "2");
  await user.keyboard("{Escape}");
  expect(await screen.findByRole("alertdialog")).toHaveTextContent("Discard changes?");
});
