/**
 * Replaces the name of a workflow document; everything else, including comments, is unchanged.
 *
 * The YAML parser is loaded on demand, to keep it out of the list of workflows.
 */
export async function renameDocument(yaml: string, name: string): Promise<string> {
  const { parseDocument, isMap, isScalar, stringify } = await import("yaml");
  const find = (map: unknown, key: string) =>
    isMap(map) ? map.items.find((item) => isScalar(item.key) && item.key.value === key) : undefined;
  const yamlName = stringify(name, { lineWidth: 0 }).trimEnd();
  const root = parseDocument(yaml).contents;
  const sections = [root, find(root, "crew")?.value, find(root, "workflow")?.value];
  const pair = sections.map((section) => find(section, "name")).find(Boolean);
  if (!pair) return `name: ${yamlName}\n${yaml}`;
  const { key, value } = pair;
  const range = isScalar(value) ? value.range : undefined;
  const start = range ? range[0] : isScalar(key) ? (key.range?.[1] ?? 0) + 1 : 0;
  const end = range ? range[1] : start;
  const gap = yaml[start - 1] === ":" ? " " : "";
  // The range of a block text (`name: >`) includes its line break.
  const ending = yaml.slice(start, end).endsWith("\n") ? "\n" : "";
  return yaml.slice(0, start) + gap + yamlName + ending + yaml.slice(end);
}
