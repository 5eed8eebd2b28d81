import { http, HttpResponse } from "msw";
import { describe, expect, it } from "vitest";

import type { Artifact } from "@/lib/api/types";
import { renderWithRouter } from "@/testing/render-with-router";
import { server } from "@/testing/server";

import { sampleRun } from "../testing/run-fixtures";

import { MAX_SHOWN } from "./artifact-folder";
import { ArtifactList } from "./artifact-list";

function renderList(...names: string[]) {
  const artifacts = names.map<Artifact>((name) => ({
    name,
    taskKey: "",
    mediaType: "text/plain",
    size: 500,
    createdAt: "2026-11-22T10:00:00Z",
  }));
  server.use(http.get("*/api/v1/runs/:id/artifacts", () => HttpResponse.json({ artifacts })));
  return renderWithRouter(<ArtifactList run={sampleRun()} />);
}

const numbered = (count: number, folder = "") =>
  Array.from({ length: count }, (_, number) => `${folder}${number}.txt`);

describe("ArtifactList", () => {
  it("groups files by folder, without levels that hold nothing else", async () => {
    const { user, findByRole, queryByText, getByText, getAllByText, queryAllByRole } = renderList(
      "output/reports/a.md",
      "output/reports/b.md",
      "notes.txt",
    );
    const folder = await findByRole("button", { name: /output\/reports\s*2 files · 1 kB/ });
    expect(folder).toHaveAttribute("aria-expanded", "true");
    expect(getByText("a.md")).toBeVisible();
    expect(getAllByText(/^text\/plain · 500 B$/)).toHaveLength(3);
    await user.click(folder);
    expect(queryByText("a.md")).not.toBeInTheDocument();
    expect(queryAllByRole("button", { name: /^Download/ })).toHaveLength(1);
  });

  it("starts with closed folders if they have many files", async () => {
    const { findByRole } = renderList(...numbered(MAX_SHOWN + 1, "output/"));
    const folder = await findByRole("button", { name: /output/ });
    expect(folder).toHaveAttribute("aria-expanded", "false");
  });

  it("shows more of a long list when asked", async () => {
    const { user, findByRole, findAllByRole, queryByRole } = renderList(...numbered(MAX_SHOWN + 3));
    expect(await findAllByRole("listitem")).toHaveLength(MAX_SHOWN);
    await user.click(await findByRole("button", { name: "Show 3 more of all files" }));
    expect(await findAllByRole("listitem")).toHaveLength(MAX_SHOWN + 3);
    expect(queryByRole("button", { name: /^Show/ })).not.toBeInTheDocument();
  });
});
