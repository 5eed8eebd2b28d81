/** Styles of the code. They use CSS variables, so that they follow the light and dark theme. */
import { yaml } from "@codemirror/lang-yaml";
import { HighlightStyle, syntaxHighlighting } from "@codemirror/language";
import type { Extension } from "@codemirror/state";
import { EditorView } from "@codemirror/view";
import { tags } from "@lezer/highlight";

const colours = HighlightStyle.define([
  { tag: [tags.propertyName, tags.definition(tags.propertyName)], color: "var(--code-key)" },
  { tag: [tags.string, tags.special(tags.string), tags.content], color: "var(--code-text)" },
  { tag: [tags.number, tags.bool, tags.null, tags.atom], color: "var(--code-number)" },
  { tag: [tags.comment, tags.lineComment], color: "var(--code-comment)", fontStyle: "italic" },
  { tag: [tags.labelName, tags.typeName, tags.keyword], color: "var(--code-number)" },
  { tag: [tags.punctuation, tags.separator, tags.bracket], color: "var(--ink-soft)" },
]);

const layout = EditorView.theme({
  "&": { color: "var(--ink)", backgroundColor: "var(--surface)", height: "100%", fontSize: "13px" },
  "&.cm-focused": { outline: "none" },
  ".cm-scroller": { fontFamily: "var(--font-mono, ui-monospace), monospace", lineHeight: "20px" },
  ".cm-content": { caretColor: "var(--ink)", padding: "8px 0" },
  ".cm-cursor": { borderLeftColor: "var(--ink)" },
  ".cm-gutters": {
    backgroundColor: "var(--surface)",
    color: "var(--ink-faint)",
    border: "none",
  },
  ".cm-activeLine": {
    backgroundColor: "color-mix(in srgb, var(--surface-hover) 60%, transparent)",
  },
  ".cm-activeLineGutter": { backgroundColor: "var(--surface-hover)", color: "var(--ink)" },
  "&.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground, .cm-selectionBackground":
    { backgroundColor: "var(--accent-soft)" },
  ".cm-selectionMatch": { backgroundColor: "var(--accent-soft)" },
  "&.cm-focused .cm-matchingBracket": { backgroundColor: "var(--accent-soft)", outline: "none" },
  ".cm-lintRange-error": wavyUnderline("var(--err)"),
  ".cm-lintRange-warning": wavyUnderline("var(--warn)"),
  ".cm-lint-marker-error, .cm-lint-marker-warning": {
    width: "8px",
    height: "8px",
    margin: "6px 2px",
  },
  ".cm-lint-marker-error": marker("var(--err)", "50%"),
  ".cm-lint-marker-warning": marker("var(--warn)", "2px"),
  ".cm-tooltip": {
    backgroundColor: "var(--surface-raised)",
    color: "var(--ink)",
    border: "1px solid var(--line)",
    borderRadius: "8px",
    boxShadow: "0 8px 24px rgb(0 0 0 / 0.18)",
    overflow: "hidden",
    maxWidth: "min(32rem, 90vw)",
  },
  ".cm-tooltip.cm-tooltip-autocomplete > ul": { fontFamily: "inherit", maxHeight: "16rem" },
  ".cm-tooltip.cm-tooltip-autocomplete > ul > li": { padding: "3px 8px", lineHeight: "20px" },
  ".cm-tooltip-autocomplete ul li[aria-selected]": {
    backgroundColor: "var(--accent-soft)",
    color: "var(--ink)",
  },
  ".cm-completionDetail": { color: "var(--ink-faint)", fontStyle: "normal" },
  ".cm-completionMatchedText": { textDecoration: "none", fontWeight: "600" },
  ".cm-tooltip.cm-completionInfo": { padding: "6px 10px", margin: "0 4px", fontSize: "12px" },
  ".cm-diagnostic": { padding: "6px 10px", borderLeft: "none", fontSize: "12px" },
  ".cm-diagnosticAction": {
    backgroundColor: "var(--accent)",
    color: "var(--accent-ink)",
    borderRadius: "6px",
    padding: "2px 8px",
    margin: "0 0 0 8px",
  },
  ".cm-panels": { backgroundColor: "var(--surface-sunken)", color: "var(--ink)" },
  ".cm-panels-bottom": { borderTop: "1px solid var(--line)" },
  ".cm-textfield": { backgroundColor: "var(--surface)", border: "1px solid var(--line)" },
  ".cm-button": {
    backgroundImage: "none",
    backgroundColor: "var(--surface)",
    border: "1px solid var(--line)",
  },
  ".cm-searchMatch": { backgroundColor: "var(--warn-soft)" },
  ".cm-foldPlaceholder": {
    backgroundColor: "var(--surface-hover)",
    border: "none",
    color: "var(--ink-soft)",
  },
  // The bundled font lacks the arrows around this text.
  ".cm-collapsedLines::before, .cm-collapsedLines::after": { content: '""' },
  ".cm-collapsedLines": { background: "var(--surface-sunken)", color: "var(--ink-soft)" },
  "&.cm-merge-a .cm-changedLine": { backgroundColor: "var(--err-soft)" },
  "&.cm-merge-b .cm-changedLine": { backgroundColor: "var(--ok-soft)" },
});

function wavyUnderline(colour: string) {
  return {
    backgroundImage: "none",
    textDecoration: `underline wavy ${colour} 1px`,
    textUnderlineOffset: "3px",
  };
}

function marker(colour: string, borderRadius: string) {
  return { content: '""', backgroundColor: colour, borderRadius };
}

/** Language, colours and layout of every YAML pane. */
export const yamlTheme: Extension = [yaml(), syntaxHighlighting(colours), layout];
