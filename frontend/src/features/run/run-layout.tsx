import { useNavigate } from "@tanstack/react-router";
import { lazy, Suspense, useEffect, type ReactNode } from "react";

import { PanelBoundary } from "@/components/panel-boundary";
import { runStateWord } from "@/components/run-status";
import { SkeletonRows } from "@/components/ui/skeleton";
import { TabPanel, Tabs } from "@/components/ui/tabs";
import { useRunFavicon } from "@/hooks/use-run-favicon";
import { useMediaQuery } from "@/hooks/use-media-query";
import { usePageTitle } from "@/hooks/use-page-title";
import { useShortcut } from "@/hooks/use-shortcut";
import type { Run } from "@/lib/api/types";
import { hasEnded } from "@/lib/run-state";

import { Announcer } from "./header/run-announcer";
import { BannerRoom } from "./banners/banner-placeholder";
import { RunHeader } from "./header/run-header";
import { useNeighbours } from "./header/use-adjacent-runs";
import { useRunStore } from "./store/use-span";
import type { RunStore } from "./store/run-store";
import { useLiveRun } from "./store/use-live-run-store";
import { useRunView } from "./store/use-run-search";
import { Workbench } from "./timeline/timeline-tab";

const CODE = {
  banner: () => import("./banners/attention-banner"),
  graph: () => import("./graph/graph-tab"),
  output: () => import("./output/output-tab"),
  chat: () => import("./chat/chat-tab"),
  input: () => import("./config/config-tab"),
};
const AttentionBanner = lazy(async () => ({ default: (await CODE.banner()).AttentionBanner }));
const GraphTab = lazy(async () => ({ default: (await CODE.graph()).GraphTab }));
const OutputTab = lazy(async () => ({ default: (await CODE.output()).OutputTab }));
const ChatTab = lazy(async () => ({ default: (await CODE.chat()).ChatTab }));
const InputTab = lazy(async () => ({ default: (await CODE.input()).InputTab }));

const WIDE = [
  { value: "timeline", label: "Timeline" },
  { value: "graph", label: "Graph" },
  { value: "output", label: "Output" },
  { value: "chat", label: "Chat" },
  { value: "input", label: "Inputs & config" },
] as const;
const NARROW = [
  { value: "timeline", label: "Timeline" },
  { value: "details", label: "Details" },
  { value: "output", label: "Output" },
  { value: "chat", label: "Chat" },
  { value: "graph", label: "Graph" },
  { value: "input", label: "Inputs & config" },
] as const;
type View = (typeof NARROW)[number]["value"];
const NEEDS_A_PERSON: ReadonlySet<string> = new Set(["waiting", "failed", "crashed"]);

/** Has the code of the open tab come while the run itself is still asked for. */
export function useEarlyTab(): void {
  const view = useRunView().search.view ?? "timeline";
  useEffect(() => {
    const wanted = ["banner", view].filter((name) => name in CODE) as (keyof typeof CODE)[];
    // What cannot be had now is asked for again when it is drawn.
    for (const name of wanted) CODE[name]().catch(() => {});
  }, [view]);
}

/** The run page around its tabs. */
export function RunFrame({ run }: { run: Run }) {
  const store = useLiveRun(run);
  const view = useRunView();
  const wide = useMediaQuery("(width >= 64rem)");
  useTitle(run, store);
  useRunKeys(run);

  const asked: View = view.search.view ?? "timeline";
  // Beside the timeline there is room for the details; an address from a phone still works.
  const shown: View = wide && asked === "details" ? "timeline" : asked;
  return (
    <div className="flex h-full min-h-0 flex-col">
      <RunHeader run={run} store={store} />
      <Announcer store={store} />
      <PanelBoundary>
        <Suspense
          fallback={NEEDS_A_PERSON.has(run.status) && <BannerRoom detailed={!!run.error?.hint} />}
        >
          <AttentionBanner run={run} store={store} />
        </Suspense>
      </PanelBoundary>
      <Tabs
        label="Views of the run"
        tabs={wide ? [...WIDE] : [...NARROW]}
        value={shown}
        onChange={(next: View) => view.show({ view: next === "timeline" ? undefined : next })}
        className="flex-1 bg-surface"
      >
        <Panel value={shown}>
          {(shown === "timeline" || shown === "details") && (
            <Workbench
              run={run}
              store={store}
              view={view}
              wide={wide}
              details={shown === "details"}
            />
          )}
          {shown === "graph" && <GraphTab run={run} store={store} />}
          {shown === "output" && <OutputTab run={run} store={store} />}
          {shown === "chat" && <ChatTab run={run} store={store} />}
          {shown === "input" && <InputTab run={run} store={store} />}
        </Panel>
      </Tabs>
    </div>
  );
}

/** The open tab; what breaks in it leaves the rest of the page alone. */
function Panel({ value, children }: { value: View; children: ReactNode }) {
  return (
    <TabPanel key={value} value={value} className="flex flex-col overflow-y-auto">
      <PanelBoundary>
        <Suspense fallback={<SkeletonRows />}>{children}</Suspense>
      </PanelBoundary>
    </TabPanel>
  );
}

/** `● Market research – running`, and the same in the icon. */
function useTitle(run: Run, store: RunStore): void {
  const told = useRunStore(store, (now) => now.status);
  const connection = useRunStore(store, (now) => now.connection);
  // Without a stream the API's last answer is the newer word.
  const status = connection === "idle" || connection === "loading" ? run.status : told;
  const mark = hasEnded(status) ? "" : "● ";
  usePageTitle(`${mark}${run.workflowName} – ${runStateWord(status).toLowerCase()}`);
  useRunFavicon(status);
}

function useRunKeys(run: Run): void {
  const navigate = useNavigate();
  const { older, newer } = useNeighbours(run);
  const go = (runId: string | null) => {
    if (runId) void navigate({ to: "/runs/$runId", params: { runId } });
  };
  useShortcut("[", () => go(older), { description: "Previous run", group: "Run" });
  useShortcut("]", () => go(newer), { description: "Next run", group: "Run" });
}
