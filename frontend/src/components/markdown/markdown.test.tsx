import { render, waitFor } from "@testing-library/react";
import { beforeAll, expect, test } from "vitest";

import { Markdown } from "./markdown";

const TIMEOUT = { timeout: 10_000 };

// The renderer is loaded lazily; load it once here instead of in the first test.
beforeAll(async () => {
  await import("./markdown-body");
}, 60_000);

async function renderMarkdown(text: string, level?: number) {
  const screen = render(<Markdown text={text} level={level} />);
  await waitFor(() => expect(screen.container.querySelector("p")).not.toBeNull(), TIMEOUT);
  return screen;
}

test("drops scripts, images and unsafe links but keeps their text", async () => {
  const { container, getByText } = await renderMarkdown(
    [
      "Before <b onclick='x()'>bold</b> after",
      "<script>alert(1)</script>",
      "<iframe src='https://evil.example'></iframe>",
      "[press](javascript:alert(1))",
      "![pixel](https://evil.example/p.png)",
      "![inline](data:image/png;base64,AAAA)",
    ].join("\n\n"),
  );
  expect(container.querySelector("script, iframe, img, object, style, b")).toBeNull();
  expect(container.innerHTML).not.toMatch(/javascript:|onclick|data:image/);
  expect(getByText("press").closest("a")).toBeNull();
  expect(getByText("inline").closest("a")).toBeNull();
  expect(getByText("pixel").closest("a")).toHaveAttribute("href", "https://evil.example/p.png");
  expect(getByText("(evil.example)")).toBeInTheDocument();
});

test("links send no referrer", async () => {
  const { getByRole } = await renderMarkdown("See [bees](https://example.org).");
  const link = getByRole("link", { name: "bees" });
  expect(link).toHaveAttribute("rel", "noopener noreferrer nofollow");
  expect(link).toHaveAttribute("target", "_blank");
});

test("headings start at the given level and skip none", async () => {
  const { getByRole } = await renderMarkdown("text\n\n# One\n\n### Two\n\n# Three", 3);
  expect(getByRole("heading", { name: "One", level: 3 })).toBeVisible();
  expect(getByRole("heading", { name: "Two", level: 4 })).toBeVisible();
  expect(getByRole("heading", { name: "Three", level: 3 })).toBeVisible();
});

test("tables and code are focusable; task lists state what is done", async () => {
  const { getByRole, container } = await renderMarkdown(
    "text\n\n| a | b |\n| - | - |\n| 1 | 2 |\n\n```py\nx = 1\n```\n\n- [x] this\n- [ ] that",
  );
  expect(getByRole("group", { name: "Table" })).toHaveAttribute("tabindex", "0");
  expect(getByRole("group", { name: "Code" })).toHaveTextContent("x = 1");
  expect(container).toHaveTextContent("Done: this");
  expect(container).toHaveTextContent("To do: that");
  expect(container.querySelector("input")).toBeNull();
});

test("footnotes of two texts have different ids", async () => {
  const text = "A claim[^1].\n\n[^1]: A source.";
  const { container } = render(
    <>
      <Markdown text={text} />
      <Markdown text={text} />
    </>,
  );
  await waitFor(() => expect(container.querySelectorAll("li[id*=fn-1]")).toHaveLength(2), TIMEOUT);
  const ids = [...container.querySelectorAll("[id]")].map(({ id }) => id);
  expect(new Set(ids).size).toBe(ids.length);
});

test("a very long text is shown as plain text", () => {
  const { container } = render(<Markdown text={`# ${"bees ".repeat(50_000)}`} />);
  expect(container.querySelector("h3")).toBeNull();
  expect(container).toHaveTextContent("# bees bees");
});
