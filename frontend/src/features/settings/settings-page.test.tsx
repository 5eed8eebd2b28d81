import { screen, within } from "@testing-library/react";
import { http, HttpResponse } from "msw";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import { session } from "@/lib/api/session";
import { getPreference, setPreference } from "@/lib/preferences";
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

  it("leads those who may see people to the team's pages", async () => {
    server.use(http.get("*/api/v1/me", () => HttpResponse.json(me(["runs:read", "people:read"]))));
    renderWithRouter(<SettingsPage />);

    expect(await screen.findByRole("link", { name: "Manage people" })).toBeVisible();
  });

  it("shows others no team", async () => {
    renderWithRouter(<SettingsPage />);

    await screen.findByText("1.2.3");
    expect(screen.queryByText("Team")).toBeNull();
  });
});
