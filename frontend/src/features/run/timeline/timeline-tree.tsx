import { useVirtualizer } from "@tanstack/react-virtual";
import { useCallback, useEffect, useRef, type KeyboardEvent, type MouseEvent } from "react";

import { useMediaQuery } from "@/hooks/use-media-query";

import type { RunStore } from "../store/run-store";

import type { Row } from "./timeline-rows";
import type { Axis } from "./time-axis";
import { rowElementId, TimelineRow } from "./timeline-row";
import { targetOf } from "./tree-key-action";
import { withActive } from "./range-with-active-row";

const ROW = 32;
const ROW_TOUCH = 44;

interface Props {
  store: RunStore;
  rows: readonly Row[];
  axis: Axis;
  active: string | null;
  /** The row that stays in sight while the run is followed. */
  followed: string | null;
  onPick: (id: string) => void;
  /** Asks for the details of a row, not only for it to be picked. */
  onOpen: (id: string) => void;
  onToggle: (id: string, open: boolean) => void;
}

/** The rows as a tree of WAI-ARIA's pattern; only those in sight are in the document. */
export function TimelineTree(props: Props) {
  const { store, rows, axis, active, followed, onPick, onOpen, onToggle } = props;
  const scroller = useRef<HTMLDivElement>(null);
  const touch = useMediaQuery("(pointer: coarse), (width < 40rem)");
  const height = touch ? ROW_TOUCH : ROW;
  const activeIndex = rows.findIndex((row) => row.id === active);

  // oxlint-disable-next-line react/incompatible-library -- nothing here is memoised by a compiler
  const virtual = useVirtualizer({
    count: rows.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => height,
    getItemKey: (index) => rows[index]?.id ?? index,
    overscan: 8,
    // The browser needs the active row in the document to tell of it.
    rangeExtractor: (range) => withActive(range, activeIndex),
    useFlushSync: false,
  });

  useEffect(() => virtual.measure(), [virtual, height]);
  const reveal = useCallback(
    (id: string | null) => {
      const index = rows.findIndex((row) => row.id === id);
      if (index >= 0) virtual.scrollToIndex(index, { align: "auto" });
    },
    [rows, virtual],
  );
  // Picked by a link, a key or the failure itself: the row comes into sight once.
  const revealed = useRef<string | null>(null);
  useEffect(() => {
    if (active === revealed.current || !rows.some((row) => row.id === active)) return;
    revealed.current = active;
    reveal(active);
  }, [active, rows, reveal]);
  useEffect(() => reveal(followed), [followed, reveal]);

  const onKeyDown = (event: KeyboardEvent) => {
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    const page = Math.max(1, Math.floor((scroller.current?.clientHeight ?? 0) / height) - 1);
    const target = targetOf(event.key, rows, activeIndex, page);
    if (!target) return;
    event.preventDefault();
    if (target.kind === "open") onOpen(target.id);
    else if (target.kind === "pick") onPick(target.id);
    else onToggle(target.id, target.open);
  };

  const onClick = (event: MouseEvent) => {
    const element = event.target as Element;
    const toggled = element.closest<HTMLElement>("[data-toggle]")?.dataset.toggle;
    if (toggled) {
      const row = rows.find((one) => one.id === toggled);
      return onToggle(toggled, !row?.expanded);
    }
    const picked = element.closest<HTMLElement>("[data-row]")?.dataset.row;
    if (picked) onOpen(picked);
  };

  return (
    <div
      ref={scroller}
      role="tree"
      aria-label="Steps of the run"
      tabIndex={0}
      aria-activedescendant={activeIndex >= 0 && active ? rowElementId(active) : undefined}
      onKeyDown={onKeyDown}
      onClick={onClick}
      className="min-h-0 flex-1 overflow-x-hidden overflow-y-auto focus-visible:-outline-offset-2"
    >
      <div role="none" className="relative" style={{ height: virtual.getTotalSize() }}>
        {virtual.getVirtualItems().map((item) => {
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
