import { lazy, Suspense, useRef, type ReactNode } from "react";

import { ErrorPanel } from "@/components/error-panel";
import { PanelBoundary } from "@/components/panel-boundary";
import { SplitPanes } from "@/components/split-panes";
import { SkeletonRows } from "@/components/ui/skeleton";

import type { EditorProblem } from "../model/problems";
import type { Validation } from "../model/use-validation";
import type { EditorContext } from "../yaml/editor-extensions";
import { ProblemsPanel } from "../yaml/problems-panel";
import type { EditorControls } from "../yaml/yaml-editor";

import { GraphPane, loadLaneGraph } from "./graph-pane";
import { useSelection } from "./use-selection";
import type { View } from "./view-switch";

const loadEditor = () => import("../yaml/yaml-editor");
const YamlEditor = lazy(async () => ({ default: (await loadEditor()).YamlEditor }));
const FormPane = lazy(async () => ({ default: (await import("../form/form-pane")).FormPane }));

const HINTS: Partial<Record<View, string>> = {
  split: "Select a node to find it in the YAML.",
  form: "Select a node to edit it.",
};

interface Props {
  view: View;
  isNarrow: boolean;
  isReadOnly: boolean;
  text: string;
  validation: Validation;
  context: EditorContext;
  /** Why the schema could not be fetched. */
  schemaError: Error | null;
  onSchemaRetry: () => void;
  onText: (text: string) => void;
  onView: (view: View) => void;
}

/** Loads the code of the view's panes in advance. */
export function preloadPanes(view: View, isNarrow: boolean): void {
  // A failed import is repeated when the pane is rendered.
  if (view === "yaml" || (view === "split" && !isNarrow)) loadEditor().catch(() => {});
  if (view !== "yaml" && !isNarrow) loadLaneGraph().catch(() => {});
}

/** The panes of the selected view, and the problems below them. */
export function Workspace(props: Props) {
  const { view, isNarrow, isReadOnly, text, validation, context, onText, onView } = props;
  const editor = useRef<EditorControls>(null);
  const { node, select, selectAt } = useSelection(validation.members, editor);
  const { definition, isDefinitionStale, problems } = validation;
  const hasEditor = view === "yaml" || (view === "split" && !isNarrow);

  const goTo = (problem: EditorProblem) => {
    if (hasEditor) editor.current?.goTo(problem.from);
    else onView(isNarrow ? "yaml" : "split");
  };
  const fix = ({ from, to, suggestion = "" }: EditorProblem) => {
    if (!editor.current) return onText(text.slice(0, from) + suggestion + text.slice(to));
    editor.current.replace(from, to, suggestion);
    editor.current.goTo(from + suggestion.length);
  };

  const graph = (only?: "graph" | "outline") => (
    <GraphPane
      definition={definition}
      isStale={isDefinitionStale}
      node={node}
      onNode={select}
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
          context={context}
          onChange={onText}
          onCursor={selectAt}
          isReadOnly={isReadOnly}
          controls={editor}
        />
      </Suspense>
    </PanelBoundary>
  );
  const form = <FormView {...props} node={node} onNode={select} />;
  return (
    <div className="flex min-h-0 flex-1 flex-col overflow-hidden rounded-lg border bg-surface">
      <div className="min-h-0 flex-1">
        {view === "yaml" && yaml}
        {view === "graph" && graph(isNarrow ? "graph" : undefined)}
        {view === "split" &&
          (isNarrow ? graph("outline") : <Panes first={yaml} second={graph()} />)}
        {view === "form" &&
          (isNarrow ? (
            <div className="h-full overflow-y-auto">
              {/* Not full height, so that the form below is visible. */}
              <div className="*:h-auto">{graph("outline")}</div>
              <div className="border-t">{form}</div>
            </div>
          ) : (
            <Panes first={graph()} second={<div className="h-full overflow-y-auto">{form}</div>} />
          ))}
      </div>
      <ProblemsPanel
        problems={problems}
        isUnavailable={validation.status === "unavailable"}
        onRetry={validation.retry}
        onGo={goTo}
        onFix={isReadOnly ? null : fix}
      />
    </div>
  );
}

interface FormViewProps extends Props {
  node: string | null;
  onNode: (node: string | null) => void;
}

/** The form, once the schema that describes its fields has been fetched. */
function FormView({ context, schemaError, onSchemaRetry, ...props }: FormViewProps) {
  const { schema, registered } = context;
  if (!schema) {
    return schemaError ? (
      <ErrorPanel error={schemaError} onRetry={onSchemaRetry} className="m-4" />
    ) : (
      <SkeletonRows />
    );
  }
  const { text, node, onText, onNode } = props;
  const { problems } = props.validation;
  return (
    <PanelBoundary>
      <Suspense fallback={<SkeletonRows />}>
        <FormPane {...{ text, node, schema, registered, problems, onText, onNode }} />
      </Suspense>
    </PanelBoundary>
  );
}

function Panes({ first, second }: { first: ReactNode; second: ReactNode }) {
  return (
    <SplitPanes
      first={first}
      second={second}
      preference="editorPanes"
      widths={[45, 55]}
      minSizes={["18rem", "18rem"]}
      label="Pane width"
    />
  );
}
