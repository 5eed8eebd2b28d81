import { screen } from "@testing-library/react";
import { delay, http, HttpResponse } from "msw";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import { session } from "@/lib/api/session";
import { server } from "@/testing/server";
import { renderWithRouter } from "@/testing/render-with-router";

import { SignInPage } from "./sign-in-page";

const VALID_KEY = "cr_right";
const requests: (string | null)[] = [];

beforeEach(() => {
  requests.length = 0;
  server.use(
    http.post("*/api/v1/session", ({ request }) => {
      const sent = request.headers.get("authorization");
      requests.push(sent);
      if (sent === `Bearer ${VALID_KEY}`) {
        return HttpResponse.json({ csrfToken: "token" }, { status: 201 });
      }
      return HttpResponse.json({ title: "Authentication required" }, { status: 401 });
    }),
  );
});
afterEach(() => session.forget());

async function showSignIn(url = "/sign-in") {
  const shown = renderWithRouter(<SignInPage />, { url, path: "/sign-in" });
  const field = await screen.findByLabelText("API key");
  const button = screen.getByRole("button", { name: "Sign in" });
  return { ...shown, field, button };
}

describe("signing in", () => {
  it("exchanges the key for a session, keeps no key and opens the requested page", async () => {
    const { user, field, router } = await showSignIn("/sign-in?next=%2Fruns%3Fq%3Dbees");
    expect(field).toHaveAttribute("type", "password");
    expect(field).toHaveAttribute("autocomplete", "current-password");

    await user.type(field, `  ${VALID_KEY} {Enter}`);

    await vi.waitFor(() => expect(router.state.location.href).toBe("/runs?q=bees"));
    expect(requests).toEqual([`Bearer ${VALID_KEY}`]);
    expect([session.csrfToken, session.isRemembered]).toEqual(["token", false]);
    expect(
      JSON.stringify([Object.entries(localStorage), Object.entries(sessionStorage)]),
    ).not.toContain(VALID_KEY);
  });

  it("remembers the session on this device on request", async () => {
    const { user, field, button } = await showSignIn();

    await user.type(field, VALID_KEY);
    await user.click(screen.getByLabelText("Remember on this device"));
    await user.click(button);

    await vi.waitFor(() => expect(session.isRemembered).toBe(true));
  });

  it.each(["https://evil.test/", "//evil.test", "/\\evil.test"])(
    "does not redirect to %s",
    async (next) => {
      const { user, field, router } = await showSignIn(`/sign-in?next=${encodeURIComponent(next)}`);

      await user.type(field, `${VALID_KEY}{Enter}`);

      await vi.waitFor(() => expect(router.state.location.href).toBe("/"));
    },
  );

  it("shows and hides the key", async () => {
    const { user, field } = await showSignIn();

    await user.click(screen.getByRole("button", { name: "Show the key" }));
    expect(field).toHaveAttribute("type", "text");
    await user.click(screen.getByRole("button", { name: "Hide the key" }));
    expect(field).toHaveAttribute("type", "password");
  });

  it("disables the button while it checks the key", async () => {
    server.use(
      http.post("*/api/v1/session", async () => {
        await delay("infinite");
        return HttpResponse.json({});
      }),
    );
    const { user, field, button } = await showSignIn();

    await user.type(field, `${VALID_KEY}{Enter}`);

    expect(button).toBeDisabled();
    expect(button).toHaveAttribute("aria-busy", "true");
  });
});

describe("a failed sign-in", () => {
  it("shows an invalid key at its field and keeps the input", async () => {
    const { user, field, button } = await showSignIn();

    await user.type(field, "wrong");
    await user.click(button);

    expect(await screen.findByRole("alert")).toHaveTextContent("Invalid API key");
    expect(field).toHaveAccessibleDescription(/Invalid API key/);
    expect(field).toBeInvalid();
    expect(field).toHaveFocus();
    expect(field).toHaveValue("wrong");
    expect(session.state).toBe("signed-out");
  });

  it("does not send a malformed key", async () => {
    const { user, field, button } = await showSignIn();

    await user.click(button);
    expect(await screen.findByRole("alert")).toHaveTextContent("Enter the API key.");
    await user.type(field, "clé{Enter}");
    expect(await screen.findByText(/Invalid API key/)).toBeVisible();

    expect(requests).toEqual([]);
  });

  it("shows when to try again after too many attempts", async () => {
    server.use(
      http.post("*/api/v1/session", () =>
        HttpResponse.json(
          { title: "Too many failed sign-ins" },
          { status: 429, headers: { "Retry-After": "12" } },
        ),
      ),
    );
    const { user, field } = await showSignIn();

    await user.type(field, "wrong{Enter}");

    expect(await screen.findByText(/^Try again in 1[123] s\.$/)).toBeVisible();
    expect(field).toBeValid();
  });

  it("shows that the server cannot be reached", async () => {
    server.use(http.post("*/api/v1/session", () => HttpResponse.error()));
    const { user, field } = await showSignIn();

    await user.type(field, `${VALID_KEY}{Enter}`);

    expect(await screen.findByRole("alert")).toHaveTextContent("The server cannot be reached");
  });

  it("shows other errors with the request id", async () => {
    server.use(
      http.post("*/api/v1/session", () =>
        HttpResponse.json({ title: "Internal error", requestId: "req_7" }, { status: 500 }),
      ),
    );
    const { user, field } = await showSignIn();

    await user.type(field, `${VALID_KEY}{Enter}`);

    expect(await screen.findByRole("alert")).toHaveTextContent("req_7");
  });
});
