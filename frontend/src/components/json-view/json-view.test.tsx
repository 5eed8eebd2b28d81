import { expect, test } from "vitest";

import { renderWithRouter } from "@/testing/render-with-router";

import { summarizeBranch } from "./json-shape";
import { JsonView } from "./json-view";

test("branches collapse and show how many members they have", async () => {
  const value = { note: "Bees", legs: { count: 6, deep: { more: true } } };
  const { findByRole, queryByText, getByText, user } = renderWithRouter(<JsonView value={value} />);
  const legs = await findByRole("button", { name: "legs: {2 fields}" });
  expect(legs).toHaveAttribute("aria-expanded", "true");
  expect(getByText("6")).toBeVisible();
  expect(queryByText("true")).toBeNull();

  await user.click(legs);
  expect(queryByText("6")).toBeNull();
  await user.click(legs);
  await user.click(await findByRole("button", { name: "deep: {1 field}" }));
  expect(getByText("true")).toBeVisible();
});

test("a long list is shown page by page", async () => {
  const { findByRole, queryByText, user } = renderWithRouter(
    <JsonView value={Array.from({ length: 250 }, (_, index) => `item ${index}`)} />,
  );
  await user.click(await findByRole("button", { name: "Show 100 more of 250" }));
  expect(queryByText('"item 199"')).toBeVisible();
  expect(queryByText('"item 200"')).toBeNull();
  await user.click(await findByRole("button", { name: "Show 50 more of 250" }));
  expect(queryByText('"item 249"')).toBeVisible();
});

test("a long text is cut; empty values and null are shown differently", async () => {
  const { findByRole, container, user } = renderWithRouter(
    <JsonView value={{ long: "x".repeat(3000), none: null, list: [], object: {}, no: false }} />,
  );
  const more = await findByRole("button", { name: "… show all" });
  expect(container.textContent).not.toContain("x".repeat(1001));
  await user.click(more);
  expect(container.textContent).toContain("x".repeat(3000));
  for (const text of ["none: null", "list: []", "object: {}", "no: false"]) {
    expect(container).toHaveTextContent(text);
  }
});

test("a primitive value is shown without a tree", async () => {
  const { findByText } = renderWithRouter(<JsonView value={42} />);
  expect(await findByText("42")).toBeVisible();
});

test.each([
  [[1], "[1 item]"],
  [[1, 2], "[2 items]"],
  [{ a: 1 }, "{1 field}"],
])("summarizes %j as %s", (value, summary) => {
  expect(summarizeBranch(value)).toBe(summary);
});
