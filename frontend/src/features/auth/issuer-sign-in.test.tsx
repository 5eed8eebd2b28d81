import { screen } from "@testing-library/react";
import { http, HttpResponse } from "msw";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import { session } from "@/lib/api/session";
import { renderWithRouter } from "@/testing/render-with-router";
import { server } from "@/testing/server";

import { IssuerCallbackPage } from "./issuer-callback-page";
import { SignInPage } from "./sign-in-page";

const PATH = "/sign-in/callback/$issuer";
const assign = vi.fn();

beforeEach(() => {
  vi.stubGlobal("location", Object.assign(new URL(location.href), { assign }));
  server.use(
    http.get("*/api/v1/sign-in/options", () =>
      HttpResponse.json({ password: true, issuers: [{ id: "acme", name: "Acme" }] }),
    ),
  );
});
afterEach(() => {
  session.forget();
  assign.mockReset();
});

function comeBack(query: string) {
  const url = `/sign-in/callback/acme${query}`;
  vi.stubGlobal("location", Object.assign(new URL(url, "http://localhost:3000"), { assign }));
  return renderWithRouter(<IssuerCallbackPage />, { url, path: PATH });
}

describe("signing in at an issuer", () => {
  it("leaves for the issuer, which knows the page to come back to", async () => {
    const bodies: unknown[] = [];
    server.use(
      http.post("*/api/v1/sign-in/issuer", async ({ request }) => {
        bodies.push(await request.json());
        return HttpResponse.json({ url: "https://id.example.org/auth" });
      }),
    );
    const { user } = renderWithRouter(<SignInPage />, {
      url: "/sign-in?next=%2Fruns",
      path: "/sign-in",
    });

    await user.click(await screen.findByRole("button", { name: "Sign in with Acme" }));

    await vi.waitFor(() => expect(assign).toHaveBeenCalledWith("https://id.example.org/auth"));
    expect(bodies).toEqual([{ issuer: "acme", next: "/runs" }]);
  });

  it("offers the other ways to sign in", async () => {
    const { user } = renderWithRouter(<SignInPage />, { url: "/sign-in", path: "/sign-in" });

    await user.click(await screen.findByRole("radio", { name: "E-mail" }));
    expect(await screen.findByLabelText("E-mail address")).toBeVisible();
    await user.click(screen.getByRole("radio", { name: "API key" }));
    expect(screen.getByLabelText("API key", { selector: "[name=key]" })).toBeVisible();
  });
});

describe("coming back from an issuer", () => {
  it("starts a session and opens the page", async () => {
    const bodies: unknown[] = [];
    server.use(
      http.post("*/api/v1/sign-in/issuer/callback", async ({ request }) => {
        bodies.push(await request.json());
        const answer = { session: { csrfToken: "token", expiresAt: "" }, next: "/runs" };
        return HttpResponse.json(answer, { status: 201 });
      }),
    );
    const { router } = comeBack("?code=c&state=s&iss=https%3A%2F%2Fid.example.org");

    await vi.waitFor(() => expect(router.state.location.href).toBe("/runs"));
    expect(bodies).toEqual([
      { issuer: "acme", code: "c", state: "s", iss: "https://id.example.org" },
    ]);
    expect([session.csrfToken, session.endsAtIssuer]).toEqual(["token", true]);
  });

  it("opens no other site", async () => {
    server.use(
      http.post("*/api/v1/sign-in/issuer/callback", () =>
        HttpResponse.json({ session: null, next: "https://evil.example.org/" }, { status: 201 }),
      ),
    );
    const { router } = comeBack("?code=c&state=s");

    await vi.waitFor(() => expect(router.state.location.href).toBe("/"));
  });

  it("shows why the server refused", async () => {
    server.use(
      http.post("*/api/v1/sign-in/issuer/callback", () =>
        HttpResponse.json({ title: "Not yet", detail: "Ask for the group." }, { status: 403 }),
      ),
    );
    comeBack("?code=c&state=s");

    expect(await screen.findByText("Ask for the group.")).toBeVisible();
    expect(screen.getByRole("link", { name: "Back to signing in" })).toBeVisible();
    expect(session.state).toBe("signed-out");
  });

  it.each([
    ["?error=access_denied&error_description=Call+555", /You cancelled the sign-in, or Acme/],
    ["?error=invalid_scope&error_description=Call+555", /does not accept .* \(invalid_scope\)/],
    ["?error=%3Cb%3ECall", /does not accept the request of this server\./],
    ["", /opened without an answer/],
  ])("explains %s without the words of the address", async (query, text) => {
    comeBack(query);

    expect(await screen.findByText(text)).toBeVisible();
    expect(screen.queryByText(/Call/)).toBeNull();
  });
});
