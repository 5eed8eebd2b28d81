import { setDiagnostics } from "@codemirror/lint";
import { Annotation, EditorState, Transaction } from "@codemirror/state";
import { EditorView } from "@codemirror/view";
import { useEffect, useImperativeHandle, useRef, type Ref } from "react";

import type { EditorProblem } from "../model/problems";

import { diagnosticOf, editorExtensions, type Learned } from "./extensions";

/** What others may ask of the editor. */
export interface EditorControls {
  /** Puts the cursor there, in sight, and gives the editor the focus. */
  goTo: (position: number) => void;
  replace: (from: number, to: number, text: string) => void;
}

interface Props {
  text: string;
  problems: EditorProblem[];
  learned: Learned;
  onChange: (text: string) => void;
  /** The cursor has come to another place by a person's hand. */
  onCursor: (position: number) => void;
  controls: Ref<EditorControls>;
}

/** Marks what this component itself has written, so that it is not told as a person's change. */
const fromOutside = Annotation.define<boolean>();

export function YamlEditor({ text, problems, learned, onChange, onCursor, controls }: Props) {
  const host = useRef<HTMLDivElement>(null);
  const view = useRef<EditorView>(null);
  const latest = useRef({ text, learned, onChange, onCursor });
  useEffect(() => {
    latest.current = { text, learned, onChange, onCursor };
  });

  useEffect(() => {
    if (!host.current) return;
    const made = new EditorView({
      parent: host.current,
      state: EditorState.create({
        doc: latest.current.text,
        extensions: [
          editorExtensions(() => latest.current.learned),
          EditorView.updateListener.of((update) => {
            if (update.transactions.some((one) => one.annotation(fromOutside))) return;
            if (update.docChanged) latest.current.onChange(update.state.doc.toString());
            if (update.docChanged || update.selectionSet) {
              latest.current.onCursor(update.state.selection.main.head);
            }
          }),
        ],
      }),
    });
    view.current = made;
    return () => {
      view.current = null;
      made.destroy();
    };
  }, []);

  useEffect(() => {
    if (view.current) showText(view.current, text);
  }, [text]);

  useEffect(() => {
    const shown = view.current;
    if (!shown || shown.state.doc.toString() !== text) return;
    const found = problems.map((problem) => diagnosticOf(problem, shown.state.doc.length));
    shown.dispatch(setDiagnostics(shown.state, found));
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

/** Changes only what differs, so that the cursor and the folds stay; it can be undone like typing. */
function showText(view: EditorView, text: string): void {
  const shown = view.state.doc.toString();
  if (shown === text) return;
  let from = 0;
  while (from < Math.min(shown.length, text.length) && shown[from] === text[from]) from += 1;
  let end = 0;
  const most = Math.min(shown.length, text.length) - from;
  while (end < most && shown.at(-1 - end) === text.at(-1 - end)) end += 1;
  view.dispatch({
    changes: { from, to: shown.length - end, insert: text.slice(from, text.length - end) },
    annotations: [fromOutside.of(true), Transaction.addToHistory.of(true)],
  });
}
