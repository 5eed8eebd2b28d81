import {
  autocompletion,
  closeBrackets,
  closeBracketsKeymap,
  completionKeymap,
  startCompletion,
  type CompletionContext,
  type CompletionResult,
} from "@codemirror/autocomplete";
import { defaultKeymap, history, historyKeymap, indentWithTab } from "@codemirror/commands";
import { bracketMatching, foldGutter, foldKeymap, indentUnit } from "@codemirror/language";
import { lintGutter, lintKeymap, type Diagnostic } from "@codemirror/lint";
import { highlightSelectionMatches, searchKeymap } from "@codemirror/search";
import { EditorState, type Extension } from "@codemirror/state";
import {
  drawSelection,
  EditorView,
  highlightActiveLine,
  highlightActiveLineGutter,
  hoverTooltip,
  keymap,
  lineNumbers,
} from "@codemirror/view";

import { complete, type CompletionItem, type RegisteredNames } from "../completion/complete";
import { describeKeyAt, type KeyDescription } from "../completion/key-description";
import type { SchemaNode } from "../completion/workflow-schema";
import type { EditorProblem } from "../model/problems";

import { yamlTheme } from "./yaml-theme";

/** What completion and hover tooltips use besides the text; it is read at each request. */
export interface EditorContext {
  /** Undefined until it has been fetched. */
  schema: SchemaNode | undefined;
  registered: RegisteredNames;
}

const EDITOR_NAME = "Workflow YAML. Press Escape then Tab to leave the editor.";

/** The CodeMirror extensions of the workflow editor. */
export function createEditorExtensions(getContext: () => EditorContext): Extension {
  return [
    lineNumbers(),
    highlightActiveLineGutter(),
    lintGutter(),
    foldGutter(),
    history(),
    drawSelection(),
    EditorState.allowMultipleSelections.of(true),
    EditorState.tabSize.of(2),
    indentUnit.of("  "),
    bracketMatching(),
    closeBrackets(),
    highlightActiveLine(),
    highlightSelectionMatches(),
    autocompletion({
      override: [(context) => completeAt(context, getContext())],
      icons: false,
      activateOnTyping: true,
    }),
    hoverTooltip((view, position) => createHoverTooltip(view, position, getContext())),
    keymap.of([
      ...closeBracketsKeymap,
      ...completionKeymap,
      ...searchKeymap,
      ...historyKeymap,
      ...foldKeymap,
      ...lintKeymap,
      ...defaultKeymap,
      indentWithTab,
    ]),
    EditorView.lineWrapping,
    EditorView.contentAttributes.of({
      tabindex: "0",
      "aria-label": EDITOR_NAME,
      spellcheck: "false",
    }),
    yamlTheme,
  ];
}

function completeAt(
  context: CompletionContext,
  { schema, registered }: EditorContext,
): CompletionResult | null {
  if (!schema) return null;
  const before = context.matchBefore(/[\w$-]*$/);
  const isAfterColon = /[:[,-] $/.test(
    context.state.sliceDoc(Math.max(0, context.pos - 2), context.pos),
  );
  if (!context.explicit && !before?.text && !isAfterColon) return null;
  const completion = complete(context.state.doc.toString(), context.pos, schema, registered);
  if (!completion) return null;
  return {
    from: completion.from,
    options: completion.items.map(toOption),
    validFor: /^[\w$-]*$/,
  };
}

function toOption({ label, apply, detail, info, kind, boost }: CompletionItem) {
  const type = kind === "property" ? "property" : kind === "value" ? "enum" : "variable";
  return {
    label,
    apply: apply === undefined ? undefined : insertCompletion(apply),
    detail,
    info,
    type,
    boost,
  };
}

/** Inserts a completion; after a key its values are offered. */
function insertCompletion(text: string) {
  return (view: EditorView, _: unknown, from: number, to: number) => {
    view.dispatch({
      changes: { from, to, insert: text },
      selection: { anchor: from + text.length },
      userEvent: "input.complete",
    });
    if (text.endsWith(" ")) startCompletion(view);
  };
}

function createHoverTooltip(view: EditorView, position: number, { schema }: EditorContext) {
  const found = schema ? describeKeyAt(view.state.doc.toString(), position, schema) : null;
  if (!found) return null;
  const create = () => ({ dom: renderKeyDescription(found) });
  return { pos: found.from, end: found.to, above: true, create };
}

function renderKeyDescription({ key, description }: KeyDescription): HTMLElement {
  const box = document.createElement("div");
  box.className = "px-2.5 py-1.5 text-xs";
  const name = document.createElement("strong");
  name.textContent = key;
  box.append(name, ` – ${description}`);
  return box;
}

/** A problem as CodeMirror shows it; its suggestion becomes an action. */
export function toDiagnostic(problem: EditorProblem, textLength: number): Diagnostic {
  const { suggestion, severity, message } = problem;
  const from = Math.min(problem.from, textLength);
  const to = Math.min(Math.max(problem.to, from), textLength);
  const actions = suggestion === undefined ? [] : [createFix(suggestion)];
  return { from, to, severity, message, actions };
}

function createFix(suggestion: string) {
  return {
    name: `Change to ${suggestion}`,
    apply: (view: EditorView, from: number, to: number) =>
      view.dispatch({ changes: { from, to, insert: suggestion }, userEvent: "input.fix" }),
  };
}
