import { MergeView as CodeMirrorMergeView } from "@codemirror/merge";
import { EditorState } from "@codemirror/state";
import { EditorView, lineNumbers } from "@codemirror/view";
import { useEffect, useRef } from "react";

import { yamlTheme } from "../yaml/yaml-theme";

/** A read-only comparison of two texts side by side. */
export function MergeView({ theirs, mine }: { theirs: string; mine: string }) {
  const host = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (!host.current) return;
    const view = new CodeMirrorMergeView({
      parent: host.current,
      a: { doc: theirs, extensions: createExtensions("Their version") },
      b: { doc: mine, extensions: createExtensions("My version") },
      collapseUnchanged: { margin: 3, minSize: 6 },
      gutter: true,
    });
    return () => view.destroy();
  }, [theirs, mine]);
  return <div ref={host} className="max-h-[55dvh] overflow-auto rounded-md border text-[13px]" />;
}

function createExtensions(label: string) {
  return [
    lineNumbers(),
    yamlTheme,
    EditorState.readOnly.of(true),
    EditorView.editable.of(false),
    EditorView.lineWrapping,
    EditorView.contentAttributes.of({
      tabindex: "0",
      "aria-label": label,
      role: "textbox",
      "aria-readonly": "true",
      "aria-multiline": "true",
    }),
  ];
}
