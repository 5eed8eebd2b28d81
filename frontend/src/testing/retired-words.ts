import ts from "typescript";

/** Retired word → its replacement. Matched as whole words, case-insensitively. */
export type RetiredWords = Readonly<Record<string, string>>;

/** Words of file names and exported names. */
export const RETIRED_NAMES: RetiredWords = {
  anew: "again",
  becomes: "setState",
  bell: "attention button, notifier",
  beside: "keywords, next to",
  dearest: "most expensive",
  forgive: "markRecovered",
  looks: "styles",
  mend: "fix",
  neighbours: "adjacent",
  nobody: "none",
  outdate: "invalidate",
  outdo: "markRetried",
  reins: "supervisor",
  remedy: "suggested action",
  somebody: "user",
  story: "event log",
  talk: "chat store",
  told: "emitted",
  whisper: "publish",
};

/** Words and phrases of UI copy. */
export const RETIRED_COPY: RetiredWords = {
  anew: "again",
  "at hand": "current",
  "at work": "running, active",
  brought: "output",
  dearest: "most expensive",
  "goes on": "continues",
  mend: "fix",
  "needs you": "needs attention",
  nobody: "no user",
  "once more": "again",
  somebody: "another user",
  "under way": "running",
  "used up": "budget exceeded",
  whoever: "the user",
};

/** Splits `latePage` and `late-page.tsx` into lower-case words. */
export function splitName(name: string): string {
  return name
    .replace(/([a-z0-9])([A-Z])/g, "$1 $2")
    .replace(/[^A-Za-z0-9]+/g, " ")
    .toLowerCase();
}

/** Returns `"text": use "replacement"` for each retired word in the texts. */
export function findRetiredWords(texts: readonly string[], retired: RetiredWords): string[] {
  return texts.flatMap((text) =>
    Object.entries(retired)
      .filter(([word]) => new RegExp(`\\b${word}\\b`, "i").test(text))
      .map(([word, replacement]) => `"${text.trim()}": replace "${word}" by "${replacement}"`),
  );
}

/** Returns the exported names and the UI copy (string literals and JSX text) of a source file. */
export function readSource(file: string, source: string): { names: string[]; copy: string[] } {
  const names: string[] = [];
  const copy: string[] = [];
  const tree = ts.createSourceFile(file, source, ts.ScriptTarget.Latest, false);
  const visit = (node: ts.Node): void => {
    if (ts.isImportDeclaration(node)) return;
    if (ts.isStringLiteralLike(node) || ts.isJsxText(node) || isTemplatePart(node)) {
      copy.push(node.text);
    }
    ts.forEachChild(node, visit);
  };
  for (const statement of tree.statements) {
    names.push(...exportedNames(statement));
    visit(statement);
  }
  return { names, copy };
}

function isTemplatePart(
  node: ts.Node,
): node is ts.TemplateHead | ts.TemplateMiddle | ts.TemplateTail {
  return ts.isTemplateHead(node) || ts.isTemplateMiddle(node) || ts.isTemplateTail(node);
}

function exportedNames(statement: ts.Statement): string[] {
  const isExported =
    ts.canHaveModifiers(statement) &&
    ts.getModifiers(statement)?.some(({ kind }) => kind === ts.SyntaxKind.ExportKeyword);
  if (!isExported) return [];
  if (ts.isVariableStatement(statement)) {
    return statement.declarationList.declarations.flatMap(({ name }) =>
      ts.isIdentifier(name) ? [name.text] : [],
    );
  }
  const { name } = statement as ts.DeclarationStatement;
  return name && ts.isIdentifier(name) ? [name.text] : [];
}
