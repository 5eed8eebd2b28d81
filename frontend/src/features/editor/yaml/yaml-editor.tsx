import { setDiagnostics } from "@codemirror/lint";
import { Annotation, EditorState, Transaction } from "@codemirror/state";
import { EditorView } from "@codemirror/view";
import { useEffect, useImperativeHandle, useRef, type Ref } from "react";

import { findSharedEnds } from "../model/shared-ends";
import type { EditorProblem } from "../model/problems";

import { createEditorExtensions, toDiagnostic, type EditorContext } from "./editor-extensions";

export interface EditorControls {
  /** Moves the cursor, scrolls to it and focuses the editor. */
  goTo: (position: number) => void;
  replace: (from: number, to: number, text: string) => void;
}

interface Props {
  text: string;
  problems: EditorProblem[];
  context: EditorContext;
  isReadOnly: boolean;
  onChange: (text: string) => void;
  /** The user has moved the cursor. */
  onCursor: (position: number) => void;
  controls: Ref<EditorControls>;
}

/** Marks changes from the `text` prop, which are not reported as changes by the user. */
const isExternal = Annotation.define<boolean>();

export function YamlEditor(props: Props) {
  const { text, problems, context, isReadOnly, onChange, onCursor, controls } = props;
  const host = useRef<HTMLDivElement>(null);
  const view = useRef<EditorView>(null);
  const latest = useRef({ text, context, onChange, onCursor });
  useEffect(() => {
    latest.current = { text, context, onChange, onCursor };
  });

  useEffect(() => {
    if (!host.current) return;
    const created = new EditorView({
      parent: host.current,
      state: EditorState.create({
        doc: latest.current.text,
        extensions: [
          EditorState.readOnly.of(isReadOnly),
          createEditorExtensions(() => latest.current.context),
          EditorView.updateListener.of((update) => {
            if (update.transactions.some((one) => one.annotation(isExternal))) return;
            if (update.docChanged) latest.current.onChange(update.state.doc.toString());
            if (update.docChanged || update.selectionSet) {
              latest.current.onCursor(update.state.selection.main.head);
            }
          }),
        ],
      }),
    });
    view.current = created;
    return () => {
      view.current = null;
      created.destroy();
    };
  }, [isReadOnly]);

  useEffect(() => {
    if (view.current) updateText(view.current, text);
  }, [text]);

  useEffect(() => {
    const shown = view.current;
    if (!shown || shown.state.doc.toString() !== text) return;
    const diagnostics = problems.map((problem) => toDiagnostic(problem, shown.state.doc.length));
    shown.dispatch(setDiagnostics(shown.state, diagnostics));
  }, [problems, text]);

  useImperativeHandle(
    controls,
    () => ({
      goTo: (position) => {
        const shown = view.current;
        if (!shown) return;
        const anchor = Math.min(position, shown.state.doc.length);
        shown.dispatch({
          selection: { anchor },
          effects: EditorView.scrollIntoView(anchor, { y: "center" }),
        });
        shown.focus();
      },
      replace: (from, to, insert) =>
        view.current?.dispatch({ changes: { from, to, insert }, userEvent: "input.fix" }),
    }),
    [],
  );

  return <div ref={host} className="h-full min-h-0 overflow-hidden" />;
}

/** Replaces only the part that differs, so that cursor and folds are kept; it can be undone. */
function updateText(view: EditorView, text: string): void {
  const shown = view.state.doc.toString();
  if (shown === text) return;
  const { prefix, suffix } = findSharedEnds(shown, text);
  view.dispatch({
    changes: {
      from: prefix,
      to: shown.length - suffix,
      insert: text.slice(prefix, text.length - suffix),
    },
    annotations: [isExternal.of(true), Transaction.addToHistory.of(true)],
  });
}
