import { screen, within } from "@testing-library/react";
import { http, HttpResponse } from "msw";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import { session } from "@/lib/api/session";
import { getPreference, setPreference } from "@/lib/preferences";
import { learnRights } from "@/lib/rights";
import { server } from "@/testing/server";
import { renderWithRouter } from "@/testing/render-with-router";

import { SettingsPage } from "./settings-page";

const ABOUT = {
  version: "1.2.3",
  role: "all",
  database: "postgresql",
  engine: { state: "ready", name: "crewai", version: "9.8.7", native: true, message: null },
  localModel: { state: "missing", message: "The extra `local` is not installed." },
  projects: { state: "off", message: "off (PROJECTS)", hint: "set PROJECTS=auto to run projects" },
  runsAtWork: 2,
  workerConcurrency: 4,
  streamReaders: 1,
  waitingInQueue: 3,
  python: "3.12.1",
};
const me = (scopes: string[]) => ({
  subject: "pers_1",
  personId: "pers_1",
  name: "Ann",
  email: "ann@example.org",
  workspace: { id: "ws_default", name: "Default", role: "viewer" },
  workspaces: [],
  scopes,
  isAdministrator: false,
  hasSecondFactor: false,
});
const QUOTAS = {
  limits: { runsAtOnce: 4, spendPerMonth: { amount: "20", currency: "USD" }, keptDays: 30 },
  ownLimits: { runsAtOnce: 4 },
  upperLimits: { runsAtOnce: 8, spendPerMonth: { amount: "20", currency: "USD" }, keptDays: 30 },
  administratorLimits: { runsAtOnce: 8 },
  use: {
    runsAtOnce: 4,
    runsToday: 12,
    spentThisMonth: [
      { amount: "3", currency: "EUR" },
      { amount: "5", currency: "USD" },
    ],
    storedMb: 1234.5,
  },
  dayEndsAt: "2026-12-01T00:00:00Z",
  monthEndsAt: "2026-12-01T00:00:00Z",
};
const READY = {
  status: "ready",
  parts: {
    database: { ok: true, message: "answers" },
    disk: { ok: true, message: "512 MiB free" },
  },
};

beforeEach(() => {
  server.use(
    http.get("*/api/v1/about", () => HttpResponse.json(ABOUT)),
    http.get("*/health/ready", () => HttpResponse.json(READY)),
    http.get("*/api/v1/workspace/quotas", () => HttpResponse.json(QUOTAS)),
    http.get("*/api/v1/me", () => HttpResponse.json(me(["runs:read"]))),
  );
});
afterEach(() => {
  session.forget();
  setPreference("theme", "system");
  setPreference("shortcuts", true);
});

const row = async (name: string) => {
  const term = await screen.findByText(name, { selector: "dt" });
  return within(term.parentElement as HTMLElement);
};

