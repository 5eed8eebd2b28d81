/** The parts of a HTML tree node used here. */
interface TreeNode {
  type: string;
  tagName?: string;
  children?: TreeNode[];
}

const HEADING = /^h([1-6])$/;

/**
 * A rehype plugin that changes heading levels so that they start at `first` and skip none: the headings
 * of the text then fit into the outline of the page.
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
