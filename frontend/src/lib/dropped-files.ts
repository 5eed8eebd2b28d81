import { isSkippedFolder, type ProjectFileSource } from "./project-upload";

const MAX_FILES = 20_000;

/** Reads dropped files and folders; call it in the handler of the event, whose data is gone afterwards. */
export async function readDroppedFiles(data: DataTransfer): Promise<ProjectFileSource[]> {
  const found: ProjectFileSource[] = [];
  await Promise.all(
    [...data.items].map(async (item) => {
      const entry = item.webkitGetAsEntry();
      const file = item.getAsFile();
      // Only files that come from a file system have an entry.
      if (entry) await addEntry(entry, "", found);
      else if (file) found.push({ path: file.name, file });
    }),
  );
  return found;
}

async function addEntry(
  entry: FileSystemEntry,
  folder: string,
  found: ProjectFileSource[],
): Promise<void> {
  const path = folder + entry.name;
  if (found.length >= MAX_FILES) return;
  if (entry.isFile) {
    found.push({ path, file: await readFile(entry as FileSystemFileEntry) });
  } else if (entry.isDirectory && !isSkippedFolder(entry.name)) {
    const children = await readFolder(entry as FileSystemDirectoryEntry);
    await Promise.all(children.map((child) => addEntry(child, `${path}/`, found)));
  }
}

function readFile(entry: FileSystemFileEntry): Promise<File> {
  return new Promise((resolve, reject) => entry.file(resolve, reject));
}

async function readFolder(entry: FileSystemDirectoryEntry): Promise<FileSystemEntry[]> {
  const reader = entry.createReader();
  const all: FileSystemEntry[] = [];
  for (;;) {
    // Sequential: a reader returns some entries per call, and none at the end.
    // oxlint-disable-next-line no-await-in-loop
    const part = await new Promise<FileSystemEntry[]>((resolve, reject) =>
      reader.readEntries(resolve, reject),
    );
    if (part.length === 0) return all;
    all.push(...part);
  }
}

/** The files of an `<input type="file">`; those of a chosen folder have their path in it. */
export function listChosenFiles(files: FileList | null): ProjectFileSource[] {
  return [...(files ?? [])].map((file) => ({ path: file.webkitRelativePath || file.name, file }));
}
