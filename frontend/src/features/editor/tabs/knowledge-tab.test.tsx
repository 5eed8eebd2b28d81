import { within } from "@testing-library/react";
import { http, HttpResponse } from "msw";
import { expect, it } from "vitest";

import type { KnowledgeFile, Workflow } from "@/lib/api/types";
import { learnRights } from "@/lib/rights";
import { renderWithRouter } from "@/testing/render-with-router";
import { server } from "@/testing/server";

import { KnowledgeTab } from "./knowledge-tab";

const WORKFLOW = { id: "wf_1", name: "Support" } as Workflow;

function sampleFile(changes: Partial<KnowledgeFile> = {}): KnowledgeFile {
  return {
    id: "kfile_1",
    name: "returns.md",
    mediaType: "text/markdown",
    size: 2000,
    sha256: "0",
    state: "ready",
    error: null,
    chunks: 3,
    embeddedChunks: 3,
    isOutdated: false,
    createdBy: "pers_1",
    createdByName: "Ann",
    createdAt: "2026-11-22T10:00:00Z",
    updatedAt: "2026-11-22T10:00:00Z",
    ...changes,
  };
}

function show(...files: KnowledgeFile[]) {
  server.use(
    http.get("*/api/v1/workflows/wf_1/knowledge", () =>
      HttpResponse.json({
        files,
        embedder: { name: "the built-in embedder", isBuiltIn: true },
        limits: { maxFileBytes: 10_485_760, maxFiles: 100, maxBytes: 52_428_800, usedBytes: 2000 },
      }),
    ),
  );
  return renderWithRouter(<KnowledgeTab workflow={WORKFLOW} />);
}

it("says what the tab is for while there is no file", async () => {
  const { findByText, getByRole } = show();
  expect(await findByText("No knowledge files yet")).toBeVisible();
  expect(getByRole("button", { name: "Choose files" })).toBeVisible();
});

it("shows states, reasons and progress", async () => {
  const { findByRole, getByText, getByRole } = show(
    sampleFile(),
    sampleFile({
      id: "kfile_2",
      name: "scan.pdf",
      state: "failed",
      error: "The file holds no text.",
    }),
    sampleFile({
      id: "kfile_3",
      name: "book.txt",
      state: "embedding",
      chunks: 10,
      embeddedChunks: 4,
    }),
  );
  const list = within(await findByRole("list", { name: "Knowledge files" }));
  expect(list.getByText("Ready")).toBeVisible();
  expect(getByText("The file holds no text.")).toBeVisible();
  expect(getByRole("progressbar", { name: "Embedding book.txt" })).toHaveValue(4);
  expect(list.getAllByRole("button", { name: "Embed again" })).toHaveLength(1);
});

it("deletes a file after a confirmation", async () => {
  const deleted: string[] = [];
  server.use(
    http.delete("*/api/v1/workflows/wf_1/knowledge/:id", ({ params }) => {
      deleted.push(String(params["id"]));
      return new HttpResponse(null, { status: 204 });
    }),
  );
  const { user, findByRole } = show(sampleFile());
  await user.click(await findByRole("button", { name: "Delete returns.md" }));
  await user.click(await findByRole("button", { name: "Delete file" }));
  await expect.poll(() => deleted).toEqual(["kfile_1"]);
});

it("offers nothing to those who may only read", async () => {
  learnRights(["workflows:read"], true);
  const { findByText, queryByRole } = show(sampleFile({ isOutdated: true }));
  expect(await findByText(/The next run embeds this file again\./)).toBeVisible();
  for (const name of ["Choose files", "Embed again", "Delete returns.md"]) {
    expect(queryByRole("button", { name })).not.toBeInTheDocument();
  }
});
