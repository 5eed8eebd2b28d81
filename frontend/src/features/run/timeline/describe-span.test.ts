import { expect, it } from "vitest";

import { spanFixture } from "../testing/span-fixture";

import { describeSpan } from "./describe-span";

it("describes a span by its error, else its output, else its input", () => {
  expect(describeSpan(spanFixture({ state: "failed", error: "429 rate limit" }))).toEqual({
    text: "429 rate limit",
    isError: true,
  });
  expect(describeSpan(spanFixture({ state: "retried", error: "429" })).isError).toBe(false);
  expect(describeSpan(spanFixture({ json: { query: "bees", deep: [1] } })).text).toBe(
    'query: "bees", deep: [1]',
  );
  expect(describeSpan(spanFixture({ kind: "llm", output: "## Bees\n\nhum" })).text).toBe("Bees");
  const withThought = "Thought: I now can give a great answer\nFinal Answer: **Bees** hum";
  expect(describeSpan(spanFixture({ kind: "llm", output: withThought })).text).toBe("Bees** hum");
  const thoughtOnly = spanFixture({ kind: "llm", output: "Thought: hm" });
  expect(describeSpan(thoughtOnly).text).toBe("Thought: hm");
  const toolRequest = spanFixture({ kind: "llm", output: "", toolCalls: ["a", "b"] });
  expect(describeSpan(toolRequest).text).toBe("→ a, b");
  const task = spanFixture({ kind: "task", output: "", input: "Do it" });
  expect(describeSpan(task).text).toBe("Do it");
});
