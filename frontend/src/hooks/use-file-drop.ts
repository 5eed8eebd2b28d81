import { useEffect, useRef, useState } from "react";

/** Calls back when files are dropped anywhere on the page; returns whether files are dragged over it. */
export function useFileDrop(onDrop: (data: DataTransfer) => void): boolean {
  const [isDragOver, setDragOver] = useState(false);
  const latest = useRef(onDrop);
  useEffect(() => {
    latest.current = onDrop;
  }, [onDrop]);
  useEffect(() => {
    const listeners = new AbortController();
    const { signal } = listeners;
    const hasFiles = (event: DragEvent) => event.dataTransfer?.types.includes("Files");
    const dragOver = (event: DragEvent) => {
      if (!hasFiles(event)) return;
      // Without it, the browser opens the file instead of dropping it.
      event.preventDefault();
      setDragOver(true);
    };
    const dragLeave = (event: DragEvent) => {
      if (event.relatedTarget === null) setDragOver(false);
    };
    const drop = (event: DragEvent) => {
      if (!hasFiles(event) || !event.dataTransfer) return;
      event.preventDefault();
      setDragOver(false);
      latest.current(event.dataTransfer);
    };
    window.addEventListener("dragover", dragOver, { signal });
    window.addEventListener("dragleave", dragLeave, { signal });
    window.addEventListener("drop", drop, { signal });
    return () => listeners.abort();
  }, []);
  return isDragOver;
}
