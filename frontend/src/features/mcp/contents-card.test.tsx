import { http, HttpResponse } from "msw";
import { describe, expect, it } from "vitest";

import type { McpServer } from "@/lib/api/types";
import { renderWithRouter } from "@/testing/render-with-router";
import { server } from "@/testing/server";

import { ContentsCard } from "./contents-card";

const SERVER = { id: "mcp_1", name: "docs" } as McpServer;

function renderContents(contents: object) {
  server.use(
    http.post("*/api/v1/mcp/servers/mcp_1/contents", () => HttpResponse.json(contents)),
    http.post("*/api/v1/mcp/servers/mcp_1/contents/read", () =>
      HttpResponse.json({
        problem: null,
        text: "Green tea.",
        mimeType: "text/plain",
        isTruncated: true,
        isBinary: false,
      }),
    ),
  );
  return renderWithRouter(<ContentsCard server={SERVER} />);
}

const RESOURCE = {
  uri: "file:///tea.txt",
  name: "Tea",
  description: "",
  mimeType: "text/plain",
  size: 10,
};
const PROMPT = {
  name: "brew",
  title: "Brew",
  description: "Brews tea.",
  arguments: [{ name: "kind", description: "", isRequired: true }],
};

describe("ContentsCard", () => {
  it("lists what the server offers, and previews a resource", async () => {
    const { user, findByRole, findByText, getByText } = renderContents({
      problem: null,
      resources: [RESOURCE],
      prompts: [PROMPT],
    });
    await user.click(await findByRole("button", { name: "Show" }));
    expect(await findByText("Brews tea.")).toBeVisible();
    expect(getByText("Arguments: kind (required)")).toBeVisible();
    await user.click(await findByRole("button", { name: /Preview/ }));
    expect(await findByText("Green tea.")).toBeVisible();
    expect(await findByText(/Only the first 20,000 characters/)).toBeVisible();
  });

  it("says why the lists could not be read", async () => {
    const { user, findByRole, findByText } = renderContents({
      problem: "The server failed with HTTP 500.",
      resources: [],
      prompts: [],
    });
    await user.click(await findByRole("button", { name: "Show" }));
    expect(await findByText("The server failed with HTTP 500.")).toBeVisible();
  });
});
