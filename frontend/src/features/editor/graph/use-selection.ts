import { getRouteApi } from "@tanstack/react-router";
import { useCallback, type RefObject } from "react";

import { findMemberAt, type MemberRange } from "../model/analyze-document";
import type { EditorControls } from "../yaml/yaml-editor";

const route = getRouteApi("/shell/workflows/$workflowId");

export interface Selection {
  node: string | null;
  /** Selects a node in the graph and moves the cursor to it. */
  select: (node: string | null) => void;
  /** Selects the node at a cursor position. */
  selectAt: (position: number) => void;
}

/** The selected agent or task, shared by graph, text and form; it is kept in the URL. */
export function useSelection(
  members: MemberRange[],
  editor: RefObject<EditorControls | null>,
): Selection {
  const node = route.useSearch({ select: (search) => search.node ?? null });
  const navigate = route.useNavigate();
  const setNode = useCallback(
    (next: string | null) =>
      void navigate({
        search: (search) => ({ ...search, node: next ?? undefined }),
        replace: true,
        resetScroll: false,
      }),
    [navigate],
  );
  const select = useCallback(
    (next: string | null) => {
      setNode(next);
      const member = members.find((one) => one.id === next);
      if (member) editor.current?.goTo(member.name.from);
    },
    [setNode, members, editor],
  );
  const selectAt = useCallback(
    (position: number) => {
      const id = findMemberAt(members, position)?.id ?? null;
      if (id !== node) setNode(id);
    },
    [members, node, setNode],
  );
  return { node, select, selectAt };
}
