import { describe, expect, it } from "vitest";

import {
  begun,
  call,
  completed,
  failedCall,
  framesOf,
  snapshot,
  task,
  told,
  tool,
  used,
} from "../testing/event-fixtures";
import { LONGEST_TEXT } from "./span";
import { Story } from "./run-reducer";

const PLAN = [
  { key: "research", agent: "researcher" },
  { key: "draft", agent: "writer" },
];

function read(...parts: Parameters<typeof framesOf>): Story {
  const story = new Story(PLAN);
  for (const frame of framesOf(...parts)) story.read(frame);
  return story;
}

/** The tree as indented lines: `research ok`. */
function outline(story: Story): string[] {
  const { tree } = story.stage;
  const lines: string[] = [];
  const list = (ids: readonly string[], depth: number) => {
    for (const id of ids) {
      const span = tree.get(id);
      if (!span) continue;
      lines.push(`${"  ".repeat(depth)}${span.name} ${span.state}`);
      list(span.children, depth + 1);
    }
  };
  list(tree.roots, 0);
  return lines;
}

describe("a story", () => {
  it("is a tree of tasks, agents, calls and tools", () => {
    const story = read(
      begun,
      task("research", "researcher", (where) => [
        ...call("c1", where, { toolCalls: ["search"] }),
        ...tool("t1", where),
        ...call("c2", where, { text: "Bees" }),
      ]),
    );

    expect(outline(story)).toEqual([
      "research ok",
      "  researcher ok",
      "    small ok",
      "    search ok",
      "    small ok",
      "draft pending",
    ]);
  });

  it("sums tokens, cost and tools up to the agent, the task and the run", () => {
    const story = read(
      begun,
      task("research", "researcher", (where) => [
        ...call("c1", where, { usage: used(5, "0.1") }),
        ...tool("t1", where),
        ...call("c2", where, { usage: used(7, "0.2") }),
      ]),
    );

    const spent = story.stage.tree.get("task:research")?.usage;
    expect(spent).toMatchObject({ totalTokens: 24, llmCalls: 2, toolCalls: 1 });
    expect(spent?.cost).toEqual({ amount: "0.3", currency: "USD" });
    expect(story.usage).toEqual(spent);
  });

  it("counts a failed call, but no tokens of it", () => {
    const story = read(
      begun,
      task("research", "r", (where) => [...failedCall("c1", where), ...call("c2", where)]),
    );

    expect(story.usage).toMatchObject({ llmCalls: 2, totalTokens: 10 });
    expect(story.usage.cost?.amount).toBe("0.001");
  });

  it("turns a failure amber when the same thing passes, or when its task does", () => {
    const story = read(
      begun,
      task("research", "r", (where) => [
        ...failedCall("c1", where),
        ...tool("t1", where, "no network"),
        ...call("c2", where),
      ]),
    );

    expect(story.stage.tree.get("llm:c1")?.state).toBe("retried");
    expect(story.stage.tree.get("tool:t1")?.state).toBe("recovered");
  });

  it("keeps a failure red as long as nothing has mended it", () => {
    const where = { taskKey: "research", agent: "researcher" };
    const error = { code: "provider-auth", message: "refused", hint: "Check" };
    const story = read(begun, [
      { type: "task.started", ...where, data: { description: "Do" } },
      { type: "agent.started", ...where, data: { tools: [] } },
      ...failedCall("c1", where),
      { type: "agent.failed", ...where, data: { message: "401" } },
      { type: "task.failed", ...where, data: { error } },
      { type: "run.failed", data: { error, usage: used(0) } },
    ]);

    expect(outline(story)).toEqual([
      "research failed",
      "  researcher failed",
      "    small failed",
      "draft skipped",
    ]);
    expect(story.failure).toEqual(error);
    expect(story.status).toBe("failed");
  });

  it("keeps tasks apart that run at the same time", () => {
    const a = { taskKey: "research", agent: "researcher" };
    const b = { taskKey: "draft", agent: "writer" };
    const [a1, a2] = call("c1", a, { text: "A" });
    const [b1, b2] = call("c2", b, { text: "B" });
    const story = read(begun, [
      { type: "task.started", ...a, data: { description: "" } },
      { type: "task.started", ...b, data: { description: "" } },
      { type: "agent.started", ...a, data: { tools: [] } },
      { type: "agent.started", ...b, data: { tools: [] } },
      ...[a1, b1, a2, b2].filter((one) => one !== undefined),
    ]);

    expect(outline(story)).toEqual([
      "research running",
      "  researcher running",
      "    small ok",
      "draft running",
      "  writer running",
      "    small ok",
    ]);
  });

  it("puts what a coworker does under the delegation", () => {
    const boss = { taskKey: "research", agent: "boss" };
    const helper = { taskKey: "research", agent: "helper" };
    const same = { to: "helper", toolCallId: "d1" };
    const story = read(begun, [
      { type: "task.started", ...boss, data: { description: "" } },
      { type: "agent.started", ...boss, data: { tools: [] } },
      { type: "delegation.started", ...boss, data: { ...same, request: "Look" } },
      { type: "agent.started", ...helper, data: { tools: [] } },
      ...call("c1", helper),
      { type: "agent.completed", ...helper, data: { output: "Seen" } },
      { type: "delegation.completed", ...boss, data: { ...same, output: "Seen" } },
      ...call("c2", boss),
    ]);

    expect(outline(story).slice(0, 6)).toEqual([
      "research running",
      "  boss running",
      "    Asks helper ok",
      "      helper ok",
      "        small ok",
      "    small ok",
    ]);
  });

  it("shows what a lost worker had begun as stopped, and does it again in a row of its own", () => {
    const where = { taskKey: "draft", agent: "writer" };
    const story = read(
      begun,
      task("research", "researcher", (at) => call("c1", at)),
      [
        { type: "task.started", ...where, data: { description: "" } },
        { type: "agent.started", ...where, data: { tools: [] } },
        { type: "run.resumed", data: { attempt: 2, engine: "test", native: true } },
        {
          type: "task.reused",
          taskKey: "research",
          data: { raw: "research done", jsonOutput: null },
        },
        ...task("draft", "writer", (at) => call("c2", at)),
      ],
    );

    expect(outline(story)).toEqual([
      "research ok",
      "  researcher ok",
      "    small ok",
      "draft stopped",
      "  writer stopped",
      "draft ok",
      "  writer ok",
      "    small ok",
    ]);
    expect(story.stage.tasks.get("draft")).toMatchObject({ state: "completed", attempt: 2 });
    expect(story.stage.tasks.get("research")).toMatchObject({ state: "completed", attempt: 1 });
  });

  it("shows a task as reused that a run was forked with", () => {
    const reused = { raw: "old", jsonOutput: null };
    const story = read(begun, [{ type: "task.reused", taskKey: "research", data: reused }]);

    expect(outline(story)[0]).toBe("research reused");
    expect(story.stage.tree.get("task:research")?.output).toBe("old");
  });

  it("waits for a person, and goes on in the same row", () => {
    const where = { taskKey: "research", agent: "researcher" };
    const story = read(begun, [
      { type: "task.started", ...where, data: { description: "" } },
      { type: "approval.requested", ...where, data: { approvalId: "ap", output: "Right?" } },
      { type: "run.waiting", data: { reason: "human-input", approvalId: "ap" } },
    ]);
    expect(outline(story).slice(0, 2)).toEqual([
      "research waiting",
      "  Waits for a person waiting",
    ]);
    expect(story.status).toBe("waiting");

    const rest = told(
      [
        { type: "approval.resolved", data: { approvalId: "ap", action: "approve", by: "ada" } },
        { type: "run.queued", data: { workflowId: null, attempt: 2, reason: "answered" } },
        { type: "run.resumed", data: { attempt: 2, engine: "t", native: true } },
        { type: "task.reused", taskKey: "research", data: { raw: "Right", jsonOutput: null } },
      ],
      6,
    );
    for (const event of rest) story.read(event);
    expect(outline(story).slice(0, 2)).toEqual(["research ok", "  Approved by ada ok"]);
  });

  it("ends everything that was open when the run is stopped", () => {
    const where = { taskKey: "research", agent: "researcher" };
    const receipt = { llmCallsAfterStop: 0 };
    const story = read(begun, [
      { type: "task.started", ...where, data: { description: "" } },
      ...call("c1", where).slice(0, 1),
      { type: "run.stopping", data: { mode: "now", by: "ada" } },
    ]);
    expect(story).toMatchObject({ status: "stopping", stopping: "now" });

    for (const event of told([{ type: "run.stopped", data: { receipt, usage: used(1) } }], 6)) {
      story.read(event);
    }
    expect(outline(story)).toEqual(["research stopped", "  small stopped", "draft skipped"]);
    expect(story).toMatchObject({ status: "stopped", stopping: null, receipt });
    expect(story.stage.tasks.get("research")?.state).toBe("skipped");
  });

  it("writes streamed text as it comes and takes the whole at the end", () => {
    const story = new Story(PLAN);
    const frames = framesOf(begun, [
      { type: "task.started", taskKey: "research", data: { description: "" } },
      ...call("c1", { taskKey: "research" }, { pieces: ["Bees ", "hum"], text: "Bees hum." }),
    ]);
    for (const frame of frames.slice(0, -1)) story.read(frame);
    expect(story.stage.tree.get("llm:c1")?.output).toBe("Bees hum");

    for (const frame of frames.slice(-1)) story.read(frame);
    expect(story.stage.tree.get("llm:c1")?.output).toBe("Bees hum.");
    expect(story.read(frames.at(-2) ?? snapshot(1))).toBe(false);
  });

  it("says where text is missing that was streamed before it listened", () => {
    const story = new Story(PLAN);
    story.read(snapshot(4));
    const where = { taskKey: "research" };
    const frames = framesOf(begun, [
      { type: "task.started", ...where, data: { description: "" } },
      ...call("c1", where, { pieces: ["late"] }),
    ]);
    for (const frame of frames.slice(0, -1)) story.read(frame);
    expect(story.stage.tree.get("llm:c1")).toMatchObject({ gap: true, output: "late" });

    story.read(snapshot(4));
    expect(story.stage.tree.get("llm:c1")?.output).toBe("late […] ");
    for (const frame of frames.slice(-1)) story.read(frame);
    expect(story.stage.tree.get("llm:c1")).toMatchObject({ gap: false, output: "late" });
  });

  it("believes the snapshot until it has read as far itself", () => {
    const story = new Story(PLAN);
    story.read(snapshot(3));
    expect(story.usage.promptTokens).toBe(999);

    for (const event of told([...begun, completed(used(4))])) story.read(event);
    expect(story.usage.promptTokens).toBe(4);
  });

  it("keeps only so much of a very long text", () => {
    const text = "x".repeat(LONGEST_TEXT + 1);
    const story = read(
      begun,
      task("research", "r", (where) => call("c1", where, { text })),
    );

    const span = story.stage.tree.get("llm:c1");
    expect(span).toMatchObject({ cut: true });
    expect(span?.output).toHaveLength(LONGEST_TEXT);
  });

  it("lets the oldest ended steps go above the limit, and says how many", () => {
    const story = new Story(PLAN, "queued", 8);
    const many = Array.from({ length: 10 }, (_, index) => `c${index}`);
    const parts = task("research", "r", (where) => many.flatMap((id) => call(id, where)));
    for (const frame of framesOf(begun, parts)) story.read(frame);
    story.stage.tree.trim();

    expect(story.stage.tree.spans.size).toBe(8);
    expect(story.stage.tree.cut).toBe(5);
    expect(story.stage.tree.get("llm:c4")).toBeUndefined();
    expect(story.stage.tree.get("llm:c5")).toBeDefined();
    expect(story.stage.tree.get("task:research")?.usage.llmCalls).toBe(10);
  });

  it("drops what it has read already", () => {
    const events = framesOf(
      begun,
      task("research", "r", (where) => call("c1", where)),
    );
    const story = new Story(PLAN);
    for (const event of [...events, ...events]) story.read(event);

    expect(story.usage.llmCalls).toBe(1);
  });
});
