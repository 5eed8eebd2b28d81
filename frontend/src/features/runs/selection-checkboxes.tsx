import type { RunTableRow } from "./run-table-row";

/** Selects one run; Shift selects all runs up to the previous selection. */
export function SelectRunCheckbox({ row }: { row: RunTableRow }) {
  const { workflowName, id } = row.original;
  return (
    // The label enlarges the click target to 24 px, above the link that covers the row.
    <label className="relative z-10 -m-2 grid size-9 place-items-center">
      <span className="sr-only">
        Select {workflowName} {id}
      </span>
      <input
        type="checkbox"
        className="size-4 accent-(--accent) max-sm:size-5"
        checked={row.getIsSelected()}
        onChange={row.getToggleSelectedHandler()}
      />
    </label>
  );
}

/** Selects all loaded runs, or none. */
export function SelectAllCheckbox({
  all,
  some,
  onToggle,
}: {
  all: boolean;
  some: boolean;
  onToggle: (on: boolean) => void;
}) {
  return (
    <label className="-m-2 grid size-9 place-items-center">
      <span className="sr-only">Select all runs shown</span>
      <input
        type="checkbox"
        className="size-4 accent-(--accent)"
        checked={all}
        ref={(box) => {
          if (box) box.indeterminate = some && !all;
        }}
        onChange={(event) => onToggle(event.target.checked)}
      />
    </label>
  );
}
