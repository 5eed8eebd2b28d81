/**
 * A workflow document under another name; everything else stays as it was written, comments too.
 *
 * The parser is fetched when it is first needed: the list of workflows must not carry it.
 */
export async function renamed(yaml: string, name: string): Promise<string> {
  const { parseDocument, isMap, isScalar, stringify } = await import("yaml");
  const written = stringify(name, { lineWidth: 0 }).trimEnd();
  const root = parseDocument(yaml).contents;
  const pair =
    isMap(root) && root.items.find((item) => isScalar(item.key) && item.key.value === "name");
  if (!pair) return `name: ${written}\n${yaml}`;
  const { key, value } = pair;
  const range = isScalar(value) ? value.range : undefined;
  const start = range ? range[0] : isScalar(key) ? (key.range?.[1] ?? 0) + 1 : 0;
  const end = range ? range[1] : start;
  const gap = yaml[start - 1] === ":" ? " " : "";
  // A block text (`name: >`) ends with its line break, which the new name must keep.
  const ending = yaml.slice(start, end).endsWith("\n") ? "\n" : "";
  return yaml.slice(0, start) + gap + written + ending + yaml.slice(end);
}
