import { useVirtualizer } from "@tanstack/react-virtual";
import { useCallback, useEffect, useRef, type KeyboardEvent, type MouseEvent } from "react";

import { useMediaQuery } from "@/hooks/use-media-query";

import type { RunStore } from "../store/run-store";

import { rangeWithActiveRow } from "./range-with-active-row";
import type { TimeAxis } from "./time-axis";
import { rowElementId, TimelineRow } from "./timeline-row";
import type { Row } from "./timeline-rows";
import { treeKeyAction } from "./tree-key-action";

const ROW_PX = 32;
const TOUCH_ROW_PX = 44;

interface Props {
  store: RunStore;
  rows: readonly Row[];
  axis: TimeAxis;
  active: string | null;
  /** The row kept in view while the run is followed. */
  followed: string | null;
  onSelect: (id: string) => void;
  /** Selects a row and shows its details. */
  onOpen: (id: string) => void;
  onToggle: (id: string, open: boolean) => void;
}

/** A virtualised tree following the WAI-ARIA tree pattern. */
export function TimelineTree(props: Props) {
  const { store, rows, axis, active, followed, onSelect, onOpen, onToggle } = props;
  const scroller = useRef<HTMLDivElement>(null);
  const isTouch = useMediaQuery("(pointer: coarse), (width < 40rem)");
  const height = isTouch ? TOUCH_ROW_PX : ROW_PX;
  const activeIndex = rows.findIndex((row) => row.id === active);

  // oxlint-disable-next-line react/incompatible-library -- the React compiler is not used
  const virtualizer = useVirtualizer({
    count: rows.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => height,
    getItemKey: (index) => rows[index]?.id ?? index,
    overscan: 8,
    // `aria-activedescendant` must refer to an element in the document.
    rangeExtractor: (range) => rangeWithActiveRow(range, activeIndex),
    useFlushSync: false,
  });

  useEffect(() => virtualizer.measure(), [virtualizer, height]);
  const scrollTo = useCallback(
    (id: string | null) => {
      const index = rows.findIndex((row) => row.id === id);
      if (index >= 0) virtualizer.scrollToIndex(index, { align: "auto" });
    },
    [rows, virtualizer],
  );
  // Scrolls to a newly selected row once.
  const scrolledTo = useRef<string | null>(null);
  useEffect(() => {
    if (active === scrolledTo.current || !rows.some((row) => row.id === active)) return;
    scrolledTo.current = active;
    scrollTo(active);
  }, [active, rows, scrollTo]);
  useEffect(() => scrollTo(followed), [followed, scrollTo]);

  const onKeyDown = (event: KeyboardEvent) => {
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    const page = Math.max(1, Math.floor((scroller.current?.clientHeight ?? 0) / height) - 1);
    const action = treeKeyAction(event.key, rows, activeIndex, page);
    if (!action) return;
    event.preventDefault();
    if (action.kind === "open") onOpen(action.id);
    else if (action.kind === "select") onSelect(action.id);
    else onToggle(action.id, action.open);
  };

  const onClick = (event: MouseEvent) => {
    const element = event.target as Element;
    const toggledId = element.closest<HTMLElement>("[data-toggle]")?.dataset.toggle;
    if (toggledId) {
      const row = rows.find((candidate) => candidate.id === toggledId);
      return onToggle(toggledId, !row?.expanded);
    }
    const clickedId = element.closest<HTMLElement>("[data-row]")?.dataset.row;
    if (clickedId) onOpen(clickedId);
  };

  return (
    <div
      ref={scroller}
      role="tree"
      aria-label="Run steps"
      tabIndex={0}
      aria-activedescendant={activeIndex >= 0 && active ? rowElementId(active) : undefined}
      onKeyDown={onKeyDown}
      onClick={onClick}
      className="min-h-0 flex-1 overflow-x-hidden overflow-y-auto focus-visible:-outline-offset-2"
    >
      <div role="none" className="relative" style={{ height: virtualizer.getTotalSize() }}>
        {virtualizer.getVirtualItems().map((item) => {
          const row = rows[item.index];
          return (
            row && (
              <TimelineRow
                key={row.id}
                store={store}
                row={row}
                axis={axis}
                active={row.id === active}
                start={item.start}
                height={height}
              />
            )
          );
        })}
      </div>
    </div>
  );
}
