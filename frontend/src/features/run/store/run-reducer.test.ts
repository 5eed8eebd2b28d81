// @vitest-environment node
import { describe, expect, it } from "vitest";

import {
  RUN_STARTED,
  llmCall,
  runCompleted,
  failedLlmCall,
  toFrames,
  snapshot,
  taskEvents,
  numberEvents,
  toolCall,
  usageOf,
} from "../testing/event-fixtures";

import { RunReducer } from "./run-reducer";
import { MAX_TEXT_LENGTH } from "./span";

const PLAN = [
  { key: "research", agent: "researcher" },
  { key: "draft", agent: "writer" },
];

function reduce(...parts: Parameters<typeof toFrames>): RunReducer {
  const reducer = new RunReducer(PLAN);
  for (const frame of toFrames(...parts)) reducer.apply(frame);
  return reducer;
}

/** The tree as indented lines, e.g. `research ok`. */
function outline(reducer: RunReducer): string[] {
  const { tree } = reducer.builder;
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

describe("RunReducer", () => {
  it("replaces live text that turned out to be reasoning", () => {
    const [started, first] = llmCall("c", { taskKey: "research" }, { chunks: ["I think"] });
    const second = {
      type: "llm.chunk",
      data: { callId: "c", text: "So", replaces: true },
    } as const;
    const reducer = reduce(RUN_STARTED, [started, first, second] as never);
    expect(reducer.builder.tree.get("llm:c")?.output).toBe("So");
  });

  it("shows what an ended attempt cut off as stopped, not as failed", () => {
    const context = { taskKey: "research", agent: "researcher" };
    const cut = { message: "Cut off", cutOff: true };
    const reducer = reduce(RUN_STARTED, [
      { type: "task.started", ...context, data: { description: "d" } },
      { type: "agent.started", ...context },
      { type: "tool.started", ...context, data: { tool: "wait", toolCallId: "t1" } },
      {
        type: "delegation.started",
        ...context,
        data: { to: "writer", toolCallId: "t2", request: "r" },
      },
      {
        type: "tool.failed",
        ...context,
        data: { tool: "wait", toolCallId: "t1", durationMs: 0, ...cut },
      },
      { type: "delegation.failed", ...context, data: { to: "writer", toolCallId: "t2", ...cut } },
      { type: "agent.failed", ...context, data: cut },
      { type: "task.interrupted", ...context, data: { reason: "worker-lost" } },
    ]);
    expect(outline(reducer)).toEqual([
      "research stopped",
      "  researcher stopped",
      "    wait stopped",
      "    Delegated to writer stopped",
      "draft pending",
    ]);
    expect(reducer.builder.tasks.get("research")?.state).toBe("interrupted");
  });

  it("shows a message that is delivered again, and one that the run's end leaves open", () => {
    const data = { messageId: "m1", text: "Mention honey." };
    const drafts = [
      { type: "message.queued", data },
      { type: "message.delivered", agent: "writer", data: { messageId: "m1", call: 2 } },
      { type: "message.queued", data: { ...data, redelivery: true } },
    ] as const;
    expect(outline(reduce(RUN_STARTED, [...drafts]))).toContain("Message waiting");

    const closed = {
      type: "message.closed",
      data: { messageId: "m1", status: "undelivered" },
    } as const;
    const reducer = reduce(RUN_STARTED, [...drafts, closed]);
    expect(outline(reducer)).toContain("Message stopped");
  });

  it("joins consecutive printed lines in one step", () => {
    const one = { type: "log.line", data: { stream: "stdout", text: "one" } } as const;
    const two = { type: "log.line", data: { stream: "stderr", text: "two" } } as const;
    const warning = { type: "warning.raised", data: { code: "c", message: "Careful" } } as const;
    const reducer = reduce(RUN_STARTED, [one, two, warning, one]);

    expect(outline(reducer)).toEqual(
      expect.arrayContaining(["Printed output ok", "Careful warned", "Printed output ok"]),
    );
    const outputs = [...reducer.builder.tree.spans.values()].map((span) => span.output);
    expect(outputs.filter(Boolean)).toEqual(["one\ntwo", "one"]);
  });

  it("shows the progress of a running tool as a step within its call", () => {
    const context = { taskKey: "research", agent: "researcher" };
    const call = { tool: "mcp:files/index", toolCallId: "t1" };
    const report = (data: object) => ({
      type: "tool.progress" as const,
      ...context,
      data: { ...call, message: "", ...data },
    });
    const drafts = [
      { type: "task.started" as const, ...context, data: { description: "d" } },
      { type: "tool.started" as const, ...context, data: call },
      report({ progress: 3, total: 10, message: "Reading" }),
      report({ message: "A line" }),
    ];
    const running = reduce(RUN_STARTED, drafts).builder.tree;
    expect(running.get("tool:t1")).toMatchObject({ state: "running", note: "A line" });
    expect(running.get("progress:t1")).toMatchObject({
      parent: "tool:t1",
      output: "3 of 10: Reading\nA line",
    });

    const end = { ...call, output: "done", durationMs: 5 };
    const ended = reduce(RUN_STARTED, [
      ...drafts,
      { type: "tool.completed", ...context, data: end },
    ]).builder.tree;
    expect(ended.get("tool:t1")).toMatchObject({ state: "ok", note: "", output: "done" });
    expect(ended.get("progress:t1")?.output).toContain("A line");
  });

  it("collects the refused hosts that can be allowed, once each", () => {
    const warnings = ["a.com", null, "b.com", "a.com"].map((host) => ({
      type: "warning.raised" as const,
      data: { code: "host-not-allowed", message: "Refused", host },
    }));
    const reducer = reduce(RUN_STARTED, warnings);
    expect(reducer.refusedHosts).toEqual(["a.com", "b.com"]);
  });

  it("builds a tree of tasks, agents, model calls and tool calls", () => {
    const reducer = reduce(
      RUN_STARTED,
      taskEvents("research", "researcher", (context) => [
        ...llmCall("c1", context, { toolCalls: ["search"] }),
        ...toolCall("t1", context),
        ...llmCall("c2", context, { text: "Bees" }),
      ]),
    );

    expect(outline(reducer)).toEqual([
      "research ok",
      "  researcher ok",
      "    small ok",
      "    search ok",
      "    small ok",
      "draft pending",
    ]);
  });

  it("adds up tokens, cost and tool calls for the agent, the task and the run", () => {
    const reducer = reduce(
      RUN_STARTED,
      taskEvents("research", "researcher", (context) => [
        ...llmCall("c1", context, { usage: usageOf(5, "0.1") }),
        ...toolCall("t1", context),
        ...llmCall("c2", context, { usage: usageOf(7, "0.2") }),
      ]),
    );

    const spent = reducer.builder.tree.get("task:research")?.usage;
    expect(spent).toMatchObject({ totalTokens: 24, llmCalls: 2, toolCalls: 1 });
    expect(spent?.cost).toEqual({ amount: "0.3", currency: "USD" });
    expect(reducer.usage).toEqual(spent);
  });

  it("counts a failed call without tokens", () => {
    const reducer = reduce(
      RUN_STARTED,
      taskEvents("research", "r", (context) => [
        ...failedLlmCall("c1", context),
        ...llmCall("c2", context),
      ]),
    );

    expect(reducer.usage).toMatchObject({ llmCalls: 2, totalTokens: 10 });
    expect(reducer.usage.cost?.amount).toBe("0.001");
  });

  it("marks failures as retried or recovered once a retry or the task succeeds", () => {
    const reducer = reduce(
      RUN_STARTED,
      taskEvents("research", "r", (context) => [
        ...failedLlmCall("c1", context),
        ...toolCall("t1", context, "no network"),
        ...llmCall("c2", context),
      ]),
    );

    expect(reducer.builder.tree.get("llm:c1")?.state).toBe("retried");
    expect(reducer.builder.tree.get("tool:t1")?.state).toBe("recovered");
  });

  it("keeps failures that were never recovered as failed", () => {
    const context = { taskKey: "research", agent: "researcher" };
    const error = { code: "provider-auth", message: "refused", hint: "Check" };
    const reducer = reduce(RUN_STARTED, [
      { type: "task.started", ...context, data: { description: "Do" } },
      { type: "agent.started", ...context, data: { tools: [] } },
      ...failedLlmCall("c1", context),
      { type: "agent.failed", ...context, data: { message: "401" } },
      { type: "task.failed", ...context, data: { error } },
      { type: "run.failed", data: { error, usage: usageOf(0) } },
    ]);

    expect(outline(reducer)).toEqual([
      "research failed",
      "  researcher failed",
      "    small failed",
      "draft skipped",
    ]);
    expect(reducer.failure).toEqual(error);
    expect(reducer.status).toBe("failed");
  });

  it("keeps concurrent tasks apart", () => {
    const a = { taskKey: "research", agent: "researcher" };
    const b = { taskKey: "draft", agent: "writer" };
    const [a1, a2] = llmCall("c1", a, { text: "A" });
    const [b1, b2] = llmCall("c2", b, { text: "B" });
    const reducer = reduce(RUN_STARTED, [
      { type: "task.started", ...a, data: { description: "" } },
      { type: "task.started", ...b, data: { description: "" } },
      { type: "agent.started", ...a, data: { tools: [] } },
      { type: "agent.started", ...b, data: { tools: [] } },
      ...[a1, b1, a2, b2].filter((one) => one !== undefined),
    ]);

    expect(outline(reducer)).toEqual([
      "research running",
      "  researcher running",
      "    small ok",
      "draft running",
      "  writer running",
      "    small ok",
    ]);
  });

  it("nests the work of a coworker under the delegation", () => {
    const boss = { taskKey: "research", agent: "boss" };
    const helper = { taskKey: "research", agent: "helper" };
    const shared = { to: "helper", toolCallId: "d1" };
    const reducer = reduce(RUN_STARTED, [
      { type: "task.started", ...boss, data: { description: "" } },
      { type: "agent.started", ...boss, data: { tools: [] } },
      { type: "delegation.started", ...boss, data: { ...shared, request: "Look" } },
      { type: "agent.started", ...helper, data: { tools: [] } },
      ...llmCall("c1", helper),
      { type: "agent.completed", ...helper, data: { output: "Seen" } },
      { type: "delegation.completed", ...boss, data: { ...shared, output: "Seen" } },
      ...llmCall("c2", boss),
    ]);

    expect(outline(reducer).slice(0, 6)).toEqual([
      "research running",
      "  boss running",
      "    Delegated to helper ok",
      "      helper ok",
      "        small ok",
      "    small ok",
    ]);
  });

  it("shows the work of a lost worker as stopped and its repetition as a new row", () => {
    const context = { taskKey: "draft", agent: "writer" };
    const reducer = reduce(
      RUN_STARTED,
      taskEvents("research", "researcher", (at) => llmCall("c1", at)),
      [
        { type: "task.started", ...context, data: { description: "" } },
        { type: "agent.started", ...context, data: { tools: [] } },
        { type: "run.resumed", data: { attempt: 2, engine: "test", native: true } },
        {
          type: "task.reused",
          taskKey: "research",
          data: { raw: "research done", jsonOutput: null },
        },
        ...taskEvents("draft", "writer", (at) => llmCall("c2", at)),
      ],
    );

    expect(outline(reducer)).toEqual([
      "research ok",
      "  researcher ok",
      "    small ok",
      "draft stopped",
      "  writer stopped",
      "draft ok",
      "  writer ok",
      "    small ok",
    ]);
    expect(reducer.builder.tasks.get("draft")).toMatchObject({ state: "completed", attempt: 2 });
    expect(reducer.builder.tasks.get("research")).toMatchObject({ state: "completed", attempt: 1 });
  });

  it("shows tasks taken from the forked run as reused", () => {
    const reused = { raw: "old", jsonOutput: null };
    const reducer = reduce(RUN_STARTED, [
      { type: "task.reused", taskKey: "research", data: reused },
    ]);

    expect(outline(reducer)[0]).toBe("research reused");
    expect(reducer.builder.tree.get("task:research")?.output).toBe("old");
  });

  it("waits for an approval and continues in the same row", () => {
    const context = { taskKey: "research", agent: "researcher" };
    const reducer = reduce(RUN_STARTED, [
      { type: "task.started", ...context, data: { description: "" } },
      { type: "approval.requested", ...context, data: { approvalId: "ap", output: "Right?" } },
      { type: "run.waiting", data: { reason: "human-input", approvalId: "ap" } },
    ]);
    expect(outline(reducer).slice(0, 2)).toEqual([
      "research waiting",
      "  Approval requested waiting",
    ]);
    expect(reducer.status).toBe("waiting");

    const rest = numberEvents(
      [
        { type: "approval.resolved", data: { approvalId: "ap", action: "approve", by: "ada" } },
        { type: "run.queued", data: { workflowId: null, attempt: 2, reason: "answered" } },
        { type: "run.resumed", data: { attempt: 2, engine: "t", native: true } },
        { type: "task.reused", taskKey: "research", data: { raw: "Right", jsonOutput: null } },
      ],
      6,
    );
    for (const event of rest) reducer.apply(event);
    expect(outline(reducer).slice(0, 2)).toEqual(["research ok", "  Approved by ada ok"]);
  });

  it("ends all open spans when the run is stopped", () => {
    const context = { taskKey: "research", agent: "researcher" };
    const receipt = { llmCallsAfterStop: 0 };
    const reducer = reduce(RUN_STARTED, [
      { type: "task.started", ...context, data: { description: "" } },
      ...llmCall("c1", context).slice(0, 1),
      { type: "run.stopping", data: { mode: "now", by: "ada" } },
    ]);
    expect(reducer).toMatchObject({ status: "stopping", stopMode: "now" });

    for (const event of numberEvents(
      [{ type: "run.stopped", data: { receipt, usage: usageOf(1) } }],
      6,
    )) {
      reducer.apply(event);
    }
    expect(outline(reducer)).toEqual(["research stopped", "  small stopped", "draft skipped"]);
    expect(reducer).toMatchObject({ status: "stopped", stopMode: null, receipt });
    expect(reducer.builder.tasks.get("research")?.state).toBe("skipped");
  });

  it("appends streamed chunks and replaces them by the final text", () => {
    const reducer = new RunReducer(PLAN);
    const frames = toFrames(RUN_STARTED, [
      { type: "task.started", taskKey: "research", data: { description: "" } },
      ...llmCall("c1", { taskKey: "research" }, { chunks: ["Bees ", "hum"], text: "Bees hum." }),
    ]);
    for (const frame of frames.slice(0, -1)) reducer.apply(frame);
    expect(reducer.builder.tree.get("llm:c1")?.output).toBe("Bees hum");

    for (const frame of frames.slice(-1)) reducer.apply(frame);
    expect(reducer.builder.tree.get("llm:c1")?.output).toBe("Bees hum.");
    expect(reducer.apply(frames.at(-2) ?? snapshot(1))).toBe(false);
  });

  it("marks text that was streamed before the connection as missing", () => {
    const reducer = new RunReducer(PLAN);
    reducer.apply(snapshot(4));
    const context = { taskKey: "research" };
    const frames = toFrames(RUN_STARTED, [
      { type: "task.started", ...context, data: { description: "" } },
      ...llmCall("c1", context, { chunks: ["late"] }),
    ]);
    for (const frame of frames.slice(0, -1)) reducer.apply(frame);
    expect(reducer.builder.tree.get("llm:c1")).toMatchObject({ hasGap: true, output: "late" });

    reducer.apply(snapshot(4));
    expect(reducer.builder.tree.get("llm:c1")?.output).toBe("late […] ");
    for (const frame of frames.slice(-1)) reducer.apply(frame);
    expect(reducer.builder.tree.get("llm:c1")).toMatchObject({ hasGap: false, output: "late" });
  });

  it("uses the status and usage of the snapshot until the events have caught up", () => {
    const reducer = new RunReducer(PLAN);
    reducer.apply(snapshot(3));
    expect(reducer.usage.promptTokens).toBe(999);

    for (const event of numberEvents([...RUN_STARTED, runCompleted(usageOf(4))]))
      reducer.apply(event);
    expect(reducer.usage.promptTokens).toBe(4);
  });

  it("truncates very long output", () => {
    const text = "x".repeat(MAX_TEXT_LENGTH + 1);
    const reducer = reduce(
      RUN_STARTED,
      taskEvents("research", "r", (context) => llmCall("c1", context, { text })),
    );

    const span = reducer.builder.tree.get("llm:c1");
    expect(span).toMatchObject({ isTruncated: true });
    expect(span?.output).toHaveLength(MAX_TEXT_LENGTH);
  });

  it("drops the oldest ended spans above the limit and counts them", () => {
    const reducer = new RunReducer(PLAN, "queued", 8);
    const many = Array.from({ length: 10 }, (_, index) => `c${index}`);
    const parts = taskEvents("research", "r", (context) =>
      many.flatMap((id) => llmCall(id, context)),
    );
    for (const frame of toFrames(RUN_STARTED, parts)) reducer.apply(frame);
    reducer.builder.tree.trim();

    expect(reducer.builder.tree.spans.size).toBe(8);
    expect(reducer.builder.tree.droppedSpans).toBe(5);
    expect(reducer.builder.tree.get("llm:c4")).toBeUndefined();
    expect(reducer.builder.tree.get("llm:c5")).toBeDefined();
    expect(reducer.builder.tree.get("task:research")?.usage.llmCalls).toBe(10);
  });

  it("ignores events that were already applied", () => {
    const events = toFrames(
      RUN_STARTED,
      taskEvents("research", "r", (context) => llmCall("c1", context)),
    );
    const reducer = new RunReducer(PLAN);
    for (const event of [...events, ...events]) reducer.apply(event);

    expect(reducer.usage.llmCalls).toBe(1);
  });
});
