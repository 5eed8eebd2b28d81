import { screen } from "@testing-library/react";
import { http, HttpResponse } from "msw";
import { afterEach, expect, it, vi } from "vitest";

import { session } from "@/lib/api/session";
import { downloadFile } from "@/lib/download-file";
import { renderWithRouter } from "@/testing/render-with-router";
import { server } from "@/testing/server";

import { PrivacyCard } from "./privacy-card";

vi.mock("@/lib/download-file", () => ({ downloadFile: vi.fn() }));

afterEach(() => session.forget());

it("downloads what is stored about the person", async () => {
  server.use(http.get("*/api/v1/me/export", () => HttpResponse.json({ id: "pers_1" })));
  const { user } = renderWithRouter(<PrivacyCard />);

  await user.click(await screen.findByRole("button", { name: "Export your data" }));

  await vi.waitFor(() =>
    expect(downloadFile).toHaveBeenCalledWith("personal-data-pers_1.json", expect.any(Blob)),
  );
});

it("removes the account after the password, and keeps the dialog open when it is wrong", async () => {
  const passwords: unknown[] = [];
  server.use(
    http.post("*/api/v1/me/removal", async ({ request }) => {
      passwords.push(await request.json());
      return passwords.length === 1
        ? HttpResponse.json({ title: "The password is wrong" }, { status: 403 })
        : HttpResponse.json({ name: "Removed person a1b2c3" });
    }),
  );
  session.signIn({ csrfToken: "token", isRemembered: false });
  const { user } = renderWithRouter(<PrivacyCard />);
  await user.click(await screen.findByRole("button", { name: "Remove your account" }));

  await user.type(screen.getByLabelText(/Password/), "wrong");
  await user.click(screen.getByRole("button", { name: "Remove for good" }));
  expect(await screen.findByText("The password is wrong")).toBeVisible();
  expect(session.state).toBe("signed-in");

  await user.click(screen.getByRole("button", { name: "Remove for good" }));
  await vi.waitFor(() => expect(session.state).toBe("signed-out"));
  expect(passwords).toEqual([{ password: "wrong" }, { password: "wrong" }]);
});
