import { MergeView as Primitive } from "@codemirror/merge";
import { EditorState } from "@codemirror/state";
import { EditorView, lineNumbers } from "@codemirror/view";
import { useEffect, useRef } from "react";

import { yamlLooks } from "../yaml/theme";

/** Two texts side by side with what differs; only to be read. */
export function MergeView({ theirs, mine }: { theirs: string; mine: string }) {
  const host = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (!host.current) return;
    const view = new Primitive({
      parent: host.current,
      a: { doc: theirs, extensions: extensions("Their version") },
      b: { doc: mine, extensions: extensions("My version") },
      collapseUnchanged: { margin: 3, minSize: 6 },
      gutter: true,
    });
    return () => view.destroy();
  }, [theirs, mine]);
  return <div ref={host} className="max-h-[55dvh] overflow-auto rounded-md border text-[13px]" />;
}

function extensions(name: string) {
  return [
    lineNumbers(),
    yamlLooks,
    EditorState.readOnly.of(true),
    EditorView.editable.of(false),
    EditorView.lineWrapping,
    EditorView.contentAttributes.of({
      tabindex: "0",
      "aria-label": name,
      role: "textbox",
      "aria-readonly": "true",
      "aria-multiline": "true",
    }),
  ];
}
