import { screen } from "@testing-library/react";
import { http, HttpResponse } from "msw";
import { expect, test, vi } from "vitest";

import type { ApiOperation } from "@/lib/api/types";
import { renderWithRouter } from "@/testing/render-with-router";
import { server } from "@/testing/server";

import { ApiDialog } from "./api-dialog";

function operation(id: string, problem: string | null = null): ApiOperation {
  return {
    id,
    method: "GET",
    path: `/${id}`,
    description: `Does ${id}.`,
    parameters: {},
    arguments: [],
    problem,
  };
}

test("adds the operations that were chosen", async () => {
  const sent: unknown[] = [];
  server.use(
    http.post("*/api/v1/apis/preview", async ({ request }) => {
      sent.push(await request.json());
      return HttpResponse.json({
        title: "My Shop",
        version: "1",
        serverUrl: "https://shop.example/v1",
        operations: [operation("list"), operation("upload", "Its body is not JSON.")],
      });
    }),
    http.post("*/api/v1/apis", async ({ request }) => {
      sent.push(await request.json());
      return HttpResponse.json({ api: { title: "My Shop" } }, { status: 201 });
    }),
  );
  const onClose = vi.fn();
  const { user } = renderWithRouter(<ApiDialog connections={[]} onClose={onClose} />);

  await user.type(
    await screen.findByRole("textbox", { name: /Document/ }),
    "https://shop.example/openapi.json",
  );
  await user.click(screen.getByRole("button", { name: "Show operations" }));
  expect(await screen.findByRole("checkbox", { name: /upload/ })).toBeDisabled();
  expect(screen.getByRole("button", { name: "Add 0 tools" })).toBeDisabled();
  await user.click(screen.getByRole("checkbox", { name: /list/ }));
  await user.click(screen.getByRole("button", { name: "Add 1 tool" }));

  await vi.waitFor(() => expect(onClose).toHaveBeenCalled());
  expect(sent).toEqual([
    { url: "https://shop.example/openapi.json" },
    {
      url: "https://shop.example/openapi.json",
      name: "my-shop",
      operations: ["list"],
      baseUrl: "https://shop.example/v1",
    },
  ]);
});
