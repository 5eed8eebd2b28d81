import { useNavigate } from "@tanstack/react-router";
import { lazy, Suspense, useEffect, type ReactNode } from "react";
import { useStore } from "zustand";

import { PanelBoundary } from "@/components/panel-boundary";
import { runStateLabel } from "@/components/run-status";
import { SkeletonRows } from "@/components/ui/skeleton";
import { TabPanel, Tabs } from "@/components/ui/tabs";
import { useRunFavicon } from "@/hooks/use-run-favicon";
import { useMediaQuery } from "@/hooks/use-media-query";
import { usePageTitle } from "@/hooks/use-page-title";
import { useShortcut } from "@/hooks/use-shortcut";
import type { Run } from "@/lib/api/types";
import { hasEnded } from "@/lib/run-state";

import { BannerPlaceholder } from "./banners/banner-placeholder";
import { RunAnnouncer } from "./header/run-announcer";
import { RunHeader } from "./header/run-header";
import { useAdjacentRuns } from "./header/use-adjacent-runs";
import type { RunStore } from "./store/run-store";
import { useInvalidateOnEvents } from "./store/use-invalidate-on-events";
import { useLiveRunStore } from "./store/use-live-run-store";
import { useRunSearch } from "./store/use-run-search";
import { TimelineTab } from "./timeline/timeline-tab";

const IMPORTS = {
  banner: () => import("./banners/attention-banner"),
  graph: () => import("./graph/graph-tab"),
  output: () => import("./output/output-tab"),
  chat: () => import("./chat/chat-tab"),
  log: () => import("./log/log-tab"),
  network: () => import("./network/network-tab"),
  input: () => import("./config/config-tab"),
};
const RefusedHostsBanner = lazy(async () => ({
  default: (await import("./banners/refused-hosts-banner")).RefusedHostsBanner,
}));
const AttentionBanner = lazy(async () => ({ default: (await IMPORTS.banner()).AttentionBanner }));
const GraphTab = lazy(async () => ({ default: (await IMPORTS.graph()).GraphTab }));
const OutputTab = lazy(async () => ({ default: (await IMPORTS.output()).OutputTab }));
const ChatTab = lazy(async () => ({ default: (await IMPORTS.chat()).ChatTab }));
const LogTab = lazy(async () => ({ default: (await IMPORTS.log()).LogTab }));
const NetworkTab = lazy(async () => ({ default: (await IMPORTS.network()).NetworkTab }));
const ConfigTab = lazy(async () => ({ default: (await IMPORTS.input()).ConfigTab }));

const WIDE_TABS = [
  { value: "timeline", label: "Timeline" },
  { value: "graph", label: "Graph" },
  { value: "output", label: "Output" },
  { value: "log", label: "Log" },
  { value: "chat", label: "Chat" },
  { value: "network", label: "Network" },
  { value: "input", label: "Inputs & config" },
] as const;
const NARROW_TABS = [
  { value: "timeline", label: "Timeline" },
  { value: "details", label: "Details" },
  { value: "output", label: "Output" },
  { value: "log", label: "Log" },
  { value: "chat", label: "Chat" },
  { value: "graph", label: "Graph" },
  { value: "network", label: "Network" },
  { value: "input", label: "Inputs & config" },
] as const;
type TabName = (typeof NARROW_TABS)[number]["value"];
const STATES_WITH_BANNER: ReadonlySet<string> = new Set(["waiting", "failed", "crashed"]);

/** Loads the code of the selected tab while the run is being fetched. */
export function usePreloadTab(): void {
  const tab = useRunSearch().params.view ?? "timeline";
  useEffect(() => {
    const names = ["banner", tab].filter((name) => name in IMPORTS) as (keyof typeof IMPORTS)[];
    // A failed import is tried again when the component renders.
    for (const name of names) IMPORTS[name]().catch(() => {});
  }, [tab]);
}

