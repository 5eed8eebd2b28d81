import { screen } from "@testing-library/react";
import { delay, http, HttpResponse } from "msw";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import { session } from "@/lib/api/session";
import { server } from "@/testing/server";
import { show } from "@/testing/render";

import { SignInPage } from "./sign-in-page";

const RIGHT = "cr_right";
const asked: (string | null)[] = [];

beforeEach(() => {
  asked.length = 0;
  server.use(
    http.get("*/api/v1/about", ({ request }) => {
      const sent = request.headers.get("authorization");
      asked.push(sent);
      if (sent === `Bearer ${RIGHT}`) return HttpResponse.json({ version: "1" });
      return HttpResponse.json({ title: "Not signed in" }, { status: 401 });
    }),
  );
});
afterEach(() => session.signOut());

async function page(url = "/sign-in") {
  const shown = show(<SignInPage />, { url, path: "/sign-in" });
  const field = await screen.findByLabelText("API key");
  const button = screen.getByRole("button", { name: "Sign in" });
  return { ...shown, field, button };
}

describe("signing in", () => {
  it("tries the key, keeps it for this tab, and goes where one wanted to be", async () => {
    const { user, field, router } = await page("/sign-in?next=%2Fruns%3Fq%3Dbees");
    expect(field).toHaveAttribute("type", "password");
    expect(field).toHaveAttribute("autocomplete", "current-password");

    await user.type(field, `  ${RIGHT} {Enter}`);

    await vi.waitFor(() => expect(router.state.location.href).toBe("/runs?q=bees"));
    expect(asked).toEqual([`Bearer ${RIGHT}`]);
    expect([session.key, session.isRemembered]).toEqual([RIGHT, false]);
  });

  it("remembers it on this device when asked to", async () => {
    const { user, field, button } = await page();

    await user.type(field, RIGHT);
    await user.click(screen.getByLabelText("Remember on this device"));
    await user.click(button);

    await vi.waitFor(() => expect(session.isRemembered).toBe(true));
  });

  it.each(["https://evil.test/", "//evil.test", "/\\evil.test"])(
    "does not lead to %s",
    async (next) => {
      const { user, field, router } = await page(`/sign-in?next=${encodeURIComponent(next)}`);

      await user.type(field, `${RIGHT}{Enter}`);

      await vi.waitFor(() => expect(router.state.location.href).toBe("/"));
    },
  );

  it("shows the key to its owner, and hides it again", async () => {
    const { user, field } = await page();

    await user.click(screen.getByRole("button", { name: "Show the key" }));
    expect(field).toHaveAttribute("type", "text");
    await user.click(screen.getByRole("button", { name: "Hide the key" }));
    expect(field).toHaveAttribute("type", "password");
  });

  it("takes no second click while it asks", async () => {
    server.use(
      http.get("*/api/v1/about", async () => {
        await delay("infinite");
        return HttpResponse.json({});
      }),
    );
    const { user, field, button } = await page();

    await user.type(field, `${RIGHT}{Enter}`);

    expect(button).toBeDisabled();
    expect(button).toHaveAttribute("aria-busy", "true");
  });
});

describe("a sign-in that fails", () => {
  it("tells a wrong key at its field, and keeps what was typed", async () => {
    const { user, field, button } = await page();

    await user.type(field, "wrong");
    await user.click(button);

    expect(await screen.findByRole("alert")).toHaveTextContent("does not take this key");
    expect(field).toHaveAccessibleDescription(/does not take this key/);
    expect(field).toBeInvalid();
    expect(field).toHaveFocus();
    expect(field).toHaveValue("wrong");
    expect(session.state).toBe("signed-out");
  });

  it("does not send what cannot be a key", async () => {
    const { user, field, button } = await page();

    await user.click(button);
    expect(await screen.findByRole("alert")).toHaveTextContent("Enter the API key.");
    await user.type(field, "clé{Enter}");
    expect(await screen.findByText(/does not take this key/)).toBeVisible();

    expect(asked).toEqual([]);
  });

  it("says when one may try again after too many wrong keys", async () => {
    server.use(
      http.get("*/api/v1/about", () =>
        HttpResponse.json(
          { title: "Too many failed sign-ins" },
          { status: 429, headers: { "Retry-After": "12" } },
        ),
      ),
    );
    const { user, field } = await page();

    await user.type(field, "wrong{Enter}");

    expect(await screen.findByText(/^Try again in 1[123] s\.$/)).toBeVisible();
    expect(field).toBeValid();
  });

  it("says that the server cannot be reached", async () => {
    server.use(http.get("*/api/v1/about", () => HttpResponse.error()));
    const { user, field } = await page();

    await user.type(field, `${RIGHT}{Enter}`);

    expect(await screen.findByRole("alert")).toHaveTextContent("The server cannot be reached");
  });

  it("shows any other trouble with the id of the request", async () => {
    server.use(
      http.get("*/api/v1/about", () =>
        HttpResponse.json({ title: "Internal error", requestId: "req_7" }, { status: 500 }),
      ),
    );
    const { user, field } = await page();

    await user.type(field, `${RIGHT}{Enter}`);

    expect(await screen.findByRole("alert")).toHaveTextContent("req_7");
  });
});
