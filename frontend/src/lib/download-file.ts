/** Gives the browser's user a file to keep. */
export function downloadFile(name: string, content: Blob): void {
  const address = URL.createObjectURL(content);
  const link = document.createElement("a");
  link.href = address;
  link.download = name;
  link.click();
  // The browser has taken the content by the next turn; holding it longer would only hold memory.
  setTimeout(() => URL.revokeObjectURL(address), 0);
}
