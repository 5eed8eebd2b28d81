import { createColumnHelper, useTable, type RowSelectionState } from "@tanstack/react-table";
import { useRef, type Dispatch, type SetStateAction } from "react";

import { RunStatus } from "@/components/run-status";
import { TimeAgo } from "@/components/time-ago";
import { useIsNarrowScreen } from "@/hooks/use-media-query";
import type { RunSummary } from "@/lib/api/types";
import { cn } from "@/lib/cn";
import { formatCount, formatCost } from "@/lib/format";
import { useIsShared } from "@/lib/rights";

import { RunCard } from "./run-card";
import { RunDuration } from "./run-duration";
import { RunLink } from "./run-link";
import { RunNote } from "./run-note";
import { runTableFeatures } from "./run-table-row";
import { SelectAllCheckbox, SelectRunCheckbox } from "./selection-checkboxes";
import { useRowShortcuts } from "./use-row-shortcuts";

const column = createColumnHelper<typeof runTableFeatures, RunSummary>();
const columns = column.columns([
  column.display({ id: "select", cell: ({ row }) => <SelectRunCheckbox row={row} /> }),
  column.accessor("status", {
    header: "State",
    cell: ({ row }) => (
      <span className="flex">
        <RunStatus state={row.original.status} />
      </span>
    ),
  }),
  column.accessor("workflowName", {
    header: "Workflow",
    cell: ({ row }) => <RunLink run={row.original} />,
  }),
  column.display({
    id: "note",
    header: "Note",
    cell: ({ row }) => <RunNote run={row.original} />,
  }),
  column.accessor("createdAt", {
    header: "Started",
    cell: ({ row }) => <TimeAgo at={row.original.startedAt ?? row.original.createdAt} />,
  }),
  column.display({
    id: "duration",
    header: "Duration",
    cell: ({ row }) => <RunDuration run={row.original} />,
  }),
  column.display({
    id: "tokens",
    header: "Tokens",
    cell: ({ row }) => formatCount(row.original.usage.totalTokens),
  }),
  column.display({
    id: "cost",
    header: "Cost",
    cell: ({ row }) => formatCost(row.original.usage.cost),
  }),
  column.accessor("createdByName", { header: "Started by" }),
]);
const ownColumns = columns.filter(
  (one) => !("accessorKey" in one) || one.accessorKey !== "createdByName",
);

const WIDTHS: Record<string, string> = {
  select: "w-9",
  status: "w-31",
  workflowName: "w-[30%]",
  createdAt: "w-32 truncate",
  duration: "w-22 text-right",
  tokens: "w-20 text-right max-lg:hidden",
  cost: "w-20 text-right max-lg:hidden",
  createdByName: "w-24 truncate max-lg:hidden",
  note: "truncate",
};

interface Props {
  runs: RunSummary[];
  selection: RowSelectionState;
  onSelect: Dispatch<SetStateAction<RowSelectionState>>;
}

/** The runs as a table, or as cards on phones. */
export function RunsTable({ runs, selection, onSelect }: Props) {
  const narrow = useIsNarrowScreen();
  const container = useRef<HTMLDivElement>(null);
  const isShared = useIsShared();
  const table = useTable({
    features: runTableFeatures,
    columns: isShared ? columns : ownColumns,
    data: runs,
    getRowId: (run) => run.id,
    state: { rowSelection: selection },
    onRowSelectionChange: onSelect,
  });
  useRowShortcuts(container, (id) => table.getRow(id).toggleSelected());
  const { rows } = table.getRowModel();

  if (narrow) {
    return (
      <div ref={container}>
        <ul className="grid grid-cols-[minmax(0,1fr)] gap-2">
          {rows.map((row) => (
            <RunCard key={row.id} row={row} />
          ))}
        </ul>
      </div>
    );
  }
  return (
    <div ref={container} className="overflow-hidden rounded-lg border bg-surface">
      <table className="w-full table-fixed">
        <caption className="sr-only">Runs, newest first</caption>
        <thead className="border-b bg-sunken text-xs text-ink-faint">
          <tr>
            {table.getFlatHeaders().map((header) => (
              <th key={header.id} scope="col" className={cellStyles(header.id, "h-9 font-medium")}>
                {header.id === "select" ? (
                  <SelectAllCheckbox
                    all={table.getIsAllRowsSelected()}
                    some={table.getIsSomeRowsSelected()}
                    onToggle={(on) => table.toggleAllRowsSelected(on)}
                  />
                ) : (
                  <table.FlexRender header={header} />
                )}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr
              key={row.id}
              data-run={row.id}
              data-selected={row.getIsSelected() || undefined}
              className="relative border-b last:border-0 hover:bg-hover data-selected:bg-accent-soft"
            >
              {row.getAllCells().map((cell) => (
                // oxlint-disable-next-line jsx-a11y/control-has-associated-label -- the table renders the cell's content
                <td key={cell.id} className={cellStyles(cell.column.id, "h-11")}>
                  <table.FlexRender cell={cell} />
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function cellStyles(id: string, className: string): string {
  return cn("px-2 text-left first:pl-3 last:pr-3", className, WIDTHS[id]);
}
