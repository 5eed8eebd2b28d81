import { screen } from "@testing-library/react";
import { http, HttpResponse } from "msw";
import { beforeEach, expect, it, vi } from "vitest";

import type { Project } from "@/lib/api/types";
import { learnRights } from "@/lib/rights";
import { renderWithRouter } from "@/testing/render-with-router";
import { server } from "@/testing/server";

import { ApproverChoice } from "./approver-choice";

const project = (approver: string | null) => ({ id: "proj_1", approver }) as Project;
let sent: unknown[] = [];

beforeEach(() => {
  sent = [];
  learnRights(["projects:read", "projects:write"], false);
  server.use(
    http.patch("*/api/v1/projects/proj_1", async ({ request }) => {
      const { project: changes } = (await request.json()) as { project: { approver: string } };
      sent.push(changes);
      return changes.approver === "gone@example.org"
        ? HttpResponse.json(
            {
              title: "Project is not valid",
              errors: [{ pointer: "/approver", detail: "Not here." }],
            },
            { status: 422 },
          )
        : HttpResponse.json({ project: project(changes.approver) });
    }),
  );
});

it("saves a role at once", async () => {
  const { user } = renderWithRouter(<ApproverChoice project={project(null)} />);
  const choice = await screen.findByLabelText("Who is asked");
  expect(choice).toHaveDisplayValue("Everyone who may answer");

  await user.selectOptions(choice, "Owners");
  await vi.waitFor(() => expect(sent).toEqual([{ approver: "owner" }]));
  await vi.waitFor(() => expect(choice).toBeEnabled());
  await user.selectOptions(choice, "Everyone who may answer");

  await vi.waitFor(() => expect(sent[1]).toEqual({ approver: null }));
});

it("saves a person by their address, and says when they are not in the workspace", async () => {
  const { user } = renderWithRouter(<ApproverChoice project={project(null)} />);
  await user.selectOptions(await screen.findByLabelText("Who is asked"), "One person");
  const address = screen.getByLabelText("E-mail address");

  await user.type(address, "gone@example.org");
  await user.click(screen.getByRole("button", { name: "Save" }));
  expect(await screen.findByText("Not here.")).toBeVisible();
  await user.clear(address);
  await user.type(address, "ann@example.org{Enter}");

  await vi.waitFor(() => expect(sent[1]).toEqual({ approver: "ann@example.org" }));
});

it("only shows it to those who may not change it", async () => {
  learnRights(["projects:read"], false);
  renderWithRouter(<ApproverChoice project={project("ann@example.org")} />);

  expect(await screen.findByLabelText("Who is asked")).toBeDisabled();
  expect(screen.getByLabelText("E-mail address")).toHaveAttribute("readonly");
  expect(screen.queryByRole("button", { name: "Save" })).toBeNull();
});