describe("SettingsPage", () => {
  it("shows versions and health", async () => {
    renderWithRouter(<SettingsPage />);

    expect((await row("CrewAI Runner")).getByText("1.2.3")).toBeVisible();
    expect((await row("Engine")).getByText("crewai 9.8.7")).toBeVisible();
    expect(screen.getByText("Ready (async executor)")).toBeVisible();
    expect(screen.getByText("PostgreSQL")).toBeVisible();
    expect((await row("Worker")).getByText("2 of 4 slots in use")).toBeVisible();
    expect((await row("Worker")).getByText("3 runs queued")).toBeVisible();
    expect((await row("Local model")).getByText("Not installed")).toBeVisible();
    expect((await row("Projects")).getByText(/set PROJECTS=auto/)).toBeVisible();
    expect((await row("Live viewers")).getByText("1")).toBeVisible();
    expect((await row("Disk")).getByText("512 MiB free")).toBeVisible();
  });

  it("shows the failing part when the server responds with 503", async () => {
    const parts = { ...READY.parts, queue: { ok: false, message: "The worker has stopped." } };
    server.use(
      http.get("*/health/ready", () =>
        HttpResponse.json({ status: "not-ready", parts }, { status: 503 }),
      ),
    );
    renderWithRouter(<SettingsPage />);

    expect((await row("Queue")).getByText("Failing")).toBeVisible();
    expect(screen.getByText("The worker has stopped.")).toBeVisible();
    expect(screen.getByText("Degraded")).toBeVisible();
    expect(screen.queryByText("All systems operational")).toBeNull();
  });

  it("shows the other cards when a request fails", async () => {
    server.use(
      http.get("*/api/v1/about", () => HttpResponse.json({ title: "Broken" }, { status: 500 })),
    );
    renderWithRouter(<SettingsPage />);

    expect(await screen.findAllByText("Broken")).toHaveLength(2);
    expect(screen.getByRole("radio", { name: "Dark" })).toBeEnabled();
  });

  it("stores preferences", async () => {
    const { user } = renderWithRouter(<SettingsPage />);

    await user.click(await screen.findByRole("radio", { name: "Dark" }));
    await user.click(screen.getByRole("switch", { name: "Single-key shortcuts" }));

    expect([getPreference("theme"), getPreference("shortcuts")]).toEqual(["dark", false]);
  });

  it("shows how long the browser stays signed in, and signs out", async () => {
    const requests: (string | null)[] = [];
    server.use(
      http.delete("*/api/v1/session", ({ request }) => {
        requests.push(request.headers.get("X-CSRF-Token"));
        return new HttpResponse(null, { status: 204 });
      }),
    );
    session.signIn({ csrfToken: "token", isRemembered: true });
    const { user } = renderWithRouter(<SettingsPage />);
    expect(await screen.findByText("Remembered on this device")).toBeVisible();

    await user.click(screen.getByRole("button", { name: "Sign out" }));

    expect(session.state).toBe("signed-out");
    await vi.waitFor(() => expect(requests).toEqual(["token"]));
  });

  it("deletes finished runs of the selected age after confirmation", async () => {
    const requests: URL[] = [];
    server.use(
      http.delete("*/api/v1/runs", ({ request }) => {
        requests.push(new URL(request.url));
        return HttpResponse.json({ deleted: 3 });
      }),
    );
    const { user } = renderWithRouter(<SettingsPage />);

    await user.selectOptions(
      await screen.findByLabelText("Delete finished runs"),
      "started more than 7 days ago",
    );
    await user.click(screen.getByRole("button", { name: "Delete runs" }));
    expect(requests).toEqual([]);
    await user.click(screen.getByRole("button", { name: "Delete permanently" }));

    await vi.waitFor(() => expect(screen.queryByRole("alertdialog")).toBeNull());
    const query = requests[0]?.searchParams;
    expect(query?.getAll("status")).toEqual(["completed", "failed", "stopped", "crashed"]);
    const age = Date.now() - Date.parse(query?.get("before") ?? "");
    expect(Math.round(age / 86_400_000)).toBe(7);
  });

  it("keeps the dialog open when the deletion fails", async () => {
    server.use(
      http.delete("*/api/v1/runs", () => HttpResponse.json({ title: "Broken" }, { status: 500 })),
    );
    const { user } = renderWithRouter(<SettingsPage />);

    await user.click(await screen.findByRole("button", { name: "Delete runs" }));
    await user.click(screen.getByRole("button", { name: "Delete permanently" }));

    const dialog = await screen.findByRole("alertdialog");
    expect(await within(dialog).findByText("Broken")).toBeVisible();
  });

  it("asks for confirmation before clearing browser data", async () => {
    setPreference("theme", "dark");
    const { user } = renderWithRouter(<SettingsPage />);

    await user.click(await screen.findByRole("button", { name: "Clear drafts and preferences" }));
    await user.click(screen.getByRole("button", { name: "Cancel" }));

    expect(getPreference("theme")).toBe("dark");
  });

  it("shows the limits of the workspace with their use, to viewers without buttons", async () => {
    learnRights(["runs:read"], true);
    renderWithRouter(<SettingsPage />);

    expect(await screen.findByText("4 of 4")).toBeVisible();
    expect(screen.getByText("12, no limit")).toBeVisible();
    expect(screen.getByText("€3.00, $5.00 of $20.00")).toBeVisible();
    expect(screen.getByText("1,234.5 MB, no limit")).toBeVisible();
    expect(screen.getByText("for 30 days")).toBeVisible();
    expect(screen.queryByRole("button", { name: "Change limits" })).toBeNull();
    expect(screen.queryByRole("button", { name: "Set upper limits" })).toBeNull();
  });

  it("changes the limits of the workspace", async () => {
    const bodies: unknown[] = [];
    const answer = { ...QUOTAS, limits: { runsAtOnce: 6 }, ownLimits: { runsAtOnce: 6 } };
    learnRights(["runs:read", "settings:write"], true);
    server.use(
      http.put("*/api/v1/workspace/quotas", async ({ request }) => {
        bodies.push(await request.json());
        return HttpResponse.json(answer);
      }),
    );
    const { user } = renderWithRouter(<SettingsPage />);

    await user.click(await screen.findByRole("button", { name: "Change limits" }));
    const field = await screen.findByLabelText("Runs at once");
    expect(field).toHaveAccessibleDescription("At most 8.");
    await user.clear(field);
    await user.type(field, "6");
    await user.type(screen.getByLabelText("Spending per month"), "9.5");
    await user.click(screen.getByRole("button", { name: "Save limits" }));

    expect(await screen.findByText("4 of 6")).toBeVisible();
    expect(bodies).toEqual([
      {
        runsAtOnce: 6,
        runsPerDay: null,
        spendPerMonth: { amount: "9.5", currency: "USD" },
        storedMb: null,
        keptDays: null,
        network: null,
      },
    ]);
  });

  it("keeps the dialog open when limits are above the server's", async () => {
    const problem = { title: "Above what the server allows", detail: "At most 8." };
    learnRights(["runs:read", "settings:write"], true);
    server.use(
      http.put("*/api/v1/workspace/quotas", () => HttpResponse.json(problem, { status: 422 })),
    );
    const { user } = renderWithRouter(<SettingsPage />);

    await user.click(await screen.findByRole("button", { name: "Change limits" }));
    await user.click(await screen.findByRole("button", { name: "Save limits" }));

    const dialog = await screen.findByRole("dialog");
    expect(await within(dialog).findByText("Above what the server allows")).toBeVisible();
  });

  it("leads those who may see people to the team's pages", async () => {
    learnRights(["runs:read", "people:read"], true);
    renderWithRouter(<SettingsPage />);

    expect(await screen.findByRole("link", { name: "Manage people" })).toBeVisible();
    expect(screen.queryByRole("link", { name: "Open audit log" })).toBeNull();
  });

  it("leads those who may see it to the audit log", async () => {
    learnRights(["people:read", "audit:read"], true);
    renderWithRouter(<SettingsPage />);

    expect(await screen.findByRole("link", { name: "Open audit log" })).toBeVisible();
  });

  it("shows others neither the team nor the deletion of runs", async () => {
    learnRights(["runs:read"], true);
    renderWithRouter(<SettingsPage />);

    await screen.findByText("1.2.3");
    expect(screen.queryByText("Team")).toBeNull();
    expect(screen.queryByText("Delete finished runs")).toBeNull();
  });
});
