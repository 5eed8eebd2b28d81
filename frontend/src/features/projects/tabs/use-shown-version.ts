import { getRouteApi } from "@tanstack/react-router";

import type { Project } from "@/lib/api/types";

const route = getRouteApi("/shell/projects/$projectId");

/** The version that a tab shows: the one in the URL, else the newest. */
export function useShownVersion(project: Project): [number, (version: number) => void] {
  const version = route.useSearch({ select: (search) => search.version });
  const navigate = route.useNavigate();
  const show = (next: number) =>
    void navigate({
      search: ({ tab }) => ({
        tab,
        version: next === project.newestVersion ? undefined : next,
      }),
      resetScroll: false,
    });
  return [Math.min(version ?? project.newestVersion, project.newestVersion), show];
}
