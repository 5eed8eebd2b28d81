import { useState, type ReactNode } from "react";

import { CopyButton } from "@/components/ui/copy-button";
import { TabPanel, Tabs } from "@/components/ui/tabs";
import type { Run } from "@/lib/api/types";
import { cn } from "@/lib/cn";
import { formatCost, formatCount, formatDuration } from "@/lib/format";

import type { RunStore } from "../store/run-store";
import type { Span } from "../store/span";
import { useServerTime } from "../store/use-server-time";
import {
  SpanKindIcon,
  spanKindLabel,
  spanStateColour,
  SpanStateIcon,
  spanStateLabel,
} from "../timeline/span-styles";
import { spanDuration } from "../timeline/time-axis";

import { RawEvents } from "./raw-events";
import { SpanInput } from "./span-input";
import { SpanLinks } from "./span-links";
import { SpanOutput } from "./span-output";
import { SpanTools } from "./span-tools";

type DetailTab = "output" | "input" | "tools" | "raw";

interface Props {
  run: Run;
  store: RunStore;
  span: Span;
  close: ReactNode;
}

/** The details of one span: status, cost, output, input, tool calls and raw events. */
export function SpanDetail({ run, store, span, close }: Props) {
  const [tab, setTab] = useState<DetailTab>("output");
  const tabs = [
    { value: "output" as const, label: "Output" },
    { value: "input" as const, label: "Input" },
    { value: "tools" as const, label: toolsLabel(span), disabled: !hasTools(span) },
    { value: "raw" as const, label: "Raw" },
  ];
  return (
    <>
      <SpanHeader run={run} store={store} span={span} close={close} />
      <Tabs label="Step details" tabs={tabs} value={tab} onChange={setTab} className="flex-1">
        <TabPanel value="output" className="overflow-y-auto p-3">
          <SpanOutput run={run} store={store} span={span} />
        </TabPanel>
        <TabPanel value="input" className="overflow-y-auto p-3">
          <SpanInput span={span} />
        </TabPanel>
        <TabPanel value="tools" className="overflow-y-auto p-3">
          <SpanTools span={span} store={store} />
        </TabPanel>
        <TabPanel value="raw" className="overflow-y-auto p-3">
          <RawEvents runId={run.id} span={span} />
        </TabPanel>
      </Tabs>
      <SpanLinks run={run} span={span} />
    </>
  );
}

function hasTools(span: Span): boolean {
  return span.toolCalls.length > 0 || span.kind === "tool";
}

function toolsLabel(span: Span): string {
  if (span.kind === "agent") return "Tools";
  return span.toolCalls.length > 0 ? `Tool calls (${span.toolCalls.length})` : "Tool calls";
}

function SpanHeader({ store, span, close }: Props) {
  const now = useServerTime(store);
  return (
    <header className="shrink-0 px-3 pt-2.5 pb-1">
      <div className="flex items-center gap-2">
        <SpanKindIcon kind={span.kind} />
        <h2 className="flex min-w-0 flex-1 items-baseline gap-2 font-semibold">
          <span className="shrink-0 text-ink-soft">{spanKindLabel(span.kind)}</span>
          <span className="truncate">{span.name}</span>
        </h2>
        <CopyButton text={() => location.href} label="Copy link to this step" />
        {close}
      </div>
      <dl className="mt-1.5 flex flex-wrap gap-x-5 gap-y-1">
        <Figure name="Status">
          <span className={cn("inline-flex items-center gap-1", spanStateColour(span.state))}>
            <SpanStateIcon state={span.state} />
            {spanStateLabel(span.state)}
          </span>
        </Figure>
        <Figure name="Duration">{formatDuration(spanDuration(span, now))}</Figure>
        {span.usage.llmCalls > 0 && (
          <>
            <Figure name="Tokens">
              {formatCount(span.usage.promptTokens)} in · {formatCount(span.usage.completionTokens)}{" "}
              out
            </Figure>
            <Figure name="Cost">{formatCost(span.usage.cost)}</Figure>
          </>
        )}
        {span.agent && span.kind !== "agent" && <Figure name="Agent">{span.agent}</Figure>}
        {span.note && <Figure name="Note">{span.note}</Figure>}
      </dl>
    </header>
  );
}

function Figure({ name, children }: { name: string; children: ReactNode }) {
  return (
    <div className="min-w-0">
      <dt className="text-xs text-ink-faint">{name}</dt>
      <dd className="truncate">{children}</dd>
    </div>
  );
}
