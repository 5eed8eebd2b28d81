import { screen, within } from "@testing-library/react";
import { http, HttpResponse } from "msw";
import { beforeEach, expect, it } from "vitest";

import { renderWithRouter } from "@/testing/render-with-router";
import { server } from "@/testing/server";

import { WorkspacesPage } from "./workspaces-page";

const USE = {
  runsAtOnce: 0,
  runsToday: 2,
  spentThisMonth: [{ amount: "1.5", currency: "USD" }],
  storedMb: 12,
};
const workspace = (name: string, more = {}) => ({
  id: `ws_${name.toLowerCase()}`,
  name,
  createdAt: "2026-11-22T10:00:00Z",
  allowsPublicLinks: false,
  people: 1,
  limits: {},
  use: USE,
  ...more,
});

let workspaces = [workspace("Default"), workspace("Laboratory", { people: 3 })];

beforeEach(() => {
  workspaces = [
    workspace("Default"),
    workspace("Laboratory", { people: 3, limits: { runsPerDay: 4 } }),
  ];
  server.use(http.get("*/api/v1/workspaces", () => HttpResponse.json({ workspaces })));
});

async function findCard(name: string) {
  const heading = await screen.findByRole("heading", { name });
  return within(heading.closest("section") as HTMLElement);
}

it("shows the people, limits and use of every workspace", async () => {
  renderWithRouter(<WorkspacesPage />);

  const laboratory = await findCard("Laboratory");
  expect(laboratory.getByText("3 people")).toBeVisible();
  expect(laboratory.getByText("2 of 4")).toBeVisible();
  const first = await findCard("Default");
  expect(first.getByText("1 person")).toBeVisible();
  expect(first.getByText("2, no limit")).toBeVisible();
  expect(first.getByText(/1\.50.*no limit/)).toBeVisible();
});

it("sets the upper limits of the chosen workspace and shows them", async () => {
  const saved: unknown[] = [];
  const quotas = {
    limits: {},
    ownLimits: {},
    upperLimits: {},
    administratorLimits: { runsPerDay: 4 },
    use: USE,
    dayEndsAt: "2026-12-01T00:00:00Z",
    monthEndsAt: "2026-12-01T00:00:00Z",
  };
  server.use(
    http.get("*/api/v1/workspaces/ws_laboratory/quotas", () => HttpResponse.json(quotas)),
    http.put("*/api/v1/workspaces/ws_laboratory/quotas", async ({ request }) => {
      saved.push(await request.json());
      workspaces = [workspace("Default"), workspace("Laboratory", { limits: { runsPerDay: 9 } })];
      return HttpResponse.json(quotas);
    }),
  );
  const { user } = renderWithRouter(<WorkspacesPage />);
  await user.click(await screen.findByRole("button", { name: "Set upper limits of Laboratory" }));

  const field = await screen.findByLabelText("Runs per day");
  expect(field).toHaveValue(4);
  await user.clear(field);
  await user.type(field, "9");
  await user.click(screen.getByRole("button", { name: "Save limits" }));

  expect(await (await findCard("Laboratory")).findByText("2 of 9")).toBeVisible();
  expect(saved).toMatchObject([{ runsPerDay: 9, runsAtOnce: null }]);
});

it("finds one of many by its name", async () => {
  workspaces = Array.from({ length: 40 }, (_, number) => workspace(`Team ${number}`));
  const { user } = renderWithRouter(<WorkspacesPage />);
  expect(await screen.findAllByRole("heading", { level: 2 })).toHaveLength(25);

  await user.type(screen.getByLabelText("Find a workspace"), "team 39");

  expect(screen.getAllByRole("heading", { level: 2 })).toHaveLength(1);
  await user.type(screen.getByLabelText("Find a workspace"), "x");
  expect(screen.getByText("No workspace has this name.")).toBeVisible();
});

it("offers to try again when the list cannot be loaded", async () => {
  server.use(
    http.get("*/api/v1/workspaces", () => HttpResponse.json({ title: "Broken" }, { status: 500 })),
  );
  renderWithRouter(<WorkspacesPage />);

  expect(await screen.findByText("Broken")).toBeVisible();
});
