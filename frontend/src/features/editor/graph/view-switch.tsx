import { Code, Columns2, List, Network, SquarePen, type LucideIcon } from "lucide-react";

import { SegmentedControl } from "@/components/ui/segmented-control";

export type View = "split" | "yaml" | "graph" | "form";

const VIEWS: Record<View, { label: string; icon: LucideIcon }> = {
  split: { label: "Split", icon: Columns2 },
  yaml: { label: "YAML", icon: Code },
  graph: { label: "Graph", icon: Network },
  form: { label: "Form", icon: SquarePen },
};
const ORDER: View[] = ["split", "yaml", "graph", "form"];

interface Props {
  view: View;
  /** On a narrow screen the outline replaces the split view. */
  isNarrow: boolean;
  /** Whether the form, which is for changes only, is offered. */
  canEdit: boolean;
  onChange: (view: View) => void;
}

export function ViewSwitch({ view, isNarrow, canEdit, onChange }: Props) {
  const offered = canEdit ? ORDER : ORDER.filter((value) => value !== "form");
  const options = offered.map((value) => {
    const isOutline = isNarrow && value === "split";
    const { label, icon: Icon } = isOutline ? { label: "Outline", icon: List } : VIEWS[value];
    return {
      value,
      label: (
        <>
          <Icon aria-hidden className="max-sm:hidden" />
          {label}
        </>
      ),
    };
  });
  return <SegmentedControl label="View" options={options} value={view} onChange={onChange} />;
}
