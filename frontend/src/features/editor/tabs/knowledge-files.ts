/** Which files can be knowledge, and the form that uploads them. */
import { formatFileSize } from "@/lib/format-file-size";

export const ACCEPTED = [".txt", ".md", ".markdown", ".pdf", ".csv", ".json"];
const MAX_FILES = 20;

/** Returns the body of the upload, or why the files cannot be uploaded. */
export function createForm(
  files: readonly File[],
  maxBytes: number,
): { form: FormData } | { problem: string } {
  if (files.length > MAX_FILES) {
    return { problem: `Choose at most ${MAX_FILES} files at a time.` };
  }
  for (const { name, size } of files) {
    if (!ACCEPTED.some((end) => name.toLowerCase().endsWith(end))) {
      return { problem: `${name} cannot be searched. Choose text, Markdown, PDF, CSV or JSON.` };
    }
    if (size === 0) return { problem: `${name} is empty.` };
    if (size > maxBytes) {
      return {
        problem: `${name} is larger than ${formatFileSize(maxBytes)}. Split it into several.`,
      };
    }
  }
  const form = new FormData();
  for (const file of files) form.append("files", file, file.name);
  return { form };
}
