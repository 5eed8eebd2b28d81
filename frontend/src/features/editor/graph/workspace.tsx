import { lazy, Suspense, useRef, type ReactNode } from "react";

import { PanelBoundary } from "@/components/panel-boundary";
import { SplitPanes } from "@/components/split-panes";
import { SkeletonRows } from "@/components/ui/skeleton";

import type { EditorProblem } from "../model/problems";
import type { Judgement } from "../model/use-checked";
import type { Learned } from "../yaml/extensions";
import { ProblemsPanel } from "../yaml/problems-panel";
import type { EditorControls } from "../yaml/yaml-editor";

import { GraphPane, loadLanes } from "./graph-pane";
import { useSelection } from "./use-selection";
import type { View } from "./view-switch";

const loadEditor = () => import("../yaml/yaml-editor");
const YamlEditor = lazy(async () => ({ default: (await loadEditor()).YamlEditor }));
const FormPane = lazy(async () => ({ default: (await import("../form/form-pane")).FormPane }));

const HINTS: Partial<Record<View, string>> = {
  split: "Pick a node to find it in the YAML.",
  form: "Pick a node to edit it.",
};

interface Props {
  view: View;
  narrow: boolean;
  text: string;
  judgement: Judgement;
  learned: Learned;
  onText: (text: string) => void;
  onView: (view: View) => void;
}

/** Has the code of the view come while the workflow itself is still asked for. */
export function fetchPanes(view: View, narrow: boolean): void {
  // What cannot be had now is asked for again when it is drawn.
  if (view === "yaml" || (view === "split" && !narrow)) loadEditor().catch(() => {});
  if (view !== "yaml" && !narrow) loadLanes().catch(() => {});
}

/** The panes of the editor, as the view has them. */
export function Workspace({ view, narrow, text, judgement, learned, onText, onView }: Props) {
  const editor = useRef<EditorControls>(null);
  const { node, pick, follow } = useSelection(judgement.places, editor);
  const { definition, stale, problems } = judgement;
  const hasEditor = view === "yaml" || (view === "split" && !narrow);

  const goTo = (problem: EditorProblem) => {
    if (hasEditor) editor.current?.goTo(problem.from);
    else onView(narrow ? "yaml" : "split");
  };
  const fix = ({ from, to, suggestion = "" }: EditorProblem) => {
    if (!editor.current) return onText(text.slice(0, from) + suggestion + text.slice(to));
    editor.current.replace(from, to, suggestion);
    editor.current.goTo(from + suggestion.length);
  };

  const graph = (only?: "graph" | "outline") => (
    <GraphPane
      definition={definition}
      stale={stale}
      node={node}
      onNode={pick}
      hint={HINTS[view]}
      only={only}
    />
  );
  const yaml = (
    <PanelBoundary>
      <Suspense fallback={<SkeletonRows />}>
        <YamlEditor
          text={text}
          problems={problems}
          learned={learned}
          onChange={onText}
          onCursor={follow}
          controls={editor}
        />
      </Suspense>
    </PanelBoundary>
  );
  const form = (
    <PanelBoundary>
      <Suspense fallback={<SkeletonRows />}>
        <FormPane text={text} node={node} known={learned.known} onText={onText} onNode={pick} />
      </Suspense>
    </PanelBoundary>
  );
  return (
    <div className="flex min-h-0 flex-1 flex-col overflow-hidden rounded-lg border bg-surface">
      <div className="min-h-0 flex-1">
        {view === "yaml" && yaml}
        {view === "graph" && graph(narrow ? "graph" : undefined)}
        {view === "split" && (narrow ? graph("outline") : <Panes first={yaml} second={graph()} />)}
        {view === "form" &&
          (narrow ? (
            <div className="h-full overflow-y-auto">
              {/* As high as it is, so that the form begins in sight. */}
              <div className="*:h-auto">{graph("outline")}</div>
              <div className="border-t">{form}</div>
            </div>
          ) : (
            <Panes first={graph()} second={<div className="h-full overflow-y-auto">{form}</div>} />
          ))}
      </div>
      <ProblemsPanel problems={problems} onGo={goTo} onFix={fix} />
    </div>
  );
}

function Panes({ first, second }: { first: ReactNode; second: ReactNode }) {
  return (
    <SplitPanes
      first={first}
      second={second}
      remembered="editorPanes"
      widths={[45, 55]}
      smallest={["18rem", "18rem"]}
      label="Width of the panes"
    />
  );
}
