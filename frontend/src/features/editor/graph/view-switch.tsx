import { Code, Columns2, List, Network, SquarePen, type LucideIcon } from "lucide-react";

import { SegmentedControl } from "@/components/ui/segmented-control";

export type View = "split" | "yaml" | "graph" | "form";

const WORDS: Record<View, { label: string; icon: LucideIcon }> = {
  split: { label: "Split", icon: Columns2 },
  yaml: { label: "YAML", icon: Code },
  graph: { label: "Graph", icon: Network },
  form: { label: "Form", icon: SquarePen },
};
const ORDER: View[] = ["split", "yaml", "graph", "form"];

interface Props {
  view: View;
  /** A phone has no room for two panes: the outline takes the place of the split. */
  narrow: boolean;
  onChange: (view: View) => void;
}

export function ViewSwitch({ view, narrow, onChange }: Props) {
  const options = ORDER.map((value) => {
    const first = narrow && value === "split";
    const { label, icon: Icon } = first ? { label: "Outline", icon: List } : WORDS[value];
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
