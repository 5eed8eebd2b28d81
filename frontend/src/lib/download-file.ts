/** Downloads `content` as a file. */
export function downloadFile(name: string, content: Blob): void {
  const url = URL.createObjectURL(content);
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  link.click();
  // The download has started by the next task; keeping the URL would keep the content in memory.
  setTimeout(() => URL.revokeObjectURL(url), 0);
}