/** The header, the banner and the tabs of a run. */
export function RunLayout({ run }: { run: Run }) {
  const store = useLiveRunStore(run);
  // Not in a lazily loaded component: events that arrive before it is loaded would be missed.
  useInvalidateOnEvents(store);
  const search = useRunSearch();
  const isWide = useMediaQuery("(width >= 64rem)");
  useRunTitle(run, store);
  useRunShortcuts(run);

  const requested: TabName = search.params.view ?? "timeline";
  const tabs = listTabs(run, isWide);
  // Wide pages show the details beside the timeline and have no tab for them.
  const tab: TabName = tabs.some(({ value }) => value === requested) ? requested : "timeline";
  return (
    <div className="flex h-full min-h-0 flex-col">
      <RunHeader run={run} store={store} />
      <RunAnnouncer store={store} />
      <PanelBoundary>
        <Suspense
          fallback={
            STATES_WITH_BANNER.has(run.status) && (
              <BannerPlaceholder hasDetail={!!run.error?.hint} />
            )
          }
        >
          <AttentionBanner run={run} store={store} />
        </Suspense>
        {run.projectId !== null && (
          <Suspense>
            <RefusedHostsBanner projectId={run.projectId} store={store} />
          </Suspense>
        )}
      </PanelBoundary>
      <Tabs
        label="Run views"
        tabs={tabs}
        value={tab}
        onChange={(next: TabName) =>
          search.update({ view: next === "timeline" ? undefined : next })
        }
        className="flex-1 bg-surface"
      >
        <RunTabPanel value={tab}>
          {(tab === "timeline" || tab === "details") && (
            <TimelineTab
              run={run}
              store={store}
              search={search}
              isWide={isWide}
              showDetails={tab === "details"}
            />
          )}
          {tab === "graph" && <GraphTab run={run} store={store} />}
          {tab === "output" && <OutputTab run={run} store={store} />}
          {tab === "log" && <LogTab store={store} />}
          {tab === "chat" && <ChatTab run={run} store={store} />}
          {tab === "network" && <NetworkTab run={run} />}
          {tab === "input" && <ConfigTab run={run} store={store} />}
        </RunTabPanel>
      </Tabs>
    </div>
  );
}

/** The tabs of a run. Of runs elsewhere no messages and connections pass here; only projects print. */
function listTabs(run: Run, isWide: boolean): { value: TabName; label: string }[] {
  const tabs: readonly { value: TabName; label: string }[] = isWide ? WIDE_TABS : NARROW_TABS;
  const hidden = new Set<TabName>();
  if (run.external) hidden.add("chat").add("network");
  if (run.projectId === null) hidden.add("log");
  return tabs.filter(({ value }) => !hidden.has(value));
}

function RunTabPanel({ value, children }: { value: TabName; children: ReactNode }) {
  return (
    <TabPanel key={value} value={value} className="flex flex-col overflow-y-auto">
      <PanelBoundary>
        <Suspense fallback={<SkeletonRows />}>{children}</Suspense>
      </PanelBoundary>
    </TabPanel>
  );
}

/**
 * Shows name and status in the page title, e.g. `● Market research – running`, and in the favicon.
 */
function useRunTitle(run: Run, store: RunStore): void {
  const liveStatus = useStore(store.state, (state) => state.status);
  const connection = useStore(store.state, (state) => state.connection);
  // Without a stream, the last API response is more recent.
  const status = connection === "idle" || connection === "loading" ? run.status : liveStatus;
  const marker = hasEnded(status) ? "" : "● ";
  usePageTitle(`${marker}${run.workflowName} – ${runStateLabel(status).toLowerCase()}`);
  useRunFavicon(status);
}

function useRunShortcuts(run: Run): void {
  const navigate = useNavigate();
  const { older, newer } = useAdjacentRuns(run);
  const openRun = (runId: string | null) => {
    if (runId) void navigate({ to: "/runs/$runId", params: { runId } });
  };
  useShortcut("[", () => openRun(older), { description: "Previous run", group: "Run" });
  useShortcut("]", () => openRun(newer), { description: "Next run", group: "Run" });
}
