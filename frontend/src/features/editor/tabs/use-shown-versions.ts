import { useNavigate, useSearch } from "@tanstack/react-router";

import type { Workflow } from "@/lib/api/types";

export type VersionView = "changes" | "document";

export interface ShownVersions {
  /** The version that is looked at. */
  to: number;
  /** The one it is compared with; null for the first. */
  from: number | null;
  view: VersionView;
  show: (next: { to?: number; from?: number; view?: VersionView }) => void;
}

/** What the versions tab shows, kept in the URL; at first the newest against the one before. */
export function useShownVersions({ id, version }: Workflow): ShownVersions {
  const search = useSearch({ strict: false });
  const navigate = useNavigate();
  const to = within(search.to, version) ?? version;
  const from = within(search.from, version) ?? (to > 1 ? to - 1 : null);
  const view: VersionView = search.view === "yaml" || from === null ? "document" : "changes";

  const show: ShownVersions["show"] = (next) => {
    const wanted = next.view ?? (search.view === "yaml" ? "document" : "changes");
    void navigate({
      to: "/workflows/$workflowId",
      params: { workflowId: id },
      search: {
        tab: "versions",
        to: next.to ?? to,
        // Another version is compared with the one before it, until one is chosen.
        ...(next.from
          ? { from: next.from }
          : next.to || !search.from
            ? {}
            : { from: Number(search.from) }),
        ...(wanted === "document" ? { view: "yaml" as const } : {}),
      },
      replace: true,
      resetScroll: false,
    });
  };
  return { to, from, view, show };
}

function within(number: unknown, newest: number): number | null {
  return typeof number === "number" && number >= 1 && number <= newest ? number : null;
}
