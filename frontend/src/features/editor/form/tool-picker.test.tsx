import { screen, within } from "@testing-library/react";
import { http, HttpResponse } from "msw";
import { useForm } from "react-hook-form";
import { beforeEach, expect, test, vi } from "vitest";

import type { Tool } from "@/lib/api/types";
import { learnRights } from "@/lib/rights";
import { renderWithRouter } from "@/testing/render-with-router";
import { server } from "@/testing/server";

import { ToolPicker } from "./tool-picker";

function tool(name: string, title: string, more: Partial<Tool> = {}): Tool {
  return {
    name,
    title,
    kind: "builtin",
    description: `${title} for agents.`,
    parameters: { type: "object", properties: { query: { type: "string" } } },
    effect: "read",
    network: false,
    connections: [],
    replaces: [],
    problem: null,
    ...more,
  };
}

const SEARCH = tool("web_search", "Web search", {
  replaces: ["SerperDevTool"],
  problem: {
    code: "connection-missing",
    message: "The tool needs a connection to a search service.",
    remedy: "/tools?add=search",
  },
});
const OTHERS = ["calculator", "wait", "post_message", "http_get", "current_time"];

function Host({ onChange }: { onChange: (names: unknown) => void }) {
  const { register, getValues } = useForm({ defaultValues: { tools: ["wait"] } });
  const registration = register("tools", { onChange: () => onChange(getValues("tools")) });
  return <ToolPicker label="Tools" names={["wait"]} registration={registration} />;
}

function show() {
  const onChange = vi.fn();
  return { ...renderWithRouter(<Host onChange={onChange} />), onChange };
}

beforeEach(() => {
  learnRights(["connections:write"], false);
  const tools = [SEARCH, ...OTHERS.map((name) => tool(name, name.replace("_", " ")))];
  server.use(http.get("*/api/v1/tools", () => HttpResponse.json({ tools })));
});

test("chooses a tool that a search finds, and keeps those it hides", async () => {
  const { user, onChange } = show();

  await user.type(await screen.findByRole("searchbox", { name: "Search tools" }), "serperdev");
  expect(screen.getAllByRole("checkbox")).toHaveLength(1);
  await user.click(screen.getByRole("checkbox", { name: /Web search/ }));

  expect(onChange.mock.lastCall?.[0]).toHaveLength(2);
  expect(onChange.mock.lastCall?.[0]).toEqual(expect.arrayContaining(["wait", "web_search"]));
});

test("shows the arguments, and what is missing", async () => {
  show();

  await screen.findByText("Web search");
  const items = screen.getAllByRole("listitem");
  const item = items.find((candidate) => within(candidate).queryByText("Web search") !== null);

  expect(item).toHaveTextContent("query");
  expect(item).toHaveTextContent(/needs a connection to a search service/);
});

test("adds the connection in place", async () => {
  let sent: unknown;
  server.use(
    http.get("*/api/v1/connections", () =>
      HttpResponse.json({ connections: [], nextCursor: null }),
    ),
    http.post("*/api/v1/connections", async ({ request }) => {
      sent = await request.json();
      return HttpResponse.json({ connection: { name: "Serper" } }, { status: 201 });
    }),
  );
  const { user } = show();

  await user.click(await screen.findByRole("button", { name: "Add a connection" }));
  await user.click(await screen.findByText("Serper"));
  await user.type(screen.getByLabelText(/^API key/), "a-key-of-serper-0123456789");
  await user.click(screen.getByRole("button", { name: "Save" }));

  await vi.waitFor(() => expect(screen.queryByRole("dialog")).toBeNull());
  expect(sent).toMatchObject({
    connection: { name: "Serper", kind: "serper", secret: "a-key-of-serper-0123456789" },
  });
});
