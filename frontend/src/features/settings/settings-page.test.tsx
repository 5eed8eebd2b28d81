import { screen, within } from "@testing-library/react";
import { http, HttpResponse } from "msw";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import { session } from "@/lib/api/session";
import { getPreference, setPreference } from "@/lib/preferences";
import { server } from "@/testing/server";
import { show } from "@/testing/render";

import { SettingsPage } from "./settings-page";

const ABOUT = {
  version: "1.2.3",
  role: "all",
  database: "postgresql",
  engine: { state: "ready", name: "crewai", version: "9.8.7", native: true, message: null },
  localModel: { state: "missing", message: "The extra `local` is not installed." },
  runsAtWork: 2,
  workerConcurrency: 4,
  streamReaders: 1,
  waitingInQueue: 3,
  python: "3.12.1",
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
  );
});
afterEach(() => {
  session.signOut();
  setPreference("theme", "system");
  setPreference("shortcuts", true);
});

const row = async (name: string) => {
  const term = await screen.findByText(name, { selector: "dt" });
  return within(term.parentElement as HTMLElement);
};

describe("the settings", () => {
  it("tell what runs here", async () => {
    show(<SettingsPage />);

    expect((await row("CrewAI Runner")).getByText("1.2.3")).toBeVisible();
    expect((await row("Engine")).getByText("crewai 9.8.7")).toBeVisible();
    expect(screen.getByText("Ready, native")).toBeVisible();
    expect(screen.getByText("PostgreSQL")).toBeVisible();
    expect((await row("Worker")).getByText("2 of 4 places taken")).toBeVisible();
    expect((await row("Worker")).getByText("3 runs in the queue")).toBeVisible();
    expect((await row("Local model")).getByText("Not installed")).toBeVisible();
    expect((await row("Live pages")).getByText("1 stream reader")).toBeVisible();
    expect((await row("Disk")).getByText("512 MiB free")).toBeVisible();
  });

  it("name the part that does not work, though the answer is a 503", async () => {
    const parts = { ...READY.parts, queue: { ok: false, message: "The worker has stopped." } };
    server.use(
      http.get("*/health/ready", () =>
        HttpResponse.json({ status: "not-ready", parts }, { status: 503 }),
      ),
    );
    show(<SettingsPage />);

    expect((await row("Queue")).getByText("Does not work")).toBeVisible();
    expect(screen.getByText("The worker has stopped.")).toBeVisible();
    expect(screen.getByText("Something does not work")).toBeVisible();
    expect(screen.queryByText("Everything works")).toBeNull();
  });

  it("keep the page when the server has a problem", async () => {
    server.use(
      http.get("*/api/v1/about", () => HttpResponse.json({ title: "Broken" }, { status: 500 })),
    );
    show(<SettingsPage />);

    expect(await screen.findAllByText("Broken")).toHaveLength(2);
    expect(screen.getByRole("radio", { name: "Dark" })).toBeEnabled();
  });

  it("remember what one likes", async () => {
    const { user } = show(<SettingsPage />);

    await user.click(await screen.findByRole("radio", { name: "Dark" }));
    await user.click(screen.getByRole("switch", { name: "Single-key shortcuts" }));

    expect([getPreference("theme"), getPreference("shortcuts")]).toEqual(["dark", false]);
  });

  it("forget the key on this device, and stay signed in", async () => {
    session.signIn("key", true);
    const { user } = show(<SettingsPage />);

    await user.click(await screen.findByRole("button", { name: "Forget on this device" }));

    expect(await screen.findByText("Kept in this tab only")).toBeVisible();
    expect([session.key, session.isRemembered]).toEqual(["key", false]);
  });

  it("delete finished runs of the age one chose, after asking", async () => {
    const asked: URL[] = [];
    server.use(
      http.delete("*/api/v1/runs", ({ request }) => {
        asked.push(new URL(request.url));
        return HttpResponse.json({ deleted: 3 });
      }),
    );
    const { user } = show(<SettingsPage />);

    await user.selectOptions(
      await screen.findByLabelText("Delete finished runs"),
      "started over 7 days ago",
    );
    await user.click(screen.getByRole("button", { name: "Delete runs" }));
    expect(asked).toEqual([]);
    await user.click(screen.getByRole("button", { name: "Delete for good" }));

    await vi.waitFor(() => expect(screen.queryByRole("alertdialog")).toBeNull());
    const query = asked[0]?.searchParams;
    expect(query?.getAll("status")).toEqual(["completed", "failed", "stopped", "crashed"]);
    const age = Date.now() - Date.parse(query?.get("before") ?? "");
    expect(Math.round(age / 86_400_000)).toBe(7);
  });

  it("keep the question open when the runs could not be deleted", async () => {
    server.use(
      http.delete("*/api/v1/runs", () => HttpResponse.json({ title: "Broken" }, { status: 500 })),
    );
    const { user } = show(<SettingsPage />);

    await user.click(await screen.findByRole("button", { name: "Delete runs" }));
    await user.click(screen.getByRole("button", { name: "Delete for good" }));

    const question = await screen.findByRole("alertdialog");
    expect(await within(question).findByText("Broken")).toBeVisible();
  });

  it("ask before they clear anything", async () => {
    setPreference("theme", "dark");
    const { user } = show(<SettingsPage />);

    await user.click(await screen.findByRole("button", { name: "Clear drafts and preferences" }));
    await user.click(screen.getByRole("button", { name: "Cancel" }));

    expect(getPreference("theme")).toBe("dark");
  });
});
