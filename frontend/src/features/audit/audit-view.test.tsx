import { screen, within } from "@testing-library/react";
import { http, HttpResponse } from "msw";
import { beforeEach, expect, it, vi } from "vitest";

import type { AuditEntry } from "@/lib/api/types";
import { renderWithRouter } from "@/testing/render-with-router";
import { server } from "@/testing/server";

import type { AuditSearch } from "./audit-filter";
import { AuditView } from "./audit-view";

const ENTRY: AuditEntry = {
  id: "audit_1",
  workspaceId: "ws_default",
  seq: 7,
  at: "2026-11-30T12:00:00Z",
  actorKind: "person",
  actorId: "pers_1",
  actorName: "Ann",
  personId: "pers_1",
  address: "192.0.2.1",
  operation: "providers:update_provider",
  targetKind: "provider",
  targetId: "prov_1",
  result: "succeeded",
  reason: null,
  count: 1,
  requestId: "r-1",
  changes: [{ field: "provider.name", before: "OpenAI", after: null }],
  previousHash: "0".repeat(64),
  hash: "a".repeat(64),
};

let requests: URL[];

beforeEach(() => {
  requests = [];
  server.use(http.get("*/api/v1/me", () => HttpResponse.json({ scopes: ["audit:read"] })));
});

function show(entries: AuditEntry[], search: AuditSearch = {}) {
  server.use(
    http.get("*/api/v1/audit", ({ request }) => {
      requests.push(new URL(request.url));
      return HttpResponse.json({ entries, nextCursor: null });
    }),
  );
  const onChange = vi.fn<(change: Partial<AuditSearch>) => void>();
  const onClear = vi.fn<() => void>();
  const shown = renderWithRouter(
    <AuditView search={search} onChange={onChange} onClear={onClear} />,
  );
  return { ...shown, onChange, onClear };
}

it("shows who did what, and the fields before and after", async () => {
  const { user } = show([ENTRY]);

  await user.click(await screen.findByRole("button", { name: /Update provider/ }));

  const drawer = within(screen.getByRole("dialog", { name: "Update provider" }));
  expect(drawer.getByRole("row", { name: "provider.name OpenAI –" })).toBeVisible();
  for (const text of ["192.0.2.1", "provider prov_1", "r-1"]) {
    expect(drawer.getByText(text)).toBeVisible();
  }
  expect(drawer.getByText("Ann")).toBeVisible();
});

it("filters by what an entry is about", async () => {
  const { user, onChange } = show([ENTRY]);

  await user.click(await screen.findByRole("button", { name: /Update provider/ }));
  await user.click(screen.getByRole("button", { name: "All on this target" }));

  expect(onChange).toHaveBeenCalledExactlyOnceWith({ target: "prov_1" });
  expect(screen.queryByRole("dialog")).toBeNull();
});

it("sends the filters to the API and offers to clear them", async () => {
  const { user, onClear } = show([], { actor: "pers_1", result: "refused" });

  await screen.findByText("No entries match");
  await user.click(screen.getAllByRole("button", { name: "Clear filters" })[1] as HTMLElement);

  expect(onClear).toHaveBeenCalledOnce();
  expect(requests[0]?.searchParams.get("actor")).toBe("pers_1");
  expect(requests[0]?.searchParams.get("result")).toBe("refused");
});

it("filters by an operation with Enter", async () => {
  const { user, onChange } = show([ENTRY]);

  await user.type(await screen.findByLabelText("Operation"), "runs:delete_run{Enter}");

  expect(onChange).toHaveBeenCalledWith({ operation: "runs:delete_run" });
});

it("counts equal refused attempts", async () => {
  show([{ ...ENTRY, result: "refused", reason: "scope-missing", count: 3 }]);

  expect(await screen.findByText("Refused ×3")).toBeVisible();
});
