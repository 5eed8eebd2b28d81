import { screen, within } from "@testing-library/react";
import { http, HttpResponse } from "msw";
import { beforeEach, expect, it, vi } from "vitest";

import { learnRights } from "@/lib/rights";
import { renderWithRouter } from "@/testing/render-with-router";
import { server } from "@/testing/server";

import { sampleRun } from "../testing/run-fixtures";

import { ShareButton } from "./share-button";

const LINK = {
  id: "plink_1",
  showsInputs: true,
  showsPrompts: false,
  createdBy: "pers_1",
  createdAt: "2026-11-22T10:00:00Z",
  expiresAt: "2099-11-22T10:00:00Z",
};
const LINKS = "*/api/v1/runs/:id/public-links";

function mockServer({ allowed = true, scopes = ["runs:read", "runs:write"] }, links = [LINK]) {
  learnRights(scopes, false);
  server.use(
    http.get("*/api/v1/workspace", () =>
      HttpResponse.json({ workspace: { id: "ws_1", name: "Lab", allowsPublicLinks: allowed } }),
    ),
    http.get(LINKS, () => HttpResponse.json({ publicLinks: links })),
  );
}

async function openDialog() {
  const { user } = renderWithRouter(<ShareButton run={sampleRun({ id: "run_1" })} />);
  await user.click(await screen.findByRole("button", { name: "Share" }));
  return { user, dialog: within(await screen.findByRole("dialog")) };
}

beforeEach(() => mockServer({}));

it("creates a public link and shows it once", async () => {
  const bodies: unknown[] = [];
  mockServer({}, []);
  server.use(
    http.post(LINKS, async ({ request }) => {
      bodies.push(await request.json());
      return HttpResponse.json({ publicLink: LINK, path: "/shared#token" }, { status: 201 });
    }),
  );
  const { user, dialog } = await openDialog();

  await user.click(await dialog.findByLabelText("Show the inputs"));
  await user.selectOptions(dialog.getByLabelText("Expires in"), "30 days");
  await user.click(dialog.getByRole("button", { name: "Create public link" }));

  expect(await dialog.findByText(`${location.origin}/shared#token`)).toBeVisible();
  expect(bodies).toEqual([{ days: 30, showsInputs: true, showsPrompts: false }]);
});

it("lists and revokes links", async () => {
  const revoked: string[] = [];
  server.use(
    http.delete(`${LINKS}/:link`, ({ params }) => {
      revoked.push(String(params.link));
      return new HttpResponse(null, { status: 204 });
    }),
  );
  const { user, dialog } = await openDialog();
  const revoke = await dialog.findByRole("button", { name: "Revoke the public link" });
  expect(dialog.getByText("Shows outputs, inputs")).toBeVisible();

  mockServer({}, []);
  await user.click(revoke);

  await vi.waitFor(() => expect(dialog.queryByText("Shows outputs, inputs")).toBeNull());
  expect(revoked).toEqual(["plink_1"]);
});

it("says that an owner must allow public links", async () => {
  mockServer({ allowed: false }, []);
  const { dialog } = await openDialog();

  expect(await dialog.findByText(/Public links are off/)).toBeVisible();
  expect(dialog.queryByRole("button", { name: "Create public link" })).toBeNull();
});

it("lets viewers see the links only", async () => {
  mockServer({ scopes: ["runs:read"] });
  const { dialog } = await openDialog();

  expect(await dialog.findByText("Shows outputs, inputs")).toBeVisible();
  expect(dialog.queryByRole("button", { name: /Revoke/ })).toBeNull();
  expect(dialog.queryByRole("button", { name: "Create public link" })).toBeNull();
});
