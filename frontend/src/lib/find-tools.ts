import type { Tool } from "@/lib/api/types";

/** The tools whose name, title, description or CrewAI class contains every word of a text. */
export function findTools(tools: Tool[], text: string): Tool[] {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  return tools.filter((tool) => {
    const searched = [tool.name, tool.title, tool.description, ...tool.replaces]
      .join(" ")
      .toLowerCase();
    return words.every((word) => searched.includes(word));
  });
}

export interface ToolArgument {
  name: string;
  type: string;
  description: string;
  required: boolean;
}

interface Schema {
  type?: string;
  description?: string;
  enum?: unknown[];
  anyOf?: Schema[];
  properties?: Record<string, Schema>;
  required?: string[];
}

/** The arguments of a tool, from its JSON Schema. */
export function listArguments(tool: Tool): ToolArgument[] {
  const schema = tool.parameters as Schema;
  return Object.entries(schema.properties ?? {}).map(([name, property]) => ({
    name,
    type: describeType(property),
    description: property.description ?? "",
    required: schema.required?.includes(name) ?? false,
  }));
}

function describeType({ type, anyOf, enum: values }: Schema): string {
  if (values) return values.join(", ");
  const named = type ?? anyOf?.map((one) => one.type).find((one) => one && one !== "null");
  return named ?? "text";
}
