/** Our own setup of CodeMirror for workflow documents. */
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

import { complete, type Choice, type Known } from "../completion/complete";
import { wordsAt } from "../completion/hover";
import type { SchemaNode } from "../completion/schema-walk";
import type { EditorProblem } from "../model/problems";

import { yamlLooks } from "./theme";

/** What completion and hovering know at the moment they are asked. */
export interface Learned {
  schema: SchemaNode | undefined;
  known: Known;
}

const EDITOR_NAME = "Workflow YAML. Press Escape then Tab to leave the editor.";

export function editorExtensions(learned: () => Learned): Extension {
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
      override: [(context) => completionAt(context, learned())],
      icons: false,
      activateOnTyping: true,
    }),
    hoverTooltip((view, position) => hoverAt(view, position, learned())),
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
    yamlLooks,
  ];
}

function completionAt(
  context: CompletionContext,
  { schema, known }: Learned,
): CompletionResult | null {
  if (!schema) return null;
  const before = context.matchBefore(/[\w$-]*$/);
  const behindColon = /[:[,-] $/.test(
    context.state.sliceDoc(Math.max(0, context.pos - 2), context.pos),
  );
  if (!context.explicit && !before?.text && !behindColon) return null;
  const found = complete(context.state.doc.toString(), context.pos, schema, known);
  if (!found) return null;
  return { from: found.from, options: found.choices.map(option), validFor: /^[\w$-]*$/ };
}

function option({ label, apply, detail, info, kind, boost }: Choice) {
  const type = kind === "property" ? "property" : kind === "enum" ? "enum" : "variable";
  return {
    label,
    apply: apply === undefined ? undefined : applied(apply),
    detail,
    info,
    type,
    boost,
  };
}

/** Behind a key its values are offered at once. */
function applied(text: string) {
  return (view: EditorView, _: unknown, from: number, to: number) => {
    view.dispatch({
      changes: { from, to, insert: text },
      selection: { anchor: from + text.length },
      userEvent: "input.complete",
    });
    if (text.endsWith(" ")) startCompletion(view);
  };
}

function hoverAt(view: EditorView, position: number, { schema }: Learned) {
  const words = schema ? wordsAt(view.state.doc.toString(), position, schema) : null;
  if (!words) return null;
  return { pos: words.from, end: words.to, above: true, create: () => ({ dom: hoverBox(words) }) };
}

function hoverBox({ key, description }: { key: string; description: string }): HTMLElement {
  const box = document.createElement("div");
  box.className = "px-2.5 py-1.5 text-xs";
  const name = document.createElement("strong");
  name.textContent = key;
  box.append(name, ` – ${description}`);
  return box;
}

/** What the gutter and the underlines show; a suggestion can be taken with one click. */
export function diagnosticOf(problem: EditorProblem, length: number): Diagnostic {
  const { suggestion } = problem;
  const from = Math.min(problem.from, length);
  const to = Math.min(Math.max(problem.to, from), length);
  const fix = suggestion === undefined ? [] : [fixFor(suggestion)];
  return { from, to, severity: problem.severity, message: problem.message, actions: fix };
}

function fixFor(suggestion: string) {
  return {
    name: `Change to ${suggestion}`,
    apply: (view: EditorView, from: number, to: number) =>
      view.dispatch({ changes: { from, to, insert: suggestion }, userEvent: "input.fix" }),
  };
}
