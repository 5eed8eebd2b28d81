import { useNavigate, useSearch } from "@tanstack/react-router";

import type { Workflow } from "@/lib/api/types";

export type VersionView = "changes" | "document";

export interface VersionSelection {
  /** The selected version. */
  to: number;
  /** The version to compare with; null for the first version. */
  from: number | null;
  view: VersionView;
  show: (next: { to?: number; from?: number; view?: VersionView }) => void;
}

/** The versions to show, kept in the URL; by default the newest and the one before it. */
export function useVersionSelection({ id, version }: Workflow): VersionSelection {
  const search = useSearch({ strict: false });
  const navigate = useNavigate();
  const to = inRange(search.to, version) ?? version;
  const from = inRange(search.from, version) ?? (to > 1 ? to - 1 : null);
  const view: VersionView = search.view === "yaml" || from === null ? "document" : "changes";

  const show: VersionSelection["show"] = (next) => {
    const nextView = next.view ?? (search.view === "yaml" ? "document" : "changes");
    void navigate({
      to: "/workflows/$workflowId",
      params: { workflowId: id },
      search: {
        tab: "versions",
        to: next.to ?? to,
        // A newly selected version is compared with the one before it.
        ...(next.from
          ? { from: next.from }
          : next.to || !search.from
            ? {}
            : { from: Number(search.from) }),
        ...(nextView === "document" ? { view: "yaml" as const } : {}),
      },
      replace: true,
      resetScroll: false,
    });
  };
  return { to, from, view, show };
}

function inRange(number: unknown, newest: number): number | null {
  return typeof number === "number" && number >= 1 && number <= newest ? number : null;
}
