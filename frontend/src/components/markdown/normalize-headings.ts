/** The part of a HTML tree that is looked at here. */
interface TreeNode {
  type: string;
  tagName?: string;
  children?: TreeNode[];
}

const HEADING = /^h([1-6])$/;

/**
 * A plugin that gives headings levels which begin at `first` and skip none, whatever the text says:
 * a reader by headings then finds the text's outline inside the page's.
 */
export function normalizeHeadings(first: number) {
  return () =>
    (tree: TreeNode): void => {
      const above: number[] = [];
      for (const node of headings(tree)) {
        const depth = Number(HEADING.exec(node.tagName ?? "")?.[1]);
        while ((above.at(-1) ?? 0) >= depth) above.pop();
        above.push(depth);
        node.tagName = `h${Math.min(6, first + above.length - 1)}`;
      }
    };
}

function headings(node: TreeNode): TreeNode[] {
  const inside = (node.children ?? []).flatMap(headings);
  return HEADING.test(node.tagName ?? "") ? [node, ...inside] : inside;
}
