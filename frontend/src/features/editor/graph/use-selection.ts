import { getRouteApi } from "@tanstack/react-router";
import { useCallback, type RefObject } from "react";

import { placeAt, type Checked } from "../model/check";
import type { EditorControls } from "../yaml/yaml-editor";

const route = getRouteApi("/shell/workflows/$workflowId");

export interface Selection {
  node: string | null;
  /** From the graph: the cursor goes to where the node is written. */
  pick: (node: string | null) => void;
  /** From the cursor: the node in which it stands is ringed. */
  follow: (position: number) => void;
}

/** The one agent or task that graph, text and form agree on; it stands in the address. */
export function useSelection(
  places: Checked["places"],
  editor: RefObject<EditorControls | null>,
): Selection {
  const node = route.useSearch({ select: (search) => search.node ?? null });
  const navigate = route.useNavigate();
  const show = useCallback(
    (next: string | null) =>
      void navigate({
        search: (search) => ({ ...search, node: next ?? undefined }),
        replace: true,
        resetScroll: false,
      }),
    [navigate],
  );
  const pick = useCallback(
    (next: string | null) => {
      show(next);
      const place = places.find((one) => one.id === next);
      if (place) editor.current?.goTo(place.name.from);
    },
    [show, places, editor],
  );
  const follow = useCallback(
    (position: number) => {
      const here = placeAt(places, position)?.id ?? null;
      if (here !== node) show(here);
    },
    [places, node, show],
  );
  return { node, pick, follow };
}
